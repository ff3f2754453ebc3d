package elbstep_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/elbstep"
	"github.com/awsha/awsha/failover/internal/steptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func services() []awstest.Service {
	return []awstest.Service{
		ec2svc.New(func(o *ec2svc.Options) { o.Pending = 5 * time.Second }),
		elbv2svc.New(func(o *elbv2svc.Options) { o.Provisioning = elbv2svc.Immediately }),
	}
}

// front is a load balancer with a group and some servers, of which old ones are registered.
type front struct {
	group      string
	old, fresh []string // instances
}

func admin(w *steptest.World) *elbv2.Client { return elbv2.NewFromConfig(w.Admin) }

func (f *front) prepare(w *steptest.World) {
	w.Helper()
	ctx, api, machines := w.Context(), admin(w), ec2.NewFromConfig(w.Admin)
	subnets, err := machines.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	if err != nil {
		w.Fatal(err)
	}
	group, err := api.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: subnets.Subnets[0].VpcId,
		HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		w.Fatal(err)
	}
	f.group = *group.TargetGroups[0].TargetGroupArn
	if _, err := api.ModifyTargetGroupAttributes(ctx, &elbv2.ModifyTargetGroupAttributesInput{TargetGroupArn: &f.group, Attributes: []types.TargetGroupAttribute{
		{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("20")},
	}}); err != nil {
		w.Fatal(err)
	}
	balancer, err := api.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{
		Name: aws.String("front"), Subnets: []string{*subnets.Subnets[0].SubnetId, *subnets.Subnets[1].SubnetId},
	})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := api.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(80), Protocol: types.ProtocolEnumHttp,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &f.group}},
	}); err != nil {
		w.Fatal(err)
	}
	f.old, f.fresh = nil, nil
	for i := range 4 {
		id := f.server(w, []string{"us-east-1a", "us-east-1b"}[i%2])
		if i < 2 {
			f.old = append(f.old, id)
			f.register(w, id)
		} else {
			f.fresh = append(f.fresh, id)
		}
	}
	time.Sleep(30 * time.Second)
}

// server launches an instance that answers on ports 80 and 8080.
func (f *front) server(w *steptest.World, zone string) string {
	w.Helper()
	out, err := ec2.NewFromConfig(w.Admin).RunInstances(w.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), Placement: &ec2types.Placement{AvailabilityZone: &zone},
	})
	if err != nil {
		w.Fatal(err)
	}
	id := *out.Instances[0].InstanceId
	machine, _ := w.Cloud.Instance(id)
	for _, port := range []int{80, 8080} {
		if _, err := machine.Serve(port, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})); err != nil {
			w.Fatal(err)
		}
	}
	return id
}

