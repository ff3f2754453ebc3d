package autoscalingsvc_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

const (
	launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
)

func hook(name, transition string, heartbeat int32, result string) types.LifecycleHookSpecification {
	return types.LifecycleHookSpecification{LifecycleHookName: &name, LifecycleTransition: &transition, HeartbeatTimeout: &heartbeat, DefaultResult: &result}
}

func withHooks(hooks ...types.LifecycleHookSpecification) func(*autoscaling.CreateAutoScalingGroupInput) {
	return func(in *autoscaling.CreateAutoScalingGroupInput) { in.LifecycleHookSpecificationList = hooks }
}

func (w *world) complete(hook, instance, result string) error {
	_, err := w.CompleteLifecycleAction(w.Context(), &autoscaling.CompleteLifecycleActionInput{
		AutoScalingGroupName: new("g"), LifecycleHookName: &hook, InstanceId: &instance, LifecycleActionResult: &result,
	})
	return err
}

func (w *world) heartbeat(hook, instance string) error {
	_, err := w.RecordLifecycleActionHeartbeat(w.Context(), &autoscaling.RecordLifecycleActionHeartbeatInput{
		AutoScalingGroupName: new("g"), LifecycleHookName: &hook, InstanceId: &instance,
	})
	return err
}

// only returns the one instance of the group g, in whatever state.
func (w *world) only() string {
	w.Helper()
	list := w.describe("g").Instances
	if len(list) != 1 {
		w.Fatalf("%d instances, want one: %s", len(list), w.shape("g"))
	}
	return *list[0].InstanceId
}

func (w *world) statusOf(prefix string) string {
	w.Helper()
	for _, a := range w.activities("g") {
		if strings.HasPrefix(*a.Description, prefix) {
			return string(a.StatusCode)
		}
	}
	return ""
}

// An instance asks its metadata service where it is going, and is told so before it is there.
func TestInstanceKnowsItsTargetState(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 1, 1, withHooks(hook("ready", launching, 3600, "ABANDON"), hook("drain", terminating, 3600, "CONTINUE")))
		id := w.only()
		machine, ok := w.cloud.Instance(id)
		if !ok {
			w.Fatal("there is no machine")
		}
		metadata := imds.NewFromConfig(machine.Config())
		want := func(state, target string) {
			w.Helper()
			w.wantState(id, state)
			out, err := metadata.GetMetadata(w.Context(), &imds.GetMetadataInput{Path: "autoscaling/target-lifecycle-state"})
			if err != nil {
				w.Fatal(err)
			}
			if got := string(svctest.Must(io.ReadAll(out.Content))(w)); got != target {
				w.Errorf("%s: the target is %s, want %s", state, got, target)
			}
		}
		time.Sleep(time.Minute)
		want("Pending:Wait", "InService")
		if err := w.complete("ready", id, "CONTINUE"); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		want("InService", "InService")
		if err := w.enterStandby(true, id); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		want("Standby", "Standby")
		if err := w.exitStandby(id); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := w.complete("ready", id, "CONTINUE"); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		want("InService", "InService")
		w.setDesired("g", 0)
		time.Sleep(time.Minute)
		want("Terminating:Wait", "Terminated")
	})
	inBubble(t, func(w *world) { // of no group
		machine, _ := w.cloud.Instance(w.run(w.zones[0]))
		_, err := imds.NewFromConfig(machine.Config()).GetMetadata(w.Context(), &imds.GetMetadataInput{Path: "autoscaling/target-lifecycle-state"})
		var status interface{ HTTPStatusCode() int }
		if !errors.As(err, &status) || status.HTTPStatusCode() != http.StatusNotFound {
			w.Error(err)
		}
	})
}

