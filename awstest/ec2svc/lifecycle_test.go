package ec2svc_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

const (
	pending      = types.InstanceStateNamePending
	isRunning    = types.InstanceStateNameRunning
	stopping     = types.InstanceStateNameStopping
	stopped      = types.InstanceStateNameStopped
	shuttingDown = types.InstanceStateNameShuttingDown
	terminated   = types.InstanceStateNameTerminated
)

func (w *world) start(ids ...string) error {
	_, err := w.StartInstances(w.Context(), &ec2.StartInstancesInput{InstanceIds: ids})
	return err
}

func (w *world) stop(ids ...string) error {
	_, err := w.StopInstances(w.Context(), &ec2.StopInstancesInput{InstanceIds: ids})
	return err
}

func (w *world) reboot(ids ...string) error {
	_, err := w.RebootInstances(w.Context(), &ec2.RebootInstancesInput{InstanceIds: ids})
	return err
}

func (w *world) terminate(ids ...string) error {
	_, err := w.TerminateInstances(w.Context(), &ec2.TerminateInstancesInput{InstanceIds: ids})
	return err
}

func TestLifecycle(t *testing.T) {
	// A call takes a millisecond, so that each read comes just after a change.
	options := func(o *ec2svc.Options) {
		o.Pending, o.Stopping, o.ShuttingDown = 10*time.Second, 20*time.Second, 30*time.Second
	}
	t.Parallel()
	inBubbleWith(t, options, func(w *world) {
		id := w.launch(zoneA)
		machine, _ := w.cloud.Instance(id)
		after := func(d time.Duration, want types.InstanceStateName, on bool) {
			w.Helper()
			time.Sleep(d)
			w.wantState(id, want)
			if machine.Running() != on {
				w.Errorf("in state %s the machine has power: %v", want, !on)
			}
		}
		after(9*time.Second, pending, false)
		after(time.Second, isRunning, true)
		wantCode(w, w.stop(id), "")
		after(19*time.Second, stopping, false)
		after(time.Second, stopped, false)
		wantCode(w, w.start(id), "")
		after(9*time.Second, pending, false)
		after(time.Second, isRunning, true)
		wantCode(w, w.terminate(id), "")
		after(29*time.Second, shuttingDown, false)
		after(time.Second, terminated, false)
		after(59*time.Minute, terminated, false)
		time.Sleep(time.Minute)
		_, err := w.DescribeInstances(w.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		wantCode(w, err, "InvalidInstanceID.NotFound")
	})
}

func TestStateChangesAreShown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		a, b := w.running(zoneA), w.running(zoneB)
		out := must(w.StopInstances(w.Context(), &ec2.StopInstancesInput{InstanceIds: []string{a, b, a}}))(w)
		if len(out.StoppingInstances) != 2 {
			w.Fatalf("%d changes of two instances", len(out.StoppingInstances))
		}
		c := out.StoppingInstances[0]
		if diff := cmp.Diff([]any{a, isRunning, int32(16), stopping, int32(64)}, []any{*c.InstanceId, c.PreviousState.Name, *c.PreviousState.Code, c.CurrentState.Name, *c.CurrentState.Code}); diff != "" {
			w.Error(diff)
		}
		if w.instance(a).StateTransitionReason == nil {
			w.Error("no reason for the change of state")
		}
	})
}

func TestTransitionsAreCheckedAndRepeatable(t *testing.T) {
	t.Parallel()
	type op func(*world, ...string) error
	start, stop, reboot, terminate := op((*world).start), op((*world).stop), op((*world).reboot), op((*world).terminate)
	const refused = "IncorrectInstanceState"
	for name, c := range map[string]struct {
		into func(*world) string // makes an instance in a state
		do   op
		code string
		then types.InstanceStateName
	}{
		"start of a pending one":        {inState(pending), start, "", pending},
		"start of a running one":        {inState(isRunning), start, "", isRunning},
		"start while it stops":          {inState(stopping), start, refused, stopping},
		"start of a terminated one":     {inState(terminated), start, refused, terminated},
		"stop before it has ever run":   {inState(pending), stop, refused, pending},
		"stop while it starts again":    {restarted, stop, "", stopping},
		"stop while it stops":           {inState(stopping), stop, "", stopping},
		"stop of a stopped one":         {inState(stopped), stop, "", stopped},
		"stop of a terminated one":      {inState(terminated), stop, refused, terminated},
		"reboot of a running one":       {inState(isRunning), reboot, "", isRunning},
		"reboot of a stopped one":       {inState(stopped), reboot, refused, stopped},
		"reboot of a terminated one":    {inState(terminated), reboot, "", terminated},
		"terminate of a pending one":    {inState(pending), terminate, "", shuttingDown},
		"terminate of a stopped one":    {inState(stopped), terminate, "", shuttingDown},
		"terminate while it terminates": {inState(shuttingDown), terminate, "", shuttingDown},
		"terminate of a terminated one": {inState(terminated), terminate, "", terminated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id := c.into(w)
				wantCode(w, c.do(w, id), c.code)
				w.wantState(id, c.then)
			})
		})
	}
}

