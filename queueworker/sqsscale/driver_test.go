package sqsscale_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

func TestTheGroupIsScaledOutAtOnceAndInAfterTheCooldown(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 1, func(w *world) {
		w.need(1)
		w.drive(w.Client, w)
		time.Sleep(10 * time.Minute)
		w.need(5)
		if took := w.until("it is scaled out", func() bool { return w.desired() == 5 }); took > 18*time.Second {
			w.Errorf("it was scaled out after %v, want an interval", took)
		}
		w.until("it is there", func() bool { return w.settled(5) })
		time.Sleep(10 * time.Minute)
		w.need(4)
		time.Sleep(4 * time.Minute)
		w.need(5) // once more
		time.Sleep(20 * time.Second)
		w.need(0)
		took := w.until("it is scaled in", func() bool { return w.desired() < 5 })
		if took < 5*time.Minute-30*time.Second || took > 5*time.Minute+20*time.Second {
			w.Errorf("it was scaled in after %v, want the cooldown", took)
		}
		if took := w.until("nothing is left", func() bool { return w.settled(0) }); took < 10*time.Minute {
			w.Errorf("two more steps took %v, want a cooldown for each", took)
		}
		if diff := cmp.Diff([]string{"1 to 5", "5 to 2", "2 to 1", "1 to 0"}, w.changes()); diff != "" {
			w.Error(diff)
		}
		e := w.last()
		if e.Decision.Verdict != sqsscale.Steady || e.Decision.Reason != "0 are needed" || e.Hint.Desired != 0 || e.Time.IsZero() {
			w.Errorf("got %+v", e)
		}
	})
}

func TestWhatFailsLeavesTheCapacityAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		op     string
		effect awstest.Effect
		want   error
	}{
		"the group cannot be read: denied":          {"DescribeAutoScalingGroups", awstest.Deny(), sqsscale.ErrDenied},
		"the group cannot be read: throttled":       {"DescribeAutoScalingGroups", awstest.Throttle(), nil},
		"the group cannot be read: no answer":       {"DescribeAutoScalingGroups", awstest.Hang(), context.DeadlineExceeded},
		"refreshes cannot be read":                  {"DescribeInstanceRefreshes", awstest.Deny(), sqsscale.ErrDenied},
		"the capacity cannot be set: denied":        {"SetDesiredCapacity", awstest.Deny(), sqsscale.ErrDenied},
		"the capacity cannot be set: throttled":     {"SetDesiredCapacity", awstest.Throttle(), nil},
		"the capacity cannot be set: not available": {"SetDesiredCapacity", awstest.Unavailable(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, 0, 10, 2, func(w *world) {
				heal := inject(w, w.cloud, awstest.Match{Service: service, Operation: c.op}, c.effect)
				w.need(5)
				w.drive(w.Client, w)
				time.Sleep(10 * time.Minute)
				events := w.log()
				if len(events) < 8 || len(events) > 20 {
					w.Errorf("%d rounds in ten minutes, want one a minute", len(events))
				}
				for _, e := range events {
					call, ok := errors.AsType[*sqsscale.CallError](e.Err)
					if !ok || call.Op != c.op || call.Of != "workers" || e.Applied {
						w.Errorf("got %+v", e)
					}
					if c.want != nil && !errors.Is(e.Err, c.want) {
						w.Errorf("got %v, want %v", e.Err, c.want)
					}
				}
				heal()
				if n := w.desired(); n != 2 {
					w.Errorf("the capacity is %d", n)
				}
				w.until("it is scaled out", func() bool { return w.desired() == 5 })
			})
		})
	}
}

func TestWithoutAHintTheCapacityIsLeftAlone(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 4, func(w *world) {
		w.unknown(queueworker.ErrQueueNotFound)
		w.drive(w.Client, w)
		time.Sleep(time.Hour)
		if e := w.last(); !errors.Is(e.Err, queueworker.ErrQueueNotFound) || e.Decision != (sqsscale.Decision{}) {
			w.Errorf("got %+v", e)
		}
		w.need(1)
		if took := w.until("it is scaled in", func() bool { return w.desired() < 4 }); took < 5*time.Minute {
			w.Errorf("it was scaled in %v after the first hint", took)
		}
	})
}