func TestHookOfALaunch(t *testing.T) {
	t.Parallel()
	t.Run("the instance waits until it is completed", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			tg := w.front("web")
			w.group("g", 0, 1, 1, withHooks(hook("ready", launching, 3600, "ABANDON")), behind(tg))
			id := w.only()
			time.Sleep(50 * time.Minute)
			w.wantState(id, "Pending:Wait")
			if s := w.statusOf("Launching"); s != "MidLifecycleAction" {
				t.Errorf("the activity is %s", s)
			}
			if s := w.target(tg, id); s != "unused" {
				t.Errorf("it is registered, as %s", s)
			}
			if err := w.complete("ready", id, "CONTINUE"); err != nil {
				t.Fatal(err)
			}
			w.wantState(id, "Pending:Proceed")
			time.Sleep(2 * time.Second)
			w.wantState(id, "InService")
			if s := w.target(tg, id); s != "initial" {
				t.Errorf("as a target it is %s", s)
			}
			svctest.WantCode(t, w.complete("ready", id, "CONTINUE"), "ValidationError")
		})
	})
	t.Run("the states are gone through in order", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			svctest.Must(w.CreateAutoScalingGroup(w.Context(), w.input("g", 0, 1, 1, withHooks(hook("a", launching, 30, "CONTINUE"), hook("b", terminating, 30, "CONTINUE")))))(t)
			time.Sleep(6 * time.Second)
			id := w.only()
			want := []string{"Pending", "Pending:Wait", "Pending:Proceed", "InService"}
			if diff := cmp.Diff(want, w.watch(id, "InService")); diff != "" {
				t.Errorf("want (-), got (+): %s", diff)
			}
			w.setDesired("g", 0)
			want = []string{"InService", "Terminating", "Terminating:Wait", "Terminating:Proceed", ""}
			if diff := cmp.Diff(want, w.watch(id, "")); diff != "" {
				t.Errorf("want (-), got (+): %s", diff)
			}
		})
	})
	t.Run("abandoned, it is terminated and replaced", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 1, 1, withHooks(hook("ready", launching, 3600, "CONTINUE")))
			id := w.only()
			if err := w.complete("ready", id, "ABANDON"); err != nil {
				t.Fatal(err)
			}
			w.wantState(id, "Terminating")
			time.Sleep(2 * time.Minute)
			if next := w.only(); next == id {
				t.Errorf("it is still %s", id)
			}
			for _, a := range w.activities("g") {
				if strings.HasPrefix(*a.Description, "Launching a new EC2 instance: "+id) {
					if a.StatusCode != "Cancelled" || !strings.HasPrefix(*a.StatusMessage, "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token ") ||
						!strings.HasSuffix(*a.StatusMessage, " was abandoned: Lifecycle Action Completed with ABANDON Result") {
						t.Errorf("%s, %s", a.StatusCode, *a.StatusMessage)
					}
				}
			}
		})
	})
	for result, then := range map[string]string{"CONTINUE": "InService", "ABANDON": ""} {
		t.Run("with the default result "+result+", when the heartbeat timeout has passed", func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.group("g", 0, 1, 1, withHooks(hook("ready", launching, 300, result)))
				id := w.only()
				time.Sleep(4 * time.Minute)
				w.wantState(id, "Pending:Wait")
				if err := w.heartbeat("ready", id); err != nil {
					t.Fatal(err)
				}
				time.Sleep(4*time.Minute + 50*time.Second)
				w.wantState(id, "Pending:Wait")
				time.Sleep(time.Minute)
				w.wantState(id, then)
				svctest.WantCode(t, w.heartbeat("ready", id), "ValidationError")
			})
		})
	}
	t.Run("heartbeats help for a hundred timeouts", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 1, 1, withHooks(hook("ready", launching, 60, "CONTINUE")))
			id := w.only()
			from := time.Now()
			for w.state(id) == "Pending:Wait" {
				if err := w.heartbeat("ready", id); err != nil {
					t.Fatal(err)
				}
				time.Sleep(50 * time.Second)
			}
			if took := time.Since(from); took < 98*time.Minute || took > 100*time.Minute+time.Second {
				t.Errorf("it has waited for %v, want 100 minutes at most", took)
			}
		})
	})
	t.Run("all hooks must be completed", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 1, 1, withHooks(hook("a", launching, 3600, "ABANDON"), hook("b", launching, 3600, "ABANDON")))
			id := w.only()
			if err := w.complete("a", id, "CONTINUE"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.wantState(id, "Pending:Wait")
			if err := w.complete("b", id, "CONTINUE"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.wantState(id, "InService")
		})
	})
	t.Run("a token names the action", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 1, 1, withHooks(hook("ready", launching, 3600, "ABANDON")))
			id := w.only()
			token, ok := autoscalingsvc.LifecycleActionToken(w.cloud, "us-east-1", "g", "ready", id)
			if !ok {
				t.Fatal("there is no token")
			}
			for _, wrong := range [][2]string{{"other", id}, {"ready", "i-none"}} {
				if _, ok := autoscalingsvc.LifecycleActionToken(w.cloud, "us-east-1", "g", wrong[0], wrong[1]); ok {
					t.Errorf("there is a token of %v", wrong)
				}
			}
			complete := func(token string) error {
				_, err := w.CompleteLifecycleAction(w.Context(), &autoscaling.CompleteLifecycleActionInput{
					AutoScalingGroupName: new("g"), LifecycleHookName: new("ready"), LifecycleActionToken: &token, LifecycleActionResult: new("CONTINUE"),
				})
				return err
			}
			svctest.WantCode(t, complete("00000000-0000-4000-8000-ffffffffffff"), "ValidationError")
			if err := complete(token); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
			w.wantState(id, "InService")
		})
	})
	t.Run("one that dies meanwhile does not come into service", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.group("g", 0, 1, 1, withHooks(hook("ready", launching, 3600, "ABANDON")))
			id := w.only()
			w.ec2Terminate(id)
			time.Sleep(5 * time.Minute)
			w.wantState(id, "Pending:Wait")
			if err := w.complete("ready", id, "CONTINUE"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
			w.wantState(id, "")
			w.wantState(w.only(), "Pending:Wait")
		})
	})
}

