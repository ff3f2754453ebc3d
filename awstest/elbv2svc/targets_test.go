package elbv2svc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
)

func TestUnusedTargets(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front() // zones 0 and 1
		web := answering(200)
		elsewhere := w.machine(2, "172.31.32.10", web)
		off := w.machine(0, "172.31.0.10", answering(200))
		gone := w.machine(0, "172.31.0.11", answering(200))
		w.register(group, elsewhere.ID(), off.ID(), gone.ID())
		w.until(group, off.ID(), isHealthy)
		w.power(off, false)
		w.cloud.Update(func(tx *awstest.Tx) { tx.Remove(gone) })
		w.expect(group, off.ID(), isOff)
		w.expect(group, gone.ID(), isOff)
		w.expect(group, elsewhere.ID(), isNotInUse)
		w.expect(group, "i-0000000000000ffff", isAbsent)
		time.Sleep(time.Minute)
		w.expect(group, off.ID(), isOff)
		w.expect(group, elsewhere.ID(), isNotInUse)
		if n := web.asked.Load(); n != 0 {
			w.Errorf("%d checks in a zone that is not enabled", n)
		}
		// One that comes back is checked as a new target is.
		w.power(off, true)
		if took := w.until(group, off.ID(), isHealthy); took > 11*time.Second {
			w.Errorf("healthy after %v", took)
		}
	})
}

func TestGroupWithoutListenerIsNotChecked(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group := w.group("lonely")
		web := answering(200)
		id := w.machine(0, "172.31.0.10", web).ID()
		w.register(group, id)
		time.Sleep(time.Minute)
		w.expect(group, id, isNotInUse)
		if n := web.asked.Load(); n != 0 {
			w.Errorf("%d checks", n)
		}
		w.deregister(group, id) // nothing to drain
		w.expect(group, id, isAbsent)
	})
}

func TestListenerComesAndGoes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, b := w.front()
		web := answering(200)
		id, drained := w.machine(0, "172.31.0.10", web).ID(), w.machine(1, "172.31.16.10", answering(200)).ID()
		w.register(group, id, drained)
		w.until(group, id, isHealthy)
		first := *must(w.DescribeListeners(w.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn}))(w).Listeners[0].ListenerArn

		// A second listener changes nothing for the targets.
		second := w.listen(*b.LoadBalancerArn, group, 8080)
		w.expect(group, id, isHealthy)
		asked := web.asked.Load()
		time.Sleep(100 * time.Second)
		if n := web.asked.Load() - asked; n != 10 {
			w.Errorf("%d checks in ten intervals", n)
		}
		must(w.DeleteListener(w.Context(), &elbv2.DeleteListenerInput{ListenerArn: &first}))(w)
		w.expect(group, id, isHealthy)

		// Without the last one they are not in use; those that drain go on.
		w.deregister(group, drained)
		must(w.DeleteListener(w.Context(), &elbv2.DeleteListenerInput{ListenerArn: &second}))(w)
		w.expect(group, id, isNotInUse)
		asked = web.asked.Load()
		time.Sleep(5 * time.Second)
		w.listen(*b.LoadBalancerArn, group, 80)
		w.expect(group, id, isRegistering)
		w.expect(group, drained, isDraining)
		time.Sleep(5*time.Second + 95*time.Second)
		w.expect(group, id, isHealthy)
		if n := web.asked.Load() - asked; n != 10 { // and not twice as often
			w.Errorf("%d checks in ten intervals", n)
		}
		w.expect(group, drained, isDraining)
		time.Sleep(200 * time.Second)
		w.expect(group, drained, isAbsent)
	})
}

func TestDeregisteredTargetDrains(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front()
		web := answering(200)
		id := w.machine(0, "172.31.0.10", web).ID()
		w.register(group, id)
		w.until(group, id, isHealthy)
		wantCode(w, w.delay(group, "60"), "")
		w.deregister(group, id, "i-absent")
		asked := web.asked.Load()
		w.expect(group, id, isDraining)
		wantCode(w, w.delay(group, "5"), "") // not for those that drain
		time.Sleep(59 * time.Second)
		w.expect(group, id, isDraining)
		w.deregister(group, id) // not once more
		time.Sleep(time.Second)
		w.expect(group, id, isAbsent)
		if web.asked.Load() != asked {
			w.Error("a draining target is checked")
		}

		wantCode(w, w.delay(group, "0"), "")
		w.register(group, id)
		w.deregister(group, id)
		w.expect(group, id, isAbsent)
	})
}

