package sqsscale_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/queueworker/queueworkermock"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

const (
	recordHeartbeat = "RecordLifecycleActionHeartbeat"
	completeAction  = "CompleteLifecycleAction"
)

func hookOnly(o *sqsscale.ProtectOptions) { o.HookOnly = true }

func noMetadata(o *sqsscale.ProtectOptions) { o.Metadata = nil }

// chosen makes the group terminate the only instance, and returns when that began.
func (s *site) chosen(id string) time.Time {
	s.Helper()
	s.desire(0)
	s.until("it has been chosen", func() bool { return s.state(id) != "InService" })
	return time.Now()
}

// The promise: a handler that runs when the instance is chosen ends by itself, and the group goes on at once after it.
func TestAChosenInstanceDrainsFirst(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options func(*sqsscale.ProtectOptions)
		timeout time.Duration // of the hook
		handler time.Duration
		beats   int // heartbeats, about
	}{
		{"told by its metadata", hookOnly, 30 * time.Second, 20 * time.Minute, 120},
		{"told by Auto Scaling", func(o *sqsscale.ProtectOptions) { hookOnly(o); noMetadata(o) }, 30 * time.Second, 20 * time.Minute, 120},
		{"looking as seldom as it may", func(o *sqsscale.ProtectOptions) { hookOnly(o); o.PollInterval = 20 * time.Second }, 30 * time.Second, 20 * time.Minute, 120},
		{"with a long timeout", hookOnly, 2 * time.Hour, 12 * time.Hour, 18},
		{"shorter than a timeout", hookOnly, time.Hour, 5 * time.Second, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			onSite(t, 1, func(s *site) {
				id := *s.members()[0].InstanceId
				p := s.start(id, tt.options)
				defer p.stop()
				time.Sleep(time.Minute)
				p.handle(tt.handler)
				s.chosen(id)
				for p.running.Load() > 0 {
					time.Sleep(time.Second)
				}
				ended := time.Now()
				<-p.done
				s.until("it has gone", func() bool { return s.state(id) == "" })
				if d := time.Since(ended); p.killed.Load() > 0 || p.result != nil || !errors.Is(p.ended(), sqsscale.ErrTerminating) {
					s.Errorf("cut off: %d; %v; %v; %v", p.killed.Load(), p.result, p.ended(), d)
				} else if d > 35*time.Second && tt.handler > time.Minute { // of which EC2 takes 30
					s.Errorf("it went %v after its handler", d)
				}
				if n := s.calls(completeAction); n != 1 && tt.handler > time.Minute || n > 2 { // a short one may end before the wait begins
					s.Errorf("%d completions", n)
				}
				if n := s.calls(recordHeartbeat); n < tt.beats-2 || n > tt.beats+tt.beats/10+3 {
					s.Errorf("%d heartbeats, want about %d", n, tt.beats)
				}
				p.wantTold("termination noticed, action completed", sqsscale.HeartbeatRecorded, sqsscale.CallFailed)
				if n := s.calls(setProtection); n != 0 {
					s.Errorf("%d calls for the protection", n)
				}
			}, withHook(tt.timeout))
		})
	}
}

// The group goes on in the second in which the drain has ended.
func TestTheGroupGoesOnAtOnceAfterTheDrain(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id)
		defer p.stop()
		p.handle(10 * time.Minute)
		time.Sleep(time.Minute)
		// Protection is against scale-in: who names the instance terminates it all the same.
		if _, err := s.TerminateInstanceInAutoScalingGroup(s.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{InstanceId: &id, ShouldDecrementDesiredCapacity: aws.Bool(true)}); err != nil {
			s.Fatal(err)
		}
		s.until("the handler has ended", func() bool { return p.running.Load() == 0 })
		if s.state(id) != "Terminating:Wait" {
			s.Errorf("it is %s when the handler ends", s.state(id))
		}
		if d := s.until("the group goes on", func() bool { return s.state(id) == "Terminating:Proceed" }); d > time.Second {
			s.Errorf("it went on after %v", d)
		}
		p.wantTold("protection set, termination noticed, action completed", sqsscale.HeartbeatRecorded, sqsscale.CallFailed)
	}, withHook(5*time.Minute))
}