func (f *front) register(w *steptest.World, id string, port ...int32) {
	w.Helper()
	in := &elbv2.RegisterTargetsInput{TargetGroupArn: &f.group, Targets: []types.TargetDescription{{Id: &id}}}
	for _, p := range port {
		in.Targets[0].Port = &p
	}
	for { // until it runs
		_, err := admin(w).RegisterTargets(context.WithoutCancel(w.Context()), in)
		if err == nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// states are the targets of the group, by ID and port.
func (f *front) states(w *steptest.World) map[string]types.TargetHealthStateEnum {
	w.Helper()
	out, err := admin(w).DescribeTargetHealth(w.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &f.group})
	if err != nil {
		w.Fatal(err)
	}
	all := map[string]types.TargetHealthStateEnum{}
	for _, h := range out.TargetHealthDescriptions {
		key := *h.Target.Id
		if *h.Target.Port != 80 {
			key += ":8080"
		}
		all[key] = h.TargetHealth.State
	}
	return all
}

func targets(ids ...string) []elbstep.Target {
	all := make([]elbstep.Target, len(ids))
	for i, id := range ids {
		all[i].ID = failover.Literal(id)
	}
	return all
}

// plan brings the fresh ones in, waits, and takes the old ones out.
func (f *front) plan(_ *steptest.World, cfg aws.Config) failover.Plan {
	api := elbv2.NewFromConfig(cfg)
	return failover.Plan{Service: "orders", Steps: []failover.Step{
		elbstep.Register(api, elbstep.RegisterSpec{ID: "register", TargetGroup: f.group, Targets: targets(f.fresh...)}),
		elbstep.WaitHealthy(api, elbstep.WaitSpec{ID: "healthy", Needs: []string{"register"}, TargetGroup: f.group, Targets: targets(f.fresh...)}),
		elbstep.Deregister(api, elbstep.DeregisterSpec{
			ID: "deregister", Needs: []string{"healthy"}, TargetGroup: f.group, Targets: targets(f.old...), MinHealthy: 2, Drained: true,
		}),
	}}
}

func (f *front) only(step func(*elbv2.Client) failover.Step) steptest.Plan {
	return func(_ *steptest.World, cfg aws.Config) failover.Plan {
		return failover.Plan{Service: "orders", Steps: []failover.Step{step(elbv2.NewFromConfig(cfg))}}
	}
}

func (f *front) want(w *steptest.World, ids ...string) {
	w.Helper()
	got := f.states(w)
	for _, id := range ids {
		if got[id] != types.TargetHealthStateEnumHealthy {
			w.Errorf("%s is %q", id, got[id])
		}
	}
	if len(got) != len(ids) {
		w.Errorf("%v, want %v", got, ids)
	}
}

func (f *front) scenario() steptest.Scenario {
	return steptest.Scenario{Services: services, Prepare: f.prepare, Plan: f.plan, Verify: func(w *steptest.World) { f.want(w, f.fresh...) }}
}

func wantCalls(w *steptest.World, operation string, want int) {
	w.Helper()
	if made, _ := w.Calls(operation); made != want {
		w.Errorf("%d %s, want %d", made, operation, want)
	}
}

func TestTrafficMovesToFreshTargetsAndBack(t *testing.T) {
	t.Parallel()
	var f front
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		if _, err := w.Execute(f.plan); err != nil {
			w.Fatal(err)
		}
		f.want(w, f.fresh...)
		wantCalls(w, "RegisterTargets", 1)
		wantCalls(w, "DeregisterTargets", 1)
		if err := w.RollBack(f.plan); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		f.want(w, f.old...)
	})
}

func TestTrafficMovesWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(front).scenario() }).KilledAtEachCall(t, 10)
}

func TestTrafficMovesBackWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		f := new(front)
		s := f.scenario()
		s.RollBack, s.Verify = true, func(w *steptest.World) { f.want(w, f.old...) }
		return s
	}).KilledAtEachCall(t, 2)
}

func TestTrafficMovesWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(front).scenario() }).Stale(t)
}

func TestCodesOfRegistrations(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		f := new(front)
		s := steptest.Scenario{Services: services, Prepare: f.prepare, Verify: func(w *steptest.World) {
			time.Sleep(time.Minute)
			f.want(w, append(slices.Clone(f.old), f.fresh...)...)
		}}
		s.Plan = func(w *steptest.World, cfg aws.Config) failover.Plan {
			return f.only(func(api *elbv2.Client) failover.Step {
				return elbstep.Register(api, elbstep.RegisterSpec{ID: "register", TargetGroup: f.group, Targets: targets(f.fresh...)})
			})(w, cfg)
		}
		return s
	}).Codes(t, elbv2.ServiceID, "RegisterTargets", []steptest.Code{
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "InternalFailure", Status: 500, Want: steptest.Retried},
		{Code: "InvalidTarget", Want: steptest.Retried},
		{Code: "TooManyTargets", Want: steptest.Permanent},
		{Code: "TooManyRegistrationsForTargetId", Want: steptest.Permanent},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
		{Code: "ValidationError", Want: steptest.Permanent},
	})
}

func TestCodesOfDeregistrations(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		f := new(front)
		s := steptest.Scenario{Services: services, Prepare: f.prepare, Verify: func(w *steptest.World) {
			time.Sleep(time.Minute)
			f.want(w, f.old[1])
		}}
		s.Plan = func(w *steptest.World, cfg aws.Config) failover.Plan {
			return f.only(func(api *elbv2.Client) failover.Step {
				return elbstep.Deregister(api, elbstep.DeregisterSpec{ID: "deregister", TargetGroup: f.group, Targets: targets(f.old[0])})
			})(w, cfg)
		}
		return s
	}).Codes(t, elbv2.ServiceID, "DeregisterTargets", []steptest.Code{
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "InternalFailure", Status: 500, Want: steptest.Retried},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
		{Code: "ValidationError", Want: steptest.Permanent},
	})
}

