package sqsscale_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/queueworkermock"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

const setProtection = "SetInstanceProtection"

func noHook(o *sqsscale.ProtectOptions) { o.Hook, o.Metadata = "", nil }

func TestABusyInstanceIsProtectedAndAnIdleOneIsNot(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, noHook)
		defer p.stop()
		time.Sleep(30 * time.Second)
		p.handle(5 * time.Minute)
		if d := s.until("it is protected", func() bool { return s.protected(id) }); d < 10*time.Second || d > 12*time.Second {
			s.Errorf("protected %v after the handler began, want 10 s", d)
		}
		time.Sleep(4*time.Minute + 40*time.Second)
		if !s.protected(id) {
			s.Error("it is not protected any more, with a handler")
		}
		s.until("the handler has ended", func() bool { return p.running.Load() == 0 })
		if d := s.until("it is free", func() bool { return !s.protected(id) }); d < 58*time.Second || d > 62*time.Second {
			s.Errorf("free %v after the handler, want a minute", d)
		}
		p.wantTold("protection set, protection removed")
		if n := s.calls(setProtection); n != 2 {
			s.Errorf("%d calls, want 2", n)
		}
	})
}

func TestShortHandlersCostNoCalls(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		p := s.start(*s.members()[0].InstanceId, noHook)
		time.Sleep(2 * time.Minute)
		before := s.calls(setProtection)
		for range 500 { // 3 s of work, 5 s of none
			p.handle(3 * time.Second)
			time.Sleep(8 * time.Second)
		}
		if n := s.calls(setProtection) - before; before != 1 || n != 0 {
			s.Errorf("%d calls before, %d during, want 1 and 0", before, n)
		}
		p.stop()
	})
}

// However the load flickers, there are at most two calls for each ProtectAfter and UnprotectAfter together.
func TestCallsAreRare(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		p := s.start(*s.members()[0].InstanceId, noHook)
		defer p.stop()
		start := time.Now()
		for range 200 {
			p.handle(13 * time.Second)
			time.Sleep(76 * time.Second)
		}
		if n, most := s.calls(setProtection), 2*int(time.Since(start)/(70*time.Second))+1; n > most || n < 390 {
			s.Errorf("%d calls, want at most %d, and 390 for the load", n, most)
		}
	})
}

func TestScaleInChoosesInstancesThatAreIdle(t *testing.T) {
	t.Parallel()
	onSite(t, 5, func(s *site) {
		var programs []*program
		for _, i := range s.members() {
			programs = append(programs, s.start(*i.InstanceId, noHook))
		}
		busy := programs[:2] // the first ones would be chosen
		for _, p := range busy {
			p.handle(15 * time.Minute)
		}
		time.Sleep(time.Minute)
		s.desire(0)
		s.until("three have gone", func() bool { return len(s.members()) == 2 })
		time.Sleep(10 * time.Minute)
		for _, p := range busy {
			if s.state(p.id) != "InService" {
				s.Errorf("%s is %s, with a handler", p.id, s.state(p.id))
			}
		}
		s.until("all have gone", func() bool { return len(s.members()) == 0 })
		for _, p := range programs {
			p.stop()
			if n := p.killed.Load(); n > 0 {
				s.Errorf("%d handlers of %s were cut off", n, p.id)
			}
		}
	})
}

func TestProtectionThatIsRefusedIsSetLater(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		effect awstest.Effect
		denied bool
	}{
		{"throttled", awstest.Throttle(), false},
		{"down", awstest.Unavailable(), false},
		{"contended", awstest.Reject(awstest.APIError{Code: "ResourceContention", Message: "pending update", Status: 500}), false},
		{"lost answers", awstest.LoseReply(), false},
		{"hanging", awstest.Hang(), false},
		{"denied", awstest.Deny(), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onSite(t, 1, func(s *site) {
				id := *s.members()[0].InstanceId
				heal := s.fault(setProtection, 0, tt.effect)
				p := s.start(id, noHook)
				p.handle(time.Hour)
				time.Sleep(3 * time.Minute)
				tried := s.calls(setProtection)
				if tried < 3 || tried > 150 {
					s.Errorf("%d tries in three minutes", tried)
				}
				var call *sqsscale.CallError
				if err := p.failure(); !errors.As(err, &call) || call.Op != setProtection || call.Of != id || errors.Is(err, sqsscale.ErrDenied) != tt.denied {
					s.Errorf("it told %v", err)
				}
				heal()
				s.until("it is protected, and knows", func() bool { return s.protected(id) && p.count(sqsscale.ProtectionSet) == 1 })
				after := s.calls(setProtection)
				time.Sleep(10 * time.Minute)
				if n := s.calls(setProtection) - after; n != 0 {
					s.Errorf("%d calls after it was set", n)
				}
				s.until("the handler has ended", func() bool { return p.running.Load() == 0 })
				p.stop()
				if s.protected(id) || p.result != nil {
					s.Errorf("protected: %v, %v", s.protected(id), p.result)
				}
			})
		})
	}
}