func TestHookOfATermination(t *testing.T) {
	t.Parallel()
	t.Run("the instance runs on until it is completed, and is replaced at once", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			tg := w.front("web")
			id := w.group("g", 0, 1, 1, withHooks(hook("drain", terminating, 3600, "CONTINUE")), behind(tg), grace(6000))[0]
			if err := w.setHealth(id, "Unhealthy", new(false)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Second)
			w.wantShape("g", "InService a:1, Terminating a:1") // it drains for a minute, before the hook
			time.Sleep(30 * time.Minute)
			w.wantShape("g", "InService a:1, Terminating:Wait a:1")
			if i, _ := w.cloud.Instance(id); !i.Running() {
				t.Error("it does not run")
			}
			if err := w.complete("drain", id, "CONTINUE"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
			w.wantState(id, "Terminating:Proceed")
			time.Sleep(time.Minute)
			w.wantState(id, "")
		})
	})
	t.Run("abandoning stops the other hooks", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.group("g", 0, 1, 1, withHooks(hook("a", terminating, 3600, "CONTINUE"), hook("b", terminating, 3600, "CONTINUE")))[0]
			w.setDesired("g", 0)
			time.Sleep(time.Minute)
			w.wantState(id, "Terminating:Wait")
			if err := w.complete("a", id, "ABANDON"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.wantState(id, "")
		})
	})
	t.Run("it times out", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.group("g", 0, 1, 1, withHooks(hook("drain", terminating, 600, "ABANDON")))[0]
			w.setDesired("g", 0)
			time.Sleep(10 * time.Minute)
			w.wantState(id, "Terminating:Wait")
			time.Sleep(time.Minute)
			w.wantState(id, "")
		})
	})
	t.Run("one that is dead already waits as well", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			id := w.group("g", 0, 1, 1, withHooks(hook("drain", terminating, 600, "CONTINUE")))[0]
			w.ec2Terminate(id)
			time.Sleep(5 * time.Minute)
			w.wantShape("g", "InService a:1, Terminating:Wait a:1")
			time.Sleep(10 * time.Minute)
			w.wantShape("g", "InService a:1")
		})
	})
}