func TestTheLastHealthyTargetsStay(t *testing.T) {
	t.Parallel()
	var f front
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		plan := func(least int) steptest.Plan {
			return f.only(func(api *elbv2.Client) failover.Step {
				return elbstep.Deregister(api, elbstep.DeregisterSpec{
					ID: "deregister", TargetGroup: f.group, Targets: targets(f.old...), MinHealthy: least, Timeout: time.Minute,
				})
			})
		}
		if _, err := w.Execute(plan(0)); !errors.Is(err, elbstep.ErrTooFew) {
			w.Error(err)
		}
		f.want(w, f.old...)
		time.AfterFunc(10*time.Second, func() { f.register(w, f.fresh[0]) })
		if _, err := w.Execute(plan(0)); err != nil { // it waits for one that becomes healthy
			w.Error(err)
		}
		time.Sleep(time.Minute)
		f.want(w, f.fresh[0])
	})
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		if _, err := w.Execute(f.only(func(api *elbv2.Client) failover.Step {
			return elbstep.Deregister(api, elbstep.DeregisterSpec{ID: "deregister", TargetGroup: f.group, Targets: targets(f.old...), MinHealthy: elbstep.None})
		})); err != nil {
			w.Error(err)
		}
		time.Sleep(time.Minute)
		f.want(w)
	})
}

func TestATargetWithoutAPortIsAllOfItsRegistrations(t *testing.T) {
	t.Parallel()
	var f front
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		f.register(w, f.old[0], 8080)
		time.Sleep(30 * time.Second)
		plan := f.only(func(api *elbv2.Client) failover.Step {
			return elbstep.Deregister(api, elbstep.DeregisterSpec{ID: "deregister", TargetGroup: f.group, Targets: targets(f.old[0])})
		})
		if _, err := w.Execute(plan); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		f.want(w, f.old[1])
		if err := w.RollBack(plan); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		f.want(w, f.old[1], f.old[0], f.old[0]+":8080")
	})
}

func TestWhatWillNotBeInServiceIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	var f front
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		far := f.server(w, "us-east-1d") // the load balancer is not enabled there
		f.register(w, far)
		began := time.Now()
		_, err := w.Execute(f.only(func(api *elbv2.Client) failover.Step {
			return elbstep.WaitHealthy(api, elbstep.WaitSpec{ID: "healthy", TargetGroup: f.group, Targets: targets(far)})
		}))
		if !errors.Is(err, elbstep.ErrUnusable) || !strings.Contains(err.Error(), "Target.NotInUse") {
			w.Error(err)
		}
		if took := time.Since(began); took > 65*time.Second {
			w.Errorf("it took %s", took)
		}
	})
}

func TestReadyOfAGroup(t *testing.T) {
	t.Parallel()
	var f front
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		r := w.Ready(f.plan, nil)
		if r.Level != failover.LevelWarn || !strings.Contains(r.String(), "2 of 2 targets are healthy") || !strings.Contains(r.String(), "too few healthy targets would be left") {
			w.Error(r)
		}
		ghost := front{group: strings.Replace(f.group, "/web/", "/ghost/", 1), fresh: f.fresh, old: f.old}
		if r := w.Ready(ghost.plan, nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "elasticloadbalancing:DescribeTargetHealth "+ghost.group) {
			w.Error(r)
		}
		idle, err := admin(w).CreateTargetGroup(w.Context(), &elbv2.CreateTargetGroupInput{
			Name: aws.String("idle"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-00000000000000001"),
		})
		if err != nil {
			w.Fatal(err)
		}
		spare := front{group: *idle.TargetGroups[0].TargetGroupArn, fresh: f.fresh, old: f.old}
		spare.register(w, f.old[0])
		if r := w.Ready(spare.plan, nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "Target.NotInUse") {
			w.Error(r)
		}
		f.want(w, f.old...)
	})
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	err := failover.Plan{Service: "orders", Steps: []failover.Step{
		elbstep.Register(nil, elbstep.RegisterSpec{ID: "a", TargetGroup: "web"}),
		elbstep.WaitHealthy(nil, elbstep.WaitSpec{ID: "b", Targets: []elbstep.Target{{ID: failover.Output("launch", "instance")}}}),
		elbstep.Deregister(nil, elbstep.DeregisterSpec{ID: "c", MinHealthy: -2}),
	}}.Validate()
	for _, text := range []string{
		"Steps[0].TargetGroup", "Steps[0].Targets", "Steps[1].TargetGroup", "Steps[1].Targets[0].ID", "Steps[2].TargetGroup", "Steps[2].Targets", "Steps[2].MinHealthy",
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s is not in %v", text, err)
		}
	}
}
