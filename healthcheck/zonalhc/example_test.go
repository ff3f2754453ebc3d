package zonalhc_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/zonalhc"
)

// A load balancer is shifted away from a zone whose targets fail.
func ExampleNew() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cloud, arn, err := loadBalancer(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	pool, err := oneBadZone(ctx)
	if err != nil {
		log.Fatal(err)
	}
	shifter, err := zonalhc.New(arczonalshift.NewFromConfig(cloud.Config("us-east-1")), pool, arn, func(o *zonalhc.Options) {
		o.Expiry = 4 * time.Hour
		o.Comment = "web: the zone fails its checks"
		o.ZoneIDs = map[string]string{"us-east-1a": "use1-az2", "us-east-1b": "use1-az3"}
		o.BadFor = time.Nanosecond // to be quick here: give it minutes
		o.Interval = time.Second
		o.OnEvent = func(_ context.Context, e zonalhc.Event) {
			fmt.Println(e.Kind, e.Decision.Zone, e.Decision.ZoneID, time.Until(e.Expiry).Round(time.Hour))
			stop()
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(shifter.Run(ctx))
	// Output:
	// started us-east-1a use1-az2 4h0m0s
	// context canceled
}

// An Adviser leaves the decision to somebody else.
func ExampleNewAdviser() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	cloud, arn, err := loadBalancer(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	pool, err := oneBadZone(ctx)
	if err != nil {
		log.Fatal(err)
	}
	adviser, err := zonalhc.NewAdviser(arczonalshift.NewFromConfig(cloud.Config("us-east-1")), pool, arn, func(o *zonalhc.Options) {
		o.ZoneIDs = map[string]string{"us-east-1a": "use1-az2", "us-east-1b": "use1-az3"}
		o.BadFor = time.Nanosecond // to be quick here: give it minutes
		o.Interval = time.Second
		o.OnEvent = func(_ context.Context, e zonalhc.Event) {
			if e.Kind == zonalhc.KindAdvised {
				fmt.Println(e.Decision.Action, e.Decision.Reason, e.Decision.Zone)
				stop()
			}
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(adviser.Run(ctx))
	// Output:
	// start zone-bad us-east-1a
	// context canceled
}

// What would be done in a situation can be asked at any time.
func ExamplePlan() {
	now := time.Now()
	zones := []zonalhc.Zone{
		{Name: "us-east-1a", ID: "use1-az2", Registered: 4, BadSince: now.Add(-10 * time.Minute)},
		{Name: "us-east-1b", ID: "use1-az3", Registered: 4, Healthy: 4, WellSince: now.Add(-time.Hour)},
	}
	resource := &zonalhc.Resource{Zones: []string{"use1-az2", "use1-az3"}}
	d := zonalhc.Plan(zonalhc.Situation{Now: now, Zones: zones, Resource: resource}, zonalhc.Limits{})
	fmt.Println(d.Action, d.Reason)

	zones[1].Healthy = 3
	d = zonalhc.Plan(zonalhc.Situation{Now: now, Zones: zones, Resource: resource}, zonalhc.Limits{})
	fmt.Println(d.Action, d.Reason)
	// Output:
	// start zone-bad
	// wait no-capacity
}

// loadBalancer makes one in two zones that is enabled for zonal shift.
func loadBalancer(ctx context.Context) (cloud *awstest.Cloud, arn string, err error) {
	cloud, err = awstest.New([]awstest.Service{
		elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately }), arczonalshiftsvc.New(),
	})
	if err != nil {
		return nil, "", err
	}
	client := elbv2.NewFromConfig(cloud.Config("us-east-1"))
	out, err := client.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: []string{"subnet-00000000000000001", "subnet-00000000000000002"},
	})
	if err != nil {
		return nil, "", err
	}
	arn = *out.LoadBalancers[0].LoadBalancerArn
	_, err = client.ModifyLoadBalancerAttributes(ctx, &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &arn, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("zonal_shift.config.enabled"), Value: aws.String("true")}},
	})
	return cloud, arn, err
}

// oneBadZone is a pool with two targets in each of two zones, of which those of us-east-1a are unhealthy.
func oneBadZone(ctx context.Context) (*healthcheck.Pool, error) {
	pool, err := healthcheck.New(healthcheck.Func(func(_ context.Context, t healthcheck.Target) error {
		if t.Zone == "us-east-1a" {
			return errors.New("slow")
		}
		return nil
	}), func(o *healthcheck.Options) { o.Interval, o.Timeout = 20*time.Millisecond, 10*time.Millisecond })
	if err != nil {
		return nil, err
	}
	for _, t := range []healthcheck.Target{{ID: "i-1", Zone: "us-east-1a"}, {ID: "i-2", Zone: "us-east-1a"}, {ID: "i-3", Zone: "us-east-1b"}, {ID: "i-4", Zone: "us-east-1b"}} {
		if err := pool.Register(t); err != nil {
			return nil, err
		}
	}
	go func() { _ = pool.Run(ctx) }()
	err = pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Initial) == 0 })
	return pool, err
}
