package arcstep_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/arcstep"
	"github.com/awsha/awsha/failover/internal/steptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func services() []awstest.Service {
	return []awstest.Service{
		ec2svc.New(), elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately }), arczonalshiftsvc.New(),
	}
}

const (
	zone  = "use1-az2"
	other = "use1-az3"
)

// balancer is a load balancer in two zones that can be shifted.
type balancer struct{ arn string }

func admin(w *steptest.World) *arczonalshift.Client { return arczonalshift.NewFromConfig(w.Admin) }

func (b *balancer) prepare(w *steptest.World) {
	w.Helper()
	subnets, err := ec2.NewFromConfig(w.Admin).DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{})
	if err != nil {
		w.Fatal(err)
	}
	api := elbv2.NewFromConfig(w.Admin)
	out, err := api.CreateLoadBalancer(w.Context(), &elbv2.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{*subnets.Subnets[0].SubnetId, *subnets.Subnets[1].SubnetId},
	})
	if err != nil {
		w.Fatal(err)
	}
	b.arn = *out.LoadBalancers[0].LoadBalancerArn
	b.enable(w, "true")
}

func (b *balancer) enable(w *steptest.World, value string) {
	w.Helper()
	if _, err := elbv2.NewFromConfig(w.Admin).ModifyLoadBalancerAttributes(w.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: &b.arn, Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String("zonal_shift.config.enabled"), Value: &value}},
	}); err != nil {
		w.Fatal(err)
	}
}

func (b *balancer) plan(edit ...func(*arcstep.ShiftSpec)) steptest.Plan {
	return func(_ *steptest.World, cfg aws.Config) failover.Plan {
		s := arcstep.ShiftSpec{ID: "shift", Resource: b.arn, Away: failover.Literal(zone), Comment: "power"}
		for _, fn := range edit {
			fn(&s)
		}
		return failover.Plan{Service: "orders", Steps: []failover.Step{arcstep.Shift(arczonalshift.NewFromConfig(cfg), s)}}
	}
}

// failback is another service's plan under its own incident: the same service, that is, executed anew.
func (b *balancer) failback(_ *steptest.World, cfg aws.Config) failover.Plan {
	return failover.Plan{Service: "orders", Steps: []failover.Step{
		arcstep.Cancel(arczonalshift.NewFromConfig(cfg), arcstep.CancelSpec{ID: "cancel", Resource: b.arn, Away: failover.Literal(zone)}),
	}}
}

// away is the zone that the balancer is shifted away from, and the comment.
func (b *balancer) away(w *steptest.World) (zone, comment string) {
	w.Helper()
	out, err := admin(w).GetManagedResource(w.Context(), &arczonalshift.GetManagedResourceInput{ResourceIdentifier: &b.arn})
	if err != nil {
		w.Fatal(err)
	}
	for _, s := range out.ZonalShifts {
		return *s.AwayFrom, *s.Comment
	}
	return "", ""
}

func (b *balancer) want(w *steptest.World, want string) {
	w.Helper()
	if got, comment := b.away(w); got != want || want != "" && comment != "awsha orders incident power" {
		w.Errorf("away from %q (%s), want %q", got, comment, want)
	}
}

func (b *balancer) shift(w *steptest.World, from, comment string) string {
	w.Helper()
	out, err := admin(w).StartZonalShift(context.WithoutCancel(w.Context()), &arczonalshift.StartZonalShiftInput{
		ResourceIdentifier: &b.arn, AwayFrom: &from, Comment: &comment, ExpiresIn: aws.String("1h"),
	})
	if err != nil {
		w.Fatal(err)
	}
	return *out.ZonalShiftId
}

func scenario() steptest.Scenario {
	b := new(balancer)
	return steptest.Scenario{
		Services: services, Prepare: b.prepare, Verify: func(w *steptest.World) { b.want(w, zone) },
		Plan: func(w *steptest.World, cfg aws.Config) failover.Plan { return b.plan()(w, cfg) },
	}
}

func wantCalls(w *steptest.World, operation string, want int) {
	w.Helper()
	if made, _ := w.Calls(operation); made != want {
		w.Errorf("%d %s, want %d", made, operation, want)
	}
}

func TestTrafficLeavesAZoneAndComesBack(t *testing.T) {
	t.Parallel()
	var b balancer
	steptest.Run(t, services, func(w *steptest.World) {
		b.prepare(w)
		if _, err := w.Execute(b.plan()); err != nil {
			w.Fatal(err)
		}
		b.want(w, zone)
		wantCalls(w, "StartZonalShift", 1)
		if err := w.RollBack(b.plan()); err != nil {
			w.Fatal(err)
		}
		b.want(w, "")
		wantCalls(w, "CancelZonalShift", 1)
	})
}

func TestAShiftWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(scenario).KilledAtEachCall(t, 2)
}

func TestAShiftIsTakenBackWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		b := new(balancer)
		return steptest.Scenario{
			Services: services, Prepare: b.prepare, RollBack: true, Verify: func(w *steptest.World) { b.want(w, "") },
			Plan: func(w *steptest.World, cfg aws.Config) failover.Plan { return b.plan()(w, cfg) },
		}
	}).KilledAtEachCall(t, 2)
}

func TestAShiftWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(scenario).Stale(t)
}

