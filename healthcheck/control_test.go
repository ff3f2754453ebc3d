package healthcheck_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

// picked returns the IDs that n picks give, each once, in order.
func picked(t *testing.T, pool *healthcheck.Pool, n int) (ids []string, failOpen bool) {
	t.Helper()
	for range n {
		l, err := pool.Pick(healthcheck.PickOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(ids, l.Target.ID) {
			ids = append(ids, l.Target.ID)
		}
		failOpen = failOpen || l.FailOpen
		l.Done(healthcheck.Use{})
	}
	slices.Sort(ids)
	return ids, failOpen
}

func TestOverride(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.set("bad", refuse)
		pool := newPool(t, healthcheck.Func(f.check))
		register(t, pool, healthcheck.Target{ID: "bad"}, healthcheck.Target{ID: "good"}, healthcheck.Target{ID: "other"})
		run(t, pool)
		waitFor(t, pool, "bad", healthcheck.Unhealthy)
		var events []string
		got := pool.Events(t.Context())
		for _, step := range []struct {
			id   string
			o    healthcheck.Override
			want []string
		}{
			{"bad", healthcheck.OverrideHealthy, []string{"bad", "good", "other"}},
			{"bad", healthcheck.OverrideHealthy, []string{"bad", "good", "other"}}, // no news
			{"good", healthcheck.OverrideUnhealthy, []string{"bad", "other"}},
			{"other", healthcheck.OverrideDrain, []string{"bad"}},
			{"bad", healthcheck.NoOverride, []string{"bad", "good"}}, // fails open, to all but what drains
			{"good", healthcheck.NoOverride, []string{"good"}},
		} {
			if err := pool.Override(step.id, step.o); err != nil {
				t.Fatal(err)
			}
			if s, _ := pool.Status(step.id); s.Override != step.o {
				t.Errorf("override of %s is %v, want %v", step.id, s.Override, step.o)
			}
			if ids, _ := picked(t, pool, 12); !slices.Equal(ids, step.want) {
				t.Errorf("after %s %v picks are of %v, want %v", step.id, step.o, ids, step.want)
			}
		}
		for e := range got {
			if e.Kind == healthcheck.OverrideChange {
				events = append(events, fmt.Sprint(e.Status.Target.ID, " ", e.Status.Override))
			}
			if len(events) == 5 {
				break
			}
		}
		if diff := cmp.Diff([]string{"bad healthy", "good unhealthy", "other drain", "bad no_override", "good no_override"}, events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}

		// It goes on being checked, and a new address has nobody's word.
		checks := len(f.startsOf("other"))
		time.Sleep(time.Minute)
		if len(f.startsOf("other")) == checks {
			t.Error("a target with an override is not checked")
		}
		register(t, pool, healthcheck.Target{ID: "other", Addr: "10.0.0.9:80"})
		if s, _ := pool.Status("other"); s.Override != healthcheck.NoOverride || s.State != healthcheck.Initial {
			t.Errorf("with a new address it is %v with %v", s.State, s.Override)
		}

		if err := pool.Override("none", healthcheck.OverrideDrain); !errors.Is(err, healthcheck.ErrNotRegistered) {
			t.Errorf("error %v", err)
		}
		if _, ok := errors.AsType[*healthcheck.FieldError](pool.Override("bad", 9)); !ok {
			t.Error("override 9 is taken")
		}
	})
}

