package drill_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/faultinjector"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
)

// A zone loses power, somebody notices after 20 s, and an Elastic IP moves to an instance in another zone; afterwards it moves home. On
// AWS, the injector starts an experiment, and Options.Confirm names the service.
func ExampleNew() {
	inBubble(func(ctx context.Context) {
		cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.Pending = time.Second })})
		if err != nil {
			log.Fatal(err)
		}
		defer cloud.Close()
		client := ec2.NewFromConfig(cloud.Config("us-east-1"))
		zones, address, instances, err := service(ctx, cloud, client)
		if err != nil {
			log.Fatal(err)
		}
		move := func(to string) failover.Plan { // a real step checks first: see package failover
			return failover.Plan{Service: "orders", Steps: []failover.Step{failover.NewStep(failover.StepFuncs{
				ID: "move", Plane: failover.PlaneMutate, Estimate: time.Second,
				Do: func(ctx context.Context, _ *failover.Env) error {
					_, err := client.AssociateAddress(ctx, &ec2.AssociateAddressInput{
						AllocationId: address.AllocationId, InstanceId: &to, AllowReassociation: aws.Bool(true),
					})
					return err
				},
			})}}
		}

		locker, err := failover.NewLocker(new(failover.MemoryStore)) // package dynamostore has a store for a fleet
		if err != nil {
			log.Fatal(err)
		}
		engine, err := failover.New(locker, new(failover.MemoryJournal))
		if err != nil {
			log.Fatal(err)
		}
		injector, err := faultinjector.New(cloud)
		if err != nil {
			log.Fatal(err)
		}
		home := move(instances[0])
		d, err := drill.New(injector, drill.Fault{Kind: faultinjector.PowerLoss, Target: zones[0]}, drill.Response{
			Plan: move(instances[1]), Engine: engine, Failback: &home,
			Detect: func(context.Context) error { time.Sleep(20 * time.Second); return nil },
		}, []drill.Probe{{
			Name: "client", Client: drill.HTTP(drill.HTTPSpec{URL: "http://" + *address.PublicIp + "/", Transport: cloud.Transport()}),
		}}, func(o *drill.Options) {
			o.Targets = drill.Targets{RTO: time.Minute, Detection: 15 * time.Second}
		})
		if err != nil {
			log.Fatal(err)
		}
		report, err := d.Run(ctx)
		if err != nil {
			log.Fatal(err) // the drill was not carried out to its end; the fault is ended all the same
		}
		fmt.Println(report.Verdict, "RTO", report.RTO.Round(time.Second))
		for _, m := range report.Misses {
			fmt.Println(m)
		}
	})
	// Output:
	// fail RTO 20s
	// detection: 20s, wanted at most 15s
}

// service starts two instances in two zones, and an address on the first.
func service(ctx context.Context, cloud *awstest.Cloud, client *ec2.Client) (zones []string, address *ec2.AllocateAddressOutput, instances []string, err error) {
	subnets, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	if err != nil {
		return nil, nil, nil, err
	}
	for i := range 2 {
		subnet := &subnets.Subnets[i]
		out, err := client.RunInstances(ctx, &ec2.RunInstancesInput{
			ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceTypeT3Micro, SubnetId: subnet.SubnetId, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		})
		if err != nil {
			return nil, nil, nil, err
		}
		zones, instances = append(zones, *subnet.AvailabilityZoneId), append(instances, *out.Instances[0].InstanceId)
		time.Sleep(2 * time.Second) // until it runs
		instance, _ := cloud.Instance(instances[i])
		if _, err := instance.Serve(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })); err != nil {
			return nil, nil, nil, err
		}
	}
	if address, err = client.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc}); err != nil {
		return nil, nil, nil, err
	}
	_, err = client.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: address.AllocationId, InstanceId: &instances[0]})
	return zones, address, instances, err
}

// A number that is kept in the service's data tells what a failover loses.
func ExampleWriteRead() {
	copies := []uint64{0, 0} // of a database and of its replica
	at := 0
	probe := drill.WriteRead(drill.WriteReadSpec{
		Write: func(_ context.Context, number uint64) error { copies[at] = number; return nil },
		Read:  func(context.Context) (uint64, error) { return copies[at], nil },
	})
	ask := func() {
		if err := probe.Ask(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	ask()
	ask()
	copies[1] = copies[0] // the replica has all
	ask()
	ask()
	at = 1 // and is promoted, two writes later
	ask()
	fmt.Println("lost writes:", probe.(drill.LossTeller).Loss().Writes)
	// Output: lost writes: 2
}

// inBubble runs an example in virtual time, once, whatever -count says.
func inBubble(run func(context.Context)) {
	var once sync.Once
	testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{
		Name: "example", F: func(t *testing.T) { once.Do(func() { synctest.Test(t, func(t *testing.T) { run(t.Context()) }) }) },
	}})
}
