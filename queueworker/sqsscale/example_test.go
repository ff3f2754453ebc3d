package sqsscale_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

// A publisher beside a worker: 40 messages wait, and two instances share them.
func ExampleNewPublisher() {
	cloud, err := awstest.New([]awstest.Service{cloudwatchsvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	hints := sqsscale.HinterFunc(func(context.Context) (queueworker.ScaleHint, error) { // a *queueworker.Scaler
		return queueworker.ScaleHint{Desired: 2, BacklogPerInstance: 20}, nil
	})
	publisher, err := sqsscale.NewPublisher(cloudwatch.NewFromConfig(cloud.Config("us-east-1")), hints,
		sqsscale.Metric{QueueName: "work", GroupName: "workers"}, func(o *sqsscale.PublisherOptions) {
			o.OnEvent = func(_ context.Context, e sqsscale.PublisherEvent) {
				fmt.Println(e.Hint.BacklogPerInstance, e.Points, e.Err)
				stop()
			}
		})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(publisher.Run(ctx))
	// Output:
	// 20 1 <nil>
	// context canceled
}
