package elbv2svc_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// set changes an attribute of a load balancer.
func (w *world) set(balancer, key, value string) error {
	_, err := w.ModifyLoadBalancerAttributes(w.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &balancer, Attributes: []types.LoadBalancerAttribute{{Key: &key, Value: &value}},
	})
	return err
}

// shiftable allows zonal shift to a load balancer.
func (w *world) shiftable(balancer string) {
	w.Helper()
	if err := w.set(balancer, "zonal_shift.config.enabled", "true"); err != nil {
		w.Fatal(err)
	}
}

func (w *world) zonal(fn func(*awstest.Tx, *zonalshiftmodel.Region)) {
	w.Helper()
	w.cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[zonalshiftmodel.Model](tx)
		if !ok {
			w.Fatal("there is no zonal shift")
		}
		fn(tx, m.Region(w.region))
	})
}

// shift moves a load balancer out of a zone for an hour, or is refused.
func (w *world) shift(balancer string, z *awstest.Zone) (cancel func(), err error) {
	w.Helper()
	var id string
	w.zonal(func(tx *awstest.Tx, r *zonalshiftmodel.Region) {
		var s zonalshiftmodel.Shift
		s, err = r.Start(tx, balancer, z.ID(), "1h", "a drill")
		id = s.ID
	})
	return func() {
		w.zonal(func(tx *awstest.Tx, r *zonalshiftmodel.Region) {
			if _, err := r.Cancel(tx, id); err != nil {
				w.Fatal(err)
			}
		})
	}, err
}

// wantModelCode holds an error of zonal shift, which is asked without its
// client, against a code.
func wantModelCode(t testing.TB, err error, want string) {
	t.Helper()
	if e, ok := errors.AsType[*awstest.APIError](err); !ok || e.Code != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// managed lists what can be shifted, with its zones.
func (w *world) managed() (told string) {
	w.zonal(func(tx *awstest.Tx, r *zonalshiftmodel.Region) {
		for _, res := range r.Resources(tx) {
			told += res.Name
			for _, z := range res.Zones {
				told += " " + z.ID()
			}
		}
	})
	return told
}

// override tells what stands beside the health of a target.
func (w *world) override(group, id string) string {
	w.Helper()
	o := w.health(group, id).AdministrativeOverride
	if o == nil {
		return ""
	}
	return fmt.Sprintf("%s %s", o.State, o.Reason)
}

const (
	noOverride = "no_override AdministrativeOverride.NoOverride"
	isShifted  = "zonal_shift_active AdministrativeOverride.ZonalShiftActive"
)

func TestZonalShift(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*elbv2.CreateTargetGroupInput){
		"application, cross-zone":          func(*elbv2.CreateTargetGroupInput) {},
		"network, without cross-zone":      overTCP,
		"targets are addresses":            byAddress,
		"addresses, without cross-zone":    func(in *elbv2.CreateTargetGroupInput) { overTCP(in); byAddress(in) },
		"a fixed port of the health check": func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckPort = aws.String("80") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				group, lb := w.front(change)
				w.shiftable(*lb.LoadBalancerArn)
				machines := map[string]*awstest.Instance{
					"172.31.0.10": w.machine(0, "172.31.0.10", named("a")), "172.31.16.10": w.machine(1, "172.31.16.10", named("b")),
				}
				in := w.groupInput("web", change)
				var ids []string
				for _, addr := range []string{"172.31.0.10", "172.31.16.10"} {
					id := machines[addr].ID()
					if in.TargetType == types.TargetTypeEnumIp {
						id = addr
					}
					ids = append(ids, id)
				}
				w.register(group, ids...)
				for _, id := range ids {
					w.until(group, id, isHealthy)
				}
				expect := func(when string, traffic map[string]int, overrides ...string) {
					w.Helper()
					n := 0
					for _, count := range traffic {
						n += count
					}
					if diff := cmp.Diff(traffic, w.ask(n, *lb.DNSName)); diff != "" {
						w.Errorf("%s, traffic (-want +got):\n%s", when, diff)
					}
					if diff := cmp.Diff(overrides, []string{w.override(group, ids[0]), w.override(group, ids[1])}); diff != "" {
						w.Errorf("%s, overrides (-want +got):\n%s", when, diff)
					}
				}
				expect("before", map[string]int{"a": 4, "b": 4}, noOverride, noOverride)
				cancel, err := w.shift(*lb.LoadBalancerArn, w.region.Zones()[0])
				if err != nil {
					w.Fatal(err)
				}
				expect("shifted", map[string]int{"b": 8}, isShifted, noOverride)
				w.expect(group, ids[0], isHealthy) // the shift is no state of health

				heal := machines["172.31.16.10"].Fail(awstest.PowerLoss)
				time.Sleep(25 * time.Second)
				expect("no other zone is healthy: no effect", map[string]int{"a": 4}, isShifted, noOverride)
				heal()
				w.until(group, ids[1], isHealthy)
				expect("it is again", map[string]int{"b": 4}, isShifted, noOverride)

				cancel()
				expect("cancelled", map[string]int{"a": 4, "b": 4}, noOverride, noOverride)
			})
		})
	}
}

