package elbv2svc_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
)

// The default VPC and its subnets, as ec2svc describes them.
const (
	vpc     = "vpc-00000000000000001"
	subnetA = "subnet-00000000000000001"
	subnetB = "subnet-00000000000000002"
)

// A real client makes a target group; what is not said has AWS's defaults.
func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{elbv2svc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := elbv2.NewFromConfig(cloud.Config("us-east-1"))

	out, err := client.CreateTargetGroup(context.Background(), &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(vpc),
	})
	if err != nil {
		log.Fatal(err)
	}
	g := out.TargetGroups[0]
	fmt.Println(*g.HealthCheckIntervalSeconds, *g.HealthCheckTimeoutSeconds, *g.HealthyThresholdCount, *g.UnhealthyThresholdCount, *g.Matcher.HttpCode)
	// Output: 30 5 5 2 200
}

// A load balancer checks a server, and then sends requests to it.
func Example_traffic() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{elbv2svc.New(func(o *elbv2svc.Options) {
		o.Provisioning, o.Registration = elbv2svc.Immediately, elbv2svc.Immediately
	})})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	server, err := serverIn(cloud, "use1-az2") // which is us-east-1a
	if err != nil {
		log.Fatal(err)
	}

	client := elbv2.NewFromConfig(cloud.Config("us-east-1"))
	groups, err := client.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(vpc),
	})
	if err != nil {
		log.Fatal(err)
	}
	group := groups.TargetGroups[0].TargetGroupArn
	balancers, err := client.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: []string{subnetA, subnetB}})
	if err != nil {
		log.Fatal(err)
	}
	balancer := balancers.LoadBalancers[0]
	if _, err = client.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80),
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: group}},
	}); err != nil {
		log.Fatal(err)
	}
	if _, err = client.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: group, Targets: []types.TargetDescription{{Id: &server}}}); err != nil {
		log.Fatal(err)
	}
	for state := types.TargetHealthStateEnumInitial; state != types.TargetHealthStateEnumHealthy; {
		out, err := client.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: group})
		if err != nil {
			log.Fatal(err)
		}
		state = out.TargetHealthDescriptions[0].TargetHealth.State
	}

	transport := cloud.Transport()
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: time.Second}).Get("http://" + *balancer.DNSName + "/")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(body))
	// Output: 200 hello
}

// serverIn starts a server without EC2; with it, RunInstances does that.
func serverIn(cloud *awstest.Cloud, zoneID string) (id string, err error) {
	zone, err := cloud.Zone(zoneID)
	if err != nil {
		return "", err
	}
	var inst *awstest.Instance
	cloud.Update(func(tx *awstest.Tx) {
		inst = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.Route(zone.Region(), netip.MustParseAddr("172.31.0.10"), inst)
		tx.PowerOn(inst)
	})
	_, err = inst.Serve(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	return inst.ID(), err
}
