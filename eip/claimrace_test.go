package eip_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// claimAll lets all targets claim at once, each by its own Remapper or all by one, and holds the outcome to the contract.
func (p *pool) claimAll(tb testing.TB, targets []eip.Target, shared bool, delay func(i int) time.Duration) {
	tb.Helper()
	results, errs := make([]eip.Result, len(targets)), make([]error, len(targets))
	one := newRemapper(tb, p.client)
	var wg sync.WaitGroup
	for i, target := range targets {
		r := one
		if !shared {
			r = newRemapper(tb, p.client)
		}
		wg.Go(func() {
			time.Sleep(delay(i))
			results[i], errs[i] = r.Claim(tb.Context(), claimOf(target))
		})
	}
	wg.Wait()
	winners := 0
	for i, target := range targets {
		if errs[i] == nil {
			winners++
			p.claimed(tb, target, results[i], nil)
		} else if failure(tb, errs[i], eip.ErrPoolEmpty); results[i].AllocationID != "" || results[i].After.ID != "" || len(p.held(tb)[target.NetworkInterfaceID]) != 0 {
			tb.Errorf("a loser: %+v", results[i])
		}
	}
	if want := min(len(targets), len(p.free)); winners != want {
		tb.Errorf("%d of %d have one of %d addresses, want %d", winners, len(targets), len(p.free), want)
	}
}

func TestClaimsGetAnAddressEach(t *testing.T) {
	t.Parallel()
	for name, sizes := range map[string][2]int{"enough": {40, 60}, "as many": {40, 40}, "too few": {40, 20}, "one": {40, 1}, "none": {5, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3) {
				synctest.Test(t, func(t *testing.T) {
					p := settledPool(t, sizes[1], func(o *awstest.Options) { o.Latency = 20 * time.Millisecond; o.Seed = seed + 1 })
					targets := p.interfaces(t, sizes[0])
					random := rand.New(rand.NewPCG(seed, 1))
					delays := make([]time.Duration, len(targets))
					if seed > 0 { // else all at once
						for i := range delays {
							delays[i] = time.Duration(random.Int64N(int64(200 * time.Millisecond)))
						}
					}
					p.start = p.counts()
					p.claimAll(t, targets, seed%2 == 0, func(i int) time.Duration { return delays[i] })
					if calls := p.calls(); calls.Associate > 2*sizes[0]+20 {
						t.Errorf("calls %+v", calls)
					}
				})
			}
		})
	}
}

func TestClaimsInRealTimeGetAnAddressEach(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{true, false} {
		p := newPool(t, 20, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
		p.claimAll(t, p.interfaces(t, 40), shared, func(int) time.Duration { return 0 })
	}
}

// Reads that show the past cost refusals, and nothing else.
func TestClaimsWithLaggingReadsGetAnAddressEach(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			p := settledPool(t, 10, func(o *awstest.Options) { o.Seed = seed + 1 })
			targets := p.interfaces(t, 15)
			time.Sleep(time.Minute)
			p.inject(t, "", awstest.Match{Probability: 0.3}, awstest.Delay(30*time.Millisecond))
			stale := awstest.Match{}
			if seed%2 == 1 {
				stale.Probability = 0.7
			}
			p.inject(t, "DescribeAddresses", stale, awstest.Stale(30*time.Second))
			results, errs := make([]eip.Result, len(targets)), make([]error, len(targets))
			var wg sync.WaitGroup
			for i, target := range targets {
				wg.Go(func() { results[i], errs[i] = newRemapper(t, p.client).Claim(t.Context(), claimOf(target)) })
			}
			wg.Wait()
			p.healAll()
			winners := 0
			for i, target := range targets {
				if errs[i] == nil {
					winners++
					p.claimed(t, target, results[i], nil)
				} else if failure(t, errs[i], eip.ErrPoolEmpty); len(p.held(t)[target.NetworkInterfaceID]) != 0 {
					t.Errorf("a loser holds %v", p.held(t)[target.NetworkInterfaceID])
				}
			}
			if winners != 10 {
				t.Errorf("%d winners", winners)
			}
		})
	}
}

// Two processes of one instance, or one that crashed and its successor, end with one address, and with the same.
func TestProcessesOfOneInstanceShareAnAddress(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{0, 30 * time.Second} {
		t.Run(lag.String(), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				synctest.Test(t, func(t *testing.T) {
					p := settledPool(t, 6, func(o *awstest.Options) { o.Seed = seed + 1; o.Latency = 10 * time.Millisecond })
					target, others := p.interfaces(t, 1)[0], p.interfaces(t, 3)
					for i, other := range others { // some addresses are taken, and become free in the middle of it
						a := p.associate(t, p.free[i], other.NetworkInterfaceID)
						time.AfterFunc(3*time.Minute+time.Duration(seed)*3*time.Millisecond, func() {
							if err := newRemapper(t, p.client).Release(t.Context(), a); err != nil {
								t.Error(err)
							}
						})
					}
					time.Sleep(3 * time.Minute)
					if lag > 0 {
						p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(lag))
						p.inject(t, "DescribeNetworkInterfaces", awstest.Match{}, awstest.Stale(lag))
					}
					p.inject(t, "", awstest.Match{Probability: 0.5}, awstest.Delay(25*time.Millisecond))
					var results [3]eip.Result
					var wg sync.WaitGroup
					for i := range results {
						r := newRemapper(t, p.client)
						wg.Go(func() {
							time.Sleep(time.Duration(i) * time.Duration(seed) * 2 * time.Millisecond)
							var err error
							if results[i], err = r.Claim(t.Context(), claimOf(target)); err != nil {
								t.Errorf("seed %d, process %d: %v", seed, i, err)
							}
						})
					}
					wg.Wait()
					p.healAll()
					for i, res := range results {
						p.claimed(t, target, res, nil)
						if lag > 0 && res.Took > lag+10*time.Second {
							t.Errorf("process %d took %v", i, res.Took)
						}
					}
				})
			}
		})
	}
}

// Whatever fails: who is told of an address has it, nobody has two, nobody loses one, and in the end all are served.
func TestClaimsUnderAnyFaults(t *testing.T) {
	t.Parallel()
	seeds := uint64(20)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) { claimChaos(t, seed+1) })
	}
}
