package ec2step_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/internal/steptest"
)

const (
	firstType = "m7g.large"
	otherType = "m7i.large"
)

// fleet is where replacements are launched.
type fleet struct{ subnets []string } // of the first three zones

func (f *fleet) prepare(w *steptest.World) {
	out, err := admin(w).DescribeSubnets(w.Context(), &ec2.DescribeSubnetsInput{})
	if err != nil {
		w.Fatal(err)
	}
	f.subnets = nil
	for _, s := range out.Subnets[:3] {
		f.subnets = append(f.subnets, *s.SubnetId)
	}
}

func (f *fleet) spec() ec2step.LaunchSpec {
	return ec2step.LaunchSpec{
		ID: "launch", Image: failover.Literal(image), Types: []string{firstType, otherType}, Subnets: f.subnets, Tags: map[string]string{"role": "replacement"},
	}
}

func (f *fleet) plan(edit ...func(*ec2step.LaunchSpec)) steptest.Plan {
	return only(func(api *ec2.Client) failover.Step {
		s := f.spec()
		for _, fn := range edit {
			fn(&s)
		}
		return ec2step.Launch(api, s)
	})
}

// replacements are the instances that steps have launched and that are not ending.
func replacements(w *steptest.World) []types.Instance {
	w.Helper()
	out, err := admin(w).DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{
		{Name: aws.String("tag:role"), Values: []string{"replacement"}}, {Name: aws.String("instance-state-name"), Values: []string{"pending", "running"}},
	}})
	if err != nil {
		w.Fatal(err)
	}
	var all []types.Instance
	for _, r := range out.Reservations {
		all = append(all, r.Instances...)
	}
	return all
}

// wantOne wants one replacement, of a type in a subnet.
func (f *fleet) wantOne(w *steptest.World, instanceType string, subnet int) {
	w.Helper()
	all := replacements(w)
	if len(all) != 1 {
		w.Fatalf("%d instances", len(all))
	}
	if i := all[0]; string(i.InstanceType) != instanceType || *i.SubnetId != f.subnets[subnet] || i.State.Name != types.InstanceStateNameRunning {
		w.Errorf("%s in %s, %s", i.InstanceType, *i.SubnetId, i.State.Name)
	}
}

func (f *fleet) scenario(prepare func(*steptest.World), edit ...func(*ec2step.LaunchSpec)) steptest.Scenario {
	return steptest.Scenario{
		Services: services,
		Prepare: func(w *steptest.World) {
			f.prepare(w)
			if prepare != nil {
				prepare(w)
			}
		},
		Plan: func(w *steptest.World, cfg awsConfig) failover.Plan { return f.plan(edit...)(w, cfg) },
		Verify: func(w *steptest.World) {
			if n := len(replacements(w)); n != 1 {
				w.Errorf("%d instances", n)
			}
		},
	}
}

// refuse has a zone without capacity for a type; empty is all types.
func refuse(w *steptest.World, zoneID, instanceType string) (heal func()) {
	w.Helper()
	z, err := w.Cloud.Zone(zoneID)
	if err != nil {
		w.Fatal(err)
	}
	return z.RefuseLaunches(instanceType)
}

// The zones of the first three subnets, by ID.
var zoneIDs = []string{"use1-az2", "use1-az3", "use1-az4"}