// A break in what is known begins the cooldown anew; one failed call is none.
func TestTheCooldownNeedsHintsWithoutABreak(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		silent       time.Duration
		least, limit time.Duration
	}{
		"a failed hint": {20 * time.Second, 0, 2 * time.Minute},
		"a break":       {3 * time.Minute, 5 * time.Minute, 7 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, 0, 10, 4, func(w *world) {
				w.need(2)
				w.drive(w.Client, w)
				time.Sleep(4 * time.Minute)
				w.unknown(errors.New("no"))
				time.Sleep(c.silent)
				w.need(2)
				took := w.until("it is scaled in", func() bool { return w.desired() == 2 })
				if took < c.least || took > c.limit {
					w.Errorf("it was scaled in after %v", took)
				}
			})
		})
	}
}

func TestAGroupThatIsNotThereIsSaidSo(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 1, func(w *world) {
		must(w.DeleteAutoScalingGroup(w.ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("workers"), ForceDelete: aws.Bool(true)}))(w)
		w.need(5)
		w.drive(w.Client, w)
		time.Sleep(10 * time.Second)
		if e := w.last(); e.Decision.Verdict != sqsscale.Blocked && !errors.Is(e.Err, sqsscale.ErrNoGroup) {
			w.Errorf("got %+v of a group that is being deleted", e)
		}
		time.Sleep(10 * time.Minute)
		if e := w.last(); !errors.Is(e.Err, sqsscale.ErrNoGroup) {
			w.Errorf("got %+v", e)
		}
		if _, err := sqsscale.InService(w.Client, "workers")(w.ctx); !errors.Is(err, sqsscale.ErrNoGroup) {
			w.Errorf("got %v", err)
		}
		if w.sets() != 0 {
			w.Error("it was scaled")
		}
	})
}

func TestTheBoundsAreThoseOfTheGroupAsTheyAreNow(t *testing.T) {
	t.Parallel()
	inWorld(t, 1, 3, 1, func(w *world) {
		w.need(100)
		w.drive(w.Client, w)
		w.until("it is as large as allowed", func() bool { return w.settled(3) })
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("workers"), MaxSize: aws.Int32(6)}))(w)
		if took := w.until("it is as large as allowed now", func() bool { return w.desired() == 6 }); took > 18*time.Second {
			w.Errorf("it took %v", took)
		}
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("workers"), MinSize: aws.Int32(4)}))(w)
		w.need(0)
		w.until("it is as small as allowed", func() bool { return w.settled(4) })
		time.Sleep(20 * time.Minute)
		if diff := cmp.Diff([]string{"1 to 3", "3 to 6", "6 to 4"}, w.changes()); diff != "" {
			w.Error(diff)
		}
	})
}

func TestACapacityThatSomebodySetsHasItsCooldown(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		w.need(2)
		w.drive(w.Client, w)
		time.Sleep(time.Hour)
		must(w.SetDesiredCapacity(w.ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("workers"), DesiredCapacity: aws.Int32(4)}))(w)
		if took := w.until("it is scaled in", func() bool { return w.desired() == 2 }); took < 5*time.Minute {
			w.Errorf("it was scaled in after %v", took)
		}
	})
}

func TestOnlyALeaderActs(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 1, func(w *world) {
		var leads atomic.Bool
		w.need(5)
		w.drive(w.Client, w, func(o *sqsscale.DriverOptions) { o.Leader = func(context.Context) bool { return leads.Load() } })
		from := w.cloud.Count(service, "")
		time.Sleep(time.Hour)
		if n := w.cloud.Count(service, "") - from; n != 0 || len(w.log()) != 0 {
			w.Errorf("%d calls by one who does not lead, and %d events", n, len(w.log()))
		}
		leads.Store(true)
		w.until("it is scaled out", func() bool { return w.settled(5) })
		time.Sleep(10 * time.Minute)
		w.need(1)
		time.Sleep(4 * time.Minute)
		leads.Store(false)
		time.Sleep(time.Minute)
		leads.Store(true)
		if took := w.until("it is scaled in", func() bool { return w.desired() < 5 }); took < 5*time.Minute {
			w.Errorf("it was scaled in %v after it leads again", took)
		}
	})
}

