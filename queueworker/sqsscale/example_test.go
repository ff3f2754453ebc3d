package sqsscale_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
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

// At its start a program sees to the policy, and changes nothing if it is there.
func ExampleTargetTracking_Ensure() {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), autoscalingsvc.New(), cloudwatchsvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	ctx := context.Background()
	client, err := groupOf(ctx, cloud, 1, 10)
	if err != nil {
		log.Fatal(err)
	}
	policy := sqsscale.TargetTracking{
		Group: "workers", Metric: sqsscale.Metric{QueueName: "work", GroupName: "workers"},
		Target: 300, // 5 slots, handlers of a second, and a minute to wait
	}
	for _, target := range []float64{300, 300, 150} {
		policy.Target = target
		differences, err := policy.Ensure(ctx, client)
		fmt.Printf("%q %v\n", differences, err)
	}
	// Output:
	// [{"Policy" "" "backlog-per-instance"}] <nil>
	// [] <nil>
	// [{"TargetValue" "300" "150"}] <nil>
}

// What would be done in a situation can be asked at any time. Here ten instances run, of which six have work, and one would do.
func ExampleDecide() {
	now := time.Now()
	s := sqsscale.Situation{
		Now: now, Known: now.Add(-4 * time.Minute), Peak: 2,
		Group: sqsscale.Group{Name: "workers", Max: 20, Desired: 10, InService: 10, Protected: 6},
		Hint:  queueworker.ScaleHint{Desired: 1, Reason: "8 visible messages, of which an instance may have 12"},
	}
	for range 2 {
		d := sqsscale.Decide(s, sqsscale.Limits{})
		fmt.Println(d.Verdict, d.To, d.Reason)
		s.Now = s.Now.Add(time.Minute)
	}
	s.Hint.Desired, s.Hint.Reason = 12, "140 visible messages, of which an instance may have 12"
	d := sqsscale.Decide(s, sqsscale.Limits{})
	fmt.Println(d.Verdict, d.To, d.Reason)
	// Output:
	// cooling 10 what is needed is known for 4m0s only
	// in 6 8 visible messages, of which an instance may have 12; 6 stay: 2 were needed within 5m0s, 6 have work
	// out 12 140 visible messages, of which an instance may have 12
}

// A driver of a group of one, for which the queue needs three.
func ExampleNewDriver() {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), autoscalingsvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client, err := groupOf(ctx, cloud, 0, 10)
	if err != nil {
		log.Fatal(err)
	}
	hints := sqsscale.HinterFunc(func(context.Context) (queueworker.ScaleHint, error) { // a *queueworker.Scaler with InService
		return queueworker.ScaleHint{Desired: 3, Reason: "36 visible messages, of which an instance may have 12"}, nil
	})
	driver, err := sqsscale.NewDriver(client, "workers", hints, func(o *sqsscale.DriverOptions) {
		o.OnEvent = func(_ context.Context, e sqsscale.DriverEvent) {
			fmt.Println(e.Decision.Verdict, e.Decision.From, e.Decision.To, e.Decision.Reason, e.Applied, e.Err)
			stop()
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(driver.Run(ctx))
	// Output:
	// out 0 3 36 visible messages, of which an instance may have 12 true <nil>
	// context canceled
}

// groupOf makes the Auto Scaling group "workers".
func groupOf(ctx context.Context, cloud *awstest.Cloud, least, most int32) (*autoscaling.Client, error) {
	template, err := ec2.NewFromConfig(cloud.Config("us-east-1")).CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("worker"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: ec2types.InstanceTypeT3Micro},
	})
	if err != nil {
		return nil, err
	}
	client := autoscaling.NewFromConfig(cloud.Config("us-east-1"))
	_, err = client.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("workers"), MinSize: &least, MaxSize: &most, AvailabilityZones: []string{"us-east-1a"},
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId},
	})
	return client, err
}
