package ec2step_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/internal/steptest"
)

// moved is two instances in a zone, and a volume on the first one, which goes to the second.
type moved struct{ from, to, volume string }

func (m *moved) prepare(w *steptest.World) {
	m.from, m.to = launch(w, zoneA), launch(w, zoneA)
	m.volume = volume(w, zoneA, m.from)
}

// plan fences, detaches and attaches.
func (m *moved) plan(_ *steptest.World, cfg awsConfig) failover.Plan {
	api := ec2.NewFromConfig(cfg)
	return failover.Plan{Service: "orders", Steps: []failover.Step{
		ec2step.Fence(api, ec2step.FenceSpec{ID: "fence", Instance: failover.Literal(m.from)}),
		ec2step.Detach(api, ec2step.DetachSpec{
			ID: "detach", Needs: []string{"fence"}, Volume: failover.Literal(m.volume), Instance: failover.Literal(m.from), FencedBy: "fence",
		}),
		ec2step.Attach(api, ec2step.AttachSpec{ID: "attach", Needs: []string{"detach"}, Volume: failover.Literal(m.volume), Instance: failover.Literal(m.to)}),
	}}
}

// attach is the plan without its first two steps.
func (m *moved) attach(edit ...func(*ec2step.AttachSpec)) steptest.Plan {
	return only(func(api *ec2.Client) failover.Step {
		s := ec2step.AttachSpec{ID: "attach", Volume: failover.Literal(m.volume), Instance: failover.Literal(m.to)}
		for _, fn := range edit {
			fn(&s)
		}
		return ec2step.Attach(api, s)
	})
}

// detach is the step alone: of an instance that runs.
func (m *moved) detach(edit ...func(*ec2step.DetachSpec)) steptest.Plan {
	return only(func(api *ec2.Client) failover.Step {
		s := ec2step.DetachSpec{ID: "detach", Volume: failover.Literal(m.volume), Instance: failover.Literal(m.from)}
		for _, fn := range edit {
			fn(&s)
		}
		return ec2step.Detach(api, s)
	})
}

func (m *moved) on(w *steptest.World, want string) {
	w.Helper()
	if got, state, _ := attachedTo(w, m.volume); got != want || want != "" && state != types.VolumeAttachmentStateAttached {
		w.Errorf("the volume is %s to %q, want %q", state, got, want)
	}
}

func (m *moved) scenario() steptest.Scenario {
	return steptest.Scenario{Services: services, Prepare: m.prepare, Plan: m.plan, Verify: func(w *steptest.World) {
		m.on(w, m.to)
		wantState(w, m.from, types.InstanceStateNameStopped)
		for _, operation := range []string{"DetachVolume", "AttachVolume"} {
			if _, applied := w.Calls(operation); applied != 1 {
				w.Errorf("%d %s were applied", applied, operation)
			}
		}
	}}
}

func TestAVolumeMovesToAnotherInstance(t *testing.T) {
	t.Parallel()
	var m moved
	steptest.Run(t, services, func(w *steptest.World) {
		m.prepare(w)
		if _, err := w.Execute(m.plan); err != nil {
			w.Fatal(err)
		}
		m.scenario().Verify(w)
		for _, operation := range []string{"StopInstances", "DetachVolume", "AttachVolume"} {
			wantCalls(w, operation, 1)
		}
		if err := w.RollBack(m.plan); err != nil {
			w.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		m.on(w, m.from)
		wantState(w, m.from, types.InstanceStateNameRunning)
		if _, _, device := attachedTo(w, m.volume); device != "/dev/sdf" {
			w.Errorf("device %s", device)
		}
	})
}

func TestAVolumeMovesWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario { return new(moved).scenario() }).KilledAtEachCall(t, 9)
}

func TestAVolumeMovesBackWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		m := new(moved)
		s := m.scenario()
		s.RollBack, s.Verify = true, func(w *steptest.World) { m.on(w, m.from) }
		return s
	}).KilledAtEachCall(t, 6)
}

func TestAVolumeMovesWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		m := new(moved)
		s := m.scenario()
		s.Verify = func(w *steptest.World) { m.on(w, m.to) } // what is repeated is refused, or does nothing
		return s
	}).Stale(t)
}

func TestCodesOfDetach(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		m := new(moved)
		return steptest.Scenario{
			Services: services, Prepare: m.prepare, Verify: func(w *steptest.World) { m.on(w, "") },
			Plan: func(w *steptest.World, cfg awsConfig) failover.Plan { return m.detach()(w, cfg) },
		}
	}).Codes(t, ec2.ServiceID, "DetachVolume", []steptest.Code{
		{Code: "RequestLimitExceeded", Status: 503, Want: steptest.Retried},
		{Code: "Unavailable", Status: 503, Want: steptest.Retried},
		{Code: "InvalidVolume.NotFound", Want: steptest.Retried},
		{Code: "IncorrectState", Want: steptest.Retried},
		{Code: "InvalidAttachment.NotFound", Want: steptest.Retried},
		{Code: "UnauthorizedOperation", Status: 403, Want: steptest.Permanent},
		{Code: "UnsupportedOperation", Want: steptest.Permanent},
		{Code: "IncorrectState", Message: "detached meanwhile", Want: steptest.Success, Before: func(w *steptest.World) {
			if _, err := admin(w).DetachVolume(w.Context(), &ec2.DetachVolumeInput{VolumeId: theVolume(w)}); err != nil {
				w.Error(err)
			}
		}},
	})
}

