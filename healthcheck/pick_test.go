package healthcheck_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

// pick picks and is done at once.
func pick(t *testing.T, pool *healthcheck.Pool, o healthcheck.PickOptions) healthcheck.Lease {
	t.Helper()
	lease, err := pool.Pick(o)
	if err != nil {
		t.Fatal(err)
	}
	lease.Done(healthcheck.Use{})
	return lease
}

// picks counts n picks by target.
func picks(t *testing.T, pool *healthcheck.Pool, n int, o healthcheck.PickOptions) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for range n {
		counts[pick(t, pool, o).Target.ID]++
	}
	return counts
}

func wantPicks(t *testing.T, pool *healthcheck.Pool, o healthcheck.PickOptions, want ...string) {
	t.Helper()
	counts := picks(t, pool, 200, o)
	var got []string
	for id := range counts {
		got = append(got, id)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("picked of %+v (-want +got):\n%s", o, diff)
	}
}

func everyAlgorithm(t *testing.T, test func(t *testing.T, a healthcheck.Algorithm)) {
	t.Helper()
	for a := healthcheck.RoundRobin; a <= healthcheck.LeastOutstandingExact; a++ {
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			test(t, a)
		})
	}
}

func targets(zone string, ids ...string) []healthcheck.Target {
	ts := make([]healthcheck.Target, len(ids))
	for i, id := range ids {
		ts[i] = healthcheck.Target{ID: id, Zone: zone}
	}
	return ts
}

func TestPickBeforeRunFailsOpenToInitialTargets(t *testing.T) {
	t.Parallel()
	everyAlgorithm(t, func(t *testing.T, a healthcheck.Algorithm) {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = a })
		if _, err := pool.Pick(healthcheck.PickOptions{}); !errors.Is(err, healthcheck.ErrNoTargets) {
			t.Errorf("a pick of nothing: %v", err)
		}
		register(t, pool, targets("z1", "a", "b", "c")...)
		wantPicks(t, pool, healthcheck.PickOptions{}, "a", "b", "c")
		wantPicks(t, pool, healthcheck.PickOptions{Except: []string{"b", "x"}}, "a", "c")
		if lease := pick(t, pool, healthcheck.PickOptions{}); !lease.FailOpen {
			t.Error("the lease does not say so")
		}
		_, err := pool.Pick(healthcheck.PickOptions{Except: []string{"a", "b", "c"}})
		if !errors.Is(err, healthcheck.ErrNoTargets) {
			t.Errorf("a pick of none of all: %v", err)
		}
		if err := pool.Deregister("a", "b", "c"); err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Pick(healthcheck.PickOptions{}); !errors.Is(err, healthcheck.ErrNoTargets) {
			t.Errorf("a pick when all are gone: %v", err)
		}
	})
}

func TestPickFollowsTheStates(t *testing.T) {
	t.Parallel()
	everyAlgorithm(t, func(t *testing.T, a healthcheck.Algorithm) {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet()
			pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) { o.Algorithm = a })
			f.set("c", refuse)
			register(t, pool, targets("z1", "a", "b", "c")...)
			stop := run(t, pool)
			waitFor(t, pool, "a", healthcheck.Healthy)
			waitFor(t, pool, "b", healthcheck.Healthy)
			wantPicks(t, pool, healthcheck.PickOptions{}, "a", "b")
			waitFor(t, pool, "c", healthcheck.Unhealthy)
			if lease := pick(t, pool, healthcheck.PickOptions{}); lease.FailOpen {
				t.Error("a lease of a pool that does not fail open says that it does")
			}

			if err := pool.Deregister("b"); err != nil {
				t.Fatal(err)
			}
			wantPicks(t, pool, healthcheck.PickOptions{}, "a")
			_, err := pool.Pick(healthcheck.PickOptions{Except: []string{"a"}})
			if !errors.Is(err, healthcheck.ErrNoTargets) {
				t.Errorf("with the only healthy one excepted: %v; unhealthy ones are for failing open", err)
			}

			f.set("a", refuse)
			waitFor(t, pool, "a", healthcheck.Unhealthy)
			wantPicks(t, pool, healthcheck.PickOptions{}, "a", "c") // b drains: never
			if lease := pick(t, pool, healthcheck.PickOptions{}); !lease.FailOpen {
				t.Error("a lease of a pool that fails open does not say so")
			}

			f.set("c", nil)
			waitFor(t, pool, "c", healthcheck.Healthy)
			wantPicks(t, pool, healthcheck.PickOptions{}, "c")
			_ = stop()
			wantPicks(t, pool, healthcheck.PickOptions{}, "c") // by what is known last
		})
	})
}