// inState makes instances in a state.
func inState(s types.InstanceStateName) func(*world) string {
	return func(w *world) string {
		w.Helper()
		id := w.launch(zoneA)
		if s != pending {
			time.Sleep(15 * time.Second)
		}
		switch s {
		case stopping, stopped:
			wantCode(w, w.stop(id), "")
		case shuttingDown, terminated:
			wantCode(w, w.terminate(id), "")
		}
		if s == stopped || s == terminated {
			time.Sleep(30 * time.Second)
		}
		w.wantState(id, s)
		return id
	}
}

func restarted(w *world) string {
	id := inState(stopped)(w)
	wantCode(w, w.start(id), "")
	w.wantState(id, pending)
	return id
}

func TestTransitionsAreAllOrNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		other func(*world) string // beside a running and a stopped instance
		code  string
	}{
		"one does not exist":   {func(*world) string { return "i-0123456789abcdef0" }, "InvalidInstanceID.NotFound"},
		"one is no ID":         {func(*world) string { return "web-1" }, "InvalidInstanceID.Malformed"},
		"one is shutting down": {inState(shuttingDown), "IncorrectInstanceState"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				up, down, other := inState(isRunning)(w), inState(stopped)(w), c.other(w)
				wantCode(w, w.stop(up, other), c.code)
				w.wantState(up, isRunning)
				wantCode(w, w.start(down, other), c.code)
				w.wantState(down, stopped)
				if other[:2] != "i-" || c.code == "InvalidInstanceID.NotFound" {
					wantCode(w, w.terminate(up, other), c.code)
					w.wantState(up, isRunning)
				}
			})
		})
	}
	t.Run("one zone has no room", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			a := inState(stopped)(w)
			b := w.running(zoneB)
			wantCode(w, w.stop(b), "")
			time.Sleep(time.Minute)
			heal := w.zone(zoneB).RefuseLaunches("t3.micro")
			wantCode(w, w.start(a, b), "InsufficientInstanceCapacity")
			w.wantState(a, stopped)
			heal()
			wantCode(w, w.start(a, b), "")
			w.wantState(a, pending)
		})
	})
}

func TestRebootEndsWhatRuns(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.running(zoneA)
		machine, _ := w.cloud.Instance(id)
		must(machine.Serve(80, http.NotFoundHandler()))(w)
		conn := must(w.zone(zoneA).Dial(w.Context(), "tcp", machine.PrivateIP().String()+":80"))(w)
		defer conn.Close()
		wantCode(w, w.reboot(id), "")
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			w.Error("a connection survived the reboot")
		}
		again := must(w.zone(zoneA).Dial(w.Context(), "tcp", machine.PrivateIP().String()+":80"))(w)
		again.Close()
	})
}

func TestDeadZoneHoldsUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, held, then types.InstanceStateName
		do               func(*world, ...string) error
	}{
		"a launch":      {pending, pending, isRunning, nil},
		"a stop":        {isRunning, stopping, stopped, (*world).stop},
		"a termination": {isRunning, shuttingDown, terminated, (*world).terminate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, alive := inState(c.from)(w), w.launch(zoneB)
				heal, healOther := w.zone(zoneA).Fail(awstest.PowerLoss), w.zone("use1-az3").Fail(awstest.PowerLoss)
				if c.do != nil {
					wantCode(w, c.do(w, id), "")
				}
				time.Sleep(time.Hour)
				w.wantState(id, c.held)
				w.wantState(alive, isRunning) // in another zone
				healOther()
				time.Sleep(time.Second)
				w.wantState(id, c.held)
				heal()
				time.Sleep(time.Second)
				w.wantState(id, c.then)
			})
		})
	}
	t.Run("a launch that was terminated meanwhile", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.launch(zoneA)
			heal := w.zone(zoneA).Fail(awstest.NetworkLoss)
			time.Sleep(time.Minute)
			wantCode(w, w.terminate(id), "")
			time.Sleep(time.Minute)
			heal()
			time.Sleep(time.Second)
			w.wantState(id, terminated)
		})
	})
	t.Run("nothing that is over before it matters", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.launch(zoneA)
			heal := w.zone(zoneA).Fail(awstest.PowerLoss)
			time.Sleep(5 * time.Second)
			heal()
			time.Sleep(10 * time.Second)
			w.wantState(id, isRunning)
		})
	})
}

