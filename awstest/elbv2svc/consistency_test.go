package elbv2svc_test

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/awsha/awsha/awstest"
)

// abroad returns an instance of another region.
func (w *world) abroad() (i *awstest.Instance) {
	region := must(w.cloud.Region("eu-west-1"))(w)
	w.cloud.Update(func(tx *awstest.Tx) {
		i = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: region.Zones()[0]})
		tx.Route(region, netip.MustParseAddr("172.31.0.10"), i)
		tx.PowerOn(i)
	})
	return i
}

func TestReadsLagBehind(t *testing.T) {
	t.Parallel()
	const lag = 30 * time.Second
	inBubble(t, func(w *world) {
		group, b := w.front()
		_, err := w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})
		wantCode(w, err, "TargetGroupNotFound")
		_, err = w.DescribeTargetGroups(w.Context(), &elbv2.DescribeTargetGroupsInput{Names: []string{"web"}})
		wantCode(w, err, "TargetGroupNotFound")
		_, err = w.DescribeTargetGroupAttributes(w.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &group})
		wantCode(w, err, "TargetGroupNotFound")
		_, err = w.DescribeLoadBalancers(w.Context(), &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{*b.LoadBalancerArn}})
		wantCode(w, err, "LoadBalancerNotFound")
		_, err = w.DescribeListeners(w.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
		wantCode(w, err, "LoadBalancerNotFound")
		if again := w.group("web"); again != group { // changes look at the present
			w.Errorf("%s was made twice", again)
		}
		time.Sleep(lag)
		if out := must(w.DescribeTargetGroups(w.Context(), nil))(w); out.TargetGroups[0].LoadBalancerArns[0] != *b.LoadBalancerArn {
			w.Error("the group is not in use")
		}

		web := answering(200)
		id := w.machine(0, "172.31.0.10", web).ID()
		w.register(group, id)
		w.expect(group, id, isAbsent)
		time.Sleep(lag)
		w.expect(group, id, isRegistering) // healthy since long
		time.Sleep(6 * time.Second)
		w.expect(group, id, isHealthy)
		wantCode(w, w.delay(group, "0"), "")
		w.deregister(group, id)
		w.expect(group, id, isHealthy)
		time.Sleep(lag)
		w.expect(group, id, isAbsent)

		must(w.DeleteLoadBalancer(w.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: b.LoadBalancerArn}))(w)
		must(w.DescribeLoadBalancers(w.Context(), &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{*b.LoadBalancerArn}}))(w)
		must(w.DescribeListeners(w.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn}))(w)
		must(w.DeleteTargetGroup(w.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: &group}))(w)
		w.expect(group, id, isAbsent)
	}, func(o *awstest.Options) { o.VisibilityLag = lag })
}

func TestRegionsAreIsolated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, b := w.front()
		abroad := elbv2.NewFromConfig(w.cloud.Config("eu-west-1"))
		_, err := abroad.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})
		wantCode(w, err, "TargetGroupNotFound")
		if out := must(abroad.DescribeLoadBalancers(w.Context(), nil))(w); len(out.LoadBalancers) > 0 {
			w.Errorf("%v", out.LoadBalancers)
		}
		_, err = abroad.CreateLoadBalancer(w.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("front"), Subnets: w.subnets[:2]})
		wantCode(w, err, "SubnetNotFound")
		must(abroad.DeleteLoadBalancer(w.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: b.LoadBalancerArn}))(w)
		must(w.DescribeLoadBalancers(w.Context(), &elbv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{*b.LoadBalancerArn}}))(w)

		// The same private address in two regions is two machines.
		byIP := w.group("by-address", byAddress)
		w.abroad()
		w.register(byIP, "172.31.0.10")
		w.listen(*b.LoadBalancerArn, byIP, 81)
		w.until(byIP, "172.31.0.10", timesOut)
	})
}

func TestHundredClients(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, b := w.front()
		a, other := w.machine(0, "172.31.0.10", answering(200)), w.machine(1, "172.31.16.10", answering(500))
		var wg sync.WaitGroup
		for n := range 100 {
			wg.Go(func() {
				ctx, client := w.Context(), elbv2.NewFromConfig(w.cloud.Config("us-east-1"))
				name := []string{"one", "two", "three", "four"}[n%4]
				out, err := client.CreateTargetGroup(ctx, w.groupInput(name))
				wantCode(w, err, "")
				list := targets(a.ID(), other.ID())
				_, err = client.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: list})
				wantCode(w, err, "")
				_, err = client.CreateListener(ctx, listener(*b.LoadBalancerArn, *out.TargetGroups[0].TargetGroupArn, int32(81+n%4)))
				wantCode(w, err, "")
				_, err = client.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})
				wantCode(w, err, "")
				time.Sleep(time.Duration(n) * time.Second)
				w.ask(1, *b.DNSName)
				_, err = client.ModifyTargetGroup(ctx, &elbv2.ModifyTargetGroupInput{TargetGroupArn: &group, HealthyThresholdCount: aws.Int32(int32(2 + n%9))})
				wantCode(w, err, "")
				_, err = client.DeregisterTargets(ctx, &elbv2.DeregisterTargetsInput{TargetGroupArn: &group, Targets: list[n%2 : n%2+1]})
				wantCode(w, err, "")
				_, err = client.DescribeLoadBalancers(ctx, nil)
				wantCode(w, err, "")
			})
		}
		wg.Wait()
		if n := len(must(w.DescribeTargetGroups(w.Context(), nil))(w).TargetGroups); n != 5 {
			w.Errorf("%d groups, want 5", n)
		}
		time.Sleep(time.Hour)
		if out := must(w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group}))(w); len(out.TargetHealthDescriptions) > 0 {
			w.Errorf("left: %v", out.TargetHealthDescriptions)
		}
	})
}