func TestShift(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		var log []string
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.OnEvent = func(_ context.Context, e healthcheck.Event) {
				if e.Kind == healthcheck.ZonalShift {
					log = append(log, fmt.Sprint(e.Zone.Zone, " ", e.Zone.Shifted, " ", e.Why))
				}
			}
		})
		register(t, pool, healthcheck.Target{ID: "a", Zone: "z1"}, healthcheck.Target{ID: "b", Zone: "z2"})
		run(t, pool)
		waitFor(t, pool, "a", healthcheck.Healthy)
		waitFor(t, pool, "b", healthcheck.Healthy)
		want := func(ids ...string) {
			t.Helper()
			if got, _ := picked(t, pool, 8); !slices.Equal(got, ids) {
				t.Errorf("picks are of %v, want %v", got, ids)
			}
		}

		_, err := pool.Shift("z1", time.Hour, "errors")
		if err != nil {
			t.Fatal(err)
		}
		want("b")
		if s, _ := pool.View().Status("a"); !s.Shifted || s.State != healthcheck.Healthy {
			t.Errorf("a is %+v", s)
		}
		if _, err := pool.Shift("z2", time.Hour, "errors"); !errors.Is(err, healthcheck.ErrShiftActive) {
			t.Errorf("a second zone: %v", err)
		}
		time.Sleep(time.Hour - time.Second)
		want("b")
		time.Sleep(time.Second + healthcheck.Tick)
		synctest.Wait()
		want("a", "b")

		// One that is replaced lasts as long as the second, and the first cannot cancel it.
		first, _ := pool.Shift("z1", time.Minute, "again")
		second, _ := pool.Shift("z1", time.Hour, "longer")
		first()
		time.Sleep(2 * time.Minute)
		want("b")
		second()
		second()
		want("a", "b")

		// Without anything healthy elsewhere it has no effect, and is refused to a program.
		f.set("b", refuse)
		waitFor(t, pool, "b", healthcheck.Unhealthy)
		if _, err := pool.TryShift("z1", time.Hour, "errors"); !errors.Is(err, healthcheck.ErrNoOtherZone) {
			t.Errorf("TryShift says %v", err)
		}
		cancel, err := pool.Shift("z1", time.Hour, "by hand")
		if err != nil {
			t.Fatal(err)
		}
		want("a")
		f.set("b", nil)
		waitFor(t, pool, "b", healthcheck.Healthy)
		want("b")
		cancel()
		synctest.Wait() // another goroutine may be at the hook

		if diff := cmp.Diff([]string{
			"z1 true errors", "z1 false errors", "z1 true again", "z1 true longer", "z1 false longer", "z1 true by hand", "z1 false by hand",
		}, log); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		_, err = pool.Shift("z3", 73*time.Hour, "")
		wantFieldErrors(t, err,
			"healthcheck: Shift.ttl: 73h0m0s must be greater than zero and at most 72h0m0s",
			`healthcheck: Shift.why: "" must not be empty`,
			`healthcheck: Shift.zone: "z3" must be the zone of a target`,
		)
	})
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass())
		register(t, pool, healthcheck.Target{ID: "a"}, healthcheck.Target{ID: "b", Addr: "10.0.0.2:80"}, healthcheck.Target{ID: "c"},
			healthcheck.Target{ID: "d"})
		run(t, pool)
		waitFor(t, pool, "c", healthcheck.Healthy)
		waitFor(t, pool, "a", healthcheck.Healthy)
		waitFor(t, pool, "d", healthcheck.Healthy)
		_ = pool.Deregister("d")
		before, _ := pool.Status("a")
		want := []healthcheck.Target{{ID: "e"}, {ID: "d"}, {ID: "a"}, {ID: "b", Addr: "10.0.0.3:80"}}
		got, err := pool.Reconcile(slices.Values(want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(healthcheck.Changes{Added: []string{"e"}, Replaced: []string{"b", "d"}, Removed: []string{"c"}}, got); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if after, _ := pool.Status("a"); after.State != healthcheck.Healthy || !after.Since.Equal(before.Since) {
			t.Errorf("an equal target was %v since %v and is %v since %v", before.State, before.Since, after.State, after.Since)
		}
		wantStatus(t, pool, "b", healthcheck.Initial, healthcheck.ReasonRegistrationInProgress)
		wantStatus(t, pool, "c", healthcheck.Draining, healthcheck.ReasonDeregistrationInProgress)
		if again, err := pool.Reconcile(slices.Values(want)); err != nil || !cmp.Equal(again, healthcheck.Changes{}) {
			t.Errorf("once more: %+v, %v", again, err)
		}
		if _, err := pool.Reconcile(slices.Values([]healthcheck.Target{{ID: "x"}, {}})); err == nil || pool.View().Registered() != 4 {
			t.Errorf("a bad list: %v, and %d targets", err, pool.View().Registered())
		}
	})
}

