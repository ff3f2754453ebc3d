package elbv2hc_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// wantGroupError holds an error against its kind and the targets that it names, each as "state reason".
func wantGroupError(t testing.TB, err, kind error, targets ...string) *elbv2hc.GroupError {
	t.Helper()
	got := (*elbv2hc.GroupError)(nil)
	if !errors.As(err, &got) || kind != nil && !errors.Is(err, kind) {
		t.Fatalf("error %v, want a *GroupError for %v", err, kind)
	}
	var named []string
	for _, h := range got.Targets {
		named = append(named, strings.TrimSpace(string(h.State)+" "+string(h.Reason)))
	}
	if strings.Join(named, ", ") != strings.Join(targets, ", ") {
		t.Errorf("targets in the way are %q, want %q", named, targets)
	}
	return got
}

func TestWaitInServiceEndsWhenEveryTargetIsHealthy(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		a, b := w.server(0, 0), w.server(1, 1)
		b.status.Store(http.StatusServiceUnavailable)
		w.register(a.target(), b.target())
		time.AfterFunc(2*time.Minute, func() { b.status.Store(http.StatusOK) })
		polls := 0
		err := elbv2hc.WaitInService(w.Context(), w, w.group, []elbv2hc.Target{a.target(), b.target()}, func(o *elbv2hc.WaitOptions) {
			o.OnPoll = func(waiting []elbv2hc.Health) {
				polls++
				if len(waiting) == 0 {
					w.Error("nothing is waited for")
				}
			}
		})
		if err != nil {
			w.Fatal(err)
		}
		// Five passes bring b back, ten seconds apart; the first is at most ten seconds after it answers again.
		within(w, "in service", time.Since(w.start), 2*time.Minute+40*time.Second, 2*time.Minute+50*time.Second+7*time.Second)
		if calls := w.cloud.Count(name, "DescribeTargetHealth"); calls != polls+1 || calls > 60 {
			w.Errorf("%d calls and %d polls", calls, polls)
		}
	})
}

func TestWaitInServiceLooksAtItsTargetsOnly(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		a, gone := w.server(0, 0), w.server(1, 1)
		w.register(a.target(), gone.target())
		w.deregister(gone.target()) // the SDK's waiter would wait for this one, too
		drainOption := func(o *elbv2hc.WaitOptions) { o.AtLeast = time.Minute }
		if err := elbv2hc.WaitInService(w.Context(), w, w.group, []elbv2hc.Target{a.target()}, drainOption); err != nil {
			w.Fatal(err)
		}
		within(w, "in service", time.Since(w.start), 5*time.Second, 11*time.Second)
	})
}

func TestTargetWithoutAPortIsAllRegistrationsOfItsID(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		a := w.server(0, 0)
		other := elbv2hc.Target{ID: a.ID(), Port: 81} // nothing listens there
		w.register(a.target(), other)
		timeout := func(o *elbv2hc.WaitOptions) { o.Timeout = time.Minute }
		err := elbv2hc.WaitInService(w.Context(), w, w.group, []elbv2hc.Target{{ID: a.ID()}}, timeout)
		if got := wantGroupError(w, err, elbv2hc.ErrTimeout, "unhealthy Target.FailedHealthChecks"); got.Targets[0].Target.Port != 81 {
			w.Errorf("the target in the way is %v", got.Targets[0].Target)
		}
		within(w, "the timeout", time.Since(w.start), time.Minute, time.Minute+time.Second)
		if err := elbv2hc.WaitInService(w.Context(), w, w.group, []elbv2hc.Target{a.target()}, timeout); err != nil {
			w.Error(err)
		}
	})
}

