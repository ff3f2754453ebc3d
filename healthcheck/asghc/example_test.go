package asghc_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/asghc"
)

// Of what does not belong together everything is reported at once.
func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(), autoscalingsvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	pool, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }))
	if err != nil {
		log.Fatal(err)
	}
	_, err = asghc.New(autoscaling.NewFromConfig(cloud.Config("us-east-1")), pool, func(o *asghc.Options) {
		o.Groups = []string{"web"}
		o.MaxInFlightPercent = 120
		o.Interval = time.Millisecond
	})
	fmt.Println(err)
	// Output:
	// asghc: Options.MaxInFlightPercent: 120 must be from 1 to 100
	// asghc: Options.Interval: 1ms must be at least 1s
}

// What would be done in a situation can be asked at any time: here three of ten instances are unhealthy.
func ExamplePlan() {
	now := time.Now()
	group := asghc.Group{Name: "web", Desired: 10}
	s := asghc.Situation{Now: now, Registered: 10, Healthy: 7}
	for k := range 10 {
		id := fmt.Sprintf("i-%d", k)
		group.Instances = append(group.Instances, asghc.Instance{ID: id, Zone: "us-east-1a", State: "InService", Healthy: true})
		if k < 3 {
			s.Targets = append(s.Targets, asghc.Target{ID: id, Instance: id, State: healthcheck.Unhealthy, Since: now.Add(-time.Duration(k) * 45 * time.Second)})
		}
	}
	s.Groups = []asghc.Group{group}
	for _, d := range asghc.Plan(s, asghc.Limits{MinUnhealthy: 30 * time.Second}) {
		fmt.Println(d.Instance, d.Verdict)
	}
	// Output:
	// i-2 mark
	// i-1 brake
	// i-0 young
}

// A group of two, of which one instance does not answer: it is marked, and Auto Scaling replaces it.
func ExampleReplacer() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cloud, err := quick()
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := autoscaling.NewFromConfig(cloud.Config("us-east-1"))
	ids, err := launch(ctx, cloud, "web", 2)
	if err != nil {
		log.Fatal(err)
	}

	pool, err := healthcheck.New(healthcheck.Func(func(_ context.Context, t healthcheck.Target) error {
		if t.ID == ids[1] {
			return errors.New("does not answer")
		}
		return nil
	}), func(o *healthcheck.Options) { o.Interval, o.Timeout = 20*time.Millisecond, 10*time.Millisecond })
	if err != nil {
		log.Fatal(err)
	}
	if err = pool.Register(healthcheck.Target{ID: ids[0]}, healthcheck.Target{ID: ids[1]}); err != nil {
		log.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- pool.Run(ctx) }()
	if err = pool.Wait(ctx, func(v *healthcheck.View) bool {
		return v.Count(healthcheck.Healthy) == 1 && v.Count(healthcheck.Unhealthy) == 1
	}); err != nil {
		log.Fatal(err)
	}

	replacer, err := asghc.New(client, pool, func(o *asghc.Options) {
		o.Groups = []string{"web"}
		o.MinUnhealthy = time.Nanosecond // to be quick here: give it minutes
		o.OnEvent = func(_ context.Context, e asghc.Event) {
			fmt.Println(e.Kind, e.Decision.Group, e.Decision.Verdict, e.Decision.Instance == ids[1])
			if e.Kind == asghc.KindMarked {
				stop()
			}
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(replacer.Run(ctx), <-ended)
	// Output:
	// decided web mark true
	// marked web mark true
	// context canceled context canceled
}

// quick is a cloud that does everything at once, for examples in real time.
func quick() (*awstest.Cloud, error) {
	return awstest.New([]awstest.Service{
		ec2svc.New(func(o *ec2svc.Options) { o.Pending = ec2svc.Immediately }),
		autoscalingsvc.New(func(o *autoscalingsvc.Options) {
			o.Reaction, o.Transition = autoscalingsvc.Immediately, autoscalingsvc.Immediately
		}),
	})
}

// launch makes a group and waits until its instances are in service.
func launch(ctx context.Context, cloud *awstest.Cloud, name string, n int32) (ids []string, err error) {
	template, err := ec2.NewFromConfig(cloud.Config("us-east-1")).CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &name,
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: ec2types.InstanceTypeT3Micro},
	})
	if err != nil {
		return nil, err
	}
	client := autoscaling.NewFromConfig(cloud.Config("us-east-1"))
	if _, err = client.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: &n, MaxSize: &n, AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId},
	}); err != nil {
		return nil, err
	}
	for len(ids) < int(n) {
		out, err := client.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{})
		if err != nil {
			return nil, err
		}
		ids = nil
		for _, i := range out.AutoScalingInstances {
			if *i.LifecycleState == "InService" {
				ids = append(ids, *i.InstanceId)
			}
		}
		time.Sleep(time.Millisecond)
	}
	return ids, nil
}