// A shift that AWS starts holds for a load balancer that is made, or enabled,
// while it is under way.
func TestAutoshiftUnderWay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, lb := w.front()
		a, b := w.machine(0, "172.31.0.10", named("a")), w.machine(1, "172.31.16.10", named("b"))
		w.register(group, a.ID(), b.ID())
		w.until(group, a.ID(), isHealthy)
		w.until(group, b.ID(), isHealthy)
		var end func(*awstest.Tx)
		w.zonal(func(tx *awstest.Tx, r *zonalshiftmodel.Region) { end = r.StartAutoshift(tx, w.region.Zones()[0]) })
		if diff := cmp.Diff(map[string]int{"a": 2, "b": 2}, w.ask(4, *lb.DNSName)); diff != "" {
			w.Errorf("not enabled (-want +got):\n%s", diff)
		}
		w.shiftable(*lb.LoadBalancerArn)
		if diff := cmp.Diff(map[string]int{"b": 4}, w.ask(4, *lb.DNSName)); diff != "" {
			w.Errorf("enabled (-want +got):\n%s", diff)
		}
		if err := w.set(*lb.LoadBalancerArn, "zonal_shift.config.enabled", "false"); err != nil {
			w.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"a": 2, "b": 2}, w.ask(4, *lb.DNSName)); diff != "" {
			w.Errorf("disabled (-want +got):\n%s", diff)
		}
		w.shiftable(*lb.LoadBalancerArn)
		w.cloud.Update(end)
		if diff := cmp.Diff(map[string]int{"a": 2, "b": 2}, w.ask(4, *lb.DNSName)); diff != "" {
			w.Errorf("ended (-want +got):\n%s", diff)
		}
	})
}

func TestManagedLoadBalancers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorldWith(t, func(o *elbv2svc.Options) { o.Provisioning = time.Minute })
		defer w.close()
		lb := w.balancer("front", types.LoadBalancerTypeEnumApplication)
		arn := *lb.LoadBalancerArn
		zone := w.region.Zones()[0]
		want := func(when, want string) {
			w.Helper()
			if got := w.managed(); got != want {
				w.Errorf("%s: %q can be shifted, want %q", when, got, want)
			}
		}
		w.shiftable(arn)
		want("provisioning", "")
		_, err := w.shift(arn, zone)
		wantModelCode(w, err, "ResourceNotFoundException")
		time.Sleep(time.Minute)
		want("active", "front use1-az2 use1-az3")
		_, err = w.shift(arn, w.region.Zones()[2]) // without a node there
		wantModelCode(w, err, "ValidationException")
		if err := w.set(arn, "zonal_shift.config.enabled", "false"); err != nil {
			w.Error(err)
		}
		want("disabled", "")
		w.shiftable(arn)
		must(w.DeleteLoadBalancer(w.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &arn}))(w)
		want("deleted", "")
	})
}

func TestLoadBalancerAttributes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, c := range []struct {
			kind types.LoadBalancerTypeEnum
			want map[string]string
		}{
			{types.LoadBalancerTypeEnumApplication, map[string]string{"load_balancing.cross_zone.enabled": "true", "zonal_shift.config.enabled": "false"}},
			{types.LoadBalancerTypeEnumNetwork, map[string]string{"load_balancing.cross_zone.enabled": "false", "zonal_shift.config.enabled": "false"}},
		} {
			lb := w.balancer(string(c.kind), c.kind)
			shown := func() map[string]string {
				got := map[string]string{}
				out := must(w.DescribeLoadBalancerAttributes(w.Context(), &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn}))(w)
				for _, a := range out.Attributes {
					got[*a.Key] = *a.Value
				}
				return got
			}
			if diff := cmp.Diff(c.want, shown()); diff != "" {
				w.Errorf("%s, by default (-want +got):\n%s", c.kind, diff)
			}
			wantCode(w, w.set(*lb.LoadBalancerArn, "zonal_shift.config.enabled", "yes"), "ValidationError")
			w.shiftable(*lb.LoadBalancerArn)
			c.want["zonal_shift.config.enabled"] = "true"
			if c.kind == types.LoadBalancerTypeEnumApplication {
				wantCode(w, w.set(*lb.LoadBalancerArn, "load_balancing.cross_zone.enabled", "false"), "InvalidConfigurationRequest")
			} else {
				wantCode(w, w.set(*lb.LoadBalancerArn, "load_balancing.cross_zone.enabled", "true"), "")
				c.want["load_balancing.cross_zone.enabled"] = "true"
			}
			if diff := cmp.Diff(c.want, shown()); diff != "" {
				w.Errorf("%s, modified (-want +got):\n%s", c.kind, diff)
			}
		}
		gone := "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/gone/1"
		wantCode(w, w.set(gone, "zonal_shift.config.enabled", "true"), "LoadBalancerNotFound")
		_, err := w.DescribeLoadBalancerAttributes(w.Context(), &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &gone})
		wantCode(w, err, "LoadBalancerNotFound")
	})
}

// Overrides are seen as late as health is.
func TestStaleOverride(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		group, lb := w.front()
		a := w.machine(0, "172.31.0.10", named("a"))
		if got := w.override(group, a.ID()); got != noOverride {
			w.Errorf("a target that is not registered: %q", got)
		}
		w.register(group, a.ID())
		w.shiftable(*lb.LoadBalancerArn)
		time.Sleep(time.Minute)
		if _, err := w.shift(*lb.LoadBalancerArn, a.Zone()); err != nil {
			w.Fatal(err)
		}
		heal := must(w.cloud.Inject(awstest.Match{Service: serviceID, Operation: "DescribeTargetHealth"}, awstest.Stale(30*time.Second)))(w)
		if got := w.override(group, a.ID()); got != noOverride {
			w.Errorf("half a minute ago: %q", got)
		}
		heal()
		if got := w.override(group, a.ID()); got != isShifted {
			w.Errorf("now: %q", got)
		}
		unused := w.group("unused")
		w.register(unused, a.ID())
		if got := w.override(unused, a.ID()); got != "" {
			w.Errorf("no load balancer: %q", got)
		}
	})
}
