package asgstep_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/asgstep"
	"github.com/awsha/awsha/failover/internal/steptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func services() []awstest.Service {
	return []awstest.Service{
		ec2svc.New(func(o *ec2svc.Options) { o.Pending, o.ShuttingDown = 5*time.Second, 5*time.Second }),
		autoscalingsvc.New(),
	}
}

const web = "web"

// zones are those of the group, by ID.
var zones = []string{"use1-az2", "use1-az3", "use1-az4"}

func admin(w *steptest.World) *autoscaling.Client { return autoscaling.NewFromConfig(w.Admin) }

// prepare makes a group of three instances in three zones.
func prepare(w *steptest.World) {
	w.Helper()
	template, err := ec2.NewFromConfig(w.Admin).CreateLaunchTemplate(w.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String(web),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: ec2types.InstanceTypeT3Micro},
	})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := admin(w).CreateAutoScalingGroup(w.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(web), MinSize: aws.Int32(1), MaxSize: aws.Int32(9), DesiredCapacity: aws.Int32(3),
		AvailabilityZones: []string{"us-east-1a", "us-east-1b", "us-east-1c"}, HealthCheckGracePeriod: aws.Int32(600),
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: template.LaunchTemplate.LaunchTemplateId},
	}); err != nil {
		w.Fatal(err)
	}
	time.Sleep(time.Minute)
}

func group(w *steptest.World) *types.AutoScalingGroup {
	w.Helper()
	out, err := admin(w).DescribeAutoScalingGroups(w.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{web}})
	if err != nil {
		w.Fatal(err)
	}
	return &out.AutoScalingGroups[0]
}

// members are the instances of the group in service, in order.
func members(w *steptest.World) []string {
	w.Helper()
	var ids []string
	for _, i := range group(w).Instances {
		if i.LifecycleState == types.LifecycleStateInService {
			ids = append(ids, *i.InstanceId)
		}
	}
	slices.Sort(ids)
	return ids
}

func suspended(w *steptest.World) string {
	w.Helper()
	var names []string
	for _, p := range group(w).SuspendedProcesses {
		names = append(names, *p.ProcessName)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

func desired(w *steptest.World) int { return int(*group(w).DesiredCapacity) }

func want[T comparable](w *steptest.World, what string, got, want T) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %v, want %v", what, got, want)
	}
}

func wantCalls(w *steptest.World, operation string, want int) {
	w.Helper()
	if made, _ := w.Calls(operation); made != want {
		w.Errorf("%d %s, want %d", made, operation, want)
	}
}

func literals(ids ...string) []failover.Ref {
	refs := make([]failover.Ref, len(ids))
	for i, id := range ids {
		refs[i] = failover.Literal(id)
	}
	return refs
}

func plan(steps func(api *autoscaling.Client) []failover.Step) steptest.Plan {
	return func(_ *steptest.World, cfg aws.Config) failover.Plan {
		return failover.Plan{Service: "orders", Steps: steps(autoscaling.NewFromConfig(cfg))}
	}
}

func only(step func(api *autoscaling.Client) failover.Step) steptest.Plan {
	return plan(func(api *autoscaling.Client) []failover.Step { return []failover.Step{step(api)} })
}

// broken is a step that fails.
func broken(id string, needs ...string) failover.Step {
	return failover.NewStep(failover.StepFuncs{ID: id, Needs: needs, Plane: failover.PlaneData, Do: func(context.Context, *failover.Env) error {
		return failover.Permanent(errors.New("broken"))
	}, Undo: func(context.Context, *failover.Env) error { return nil }})
}

// around suspends, does something, and resumes.
func around(between ...failover.Step) steptest.Plan {
	return plan(func(api *autoscaling.Client) []failover.Step {
		needs := []string{"suspend"}
		for _, s := range between {
			needs = append(needs, s.ID())
		}
		return append([]failover.Step{
			asgstep.Suspend(api, asgstep.SuspendSpec{ID: "suspend", Group: web}),
			asgstep.Resume(api, asgstep.ResumeSpec{ID: "resume", Needs: needs, Group: web, Suspended: "suspend"}),
		}, between...)
	})
}

