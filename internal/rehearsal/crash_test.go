package rehearsal_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/dynamostore"
)

// bench is a cloud with an instance that fails over, and two machines for controllers.
type bench struct {
	*testing.T

	cloud    *awstest.Cloud
	api      *ec2.Client
	primary  string
	machines [2]*awstest.Instance
}

const otherZone = "us-east-1b"

func onBench(t *testing.T, test func(*bench)) {
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New([]awstest.Service{
			ec2svc.New(func(o *ec2svc.Options) { o.Pending, o.Stopping, o.ShuttingDown = time.Second, time.Second, time.Second }),
			dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = dynamodbsvc.Immediately }),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		b := &bench{T: t, cloud: cloud, api: ec2.NewFromConfig(cloud.Config("us-east-1"))}
		if _, err := dynamodb.NewFromConfig(cloud.Config("us-east-1")).CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String("failover"), BillingMode: ddbtypes.BillingModePayPerRequest,
			AttributeDefinitions: []ddbtypes.AttributeDefinition{
				{AttributeName: aws.String("group"), AttributeType: ddbtypes.ScalarAttributeTypeS},
				{AttributeName: aws.String("name"), AttributeType: ddbtypes.ScalarAttributeTypeS},
			},
			KeySchema: []ddbtypes.KeySchemaElement{
				{AttributeName: aws.String("group"), KeyType: ddbtypes.KeyTypeHash}, {AttributeName: aws.String("name"), KeyType: ddbtypes.KeyTypeRange},
			},
		}); err != nil {
			t.Fatal(err)
		}
		b.primary = b.launch("us-east-1a").ID()
		b.machines = [2]*awstest.Instance{b.launch("us-east-1c"), b.launch("us-east-1d")}
		time.Sleep(2 * time.Second)
		test(b)
	})
}

func (b *bench) launch(zone string) *awstest.Instance {
	b.Helper()
	out, err := b.api.RunInstances(b.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		Placement: &types.Placement{AvailabilityZone: aws.String(zone)},
	})
	if err != nil {
		b.Fatal(err)
	}
	inst, _ := b.cloud.Instance(*out.Instances[0].InstanceId)
	return inst
}

// execute carries the plan out from a machine, until it is done or the machine dies.
func (b *bench) execute(m *awstest.Instance) error {
	b.Helper()
	ctx, end := m.Program(b.Context())
	defer end()
	store, err := dynamostore.New(dynamodb.NewFromConfig(m.Config()), "failover")
	if err != nil {
		b.Fatal(err)
	}
	locker, err := failover.NewLocker(store)
	if err != nil {
		b.Fatal(err)
	}
	journal, err := failover.NewJournal(store)
	if err != nil {
		b.Fatal(err)
	}
	engine, err := failover.New(locker, journal)
	if err != nil {
		b.Fatal(err)
	}
	p := &tenSteps{api: ec2.NewFromConfig(m.Config()), primary: b.primary}
	_, err = engine.Execute(ctx, "incident", p.plan())
	return err
}

// TestKilledAtEachCall kills a controller at each AWS call of a plan of ten steps, those of its lease and its journal included: before the call, and after
// it has been applied. Another one finishes: everything is there once.
func TestKilledAtEachCall(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{"before the call": false, "after it, before the reply": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 1
			for ; killedAt(t, n, after); n++ {
				if t.Failed() {
					t.Fatalf("killed at call %d", n)
				}
			}
			if n < 60 {
				t.Errorf("only %d calls", n-1)
			}
			t.Logf("%d points", n-1)
		})
	}
}

func killedAt(t *testing.T, n int, after bool) (reached bool) {
	onBench(t, func(b *bench) {
		first, second := b.machines[0], b.machines[1]
		effect := awstest.Before(func(ctx context.Context, _ awstest.Record) {
			first.Fail(awstest.PowerLoss)
			<-ctx.Done() // so that the call does not get any further
		})
		if after {
			effect = awstest.After(func(context.Context, awstest.Record) { first.Fail(awstest.PowerLoss) })
		}
		if _, err := b.cloud.Inject(awstest.Match{Caller: first.ID(), Skip: n - 1, Times: 1}, effect); err != nil {
			t.Fatal(err)
		}
		err := b.execute(first)
		reached = !first.Running()
		if err != nil && !errors.Is(err, awstest.ErrHalted) { // nil: the last call gives the lease back
			t.Errorf("killed: %v, error: %v", reached, err)
		}
		if err := b.execute(second); err != nil {
			t.Error(err)
		}
		b.verify()
	})
	return reached
}

// verify checks that all effects are there once.
func (b *bench) verify() {
	b.Helper()
	time.Sleep(time.Minute)
	ctx, filter := b.Context(), []types.Filter{{Name: aws.String("tag-key"), Values: []string{stepTag}}}
	counts := map[string]int{}
	instances, err := b.api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: filter})
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range instances.Reservations {
		counts["instances"] += len(r.Instances)
	}
	volumes, err := b.api.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: filter})
	if err != nil {
		b.Fatal(err)
	}
	counts["volumes"] = len(volumes.Volumes)
	addresses, err := b.api.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{Filters: filter})
	if err != nil {
		b.Fatal(err)
	}
	counts["addresses"] = len(addresses.Addresses)
	snapshots, err := b.api.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{Filters: filter, OwnerIds: []string{"self"}})
	if err != nil {
		b.Fatal(err)
	}
	counts["snapshots"] = len(snapshots.Snapshots)
	interfaces, err := b.api.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: filter})
	if err != nil {
		b.Fatal(err)
	}
	counts["interfaces"] = len(interfaces.NetworkInterfaces)
	for what, n := range counts {
		if n != 1 {
			b.Errorf("%d %s", n, what)
		}
	}
	for _, operation := range []string{"StopInstances", "AllocateAddress", "AttachVolume", "AssociateAddress", "CreateSnapshot", "TerminateInstances"} {
		applied := 0
		for _, call := range b.cloud.Calls(awstest.Match{Service: ec2.ServiceID, Operation: operation}) {
			if call.Applied {
				applied++
			}
		}
		if applied != 1 {
			b.Errorf("%s was applied %d times", operation, applied)
		}
	}
}