func TestADrainThatFailsCompletesTheActionToo(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id)
		defer p.stop()
		p.err = errors.New("drain: 1 messages abandoned")
		p.handle(2 * time.Minute)
		s.chosen(id)
		<-p.done
		if !errors.Is(p.result, p.err) || s.calls(completeAction) != 1 {
			s.Errorf("%v, %d completions", p.result, s.calls(completeAction))
		}
		s.until("the group goes on", func() bool { return s.state(id) == "Terminating:Proceed" })
	}, withHook(time.Hour))
}

// An instance is Terminating before it waits, for as long as its target groups drain it. A drain that is over before completes what is not
// there yet.
func TestADrainThatIsOverBeforeTheWaitCompletesIt(t *testing.T) {
	t.Parallel()
	onTimedSite(t, 1, func(o *autoscalingsvc.Options) { o.Transition = 5 * time.Minute }, func(s *site) {
		time.Sleep(10 * time.Minute)
		id := *s.members()[0].InstanceId
		p := s.start(id, hookOnly)
		defer p.stop()
		time.Sleep(time.Minute)
		s.chosen(id)
		s.until("the drain is over", func() bool { return p.ended() != nil })
		if s.state(id) != "Terminating" {
			s.Fatalf("it is %s", s.state(id))
		}
		s.until("it waits", func() bool { return s.state(id) != "Terminating" })
		if d := s.until("the group goes on", func() bool { return s.state(id) == "Terminating:Proceed" }); d > 7*time.Second {
			s.Errorf("it waited for %v", d)
		}
		<-p.done
		p.wantTold("termination noticed, action completed", sqsscale.CallFailed)
		if p.result != nil {
			s.Error(p.result)
		}
	}, withHook(time.Hour))
}

func TestACompletionThatDoesNotGetThroughIsRepeated(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		effect awstest.Effect
		last   string
	}{
		{"throttled", awstest.Throttle(), "action completed"},
		{"down", awstest.Unavailable(), "action completed"},
		{"denied, until somebody has put it right", awstest.Deny(), "action completed"},
		{"answers lost", awstest.LoseReply(), "action gone"},
		{"effect and then an error", awstest.ApplyThenReject(awstest.APIError{Code: "InternalFailure", Message: "oops", Status: 500}), "action gone"},
	}
	for _, beats := range []bool{true, false} { // with and without a heartbeat before
		for _, tt := range tests {
			name := tt.name + ", with heartbeats"
			if !beats {
				name = tt.name + ", without"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				onTimedSite(t, 1, slowly, func(s *site) {
					id := *s.members()[0].InstanceId
					p := s.start(id, hookOnly)
					defer p.stop()
					if !beats {
						defer s.fault(recordHeartbeat, 0, awstest.Unavailable())()
					}
					p.handle(5 * time.Minute) // so that the group waits before there is anything to complete
					s.chosen(id)
					s.until("it waits", func() bool { return s.state(id) == "Terminating:Wait" })
					defer s.fault(completeAction, 6, tt.effect)()
					<-p.done
					if p.result != nil {
						s.Error(p.result)
					}
					if told := p.told(); told[len(told)-1] != tt.last {
						s.Errorf("it told %v", told)
					}
					s.until("it has gone", func() bool { return s.state(id) == "" })
				}, withHook(time.Hour))
			})
		}
	}
}

