package elbv2hc_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
)

// A program waits until the load balancer sends traffic to the target that it has just registered.
func ExampleWaitInService() {
	ctx := context.Background()
	cloud, client, group, server := frontEnd()
	defer cloud.Close()

	target := elbv2hc.Target{ID: server, Port: 80}
	err := elbv2hc.WaitInService(ctx, client, group, []elbv2hc.Target{target}, func(o *elbv2hc.WaitOptions) {
		o.RegistrationLag = elbv2hc.None
	})
	fmt.Println("nobody has registered it:", errors.Is(err, elbv2hc.ErrNotRegistered))

	if _, err := client.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{
		TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: &server, Port: aws.Int32(80)}},
	}); err != nil {
		log.Fatal(err)
	}
	err = elbv2hc.WaitInService(ctx, client, group, []elbv2hc.Target{target}, func(o *elbv2hc.WaitOptions) {
		o.Timeout, o.PollInterval = time.Minute, 10*time.Millisecond
	})
	fmt.Println("in service:", err == nil)
	// Output:
	// nobody has registered it: true
	// in service: true
}

// A program waits until a target has drained before it stops it.
func ExampleWaitDrained() {
	ctx := context.Background()
	cloud, client, group, server := frontEnd()
	defer cloud.Close()

	targets := []types.TargetDescription{{Id: &server, Port: aws.Int32(80)}}
	if _, err := client.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: targets}); err != nil {
		log.Fatal(err)
	}
	if _, err := client.DeregisterTargets(ctx, &elbv2.DeregisterTargetsInput{TargetGroupArn: &group, Targets: targets}); err != nil {
		log.Fatal(err)
	}
	err := elbv2hc.WaitDrained(ctx, client, group, []elbv2hc.Target{{ID: server, Port: 80}}, func(o *elbv2hc.WaitOptions) {
		o.PollInterval, o.Timeout = 10*time.Millisecond, 50*time.Millisecond // the group's delay is 300 s
	})
	fmt.Println(errors.Is(err, elbv2hc.ErrTimeout))
	var in *elbv2hc.GroupError
	if errors.As(err, &in) {
		fmt.Println(in.Targets[0].State, in.Targets[0].Reason)
	}
	// Output:
	// true
	// draining Target.DeregistrationInProgress
}

// A pool believes what the load balancer says of its targets.
func ExampleFollow() {
	cloud, client, group, server := frontEnd()
	defer cloud.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	defer func() { cancel(); <-ended; <-ended }()

	if _, err := client.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{
		TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: &server, Port: aws.Int32(80)}},
	}); err != nil {
		log.Fatal(err)
	}
	follower, err := elbv2hc.Follow(client, group, func(o *elbv2hc.FollowOptions) { o.Interval = 100 * time.Millisecond })
	if err != nil {
		log.Fatal(err)
	}
	pool, err := healthcheck.New(follower, follower.Options)
	if err != nil {
		log.Fatal(err)
	}
	if err := pool.Register(healthcheck.Target{ID: server, Zone: "use1-az2", Addr: "172.31.0.10:80"}); err != nil {
		log.Fatal(err)
	}
	go func() { ended <- follower.Run(ctx) }()
	go func() { ended <- pool.Run(ctx) }()

	err = pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 1 })
	fmt.Println("healthy:", err == nil)
	// Output: healthy: true
}

// A pool checks as a target group is checked.
func ExampleImport() {
	ctx := context.Background()
	cloud, client, arn, server := frontEnd()
	defer cloud.Close()

	group, err := elbv2hc.Import(ctx, client, arn)
	if err != nil {
		log.Fatal(err)
	}
	checker, err := group.Checker()
	if err != nil {
		log.Fatal(err)
	}
	pool, err := healthcheck.New(checker, group.Options)
	if err != nil {
		log.Fatal(err)
	}
	if err := pool.Register(group.Target(healthcheck.Target{ID: server, Addr: "172.31.0.10:80"})); err != nil {
		log.Fatal(err)
	}
	fmt.Println(group.Check.Protocol, group.Check.Path, group.Check.Matcher)
	fmt.Println(group.Settings.Interval, group.Settings.Timeout, group.Settings.DeregistrationDelay)
	fmt.Println("finds a dead target within", group.Settings.DetectionBound())
	for _, d := range group.Differences {
		fmt.Println(d)
	}
	// Output:
	// HTTP / 200
	// 30s 5s 5m0s
	// finds a dead target within 1m5.01s
}

// What is registered becomes what is wanted, and never less than half of it at once.
func ExampleNewSyncer() {
	ctx := context.Background()
	cloud, client, group, server := frontEnd()
	defer cloud.Close()

	syncer, err := elbv2hc.NewSyncer(client, group, func(o *elbv2hc.SyncOptions) { o.Port = 80 })
	if err != nil {
		log.Fatal(err)
	}
	result, err := syncer.Sync(ctx, []elbv2hc.Target{{ID: server}})
	fmt.Println(len(result.Registered), "registered, error:", err)

	_, err = syncer.Sync(ctx, nil) // discovery has lost its memory
	fmt.Println(errors.Is(err, elbv2hc.ErrTooMany))
	// Output:
	// 1 registered, error: <nil>
	// true
}

// frontEnd is a cloud with a load balancer before a target group, and a server that is not registered yet.
func frontEnd() (cloud *awstest.Cloud, client *elbv2.Client, group, server string) {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{elbv2svc.New(func(o *elbv2svc.Options) {
		o.Provisioning, o.Registration = elbv2svc.Immediately, elbv2svc.Immediately
	})})
	if err != nil {
		log.Fatal(err)
	}
	zone, err := cloud.Zone("use1-az2") // which is us-east-1a
	if err != nil {
		log.Fatal(err)
	}
	cloud.Update(func(tx *awstest.Tx) {
		instance := tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.Route(zone.Region(), netip.MustParseAddr("172.31.0.10"), instance)
		tx.PowerOn(instance)
		server = instance.ID()
	})
	instance, _ := cloud.Instance(server)
	if _, err := instance.Serve(80, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})); err != nil {
		log.Fatal(err)
	}
	client = elbv2.NewFromConfig(cloud.Config("us-east-1"))
	groups, err := client.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(vpc),
	})
	if err != nil {
		log.Fatal(err)
	}
	group = *groups.TargetGroups[0].TargetGroupArn
	balancers, err := client.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{fmt.Sprintf(subnet, 1), fmt.Sprintf(subnet, 2)},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: balancers.LoadBalancers[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80),
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}},
	}); err != nil {
		log.Fatal(err)
	}
	return cloud, client, group, server
}
