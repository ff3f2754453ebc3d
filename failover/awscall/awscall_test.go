package awscall_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/s3svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/awscall"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newEngine(tb testing.TB) *failover.Engine {
	tb.Helper()
	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		tb.Fatal(err)
	}
	e, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// inStep runs a function as the Do of a step, and returns the calls that the timeline has.
func inStep(t *testing.T, do func(ctx context.Context, cfg aws.Config, cloud *awstest.Cloud) error) (calls []failover.Event) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud, err := awstest.New([]awstest.Service{ec2svc.New(), s3svc.New()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		cfg := cloud.Config("us-east-1")
		awscall.Record(&cfg)
		awscall.Record(&cfg) // twice is once
		step := failover.NewStep(failover.StepFuncs{ID: "a", Plane: failover.PlaneMutate, Do: func(ctx context.Context, _ *failover.Env) error {
			return do(ctx, cfg, cloud)
		}})
		timeline, err := newEngine(t).Execute(t.Context(), "i", failover.Plan{Service: "orders", Steps: []failover.Step{step}})
		if err != nil {
			t.Error(err)
		}
		for _, ev := range timeline.Events() {
			if ev.Kind == failover.KindCall {
				calls = append(calls, ev)
			}
		}
		for _, call := range calls {
			if call.Step != "a" || call.Took <= 0 {
				t.Errorf("%+v", call)
			}
		}
	})
	return calls
}

func TestCallsOfAStepAreInTheTimeline(t *testing.T) {
	t.Parallel()
	var want []string
	calls := inStep(t, func(ctx context.Context, cfg aws.Config, cloud *awstest.Cloud) error {
		client := ec2.NewFromConfig(cfg)
		if _, err := client.AllocateAddress(ctx, &ec2.AllocateAddressInput{}); err != nil {
			return err
		}
		_, err := client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
		for _, call := range cloud.Calls(awstest.Match{}) {
			want = append(want, call.RequestID)
		}
		_, other := client.DescribeAddresses(context.WithoutCancel(context.Background()), &ec2.DescribeAddressesInput{}) // nobody's step
		return errors.Join(err, other)
	})
	if len(calls) != 2 || calls[0].Call.Operation != "AllocateAddress" || calls[0].Call.Service != ec2.ServiceID || calls[0].Err != nil {
		t.Fatalf("%+v", calls)
	}
	for i, call := range calls {
		if call.Call.RequestID == "" || call.Call.RequestID != want[i] {
			t.Errorf("request %q, want %q", call.Call.RequestID, want[i])
		}
	}
}

func TestErrorsAreToldWithTheirRequests(t *testing.T) {
	t.Parallel()
	calls := inStep(t, func(ctx context.Context, cfg aws.Config, _ *awstest.Cloud) error {
		_, err := ec2.NewFromConfig(cfg).DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: aws.String("eipassoc-0123456789abcdef0")})
		if err == nil {
			return errors.New("no error")
		}
		return nil
	})
	if len(calls) != 1 || !errors.As(calls[0].Err, new(smithy.APIError)) || calls[0].Call.RequestID == "" {
		t.Errorf("%+v", calls)
	}
}

// However often the SDK tries, it is one call.
func TestTriesOfTheSDKAreOneCall(t *testing.T) {
	t.Parallel()
	var sent int
	calls := inStep(t, func(ctx context.Context, cfg aws.Config, cloud *awstest.Cloud) error {
		if _, err := cloud.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "DescribeAddresses", Times: 2}, awstest.Throttle()); err != nil {
			return err
		}
		_, err := ec2.NewFromConfig(cfg).DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
		sent = cloud.Count(ec2.ServiceID, "DescribeAddresses")
		return err
	})
	if len(calls) != 1 || sent != 3 || calls[0].Err != nil {
		t.Errorf("%d sent, told %+v", sent, calls)
	}
}

// What is refused before it is sent has no request, and what is only signed is no call.
func TestWhatIsNotSent(t *testing.T) {
	t.Parallel()
	calls := inStep(t, func(ctx context.Context, cfg aws.Config, _ *awstest.Cloud) error {
		if _, err := ec2.NewFromConfig(cfg).DeleteVolume(ctx, &ec2.DeleteVolumeInput{}); err == nil {
			return errors.New("no error")
		}
		_, err := s3.NewPresignClient(s3.NewFromConfig(cfg)).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
		time.Sleep(time.Second)
		return err
	})
	for _, call := range calls {
		if call.Call.Operation != "DeleteVolume" || call.Call.RequestID != "" {
			t.Errorf("%+v", call)
		}
	}
}

func Example() {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	cfg := cloud.Config("us-east-1") // config.LoadDefaultConfig in a real program
	awscall.Record(&cfg)
	client := ec2.NewFromConfig(cfg)

	locker, err := failover.NewLocker(new(failover.MemoryStore))
	if err != nil {
		log.Fatal(err)
	}
	engine, err := failover.New(locker, new(failover.MemoryJournal))
	if err != nil {
		log.Fatal(err)
	}
	timeline, err := engine.Execute(context.Background(), "orders-1", failover.Plan{Service: "orders", Steps: []failover.Step{
		failover.NewStep(failover.StepFuncs{ID: "allocate", Plane: failover.PlaneMutate, Do: func(ctx context.Context, _ *failover.Env) error {
			_, err := client.AllocateAddress(ctx, &ec2.AllocateAddressInput{})
			return err
		}}),
	}})
	for _, ev := range timeline.Events() {
		if ev.Kind == failover.KindCall {
			fmt.Println(ev.Step, ev.Call.Service, ev.Call.Operation, strings.HasPrefix(ev.Call.RequestID, "0000"))
		}
	}
	fmt.Println(err)
	// Output:
	// allocate EC2 AllocateAddress true
	// <nil>
}