// One who ceases to lead while it reads does not act any more.
func TestALeaderIsAskedAgainBeforeItActs(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 1, func(w *world) {
		asked := 0
		w.need(5)
		stop := w.drive(w.Client, w, func(o *sqsscale.DriverOptions) {
			o.Leader = func(context.Context) bool { asked++; return asked%2 == 1 }
		})
		time.Sleep(time.Minute)
		stop()
		if asked < 6 || w.sets() != 0 || len(w.log()) != 0 {
			w.Errorf("asked %d times, %d calls, %d events", asked, w.sets(), len(w.log()))
		}
	})
}

func TestADryRunDecidesAndChangesNothing(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		w.need(5)
		w.drive(w.Client, w, func(o *sqsscale.DriverOptions) { o.DryRun = true })
		time.Sleep(10 * time.Minute)
		w.need(1)
		time.Sleep(10 * time.Minute)
		if w.sets() != 0 || w.desired() != 2 {
			w.Errorf("%d calls, and a capacity of %d", w.sets(), w.desired())
		}
		first, last := w.log()[0], w.last()
		if !first.DryRun || first.Applied || first.Decision.Verdict != sqsscale.Out || first.Decision.To != 5 {
			w.Errorf("got %+v", first)
		}
		if last.Decision.Verdict != sqsscale.In || last.Decision.To != 1 {
			w.Errorf("got %+v", last)
		}
	})
}

// refreshing is an Auto Scaling whose group has instance refreshes.
type refreshing struct {
	*autoscaling.Client
	list []types.InstanceRefreshStatus // the latest first
}

func (r *refreshing) DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	out := &autoscaling.DescribeInstanceRefreshesOutput{}
	for _, status := range r.list {
		out.InstanceRefreshes = append(out.InstanceRefreshes, types.InstanceRefresh{Status: status})
	}
	return out, nil
}

func TestAnInstanceRefreshIsLeftToEnd(t *testing.T) {
	t.Parallel()
	over := map[types.InstanceRefreshStatus]bool{
		types.InstanceRefreshStatusSuccessful: true, types.InstanceRefreshStatusFailed: true, types.InstanceRefreshStatusCancelled: true,
		types.InstanceRefreshStatusRollbackFailed: true, types.InstanceRefreshStatusRollbackSuccessful: true,
	}
	for _, status := range append(types.InstanceRefreshStatus("").Values(), "SomethingNew") {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			inWorld(t, 0, 10, 2, func(w *world) {
				w.need(5)
				w.drive(&refreshing{w.Client, []types.InstanceRefreshStatus{status, types.InstanceRefreshStatusSuccessful}}, w)
				time.Sleep(time.Minute)
				want := 2
				if over[status] {
					want = 5
				}
				if n := w.desired(); n != want {
					w.Errorf("the capacity is %d, want %d", n, want)
				}
				if e := w.last(); !over[status] && (e.Decision.Verdict != sqsscale.Blocked || e.Decision.Reason != "an instance refresh is under way: "+string(status)) {
					w.Errorf("got %+v", e)
				}
			})
		})
	}
}

func TestSuspendedProcessesAreRespected(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		process := func(name string) *autoscaling.SuspendProcessesInput {
			return &autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String("workers"), ScalingProcesses: []string{name}}
		}
		must(w.SuspendProcesses(w.ctx, process("Launch")))(w)
		w.need(5)
		w.drive(w.Client, w)
		time.Sleep(10 * time.Minute)
		if e := w.last(); e.Decision.Verdict != sqsscale.Blocked || w.sets() != 0 {
			w.Errorf("got %+v", e)
		}
		must(w.ResumeProcesses(w.ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String("workers")}))(w)
		w.until("it is scaled out", func() bool { return w.settled(5) })
		must(w.SuspendProcesses(w.ctx, process("Terminate")))(w)
		w.need(1)
		time.Sleep(20 * time.Minute)
		if e := w.last(); e.Decision.Verdict != sqsscale.Blocked || w.desired() != 5 {
			w.Errorf("got %+v", e)
		}
		must(w.ResumeProcesses(w.ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String("workers")}))(w)
		w.until("it is scaled in", func() bool { return w.settled(1) })
	})
}