func TestLeaseIsDoneOnce(t *testing.T) {
	t.Parallel()
	everyAlgorithm(t, func(t *testing.T, a healthcheck.Algorithm) {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = a })
		register(t, pool, targets("z1", "a")...)
		outstanding := func(want int) {
			t.Helper()
			if s, _ := pool.Status("a"); s.Outstanding != want {
				t.Errorf("%d requests outstanding, want %d", s.Outstanding, want)
			}
		}
		first, err := pool.Pick(healthcheck.PickOptions{})
		if err != nil {
			t.Fatal(err)
		}
		outstanding(1)
		again := first
		first.Done(healthcheck.Use{})
		outstanding(0)
		second, err := pool.Pick(healthcheck.PickOptions{}) // may use the ticket of the first again
		if err != nil {
			t.Fatal(err)
		}
		first.Done(healthcheck.Use{})
		again.Done(healthcheck.Use{Err: errRefused})
		outstanding(1)
		var done sync.WaitGroup
		for range 8 {
			done.Go(func() { second.Done(healthcheck.Use{}) })
		}
		done.Wait()
		outstanding(0)
		healthcheck.Lease{}.Done(healthcheck.Use{})
	})
}

// TestRoundRobinIsFair: whatever n picks one after the other, each of n targets is picked once.
func TestRoundRobinIsFair(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 7, 100, 129} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, pass())
			register(t, pool, idle(n)...)
			for range 5 {
				for id, c := range picks(t, pool, n, healthcheck.PickOptions{}) {
					if c != 1 {
						t.Fatalf("%s was picked %d times in %d picks", id, c, n)
					}
				}
				pick(t, pool, healthcheck.PickOptions{}) // from anywhere on
			}
		})
	}
}

func TestPicksBesideEverythingElse(t *testing.T) {
	t.Parallel()
	everyAlgorithm(t, func(t *testing.T, a healthcheck.Algorithm) {
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.Algorithm = a
			o.Interval, o.Timeout, o.MaxStartSpread = 3*healthcheck.Tick, healthcheck.Tick, healthcheck.None
			o.UnhealthyThreshold, o.HealthyThreshold, o.DeregistrationDelay = 1, 1, healthcheck.Tick
			o.FinishWhenIdle = true
			o.Passive = &healthcheck.PassiveOptions{EjectionTime: healthcheck.Tick, MaxEjectPercent: 50}
		})
		register(t, pool, targets("z1", "a", "b", "c", "d")...)
		stop := run(t, pool)
		var work sync.WaitGroup
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		for i := range 4 {
			work.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					lease, err := pool.Pick(healthcheck.PickOptions{})
					if err != nil {
						t.Error(err) // a, b and d are always there
						return
					}
					if (n+i)%3 == 0 {
						lease.Done(healthcheck.Use{Err: errRefused})
					}
					lease.Done(healthcheck.Use{StatusCode: 502})
					_ = pool.View()
				}
			})
		}
		work.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				switch n % 4 {
				case 0:
					_ = pool.Deregister("c")
				case 1:
					_ = pool.Register(targets("z1", "c")...)
				case 2:
					f.set("a", refuse)
				case 3:
					f.set("a", nil)
				}
				_ = pool.Wait(ctx, func(v *healthcheck.View) bool { return v.Registered() > 0 })
			}
		})
		work.Wait()
		for _, id := range []string{"a", "b", "d"} {
			if s, _ := pool.Status(id); s.Outstanding != 0 {
				t.Errorf("%d requests are outstanding at %s", s.Outstanding, id)
			}
		}
		_ = stop()
	})
}

// TestPickAvoidsZones: a zone to be avoided is better than none.
func TestPickAvoidsZones(t *testing.T) {
	t.Parallel()
	for _, zonal := range []bool{false, true} {
		everyAlgorithm(t, func(t *testing.T, a healthcheck.Algorithm) {
			pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm, o.ZonalOnly = a, zonal })
			register(t, pool, targets("z1", "a", "b")...)
			register(t, pool, targets("z2", "c")...)
			for _, zone := range []string{"", "z1"} {
				wantPicks(t, pool, healthcheck.PickOptions{Zone: zone, AvoidZones: []string{"z1"}}, "c")
			}
			wantPicks(t, pool, healthcheck.PickOptions{Except: []string{"c"}, AvoidZones: []string{"z1"}}, "a", "b")
			wantPicks(t, pool, healthcheck.PickOptions{AvoidZones: []string{"z2", "z1"}}, "a", "b", "c")
			if _, err := pool.Pick(healthcheck.PickOptions{Except: []string{"a", "b", "c"}, AvoidZones: []string{"z1"}}); !errors.Is(err, healthcheck.ErrNoTargets) {
				t.Errorf("a pick of none of all: %v", err)
			}
		})
	}
}