func TestHooksChange(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.group("g", 0, 2, 0)
		read := func(names ...string) []types.LifecycleHook {
			return svctest.Must(w.DescribeLifecycleHooks(w.Context(), &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: new("g"), LifecycleHookNames: names}))(w).LifecycleHooks
		}
		put := func(in *autoscaling.PutLifecycleHookInput) error {
			in.AutoScalingGroupName = new("g")
			_, err := w.PutLifecycleHook(w.Context(), in)
			return err
		}
		if err := put(&autoscaling.PutLifecycleHookInput{LifecycleHookName: new("a"), LifecycleTransition: new(launching)}); err != nil {
			t.Fatal(err)
		}
		if err := put(&autoscaling.PutLifecycleHookInput{LifecycleHookName: new("b"), LifecycleTransition: new(terminating), HeartbeatTimeout: new(int32(7200)), DefaultResult: new("CONTINUE"), NotificationMetadata: new("x")}); err != nil {
			t.Fatal(err)
		}
		type shown struct {
			Name, Transition, Result string
			Heartbeat, Global        int32
		}
		show := func(list []types.LifecycleHook) (out []shown) {
			for _, h := range list {
				out = append(out, shown{*h.LifecycleHookName, *h.LifecycleTransition, *h.DefaultResult, *h.HeartbeatTimeout, *h.GlobalTimeout})
			}
			return out
		}
		a, b := shown{"a", launching, "ABANDON", 3600, 172800}, shown{"b", terminating, "CONTINUE", 7200, 172800}
		if diff := cmp.Diff([]shown{a, b}, show(read())); diff != "" {
			t.Errorf("want (-), got (+): %s", diff)
		}
		// A change keeps what it does not name.
		if err := put(&autoscaling.PutLifecycleHookInput{LifecycleHookName: new("a"), HeartbeatTimeout: new(int32(30))}); err != nil {
			t.Fatal(err)
		}
		a.Heartbeat, a.Global = 30, 3000
		if diff := cmp.Diff([]shown{a}, show(read("a", "none"))); diff != "" {
			t.Errorf("want (-), got (+): %s", diff)
		}
		for name, in := range map[string]*autoscaling.PutLifecycleHookInput{
			"no transition":  {LifecycleHookName: new("c")},
			"no such result": {LifecycleHookName: new("a"), DefaultResult: new("STOP")},
			"a short time":   {LifecycleHookName: new("a"), HeartbeatTimeout: new(int32(29))},
			"a long time":    {LifecycleHookName: new("a"), HeartbeatTimeout: new(int32(7201))},
		} {
			if err := put(in); err == nil {
				t.Errorf("%s is accepted", name)
			} else {
				svctest.WantCode(t, err, "ValidationError")
			}
		}
		for n := range 48 {
			if err := put(&autoscaling.PutLifecycleHookInput{LifecycleHookName: new(strings.Repeat("h", n+2)), LifecycleTransition: new(launching)}); err != nil {
				t.Fatal(err)
			}
		}
		svctest.WantCode(t, put(&autoscaling.PutLifecycleHookInput{LifecycleHookName: new("more"), LifecycleTransition: new(launching)}), "LimitExceeded")
	})
}

func TestDeletingAHookCompletesItsActions(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		remove := func(name string) error {
			_, err := w.DeleteLifecycleHook(w.Context(), &autoscaling.DeleteLifecycleHookInput{AutoScalingGroupName: new("g"), LifecycleHookName: &name})
			return err
		}
		w.group("g", 0, 1, 1, withHooks(hook("ready", launching, 3600, "CONTINUE"), hook("drain", terminating, 3600, "ABANDON")))
		id := w.only()
		w.wantState(id, "Pending:Wait")
		if err := remove("ready"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		w.wantState(id, "") // abandoned, whatever the default
		next := w.only()
		w.wantState(next, "InService")
		w.setDesired("g", 0)
		time.Sleep(time.Minute)
		w.wantState(next, "Terminating:Wait")
		if err := remove("drain"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.wantState(next, "")
		svctest.WantCode(t, remove("drain"), "ValidationError")
	})
}
