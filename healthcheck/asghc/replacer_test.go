package asghc_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/asghc"
)

func TestAnInstanceThatHangsIsReplaced(t *testing.T) {
	t.Parallel()
	inBubble(t, 4, func(w *world) {
		w.replace()
		ids := w.instances()
		time.Sleep(10 * time.Minute)
		if n := w.cloud.Count(service, "DescribeAutoScalingInstances"); n > 0 {
			w.Errorf("%d calls while nothing is unhealthy", n)
		}
		w.fail(ids[2])
		took := w.until("another instance", func() bool { return !slices.Contains(w.instances(), ids[2]) })
		if took < 80*time.Second || took > 150*time.Second { // 10-30 s to detect, a minute of patience, a round
			w.Errorf("it took %v", took)
		}
		w.until("all are healthy again", func() bool { return w.pool.View().Count(healthcheck.Healthy) == 4 && len(w.instances()) == 4 })
		time.Sleep(time.Hour)
		if got := w.marks(); got != 1 {
			w.Errorf("%d instances were marked", got)
		}
		if diff := cmp.Diff([]string{"2 young", "2 mark", "2 mark, marked"}, w.log(ids)[:3]); diff != "" {
			w.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestHalfOfTheFleetFailsAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, 20, func(w *world) {
		w.replace()
		ids := w.instances()
		w.fail(ids[:10]...)
		for w.marks() < 10 {
			if time.Since(w.start) > 2*time.Hour {
				w.Fatal("the fleet is never replaced")
			}
			if n := len(w.instances()); n < 18 {
				w.Fatalf("%d of 20 are in service", n)
			}
			time.Sleep(time.Second)
		}
		w.until("all are well", func() bool { return w.pool.View().Count(healthcheck.Healthy) == 20 })
		if w.marks() != 10 {
			w.Errorf("%d instances were marked", w.marks())
		}
	})
}

// What all depend on fails, and with it all checks: new instances would not help.
func TestADependencyFails(t *testing.T) {
	t.Parallel()
	inBubble(t, 10, func(w *world) {
		w.replace()
		w.depend(true)
		time.Sleep(2 * time.Hour)
		if w.marks() != 0 {
			w.Errorf("%d instances were marked", w.marks())
		}
		w.depend(false)
		time.Sleep(time.Hour)
		if w.marks() != 0 || w.pool.View().Count(healthcheck.Healthy) != 10 {
			w.Errorf("%d instances were marked, %d are healthy", w.marks(), w.pool.View().Count(healthcheck.Healthy))
		}
		if !slices.Contains(w.log(w.instances()), "0 fail-open") {
			w.Errorf("nobody is told: %v", w.log(w.instances()))
		}
	})
}

func TestGracePeriod(t *testing.T) {
	t.Parallel()
	grace := func(in *autoscaling.CreateAutoScalingGroupInput) { in.HealthCheckGracePeriod = aws.Int32(600) }
	inBubble(t, 4, func(w *world) {
		ids := w.instances()
		w.fail(ids[0])
		time.Sleep(30 * time.Second)
		w.replace()
		took := w.until("another instance", func() bool { return !slices.Contains(w.instances(), ids[0]) })
		if took < 9*time.Minute || took > 12*time.Minute {
			w.Errorf("it took %v", took)
		}
		want := []string{"0 young", "0 mark", "0 grace"}
		if got := w.log(ids); !slices.Equal(got[:3], want) || w.marks() != 1 {
			w.Errorf("got %v, want %v first; %d marks", got, want, w.marks())
		}
		if n := w.cloud.Count(service, "SetInstanceHealth"); n > 12 {
			w.Errorf("asked %d times in ten minutes", n)
		}
	}, grace)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	set := awstest.Match{Service: service, Operation: "SetInstanceHealth"}
	tests := []struct {
		name          string
		fault         func(*world) (heal func(), err error)
		heal          time.Duration
		fewest, marks int    // fewest: marks, unless it is given
		event         string // among the others
	}{
		{
			name:  "the reply of every attempt of the SDK is lost: it is marked again, and no other",
			fault: func(w *world) (func(), error) { return w.cloud.LoseReply(service, "SetInstanceHealth", 3) }, fewest: 1, marks: 3, // or fewer, if the replacement is faster than the SDK's retries
			event: "0 mark, failed, SetInstanceHealth",
		},
		{
			name: "reads are far behind",
			fault: func(w *world) (func(), error) {
				return w.cloud.Inject(awstest.Match{Service: service, Operation: "DescribeAutoScalingGroups"}, awstest.Stale(45*time.Second))
			},
			marks: 1, event: "0 mark, marked",
		},
		{
			name:  "throttled",
			fault: func(w *world) (func(), error) { return w.cloud.Inject(set, awstest.Throttle()) }, heal: 5 * time.Minute,
			marks: 1, event: "0 mark, failed, SetInstanceHealth",
		},
		{
			name:  "not permitted",
			fault: func(w *world) (func(), error) { return w.cloud.Inject(set, awstest.Deny()) }, heal: 5 * time.Minute,
			marks: 1, event: "0 mark, failed, SetInstanceHealth",
		},
		{
			name:  "Auto Scaling is down",
			fault: func(w *world) (func(), error) { return w.cloud.FailService(service, "us-east-1") }, heal: 30 * time.Minute,
			marks: 1, event: "failed, DescribeAutoScalingInstances",
		},
		{
			name:  "the call hangs",
			fault: func(w *world) (func(), error) { return w.cloud.Inject(set, awstest.Hang()) }, heal: 5 * time.Minute,
			marks: 1, event: "0 mark, failed, SetInstanceHealth",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, 4, func(w *world) {
				ids := w.instances()
				w.fail(ids[0])
				heal := must(test.fault(w))(w)
				defer heal()
				w.replace()
				time.Sleep(test.heal)
				if test.heal > 0 {
					if w.marks() != 0 {
						w.Errorf("%d marks before it is healed", w.marks())
					}
					heal()
				}
				time.Sleep(30 * time.Minute)
				if now := w.instances(); slices.Contains(now, ids[0]) || !slices.Contains(now, ids[1]) || len(now) != 4 {
					w.Errorf("the group is %v, and was %v", now, ids)
				}
				if test.fewest == 0 {
					test.fewest = test.marks
				}
				if n := w.marks(); n > test.marks || n < test.fewest {
					w.Errorf("%d marks, want %d", n, test.marks)
				}
				if got := w.log(ids); !slices.Contains(got, test.event) {
					w.Errorf("no event %q in %q", test.event, got)
				}
			})
		})
	}
}