func TestProcessesAreSuspendedAndResumed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before string
		plan   steptest.Plan
		failed bool
	}{
		"all is well":                      {"", around(), false},
		"what is between fails":            {"", around(broken("broken", "suspend")), true},
		"somebody has suspended one":       {"AZRebalance", around(), false},
		"somebody has suspended another":   {"Launch", around(), false},
		"somebody has suspended them both": {"AZRebalance,ReplaceUnhealthy", around(), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steptest.Run(t, services, func(w *steptest.World) {
				prepare(w)
				if c.before != "" {
					if _, err := admin(w).SuspendProcesses(w.Context(), &autoscaling.SuspendProcessesInput{
						AutoScalingGroupName: aws.String(web), ScalingProcesses: strings.Split(c.before, ","),
					}); err != nil {
						w.Fatal(err)
					}
				}
				during := ""
				w.Inject(awstest.Match{Service: autoscaling.ServiceID, Operation: "ResumeProcesses"}, awstest.Before(func(context.Context, awstest.Record) { during = suspended(w) }))
				if _, err := w.Execute(c.plan); (err != nil) != c.failed {
					w.Error(err)
				}
				if during != "" && (!strings.Contains(during, "AZRebalance") || !strings.Contains(during, "ReplaceUnhealthy")) {
					w.Error(during)
				}
				want(w, "suspended", suspended(w), c.before)
			})
		})
	}
}

func suspending() steptest.Scenario {
	return steptest.Scenario{
		Services: services, Prepare: prepare, Plan: around(),
		Verify: func(w *steptest.World) { want(w, "suspended", suspended(w), "") },
	}
}

func TestNoGroupStaysSuspendedWhenControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(suspending).KilledAtEachCall(t, 4)
}

func TestNoGroupStaysSuspendedWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(suspending).Stale(t)
}

func TestCodesOfProcesses(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"SuspendProcesses", "ResumeProcesses"} {
		steptest.Scenarios(suspending).Codes(t, autoscaling.ServiceID, operation, []steptest.Code{
			{Code: "Throttling", Want: steptest.Retried},
			{Code: "ResourceInUse", Want: steptest.Retried},
			{Code: "ResourceContention", Status: 500, Want: steptest.Retried},
			{Code: "InternalFailure", Status: 500, Want: steptest.Retried},
			{Code: "ValidationError", Message: "AutoScalingGroup name not found - no such group: web", Want: steptest.Permanent},
			{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
		})
	}
}

func TestASuspensionIsTakenBack(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		prepare(w)
		p := only(func(api *autoscaling.Client) failover.Step {
			return asgstep.Suspend(api, asgstep.SuspendSpec{ID: "suspend", Group: web, Processes: []string{"Launch"}})
		})
		if _, err := w.Execute(p); err != nil {
			w.Fatal(err)
		}
		want(w, "suspended", suspended(w), "Launch")
		if err := w.RollBack(p); err != nil {
			w.Fatal(err)
		}
		want(w, "suspended", suspended(w), "")
	})
}

func wants(n int, lower bool) steptest.Plan {
	return only(func(api *autoscaling.Client) failover.Step {
		return asgstep.SetDesired(api, asgstep.DesiredSpec{ID: "desired", Group: web, Desired: n, Lower: lower})
	})
}

func TestDesiredCapacity(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n     int
		lower bool
		want  int
		calls int
	}{
		"more":                 {5, false, 5, 1},
		"as many":              {3, false, 3, 0},
		"less is left alone":   {2, false, 3, 0},
		"less if asked to":     {2, true, 2, 1},
		"more, lower allowed":  {4, true, 4, 1},
		"beyond the bounds":    {10, false, 3, 1},
		"as many, lower given": {3, true, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steptest.Run(t, services, func(w *steptest.World) {
				prepare(w)
				_, err := w.Execute(wants(c.n, c.lower))
				if (err != nil) != (c.n > 9) {
					w.Error(err)
				}
				want(w, "desired", desired(w), c.want)
				wantCalls(w, "SetDesiredCapacity", c.calls)
				if r := w.Ready(wants(c.n, c.lower), nil); (r.Level == failover.LevelFail) != (c.n > 9) {
					w.Error(r)
				}
				if err := w.RollBack(wants(c.n, c.lower)); err != nil {
					w.Error(err)
				}
				want(w, "desired", desired(w), 3)
			})
		})
	}
}

