package elbv2hc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// runs runs something until the test calls stop, which waits for its end and holds it against the cause.
func (w *world) runs(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancelCause(w.Context())
	enough := errors.New("enough")
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	return func() {
		w.Helper()
		cancel(enough)
		if err := <-ended; !errors.Is(err, enough) {
			w.Errorf("Run returns %v, want the cause of its context", err)
		}
	}
}

func (w *world) follow(optFns ...func(*elbv2hc.FollowOptions)) *elbv2hc.Follower {
	w.Helper()
	return must(elbv2hc.Follow(w, w.group, optFns...))(w)
}

// pool makes a pool that believes a follower, with targets registered by the addresses that they have.
func (w *world) pool(f *elbv2hc.Follower, servers ...*server) *healthcheck.Pool {
	w.Helper()
	pool := must(healthcheck.New(f, f.Options))(w)
	for _, s := range servers {
		if err := pool.Register(healthcheck.Target{ID: s.ID(), Zone: s.Zone().ID(), Addr: s.addr + ":80"}); err != nil {
			w.Fatal(err)
		}
	}
	return pool
}

func state(p *healthcheck.Pool, s *server) string {
	status, _ := p.Status(s.ID())
	return strings.TrimSpace(status.State.String() + " " + string(status.Reason))
}

func TestPoolFollowsTheLoadBalancer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		a, b := w.server(0, 0), w.server(1, 1)
		f := w.follow()
		pool := w.pool(f, a, b)
		defer w.runs(f.Run)()
		defer w.runs(pool.Run)()

		time.Sleep(30 * time.Second)
		if got := state(pool, a); got != "initial Elb.InitialHealthChecking" {
			w.Errorf("before its registration a is %q", got)
		}
		w.register(a.target(), b.target())
		time.Sleep(40 * time.Second)
		if got := state(pool, a); got != "healthy" {
			w.Errorf("a is %q", got)
		}
		b.status.Store(http.StatusServiceUnavailable)
		time.Sleep(45 * time.Second)
		status, _ := pool.Status(b.ID())
		if status.State != healthcheck.Unhealthy || status.Detail != "Health checks failed with these codes: [503]" {
			w.Errorf("b is %v: %s", status.State, status.Detail)
		}
		w.deregister(a.target())
		time.Sleep(time.Minute)
		if got := state(pool, a); got != "healthy" { // to drain says nothing of its health
			w.Errorf("draining, a is %q", got)
		}
		w.powerOff(a)
		w.register(b.target())
		time.Sleep(10 * time.Minute)
		if got := state(pool, a); got != "healthy" { // it is not registered, so that nobody looks
			w.Errorf("not registered, a is %q", got)
		}
	})
}

// One call reads the whole group, whatever is registered, checked and watched.
func TestFollowingCostsOneCallForEachInterval(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		var servers []*server
		for i := range 20 {
			servers = append(servers, w.server(i%2, i))
			w.register(servers[i].target())
		}
		f := w.follow()
		defer w.runs(f.Run)()
		var stops []func()
		for range 3 {
			stops = append(stops, w.runs(w.pool(f, servers...).Run), w.runs(func(ctx context.Context) error {
				for range f.Watch(ctx) {
				}
				return context.Cause(ctx)
			}))
		}
		time.Sleep(10 * time.Minute)
		for _, stop := range stops {
			stop()
		}
		if calls := w.cloud.Count(name, "DescribeTargetHealth"); calls < 55 || calls > 65 {
			w.Errorf("%d calls in ten minutes, want one for each ten seconds", calls)
		}
	})
}

func TestTargetsStayAsTheyAreWhileTheServiceIsDown(t *testing.T) {
	t.Parallel()
	for what, effect := range map[string]awstest.Effect{
		"throttled": awstest.Throttle(), "down": awstest.Unavailable(), "denied": awstest.Deny(), "hanging": awstest.Hang(),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.front()
				a := w.server(0, 0)
				w.register(a.target())
				var log bytes.Buffer
				f := w.follow(func(o *elbv2hc.FollowOptions) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
				pool := w.pool(f, a)
				stopFollower, stopPool := w.runs(f.Run), w.runs(pool.Run)
				time.Sleep(time.Minute)
				heal := w.inject("DescribeTargetHealth", 0, effect)
				before := w.cloud.Count(name, "DescribeTargetHealth")
				a.status.Store(http.StatusServiceUnavailable)
				time.Sleep(time.Hour)

				status, _ := pool.Status(a.ID())
				if status.State != healthcheck.Healthy || status.Fails > 0 {
					w.Errorf("%v after %d failures", status.State, status.Fails)
				}
				if last := status.Last; last.Outcome != healthcheck.Unknown || !errors.Is(last.Err, elbv2hc.ErrStale) || !strings.Contains(last.Detail, "is of 20") {
					w.Errorf("the latest check is %v: %s, %v", last.Outcome, last.Detail, last.Err)
				}
				if snapshot, err := f.Snapshot(); snapshot == nil || err == nil {
					w.Errorf("snapshot %v and error %v, want both", snapshot, err)
				}
				// Once a minute, with up to three tries of the SDK.
				if calls := w.cloud.Count(name, "DescribeTargetHealth") - before; calls > 3*70 {
					w.Errorf("%d calls in an hour", calls)
				}
				heal()
				time.Sleep(2 * time.Minute)
				if got := state(pool, a); got != "unhealthy Target.ResponseCodeMismatch" {
					w.Errorf("two minutes after the end a is %q", got)
				}
				stopPool()
				stopFollower()
				if got := strings.Count(log.String(), "level=WARN"); got != 1 || strings.Count(log.String(), "again") != 1 {
					w.Errorf("the log has %d warnings:\n%s", got, log.String())
				}
			})
		})
	}
}

