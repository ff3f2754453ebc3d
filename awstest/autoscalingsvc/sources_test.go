package autoscalingsvc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// sourceState returns the state of a target group as both operations show it;
// what only one shows is "absent" in the other.
func (w *world) sourceState(arn string) (asTargetGroup, asTrafficSource string) {
	w.Helper()
	asTargetGroup, asTrafficSource = "absent", "absent"
	for _, s := range svctest.Must(w.DescribeLoadBalancerTargetGroups(w.Context(), &autoscaling.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: new("g")}))(w).LoadBalancerTargetGroups {
		if *s.LoadBalancerTargetGroupARN == arn {
			asTargetGroup = *s.State
		}
	}
	for _, s := range svctest.Must(w.DescribeTrafficSources(w.Context(), &autoscaling.DescribeTrafficSourcesInput{AutoScalingGroupName: new("g")}))(w).TrafficSources {
		if *s.Identifier == arn {
			asTrafficSource = *s.State
		}
	}
	return asTargetGroup, asTrafficSource
}

func (w *world) wantSource(arn, asTargetGroup, asTrafficSource string) {
	w.Helper()
	if a, b := w.sourceState(arn); a != asTargetGroup || b != asTrafficSource {
		w.Errorf("the target group is %s, as a traffic source %s; want %s and %s", a, b, asTargetGroup, asTrafficSource)
	}
}

func TestTargetGroupsComeAndGo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		tg := w.front("web")
		attach := func(arns ...string) error {
			_, err := w.AttachLoadBalancerTargetGroups(w.Context(), &autoscaling.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: new("g"), TargetGroupARNs: arns})
			return err
		}
		detach := func(arns ...string) error {
			_, err := w.DetachLoadBalancerTargetGroups(w.Context(), &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: new("g"), TargetGroupARNs: arns})
			return err
		}
		id := w.group("g", 0, 2, 1, func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckType = new("ELB") })[0]
		svctest.WantCode(t, attach(tg+"0"), "ValidationError")
		svctest.WantCode(t, detach(tg), "ValidationError")
		if err := attach(tg); err != nil {
			t.Fatal(err)
		}
		w.wantSource(tg, "Adding", "Adding")
		time.Sleep(10 * time.Second)
		w.wantSource(tg, "Added", "Added")
		// Nothing passes a health check, so that nothing is replaced either.
		time.Sleep(10 * time.Minute)
		w.wantSource(tg, "Added", "Added")
		w.wantState(id, "InService")
		if s := w.target(tg, id); s != "unhealthy" {
			t.Errorf("it is %s", s)
		}
		w.serve(&answers{}, id)
		time.Sleep(2 * time.Minute)
		w.wantSource(tg, "InService", "InService")
		if err := attach(tg); err != nil { // again
			t.Error(err)
		}
		w.wantSource(tg, "InService", "InService")
		if err := detach(tg); err != nil {
			t.Fatal(err)
		}
		w.wantSource(tg, "Removing", "Removing")
		if s := w.target(tg, id); s != "draining" {
			t.Errorf("it is %s", s)
		}
		time.Sleep(2 * time.Minute)
		w.wantSource(tg, "absent", "absent")
		w.wantState(id, "InService")
	})
}

func TestTrafficSources(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		tg := w.front("web")
		source := []types.TrafficSourceIdentifier{{Identifier: &tg, Type: new("elbv2")}}
		w.group("g", 0, 2, 1)
		svctest.Must(w.AttachTrafficSources(w.Context(), &autoscaling.AttachTrafficSourcesInput{AutoScalingGroupName: new("g"), TrafficSources: source}))(t)
		time.Sleep(10 * time.Second)
		w.wantSource(tg, "absent", "Added") // the older operations do not know it
		if s := w.target(tg, w.only()); s != "initial" {
			t.Errorf("the instance is %s", s)
		}
		_, err := w.DetachLoadBalancerTargetGroups(w.Context(), &autoscaling.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: new("g"), TargetGroupARNs: []string{tg}})
		svctest.WantCode(t, err, "ValidationError")
		svctest.Must(w.DetachTrafficSources(w.Context(), &autoscaling.DetachTrafficSourcesInput{AutoScalingGroupName: new("g"), TrafficSources: source}))(t)
		time.Sleep(2 * time.Minute)
		w.wantSource(tg, "absent", "absent")
		none := svctest.Must(w.DescribeTrafficSources(w.Context(), &autoscaling.DescribeTrafficSourcesInput{AutoScalingGroupName: new("g"), TrafficSourceType: new("elb")}))(t)
		if len(none.TrafficSources) != 0 {
			t.Errorf("%v", none.TrafficSources)
		}
	})
}

func TestAddToLoadBalancerIsSuspended(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		tg := w.front("web")
		w.group("g", 0, 2, 0, behind(tg), grace(6000))
		w.suspend("g", "AddToLoadBalancer")
		w.setDesired("g", 1)
		time.Sleep(time.Minute)
		first := w.only()
		w.wantState(first, "InService")
		w.resume("g", "AddToLoadBalancer")
		w.setDesired("g", 2)
		time.Sleep(time.Minute)
		for _, id := range w.inService("g") {
			// What was launched meanwhile is not added later.
			if registered := w.target(tg, id) != "unused"; registered != (id != first) {
				t.Errorf("%s is registered: %v", id, registered)
			}
		}
		// A target group that is attached meanwhile has to wait.
		other := w.front("other")
		w.suspend("g", "AddToLoadBalancer")
		svctest.Must(w.AttachLoadBalancerTargetGroups(w.Context(), &autoscaling.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: new("g"), TargetGroupARNs: []string{other}}))(t)
		time.Sleep(time.Minute)
		w.wantSource(other, "Adding", "Adding")
		w.resume("g", "AddToLoadBalancer")
		time.Sleep(time.Minute)
		w.wantSource(other, "Added", "Added")
	})
}

func TestTargetGroupsOfAddressesAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var arn string
		w.inELB(func(tx *awstest.Tx, r *elbmodel.Region) {
			g, err := r.CreateGroup(tx, elbmodel.GroupSpec{Name: "ip", Protocol: "TCP", Port: 80, TargetType: elbmodel.Addresses, VPC: "vpc-00000000000000001", Check: elbmodel.DefaultCheck("TCP", "")})
			if err != nil {
				t.Fatal(err)
			}
			arn = g.ARN
		})
		_, err := w.CreateAutoScalingGroup(w.Context(), w.input("g", 0, 1, 0, behind(arn)))
		svctest.WantCode(t, err, "ValidationError")
	})
}