func TestWhatOthersHaveSetIsNotTakenBack(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		prepare(w)
		if _, err := w.Execute(wants(5, false)); err != nil {
			w.Fatal(err)
		}
		if _, err := admin(w).SetDesiredCapacity(w.Context(), &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String(web), DesiredCapacity: aws.Int32(7)}); err != nil {
			w.Fatal(err)
		}
		if err := w.RollBack(wants(5, false)); err != nil {
			w.Error(err)
		}
		want(w, "desired", desired(w), 7)
	})
}

func growing() steptest.Scenario {
	return steptest.Scenario{Services: services, Prepare: prepare, Plan: wants(5, false), Verify: func(w *steptest.World) { want(w, "desired", desired(w), 5) }}
}

func TestDesiredCapacityWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(growing).KilledAtEachCall(t, 3)
}

func TestDesiredCapacityWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(growing).Stale(t)
}

func TestCodesOfDesiredCapacity(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(growing).Codes(t, autoscaling.ServiceID, "SetDesiredCapacity", []steptest.Code{
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "ScalingActivityInProgress", Want: steptest.Retried},
		{Code: "ResourceContention", Status: 500, Want: steptest.Retried},
		{Code: "InternalFailure", Status: 500, Want: steptest.Retried},
		{Code: "ValidationError", Message: "New SetDesiredCapacity value 10 is above max value 9 for the AutoScalingGroup.", Want: steptest.Permanent},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
	})
}

// launching launches two instances into the first zone that has room, and waits for them.
func launching(edit ...func(*asgstep.LaunchSpec)) steptest.Plan {
	return plan(func(api *autoscaling.Client) []failover.Step {
		s := asgstep.LaunchSpec{ID: "launch", Group: web, Count: 2, Zones: literals(zones...)}
		for _, fn := range edit {
			fn(&s)
		}
		return []failover.Step{asgstep.Launch(api, s), asgstep.WaitInService(api, asgstep.WaitSpec{
			ID: "wait", Needs: []string{"launch"}, Group: web, Instances: []failover.Ref{failover.Output("launch", asgstep.InstancesKey)},
		})}
	})
}

// five wants five instances in service, two of them in a zone beyond its own.
func five(zone string) func(*steptest.World) {
	return func(w *steptest.World) {
		w.Helper()
		count := map[string]int{}
		for _, i := range group(w).Instances {
			if i.LifecycleState == types.LifecycleStateInService {
				count[*i.AvailabilityZone]++
			}
		}
		want(w, "instances in "+zone, count[zone], 3)
		want(w, "instances", len(members(w)), 5)
		want(w, "desired", desired(w), 5)
	}
}

// inAll wants five instances, wherever the group has rebalanced them to meanwhile.
func inAll(w *steptest.World) {
	w.Helper()
	want(w, "instances", len(members(w)), 5)
	want(w, "desired", desired(w), 5)
}

func refuse(w *steptest.World, zone string) (heal func()) {
	w.Helper()
	z, err := w.Cloud.Zone(zone)
	if err != nil {
		w.Fatal(err)
	}
	return z.RefuseLaunches("")
}

func TestInstancesAreLaunchedIntoAGroup(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		prepare(w)
		if _, err := w.Execute(launching()); err != nil {
			w.Fatal(err)
		}
		five("us-east-1a")(w)
		wantCalls(w, "LaunchInstances", 1)
		if err := w.RollBack(launching()); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		want(w, "instances", len(members(w)), 3)
		want(w, "desired", desired(w), 3)
	})
}