// An instance that is protected from scale-in, as by Protect while its handlers run, counts as one that is needed.
func TestProtectedInstancesAreAFloor(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 4, func(w *world) {
		var ids []string
		for _, i := range w.describe().Instances[:3] {
			ids = append(ids, *i.InstanceId)
		}
		protect := func(ids []string, yes bool) {
			must(w.SetInstanceProtection(w.ctx, &autoscaling.SetInstanceProtectionInput{
				AutoScalingGroupName: aws.String("workers"), InstanceIds: ids, ProtectedFromScaleIn: &yes,
			}))(w)
		}
		protect(ids, true)
		w.need(0)
		w.drive(w.Client, w, func(o *sqsscale.DriverOptions) { o.MaxStepIn = 10 })
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]string{"4 to 3"}, w.changes()); diff != "" {
			w.Error(diff)
		}
		if e := w.last(); e.Decision.Verdict != sqsscale.Busy {
			w.Errorf("got %+v", e)
		}
		protect(ids[:2], false)
		w.until("it is scaled in", func() bool { return w.settled(1) })
		if left := *w.describe().Instances[0].InstanceId; left != ids[2] {
			w.Errorf("%s is left, want the one that is protected, %s", left, ids[2])
		}
	})
}

// As much as AWS lets one see of a rebalance between zones: the group has more instances than it wants.
func TestAGroupThatCannotGrowIsWantedLess(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		for _, z := range must(w.cloud.Region(region))(w).Zones() {
			z.RefuseLaunches("")
		}
		w.need(8)
		w.drive(w.Client, w)
		time.Sleep(10 * time.Minute)
		w.need(1)
		w.until("less is wanted", func() bool { return w.desired() < 8 })
		if n, all := w.desired(), w.inService(); n < 2 || all != 2 {
			w.Errorf("%d are wanted and %d there, want both that run to stay", n, all)
		}
	})
}

// The group's own cooldown holds back scaling in only, and only if it is asked for.
func TestTheCooldownOfTheGroupIsHonoredIfAskedFor(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		must(w.UpdateAutoScalingGroup(w.ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("workers"), DefaultCooldown: aws.Int32(1200)}))(w)
		w.need(4)
		w.drive(w.Client, w, func(o *sqsscale.DriverOptions) { o.HonorCooldown = true })
		if took := w.until("it is scaled out", func() bool { return w.settled(4) }); took > time.Minute {
			w.Errorf("scaling out took %v", took)
		}
		w.need(2)
		took := w.until("it is scaled in", func() bool { return w.desired() == 2 })
		if took < 19*time.Minute || took > 22*time.Minute {
			w.Errorf("it was scaled in after %v, want the cooldown of the group", took)
		}
		refused := 0
		for _, e := range w.log() {
			if _, ok := errors.AsType[*types.ScalingActivityInProgressFault](e.Err); ok {
				refused++
			}
		}
		if refused < 10 {
			w.Errorf("%d refusals, want one a minute", refused)
		}
	})
}