func TestTerminatedInstanceKeepsNoNetwork(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.running(zoneA)
		nic := w.eni(id)
		wantCode(w, w.terminate(id), "")
		if len(w.instance(id).NetworkInterfaces) != 1 {
			w.Error("shutting down, it has no interface any more")
		}
		time.Sleep(time.Minute)
		i := w.instance(id)
		if i.SubnetId != nil || i.PrivateIpAddress != nil || len(i.NetworkInterfaces) != 0 {
			w.Errorf("terminated, it still shows a network: %v %v", i.SubnetId, i.NetworkInterfaces)
		}
		_, err := w.DescribeNetworkInterfaces(w.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{nic}})
		wantCode(w, err, "InvalidNetworkInterfaceID.NotFound")
		w.launch(zoneA, func(in *ec2.RunInstancesInput) { in.PrivateIpAddress = aws.String("172.31.80.4") }) // is free again
	})
}

func TestStatusChecks(t *testing.T) {
	t.Parallel()
	type result struct{ System, Instance types.SummaryStatus }
	const ok, impaired, initializing = types.SummaryStatusOk, types.SummaryStatusImpaired, types.SummaryStatusInitializing
	check := func(w *world, id string) result {
		w.Helper()
		out := must(w.DescribeInstanceStatus(w.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}))(w)
		if len(out.InstanceStatuses) != 1 {
			w.Fatalf("%d statuses of %s", len(out.InstanceStatuses), id)
		}
		s := out.InstanceStatuses[0]
		return result{s.SystemStatus.Status, s.InstanceStatus.Status}
	}
	for name, c := range map[string]struct {
		fail func(*world, *awstest.Instance) (heal func())
		want result // once it is seen
	}{
		"a zone loses power":       {func(w *world, _ *awstest.Instance) func() { return w.zone(zoneA).Fail(awstest.PowerLoss) }, result{impaired, impaired}},
		"a zone loses its network": {func(w *world, _ *awstest.Instance) func() { return w.zone(zoneA).Fail(awstest.NetworkLoss) }, result{impaired, impaired}},
		"a machine crashes":        {func(_ *world, i *awstest.Instance) func() { return i.Fail(awstest.PowerLoss) }, result{ok, impaired}},
		"a machine is cut off":     {func(_ *world, i *awstest.Instance) func() { return i.Fail(awstest.NetworkLoss) }, result{ok, impaired}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id, other := w.running(zoneA), w.running(zoneB)
				machine, _ := w.cloud.Instance(id)
				want := func(after time.Duration, want result) {
					w.Helper()
					time.Sleep(after)
					if diff := cmp.Diff(want, check(w, id)); diff != "" {
						w.Error(diff)
					}
				}
				want(0, result{initializing, initializing})
				want(2*time.Minute, result{ok, ok})
				heal := c.fail(w, machine)
				want(119*time.Second, result{ok, ok}) // not seen yet
				want(time.Second, c.want)
				if diff := cmp.Diff(result{ok, ok}, check(w, other)); diff != "" {
					w.Errorf("in the other zone: %s", diff)
				}
				w.wantState(id, isRunning)
				heal()
				want(119*time.Second, c.want)
				want(time.Second, result{ok, ok})
			})
		})
		t.Run(name+" before the checks have passed", func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				id := w.running(zoneA)
				machine, _ := w.cloud.Instance(id)
				time.Sleep(time.Minute)
				defer c.fail(w, machine)()
				for range 119 {
					time.Sleep(time.Second)
					if diff := cmp.Diff(result{initializing, initializing}, check(w, id)); diff != "" {
						w.Fatal(diff)
					}
				}
				time.Sleep(time.Second)
				if diff := cmp.Diff(c.want, check(w, id)); diff != "" {
					w.Error(diff)
				}
			})
		})
	}
	t.Run("a reboot starts them anew", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.running(zoneA)
			time.Sleep(time.Hour)
			wantCode(w, w.reboot(id), "")
			if diff := cmp.Diff(result{initializing, initializing}, check(w, id)); diff != "" {
				w.Error(diff)
			}
		})
	})
	t.Run("only of running instances unless all are asked for", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			up, down := w.running(zoneA), inState(stopped)(w)
			list := func(in *ec2.DescribeInstanceStatusInput) (got []string) {
				for _, s := range must(w.DescribeInstanceStatus(w.Context(), in))(w).InstanceStatuses {
					got = append(got, *s.InstanceId+" "+string(s.SystemStatus.Status))
				}
				return got
			}
			if diff := cmp.Diff([]string{up + " initializing"}, list(&ec2.DescribeInstanceStatusInput{})); diff != "" {
				w.Error(diff)
			}
			all := &ec2.DescribeInstanceStatusInput{IncludeAllInstances: aws.Bool(true)}
			if diff := cmp.Diff([]string{up + " initializing", down + " not-applicable"}, list(all)); diff != "" {
				w.Error(diff)
			}
			all.Filters = []types.Filter{filter("instance-state-name", "stopped"), filter("availability-zone-id", zoneA), filter("system-status.status", "not-*")}
			if diff := cmp.Diff([]string{down + " not-applicable"}, list(all)); diff != "" {
				w.Error(diff)
			}
		})
	})
}