func TestAZoneWithoutCapacityIsPassedOverAtOnce(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		prepare(w)
		refuse(w, zones[0])
		began := time.Now()
		timeline, err := w.Execute(launching())
		if err != nil {
			w.Fatal(err)
		}
		if took := time.Since(began); took > 15*time.Second || !strings.Contains(timeline.String(), "InsufficientInstanceCapacity") {
			w.Errorf("it took %s:\n%s", took, timeline)
		}
		five("us-east-1b")(w)
		wantCalls(w, "LaunchInstances", 2)
	})
}

func TestALaunchThatIsRefusedEverywhereIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		prepare(w)
		var heals []func()
		for _, z := range zones {
			heals = append(heals, refuse(w, z))
		}
		if _, err := w.Execute(launching()); !errors.Is(err, asgstep.ErrNoCapacity) {
			w.Error(err)
		}
		heals[2]()
		if _, err := w.Execute(launching()); err != nil {
			w.Error(err)
		}
		five("us-east-1c")(w)
		wantCalls(w, "LaunchInstances", 6)
	})
}

func TestALaunchWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		return steptest.Scenario{Services: services, Prepare: prepare, Plan: launching(), Verify: inAll}
	}).KilledAtEachCall(t, 2)
}

// TestZonesAreTriedWhileControllersDie has capacity come back in the first zone: nothing is launched there as well.
func TestZonesAreTriedWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		return steptest.Scenario{Services: services, Plan: launching(), Verify: func(w *steptest.World) { want(w, "instances", len(members(w)), 5) }, Prepare: func(w *steptest.World) {
			prepare(w)
			time.AfterFunc(20*time.Millisecond, refuse(w, zones[0]))
		}}
	}).KilledAtEachCall(t, 3)
}

func TestALaunchWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		return steptest.Scenario{Services: services, Prepare: prepare, Plan: launching(), Verify: inAll}
	}).Stale(t)
}

func TestCodesOfLaunches(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		return steptest.Scenario{Services: services, Prepare: prepare, Plan: launching(), Verify: func(w *steptest.World) { want(w, "instances", len(members(w)), 5) }}
	}).Codes(t, autoscaling.ServiceID, "LaunchInstances", []steptest.Code{
		{Code: "IdempotentCallInProgress", Status: 500, Want: steptest.Retried},
		{Code: "IdempotentParameterMismatch", Want: steptest.Retried}, // under another token
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "ResourceContention", Status: 500, Want: steptest.Retried},
		{Code: "LimitExceeded", Want: steptest.Permanent},
		{Code: "ValidationError", Want: steptest.Permanent},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
	})
}

func TestAnUnhealthyInstanceIsReplaced(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(asgstep.API, asgstep.InstancesSpec) failover.Step{"SetInstanceHealth": asgstep.SetUnhealthy, "TerminateInstanceInAutoScalingGroup": asgstep.Terminate} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steptest.Run(t, services, func(w *steptest.World) {
				prepare(w)
				old := members(w)[:2]
				p := only(func(api *autoscaling.Client) failover.Step {
					return step(api, asgstep.InstancesSpec{ID: "end", Group: web, Instances: literals(append([]string{"i-0123456789abcdef0"}, old...)...)})
				})
				if r := w.Ready(p, nil); r.Level != failover.LevelWarn || !strings.Contains(r.String(), "i-0123456789abcdef0 is not in web") {
					w.Error(r)
				}
				if _, err := w.Execute(p); err != nil {
					w.Fatal(err)
				}
				wantCalls(w, name, 2)
				time.Sleep(2 * time.Minute)
				now := members(w)
				want(w, "instances", len(now), 3)
				for _, id := range old {
					want(w, id+" is there", slices.Contains(now, id), false)
				}
				if err := w.RollBack(p); !errors.Is(err, failover.ErrIrreversible) {
					w.Error(err)
				}
			})
		})
	}
}

// ending ends two of three instances, which the group replaces.
func ending(step func(asgstep.API, asgstep.InstancesSpec) failover.Step) steptest.Scenarios {
	return func() steptest.Scenario {
		var old []string
		return steptest.Scenario{
			Services: services, Prepare: func(w *steptest.World) { prepare(w); old = members(w) },
			Plan: func(w *steptest.World, cfg aws.Config) failover.Plan {
				return only(func(api *autoscaling.Client) failover.Step {
					return step(api, asgstep.InstancesSpec{ID: "end", Group: web, Instances: literals(old[0], old[1])})
				})(w, cfg)
			},
			Verify: func(w *steptest.World) {
				time.Sleep(time.Minute)
				now := members(w)
				want(w, "instances", len(now), 3)
				want(w, "the third", slices.Contains(now, old[2]), true)
				want(w, "the first", slices.Contains(now, old[0]), false)
			},
		}
	}
}