// A reply that is lost has had its effect: the capacity is not scaled in on the way by a read that does not show it.
func TestALostReplyAndAStaleReadTakeNothingAway(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 20, 2, func(w *world) {
		time.Sleep(2 * time.Minute) // so that a read of before shows the group
		inject(w, w.cloud, awstest.Match{Service: service, Operation: "SetDesiredCapacity", Times: 3}, awstest.LoseReply())
		heal := inject(w, w.cloud, awstest.Match{Service: service, Operation: "DescribeAutoScalingGroups"}, awstest.Stale(50*time.Second))
		w.need(10)
		w.drive(w.Client, w)
		time.Sleep(12 * time.Second) // the first round is over
		if e := w.last(); e.Err == nil {
			w.Errorf("got %+v", e)
		}
		w.need(5)
		time.Sleep(70 * time.Second)
		heal()
		if n := w.desired(); n != 10 {
			w.Errorf("the capacity is %d, want 10 for the cooldown", n)
		}
		w.until("it is scaled in", func() bool { return w.settled(5) })
	})
}

func TestADriverRunsOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		w.need(2)
		driver := must(sqsscale.NewDriver(w.Client, "workers", w))(w)
		ctx, cancel := context.WithCancelCause(w.ctx)
		cause := errors.New("the program ends")
		time.AfterFunc(time.Minute, func() { cancel(cause) })
		if err := driver.Run(ctx); !errors.Is(err, cause) {
			w.Errorf("got %v", err)
		}
		if err := driver.Run(ctx); !errors.Is(err, sqsscale.ErrAlreadyRun) {
			w.Errorf("got %v", err)
		}
	})
}

func TestACallThatIsCalledOffIsNoNews(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		inject(w, w.cloud, awstest.Match{Service: service, Operation: "DescribeAutoScalingGroups"}, awstest.Hang())
		w.need(5)
		stop := w.drive(w.Client, w)
		time.Sleep(5 * time.Second)
		stop()
		if all := w.log(); len(all) != 0 {
			w.Errorf("got %+v", all)
		}
	})
}

func TestDecisionsAreLogged(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		var out bytes.Buffer
		w.need(3)
		stop := w.drive(w.Client, w, func(o *sqsscale.DriverOptions) {
			o.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}))
		})
		time.Sleep(2 * time.Minute)
		w.unknown(errors.New("no"))
		time.Sleep(16 * time.Second)
		stop()
		want := `level=INFO msg="sqsscale: the capacity is changed" group=workers verdict=out from=2 to=3 reason="3 are needed"
level=INFO msg="sqsscale: decided" group=workers verdict=steady from=3 to=3 reason="3 are needed"
level=WARN msg="sqsscale: the capacity is left alone" group=workers error="sqsscale: Hint workers: no"
`
		if diff := cmp.Diff(want, out.String()); diff != "" {
			w.Error(diff)
		}
	})
}

func TestAPanicInAHookOfADriverEndsNothing(t *testing.T) {
	t.Parallel()
	inWorld(t, 0, 10, 2, func(w *world) {
		var out bytes.Buffer
		w.need(3)
		ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
		defer cancel()
		driver := must(sqsscale.NewDriver(w.Client, "workers", w, func(o *sqsscale.DriverOptions) {
			o.OnEvent, o.Logger = func(context.Context, sqsscale.DriverEvent) { panic("hook") }, slog.New(slog.NewTextHandler(&out, nil))
		}))(w)
		if err := driver.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || w.desired() != 3 {
			w.Errorf("got %v, and a capacity of %d", err, w.desired())
		}
		if n := strings.Count(out.String(), "panic in OnEvent"); n < 3 {
			w.Errorf("%d panics were logged", n)
		}
	})
}

func TestAllMistakesOfADriverAreReported(t *testing.T) {
	t.Parallel()
	_, err := sqsscale.NewDriver(nil, "", nil, func(o *sqsscale.DriverOptions) {
		o.Interval, o.Cooldown, o.MaxStepOut, o.MaxStepIn, o.SettleTime, o.Timeout = time.Millisecond, time.Microsecond, -1, -1, -1, -1
	})
	want := []string{
		"api", "group", "hints", "DriverOptions.Interval", "DriverOptions.Cooldown", "DriverOptions.MaxStepOut", "DriverOptions.MaxStepIn",
		"DriverOptions.SettleTime", "DriverOptions.Timeout",
	}
	if diff := cmp.Diff(want, fields(err)); diff != "" {
		t.Error(diff)
	}
}