// theVolume is the one that is no root volume.
func theVolume(w *steptest.World) *string {
	w.Helper()
	out, err := admin(w).DescribeVolumes(w.Context(), &ec2.DescribeVolumesInput{Filters: []types.Filter{{Name: new("size"), Values: []string{"10"}}}})
	if err != nil {
		w.Fatal(err)
	}
	return out.Volumes[0].VolumeId
}

func TestCodesOfAttach(t *testing.T) {
	t.Parallel()
	var to string // the same in each world
	steptest.Run(t, services, func(w *steptest.World) { launch(w, zoneA); to = launch(w, zoneA) })
	steptest.Scenarios(func() steptest.Scenario {
		m := new(moved)
		return steptest.Scenario{
			Services: services, Verify: func(w *steptest.World) { m.on(w, m.to) },
			Prepare: func(w *steptest.World) {
				m.from, m.to = launch(w, zoneA), launch(w, zoneA)
				m.volume = volume(w, zoneA, "")
			},
			Plan: func(w *steptest.World, cfg awsConfig) failover.Plan { return m.attach()(w, cfg) },
		}
	}).Codes(t, ec2.ServiceID, "AttachVolume", []steptest.Code{
		{Code: "RequestLimitExceeded", Status: 503, Want: steptest.Retried},
		{Code: "InternalError", Status: 500, Want: steptest.Retried},
		{Code: "IncorrectState", Want: steptest.Retried},
		{Code: "VolumeInUse", Want: steptest.Retried},
		{Code: "InvalidInstanceID.NotFound", Want: steptest.Retried},
		{Code: "InvalidParameterValue", Message: "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use", Want: steptest.Retried},
		{Code: "InvalidVolume.ZoneMismatch", Want: steptest.Permanent},
		{Code: "AttachmentLimitExceeded", Want: steptest.Permanent},
		{Code: "UnsupportedOperationException", Want: steptest.Permanent},
		{Code: "UnauthorizedOperation", Status: 403, Want: steptest.Permanent},
		{Code: "VolumeInUse", Message: "on our instance already", Want: steptest.Success, Before: func(w *steptest.World) {
			_, err := admin(w).AttachVolume(w.Context(), &ec2.AttachVolumeInput{VolumeId: theVolume(w), InstanceId: &to, Device: new("/dev/sdg")})
			if err != nil {
				w.Error(err)
			}
		}},
	})
}

//go:fix inline
func TestAVolumeThatAnotherInstanceKeepsIsLeftToIt(t *testing.T) {
	t.Parallel()
	var m moved
	steptest.Run(t, services, func(w *steptest.World) {
		m.prepare(w)
		if _, err := w.Execute(m.attach()); !errors.Is(err, ec2step.ErrHeld) || !strings.Contains(err.Error(), m.from) {
			w.Error(err)
		}
		m.on(w, m.from)
		wantCalls(w, "DetachVolume", 0)
	})
}

func TestAVolumeIsWaitedForWhileItsHolderLetsGo(t *testing.T) {
	t.Parallel()
	var m moved
	steptest.Run(t, services, func(w *steptest.World) {
		m.prepare(w)
		time.AfterFunc(20*time.Second, func() {
			if _, err := admin(w).DetachVolume(w.Context(), &ec2.DetachVolumeInput{VolumeId: &m.volume}); err != nil {
				w.Error(err)
			}
		})
		if _, err := w.Execute(m.attach()); err != nil {
			w.Error(err)
		}
		m.on(w, m.to)
	})
}

func TestATakenDeviceNameIsPassedOver(t *testing.T) {
	t.Parallel()
	var m moved
	steptest.Run(t, services, func(w *steptest.World) {
		m.prepare(w)
		other := volume(w, zoneA, m.to) // as /dev/sdf
		attached, _, _ := attachedTo(w, other)
		if attached != m.to {
			w.Fatal(attached)
		}
		if _, err := w.Execute(m.plan); err != nil {
			w.Fatal(err)
		}
		if _, _, device := attachedTo(w, m.volume); device != "/dev/sdg" {
			w.Errorf("device %s", device)
		}
		wantCalls(w, "AttachVolume", 2)
	})
}

func TestAnInstanceWithoutADeviceNameToGive(t *testing.T) {
	t.Parallel()
	var m moved
	steptest.Run(t, services, func(w *steptest.World) {
		m.prepare(w)
		volume(w, zoneA, m.to)
		m.volume = volume(w, zoneA, "")
		_, err := w.Execute(m.attach(func(s *ec2step.AttachSpec) { s.Devices = []string{"/dev/sdf"} }))
		if err == nil || !strings.Contains(err.Error(), "none of 1 device names") {
			w.Error(err)
		}
	})
}

