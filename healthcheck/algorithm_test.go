package healthcheck_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// chiSquare is how far counts are from what they should be, in standard deviations of the chi-square distribution.
func chiSquare(got []int, want []float64) float64 {
	var x float64
	for i, n := range got {
		d := float64(n) - want[i]
		x += d * d / want[i]
	}
	degrees := float64(len(got) - 1)
	if degrees == 0 {
		return 0
	}
	return (x - degrees) / math.Sqrt(2*degrees)
}

// maxDeviation is beyond what chance does in a million runs of these tests, with one degree of freedom too.
const maxDeviation = 20

func TestAliasTableDrawsInProportion(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed of the weights: %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	tables := [][]uint64{{1}, {65535}, {1, 1}, {1, 999}, {1, 2, 3, 4}, {7, 7, 7, 7, 7}, {1000, 1, 1, 1, 1000}}
	for range 10 {
		weights := make([]uint64, 2+r.IntN(50))
		for i := range weights {
			weights[i] = 1 + r.Uint64N(20)
		}
		tables = append(tables, weights)
	}
	for _, weights := range tables {
		var total uint64
		for _, w := range weights {
			total += w
		}
		const n = 50_000
		draw := healthcheck.Draw(weights)
		got, want := make([]int, len(weights)), make([]float64, len(weights))
		for range n {
			got[draw()]++
		}
		for i, w := range weights {
			want[i] = n * float64(w) / float64(total)
		}
		if d := chiSquare(got, want); d > maxDeviation {
			t.Errorf("weights %v: drew %v, %.1f standard deviations off", weights, got, d)
		}
	}
}

// TestWeightedRandom: in proportion to the weights, and to those that are left beside Except.
func TestWeightedRandom(t *testing.T) {
	t.Parallel()
	pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = healthcheck.WeightedRandom })
	for i, weight := range []uint16{0, 2, 5, 1000} { // zero is one
		register(t, pool, healthcheck.Target{ID: fmt.Sprint(i), Weight: weight})
	}
	for _, tt := range []struct {
		except  []string
		weights map[string]float64
	}{
		{nil, map[string]float64{"0": 1, "1": 2, "2": 5, "3": 1000}},
		{[]string{"3"}, map[string]float64{"0": 1, "1": 2, "2": 5}}, // nearly all draws are turned down
		{[]string{"0", "2"}, map[string]float64{"1": 2, "3": 1000}},
	} {
		const n = 20_000
		counts := picks(t, pool, n, healthcheck.PickOptions{Except: tt.except})
		var total float64
		for _, w := range tt.weights {
			total += w
		}
		var got []int
		var want []float64
		for id, w := range tt.weights {
			got, want = append(got, counts[id]), append(want, n*w/total)
			delete(counts, id)
		}
		if d := chiSquare(got, want); d > maxDeviation || len(counts) > 0 {
			t.Errorf("except %v: %v for %v, %.1f standard deviations off, and %v", tt.except, got, want, d, counts)
		}
	}
}

// TestEqualTargetsGetAlike: also what goes by load spreads requests when there is none.
func TestEqualTargetsGetAlike(t *testing.T) {
	t.Parallel()
	everyAlgorithm(t, func(t *testing.T, a healthcheck.Algorithm) {
		for _, targets := range []int{2, 10, 200} {
			pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = a })
			register(t, pool, idle(targets)...)
			n := 200 * targets
			counts := picks(t, pool, n, healthcheck.PickOptions{})
			got, want := make([]int, 0, targets), make([]float64, targets)
			for i := range want {
				got, want[i] = append(got, counts[fmt.Sprint("i-", i)]), float64(n)/float64(targets)
			}
			if d := chiSquare(got, want); d > maxDeviation {
				t.Errorf("%d targets: %v, %.1f standard deviations off", targets, got, d)
			}
		}
	})
}

// TestLeastOutstandingIsExact: with leases that stay, the k-th round begins only when every target has k.
func TestLeastOutstandingIsExact(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		algorithm healthcheck.Algorithm
		targets   int
	}{{healthcheck.LeastOutstanding, 128}, {healthcheck.LeastOutstandingExact, 200}} {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = tt.algorithm })
		register(t, pool, idle(tt.targets)...)
		for round := 1; round <= 3; round++ {
			counts := map[string]int{}
			for range tt.targets {
				lease, err := pool.Pick(healthcheck.PickOptions{})
				if err != nil {
					t.Fatal(err)
				}
				counts[lease.Target.ID]++
			}
			if len(counts) != tt.targets {
				t.Errorf("%v: round %d went to %d of %d targets", tt.algorithm, round, len(counts), tt.targets)
			}
		}
	}
}