func TestCheckNow(t *testing.T) {
	t.Parallel()
	t.Run("does not wait, and leaves the schedule as it is", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			const interval = 30 * time.Second
			f := newFleet()
			pool := newPool(t, healthcheck.Func(f.check))
			register(t, pool, healthcheck.Target{ID: "a"})
			run(t, pool)
			time.Sleep(20 * interval) // by when it is in its place
			starts := f.startsOf("a")
			for n := len(starts); n == len(starts); starts = f.startsOf("a") {
				time.Sleep(time.Second)
			}
			due := starts[len(starts)-1].Add(interval)
			time.Sleep(interval / 3)
			f.set("a", refuse)
			begin := time.Now()
			r, err := pool.CheckNow(t.Context(), "a")
			if err != nil || r.Outcome != healthcheck.Fail || !errors.Is(r.Err, errRefused) || time.Since(begin) > 0 {
				t.Errorf("%+v, %v after %v", r, err, time.Since(begin))
			}
			if s, _ := pool.Status("a"); s.Fails != 1 {
				t.Errorf("%d failures count", s.Fails)
			}
			time.Sleep(time.Until(due))
			synctest.Wait()
			if starts := f.startsOf("a"); !starts[len(starts)-1].Equal(due) {
				t.Errorf("the next check is at %v, was due at %v", starts[len(starts)-1], due)
			}
			wantStatus(t, pool, "a", healthcheck.Unhealthy, healthcheck.ReasonFailedHealthChecks)
		})
	})
	t.Run("joins a check that runs", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var checks atomic.Int32
			pool := newPool(t, healthcheck.Func(func(context.Context, healthcheck.Target) error {
				checks.Add(1)
				time.Sleep(3 * time.Second)
				return nil
			}))
			register(t, pool, healthcheck.Target{ID: "a"})
			results := make(chan healthcheck.Result, 5)
			for range 5 {
				go func() {
					r, _ := pool.CheckNow(t.Context(), "a") // before Run, for which it waits
					results <- r
				}()
			}
			synctest.Wait()
			run(t, pool)
			for range 5 {
				if r := <-results; r.Outcome != healthcheck.Pass || r.Total != 3*time.Second {
					t.Errorf("%+v", r)
				}
			}
			if checks.Load() != 1 {
				t.Errorf("%d checks", checks.Load())
			}
		})
	})
	for name, c := range map[string]struct {
		before      time.Duration // the next check is due
		way         func(context.Context) error
		least, most time.Duration // from it to the next check
	}{
		"takes the place of the next check if it takes long": {
			time.Second, func(context.Context) error { time.Sleep(2 * time.Second); return nil }, 26 * time.Second, 30 * time.Second,
		},
		"settles doubt at the fast interval": {
			20 * time.Second, refuse, 6 * time.Second, 6 * time.Second,
		},
		"never delays the next check": {
			4 * time.Second, refuse, 4 * time.Second, 4 * time.Second,
		},
		"that ignores its context delays the next check until it ends": {
			8 * time.Second, func(context.Context) error { time.Sleep(7 * time.Second); return nil }, 8 * time.Second, 8 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const interval = 30 * time.Second
				f := newFleet()
				pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
					o.Interval, o.FastInterval, o.Timeout = interval, 6*time.Second, 5*time.Second
				})
				register(t, pool, healthcheck.Target{ID: "a"})
				run(t, pool)
				time.Sleep(20 * interval) // by when it is in its place
				for n := len(f.startsOf("a")); n == len(f.startsOf("a")); {
					time.Sleep(healthcheck.Tick)
				}
				time.Sleep(time.Until(f.startsOf("a")[len(f.startsOf("a"))-1].Add(interval - c.before)))
				f.set("a", c.way)
				asked := len(f.startsOf("a"))
				if _, err := pool.CheckNow(t.Context(), "a"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(interval)
				synctest.Wait()
				starts := f.startsOf("a")
				if gap := starts[asked+1].Sub(starts[asked]); gap < c.least || gap > c.most {
					t.Errorf("the next check starts %v after it, want %v to %v", gap, c.least, c.most)
				}
			})
		})
	}
	t.Run("of a probe that never returns takes the place of no other check", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFleet()
			pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
				o.Interval, o.Timeout, o.MaxStartSpread = time.Minute, time.Second, healthcheck.None
			})
			register(t, pool, healthcheck.Target{ID: "a"})
			run(t, pool)
			time.Sleep(20 * time.Minute)
			starts := f.startsOf("a")
			for n := len(starts); n == len(starts); starts = f.startsOf("a") {
				time.Sleep(time.Second)
			}
			f.set("a", ignore)
			r, err := pool.CheckNow(t.Context(), "a")
			if err != nil || r.Reason != healthcheck.ReasonTimeout || r.Total > time.Second+2*healthcheck.Tick {
				t.Errorf("%+v, %v", r, err)
			}
			waitFor(t, pool, "a", healthcheck.Unhealthy)
			due := starts[len(starts)-1].Add(time.Minute)
			if late := time.Since(due); late > time.Second+2*healthcheck.Tick {
				t.Errorf("the second failure is %v after the check was due", late)
			}
		})
	})
	t.Run("ends with the target, the pool and its context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFleet()
			for _, id := range []string{"a", "b", "c"} {
				f.set(id, hang)
			}
			pool := newPool(t, healthcheck.Func(f.check))
			register(t, pool, healthcheck.Target{ID: "a"}, healthcheck.Target{ID: "b"}, healthcheck.Target{ID: "c"})
			stop := run(t, pool)
			ctx, cancel := context.WithCancelCause(t.Context())
			errs := map[string]chan error{"a": make(chan error, 1), "b": make(chan error, 1), "c": make(chan error, 1)}
			for id, ch := range errs {
				ctx := ctx
				if id != "c" {
					ctx = t.Context()
				}
				go func() {
					_, err := pool.CheckNow(ctx, id)
					ch <- err
				}()
			}
			time.Sleep(time.Second)
			_ = pool.Deregister("a")
			cancel(errRefused)
			synctest.Wait()
			if err := <-errs["a"]; !errors.Is(err, healthcheck.ErrNotRegistered) {
				t.Errorf("deregistered: %v", err)
			}
			if err := <-errs["c"]; !errors.Is(err, errRefused) {
				t.Errorf("canceled: %v", err)
			}
			_ = stop()
			if err := <-errs["b"]; !errors.Is(err, healthcheck.ErrStopped) {
				t.Errorf("stopped: %v", err)
			}
			for id, want := range map[string]error{"a": healthcheck.ErrStopped, "none": healthcheck.ErrStopped} {
				if _, err := pool.CheckNow(t.Context(), id); !errors.Is(err, want) {
					t.Errorf("%s: %v", id, err)
				}
			}
		})
	})
}

func TestFinishWhenIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.FinishWhenIdle = true })
		register(t, pool, healthcheck.Target{ID: "idle"}, healthcheck.Target{ID: "busy"}, healthcheck.Target{ID: "stuck"})
		run(t, pool)
		waitFor(t, pool, "idle", healthcheck.Healthy)
		waitFor(t, pool, "busy", healthcheck.Healthy)
		waitFor(t, pool, "stuck", healthcheck.Healthy)
		leases := map[string]healthcheck.Lease{}
		for range 3 {
			l, err := pool.Pick(healthcheck.PickOptions{})
			if err != nil {
				t.Fatal(err)
			}
			leases[l.Target.ID] = l
		}
		leases["idle"].Done(healthcheck.Use{})
		_ = pool.Deregister("idle", "busy", "stuck")
		wantStatus(t, pool, "idle", healthcheck.Unused, healthcheck.ReasonNotRegistered)
		wantStatus(t, pool, "busy", healthcheck.Draining, healthcheck.ReasonDeregistrationInProgress)
		time.Sleep(time.Minute)
		leases["busy"].Done(healthcheck.Use{})
		wantStatus(t, pool, "busy", healthcheck.Unused, healthcheck.ReasonNotRegistered)
		wantStatus(t, pool, "stuck", healthcheck.Draining, healthcheck.ReasonDeregistrationInProgress)
		time.Sleep(4*time.Minute + healthcheck.Tick)
		synctest.Wait()
		wantStatus(t, pool, "stuck", healthcheck.Unused, healthcheck.ReasonNotRegistered)
		leases["stuck"].Done(healthcheck.Use{})
	})
}

// TestReconcilesAtTheSameTime: the pool ends up with one of the lists, not with what is left of several.
func TestReconcilesAtTheSameTime(t *testing.T) {
	t.Parallel()
	for range 100 {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.DeregistrationDelay = healthcheck.None })
		lists := [][]healthcheck.Target{targets("", "a", "b"), targets("", "b", "c"), targets("", "c", "a")}
		var wait sync.WaitGroup
		for _, list := range lists {
			wait.Go(func() {
				if _, err := pool.Reconcile(slices.Values(list)); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		var got []healthcheck.Target
		for _, s := range pool.View().All() {
			if s.State != healthcheck.Draining {
				got = append(got, s.Target)
			}
		}
		if !slices.ContainsFunc(lists, func(list []healthcheck.Target) bool {
			return len(got) == 2 && !slices.ContainsFunc(list, func(t healthcheck.Target) bool { return !slices.Contains(got, t) })
		}) {
			t.Fatalf("%v", got)
		}
	}
}
