package healthcheck_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// fleet is a checker of targets that can be made to fail, and remembers when they were checked.
type fleet struct {
	mu      sync.Mutex
	ways    map[string]func(context.Context) error // nil passes
	starts  map[string][]time.Time
	running map[string]int
	overlap bool
	most    int
}

func newFleet() *fleet {
	return &fleet{ways: map[string]func(context.Context) error{}, starts: map[string][]time.Time{}, running: map[string]int{}}
}

func (f *fleet) check(ctx context.Context, target healthcheck.Target) error {
	f.mu.Lock()
	f.starts[target.ID] = append(f.starts[target.ID], time.Now())
	f.running[target.ID]++
	f.overlap = f.overlap || f.running[target.ID] > 1
	inFlight := 0
	for _, n := range f.running {
		inFlight += n
	}
	f.most = max(f.most, inFlight)
	way := f.ways[target.ID]
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.running[target.ID]--
	}()
	if way == nil {
		return nil
	}
	return way(ctx)
}

func (f *fleet) set(id string, way func(context.Context) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ways[id] = way
}

func (f *fleet) startsOf(id string) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts[id]
}

func refuse(context.Context) error { return errRefused }

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// ignore hangs without looking at its context, for longer than any timeout here.
func ignore(context.Context) error {
	time.Sleep(10 * time.Minute)
	return nil
}

func TestDetectionIsExactFromTheFirstFailingStart(t *testing.T) {
	t.Parallel()
	const interval, timeout = 10 * time.Second, 3 * time.Second
	for _, unhealthy := range []int{1, 2, 5} {
		for name, tt := range map[string]struct {
			way  func(context.Context) error
			last time.Duration // of the last check
		}{
			"hanging":  {hang, timeout},
			"refusing": {refuse, 0},
		} {
			t.Run(fmt.Sprintf("%s, threshold %d", name, unhealthy), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFleet()
					pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
						o.Interval, o.Timeout, o.UnhealthyThreshold = interval, timeout, unhealthy
					})
					register(t, pool, healthcheck.Target{ID: "a"})
					run(t, pool)
					time.Sleep(10*interval + rand.N(interval))
					passing := len(f.startsOf("a"))
					f.set("a", tt.way)
					waitFor(t, pool, "a", healthcheck.Unhealthy)

					first := f.startsOf("a")[passing]
					want := time.Duration(unhealthy-1)*interval + tt.last
					if got := time.Since(first); got != want {
						t.Errorf("detected %v after the first failing start, want %v", got, want)
					}
				})
			})
		}
	}
}

// TestDetectionIsBounded kills targets at random moments of their interval, new ones and settled ones, in each way.
func TestDetectionIsBounded(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(context.Context) error{"hanging": hang, "refusing": refuse, "ignoring its context": ignore} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				options := healthcheck.Options{
					Interval: 7*time.Second + 3*time.Millisecond, Timeout: 2*time.Second + time.Millisecond,
					UnhealthyThreshold: 3, Jitter: 700 * time.Millisecond,
				}
				var mu sync.Mutex
				died, detected := map[string]time.Time{}, map[string]time.Time{}
				f := newFleet()
				pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
					*o = options
					o.OnEvent = func(_ context.Context, e healthcheck.Event) {
						if e.Kind == healthcheck.Transition && e.Status.State == healthcheck.Unhealthy {
							mu.Lock()
							defer mu.Unlock()
							detected[e.Status.Target.ID] = e.Time
						}
					}
				})
				const targets = 100
				run(t, pool)
				var killers sync.WaitGroup
				for i := range targets {
					id := fmt.Sprint(i)
					register(t, pool, healthcheck.Target{ID: id})
					killers.Go(func() {
						waitFor(t, pool, id, healthcheck.Healthy)
						time.Sleep(rand.N(20 * options.Interval))
						if i%2 == 0 { // right after a pass, which is the worst moment
							passed := make(chan struct{})
							f.set(id, func(context.Context) error {
								f.set(id, way)
								close(passed)
								return nil
							})
							<-passed
						}
						f.set(id, way)
						mu.Lock()
						defer mu.Unlock()
						died[id] = time.Now()
					})
				}
				killers.Wait()
				time.Sleep(options.DetectionBound())
				synctest.Wait()

				mu.Lock()
				defer mu.Unlock()
				var longest time.Duration
				for id, at := range died {
					if detected[id].Before(at) {
						t.Fatalf("target %s is not detected", id)
					}
					longest = max(longest, detected[id].Sub(at))
				}
				if bound := options.DetectionBound(); len(died) != targets || longest > bound {
					t.Errorf("%d deaths, the last detected after %v, want at most %v", len(died), longest, bound)
				}
				if f.overlap {
					t.Error("two checks of one target at a time")
				}
			})
		})
	}
}

func TestHungTargetsDelayNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const interval = 10 * time.Second
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) { o.Interval = interval })
		for i := range 300 {
			id := fmt.Sprint(i)
			switch i % 3 {
			case 1:
				f.set(id, hang)
			case 2:
				f.set(id, ignore)
			}
			register(t, pool, healthcheck.Target{ID: id})
		}
		run(t, pool)
		time.Sleep(20 * interval)
		for i := 0; i < 300; i += 3 {
			starts := f.startsOf(fmt.Sprint(i))
			for k := len(starts) - 8; k < len(starts); k++ {
				if gap := starts[k].Sub(starts[k-1]); gap != interval {
					t.Fatalf("check %d of target %d came %v after the one before, want %v", k, i, gap, interval)
				}
			}
		}
		if v := pool.View(); v.Count(healthcheck.Healthy) != 100 || v.Count(healthcheck.Unhealthy) != 200 {
			t.Errorf("%d healthy, %d unhealthy", v.Count(healthcheck.Healthy), v.Count(healthcheck.Unhealthy))
		}
	})
}

func TestProbeThatIgnoresItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		f.set("a", ignore)
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.MaxStartSpread = healthcheck.None
		})
		register(t, pool, healthcheck.Target{ID: "a"})
		stop := run(t, pool)
		synctest.Wait()
		time.Sleep(5 * time.Minute)
		s, _ := pool.Status("a")
		if len(f.startsOf("a")) != 1 || s.State != healthcheck.Unhealthy || s.Reason != healthcheck.ReasonTimeout || s.Fails < 10 || s.Fails > 12 {
			t.Errorf("after 5 minutes: %d checks started, %+v", len(f.startsOf("a")), s)
		}
		time.Sleep(5*time.Minute + time.Second) // it returns, with a pass that comes too late
		synctest.Wait()
		if s, _ := pool.Status("a"); s.Passes != 0 || s.Reason != healthcheck.ReasonTimeout {
			t.Errorf("the late pass counts: %+v", s)
		}
		f.set("a", nil)
		waitFor(t, pool, "a", healthcheck.Healthy)

		f.set("a", ignore)
		time.Sleep(time.Minute)
		begin := time.Now()
		_ = stop()
		if took := time.Since(begin); took < 5*time.Minute {
			t.Errorf("Run returned after %v, with a check still running", took)
		}
	})
}

func TestLatePassIsATimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, healthcheck.Func(func(context.Context, healthcheck.Target) error {
			time.Sleep(5*time.Second + time.Millisecond)
			return nil
		}))
		register(t, pool, healthcheck.Target{ID: "a"})
		run(t, pool)
		waitFor(t, pool, "a", healthcheck.Unhealthy)
		wantStatus(t, pool, "a", healthcheck.Unhealthy, healthcheck.ReasonTimeout)
	})
}

func TestFlappingDoesNotTripTheThreshold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var checks atomic.Int32
		pool := newPool(t, healthcheck.Func(func(context.Context, healthcheck.Target) error {
			if checks.Add(1)%2 == 0 {
				return errRefused
			}
			return nil
		}))
		register(t, pool, healthcheck.Target{ID: "a"})
		run(t, pool)
		time.Sleep(time.Hour)
		wantStatus(t, pool, "a", healthcheck.Healthy, "")
		if checks.Load() < 100 {
			t.Errorf("%d checks in an hour", checks.Load())
		}
	})
}

func TestMaxInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit, targets = 10, 200
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.MaxInFlight, o.DeregistrationDelay = 10*time.Second, 5*time.Second, limit, 7*time.Second
		})
		for i := range targets {
			id := fmt.Sprint(i)
			f.set(id, hang)
			register(t, pool, healthcheck.Target{ID: id})
		}
		run(t, pool)
		time.Sleep(30 * time.Second)
		_ = pool.Deregister("0")
		time.Sleep(8 * time.Second)
		wantStatus(t, pool, "0", healthcheck.Unused, healthcheck.ReasonNotRegistered)

		// 10 checks in 5 s are 200 in 100 s: everybody has had one turn, and nobody a third.
		time.Sleep(70 * time.Second)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.most != limit || f.overlap {
			t.Errorf("%d checks at a time, want %d; overlap %v", f.most, limit, f.overlap)
		}
		for i := 1; i < targets; i++ {
			if n := len(f.starts[fmt.Sprint(i)]); n < 1 || n > 2 {
				t.Errorf("target %d was checked %d times", i, n)
			}
		}
		var lag time.Duration
		for _, s := range pool.All() {
			lag = max(lag, s.Last.Lag)
		}
		if lag < 80*time.Second {
			t.Errorf("greatest lag %v", lag)
		}
	})
}

func TestFreedSlotIsUsedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.Interval, o.MaxStartSpread, o.MaxInFlight = time.Hour, healthcheck.None, 1
		})
		for _, id := range []string{"a", "b", "c"} {
			f.set(id, func(context.Context) error {
				time.Sleep(time.Second)
				return nil
			})
			register(t, pool, healthcheck.Target{ID: id})
		}
		begin := time.Now()
		run(t, pool)
		err := pool.Wait(t.Context(), func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 3 })
		if took := time.Since(begin); err != nil || took != 3*time.Second {
			t.Errorf("three checks of a second, one at a time, took %v; error %v", took, err)
		}
	})
}

// TestStarvedTargetDoesNotCatchUp holds the only slot for ten minutes and looks at what the other target does afterwards.
func TestStarvedTargetDoesNotCatchUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const interval = 10 * time.Second
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.Interval, o.MaxInFlight = interval, 1
		})
		register(t, pool, healthcheck.Target{ID: "a"}, healthcheck.Target{ID: "b"})
		run(t, pool)
		time.Sleep(time.Minute)
		f.set("a", ignore)
		time.Sleep(5 * time.Minute)
		f.set("a", nil)
		before := len(f.startsOf("b"))
		time.Sleep(5*time.Minute + 11*interval) // the slot is free for 10 or 11 intervals of that
		if n := len(f.startsOf("b")) - before; n < 10 || n > 14 {
			t.Errorf("%d checks in ten intervals after being starved", n)
		}
	})
}