func TestAnEndingWhileControllersDie(t *testing.T) {
	t.Parallel()
	ending(asgstep.Terminate).KilledAtEachCall(t, 3)
}

func TestAnEndingWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(asgstep.API, asgstep.InstancesSpec) failover.Step{"terminate": asgstep.Terminate, "set unhealthy": asgstep.SetUnhealthy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ending(step).Stale(t)
		})
	}
}

func TestCodesOfEndings(t *testing.T) {
	t.Parallel()
	scenario := func(step func(asgstep.API, asgstep.InstancesSpec) failover.Step) func() steptest.Scenario {
		return func() steptest.Scenario {
			var old []string
			return steptest.Scenario{
				Services: services, Prepare: func(w *steptest.World) { prepare(w); old = members(w) }, Verify: func(*steptest.World) {},
				Plan: func(w *steptest.World, cfg aws.Config) failover.Plan {
					return only(func(api *autoscaling.Client) failover.Step {
						return step(api, asgstep.InstancesSpec{ID: "end", Group: web, Instances: literals(old[0])})
					})(w, cfg)
				},
			}
		}
	}
	codes := []steptest.Code{
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "ResourceContention", Status: 500, Want: steptest.Retried},
		{Code: "ScalingActivityInProgress", Want: steptest.Retried},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
		{Code: "ValidationError", Message: "Instance Id not found - No managed instance found for instance ID: i-1", Want: steptest.Success},
	}
	steptest.Scenarios(scenario(asgstep.Terminate)).Codes(t, autoscaling.ServiceID, "TerminateInstanceInAutoScalingGroup", codes)
	steptest.Scenarios(scenario(asgstep.SetUnhealthy)).Codes(t, autoscaling.ServiceID, "SetInstanceHealth", codes)
}

func standby(ids []string, edit ...func(*asgstep.StandbySpec)) steptest.Plan {
	return only(func(api *autoscaling.Client) failover.Step {
		s := asgstep.StandbySpec{ID: "standby", Group: web, Instances: literals(ids...)}
		for _, fn := range edit {
			fn(&s)
		}
		return asgstep.EnterStandby(api, s)
	})
}

func TestInstancesGoOnStandbyAndComeBack(t *testing.T) {
	t.Parallel()
	for _, replace := range []bool{false, true} {
		steptest.Run(t, services, func(w *steptest.World) {
			prepare(w)
			old := members(w)
			p := standby(old[:2], func(s *asgstep.StandbySpec) { s.Replace = replace })
			if _, err := w.Execute(p); err != nil {
				w.Fatal(err)
			}
			wantCalls(w, "EnterStandby", 1)
			time.Sleep(2 * time.Minute)
			if replace {
				want(w, "in service", len(members(w)), 3)
			} else {
				want(w, "in service", len(members(w)), 1)
			}
			if err := w.RollBack(p); err != nil {
				w.Fatal(err)
			}
			wantCalls(w, "ExitStandby", 1)
			time.Sleep(time.Minute)
			if now := members(w); !slices.Contains(now, old[0]) || !slices.Contains(now, old[1]) {
				w.Errorf("%v, and before %v", now, old)
			}
			back := only(func(api *autoscaling.Client) failover.Step {
				return asgstep.ExitStandby(api, asgstep.StandbySpec{ID: "exit", Group: web, Instances: literals(old...)})
			})
			if _, err := w.Execute(func(w *steptest.World, cfg aws.Config) failover.Plan {
				p := back(w, cfg)
				p.Service = "failback"
				return p
			}); err != nil { // they are in service
				w.Fatal(err)
			}
			wantCalls(w, "ExitStandby", 1)
		})
	}
}