// What is not wanted any more is not repeated.
func TestAHandlerThatEndsDuringAnOutageNeedsNoProtection(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, noHook)
		defer p.stop()
		time.Sleep(2 * time.Minute)
		heal := s.fault(setProtection, 0, awstest.Unavailable())
		p.handle(time.Minute)
		time.Sleep(5 * time.Minute)
		heal()
		time.Sleep(5 * time.Minute)
		if s.protected(id) || p.count(sqsscale.ProtectionSet) != 0 {
			s.Error("it was protected after all")
		}
	})
}

// An answer that was lost leaves open whether the instance is protected: it is set anew, also to what it was before.
func TestProtectionThatMayHaveBeenRemovedIsSetAgain(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, noHook)
		defer p.stop()
		p.handle(time.Minute)
		s.until("it is protected", func() bool { return s.protected(id) })
		heal := s.fault(setProtection, 0, awstest.ApplyThenReject(awstest.APIError{Code: "InternalFailure", Message: "oops", Status: 500}))
		s.until("it is free, and does not know", func() bool { return !s.protected(id) })
		p.handle(time.Hour)
		time.Sleep(20 * time.Second)
		heal()
		time.Sleep(time.Minute)
		if !s.protected(id) {
			s.Error("it is not protected, with a handler")
		}
	})
}

// SetInstanceProtection refuses instances that are not in service yet: the Protector waits for that.
func TestAnInstanceIsProtectedOnceItIsInService(t *testing.T) {
	t.Parallel()
	ready := types.LifecycleHookSpecification{LifecycleHookName: aws.String("ready"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"), HeartbeatTimeout: aws.Int32(7200)}
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		if s.state(id) != "Pending:Wait" {
			s.Fatalf("it is %s", s.state(id))
		}
		var log strings.Builder
		p := s.start(id, noHook, func(o *sqsscale.ProtectOptions) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		p.handle(3 * time.Hour)
		time.Sleep(time.Hour)
		if n := s.calls(setProtection); n < 500 || n > 900 {
			s.Errorf("%d tries in an hour, want one in about 5 s", n)
		}
		if _, err := s.CompleteLifecycleAction(s.Context(), &autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: aws.String("g"), LifecycleHookName: aws.String("ready"), InstanceId: &id, LifecycleActionResult: aws.String("CONTINUE"),
		}); err != nil {
			s.Fatal(err)
		}
		s.until("it is in service", func() bool { return s.state(id) == "InService" })
		if d := s.until("it is protected", func() bool { return s.protected(id) }); d > 7*time.Second {
			s.Errorf("protected %v after it came into service", d)
		}
		s.until("the handler has ended", func() bool { return p.running.Load() == 0 })
		p.stop()
		if strings.Contains(log.String(), "WARN") {
			s.Errorf("it was warned of what only takes time: %.500s", log.String())
		}
	}, func(in *autoscaling.CreateAutoScalingGroupInput) {
		in.LifecycleHookSpecificationList = append(in.LifecycleHookSpecificationList, ready)
	})
}

// The protection that a process has left behind when it died ends with the next one, also if that one never works.
func TestProtectionDoesNotOutliveACrashForEver(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, noHook)
		p.handle(time.Minute)
		time.Sleep(30 * time.Second)
		p.crash()
		time.Sleep(24 * time.Hour)
		if !s.protected(id) {
			s.Fatal("the crash has not left it protected")
		}
		p = s.start(id, noHook)
		if d := s.until("it is free", func() bool { return !s.protected(id) }); d < time.Minute || d > 62*time.Second {
			s.Errorf("free after %v, want a minute", d)
		}
		p.stop()
		p.wantTold("protection removed")
	})
}

// A process that ends in order leaves no protection behind, whatever it knows of it.
func TestProtectionEndsWithRun(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		if !s.protected(id) {
			s.Fatal("the group does not protect new instances")
		}
		p := s.start(id, noHook) // which has learned nothing yet
		time.Sleep(time.Second)
		p.stop()
		if s.protected(id) || p.result != nil || !errors.Is(p.ended(), context.Canceled) {
			s.Errorf("protected: %v, %v, %v", s.protected(id), p.result, p.ended())
		}

		p = s.start(id, noHook)
		p.handle(5 * time.Minute)
		time.Sleep(time.Minute)
		stopped := time.Now()
		go p.stop() // the drain is protected
		time.Sleep(3 * time.Minute)
		if !s.protected(id) {
			s.Error("it is not protected during a drain")
		}
		<-p.done
		if d := time.Since(stopped); s.protected(id) || d > 4*time.Minute+time.Second {
			s.Errorf("protected: %v after %v", s.protected(id), d)
		}

		p = s.start(id, noHook) // one that knows that it is not protected says nothing
		time.Sleep(2 * time.Minute)
		before := s.calls(setProtection)
		p.stop()
		if n := s.calls(setProtection) - before; n != 0 {
			s.Errorf("%d calls at the end", n)
		}
	}, func(in *autoscaling.CreateAutoScalingGroupInput) {
		in.NewInstancesProtectedFromScaleIn = aws.Bool(true)
	})
}

