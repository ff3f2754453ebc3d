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
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/ec2step"
	"github.com/awsha/awsha/failover/internal/steptest"
)

// fencing is a plan that stops what is in *id.
func fencing(id *string, edit ...func(*ec2step.FenceSpec)) steptest.Plan {
	return only(func(api *ec2.Client) failover.Step {
		s := ec2step.FenceSpec{ID: "fence", Instance: failover.Literal(*id)}
		for _, fn := range edit {
			fn(&s)
		}
		return ec2step.Fence(api, s)
	})
}

// fenced is a scenario in which an instance is stopped.
func fenced() steptest.Scenario {
	id := new(string)
	return steptest.Scenario{
		Services: services,
		Prepare:  func(w *steptest.World) { *id = launch(w, zoneA) },
		Plan:     func(w *steptest.World, cfg awsConfig) failover.Plan { return fencing(id)(w, cfg) },
		Verify:   func(w *steptest.World) { wantState(w, *id, types.InstanceStateNameStopped) },
	}
}

func TestFenceStopsByForceAndWaits(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id := launch(w, zoneA)
		began := time.Now()
		if _, err := w.Execute(fencing(&id)); err != nil {
			w.Fatal(err)
		}
		wantState(w, id, types.InstanceStateNameStopped)
		if took := time.Since(began); took > 7*time.Second {
			w.Errorf("it took %s", took)
		}
		wantCalls(w, "StopInstances", 1)
		in, ok := w.Cloud.Calls(awstest.Match{Service: ec2.ServiceID, Operation: "StopInstances"})[0].Input.(*ec2.StopInstancesInput)
		if !ok || !*in.Force || !*in.SkipOsShutdown {
			w.Errorf("%+v", in)
		}
		if err := w.RollBack(fencing(&id)); err != nil {
			w.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		wantState(w, id, types.InstanceStateNameRunning)
	})
}

func TestFenceDoesNothingToWhatIsStopped(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id := launch(w, zoneA)
		if _, err := admin(w).TerminateInstances(w.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
			w.Fatal(err)
		}
		if _, err := w.Execute(fencing(&id)); err != nil {
			w.Fatal(err)
		}
		wantState(w, id, types.InstanceStateNameTerminated)
		if made, _ := w.Calls("StopInstances"); made > 1 {
			w.Errorf("%d calls", made)
		}
		if err := w.RollBack(fencing(&id)); err != nil && !errors.Is(err, failover.ErrIrreversible) {
			w.Error(err)
		}
		wantCalls(w, "StartInstances", 0)
	})
}

func TestFenceInADeadZone(t *testing.T) {
	t.Parallel()
	for unconfirmed, want := range map[bool]error{true: nil, false: failover.ErrStepTimeout} {
		steptest.Run(t, services, func(w *steptest.World) {
			id := launch(w, zoneA)
			zone, err := w.Cloud.Zone("use1-az2")
			if err != nil {
				w.Fatal(err)
			}
			heal := zone.Fail(awstest.PowerLoss)
			began := time.Now()
			plan := fencing(&id, func(s *ec2step.FenceSpec) { s.Unconfirmed, s.Timeout = unconfirmed, time.Minute })
			if _, err := w.Execute(plan); !errors.Is(err, want) {
				w.Errorf("unconfirmed %v: %v", unconfirmed, err)
			}
			if took := time.Since(began); unconfirmed && took > time.Second {
				w.Errorf("it took %s", took)
			}
			heal()
			time.Sleep(time.Minute)
			wantState(w, id, types.InstanceStateNameStopped)
		})
	}
}

func TestFenceDiesAtEachCall(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(fenced).KilledAtEachCall(t, 3)
}

func TestFenceBehind(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(fenced).Stale(t)
}

func TestFenceCodes(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(fenced).Codes(t, ec2.ServiceID, "StopInstances", []steptest.Code{
		{Code: "RequestLimitExceeded", Status: 503, Want: steptest.Retried},
		{Code: "Unavailable", Status: 503, Want: steptest.Retried},
		{Code: "InternalError", Status: 500, Want: steptest.Retried},
		{Code: "IncorrectInstanceState", Message: "The pending instance 'i-1' is not in a valid state for this operation.", Want: steptest.Retried},
		{Code: "InvalidInstanceID.NotFound", Want: steptest.Retried},
		{Code: "UnauthorizedOperation", Status: 403, Want: steptest.Permanent},
		{Code: "AuthFailure", Status: 401, Want: steptest.Permanent},
		{Code: "UnsupportedOperation", Want: steptest.Permanent},
		{Code: "IncorrectInstanceState", Message: "This instance 'i-1' is not in a state from which it can be stopped.", Want: steptest.Retried},
	})
}

func TestFenceOfAnUnknownInstance(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id := "i-0123456789abcdef0"
		began := time.Now()
		_, err := w.Execute(fencing(&id))
		if err == nil || !strings.Contains(err.Error(), "ec2:DescribeInstances "+id) {
			w.Error(err)
		}
		if took := time.Since(began); took > 70*time.Second {
			w.Errorf("it took %s", took)
		}
		r := w.Ready(fencing(&id), nil)
		if r.Level != failover.LevelFail || !strings.Contains(r.String(), id) {
			w.Error(r)
		}
	})
}

func TestFenceReady(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id := launch(w, zoneA, func(in *ec2.RunInstancesInput) {
			in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{}}}
		})
		if r := w.Ready(fencing(&id), nil); r.Level != failover.LevelPass {
			w.Error(r)
		}
		heal := w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "StopInstances"}, awstest.Deny())
		if r := w.Ready(fencing(&id), nil); r.Level != failover.LevelFail || !strings.Contains(r.String(), "ec2:StopInstances "+id+": denied") {
			w.Error(r)
		}
		heal()
		wantState(w, id, types.InstanceStateNameRunning)
	})
}

// TestFenceAndASecondWriter has somebody start the instance again while it stops: the fence is only done when it is down.
func TestFenceAndASecondWriter(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		id := launch(w, zoneA)
		w.Inject(awstest.Match{Service: ec2.ServiceID, Operation: "StopInstances", Times: 1}, awstest.After(func(ctx context.Context, _ awstest.Record) {
			time.AfterFunc(5500*time.Millisecond, func() {
				_, _ = admin(w).StartInstances(context.WithoutCancel(ctx), &ec2.StartInstancesInput{InstanceIds: []string{id}})
			})
		}))
		// A poll in between would see it stopped, and be right.
		if _, err := w.Execute(fencing(&id), func(o *failover.Options) { o.PollInterval = 7 * time.Second }); err != nil {
			w.Fatal(err)
		}
		wantState(w, id, types.InstanceStateNameStopped)
		wantCalls(w, "StopInstances", 2)
	})
}