// A Replacer that takes over while an instance is on its way finds that out from the group.
func TestRestart(t *testing.T) {
	t.Parallel()
	inBubble(t, 10, func(w *world) {
		ids := w.instances()
		w.fail(ids[0], ids[1])
		stop := w.replace()
		w.until("the first mark", func() bool { return w.marks() == 1 })
		stop()
		heal := must(w.cloud.FailService("EC2", "us-east-1"))(w) // no instance comes
		w.replace()
		time.Sleep(20 * time.Minute)
		if w.marks() != 1 {
			w.Errorf("%d marks while one is in flight", w.marks())
		}
		heal()
		w.until("both are replaced", func() bool { return w.marks() == 2 && len(w.instances()) == 10 })
	})
}

// Two Replacers see each other's marks in the group.
func TestTwoReplacers(t *testing.T) {
	t.Parallel()
	inBubble(t, 10, func(w *world) {
		ids := w.instances()
		w.replace()
		w.replace()
		w.fail(ids[:3]...)
		for now := ids; slices.Contains(now, ids[0]) || slices.Contains(now, ids[1]) || slices.Contains(now, ids[2]); now = w.instances() {
			if len(now) < 8 { // one each at worst, in the same instant
				w.Fatalf("%d of 10 are in service", len(now))
			}
			if time.Since(w.start) > time.Hour {
				w.Fatal("they are never replaced")
			}
			time.Sleep(time.Second)
		}
		w.until("all are well", func() bool { return w.pool.View().Count(healthcheck.Healthy) == 10 })
		if n := w.marks(); n < 3 || n > 6 {
			w.Errorf("%d marks of 3 instances", n)
		}
	})
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	inBubble(t, 10, func(w *world) {
		w.replace(func(o *asghc.Options) { o.DryRun, o.Groups = true, []string{"g"} })
		ids := w.instances()
		w.fail(ids[0], ids[1])
		time.Sleep(time.Hour)
		if n := w.cloud.Count(service, "SetInstanceHealth"); n > 0 {
			w.Errorf("%d instances were marked", n)
		}
		if n := w.cloud.Count(service, "DescribeAutoScalingInstances"); n > 0 {
			w.Errorf("%d needless calls", n)
		}
		got := w.log(ids)
		slices.Sort(got)
		want := []string{"0 mark, dry run", "0 young, dry run", "1 brake, dry run", "1 young, dry run"}
		alike := []string{"0 brake, dry run", "0 young, dry run", "1 mark, dry run", "1 young, dry run"}
		if !slices.Equal(got, want) && !slices.Equal(got, alike) {
			w.Errorf("got %q", got)
		}
	})
}