// Heartbeats stand an outage of two thirds of the timeout.
func TestHeartbeatsStandAnOutage(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{
		"throttled": awstest.Throttle(), "down": awstest.Unavailable(), "lost answers": awstest.LoseReply(), "hanging": awstest.Hang(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onSite(t, 1, func(s *site) {
				id := *s.members()[0].InstanceId
				p := s.start(id, hookOnly)
				defer p.stop()
				p.handle(65 * time.Minute)
				s.chosen(id)
				for range 10 {
					time.Sleep(3*time.Minute + 7*time.Second)
					heal := s.fault("", 0, effect) // all of Auto Scaling's calls
					time.Sleep(3 * time.Minute)
					heal()
				}
				<-p.done
				if p.killed.Load() > 0 || p.result != nil {
					s.Errorf("cut off: %d; %v", p.killed.Load(), p.result)
				}
			}, withHook(5*time.Minute))
		})
	}
}

// Heartbeats do not go beyond 100 timeouts: that is told, and nothing else can be done.
func TestALimitThatIsReachedIsTold(t *testing.T) {
	t.Parallel()
	onTimedSite(t, 1, slowly, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, hookOnly)
		defer p.stop()
		p.handle(2 * time.Hour)
		began := s.chosen(id)
		s.until("it is told", func() bool { return p.count(sqsscale.ActionGone) == 1 })
		if d := time.Since(began); d < 50*time.Minute || d > 52*time.Minute {
			s.Errorf("told after %v, want 100 × 30 s", d)
		}
		<-p.done
		if p.killed.Load() != 1 {
			s.Error("the handler was not cut off: the test shows nothing")
		}
	}, withHook(30*time.Second))
}

func TestAProcessThatDiesDelaysATerminationByOneTimeout(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, hookOnly)
		p.handle(10 * time.Minute)
		s.chosen(id)
		s.until("it is told", func() bool { return p.count(sqsscale.HeartbeatRecorded) > 0 })
		died := time.Now()
		go p.crash()
		s.until("the group goes on", func() bool { return s.state(id) == "Terminating:Proceed" })
		if d := time.Since(died); d < 4*time.Minute || d > 5*time.Minute+time.Second {
			s.Errorf("it went on after %v, want one timeout of the hook", d)
		}
		<-p.done
	}, withHook(5*time.Minute))
}

// A process that is started again on an instance that is being terminated does not begin to work.
func TestAProcessThatIsStartedAgainCompletesTheAction(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(*sqsscale.ProtectOptions){"by its metadata": hookOnly, "by Auto Scaling": noMetadata} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onSite(t, 1, func(s *site) {
				id := *s.members()[0].InstanceId
				s.chosen(id)
				s.until("it waits", func() bool { return s.state(id) == "Terminating:Wait" })
				time.Sleep(10 * time.Minute)
				p := s.start(id, options)
				defer p.stop()
				if d := s.until("the group goes on", func() bool { return s.state(id) == "Terminating:Proceed" }); d > time.Second {
					s.Errorf("it went on after %v", d)
				}
				<-p.done
				if p.began() || p.result != nil {
					s.Errorf("worked: %v; %v", p.began(), p.result)
				}
				p.wantTold("termination noticed, action completed")
				// Once more, while EC2 terminates it, there is nothing left to complete.
				p = s.start(id, options)
				defer p.stop()
				<-p.done
				if p.began() || p.result != nil {
					s.Errorf("worked: %v; %v", p.began(), p.result)
				}
				p.wantTold("termination noticed, action gone")
			}, withHook(time.Hour))
		})
	}
}

// A process that is stopped, as by a deployment, right after its instance was chosen, has not noticed yet.
func TestAProcessThatIsStoppedLooksOnceMore(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, noMetadata, func(o *sqsscale.ProtectOptions) { o.PollInterval = 20 * time.Second })
		time.Sleep(time.Minute)
		looks := s.calls("DescribeAutoScalingInstances")
		s.until("it looks, and not again so soon", func() bool { return s.calls("DescribeAutoScalingInstances") > looks })
		s.desire(0)
		s.until("it waits", func() bool { return s.state(id) == "Terminating:Wait" })
		if p.count(sqsscale.TerminationNoticed) > 0 {
			s.Fatal("it has noticed: the test shows nothing")
		}
		p.stop()
		if d := s.until("the group goes on", func() bool { return s.state(id) == "Terminating:Proceed" }); d > time.Second || p.result != nil {
			s.Errorf("it went on after %v; %v", d, p.result)
		}
	}, withHook(time.Hour))
}