// TestTwoChoicesKeepTheLoadEven: the most loaded of n targets with n requests has about log log n more than the average one;
// with one choice it is about log n / log log n, which is 5 to 8 here.
func TestTwoChoicesKeepTheLoadEven(t *testing.T) {
	t.Parallel()
	for _, a := range []healthcheck.Algorithm{healthcheck.PowerOfTwo, healthcheck.LeastOutstanding} {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = a })
		const n = 2000
		register(t, pool, idle(n)...)
		counts, most := map[string]int{}, 0
		for range n {
			lease, err := pool.Pick(healthcheck.PickOptions{Except: []string{"x"}})
			if err != nil {
				t.Fatal(err)
			}
			counts[lease.Target.ID]++
			most = max(most, counts[lease.Target.ID])
		}
		if most > 4 {
			t.Errorf("%v: a target has %d requests at a mean of 1", a, most)
		}
	}
}

// TestBlackHole: one of ten targets fails at once, the others take their time. It must not attract traffic by its few outstanding
// requests. Without ghosts it gets more than nine tenths of it.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	for _, a := range []healthcheck.Algorithm{healthcheck.LeastOutstanding, healthcheck.LeastOutstandingExact, healthcheck.PowerOfTwo} {
		for _, workers := range []int{5, 50, 200} {
			t.Run(fmt.Sprintf("%v, %d requests at a time", a, workers), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = a })
					register(t, pool, idle(10)...)
					var mu sync.Mutex
					counts := map[string]int{}
					request := func() {
						lease, err := pool.Pick(healthcheck.PickOptions{})
						if err != nil {
							t.Error(err)
							return
						}
						u := healthcheck.Use{StatusCode: 200}
						if lease.Target.ID == "i-3" {
							time.Sleep(time.Millisecond)
							u = healthcheck.Use{StatusCode: 503}
						} else {
							time.Sleep(time.Duration(50+rand.IntN(100)) * time.Millisecond)
						}
						lease.Done(u)
						mu.Lock()
						counts[lease.Target.ID]++
						mu.Unlock()
					}
					end := time.Now().Add(20 * time.Second)
					var work sync.WaitGroup
					for range workers {
						work.Go(func() {
							for time.Now().Before(end) {
								request()
							}
						})
					}
					work.Wait()
					total := 0
					for _, n := range counts {
						total += n
					}
					// A fair share is a tenth. With fewer requests at a time than targets, many are idle, and a ghost weighs less than
					// the one request that an idle target does not have.
					if share := float64(counts["i-3"]) / float64(total); share > 0.2 || share < 0.02 {
						t.Errorf("the black hole got %.0f %% of %d requests", 100*share, total)
					} else {
						t.Logf("the black hole got %.1f %% of %d requests", 100*share, total)
					}
				})
			})
		}
	}
}

// TestBlackHoleHeals: ghosts fade, and a target that works again gets its share.
func TestBlackHoleHeals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = healthcheck.LeastOutstanding })
		register(t, pool, targets("", "a", "b")...)
		use(t, pool, "b", healthcheck.Use{StatusCode: 200, Latency: 100 * time.Millisecond})
		for range 20 {
			use(t, pool, "a", healthcheck.Use{StatusCode: 503, Latency: time.Millisecond})
		}
		if n := picks(t, pool, 100, healthcheck.PickOptions{})["a"]; n != 0 {
			t.Errorf("a got %d of 100 right after it failed", n)
		}
		time.Sleep(3 * time.Second) // 30 times the mean latency: nothing is left
		if n := picks(t, pool, 100, healthcheck.PickOptions{})["a"]; n < 20 {
			t.Errorf("a got %d of 100 after it had long been good", n)
		}
		time.Sleep(100 * time.Hour) // beyond where the time of a ghost wraps around
		if n := picks(t, pool, 100, healthcheck.PickOptions{})["a"]; n < 20 {
			t.Errorf("a got %d of 100 days later", n)
		}
	})
}

// TestBlackHoleIsForgotten: what a target did days ago does not count, also if nobody has picked since.
func TestBlackHoleIsForgotten(t *testing.T) {
	t.Parallel()
	for _, hours := range []int{1, 39, 50, 78, 200} {
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass(), func(o *healthcheck.Options) { o.Algorithm = healthcheck.LeastOutstanding })
			register(t, pool, idle(2)...)
			for range 100 {
				lease, err := pool.Pick(healthcheck.PickOptions{Except: []string{"i-1"}})
				if err != nil {
					t.Fatal(err)
				}
				lease.Done(broken)
			}
			time.Sleep(time.Duration(hours) * time.Hour)
			if n := picks(t, pool, 200, healthcheck.PickOptions{})["i-0"]; n < 60 {
				t.Errorf("%d of 200 picks after %d h", n, hours)
			}
		})
	}
}

// TestBackendsFillCacheLines: one more word, and requests to different targets write to the same line.
func TestBackendsFillCacheLines(t *testing.T) {
	t.Parallel()
	if n := healthcheck.BackendSize; n > 128 || n <= 112 { // 112 and 128 are sizes that are allocated
		t.Errorf("a backend has %d bytes", n)
	}
}