func TestDeadZoneShowsInThePool(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		a, b := w.server(0, 0), w.server(1, 1)
		w.register(a.target(), b.target())
		f := w.follow()
		pool := w.pool(f, a, b)
		defer w.runs(f.Run)()
		defer w.runs(pool.Run)()
		time.Sleep(time.Minute)
		heal := w.region.Zones()[0].Fail(awstest.NetworkLoss)
		start := time.Now()
		if err := pool.Wait(w.Context(), func(v *healthcheck.View) bool { return v.Count(healthcheck.Unhealthy) > 0 }); err != nil {
			w.Fatal(err)
		}
		// Two timeouts of a check each ten seconds, a read each ten, a check of the pool each ten.
		within(w, "detected", time.Since(start), 15*time.Second, 25*time.Second+22*time.Second)
		if got := state(pool, a); got != "unhealthy Target.Timeout" {
			w.Errorf("a is %q", got)
		}
		if got := state(pool, b); got != "healthy" {
			w.Errorf("b is %q", got)
		}
		heal()
		if err := pool.Wait(w.Context(), func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 2 }); err != nil {
			w.Error(err)
		}
	})
}

func TestFollowerStandsBesideOtherChecks(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		f := w.follow()
		if _, err := f.Open(healthcheck.Target{}); err == nil {
			w.Error("a target without an ID is opened")
		}
		probe := must(f.Open(healthcheck.Target{ID: "i-1"}))(w)
		if r := probe.Check(w.Context()); r.Outcome != healthcheck.Unknown || !errors.Is(r.Err, elbv2hc.ErrStale) {
			w.Errorf("before the first read: %v, %v", r.Outcome, r.Err)
		}
		stop := w.runs(f.Run)
		synctest.Wait()
		if err := f.Run(w.Context()); !errors.Is(err, elbv2hc.ErrAlreadyRun) {
			w.Errorf("the second Run returns %v", err)
		}
		time.Sleep(2 * time.Second)
		if r := probe.Check(w.Context()); r.Outcome != healthcheck.Unknown || r.Reason != "Target.NotRegistered" || r.Err != nil {
			w.Errorf("a target that is not there: %v for %q, %v", r.Outcome, r.Reason, r.Err)
		}
		stop()
	})
}

func TestWatchYieldsChangesOnly(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		a, b := w.server(0, 0), w.server(1, 1)
		w.register(a.target())
		f := w.follow(func(o *elbv2hc.FollowOptions) { o.Interval = time.Second })
		stop := w.runs(f.Run)
		time.AfterFunc(time.Minute, func() { w.register(b.target()) })
		time.AfterFunc(2*time.Minute, func() { w.deregister(a.target()) })
		time.AfterFunc(10*time.Minute, stop)

		names := strings.NewReplacer(a.target().String(), "a", b.target().String(), "b")
		var seen []string
		var before *elbv2hc.Snapshot
		for s := range f.Watch(w.Context()) {
			for c := range s.Since(before) {
				seen = append(seen, names.Replace(fmt.Sprintf("%v, was %s", c.After, c.Before.State)))
			}
			before = s
		}
		want := []string{
			"a is initial (Elb.RegistrationInProgress), was unused",
			"a is initial (Elb.InitialHealthChecking), was initial",
			"a is healthy, was initial",
			"b is initial (Elb.RegistrationInProgress), was unused",
			"b is initial (Elb.InitialHealthChecking), was initial",
			"b is healthy, was initial",
			"a is draining (Target.DeregistrationInProgress), was healthy",
			"a is unused (Target.NotRegistered), was draining",
		}
		// A check of a server that answers takes no time: its start may not be seen.
		want = without(want, "InitialHealthChecking")
		if diff := cmp.Diff(want, without(seen, "InitialHealthChecking")); diff != "" {
			w.Error(diff)
		}
	})
}

