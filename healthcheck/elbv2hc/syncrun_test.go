package elbv2hc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/elbv2hc"
)

// fleet is a pool whose targets are never asked.
func (w *world) fleet(n int) *healthcheck.Pool {
	w.Helper()
	never := healthcheck.Func(func(context.Context, healthcheck.Target) error { return errors.New("nobody there") })
	pool := must(healthcheck.New(never, func(o *healthcheck.Options) { o.DeregistrationDelay = time.Minute }))(w)
	w.enter(pool, 0, n)
	return pool
}

// enter registers addresses with a pool, one by one.
func (w *world) enter(pool *healthcheck.Pool, from, n int) {
	w.Helper()
	for _, t := range addresses(from, n) {
		if err := pool.Register(healthcheck.Target{ID: t.ID, Addr: t.String()}); err != nil {
			w.Fatal(err)
		}
	}
}

func inAllZones(o *elbv2hc.SyncOptions) {
	o.TargetOf = func(t healthcheck.Target) elbv2hc.Target {
		target := elbv2hc.TargetOf(t)
		target.Zone = "all"
		return target
	}
}

func TestGroupFollowsThePool(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		pool := w.fleet(4)
		defer w.runs(pool.Run)()
		s := w.syncer(inAllZones)
		stop := w.runs(func(ctx context.Context) error { return s.Run(ctx, pool) })
		synctest.Wait()
		if err := s.Run(w.Context(), pool); !errors.Is(err, elbv2hc.ErrAlreadyRun) {
			w.Errorf("the second Run returns %v", err)
		}
		time.Sleep(time.Second)
		w.holds(addresses(0, 4)...)

		before := w.cloud.Count(name, "RegisterTargets")
		go func() {
			for i := range 6 {
				w.enter(pool, 4+i, 1)
				time.Sleep(500 * time.Millisecond)
			}
		}()
		time.Sleep(5 * time.Second)
		w.holds(addresses(0, 10)...)
		if calls := w.cloud.Count(name, "RegisterTargets") - before; calls != 1 {
			w.Errorf("%d calls for targets that come one by one", calls)
		}

		// That all of them fail their checks is for the load balancer to find out; that one drains is not.
		if err := pool.Deregister(addresses(0, 1)[0].ID); err != nil {
			w.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		w.holds(addresses(1, 9)...)

		// Somebody else registers and deregisters, and is corrected in time.
		w.register(addresses(50, 1)...)
		w.deregister(addresses(1, 1)...)
		time.Sleep(6 * time.Minute)
		w.holds(addresses(1, 9)...)

		calls := w.cloud.Count(name, "DescribeTargetHealth")
		time.Sleep(time.Hour)
		if calls = w.cloud.Count(name, "DescribeTargetHealth") - calls; calls < 11 || calls > 14 {
			w.Errorf("%d reads in an hour without a change, want one for each five minutes", calls)
		}
		stop()
		w.holds(addresses(1, 9)...)
	}, byAddress)
}

func TestRunGoesOnAfterFailures(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.register(addresses(0, 4)...)
		pool := must(healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil })))(w)
		stopPool := w.runs(pool.Run)
		var log bytes.Buffer
		var events []elbv2hc.SyncEvent
		s := w.syncer(inAllZones, func(o *elbv2hc.SyncOptions) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			o.OnSync = func(_ context.Context, e elbv2hc.SyncEvent) { events = append(events, e) }
		})
		ended := make(chan error)
		go func() { ended <- s.Run(w.Context(), pool) }()
		time.Sleep(5 * time.Minute) // discovery has told the pool of no target yet
		w.holds(addresses(0, 4)...)
		synctest.Wait()
		if n := len(events); n < 4 || n > 7 || !errors.Is(events[0].Err, elbv2hc.ErrTooMany) || events[0].Pause > 11*time.Second || events[n-1].Pause < time.Minute {
			w.Errorf("%d syncs were refused: %+v", n, events)
		}
		heal := w.inject("", 0, awstest.Unavailable())
		w.enter(pool, 0, 5)
		time.Sleep(5 * time.Minute)
		heal()
		w.holds(addresses(0, 4)...)
		time.Sleep(6 * time.Minute)
		w.holds(addresses(0, 5)...)

		stopPool()
		if err := <-ended; !errors.Is(err, healthcheck.ErrStopped) {
			w.Errorf("Run returns %v after the pool has stopped", err)
		}
		if got := log.String(); !strings.Contains(got, "refused to deregister so many") || !strings.Contains(got, "registered=1") {
			w.Errorf("the log says\n%s", got)
		}
	}, byAddress)
}

func TestRunOutlivesItsHookAndTargetsThatAreTheSame(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		pool := w.fleet(0)
		defer w.runs(pool.Run)()
		for _, id := range []string{"a", "b"} { // on one address: two checks of one registration
			if err := pool.Register(healthcheck.Target{ID: id, Addr: addresses(0, 1)[0].String()}); err != nil {
				w.Fatal(err)
			}
		}
		var log bytes.Buffer
		syncs := 0
		s := w.syncer(func(o *elbv2hc.SyncOptions) {
			o.Port = 80
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			o.TargetOf = func(t healthcheck.Target) elbv2hc.Target {
				target := elbv2hc.TargetOf(t)
				target.Zone = "all"
				if t.ID == "b" {
					target.Port, target.Zone = 0, "us-east-1a" // the port is that of the group; the first one's zone holds
				}
				return target
			}
			o.OnSync = func(_ context.Context, e elbv2hc.SyncEvent) {
				if syncs++; e.Err != nil {
					w.Error(e.Err)
				}
				panic("a hook with a fault")
			}
		})
		stop := w.runs(func(ctx context.Context) error { return s.Run(ctx, pool) })
		time.Sleep(6 * time.Minute)
		stop()
		w.holds(addresses(0, 1)...)
		if syncs < 2 || !strings.Contains(log.String(), "a hook with a fault") {
			w.Errorf("%d syncs; the log says\n%s", syncs, log.String())
		}
	}, byAddress)
}

func TestResyncCanBeNever(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		pool := w.fleet(2)
		defer w.runs(pool.Run)()
		s := w.syncer(inAllZones, func(o *elbv2hc.SyncOptions) { o.Resync = math.MaxInt64 })
		stop := w.runs(func(ctx context.Context) error { return s.Run(ctx, pool) })
		time.Sleep(24 * time.Hour)
		w.enter(pool, 2, 1)
		time.Sleep(time.Minute)
		stop()
		w.holds(addresses(0, 3)...)
		if calls := w.cloud.Count(name, "DescribeTargetHealth"); calls != 3 { // two syncs, and the look of this test
			w.Errorf("%d reads in a day", calls)
		}
	}, byAddress)
}

func TestPoolThatNeverSettlesIsFollowed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		pool := w.fleet(1)
		defer w.runs(pool.Run)()
		var syncs []time.Time
		s := w.syncer(inAllZones, func(o *elbv2hc.SyncOptions) {
			o.OnSync = func(context.Context, elbv2hc.SyncEvent) { syncs = append(syncs, time.Now()) }
		})
		stop := w.runs(func(ctx context.Context) error { return s.Run(ctx, pool) })
		for i := range 120 { // more often than Settle
			w.enter(pool, 1+i, 1)
			time.Sleep(500 * time.Millisecond)
		}
		stop()
		if len(syncs) < 7 || len(syncs) > 15 {
			w.Errorf("%d syncs in a minute, want one for each ten settles", len(syncs))
		}
	}, byAddress)
}
