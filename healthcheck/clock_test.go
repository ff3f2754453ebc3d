package healthcheck_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

func TestDoubtIsSettledAtTheFastInterval(t *testing.T) {
	t.Parallel()
	const interval, fast, timeout = 30 * time.Second, 4 * time.Second, 3 * time.Second
	for _, unhealthy := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("threshold %d", unhealthy), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFleet()
				o := healthcheck.Options{
					Interval: interval, FastInterval: fast, Timeout: timeout, UnhealthyThreshold: unhealthy, HealthyThreshold: 3,
				}
				pool := newPool(t, healthcheck.Func(f.check), func(p *healthcheck.Options) { *p = o })
				register(t, pool, healthcheck.Target{ID: "a"})
				run(t, pool)
				time.Sleep(10 * interval)
				passing := len(f.startsOf("a"))
				died := time.Now()
				f.set("a", hang)
				waitFor(t, pool, "a", healthcheck.Unhealthy)
				if got, want := time.Since(f.startsOf("a")[passing]), time.Duration(unhealthy-1)*fast+timeout; got != want {
					t.Errorf("detected %v after the first failing start, want %v", got, want)
				}
				if took, bound := time.Since(died), o.DetectionBound(); took > bound {
					t.Errorf("detected after %v, bound %v", took, bound)
				}

				f.set("a", nil)
				failing := len(f.startsOf("a"))
				waitFor(t, pool, "a", healthcheck.Healthy)
				if got, want := time.Since(f.startsOf("a")[failing]), 2*fast; got != want {
					t.Errorf("healthy again %v after the first passing start, want %v", got, want)
				}
				time.Sleep(20 * interval)
				starts := f.startsOf("a")
				if gap := starts[len(starts)-1].Sub(starts[len(starts)-2]); gap != interval {
					t.Errorf("then checked every %v, want %v", gap, interval)
				}
			})
		})
	}
}

func TestTargetThatIsDeadForLongIsCheckedLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const interval, slow, after = 10 * time.Second, time.Minute, 5 * time.Minute
		f := newFleet()
		f.set("a", refuse)
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.Interval, o.SlowInterval, o.SlowAfter, o.HealthyThreshold = interval, slow, after, 2
		})
		register(t, pool, healthcheck.Target{ID: "a"})
		run(t, pool)
		waitFor(t, pool, "a", healthcheck.Unhealthy)
		before := len(f.startsOf("a"))
		time.Sleep(after)
		if n := len(f.startsOf("a")) - before; n < 29 || n > 35 {
			t.Errorf("%d checks in the first %v of being unhealthy", n, after)
		}
		time.Sleep(30 * slow)
		starts := f.startsOf("a")
		if gap := starts[len(starts)-1].Sub(starts[len(starts)-2]); gap != slow {
			t.Errorf("then checked every %v, want %v", gap, slow)
		}

		passing := len(starts)
		f.set("a", nil)
		waitFor(t, pool, "a", healthcheck.Healthy)
		// One pass, and it is in doubt.
		if took := time.Since(f.startsOf("a")[passing]); took > interval {
			t.Errorf("healthy %v after its first pass, want at most %v", took, interval)
		}
	})
}

// TestBlackholesDelayNobody has 1,000 targets, of which every fifth never answers.
func TestBlackholesDelayNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const interval, targets = 10 * time.Second, 1000
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) { o.Interval = interval })
		for i := range targets {
			id := fmt.Sprint(i)
			if i%5 == 0 {
				f.set(id, hang)
			}
			register(t, pool, healthcheck.Target{ID: id})
		}
		run(t, pool)
		time.Sleep(20 * interval)
		var worst time.Duration
		for id, s := range pool.All() {
			worst = max(worst, s.Last.Lag)
			starts := f.startsOf(id)
			for k := len(starts) - 5; k < len(starts); k++ {
				if gap := starts[k].Sub(starts[k-1]); gap != interval {
					t.Fatalf("check %d of target %s came %v after the one before, want %v", k, id, gap, interval)
				}
			}
		}
		v := pool.View()
		if v.Count(healthcheck.Healthy) != targets*4/5 || v.Count(healthcheck.Unhealthy) != targets/5 || worst > 0 || v.Degraded() {
			t.Errorf("%d healthy, %d unhealthy, lag %v, %+v", v.Count(healthcheck.Healthy), v.Count(healthcheck.Unhealthy), worst, v.Local())
		}
		// No tick has more than its share: 1,000 targets in 2,000 ticks.
		perTick := map[time.Time]int{}
		for i := range targets {
			starts := f.startsOf(fmt.Sprint(i))
			perTick[starts[len(starts)-1]]++
		}
		for at, n := range perTick {
			if n > 12 {
				t.Errorf("%d checks start at %v", n, at)
			}
		}
	})
}

func TestFirstCheckDoesNotWaitForALongInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Interval, o.MaxStartSpread = 24*time.Hour, 5*time.Second })
		begin := time.Now()
		for i := range 200 {
			register(t, pool, healthcheck.Target{ID: fmt.Sprint(i)})
		}
		run(t, pool)
		err := pool.Wait(t.Context(), func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 200 })
		if took := time.Since(begin); err != nil || took > 5*time.Second || took < 4*time.Second {
			t.Errorf("all checked after %v, want nearly 5s; error %v", took, err)
		}
	})
}