func without(lines []string, what string) (kept []string) {
	for _, l := range lines {
		if !strings.Contains(l, what) {
			kept = append(kept, l)
		}
	}
	return kept
}

func TestWatchEndsWithItsLoopAndItsContext(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		f := w.follow()
		stop := w.runs(f.Run)
		for s := range f.Watch(w.Context()) {
			if s.Len() != 0 {
				w.Errorf("%d registrations in an empty group", s.Len())
			}
			break
		}
		ctx, cancel := context.WithTimeout(w.Context(), time.Hour)
		defer cancel()
		n := 0
		for range f.Watch(ctx) {
			n++
		}
		if n != 1 {
			w.Errorf("%d snapshots of a group that does not change", n)
		}
		stop()
	})
}

// What the end of Run cuts short is no failure of a read.
func TestEndOfRunIsNoNews(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var log bytes.Buffer
		f := w.follow(func(o *elbv2hc.FollowOptions) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		stop := w.runs(f.Run)
		time.Sleep(15 * time.Second)
		w.inject("DescribeTargetHealth", 0, awstest.Hang())
		time.Sleep(10 * time.Second)
		stop()
		if _, err := f.Snapshot(); err != nil || log.Len() > 0 {
			w.Errorf("error %v; the log says\n%s", err, log.String())
		}
	})
}

func TestOutcomeOfEachState(t *testing.T) {
	t.Parallel()
	tests := []struct {
		state  types.TargetHealthStateEnum
		reason types.TargetHealthReasonEnum
		want   healthcheck.Outcome
	}{
		{"healthy", "", healthcheck.Pass},
		{"unhealthy", "Target.Timeout", healthcheck.Fail},
		{"unhealthy", "Target.ResponseCodeMismatch", healthcheck.Fail},
		{"unhealthy", "Target.FailedHealthChecks", healthcheck.Fail},
		{"unhealthy", "Elb.InternalError", healthcheck.Unknown},
		{"unhealthy.draining", "Target.FailedHealthChecks", healthcheck.Fail},
		{"initial", "Elb.RegistrationInProgress", healthcheck.Unknown},
		{"initial", "Elb.InitialHealthChecking", healthcheck.Unknown},
		{"draining", "Target.DeregistrationInProgress", healthcheck.Unknown},
		{"unused", "Target.NotRegistered", healthcheck.Unknown},
		{"unused", "Target.NotInUse", healthcheck.Unknown},
		{"unused", "Target.InvalidState", healthcheck.Fail},
		{"unused", "Target.IpUnusable", healthcheck.Fail},
		{"unavailable", "Target.HealthCheckDisabled", healthcheck.Unknown},
		{"unavailable", "Elb.InternalError", healthcheck.Unknown},
		{"something new", "", healthcheck.Unknown},
	}
	for _, test := range tests {
		t.Run(string(test.state)+" "+string(test.reason), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				api := saying(&types.TargetHealth{State: test.state, Reason: test.reason})
				f := must(elbv2hc.Follow(api, "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1"))(t)
				probe := must(f.Open(healthcheck.Target{ID: "web", Addr: "10.0.0.1:80"}))(t)
				w := &world{TB: t}
				stop := w.runs(f.Run)
				time.Sleep(2 * time.Second)
				r := probe.Check(t.Context())
				if r.Outcome != test.want {
					t.Errorf("%v, want %v", r.Outcome, test.want)
				}
				if r.Outcome != healthcheck.Pass && r.Reason != healthcheck.Reason(test.reason) {
					t.Errorf("for %q", r.Reason)
				}
				stop()
			})
		})
	}
}

func TestOverridesAndAnomaliesAreBesideTheState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := description(&types.TargetHealth{State: types.TargetHealthStateEnumHealthy})
		d.AdministrativeOverride = &types.AdministrativeOverride{State: types.TargetAdministrativeOverrideStateEnumZonalShiftActive}
		d.AnomalyDetection = &types.AnomalyDetection{Result: types.AnomalyResultEnumAnomalous, MitigationInEffect: types.MitigationInEffectEnumYes}
		api := describing(d)
		f := must(elbv2hc.Follow(api, "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1", func(o *elbv2hc.FollowOptions) { o.Anomalies = true }))(t)
		stop := (&world{TB: t}).runs(f.Run)
		for s := range f.Watch(t.Context()) {
			want := []elbv2hc.Health{{
				Target: elbv2hc.Target{ID: "10.0.0.1", Port: 80}, State: types.TargetHealthStateEnumHealthy,
				Override: types.TargetAdministrativeOverrideStateEnumZonalShiftActive,
				Anomaly:  types.AnomalyResultEnumAnomalous, Mitigation: types.MitigationInEffectEnumYes,
			}}
			if diff := cmp.Diff(want, s.Health(elbv2hc.Target{ID: "10.0.0.1"})); diff != "" {
				t.Error(diff)
			}
			if got := want[0].Outcome(); got != healthcheck.Pass {
				t.Errorf("under a zonal shift: %v", got)
			}
			break
		}
		stop()
		if in := api.DescribeTargetHealthCalls()[0].Params; len(in.Include) != 1 || in.Include[0] != types.DescribeTargetHealthInputIncludeEnumAnomaly {
			t.Errorf("asks for %v", in.Include)
		}
	})
}

