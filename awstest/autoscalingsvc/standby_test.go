package autoscalingsvc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func (w *world) enterStandby(decrement bool, ids ...string) error {
	_, err := w.EnterStandby(w.Context(), &autoscaling.EnterStandbyInput{AutoScalingGroupName: new("g"), InstanceIds: ids, ShouldDecrementDesiredCapacity: &decrement})
	return err
}

func (w *world) exitStandby(ids ...string) error {
	_, err := w.ExitStandby(w.Context(), &autoscaling.ExitStandbyInput{AutoScalingGroupName: new("g"), InstanceIds: ids})
	return err
}

func (w *world) detach(decrement bool, ids ...string) error {
	_, err := w.DetachInstances(w.Context(), &autoscaling.DetachInstancesInput{AutoScalingGroupName: new("g"), InstanceIds: ids, ShouldDecrementDesiredCapacity: &decrement})
	return err
}

func (w *world) attach(ids ...string) error {
	_, err := w.AttachInstances(w.Context(), &autoscaling.AttachInstancesInput{AutoScalingGroupName: new("g"), InstanceIds: ids})
	return err
}

func (w *world) wantDesired(want int32) {
	w.Helper()
	if got := *w.describe("g").DesiredCapacity; got != want {
		w.Errorf("the desired capacity is %d, want %d", got, want)
	}
}

func TestStandby(t *testing.T) {
	t.Parallel()
	t.Run("the instance drains, stays and comes back", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			tg := w.front("web")
			ids := w.group("g", 0, 4, 2, behind(tg), grace(600))
			w.serve(&answers{}, ids...)
			time.Sleep(time.Minute)
			if err := w.enterStandby(true, ids[0]); err != nil {
				t.Fatal(err)
			}
			w.wantState(ids[0], "EnteringStandby")
			w.wantDesired(1)
			if s := w.target(tg, ids[0]); s != "draining" {
				t.Errorf("it is %s", s)
			}
			time.Sleep(2 * time.Minute)
			w.wantShape("g", "InService b:1, Standby a:1")
			a := w.activities("g")[0]
			if *a.Description != "Moving EC2 instance to Standby: "+ids[0] || a.StatusCode != "Successful" || !strings.HasSuffix(*a.Cause, "was moved to standby in response to a user request, shrinking the capacity from 2 to 1.") {
				t.Errorf("%s, %s, %s", *a.Description, a.StatusCode, *a.Cause)
			}
			// Nobody looks at its health.
			w.ec2Stop(ids[0])
			time.Sleep(time.Hour)
			w.wantShape("g", "InService b:1, Standby a:1")
			w.inEC2Start(ids[0])
			time.Sleep(time.Minute)
			if err := w.exitStandby(ids[0]); err != nil {
				t.Fatal(err)
			}
			w.wantDesired(2)
			if diff := cmp.Diff([]string{"Pending", "InService"}, w.watch(ids[0], "InService")); diff != "" {
				t.Errorf("want (-), got (+): %s", diff)
			}
			if s := w.target(tg, ids[0]); s != "initial" {
				t.Errorf("it is %s", s)
			}
		})
	})
	t.Run("it is replaced if the desired capacity stays", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 0, 4, 2)
			if err := w.enterStandby(false, ids[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			w.wantShape("g", "InService a:1 b:1, Standby a:1")
			w.wantDesired(2)
			if err := w.exitStandby(ids[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			w.wantShape("g", "InService a:2 b:1")
			w.wantDesired(3)
		})
	})
	t.Run("one that has died is found out when it is back", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 0, 4, 2)
			if err := w.enterStandby(true, ids[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.ec2Terminate(ids[0])
			time.Sleep(10 * time.Minute)
			w.wantState(ids[0], "Standby")
			if err := w.exitStandby(ids[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			w.wantState(ids[0], "")
			w.wantShape("g", "InService a:1 b:1")
		})
	})
	t.Run("what is refused", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 2, 2, 2)
			svctest.WantCode(t, w.enterStandby(true, ids[0]), "ValidationError") // the minimum is 2
			svctest.WantCode(t, w.enterStandby(true), "ValidationError")
			svctest.WantCode(t, w.enterStandby(false, "i-none"), "ValidationError")
			svctest.WantCode(t, w.enterStandby(false, ids[0], ids[0]), "ValidationError")
			svctest.WantCode(t, w.exitStandby(ids[0]), "ValidationError")
			if err := w.enterStandby(false, ids[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			svctest.WantCode(t, w.enterStandby(false, ids[0]), "ValidationError")
			svctest.WantCode(t, w.exitStandby(ids[0]), "ValidationError") // the maximum is 2
			svctest.Must(w.UpdateAutoScalingGroup(w.Context(), &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: new("g"), MaxSize: new(int32(3))}))(t)
			w.suspend("g", "Launch")
			svctest.WantCode(t, w.exitStandby(ids[0]), "ValidationError")
			w.resume("g", "Launch")
			if err := w.exitStandby(ids[0]); err != nil {
				t.Error(err)
			}
			w.wantDesired(3)
		})
	})
}