// TestAVolumeThatIsAttachingForEver has one that gets nowhere until it is detached.
func TestAVolumeThatIsAttachingForEver(t *testing.T) {
	t.Parallel()
	var m moved
	steptest.Run(t, services, func(w *steptest.World) {
		m.prepare(w)
		m.volume = volume(w, zoneA, "")
		heal, err := w.Cloud.Stick(m.volume)
		if err != nil {
			w.Fatal(err)
		}
		w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "DetachVolume"}, awstest.After(func(context.Context, awstest.Record) { heal() }))
		began := time.Now()
		if _, err := w.Execute(m.attach()); err != nil {
			w.Fatal(err)
		}
		m.on(w, m.to)
		if took := time.Since(began); took < 90*time.Second || took > 110*time.Second {
			w.Errorf("it took %s", took)
		}
		if _, _, device := attachedTo(w, m.volume); device != "/dev/sdg" {
			w.Errorf("device %s", device)
		}
	})
}

func TestForceOnlyAfterAFence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plan func(*moved) steptest.Plan
		want error
	}{
		"fenced": {func(m *moved) steptest.Plan { return m.plan }, nil},
		"not fenced": {func(m *moved) steptest.Plan {
			return m.detach(func(s *ec2step.DetachSpec) { s.Timeout = 5 * time.Minute })
		}, failover.ErrStepTimeout},
		"a fence that fences something else": {func(m *moved) steptest.Plan {
			return func(_ *steptest.World, cfg awsConfig) failover.Plan {
				api := ec2.NewFromConfig(cfg)
				return failover.Plan{Service: "orders", Steps: []failover.Step{
					ec2step.Fence(api, ec2step.FenceSpec{ID: "fence", Instance: failover.Literal(m.to)}),
					ec2step.Detach(api, ec2step.DetachSpec{
						ID: "detach", Needs: []string{"fence"}, Volume: failover.Literal(m.volume), Instance: failover.Literal(m.from), FencedBy: "fence",
						Timeout: 5 * time.Minute,
					}),
				}}
			}
		}, ec2step.ErrNotFenced},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m moved
			steptest.Run(t, services, func(w *steptest.World) {
				m.prepare(w)
				if _, err := w.Cloud.Stick(m.volume); err != nil {
					w.Fatal(err)
				}
				release, err := ec2svc.MountVolume(w.Cloud, steptest.Region, m.volume)
				if err != nil {
					w.Fatal(err)
				}
				defer release()
				_, err = w.Execute(c.plan(&m), func(o *failover.Options) { o.StepTimeout = 5 * time.Minute })
				forced := false
				for _, call := range w.Cloud.Calls(awstest.Match{Service: ec2.ServiceID, Operation: "DetachVolume"}) {
					in, ok := call.Input.(*ec2.DetachVolumeInput)
					forced = forced || ok && in.Force != nil && *in.Force
				}
				if want := c.want == nil; forced != want {
					w.Errorf("by force: %v, want %v: %v", forced, want, err)
				}
				if c.want != nil && !errors.Is(err, c.want) {
					w.Error(err)
				}
			})
		})
	}
}

func TestReadyOfAVolume(t *testing.T) {
	t.Parallel()
	var m moved
	steptest.Run(t, services, func(w *steptest.World) {
		m.prepare(w)
		if r := w.Ready(m.plan, nil); r.Level != failover.LevelPass {
			w.Error(r)
		}
		far := moved{from: m.from, to: launch(w, zoneB), volume: m.volume}
		if r := w.Ready(far.attach(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "never leaves its zone") {
			w.Error(r)
		}
		elsewhere := moved{from: m.to, to: m.to, volume: m.volume}
		if r := w.Ready(elsewhere.detach(), nil); !strings.Contains(r.String(), "is attached to "+m.from) {
			w.Error(r)
		}
		unknown := moved{from: m.from, to: m.to, volume: "vol-0123456789abcdef0"}
		if r := w.Ready(unknown.attach(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "vol-0123456789abcdef0") {
			w.Error(r)
		}
		w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "AttachVolume"}, awstest.Deny())
		if r := w.Ready(m.attach(), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "ec2:AttachVolume") {
			w.Error(r)
		}
		m.on(w, m.from)
	})
}

func TestMistakesInVolumes(t *testing.T) {
	t.Parallel()
	p := failover.Plan{Service: "orders", Steps: []failover.Step{
		ec2step.Detach(nil, ec2step.DetachSpec{ID: "detach", FencedBy: "fence", ForceAfter: -1}),
		ec2step.Attach(nil, ec2step.AttachSpec{ID: "attach", Volume: failover.Output("restore", "volume"), Devices: []string{""}}),
		ec2step.Fence(nil, ec2step.FenceSpec{ID: "fence"}),
	}}
	err := p.Validate()
	for _, text := range []string{
		"Steps[0].Volume", "Steps[0].Instance", "Steps[0].FencedBy", "Steps[0].ForceAfter", "Steps[1].Volume", "Steps[1].Instance", "Steps[1].Devices",
		"Steps[2].Instance",
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s is not in %v", text, err)
		}
	}
}