func TestWhatCannotComeIntoServiceEndsTheWait(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		arrange  func(w *world, s *server) elbv2hc.Target
		kind     error
		target   string
		from, to time.Duration
	}{
		{
			"nobody forwards to the group",
			func(w *world, s *server) elbv2hc.Target { w.register(s.target()); return s.target() },
			elbv2hc.ErrUnusable, "unused Target.NotInUse", 5 * time.Second, 10 * time.Second,
		},
		{
			"an instance in a zone that is not enabled",
			func(w *world, _ *server) elbv2hc.Target {
				w.front()
				s := w.server(2, 7)
				w.register(s.target())
				return s.target()
			},
			elbv2hc.ErrUnusable, "unused Target.NotInUse", 5 * time.Second, 10 * time.Second,
		},
		{
			"a stopped instance",
			func(w *world, s *server) elbv2hc.Target {
				w.front()
				w.register(s.target())
				w.powerOff(s)
				return s.target()
			},
			elbv2hc.ErrUnusable, "unused Target.InvalidState", 5 * time.Second, 10 * time.Second,
		},
		{
			"a target that nobody has registered",
			func(w *world, s *server) elbv2hc.Target { w.front(); return s.target() },
			elbv2hc.ErrNotRegistered, "unused Target.NotRegistered", 30 * time.Second, 36 * time.Second,
		},
		{
			"a target that somebody has deregistered",
			func(w *world, s *server) elbv2hc.Target {
				w.front()
				w.register(s.target())
				w.deregister(s.target())
				return s.target()
			},
			elbv2hc.ErrNotRegistered, "draining Target.DeregistrationInProgress", 30 * time.Second, 36 * time.Second,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				target := test.arrange(w, w.server(0, 0))
				start := time.Now()
				err := elbv2hc.WaitInService(w.Context(), w, w.group, []elbv2hc.Target{target})
				wantGroupError(w, err, test.kind, test.target)
				within(w, "the end", time.Since(start), test.from, test.to)
				if !strings.Contains(err.Error(), target.String()+" is "+strings.Fields(test.target)[0]) {
					w.Errorf("%v does not say how %v is", err, target)
				}
			})
		})
	}
}

func TestReadsThatLagDoNotEndTheWait(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.inject("DescribeTargetHealth", 0, awstest.Stale(20*time.Second))
		time.Sleep(time.Minute)
		s := w.server(0, 0)
		w.front()
		w.register(s.target()) // for twenty seconds it is not registered, and then not in use no longer
		start := time.Now()
		if err := elbv2hc.WaitInService(w.Context(), w, w.group, []elbv2hc.Target{s.target()}); err != nil {
			w.Fatal(err)
		}
		within(w, "in service", time.Since(start), 25*time.Second, 31*time.Second)

		w.deregister(s.target())
		start = time.Now()
		if err := elbv2hc.WaitDrained(w.Context(), w, w.group, []elbv2hc.Target{s.target()}); err != nil {
			w.Fatal(err)
		}
		within(w, "drained", time.Since(start), 320*time.Second, 327*time.Second)
	})
}

func TestOneReadOfThePastDoesNotEndTheWait(t *testing.T) {
	t.Parallel()
	stopped := types.TargetHealth{State: types.TargetHealthStateEnumUnused, Reason: types.TargetHealthReasonEnumInvalidState}
	initial := types.TargetHealth{State: types.TargetHealthStateEnumInitial, Reason: types.TargetHealthReasonEnumInitialHealthChecking}
	healthy := types.TargetHealth{State: types.TargetHealthStateEnumHealthy}
	drains := types.TargetHealth{State: types.TargetHealthStateEnumDraining, Reason: types.TargetHealthReasonEnumDeregistrationInProgress}
	tests := []struct {
		name  string
		wait  func(context.Context, elbv2hc.HealthAPI, string, []elbv2hc.Target, ...func(*elbv2hc.WaitOptions)) error
		shown func(at time.Duration) *types.TargetHealth
	}{
		{"unusable, healthy for long, and unusable", elbv2hc.WaitInService, func(at time.Duration) *types.TargetHealth {
			if at < 2*time.Second || at > time.Minute && at < 63*time.Second {
				return &stopped
			}
			return &healthy
		}},
		{"missing a minute later", elbv2hc.WaitInService, func(at time.Duration) *types.TargetHealth {
			if at > time.Minute && at < 63*time.Second {
				return nil
			}
			return &initial
		}},
		{"registered a minute later", elbv2hc.WaitDrained, func(at time.Duration) *types.TargetHealth {
			if at > time.Minute && at < 63*time.Second {
				return &healthy
			}
			return &drains
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				api := &healthcheckmock.HealthAPIMock{DescribeTargetHealthFunc: func(
					context.Context, *elbv2.DescribeTargetHealthInput, ...func(*elbv2.Options),
				) (*elbv2.DescribeTargetHealthOutput, error) {
					other := description(&initial)
					if test.name == "registered a minute later" {
						other = description(&drains)
					}
					other.Target.Id = aws.String("10.0.0.2")
					all := []types.TargetHealthDescription{other}
					if h := test.shown(time.Since(start)); h != nil {
						all = append(all, description(h))
					}
					return &elbv2.DescribeTargetHealthOutput{TargetHealthDescriptions: all}, nil
				}}
				err := test.wait(t.Context(), api, arn, []elbv2hc.Target{{ID: "10.0.0.1", Port: 80}, {ID: "10.0.0.2", Port: 80}},
					func(o *elbv2hc.WaitOptions) {
						o.Timeout, o.PollInterval, o.MaxPollInterval = 2*time.Minute, time.Second, time.Second
					})
				if !errors.Is(err, elbv2hc.ErrTimeout) {
					t.Errorf("%v after %v, want the timeout", err, time.Since(start))
				}
			})
		})
	}
}