func TestShiftedZones(t *testing.T) {
	t.Parallel()
	inBubble(t, 10, func(w *world) {
		group := must(w.describe())(w)
		sick := group.Instances[0]
		var fail atomic.Bool
		w.replace(func(o *asghc.Options) {
			o.ShiftedZones = func(context.Context) ([]string, error) {
				switch {
				case fail.Load():
					return nil, errors.New("ARC is down")
				case time.Since(w.start) < time.Hour:
					return []string{*sick.AvailabilityZoneId}, nil
				}
				return nil, nil
			}
		})
		w.fail(*sick.InstanceId)
		time.Sleep(59 * time.Minute)
		if w.marks() != 0 {
			w.Error("an instance was marked in a zone that is shifted away from")
		}
		fail.Store(true)
		time.Sleep(30 * time.Minute)
		if w.marks() != 0 {
			w.Error("an instance was marked while nobody knows what is shifted")
		}
		fail.Store(false)
		w.until("it is marked", func() bool { return w.marks() == 1 })
		got := w.log([]string{*sick.InstanceId})
		got = slices.DeleteFunc(got, func(s string) bool { return s == "failed, ShiftedZones" })
		if diff := cmp.Diff([]string{"0 young", "0 shifted", "0 unread", "0 mark", "0 mark, marked"}, got); diff != "" {
			w.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// What a person has said of a zone or of a target in the pool keeps instances from being marked.
func TestThePoolIsToldOtherwise(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		tell func(w *world, id, zone string) (takeBack func(), err error)
		want asghc.Verdict
	}{
		{"the zone is shifted away from", func(w *world, _, zone string) (func(), error) { return w.pool.Shift(zone, 12*time.Hour, "a drill") }, asghc.Shifted},
		{"the target counts as healthy", func(w *world, id, _ string) (func(), error) {
			return func() { _ = w.pool.Override(id, healthcheck.NoOverride) }, w.pool.Override(id, healthcheck.OverrideHealthy)
		}, asghc.Overridden},
		{"the target is drained, to be looked at", func(w *world, id, _ string) (func(), error) {
			return func() { _ = w.pool.Override(id, healthcheck.NoOverride) }, w.pool.Override(id, healthcheck.OverrideDrain)
		}, asghc.Overridden},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, 4, func(w *world) {
				sick := must(w.describe())(w).Instances[0]
				w.replace()
				takeBack := must(test.tell(w, *sick.InstanceId, *sick.AvailabilityZoneId))(w)
				w.fail(*sick.InstanceId)
				time.Sleep(time.Hour)
				if log := w.log([]string{*sick.InstanceId}); w.marks() != 0 || !slices.Contains(log, "0 "+string(test.want)) {
					w.Errorf("%d marks, %q", w.marks(), log)
				}
				takeBack()
				w.until("it is marked", func() bool { return w.marks() == 1 })
			})
		})
	}
}

func TestSuspendedProcesses(t *testing.T) {
	t.Parallel()
	for process, marks := range map[string]int{"ReplaceUnhealthy": 0, "Terminate": 0, "Launch": 0, "HealthCheck": 1, "AZRebalance": 1} {
		t.Run(process, func(t *testing.T) {
			t.Parallel()
			inBubble(t, 4, func(w *world) {
				must(w.SuspendProcesses(w.Context(), &autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String("g"), ScalingProcesses: []string{process}}))(w)
				w.replace()
				w.fail(w.instances()[0])
				time.Sleep(time.Hour)
				if w.marks() != marks {
					w.Errorf("%d marks, want %d", w.marks(), marks)
				}
			})
		})
	}
}

func TestOptionsReportEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := asghc.New(nil, nil, func(o *asghc.Options) {
		o.MinUnhealthy, o.SettleTime, o.RetryGrace, o.Interval, o.CallTimeout = -1, -1, -1, time.Millisecond, -1
		o.MaxInFlightPercent, o.MinHealthyPercent, o.Groups = 101, -2, []string{""}
	})
	var fields []string
	joined, _ := err.(interface{ Unwrap() []error })
	for _, err := range joined.Unwrap() {
		var inner []error
		if j, ok := err.(interface{ Unwrap() []error }); ok {
			inner = j.Unwrap()
		} else {
			inner = []error{err}
		}
		for _, err := range inner {
			if f, ok := errors.AsType[*asghc.FieldError](err); ok && f.Rule != "" {
				fields = append(fields, f.Field)
			}
		}
	}
	want := []string{
		"api", "source", "Options.MinUnhealthy", "Options.MaxInFlightPercent", "Options.MinHealthyPercent", "Options.SettleTime",
		"Options.RetryGrace", "Options.Interval", "Options.CallTimeout", "Options.Groups",
	}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRunsOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, 1, func(w *world) {
		r := must(asghc.New(w.Client, w.pool))(w)
		ctx, cancel := context.WithCancelCause(w.Context())
		why := errors.New("enough")
		cancel(why)
		if err := r.Run(ctx); !errors.Is(err, why) {
			w.Errorf("got %v, want the cause", err)
		}
		if err := r.Run(w.Context()); !errors.Is(err, asghc.ErrAlreadyRun) {
			w.Errorf("got %v", err)
		}
	})
}