func TestLaunchPutsWhatOthersNeed(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		got := map[string]string{}
		plan := func(_ *steptest.World, cfg awsConfig) failover.Plan {
			look := failover.NewStep(failover.StepFuncs{ID: "look", Needs: []string{"launch"}, Plane: failover.PlaneData, Do: func(_ context.Context, env *failover.Env) error {
				got = env.Inputs["launch"]
				return nil
			}})
			return failover.Plan{Service: "orders", Steps: []failover.Step{ec2step.Launch(ec2.NewFromConfig(cfg), f.spec()), look}}
		}
		began := time.Now()
		if _, err := w.Execute(plan); err != nil {
			w.Fatal(err)
		}
		if took := time.Since(began); took > 7*time.Second {
			w.Errorf("it took %s", took)
		}
		f.wantOne(w, firstType, 0)
		i := replacements(w)[0]
		want := map[string]string{
			ec2step.InstanceKey: *i.InstanceId, ec2step.InterfaceKey: *i.NetworkInterfaces[0].NetworkInterfaceId, ec2step.PrivateIPKey: *i.PrivateIpAddress,
			ec2step.ZoneKey: *i.Placement.AvailabilityZoneId, ec2step.SubnetKey: *i.SubnetId, ec2step.TypeKey: firstType,
		}
		for k, v := range want {
			if got[k] != v {
				w.Errorf("%s is %q, want %q", k, got[k], v)
			}
		}
		wantCalls(w, "RunInstances", 1)
		if err := w.RollBack(plan); !errors.Is(err, failover.ErrIrreversible) { // the step that looks cannot be taken back
			w.Error(err)
		}
	})
}

func TestALaunchIsTakenBack(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		if _, err := w.Execute(f.plan()); err != nil {
			w.Fatal(err)
		}
		if err := w.RollBack(f.plan()); err != nil {
			w.Fatal(err)
		}
		if n := len(replacements(w)); n != 0 {
			w.Errorf("%d instances", n)
		}
	})
}

func TestALaunchClimbsTheLadder(t *testing.T) {
	t.Parallel()
	reserve := func(zone string, targeted bool) func(*steptest.World) string {
		return func(w *steptest.World) string {
			in := &ec2.CreateCapacityReservationInput{
				InstanceType: aws.String(firstType), InstancePlatform: types.CapacityReservationInstancePlatformLinuxUnix, InstanceCount: aws.Int32(1),
				AvailabilityZoneId: &zone,
			}
			if targeted {
				in.InstanceMatchCriteria = types.InstanceMatchCriteriaTargeted
			}
			out, err := admin(w).CreateCapacityReservation(w.Context(), in)
			if err != nil {
				w.Fatal(err)
			}
			return *out.CapacityReservation.CapacityReservationId
		}
	}
	for name, c := range map[string]struct {
		prepare func(*steptest.World) (reservation string)
		edit    func(*ec2step.LaunchSpec)
		kind    string
		subnet  int
		tries   int
	}{
		"first type, first zone": {kind: firstType, tries: 1},
		"same type in another zone": {prepare: func(w *steptest.World) string {
			refuse(w, zoneIDs[0], firstType)
			return ""
		}, kind: firstType, subnet: 1, tries: 2},
		"another type, when the first is nowhere": {prepare: func(w *steptest.World) string {
			for _, z := range zoneIDs {
				refuse(w, z, firstType)
			}
			return ""
		}, kind: otherType, tries: 4},
		"what is reserved comes first": {prepare: reserve(zoneIDs[2], false), kind: firstType, subnet: 2, tries: 1},
		"what is targeted comes before that": {prepare: func(w *steptest.World) string {
			reserve(zoneIDs[2], false)(w)
			return reserve(zoneIDs[1], true)(w)
		}, kind: firstType, subnet: 1, tries: 1},
		"zonal Reserved Instances": {prepare: func(w *steptest.World) string {
			if err := ec2svc.Reserve(w.Cloud, steptest.Region, ec2svc.ReservedInstances{Type: otherType, Count: 1, Zone: zoneIDs[1]}); err != nil {
				w.Fatal(err)
			}
			return ""
		}, kind: otherType, subnet: 1, tries: 1},
		"not where it failed": {edit: func(s *ec2step.LaunchSpec) {
			s.Avoid = []failover.Ref{failover.Literal(zoneIDs[0]), failover.Literal("us-east-1b")}
		}, kind: firstType, subnet: 2, tries: 1},
		"in the zone of its volume": {edit: func(s *ec2step.LaunchSpec) { s.Zone = failover.Literal(zoneIDs[1]) }, kind: firstType, subnet: 1, tries: 1},
		"not in a zone that is down": {prepare: func(w *steptest.World) string {
			z, err := w.Cloud.Zone(zoneIDs[0])
			if err != nil {
				w.Fatal(err)
			}
			z.Fail(awstest.PowerLoss)
			return ""
		}, kind: firstType, subnet: 1, tries: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f fleet
			steptest.Run(t, services, func(w *steptest.World) {
				f.prepare(w)
				reservation := ""
				if c.prepare != nil {
					reservation = c.prepare(w)
				}
				began := time.Now()
				_, err := w.Execute(f.plan(func(s *ec2step.LaunchSpec) {
					if reservation != "" {
						s.Reservations = []string{reservation}
					}
					if c.edit != nil {
						c.edit(s)
					}
				}))
				if err != nil {
					w.Fatal(err)
				}
				f.wantOne(w, c.kind, c.subnet)
				wantCalls(w, "RunInstances", c.tries)
				if took := time.Since(began); took > 7*time.Second { // refusals cost no pause
					w.Errorf("it took %s", took)
				}
				if got := aws.ToString(replacements(w)[0].CapacityReservationId); reservation != "" && got != reservation {
					w.Errorf("in %q", got)
				}
			})
		})
	}
}

func TestALaunchThatIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		var heals []func()
		for _, z := range zoneIDs {
			heals = append(heals, refuse(w, z, ""))
		}
		shortages := new(ec2step.Shortages)
		share := func(s *ec2step.LaunchSpec) { s.Shortages = shortages }
		_, err := w.Execute(f.plan(share))
		var none *ec2step.CapacityError
		if !errors.As(err, &none) || !errors.Is(err, ec2step.ErrNoCapacity) || len(none.Tried) != 6 {
			w.Fatal(err)
		}
		if n := len(shortages.List()); n != 6 {
			w.Errorf("%d shortages", n)
		}
		wantCalls(w, "RunInstances", 6)
		heals[2]()
		if _, err := w.Execute(f.plan(share)); err != nil { // whoever resumes begins a new ladder
			w.Fatal(err)
		}
		f.wantOne(w, firstType, 2)
		time.Sleep(3 * time.Minute)
		if n := len(shortages.List()); n != 0 {
			w.Errorf("%d shortages", n)
		}
	})
}

func TestALimitOfTheAccountEndsTheLadder(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "RunInstances"}, awstest.Reject(awstest.APIError{Code: "VcpuLimitExceeded"}))
		if _, err := w.Execute(f.plan()); !errors.Is(err, ec2step.ErrNoCapacity) || !strings.Contains(err.Error(), "VcpuLimitExceeded") {
			w.Error(err)
		}
		wantCalls(w, "RunInstances", 1)
		if _, err := w.Execute(f.plan(func(s *ec2step.LaunchSpec) { s.Types = append(s.Types, "g5.xlarge") })); err == nil {
			w.Error("no error")
		}
		wantCalls(w, "RunInstances", 3)
	})
}

// TestTheQuotaOfTheAccountEndsTheLadder has a real one: no other zone and no other type has more.
func TestTheQuotaOfTheAccountEndsTheLadder(t *testing.T) {
	t.Parallel()
	small := func() []awstest.Service {
		return []awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.VCPUQuota = 3 })}
	}
	var f fleet
	steptest.Run(t, small, func(w *steptest.World) {
		f.prepare(w)
		launch(w, zoneA)
		if _, err := w.Execute(f.plan()); !errors.Is(err, ec2step.ErrNoCapacity) || !strings.Contains(err.Error(), "VcpuLimitExceeded") {
			w.Error(err)
		}
		wantCalls(w, "RunInstances", 1)
	})
}