func TestProtectionThatCannotBeRemovedIsAnError(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, noHook)
		mine := errors.New("mine")
		p.err = mine
		p.handle(time.Minute)
		time.Sleep(30 * time.Second)
		heal := s.fault(setProtection, 0, awstest.Unavailable())
		defer heal()
		s.until("the handler has ended", func() bool { return p.running.Load() == 0 })
		start := time.Now()
		p.stop()
		var call *sqsscale.CallError
		if !errors.Is(p.result, mine) || !errors.As(p.result, &call) || call.Op != setProtection {
			s.Errorf("got %v", p.result)
		}
		if d := time.Since(start); d < 10*time.Second || d > 16*time.Second {
			s.Errorf("the end took %v, want FinishTimeout, 15 s", d)
		}
		if !s.protected(id) {
			s.Error("there was nothing to remove")
		}
	})
}

func TestRunGivesBackWhatTheWorkReturns(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	api := &queueworkermock.ProtectAPIMock{
		SetInstanceProtectionFunc: func(context.Context, *autoscaling.SetInstanceProtectionInput, ...func(*autoscaling.Options)) (*autoscaling.SetInstanceProtectionOutput, error) {
			return &autoscaling.SetInstanceProtectionOutput{}, nil
		},
	}
	newProtector := func(optFns ...func(*sqsscale.ProtectOptions)) *sqsscale.Protector {
		p, err := sqsscale.NewProtector(api, sqsscale.Instance{ID: "i-1", Group: "g"}, func() int { return 0 }, optFns...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	synctest.Test(t, func(t *testing.T) {
		p := newProtector()
		var field *queueworker.FieldError
		if err := p.Run(t.Context(), nil); !errors.As(err, &field) || field.Field != "work" {
			t.Error(err)
		}
		if err := p.Run(t.Context(), func(context.Context) error { return mine }); err != mine {
			t.Error(err)
		}
		if err := p.Run(t.Context(), func(context.Context) error { t.Error("it ran again"); return nil }); !errors.Is(err, sqsscale.ErrAlreadyRun) {
			t.Error(err)
		}
		// A hook that panics ends nothing.
		var log strings.Builder
		p = newProtector(func(o *sqsscale.ProtectOptions) {
			o.OnEvent = func(context.Context, sqsscale.ProtectEvent) { panic("hook") }
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		if err := p.Run(t.Context(), func(context.Context) error { return nil }); err != nil || !strings.Contains(log.String(), "panic in OnEvent") {
			t.Errorf("%v: %s", err, log.String())
		}
		// Neither does a panic of the work leave anything behind.
		p = newProtector()
		func() {
			defer func() {
				if v := recover(); v != "work" {
					t.Errorf("recovered %v", v)
				}
			}()
			_ = p.Run(t.Context(), func(context.Context) error { panic("work") })
		}()
	})
}

func TestAllMistakesOfAProtectorAreReported(t *testing.T) {
	t.Parallel()
	_, err := sqsscale.NewProtector(nil, sqsscale.Instance{}, nil, func(o *sqsscale.ProtectOptions) {
		o.HookOnly = true
		o.ProtectAfter, o.UnprotectAfter, o.PollInterval, o.Timeout, o.FinishTimeout = -1, 2*time.Hour, 21*time.Second, -1, -1
	})
	want := []string{
		"api", "Instance.ID", "Instance.Group", "running", "ProtectOptions.HookOnly", "ProtectOptions.ProtectAfter", "ProtectOptions.UnprotectAfter",
		"ProtectOptions.PollInterval", "ProtectOptions.Timeout", "ProtectOptions.FinishTimeout",
	}
	got := fields(err)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProtectEventKindsHaveNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for k := sqsscale.ProtectionSet; k <= sqsscale.CallFailed; k++ {
		seen[k.String()] = true
	}
	if len(seen) != int(sqsscale.CallFailed) || seen["invalid"] || sqsscale.ProtectEventKind(99).String() != "invalid" {
		t.Errorf("%v", seen)
	}
}