func TestMistakesInFollow(t *testing.T) {
	t.Parallel()
	_, err := elbv2hc.Follow(nil, "arn:aws:sqs:us-east-1:1:queue", func(o *elbv2hc.FollowOptions) {
		o.Interval, o.MaxInterval, o.CallTimeout, o.StaleAfter = time.Minute, time.Second, -time.Second, time.Minute
	})
	wantFields(t, err, "api", "targetGroupARN", "FollowOptions.CallTimeout", "FollowOptions.MaxInterval", "FollowOptions.StaleAfter")
}

func TestIntervalsWithoutAUnitAreMistakes(t *testing.T) {
	t.Parallel()
	_, err := elbv2hc.Follow(&elbv2.Client{}, arn, func(o *elbv2hc.FollowOptions) { o.Interval = 10 })
	wantFields(t, err, "FollowOptions.Interval")
	_, err = elbv2hc.NewSyncer(&elbv2.Client{}, arn, func(o *elbv2hc.SyncOptions) { o.Resync = 300 })
	wantFields(t, err, "SyncOptions.Resync")
	err = elbv2hc.WaitDrained(t.Context(), &elbv2.Client{}, arn, []elbv2hc.Target{{ID: "i-1"}}, func(o *elbv2hc.WaitOptions) { o.PollInterval = 5 })
	wantFields(t, err, "WaitOptions.PollInterval")
}

func TestPoolIsSoonAsTheLoadBalancerIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var healthy atomic.Bool
		api := &healthcheckmock.HealthAPIMock{DescribeTargetHealthFunc: func(
			context.Context, *elbv2.DescribeTargetHealthInput, ...func(*elbv2.Options),
		) (*elbv2.DescribeTargetHealthOutput, error) {
			h := types.TargetHealth{State: types.TargetHealthStateEnumHealthy}
			if !healthy.Load() {
				h = types.TargetHealth{State: types.TargetHealthStateEnumUnhealthy, Reason: types.TargetHealthReasonEnumTimeout}
			}
			return &elbv2.DescribeTargetHealthOutput{TargetHealthDescriptions: []types.TargetHealthDescription{description(&h)}}, nil
		}}
		f := must(elbv2hc.Follow(api, arn))(t)
		if s, err := f.Snapshot(); s != nil || !errors.Is(err, elbv2hc.ErrStale) || !errors.As(err, new(*elbv2hc.GroupError)) {
			t.Errorf("before the first read there are %v and %v", s, err)
		}
		pool := must(healthcheck.New(f, f.Options))(t)
		if err := pool.Register(healthcheck.Target{ID: "10.0.0.1", Addr: "10.0.0.1:80"}); err != nil {
			t.Fatal(err)
		}
		w := &world{TB: t}
		stopFollower, stopPool := w.runs(f.Run), w.runs(pool.Run)
		var worst time.Duration
		for i := range 200 {
			time.Sleep(time.Minute + time.Duration(i)*137*time.Millisecond)
			start := time.Now()
			is := i%2 == 0
			healthy.Store(is)
			if err := pool.Wait(t.Context(), func(v *healthcheck.View) bool {
				s, _ := v.Status("10.0.0.1")
				return (s.State == healthcheck.Healthy) == is
			}); err != nil {
				t.Fatal(err)
			}
			worst = max(worst, time.Since(start))
		}
		stopPool()
		stopFollower()
		within(t, "the slowest of 200 changes", worst, 8*time.Second, 13505*time.Millisecond)
	})
}

// Of all registrations of an ID the worst counts.
func TestTargetWithoutAPortIsAsItsWorstRegistration(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.front()
		a := w.server(0, 0)
		w.register(a.target(), elbv2hc.Target{ID: a.ID(), Port: 81}) // nothing listens there
		f := w.follow()
		stop := w.runs(f.Run)
		for addr, want := range map[string]healthcheck.Outcome{"": healthcheck.Fail, a.addr + ":80": healthcheck.Pass, a.addr + ":81": healthcheck.Fail} {
			probe := must(f.Open(healthcheck.Target{ID: a.ID(), Addr: addr}))(w)
			time.Sleep(time.Minute)
			if r := probe.Check(w.Context()); r.Outcome != want {
				w.Errorf("at %q: %v", addr, r.Outcome)
			}
		}
		stop()
	})
}
