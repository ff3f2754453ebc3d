package healthcheck_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// localEvents collects LocalDegraded events.
func localEvents(got *[]healthcheck.Local) func(o *healthcheck.Options) {
	return func(o *healthcheck.Options) {
		o.OnEvent = func(_ context.Context, e healthcheck.Event) {
			if e.Kind == healthcheck.LocalDegraded {
				*got = append(*got, e.Local)
			}
		}
	}
}

// TestStarvedProcessBlamesItself stops the process again and again while checks are under way, which then time out.
func TestStarvedProcessBlamesItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const interval, targets = 10 * time.Second, 100
		f := newFleet()
		var events []healthcheck.Local
		pool := newPool(t, healthcheck.Func(f.check), localEvents(&events), func(o *healthcheck.Options) { o.Interval = interval })
		for i := range targets {
			register(t, pool, healthcheck.Target{ID: fmt.Sprint(i)})
		}
		run(t, pool)
		time.Sleep(5 * interval)
		// Slow enough that what is under way during a stop is timed out by it.
		for i := range targets {
			f.set(fmt.Sprint(i), func(ctx context.Context) error {
				select {
				case <-time.After(4 * time.Second):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		}
		for range 20 {
			synctest.Wait()
			pool.Jump(6 * time.Second)
			time.Sleep(3 * time.Second)
		}
		v := pool.View()
		if n := v.Count(healthcheck.Healthy); n != targets {
			t.Errorf("%d of %d targets are healthy", n, targets)
		}
		if !v.Degraded() || v.Local().Stretch != 8 || v.Local().Lag < 5*time.Second {
			t.Errorf("after being starved: %+v", v.Local())
		}
		unknown := 0
		for _, s := range pool.All() {
			for o := range s.Recent.All() {
				if o == healthcheck.Unknown {
					unknown++
				}
			}
			if s.Last.Outcome == healthcheck.Unknown && !errors.Is(s.Last.Err, healthcheck.ErrOverloaded) {
				t.Errorf("%+v", s.Last)
			}
		}
		if unknown == 0 {
			t.Error("no check is unknown")
		}

		// It recovers by itself, and the schedule is what it was.
		time.Sleep(3 * time.Minute)
		if v := pool.View(); v.Degraded() || v.Local().Stretch != 1 {
			t.Errorf("after recovery: %+v", v.Local())
		}
		time.Sleep(10 * interval)
		starts := f.startsOf("7")
		if gap := starts[len(starts)-1].Sub(starts[len(starts)-2]); gap != interval {
			t.Errorf("checked every %v after recovery, want %v", gap, interval)
		}
		if len(events) != 2 || !events[0].Degraded() || events[1].Degraded() {
			t.Errorf("events %+v", events)
		}
		f.set("7", refuse)
		waitFor(t, pool, "7", healthcheck.Unhealthy)
	})
}

func TestPassCountsWhileOverloaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.set("a", refuse)
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) { o.HealthyThreshold = 1 })
		run(t, pool)
		register(t, pool, healthcheck.Target{ID: "a"})
		waitFor(t, pool, "a", healthcheck.Unhealthy)
		synctest.Wait()
		f.set("a", nil)
		pool.Jump(time.Minute) // the next check is due within 30 s
		waitFor(t, pool, "a", healthcheck.Healthy)
		if !pool.View().Degraded() {
			t.Error("not degraded, with a check that was late by more than 30 s")
		}
	})
}

func TestStretchedScheduleChecksLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const interval = 10 * time.Second
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) { o.Interval = interval })
		register(t, pool, healthcheck.Target{ID: "a"}, healthcheck.Target{ID: "b"})
		run(t, pool)
		time.Sleep(time.Minute)
		synctest.Wait()
		pool.Jump(time.Minute)
		synctest.Wait()
		if l := pool.View().Local(); l.Stretch != 2 || l.Lag < 50*time.Second {
			t.Errorf("%+v", l)
		}
		starts := len(f.startsOf("a"))
		time.Sleep(time.Millisecond)
		waited := time.Now()
		for len(f.startsOf("a")) == starts {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(waited); took < interval*3/2 {
			t.Errorf("the next check came after %v, want about %v", took, 2*interval)
		}
	})
}

func TestExhaustionOfMaxInFlightIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		var events []healthcheck.Local
		pool := newPool(t, healthcheck.Func(f.check), localEvents(&events), func(o *healthcheck.Options) {
			o.Interval, o.MaxInFlight = 10*time.Second, 2
		})
		for i := range 20 {
			f.set(fmt.Sprint(i), hang)
			register(t, pool, healthcheck.Target{ID: fmt.Sprint(i)})
		}
		run(t, pool)
		time.Sleep(2 * time.Minute)
		if l := pool.View().Local(); !l.Exhausted || l.Stretch != 1 || l.Lag < 20*time.Second {
			t.Errorf("%+v", l)
		}
		if n := pool.View().Count(healthcheck.Unhealthy); n == 0 {
			t.Error("checks that had to wait do not count, though each had all of its time")
		}
		for i := range 20 {
			f.set(fmt.Sprint(i), nil)
		}
		time.Sleep(2 * time.Minute)
		if pool.View().Degraded() {
			t.Errorf("%+v", pool.View().Local())
		}
		if len(events) != 2 || !events[0].Exhausted || events[1].Exhausted {
			t.Errorf("events %+v", events)
		}
	})
}