// A process that drains because it was stopped may be chosen then: the group waits for it too.
func TestADrainOfAnotherCauseIsProtectedToo(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, hookOnly)
		p.handle(20 * time.Minute)
		time.Sleep(time.Minute)
		go p.stop()
		time.Sleep(time.Minute)
		s.chosen(id)
		s.until("the handler has ended", func() bool { return p.running.Load() == 0 })
		if d := s.until("the group goes on", func() bool { return s.state(id) == "Terminating:Proceed" }); d > time.Second || p.killed.Load() > 0 {
			s.Errorf("it went on after %v; cut off: %d", d, p.killed.Load())
		}
		<-p.done
		if p.result != nil || !errors.Is(p.ended(), context.Canceled) {
			s.Errorf("%v, %v", p.result, p.ended())
		}
	}, withHook(30*time.Second))
}

// The work of a process that is stopped while it drains for a termination is over at once, or not; the action is completed either way,
// within FinishTimeout.
func TestACompletionEndsSoonAfterItsContext(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, hookOnly)
		heal := s.fault(completeAction, 0, awstest.Unavailable())
		s.chosen(id)
		s.until("it tries to complete", func() bool { return s.calls(completeAction) > 3 })
		time.Sleep(10 * time.Minute) // it does not give up
		start := time.Now()
		p.stop()
		var call *sqsscale.CallError
		if d := time.Since(start); d < 10*time.Second || d > 16*time.Second || !errors.As(p.result, &call) || call.Op != completeAction {
			s.Errorf("%v after %v", p.result, d)
		}
		heal()
	}, withHook(time.Hour))
}

func TestMetadataThatDoNotAnswerAreNotNeeded(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		metadata := &queueworkermock.MetadataAPIMock{GetMetadataFunc: func(ctx context.Context, _ *imds.GetMetadataInput, _ ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
			<-ctx.Done() // as in a container that is a hop too far away
			return nil, ctx.Err()
		}}
		p := s.start(id, hookOnly, func(o *sqsscale.ProtectOptions) { o.Metadata, o.Timeout = metadata, 5*time.Second })
		defer p.stop()
		time.Sleep(10 * time.Minute)
		if n := s.calls("DescribeAutoScalingInstances"); n < 25 || n > 41 {
			s.Errorf("%d reads in ten minutes, want one in 15 to 20 s", n)
		}
		if n := p.count(sqsscale.CallFailed); n != 1 {
			s.Errorf("it was told %d times", n)
		}
		p.handle(10 * time.Minute)
		s.chosen(id)
		<-p.done
		if p.killed.Load() > 0 || p.result != nil || !errors.Is(p.ended(), sqsscale.ErrTerminating) {
			s.Errorf("cut off: %d; %v; %v", p.killed.Load(), p.result, p.ended())
		}
	}, withHook(time.Minute))
}

func TestLooksThatFailAreRepeated(t *testing.T) {
	t.Parallel()
	onTimedSite(t, 1, slowly, func(s *site) {
		id := *s.members()[0].InstanceId
		heal := s.fault("", 0, awstest.Unavailable()) // all of Auto Scaling's calls, from the start
		p := s.start(id, hookOnly, noMetadata)
		defer p.stop()
		time.Sleep(5 * time.Minute)
		if !p.began() || p.ended() != nil {
			s.Errorf("began: %v, %v: an outage is no termination", p.began(), p.ended())
		}
		heal()
		s.desire(0)
		s.until("it is noticed", func() bool { return p.count(sqsscale.TerminationNoticed) == 1 })
		// The completion comes too early, and cannot be told why for a while.
		heal = s.fault("DescribeAutoScalingInstances", 0, awstest.Unavailable())
		time.Sleep(5 * time.Minute)
		heal()
		<-p.done
		if p.result != nil || s.calls(completeAction) < 2 || p.count(sqsscale.ActionCompleted) != 1 {
			s.Errorf("%v, %d completions: %v", p.result, s.calls(completeAction), p.told())
		}
	}, withHook(time.Hour))
}

