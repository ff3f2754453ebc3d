package healthcheck_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// TestViewsDoNotChange keeps views of a pool in which everything moves, with what they said at first.
func TestViewsDoNotChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		pool := newPool(t, healthcheck.Func(func(context.Context, healthcheck.Target) error {
			if rand.N(3) == 0 {
				return errRefused
			}
			return nil
		}), func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.DeregistrationDelay = time.Second, time.Second/2, 3*time.Second
			o.HealthyThreshold, o.UnhealthyThreshold = 2, 2
		})
		run(t, pool)
		type kept struct {
			view  *healthcheck.View
			zones []healthcheck.ZoneStatus
			all   map[string]healthcheck.Status
		}
		const targets = 1200 // more than one node of the table
		var views []kept
		for range 25 {
			for range 200 {
				id := fmt.Sprint(r.IntN(targets))
				switch r.IntN(4) {
				case 0:
					_ = pool.Deregister(id)
				case 1:
					register(t, pool, healthcheck.Target{ID: id, Addr: fmt.Sprintf("10.0.0.%d:80", r.IntN(9))})
				default:
					register(t, pool, healthcheck.Target{ID: id, Zone: fmt.Sprint(r.IntN(2))})
				}
			}
			synctest.Wait()
			v := pool.View()
			switch k := (kept{view: v, zones: v.Zones()}); r.IntN(3) {
			case 0: // read all of it now
				k.all = maps.Collect(v.All())
				views = append(views, k)
			case 1: // read it one by one, before and after others of the pool's changes
				k.all = map[string]healthcheck.Status{}
				for i := range targets {
					if s, ok := pool.Status(fmt.Sprint(i)); ok {
						k.all[fmt.Sprint(i)] = s
					}
				}
				views = append(views, k)
			}
			time.Sleep(time.Duration(r.IntN(2000)) * time.Millisecond)
		}
		errs := cmp.Comparer(errors.Is)
		for i, k := range views {
			if diff := cmp.Diff(k.zones, k.view.Zones()); diff != "" {
				t.Fatalf("seed %d: zones of view %d changed:\n%s", seed, i, diff)
			}
			for id := range targets {
				id := fmt.Sprint(id)
				want, wantOK := k.all[id]
				got, ok := k.view.Status(id)
				if ok != wantOK || ok && !cmp.Equal(want, got, errs) {
					t.Fatalf("seed %d: %s in view %d: %+v, %t, want %+v, %t", seed, id, i, got, ok, want, wantOK)
				}
			}
			if diff := cmp.Diff(k.all, maps.Collect(k.view.All()), errs); diff != "" {
				t.Fatalf("seed %d: targets of view %d:\n%s", seed, i, diff)
			}
		}
	})
}

func TestHistory(t *testing.T) {
	t.Parallel()
	h := healthcheck.NewHistory()
	if h.Len() != 0 || h.String() != "" {
		t.Errorf("no checks: %d, %q", h.Len(), h)
	}
	h = healthcheck.NewHistory(healthcheck.Unknown, healthcheck.Pass, healthcheck.Fail, healthcheck.Fail)
	if h.Len() != 4 || h.String() != "?+--" {
		t.Errorf("%d, %q", h.Len(), h)
	}
	var many []healthcheck.Outcome
	for i := range 40 {
		many = append(many, healthcheck.Outcome(i%3))
	}
	var got []healthcheck.Outcome
	for o := range healthcheck.NewHistory(many...).All() {
		got = append(got, o)
	}
	if diff := cmp.Diff(many[8:], got); diff != "" {
		t.Errorf("the latest 32 of 40 (-want +got):\n%s", diff)
	}
}

// TestOutcomeThatThereIsNot has a probe that returns one, which must not count nor harm the history.
func TestOutcomeThatThereIsNot(t *testing.T) {
	t.Parallel()
	if h := healthcheck.NewHistory(healthcheck.Pass, 3, 255, healthcheck.Fail); h.String() != "+??-" {
		t.Errorf("history %q", h)
	}
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, &healthcheckmock.CheckerMock{OpenFunc: func(healthcheck.Target) (healthcheck.Probe, error) {
			return &healthcheckmock.ProbeMock{
				CheckFunc: func(context.Context) healthcheck.Result { return healthcheck.Result{Outcome: 3} },
				CloseFunc: func() error { return nil },
			}, nil
		}})
		register(t, pool, healthcheck.Target{ID: "a"})
		run(t, pool)
		r, err := pool.CheckNow(t.Context(), "a")
		if err != nil || r.Outcome != healthcheck.Unknown || r.Reason != healthcheck.ReasonInternalError || r.Err == nil {
			t.Errorf("%+v, %v", r, err)
		}
		if s, _ := pool.Status("a"); s.Recent.String() != "?" || s.State != healthcheck.Initial {
			t.Errorf("%v with a history of %q", s.State, s.Recent)
		}
	})
}

func TestViewByHand(t *testing.T) {
	t.Parallel()
	bad := healthcheck.Status{Target: healthcheck.Target{ID: "a", Zone: "z1"}, State: healthcheck.Unhealthy}
	good := healthcheck.Status{Target: healthcheck.Target{ID: "b", Zone: "z2"}, State: healthcheck.Healthy, Shifted: true}
	v := healthcheck.ViewOptions{Seq: 7, ZonalOnly: true, Local: healthcheck.Local{Stretch: 3}}.View(good, bad)
	if v.Seq() != 7 || !v.Degraded() || v.FailOpen("") || !v.FailOpen("z1") || v.FailOpen("z2") {
		t.Errorf("seq %d, degraded %t, fail-open %t %t %t", v.Seq(), v.Degraded(), v.FailOpen(""), v.FailOpen("z1"), v.FailOpen("z2"))
	}
	want := []healthcheck.ZoneStatus{
		{Zone: "z1", Unhealthy: 1, Down: true, FailOpen: true}, {Zone: "z2", Healthy: 1, Shifted: true},
	}
	if diff := cmp.Diff(want, v.Zones()); diff != "" {
		t.Errorf("zones (-want +got):\n%s", diff)
	}
	other := healthcheck.Status{Target: healthcheck.Target{ID: "c", Zone: "z2"}, State: healthcheck.Unhealthy}
	v = healthcheck.ViewOptions{RoutingFailover: healthcheck.Threshold{Percent: 60}}.View(good, other)
	if z := v.Zones()[0]; !z.Down || !z.FailOpen {
		t.Errorf("one healthy target of two, 60 %% wanted, and nothing else said of zones: %+v", z)
	}
	v = healthcheck.ViewOptions{RoutingFailover: healthcheck.Threshold{Count: 2}}.View(good, bad)
	if !v.FailOpen("") || !v.FailOpen("z2") || v.Degraded() {
		t.Error("one healthy target of two that are wanted, and it does not fail open")
	}
}

// BenchmarkTransitions is what a change of state costs in a pool of 50,000 targets while somebody waits for a condition on counts.
func BenchmarkTransitions(b *testing.B) {
	for _, waiting := range []bool{false, true} {
		b.Run(fmt.Sprintf("waiting=%t", waiting), func(b *testing.B) {
			pool, err := healthcheck.New(pass())
			if err != nil {
				b.Fatal(err)
			}
			if err := pool.Register(idle(50_000)...); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				id := fmt.Sprint("i-", i%50_000)
				pool.SetState(id, healthcheck.Healthy+healthcheck.State(i/50_000%2))
				if waiting {
					if err := pool.Wait(b.Context(), func(v *healthcheck.View) bool { return v.Registered() > 0 }); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