func TestCodesOfShifts(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(scenario).Codes(t, arczonalshift.ServiceID, "StartZonalShift", []steptest.Code{
		{Code: "ThrottlingException", Status: 429, Want: steptest.Retried},
		{Code: "InternalServerException", Status: 500, Want: steptest.Retried},
		{Code: "ConflictException", Status: 409, Message: "ZonalShiftAlreadyExists: a read that is behind does not show it", Want: steptest.Retried},
		{Code: "ResourceNotFoundException", Status: 404, Want: steptest.Retried},
		{Code: "AccessDeniedException", Status: 403, Want: steptest.Permanent},
		{Code: "ValidationException", Status: 400, Want: steptest.Permanent},
	})
}

// TestAShiftThatIsThereIsEnough has a person, or AWS, shift the same zone before or meanwhile: that one stays when the incident is taken back.
func TestAShiftThatIsThereIsEnough(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]bool{"before": false, "meanwhile": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b balancer
			steptest.Run(t, services, func(w *steptest.World) {
				b.prepare(w)
				if meanwhile {
					w.Inject(awstest.Match{Operation: "StartZonalShift", Service: arczonalshift.ServiceID, Times: 1},
						awstest.Before(func(context.Context, awstest.Record) { b.shift(w, zone, "by hand") }))
				} else {
					b.shift(w, zone, "by hand")
				}
				if _, err := w.Execute(b.plan()); err != nil {
					w.Fatal(err)
				}
				if err := w.RollBack(b.plan()); err != nil {
					w.Fatal(err)
				}
				if from, comment := b.away(w); from != zone || comment != "by hand" {
					w.Errorf("away from %q (%s)", from, comment)
				}
			})
		})
	}
	t.Run("autoshift", func(t *testing.T) {
		t.Parallel()
		var b balancer
		steptest.Run(t, services, func(w *steptest.World) {
			b.prepare(w)
			end, err := arczonalshiftsvc.StartAutoshift(w.Cloud, zone)
			if err != nil {
				w.Fatal(err)
			}
			defer end()
			if _, err := w.Execute(b.plan()); err != nil {
				w.Fatal(err)
			}
			wantCalls(w, "StartZonalShift", 0)
		})
	})
}

func TestTwoZonesAreNeverLeft(t *testing.T) {
	t.Parallel()
	var b balancer
	steptest.Run(t, services, func(w *steptest.World) {
		b.prepare(w)
		b.shift(w, other, "by hand")
		if r := w.Ready(b.plan(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "is shifted away from "+other) {
			w.Error(r)
		}
		if _, err := w.Execute(b.plan()); !errors.Is(err, arcstep.ErrOtherZone) {
			w.Error(err)
		}
		if from, _ := b.away(w); from != other {
			w.Error(from)
		}
	})
}

func TestCancelEndsOwnShiftsOnly(t *testing.T) {
	t.Parallel()
	for comment, want := range map[string]string{"awsha orders incident-1 power": "", "awsha ordersX 1": zone, "by hand": zone} {
		var b balancer
		steptest.Run(t, services, func(w *steptest.World) {
			b.prepare(w)
			if _, err := w.Execute(b.failback); err != nil { // there is none
				w.Fatal(err)
			}
		})
		steptest.Run(t, services, func(w *steptest.World) {
			b.prepare(w)
			b.shift(w, zone, comment)
			if _, err := w.Execute(b.failback); err != nil {
				w.Fatal(err)
			}
			if from, _ := b.away(w); from != want {
				w.Errorf("%s: away from %q, want %q", comment, from, want)
			}
		})
	}
}

func TestReadyOfAShift(t *testing.T) {
	t.Parallel()
	var b balancer
	steptest.Run(t, services, func(w *steptest.World) {
		b.prepare(w)
		if r := w.Ready(b.plan(), nil); r.Level != failover.LevelPass {
			w.Error(r)
		}
		byName := b.plan(func(s *arcstep.ShiftSpec) { s.Away = failover.Literal("us-east-1a") })
		if r := w.Ready(byName, nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "is not in us-east-1a; zones are named by their IDs") {
			w.Error(r)
		}
		w.Inject(awstest.Match{Service: arczonalshift.ServiceID, Operation: "GetManagedResource"}, awstest.Deny())
		if r := w.Ready(b.plan(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "arc-zonal-shift:GetManagedResource "+b.arn) {
			w.Error(r)
		}
		if from, _ := b.away(w); from != "" {
			w.Error(from)
		}
	})
	steptest.Run(t, services, func(w *steptest.World) {
		b.prepare(w)
		b.enable(w, "false")
		if r := w.Ready(b.plan(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "is not managed by zonal shift") {
			w.Error(r)
		}
		began := time.Now()
		if _, err := w.Execute(b.plan()); err == nil || time.Since(began) > 70*time.Second {
			w.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	err := failover.Plan{Service: "orders", Steps: []failover.Step{
		arcstep.Shift(nil, arcstep.ShiftSpec{ID: "a", Expiry: 90 * time.Second}), arcstep.Shift(nil, arcstep.ShiftSpec{ID: "b", Expiry: 73 * time.Hour}),
		arcstep.Cancel(nil, arcstep.CancelSpec{ID: "c"}),
	}}.Validate()
	for _, text := range []string{
		"Steps[0].Resource", "Steps[0].Away", "Steps[0].Expiry", "Steps[1].Expiry", "Steps[2].Resource", "Steps[2].Away",
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s is not in %v", text, err)
		}
	}
}
