package healthcheck_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// warmPool is a pool with a slow start of 100 s, whose targets are checked every 6 s and healthy after one pass.
func warmPool(t *testing.T, f *fleet, optFns ...func(*healthcheck.Options)) *healthcheck.Pool {
	t.Helper()
	pool := newPool(t, healthcheck.Func(f.check), append([]func(*healthcheck.Options){func(o *healthcheck.Options) {
		o.Interval, o.MaxStartSpread = 6*time.Second, healthcheck.None
		o.HealthyThreshold, o.UnhealthyThreshold = 1, 1
		o.SlowStart = 100 * time.Second
	}}, optFns...)...)
	run(t, pool)
	return pool
}

func wantSlowStart(t *testing.T, pool *healthcheck.Pool, id string, want float64) {
	t.Helper()
	if s, _ := pool.Status(id); math.Abs(float64(s.SlowStart)-want) > 1e-6 {
		t.Errorf("%s has a share of %v, want %v", id, s.SlowStart, want)
	}
}

// wantShare picks among two targets of which id has a share of another's, and allows for five standard deviations.
func wantShare(t *testing.T, pool *healthcheck.Pool, id string, share float64) {
	t.Helper()
	const n = 20_000
	p := share / (1 + share)
	got := picks(t, pool, n, healthcheck.PickOptions{})[id]
	if tolerance := 5 * math.Sqrt(n*p*(1-p)); math.Abs(float64(got)-n*p) > tolerance+1 {
		t.Errorf("%s got %d of %d picks, want %.0f ± %.0f", id, got, n, n*p, tolerance)
	}
}

func TestSlowStart(t *testing.T) {
	t.Parallel()
	for _, a := range []healthcheck.Algorithm{healthcheck.RoundRobin, healthcheck.WeightedRandom} {
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFleet()
				pool := warmPool(t, f, func(o *healthcheck.Options) { o.Algorithm = a })
				register(t, pool, targets("", "a")...)
				waitFor(t, pool, "a", healthcheck.Healthy)
				wantSlowStart(t, pool, "a", 1) // nobody else could take the traffic

				register(t, pool, targets("", "b")...)
				waitFor(t, pool, "b", healthcheck.Healthy)
				wantSlowStart(t, pool, "b", 0)
				wantShare(t, pool, "b", 0)
				time.Sleep(25 * time.Second)
				wantSlowStart(t, pool, "b", 0.25)
				wantShare(t, pool, "b", 0.25)
				time.Sleep(25 * time.Second)
				wantSlowStart(t, pool, "b", 0.5)
				wantShare(t, pool, "b", 0.5)
				time.Sleep(50 * time.Second)
				wantSlowStart(t, pool, "b", 1)
				wantShare(t, pool, "b", 1)

				// It begins anew after a recovery, and not for the one that stayed.
				f.set("b", refuse)
				waitFor(t, pool, "b", healthcheck.Unhealthy)
				wantSlowStart(t, pool, "b", 1)
				f.set("b", nil)
				waitFor(t, pool, "b", healthcheck.Healthy)
				wantSlowStart(t, pool, "b", 0)
				time.Sleep(10 * time.Second)
				wantSlowStart(t, pool, "b", 0.1)
				wantSlowStart(t, pool, "a", 1)

				// A third one enters beside a, which is not in slow start.
				register(t, pool, targets("", "c")...)
				waitFor(t, pool, "c", healthcheck.Healthy)
				wantSlowStart(t, pool, "c", 0)

				// When the last of the others is gone, those in slow start take it all.
				_ = pool.Deregister("a")
				wantPicks(t, pool, healthcheck.PickOptions{Except: []string{"c"}}, "b")
				wantPicks(t, pool, healthcheck.PickOptions{Except: []string{"b"}}, "c")

				// One that becomes healthy now has nobody beside it that is not in slow start, and does not enter.
				register(t, pool, targets("", "d")...)
				waitFor(t, pool, "d", healthcheck.Healthy)
				wantSlowStart(t, pool, "d", 1)
			})
		})
	}
}

// TestSlowStartOfATargetThatLeaves: what drains is in slow start no more, and what is registered again begins anew.
func TestSlowStartOfATargetThatLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		pool := warmPool(t, f)
		register(t, pool, targets("", "a")...)
		waitFor(t, pool, "a", healthcheck.Healthy)
		register(t, pool, targets("", "b")...)
		waitFor(t, pool, "b", healthcheck.Healthy)
		time.Sleep(50 * time.Second)
		wantSlowStart(t, pool, "b", 0.5)
		_ = pool.Deregister("b")
		wantSlowStart(t, pool, "b", 1)
		register(t, pool, targets("", "b")...)
		waitFor(t, pool, "b", healthcheck.Healthy)
		wantSlowStart(t, pool, "b", 0)
	})
}

// TestSlowStartByZone: under ZonalOnly the others are those of the zone.
func TestSlowStartByZone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		pool := warmPool(t, f, func(o *healthcheck.Options) { o.ZonalOnly = true })
		for _, target := range []struct {
			id, zone string
			share    float64
		}{{"a", "z1", 1}, {"b", "z2", 1}, {"c", "z1", 0}, {"d", "z2", 0}, {"e", "z3", 1}} {
			register(t, pool, targets(target.zone, target.id)...)
			waitFor(t, pool, target.id, healthcheck.Healthy)
			wantSlowStart(t, pool, target.id, target.share)
		}
	})
}