// What Auto Scaling tells may be older than what the metadata service has told.
func TestReadsThatAreStaleEndNoWait(t *testing.T) {
	t.Parallel()
	onTimedSite(t, 1, func(o *autoscalingsvc.Options) { o.Transition = time.Minute }, func(s *site) {
		id := *s.members()[0].InstanceId
		p := s.start(id, hookOnly)
		defer p.stop()
		time.Sleep(5 * time.Minute)
		s.desire(0)
		defer s.fault("DescribeAutoScalingInstances", 0, awstest.Stale(2*time.Minute))()
		<-p.done
		if p.result != nil || p.count(sqsscale.ActionCompleted) != 1 {
			s.Errorf("%v: %v", p.result, p.told())
		}
	}, withHook(time.Hour))
}

// Nothing that hangs holds the begin of the work for more than Timeout, nor the end of Run for more than FinishTimeout.
func TestWhatHangsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		id := *s.members()[0].InstanceId
		machine, _ := s.cloud.Instance(id)
		heal := inject(s, s.cloud, awstest.Match{Caller: machine.ID()}, awstest.Hang())
		defer heal()
		hangs := &queueworkermock.MetadataAPIMock{GetMetadataFunc: func(ctx context.Context, _ *imds.GetMetadataInput, _ ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		p := s.start(id, func(o *sqsscale.ProtectOptions) { o.Metadata = hangs })
		if d := s.until("the work begins", p.began); d > 11*time.Second {
			s.Errorf("it began after %v", d)
		}
		time.Sleep(10 * time.Minute)
		start := time.Now()
		p.stop()
		var call *sqsscale.CallError
		if d := time.Since(start); d > 16*time.Second || !errors.As(p.result, &call) || call.Op != setProtection {
			s.Errorf("%v after %v", p.result, d)
		}
	}, withHook(time.Hour))
}

func TestAHookThatCannotBeUsedIsTold(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*autoscaling.CreateAutoScalingGroupInput){
		"none": func(*autoscaling.CreateAutoScalingGroupInput) {},
		"for launches": func(in *autoscaling.CreateAutoScalingGroupInput) {
			h := hook(time.Minute)
			h.LifecycleTransition, h.DefaultResult = aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"), aws.String("CONTINUE")
			in.LifecycleHookSpecificationList = append(in.LifecycleHookSpecificationList, h)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onSite(t, 1, func(s *site) {
				p := s.start(*s.members()[0].InstanceId)
				time.Sleep(time.Second)
				if err := p.failure(); err == nil || !strings.Contains(err.Error(), "group g has no lifecycle hook drain for autoscaling:EC2_INSTANCE_TERMINATING") {
					s.Errorf("it told %v", err)
				}
				p.stop()
				p.wantTold("hook unusable, protection removed")
			}, change)
		})
	}
}

// A hook of which nothing can be read is taken for the shortest.
func TestAHookThatCannotBeReadGetsHeartbeatsOften(t *testing.T) {
	t.Parallel()
	onSite(t, 1, func(s *site) {
		defer s.fault("DescribeLifecycleHooks", 0, awstest.Deny())()
		id := *s.members()[0].InstanceId
		p := s.start(id, hookOnly)
		defer p.stop()
		p.handle(20 * time.Minute)
		s.chosen(id)
		<-p.done
		if n := p.count(sqsscale.HeartbeatRecorded); p.killed.Load() > 0 || n < 115 || n > 121 {
			s.Errorf("cut off: %d; %d heartbeats in 20 minutes, want one in 10 s", p.killed.Load(), n)
		}
	}, withHook(30*time.Second))
}