// stepping has two of three instances go on standby, or come back.
func stepping(rollBack bool) steptest.Scenarios {
	return func() steptest.Scenario {
		var old []string
		return steptest.Scenario{
			Services: services, Prepare: func(w *steptest.World) { prepare(w); old = members(w) }, RollBack: rollBack,
			Plan: func(w *steptest.World, cfg aws.Config) failover.Plan { return standby(old[:2])(w, cfg) },
			Verify: func(w *steptest.World) {
				want(w, "in service", len(members(w)), map[bool]int{false: 1, true: 3}[rollBack])
				want(w, "desired", desired(w), map[bool]int{false: 1, true: 3}[rollBack])
			},
		}
	}
}

func TestStandbyWhileControllersDie(t *testing.T) {
	t.Parallel()
	for name, rollBack := range map[string]bool{"there": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stepping(rollBack).KilledAtEachCall(t, 2)
		})
	}
}

func TestStandbyWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	for name, rollBack := range map[string]bool{"there": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stepping(rollBack).Stale(t)
		})
	}
}

func TestCodesOfStandby(t *testing.T) {
	t.Parallel()
	stepping(false).Codes(t, autoscaling.ServiceID, "EnterStandby", []steptest.Code{
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "ResourceContention", Status: 500, Want: steptest.Retried},
		{Code: "InternalFailure", Status: 500, Want: steptest.Retried},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
	})
}

// waiting has the group launch an instance that waits in a hook, and returns its ID.
func waiting(w *steptest.World) string {
	w.Helper()
	prepare(w)
	if _, err := admin(w).PutLifecycleHook(w.Context(), &autoscaling.PutLifecycleHookInput{
		AutoScalingGroupName: aws.String(web), LifecycleHookName: aws.String("drain"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING"),
		HeartbeatTimeout: aws.Int32(3600),
	}); err != nil {
		w.Fatal(err)
	}
	id := members(w)[0]
	if _, err := admin(w).TerminateInstanceInAutoScalingGroup(w.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(false),
	}); err != nil {
		w.Fatal(err)
	}
	time.Sleep(time.Minute)
	return id
}

func completing(id *string) steptest.Plan {
	return func(w *steptest.World, cfg aws.Config) failover.Plan {
		return only(func(api *autoscaling.Client) failover.Step {
			return asgstep.CompleteHook(api, asgstep.HookSpec{ID: "complete", Group: web, Hook: "drain", Instance: failover.Literal(*id)})
		})(w, cfg)
	}
}

// hooked lets an instance go on that waits in a hook.
func hooked() steptest.Scenario {
	id := new(string)
	return steptest.Scenario{
		Services: services, Prepare: func(w *steptest.World) { *id = waiting(w) }, Plan: completing(id),
		Verify: func(w *steptest.World) {
			time.Sleep(time.Minute)
			for _, i := range group(w).Instances {
				if *i.InstanceId == *id {
					w.Errorf("%s is %s", *id, i.LifecycleState)
				}
			}
		},
	}
}

func TestAnInstanceWaitsInAHookNoLonger(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(hooked).KilledAtEachCall(t, 2)
}

func TestAHookWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(hooked).Stale(t)
}

func TestCodesOfHooks(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		id := new(string)
		return steptest.Scenario{Services: services, Prepare: func(w *steptest.World) { *id = waiting(w) }, Plan: completing(id), Verify: func(*steptest.World) {}}
	}).Codes(t, autoscaling.ServiceID, "CompleteLifecycleAction", []steptest.Code{
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "ResourceContention", Status: 500, Want: steptest.Retried},
		{Code: "ValidationError", Message: "No active Lifecycle Action found with instance ID i-1", Want: steptest.Success},
		{Code: "ValidationError", Message: "Lifecycle hook name is wrong", Want: steptest.Permanent},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
	})
}