func TestRegistrationWhileDraining(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, _ := w.front()
		id := w.machine(0, "172.31.0.10", answering(200)).ID()
		w.register(group, id)
		w.until(group, id, isHealthy)
		w.register(group, id) // a repeat changes nothing
		w.expect(group, id, isHealthy)
		w.deregister(group, id)
		time.Sleep(time.Minute)
		w.register(group, id)
		w.expect(group, id, isRegistering)
		w.until(group, id, isHealthy)
		time.Sleep(10 * time.Minute) // the old drain does not end it
		w.expect(group, id, isHealthy)
	})
}

func TestTargetsByAddress(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, b := w.front(byAddress)
		w.machine(0, "172.31.0.10", named("inside"))
		stopped := w.machine(1, "172.31.16.10", named("stopped"))
		w.register(group, "172.31.0.10", "172.31.16.10", "172.31.0.99")
		must(w.RegisterTargets(w.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{
			{Id: aws.String("10.1.2.3"), AvailabilityZone: aws.String("all")}, {Id: aws.String("100.64.0.1"), AvailabilityZone: aws.String("us-east-1a")},
		}}))(w)
		w.power(stopped, false)
		time.Sleep(30 * time.Second)
		w.expect(group, "172.31.0.10", isHealthy)
		w.expect(group, "172.31.16.10", timesOut) // an address knows of no instance
		w.expect(group, "172.31.0.99", timesOut)
		w.expect(group, "10.1.2.3", timesOut)
		w.expect(group, "100.64.0.1", timesOut)
		if diff := cmp.Diff(map[string]int{"inside": 3}, w.ask(3, *b.DNSName)); diff != "" {
			w.Error(diff)
		}
	})
}

func TestTargetRefusals(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, addresses := w.group("by-instance"), w.group("by-address", byAddress)
		off, ours := w.machine(0, "172.31.0.10", nil), w.machine(0, "172.31.0.11", nil)
		w.power(off, false)
		abroad := w.abroad()
		for name, c := range map[string]struct {
			group   string
			targets []types.TargetDescription
			code    string
		}{
			"instance is off":           {group, targets(off.ID()), "InvalidTarget"},
			"no such instance":          {group, targets("i-none"), "InvalidTarget"},
			"instance of another place": {group, targets(abroad.ID()), "InvalidTarget"},
			"one of two is unknown":     {group, targets(ours.ID(), "i-none"), "InvalidTarget"},
			"no target":                 {group, []types.TargetDescription{}, "ValidationError"},
			"port 0":                    {group, []types.TargetDescription{{Id: aws.String(ours.ID()), Port: aws.Int32(0)}}, "ValidationError"},
			"port 65536":                {group, []types.TargetDescription{{Id: aws.String(ours.ID()), Port: aws.Int32(65536)}}, "ValidationError"},
			"zone of an instance":       {group, []types.TargetDescription{{Id: aws.String(ours.ID()), AvailabilityZone: aws.String("all")}}, "ValidationError"},
			"not an address":            {addresses, targets("i-1"), "ValidationError"},
			"IPv6":                      {addresses, targets("fd00::1"), "ValidationError"},
			"public address":            {addresses, targets("8.8.8.8"), "ValidationError"},
			"outside without a zone":    {addresses, targets("10.0.0.1"), "ValidationError"},
			"zone that is none":         {addresses, []types.TargetDescription{{Id: aws.String("10.0.0.1"), AvailabilityZone: aws.String("eu-west-1a")}}, "ValidationError"},
			"no such group":             {missing(group), targets(ours.ID()), "TargetGroupNotFound"},
			"no group ARN":              {"web", targets(ours.ID()), "ValidationError"},
		} {
			_, err := w.RegisterTargets(w.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &c.group, Targets: c.targets})
			if wantCode(w, err, c.code); w.Failed() {
				w.Fatal(name)
			}
			wantStatus(w, err, 400)
		}
		for _, g := range []string{group, addresses} {
			if out := must(w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &g}))(w); len(out.TargetHealthDescriptions) > 0 {
				w.Errorf("a refused request has registered %v", out.TargetHealthDescriptions)
			}
		}
		for _, c := range []struct{ group, code string }{{missing(group), "TargetGroupNotFound"}, {"web", "ValidationError"}} {
			_, err := w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &c.group})
			wantCode(w, err, c.code)
			_, err = w.DeregisterTargets(w.Context(), &elbv2.DeregisterTargetsInput{TargetGroupArn: &c.group, Targets: targets(ours.ID())})
			wantCode(w, err, c.code)
		}
		_, err := w.DeregisterTargets(w.Context(), &elbv2.DeregisterTargetsInput{TargetGroupArn: &group, Targets: []types.TargetDescription{}})
		wantCode(w, err, "ValidationError")
		_, err = w.DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group, Targets: []types.TargetDescription{{Id: aws.String("i-1"), Port: aws.Int32(-1)}}})
		wantCode(w, err, "ValidationError")
	})
}