func TestWaitDrained(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		act      func(w *world, s *server)
		option   func(*elbv2hc.WaitOptions)
		kind     error
		target   string
		from, to time.Duration
	}{
		{
			name: "ends with the deregistration delay", act: func(w *world, s *server) { w.deregister(s.target()) },
			from: 300 * time.Second, to: 306 * time.Second,
		},
		{
			name: "ends at once where nothing was registered", act: func(w *world, s *server) {
				w.deregister(s.target())
				time.Sleep(time.Hour)
			},
			to: time.Second,
		},
		{
			name: "takes the time that a network load balancer needs", act: func(w *world, s *server) {
				w.deregister(s.target())
				time.Sleep(time.Hour)
			},
			option: func(o *elbv2hc.WaitOptions) { o.AtLeast = 2 * time.Minute },
			from:   2 * time.Minute, to: 2*time.Minute + 7*time.Second,
		},
		{
			name: "ends where nobody has deregistered the target", act: func(*world, *server) { time.Sleep(time.Minute) },
			kind: elbv2hc.ErrRegistered, target: "healthy", from: 30 * time.Second, to: 37 * time.Second,
		},
		{
			name: "ends in time", act: func(w *world, s *server) { w.deregister(s.target()) },
			option: func(o *elbv2hc.WaitOptions) { o.Timeout = time.Minute },
			kind:   elbv2hc.ErrTimeout, target: "draining Target.DeregistrationInProgress", from: time.Minute, to: time.Minute + time.Second,
		},
		{
			name: "ends when the group is gone", act: func(w *world, s *server) {
				w.deregister(s.target())
				time.AfterFunc(time.Minute, func() {
					listener := must(w.DescribeTargetGroups(context.Background(), &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{w.group}}))(w)
					balancer := listener.TargetGroups[0].LoadBalancerArns[0]
					must(w.DeleteLoadBalancer(context.Background(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &balancer}))(w)
					must(w.DeleteTargetGroup(context.Background(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: &w.group}))(w)
				})
			},
			from: time.Minute, to: 67 * time.Second,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.front()
				s := w.server(0, 0)
				w.register(s.target())
				time.Sleep(time.Minute)
				test.act(w, s)
				start := time.Now()
				option := test.option
				if option == nil {
					option = func(*elbv2hc.WaitOptions) {}
				}
				err := elbv2hc.WaitDrained(w.Context(), w, w.group, []elbv2hc.Target{s.target()}, option)
				within(w, "the end", time.Since(start), test.from, test.to)
				if test.kind != nil {
					wantGroupError(w, err, test.kind, test.target)
				} else if err != nil {
					w.Error(err)
				}
			})
		})
	}
}

func TestWaitOutlastsFaults(t *testing.T) {
	t.Parallel()
	for what, effect := range map[string]awstest.Effect{
		"throttles": awstest.Throttle(), "server errors": awstest.Unavailable(), "lost replies": awstest.LoseReply(), "calls that hang": awstest.Hang(),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.front()
				s := w.server(0, 0)
				w.register(s.target())
				heal := w.inject("DescribeTargetHealth", 0, effect)
				time.AfterFunc(2*time.Minute, heal)
				if err := elbv2hc.WaitInService(w.Context(), w, w.group, []elbv2hc.Target{s.target()}); err != nil {
					w.Fatal(err)
				}
				within(w, "in service", time.Since(w.start), 2*time.Minute, 2*time.Minute+40*time.Second)

				w.inject("DescribeTargetHealth", 0, effect)
				start := time.Now()
				err := elbv2hc.WaitInService(w.Context(), w, w.group, []elbv2hc.Target{s.target()}, func(o *elbv2hc.WaitOptions) { o.Timeout = time.Minute })
				if got := wantGroupError(w, err, elbv2hc.ErrTimeout); got.Err == nil {
					w.Errorf("%v does not say what the calls met", err)
				}
				within(w, "the timeout", time.Since(start), time.Minute, time.Minute+41*time.Second)
			})
		})
	}
}