func (w *world) inEC2Start(id string) {
	w.Helper()
	i := w.instance(id)
	w.inEC2(func(tx *awstest.Tx, r *ec2model.Region) {
		if _, err := r.Start(tx, []ec2model.Instance{i}); err != nil {
			w.Fatal(err)
		}
	})
}

func TestDetach(t *testing.T) {
	t.Parallel()
	t.Run("the instance drains and runs on", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			tg := w.front("web")
			ids := w.group("g", 0, 4, 2, behind(tg), grace(600))
			w.serve(&answers{}, ids...)
			time.Sleep(time.Minute)
			if err := w.detach(true, ids[0]); err != nil {
				t.Fatal(err)
			}
			w.wantState(ids[0], "Detaching")
			w.wantDesired(1)
			time.Sleep(2 * time.Minute)
			w.wantState(ids[0], "")
			w.wantShape("g", "InService b:1")
			if i, _ := w.cloud.Instance(ids[0]); !i.Running() {
				t.Error("it does not run")
			}
			for _, tag := range w.instance(ids[0]).Tags {
				if tag.Key == "aws:autoscaling:groupName" {
					t.Error("it says that it is of the group")
				}
			}
			if a := w.activities("g")[0]; *a.Description != "Detaching EC2 instance: "+ids[0] || a.StatusCode != "Successful" {
				t.Errorf("%s, %s", *a.Description, a.StatusCode)
			}
		})
	})
	t.Run("it is replaced if the desired capacity stays", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 2, 4, 2)
			svctest.WantCode(t, w.detach(true, ids[0]), "ValidationError") // the minimum is 2
			if err := w.detach(false, ids[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			w.wantShape("g", "InService a:1 b:1")
			w.wantState(ids[0], "")
			svctest.WantCode(t, w.detach(false, ids[0]), "ValidationError")
		})
	})
	t.Run("from standby", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			ids := w.group("g", 0, 4, 2)
			if err := w.enterStandby(true, ids[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if err := w.detach(true, ids[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.wantShape("g", "InService b:1")
			w.wantDesired(1)
		})
	})
}

func TestAttach(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		tg := w.front("web")
		w.group("g", 0, 2, 0, behind(tg), grace(6000))
		first, second, elsewhere, more := w.run(w.zones[0]), w.run(w.zones[1]), w.run(w.zones[2]), w.run(w.zones[0])
		svctest.WantCode(t, w.attach(elsewhere), "ValidationError") // not a zone of the group
		svctest.WantCode(t, w.attach("i-none"), "ValidationError")
		svctest.WantCode(t, w.attach(first, first), "ValidationError")
		svctest.WantCode(t, w.attach(first, second, more), "ValidationError") // more than the maximum
		w.suspend("g", "Launch")
		svctest.WantCode(t, w.attach(first), "ValidationError")
		w.resume("g", "Launch")
		if err := w.attach(first, second); err != nil {
			t.Fatal(err)
		}
		w.wantDesired(2)
		time.Sleep(time.Minute)
		w.wantShape("g", "InService a:1 b:1")
		if s := w.target(tg, first); s == "unused" {
			t.Error("it is not registered")
		}
		svctest.WantCode(t, w.attach(first), "ValidationError")
		if got := w.describe("g").Instances[0].LaunchTemplate; got != nil {
			t.Errorf("it has the launch template %v", got)
		}
		w.ec2Stop(more)
		time.Sleep(time.Minute)
		w.setDesired("g", 0) // the group owns them now
		time.Sleep(3 * time.Minute)
		w.wantState(first, "")
		if s := w.instance(first).State; s != ec2model.Terminated {
			t.Errorf("it is %s", s)
		}
		svctest.WantCode(t, w.attach(more), "ValidationError") // it does not run
	})
}

func TestTerminationOnTheWayToStandby(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		tg := w.front("web")
		ids := w.group("g", 0, 4, 1, behind(tg), grace(600))
		w.serve(&answers{}, ids...)
		time.Sleep(time.Minute)
		if err := w.enterStandby(true, ids[0]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		w.wantState(ids[0], "EnteringStandby")
		svctest.Must(w.TerminateInstanceInAutoScalingGroup(w.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{InstanceId: &ids[0], ShouldDecrementDesiredCapacity: new(false)}))(t)
		time.Sleep(10 * time.Minute)
		for _, a := range w.activities("g") {
			if a.EndTime == nil {
				t.Errorf("%s is %s", *a.Description, a.StatusCode)
			}
		}
		w.wantState(ids[0], "")
	})
}