func TestWaitingForAGroup(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		prepare(w)
		waits := func(s asgstep.WaitSpec) steptest.Plan {
			s.ID, s.Group, s.Timeout = "wait", web, 10*time.Minute
			return only(func(api *autoscaling.Client) failover.Step { return asgstep.WaitInService(api, s) })
		}
		if _, err := w.Execute(waits(asgstep.WaitSpec{Count: 2, Avoid: literals("us-east-1a")})); err != nil {
			w.Error(err)
		}
		began := time.Now()
		gone := func(w *steptest.World, cfg aws.Config) failover.Plan {
			p := waits(asgstep.WaitSpec{Instances: literals("i-0123456789abcdef0")})(w, cfg)
			p.Service = "gone"
			return p
		}
		if _, err := w.Execute(gone); !errors.Is(err, failover.ErrImpossible) || time.Since(began) > 65*time.Second {
			w.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestReadyOfAGroup(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		prepare(w)
		r := w.Ready(launching(), nil)
		if r.Level != failover.LevelPass || !strings.Contains(r.String(), "web has 3 instances, wants 3 of 1 to 9") {
			w.Error(r)
		}
		if r := w.Ready(launching(func(s *asgstep.LaunchSpec) { s.Count = 7 }), nil); r.Level != failover.LevelWarn || !strings.Contains(r.String(), "7 more do not fit") {
			w.Error(r)
		}
		if _, err := admin(w).UpdateAutoScalingGroup(w.Context(), &autoscaling.UpdateAutoScalingGroupInput{
			AutoScalingGroupName:         aws.String(web),
			AvailabilityZoneDistribution: &types.AvailabilityZoneDistribution{CapacityDistributionStrategy: types.CapacityDistributionStrategyBalancedOnly},
		}); err != nil {
			w.Fatal(err)
		}
		if _, err := admin(w).SuspendProcesses(w.Context(), &autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String(web), ScalingProcesses: []string{"Launch"}}); err != nil {
			w.Fatal(err)
		}
		for _, text := range []string{"balanced-only", "the process Launch is suspended"} {
			if r := w.Ready(launching(), nil); r.Level != failover.LevelWarn || !strings.Contains(r.String(), text) {
				w.Error(r)
			}
		}
		ghost := launching(func(s *asgstep.LaunchSpec) { s.Group = "ghost" })
		if r := w.Ready(ghost, nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "autoscaling:DescribeAutoScalingGroups ghost: no such Auto Scaling group") {
			w.Error(r)
		}
		w.Inject(awstest.Match{Service: autoscaling.ServiceID, Operation: "DescribeAutoScalingGroups"}, awstest.Deny())
		if r := w.Ready(launching(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "autoscaling:DescribeAutoScalingGroups web") {
			w.Error(r)
		}
		want(w, "instances", len(members(w)), 3)
	})
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	err := failover.Plan{Service: "orders", Steps: []failover.Step{
		asgstep.Suspend(nil, asgstep.SuspendSpec{ID: "0", Processes: []string{""}}),
		asgstep.Resume(nil, asgstep.ResumeSpec{ID: "1", Suspended: "0"}),
		asgstep.SetDesired(nil, asgstep.DesiredSpec{ID: "2", Desired: -1}),
		asgstep.Launch(nil, asgstep.LaunchSpec{ID: "3", Count: 101}),
		asgstep.SetUnhealthy(nil, asgstep.InstancesSpec{ID: "4"}),
		asgstep.EnterStandby(nil, asgstep.StandbySpec{ID: "5", Instances: []failover.Ref{{}}}),
		asgstep.CompleteHook(nil, asgstep.HookSpec{ID: "6"}),
		asgstep.WaitInService(nil, asgstep.WaitSpec{ID: "7", Avoid: []failover.Ref{{}}}),
	}}.Validate()
	for _, text := range []string{
		"Steps[0].Group", "Steps[0].Processes", "Steps[1].Group", "Steps[1].Suspended", "Steps[2].Group", "Steps[2].Desired", "Steps[3].Group", "Steps[3].Count",
		"Steps[3].Zones", "Steps[4].Group", "Steps[4].Instances", "Steps[5].Instances[0]", "Steps[6].Group", "Steps[6].Hook", "Steps[6].Instance", "Steps[7].Count",
		"Steps[7].Avoid[0]",
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s is not in %v", text, err)
		}
	}
}