func TestWaitEndsWithWhatCannotBeRepeated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		target := []elbv2hc.Target{{ID: "i-1"}}
		gone := strings.Replace(w.group, "web", "gone", 1)
		wantGroupError(w, elbv2hc.WaitInService(w.Context(), w, gone, target), elbv2hc.ErrNotFound)

		heal := w.inject("DescribeTargetHealth", 0, awstest.Deny())
		got := wantGroupError(w, elbv2hc.WaitInService(w.Context(), w, w.group, target), elbv2hc.ErrDenied)
		if got.RequestID == "" {
			w.Errorf("%v has no request ID", got)
		}
		heal()

		ctx, cancel := context.WithCancelCause(w.Context())
		enough := errors.New("enough")
		time.AfterFunc(10*time.Second, func() { cancel(enough) })
		start := time.Now()
		err := elbv2hc.WaitInService(ctx, w, w.group, target)
		wantGroupError(w, err, enough, "unused Target.NotRegistered")
		if errors.Is(err, elbv2hc.ErrTimeout) {
			w.Errorf("%v is a timeout", err)
		}
		within(w, "the end", time.Since(start), 10*time.Second, 10*time.Second)
	})
}

func TestMistakesInWaits(t *testing.T) {
	t.Parallel()
	err := elbv2hc.WaitInService(t.Context(), nil, "web", nil, func(o *elbv2hc.WaitOptions) {
		o.Timeout, o.ReadLag, o.PollInterval, o.MaxPollInterval, o.AtLeast = -time.Second, -2, time.Minute, time.Second, -3
	})
	wantFields(t, err, "api", "targetGroupARN", "WaitOptions.Timeout", "WaitOptions.ReadLag", "WaitOptions.AtLeast",
		"WaitOptions.MaxPollInterval", "targets")
	arn := "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1"
	err = elbv2hc.WaitDrained(t.Context(), &elbv2.Client{}, arn, []elbv2hc.Target{
		{}, {ID: "i-1", Zone: "us-east-1a"}, {ID: "10.0.0.1", Zone: "all"}, {ID: "i-1"},
	}, func(o *elbv2hc.WaitOptions) { o.AtLeast, o.Timeout = time.Hour, time.Minute })
	wantFields(t, err, "WaitOptions.AtLeast", "targets[0].ID", "targets[1].Zone", "targets[3].ID")
}

func TestUnusableReasons(t *testing.T) {
	t.Parallel()
	for state, reason := range map[types.TargetHealthStateEnum]types.TargetHealthReasonEnum{
		types.TargetHealthStateEnumUnused:      types.TargetHealthReasonEnumIpUnusable,
		types.TargetHealthStateEnumUnavailable: types.TargetHealthReasonEnumHealthCheckDisabled,
	} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			api := saying(&types.TargetHealth{State: state, Reason: reason})
			err := elbv2hc.WaitInService(t.Context(), api, "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1",
				[]elbv2hc.Target{{ID: "10.0.0.1", Port: 80}}, func(o *elbv2hc.WaitOptions) { o.ReadLag = elbv2hc.None })
			wantGroupError(t, err, elbv2hc.ErrUnusable, string(state)+" "+string(reason))
			if calls := len(api.DescribeTargetHealthCalls()); calls != 1 {
				t.Errorf("%d calls, want the first to be believed", calls)
			}
		})
	}
}

// description is a registration of 10.0.0.1:80.
func description(h *types.TargetHealth) types.TargetHealthDescription {
	return types.TargetHealthDescription{Target: &types.TargetDescription{Id: aws.String("10.0.0.1"), Port: aws.Int32(80)}, TargetHealth: h}
}