// TestALaunchHeedsTheStatesOfZones avoids a zone that is impaired, and goes last to one that is constrained.
func TestALaunchHeedsTheStatesOfZones(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		for zone, state := range map[string]types.AvailabilityZoneState{
			zoneA: types.AvailabilityZoneStateImpaired, zoneB: types.AvailabilityZoneStateConstrained,
		} {
			if _, err := ec2svc.MarkZone(w.Cloud, steptest.Region, zone, state); err != nil {
				w.Fatal(err)
			}
		}
		if _, err := w.Execute(f.plan()); err != nil {
			w.Fatal(err)
		}
		f.wantOne(w, firstType, 2)
	})
}

func TestALaunchWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(fleet).scenario(nil) }).KilledAtEachCall(t, 7)
}

// TestALadderIsClimbedWhileControllersDie has capacity come back in the zone that refused first: nothing is launched there as well.
func TestALadderIsClimbedWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		return new(fleet).scenario(func(w *steptest.World) {
			heal := refuse(w, zoneIDs[0], "")
			time.AfterFunc(100*time.Millisecond, heal)
		})
	}).KilledAtEachCall(t, 8)
}

func TestALaunchIsTakenBackWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		s := new(fleet).scenario(nil)
		s.RollBack, s.Verify = true, func(w *steptest.World) {
			if n := len(replacements(w)); n != 0 {
				w.Errorf("%d instances", n)
			}
		}
		return s
	}).KilledAtEachCall(t, 3)
}

func TestALaunchWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(fleet).scenario(nil) }).Stale(t)
}

func TestCodesOfLaunches(t *testing.T) {
	t.Parallel()
	codes := []steptest.Code{}
	for _, code := range []string{"RequestLimitExceeded", "Unavailable", "InternalError"} {
		codes = append(codes, steptest.Code{Code: code, Status: 503, Want: steptest.Retried})
	}
	for _, code := range []string{
		"InsufficientInstanceCapacity", "UnfulfillableCapacity", "Unsupported", "InsufficientFreeAddressesInSubnet", "InsufficientHostCapacity", // elsewhere
		"IdempotentInstanceTerminated", "IdempotentParameterMismatch", // under another token
		"InvalidAMIID.NotFound", "InvalidLaunchTemplateId.NotFound",
	} {
		codes = append(codes, steptest.Code{Code: code, Want: steptest.Retried})
	}
	codes[len(codes)-1].Want = steptest.Permanent
	for _, code := range []string{"VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded", "InvalidUserData.Malformed", "InvalidSubnetID.NotFound"} {
		codes = append(codes, steptest.Code{Code: code, Want: steptest.Permanent})
	}
	codes = append(codes,
		steptest.Code{Code: "UnauthorizedOperation", Status: 403, Want: steptest.Permanent},
		steptest.Code{Code: "AuthFailure.ServiceLinkedRoleCreationNotPermitted", Status: 403, Want: steptest.Permanent})
	steptest.Scenarios(func() steptest.Scenario { return new(fleet).scenario(nil) }).Codes(t, ec2.ServiceID, "RunInstances", codes)
}

// TestAnInstanceThatEndsAtOnceIsReplaced has the first instance terminated while it is pending.
func TestAnInstanceThatEndsAtOnceIsReplaced(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "RunInstances", Times: 1}, awstest.After(func(ctx context.Context, _ awstest.Record) {
			time.AfterFunc(time.Second, func() {
				in := &ec2.TerminateInstancesInput{InstanceIds: []string{*replacements(w)[0].InstanceId}}
				if _, err := admin(w).TerminateInstances(context.WithoutCancel(ctx), in); err != nil {
					w.Error(err)
				}
			})
		}))
		if _, err := w.Execute(f.plan()); err != nil {
			w.Fatal(err)
		}
		f.wantOne(w, firstType, 1)
		wantCalls(w, "RunInstances", 2)
	})
}

