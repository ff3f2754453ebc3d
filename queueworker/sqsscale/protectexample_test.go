package sqsscale_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/queueworker/queueworkermock"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

// The group chooses the instance while its worker has something to do. The worker drains, and then the group goes on.
func ExampleNewProtector() {
	// In a program: the clients of Auto Scaling and of the metadata service, worker.Stats().Running, and worker.Run, of a worker whose
	// DrainTimeout is as long as its handlers may take.
	api, metadata := chosen()
	running := func() int { return 1 }
	work := func(ctx context.Context) error {
		<-ctx.Done()
		fmt.Println("the worker drains:", context.Cause(ctx))
		time.Sleep(10 * time.Millisecond)
		fmt.Println("the last handler has ended")
		return nil
	}

	self := sqsscale.Instance{ID: "i-0123456789abcdef0", Group: "workers"}
	protector, err := sqsscale.NewProtector(api, self, running, func(o *sqsscale.ProtectOptions) {
		o.Hook = "drain"
		o.Metadata = metadata
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(protector.Run(context.Background(), work))
	// Output:
	// the worker drains: sqsscale: the instance is being terminated
	// the last handler has ended
	// CompleteLifecycleAction drain CONTINUE
	// <nil>
}

// chosen are an Auto Scaling and a metadata service that tells of a termination when it is asked again.
func chosen() (sqsscale.ProtectAPI, sqsscale.MetadataAPI) {
	state := "InService"
	return &queueworkermock.ProtectAPIMock{
			DescribeLifecycleHooksFunc: func(context.Context, *autoscaling.DescribeLifecycleHooksInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeLifecycleHooksOutput, error) {
				return &autoscaling.DescribeLifecycleHooksOutput{}, nil
			},
			RecordLifecycleActionHeartbeatFunc: func(context.Context, *autoscaling.RecordLifecycleActionHeartbeatInput, ...func(*autoscaling.Options)) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
				return &autoscaling.RecordLifecycleActionHeartbeatOutput{}, nil
			},
			CompleteLifecycleActionFunc: func(_ context.Context, in *autoscaling.CompleteLifecycleActionInput, _ ...func(*autoscaling.Options)) (*autoscaling.CompleteLifecycleActionOutput, error) {
				fmt.Println("CompleteLifecycleAction", *in.LifecycleHookName, *in.LifecycleActionResult)
				return &autoscaling.CompleteLifecycleActionOutput{}, nil
			},
		}, &queueworkermock.MetadataAPIMock{
			GetMetadataFunc: func(context.Context, *imds.GetMetadataInput, ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
				now := state
				state = "Terminated"
				return &imds.GetMetadataOutput{Content: io.NopCloser(strings.NewReader(now))}, nil
			},
		}
}