func TestWaitersEnd(t *testing.T) {
	t.Parallel()
	one := func(id string) *ec2.DescribeInstancesInput {
		return &ec2.DescribeInstancesInput{InstanceIds: []string{id}}
	}
	t.Run("when the state is there", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.launch(zoneA)
			wait := func(err error) {
				w.Helper()
				if err != nil {
					w.Fatal(err)
				}
			}
			wait(ec2.NewInstanceExistsWaiter(w.Client).Wait(w.Context(), one(id), time.Hour))
			wait(ec2.NewInstanceRunningWaiter(w.Client).Wait(w.Context(), one(id), time.Hour))
			wait(ec2.NewInstanceStatusOkWaiter(w.Client).Wait(w.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}, time.Hour))
			wait(ec2.NewSystemStatusOkWaiter(w.Client).Wait(w.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}, time.Hour))
			wantCode(w, w.stop(id), "")
			wait(ec2.NewInstanceStoppedWaiter(w.Client).Wait(w.Context(), one(id), time.Hour))
			wantCode(w, w.terminate(id), "")
			wait(ec2.NewInstanceTerminatedWaiter(w.Client).Wait(w.Context(), one(id), time.Hour))
			nic := must(w.CreateNetworkInterface(w.Context(), &ec2.CreateNetworkInterfaceInput{SubnetId: aws.String(w.subnet(zoneA))}))(w)
			wait(ec2.NewNetworkInterfaceAvailableWaiter(w.Client).Wait(w.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*nic.NetworkInterface.NetworkInterfaceId}}, time.Hour))
		})
	})
	t.Run("at their deadline in a dead zone", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.launch(zoneA)
			defer w.zone(zoneA).Fail(awstest.PowerLoss)()
			began := time.Now()
			err := ec2.NewInstanceRunningWaiter(w.Client).Wait(w.Context(), one(id), 5*time.Minute)
			if took := time.Since(began); err == nil || took < 4*time.Minute || took > 6*time.Minute {
				w.Errorf("ended after %v with %v", took, err)
			}
		})
	})
}

func TestStuckInstanceStaysPendingUntilHealed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		id := w.launch(zoneA)
		heal := must(w.cloud.Stick(id))(w)
		again := must(w.cloud.Stick(id))(w)
		time.Sleep(time.Hour)
		w.wantState(id, pending)
		heal()
		heal() // heals nothing but its own
		time.Sleep(time.Hour)
		w.wantState(id, pending)
		again()
		w.wantState(id, isRunning)

		// Other instances are not held up, nor is a zone's heal enough.
		other := w.launch(zoneA)
		defer must(w.cloud.Stick(other))(w)()
		w.zone(zoneA).Fail(awstest.PowerLoss)()
		time.Sleep(time.Hour)
		w.wantState(other, pending)
		w.wantState(id, isRunning)
	})
	inBubble(t, func(w *world) {
		var wrong *awstest.FieldError
		if _, err := w.cloud.Stick(""); !errors.As(err, &wrong) {
			w.Errorf("no resource: %v", err)
		}
	})
}