func TestALaunchWithoutWhatItCanDoWithout(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		for _, operation := range []string{"DescribeInstanceTypeOfferings", "DescribeCapacityReservations", "DescribeReservedInstances"} {
			w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: operation}, awstest.Hang())
		}
		began := time.Now()
		timeline, err := w.Execute(f.plan())
		if err != nil {
			w.Fatal(err)
		}
		f.wantOne(w, firstType, 0)
		if took := time.Since(began); took > 10*time.Second || !strings.Contains(timeline.String(), "placed without ec2:DescribeCapacityReservations") {
			w.Errorf("it took %s:\n%s", took, timeline)
		}
	})
}

func TestReadyOfALaunch(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		r := w.Ready(f.plan(), nil)
		if r.Level != failover.LevelWarn || !strings.Contains(r.String(), "6 candidates, first m7g.large in use1-az2") || !strings.Contains(r.String(), "no capacity is reserved") {
			w.Error(r)
		}
		if err := ec2svc.Reserve(w.Cloud, steptest.Region, ec2svc.ReservedInstances{Type: firstType, Count: 1, Zone: zoneIDs[1]}); err != nil {
			w.Fatal(err)
		}
		if r := w.Ready(f.plan(), nil); r.Level != failover.LevelPass {
			w.Error(r)
		}
		nowhere := f.plan(func(s *ec2step.LaunchSpec) { s.Zone = failover.Literal("use1-az6") })
		if r := w.Ready(nowhere, nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "no zone will do") {
			w.Error(r)
		}
		w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "RunInstances"}, awstest.Deny())
		if r := w.Ready(f.plan(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "ec2:RunInstances") {
			w.Error(r)
		}
		if n := len(replacements(w)); n != 0 {
			w.Errorf("%d instances", n)
		}
	})
}

func TestMistakesInLaunches(t *testing.T) {
	t.Parallel()
	p := failover.Plan{Service: "orders", Steps: []failover.Step{
		ec2step.Launch(nil, ec2step.LaunchSpec{ID: "a", Avoid: []failover.Ref{{}}, Zone: failover.Output("x", "zone"), Image: failover.Output("x", "image")}),
		ec2step.Launch(nil, ec2step.LaunchSpec{ID: "b", Template: ec2step.LaunchTemplate{ID: "lt-1", Name: "web", Version: "$Latest"}, Types: []string{""}}),
		ec2step.Launch(nil, ec2step.LaunchSpec{ID: "c"}),
	}}
	err := p.Validate()
	for _, text := range []string{
		"Steps[0].Avoid[0]", "Steps[0].Zone", "Steps[0].Image", "Steps[0].Types", "Steps[0].Subnets", "Steps[1].Template:", "Steps[1].Template.Version", "Steps[1].Types",
		"Steps[2].Template",
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s is not in %v", text, err)
		}
	}
}

func TestALaunchByTemplate(t *testing.T) {
	t.Parallel()
	var f fleet
	steptest.Run(t, services, func(w *steptest.World) {
		f.prepare(w)
		out, err := admin(w).CreateLaunchTemplate(w.Context(), &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: aws.String("web"), LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: aws.String("ami-87654321")},
		})
		if err != nil {
			w.Fatal(err)
		}
		for _, template := range []ec2step.LaunchTemplate{{ID: *out.LaunchTemplate.LaunchTemplateId, Version: "1"}, {Name: "web", Version: "1"}} {
			plan := f.plan(func(s *ec2step.LaunchSpec) {
				s.ID, s.Template, s.Image = "launch "+template.ID, template, failover.Ref{}
				s.Edit = func(in *ec2.RunInstancesInput) { in.KeyName, in.MaxCount = aws.String("key"), aws.Int32(9) }
			})
			engine := func(o *failover.Options) {}
			if _, err := w.Execute(func(w *steptest.World, cfg awsConfig) failover.Plan {
				p := plan(w, cfg)
				p.Service += template.Name
				return p
			}, engine); err != nil {
				w.Fatal(err)
			}
		}
		all := replacements(w)
		if len(all) != 2 || slices.ContainsFunc(all, func(i types.Instance) bool { return *i.ImageId != "ami-87654321" || *i.KeyName != "key" }) {
			w.Errorf("%+v", all)
		}
	})
}
