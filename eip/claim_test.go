package eip_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

var poolTags = map[string]string{"pool": "web"}

// pool is a world with addresses that may be claimed, among others that may not.
type pool struct {
	*fleet
	free []string // the addresses of the pool
}

func newPool(tb testing.TB, n int, optFns ...func(*awstest.Options)) *pool {
	tb.Helper()
	p := &pool{fleet: &fleet{world: newWorld(tb, optFns...)}}
	p.allocateIn(tb, "", map[string]string{"pool": "db"})
	p.allocateIn(tb, "", map[string]string{"Pool": "web"})
	for range n {
		p.free = append(p.free, p.allocateIn(tb, "", poolTags))
	}
	p.start = p.counts()
	return p
}

// settledPool returns a pool whose past is older than any lag that a test asks for. It needs a bubble.
func settledPool(tb testing.TB, n int, optFns ...func(*awstest.Options)) *pool {
	tb.Helper()
	p := newPool(tb, n, optFns...)
	time.Sleep(2 * time.Minute)
	return p
}

func (p *pool) interfaces(tb testing.TB, n int) (targets []eip.Target) {
	tb.Helper()
	for range n {
		targets = append(targets, eip.Target{NetworkInterfaceID: p.createInterface(tb)})
	}
	return targets
}

// held returns the addresses of each interface, in truth.
func (p *pool) held(tb testing.TB) map[string][]string {
	tb.Helper()
	held := map[string][]string{}
	for allocation, owner := range p.owners(tb) {
		if owner.ID != "" {
			held[owner.NetworkInterfaceID] = append(held[owner.NetworkInterfaceID], allocation)
		}
	}
	return held
}

func claimOf(target eip.Target) eip.ClaimRequest {
	return eip.ClaimRequest{Tags: poolTags, Target: target}
}

// claimed checks that a claim has succeeded, and that what it says is the truth.
func (p *pool) claimed(tb testing.TB, target eip.Target, res eip.Result, err error) {
	tb.Helper()
	if err != nil {
		tb.Errorf("%v: %v", target, err)
		return
	}
	owner := p.owners(tb)[res.AllocationID]
	if owner.ID == "" || owner.ID != res.After.ID || owner.NetworkInterfaceID != target.NetworkInterfaceID || !slices.Contains(p.free, res.AllocationID) || !res.PublicIP.IsValid() {
		tb.Errorf("%v was told %+v; the owner is %v", target, res, owner)
	}
	if held := p.held(tb)[target.NetworkInterfaceID]; len(held) != 1 {
		tb.Errorf("%v holds %v", target, held)
	}
}

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

func TestClaimAgainKeepsTheAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 5)
		target := p.interfaces(t, 1)[0]
		first, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(target))
		p.claimed(t, target, first, err)
		if want := (eip.Calls{Describe: 2, Associate: 1}); first.Calls != want || !first.Changed {
			t.Errorf("changed %t, calls %+v, want %+v", first.Changed, first.Calls, want)
		}
		again, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(target))
		p.claimed(t, target, again, err)
		if want := (eip.Calls{Describe: 1}); again.Changed || again.After.ID != first.After.ID || again.PublicIP != first.PublicIP || again.Calls != want {
			t.Errorf("again: %+v, want the same at the cost of %+v", again, want)
		}
	})
}

// An instance claims for itself, with the interface that it has.
func TestInstanceClaims(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 5)
		i := p.launch(t)
		target := eip.Target{NetworkInterfaceID: *i.NetworkInterfaces[0].NetworkInterfaceId}
		for claim, changed := range []bool{true, false} {
			res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(eip.Target{InstanceID: *i.InstanceId}))
			p.claimed(t, target, res, err)
			if res.Changed != changed || claim == 0 && res.Took < 10*time.Second {
				t.Errorf("claim %d: changed %t, took %v, want it to wait for the pending instance", claim, res.Changed, res.Took)
			}
			if want := (eip.Calls{Describe: 1, Inspect: 1}); claim == 1 && res.Calls != want {
				t.Errorf("calls %+v, want %+v", res.Calls, want)
			}
		}
	})
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

// The pool looks as if all were free, and the target prefers another address than the one that it has.
func TestClaimFindsTheAddressThatStaleReadsDoNotShow(t *testing.T) {
	t.Parallel()
	for name, lagging := range map[string]bool{"reads of the target lag": true, "reads of the target are fresh": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := settledPool(t, 2)
				targets := p.interfaces(t, 2)
				r := newRemapper(t, p.client)
				first, err := r.Claim(t.Context(), claimOf(targets[0]))
				p.claimed(t, targets[0], first, err)
				if err := r.Release(t.Context(), first.After); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				theirs := p.associate(t, first.AllocationID, targets[1].NetworkInterfaceID)
				second, err := r.Claim(t.Context(), claimOf(targets[0]))
				p.claimed(t, targets[0], second, err)
				if err := r.Release(t.Context(), theirs); err != nil || first.AllocationID == second.AllocationID {
					t.Fatal(err)
				}
				p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(30*time.Second))
				if lagging {
					p.inject(t, "DescribeNetworkInterfaces", awstest.Match{}, awstest.Stale(30*time.Second))
				}
				res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(targets[0]))
				p.healAll()
				p.claimed(t, targets[0], res, err)
				if res.Changed || res.After.ID != second.After.ID || res.Calls.Associate != 1 || !lagging && res.Took > time.Second || res.Took > 33*time.Second {
					t.Errorf("%+v, want %v", res, second.After)
				}
			})
		})
	}
}

func TestClaimByAnOccupiedTargetIsRefused(t *testing.T) {
	t.Parallel()
	messages := map[string]string{"as EC2 says it": "", "as an emulator does": "the resource is already associated"}
	for name, message := range messages {
		for _, instance := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, instance: %t", name, instance), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { occupied(t, message, instance) })
			})
		}
	}
}

func occupied(t *testing.T, message string, instance bool) {
	t.Helper()
	p := settledPool(t, 3)
	target := p.interfaces(t, 1)[0]
	claimant := target
	if instance {
		id, eni := p.running(t)
		target, claimant = eip.Target{NetworkInterfaceID: eni}, eip.Target{InstanceID: id}
	}
	other := p.allocate(t)
	p.associate(t, other, target.NetworkInterfaceID)
	if message != "" {
		p.inject(t, "AssociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: "Resource.AlreadyAssociated", Message: message}))
	}
	p.start = p.counts()
	res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(claimant))
	if e := failure(t, err, eip.ErrOccupied); e.Occupant.AllocationID != other || e.Op != eip.OpAssociate {
		t.Errorf("%v, want it to name %s", err, other)
	}
	if res.AllocationID != "" || res.Changed || res.PublicIP.IsValid() || res.Took > 100*time.Millisecond || res.Calls != p.calls() {
		t.Errorf("result %+v, calls %+v", res, p.calls())
	}
	if held := p.held(t)[target.NetworkInterfaceID]; !slices.Equal(held, []string{other}) {
		t.Errorf("the target holds %v", held)
	}
}

// Neither the pool nor the target shows what EC2 refuses it for.
func TestOccupiedTargetThatNoReadShows(t *testing.T) {
	t.Parallel()
	for _, cancelled := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p := settledPool(t, 3)
			target := p.interfaces(t, 1)[0]
			p.associate(t, p.allocate(t), target.NetworkInterfaceID)
			p.inject(t, "DescribeNetworkInterfaces", awstest.Match{}, awstest.Unavailable())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if cancelled {
				time.AfterFunc(10*time.Second, cancel)
			}
			res, err := newRemapper(t, p.client).Claim(ctx, claimOf(target))
			failure(t, err, eip.ErrOccupied)
			if want := errors.Is(err, context.Canceled); want != cancelled || res.Took > 70*time.Second {
				t.Errorf("%v after %v", err, res.Took)
			}
		})
	}
}

func TestClaimPassesOverAddressesOfServices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 8)
		for _, id := range p.free[1:] {
			if err := ec2svc.ManageAddress(p.cloud, "us-east-1", id, types.ServiceManagedAlb); err != nil {
				t.Fatal(err)
			}
		}
		targets := p.interfaces(t, 2)
		res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(targets[0]))
		p.claimed(t, targets[0], res, err)
		if res.AllocationID != p.free[0] || res.Calls.Associate != 1 {
			t.Errorf("got %s with %+v", res.AllocationID, res.Calls)
		}
		res, err = newRemapper(t, p.client).Claim(t.Context(), claimOf(targets[1]))
		const facts = "of 8 addresses 1 are taken and 7 managed by services"
		if failure(t, err, eip.ErrPoolEmpty); !strings.Contains(err.Error(), facts) || res.Calls.Associate != 0 {
			t.Errorf("%v with %+v, want %s", err, res.Calls, facts)
		}
	})
}

func TestEmptyPoolIsExplained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 3)
		targets := p.interfaces(t, 4)
		r := newRemapper(t, p.client)
		req := claimOf(targets[0])
		req.Tags = map[string]string{"pool": "none"}
		_, err := r.Claim(t.Context(), req)
		if want := "eip: claim for " + targets[0].String() + ": no free address: no address has these tags"; failure(t, err, eip.ErrPoolEmpty).Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		for i, id := range p.free {
			p.associate(t, id, targets[i].NetworkInterfaceID)
		}
		heal := p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(time.Minute))
		_, err = r.Claim(t.Context(), claimOf(targets[3]))
		e := failure(t, err, eip.ErrPoolEmpty)
		const facts = ": no free address: of 3 addresses 0 are taken, 0 managed by services and 3 refused, the last one so: operation error EC2: AssociateAddress"
		if !strings.Contains(err.Error(), facts) || e.RequestID == "" || e.AllocationID != "" || errors.Is(err, eip.ErrConflict) {
			t.Errorf("%v (request %q), want %s", err, e.RequestID, facts)
		}
		heal()
		if _, err = r.Claim(t.Context(), claimOf(targets[3])); !strings.Contains(err.Error(), "of 3 addresses 3 are taken") {
			t.Error(err)
		}
	})
}

func TestClaimWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 2)
		targets := p.interfaces(t, 3)
		var held [2]eip.Association
		for i, id := range p.free {
			held[i] = p.associate(t, id, targets[i].NetworkInterfaceID)
		}
		r := newRemapper(t, p.client)
		req := claimOf(targets[2])
		req.Wait = 20 * time.Second
		res, err := r.Claim(t.Context(), req)
		if failure(t, err, eip.ErrPoolEmpty); res.Took < req.Wait || res.Took > req.Wait+time.Second || res.Calls.Associate != 0 || res.Calls.Describe > 20 {
			t.Errorf("took %v, %+v", res.Took, res.Calls)
		}
		time.AfterFunc(10*time.Second, func() {
			if err := r.Release(t.Context(), held[1]); err != nil {
				t.Error(err)
			}
		})
		res, err = r.Claim(t.Context(), req)
		p.claimed(t, targets[2], res, err)
		if res.Took < 10*time.Second || res.Took > 13*time.Second || res.Calls.Associate != 1 {
			t.Errorf("took %v, %+v", res.Took, res.Calls)
		}
	})
}

// An address was refused while reads showed it to be free, and is free again before any read has shown who held it.
func TestClaimComesBackToWhatWasRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 1)
		targets := p.interfaces(t, 2)
		holder := p.associate(t, p.free[0], targets[0].NetworkInterfaceID)
		p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(time.Minute))
		heal := func() { // the reads catch up when it is free again
			if err := newRemapper(t, p.client).Release(t.Context(), holder); err != nil {
				t.Error(err)
			}
			p.healAll()
		}
		time.AfterFunc(100*time.Millisecond, heal)
		req := claimOf(targets[1])
		req.Wait = time.Hour
		res, err := newRemapper(t, p.client).Claim(t.Context(), req)
		p.claimed(t, targets[1], res, err)
		if res.Took > 10*time.Second || res.Calls.Associate != 2 {
			t.Errorf("took %v, %+v", res.Took, res.Calls)
		}
	})
}

// It was refused, a read showed its holder, and it became free at once.
func TestClaimOfWhatWasSeenToBecomeFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 1)
		targets := p.interfaces(t, 2)
		time.Sleep(time.Minute)
		holder := p.associate(t, p.free[0], targets[0].NetworkInterfaceID)
		p.inject(t, "DescribeAddresses", awstest.Match{Times: 2}, awstest.Stale(30*time.Second)) // the third shows the holder
		time.AfterFunc(500*time.Millisecond, func() {
			if err := newRemapper(t, p.client).Release(t.Context(), holder); err != nil {
				t.Error(err)
			}
		})
		req := claimOf(targets[1])
		req.Wait = time.Hour
		res, err := newRemapper(t, p.client).Claim(t.Context(), req)
		p.claimed(t, targets[1], res, err)
		if res.Took > 2*time.Second || res.Calls.Associate != 2 {
			t.Errorf("took %v, %+v", res.Took, res.Calls)
		}
	})
}

// Reads still show who has released it, to the Remapper that has released it.
func TestClaimOfWhatIsKnownToBeReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 1)
		targets := p.interfaces(t, 2)
		r := newRemapper(t, p.client)
		first, err := r.Claim(t.Context(), claimOf(targets[0]))
		p.claimed(t, targets[0], first, err)
		time.Sleep(time.Minute)
		p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(30*time.Second))
		if err := r.Release(t.Context(), first.After); err != nil {
			t.Fatal(err)
		}
		res, err := r.Claim(t.Context(), claimOf(targets[1]))
		p.healAll()
		p.claimed(t, targets[1], res, err)
	})
}

func TestClaimThatIsCancelledWhileItWaitsIsNotAnEmptyPool(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 0)
		reason := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		req := claimOf(p.interfaces(t, 1)[0])
		req.Wait = time.Hour
		time.AfterFunc(30*time.Second, func() { cancel(reason) })
		res, err := newRemapper(t, p.client).Claim(ctx, req)
		if !errors.Is(err, reason) || errors.Is(err, eip.ErrPoolEmpty) || !strings.Contains(err.Error(), "no address has these tags") || res.Took != 30*time.Second {
			t.Errorf("%v after %v", err, res.Took)
		}
	})
}

// Reads that stand behind show the address where it was released a moment ago.
func TestClaimAfterAReleaseBelievesNoStaleRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 2)
		targets := p.interfaces(t, 2)
		r := newRemapper(t, p.client)
		first, err := r.Claim(t.Context(), claimOf(targets[0]))
		p.claimed(t, targets[0], first, err)
		time.Sleep(time.Minute)
		p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(30*time.Second))
		if err := r.Release(t.Context(), first.After); err != nil {
			t.Fatal(err)
		}
		p.associate(t, first.AllocationID, targets[1].NetworkInterfaceID)
		res, err := r.Claim(t.Context(), claimOf(targets[0]))
		p.healAll()
		p.claimed(t, targets[0], res, err)
		if !res.Changed {
			t.Errorf("%+v", res)
		}
	})
}

// The pool as it was has an address that is none of the account's any more.
func TestClaimPassesOverWhatWasGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 6)
		target := p.interfaces(t, 1)[0]
		for _, id := range p.free[1:] {
			if _, err := p.client.ReleaseAddress(t.Context(), &ec2.ReleaseAddressInput{AllocationId: &id}); err != nil {
				t.Fatal(err)
			}
		}
		p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(30*time.Second))
		res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(target))
		p.healAll()
		p.claimed(t, target, res, err)
	})
}

func TestClaimSurvivesLostReplies(t *testing.T) {
	t.Parallel()
	effects := map[string]awstest.Effect{
		"applied": awstest.LoseReply(), "not applied": awstest.Unavailable(), "hangs": awstest.Hang(), "late": awstest.DelayReply(time.Minute), "throttled": awstest.Throttle(),
	}
	for name, effect := range effects {
		for _, lag := range []time.Duration{0, 30 * time.Second} {
			t.Run(fmt.Sprintf("%s, lag %v", name, lag), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := settledPool(t, 5)
					target := p.interfaces(t, 1)[0]
					time.Sleep(time.Minute)
					if lag > 0 {
						p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(lag))
					}
					p.inject(t, "AssociateAddress", awstest.Match{Times: 1}, effect)
					res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(target))
					p.healAll()
					p.claimed(t, target, res, err)
					if !res.Changed {
						t.Errorf("%+v", res)
					}
				})
			})
		}
	}
}

// A process dies right before or after one of its calls takes effect; whenever that was, the next one ends with one address.
func TestClaimAfterACrashAtEachCall(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{0, 30 * time.Second} {
		for call := range 4 {
			for name, hook := range map[string]func(func(context.Context, awstest.Record)) awstest.Effect{"before": awstest.Before, "after": awstest.After} {
				t.Run(fmt.Sprintf("%s call %d, lag %v", name, call, lag), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						p := settledPool(t, 5)
						i := p.launch(t)
						target := eip.Target{NetworkInterfaceID: *i.NetworkInterfaces[0].NetworkInterfaceId}
						time.Sleep(time.Minute)
						if lag > 0 {
							p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(lag))
						}
						ctx, cancel := context.WithCancel(t.Context())
						p.inject(t, "", awstest.Match{Skip: call, Times: 1}, hook(func(context.Context, awstest.Record) { cancel() }))
						req := claimOf(eip.Target{InstanceID: *i.InstanceId})
						if _, err := newRemapper(t, p.client).Claim(ctx, req); call < 3 && !errors.Is(err, context.Canceled) {
							t.Errorf("the first: %v", err)
						}
						before := p.owners(t)
						res, err := newRemapper(t, p.client).Claim(t.Context(), req)
						p.healAll()
						p.claimed(t, target, res, err)
						if lag == 0 && len(p.held(t)) > 0 && maps.Equal(before, p.owners(t)) == res.Changed {
							t.Errorf("changed %t", res.Changed)
						}
						cancel()
					})
				})
			}
		}
	}
}

func TestClaimForATargetThatIsGone(t *testing.T) {
	t.Parallel()
	for _, wait := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			p := settledPool(t, 2)
			id, _ := p.running(t)
			if _, err := p.client.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
				t.Fatal(err)
			}
			for _, target := range []eip.Target{{InstanceID: id}, {NetworkInterfaceID: "eni-0000000000000dead"}, {InstanceID: "i-0000000000000dead"}} {
				req := claimOf(target)
				req.Wait = wait
				res, err := newRemapper(t, p.client).Claim(t.Context(), req)
				if failure(t, err, eip.ErrTargetGone); res.Took > 7*time.Second || res.Changed {
					t.Errorf("%v: %+v", target, res)
				}
			}
		})
	}
}

func TestClaimIsDenied(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"DescribeAddresses", "AssociateAddress", "DescribeInstances"} {
		synctest.Test(t, func(t *testing.T) {
			p := settledPool(t, 2)
			id, _ := p.running(t)
			p.inject(t, operation, awstest.Match{}, awstest.Deny())
			p.start = p.counts()
			req := claimOf(eip.Target{InstanceID: id})
			req.Wait = time.Hour
			res, err := newRemapper(t, p.client).Claim(t.Context(), req)
			if failure(t, err, eip.ErrDenied); res.Took > time.Second || p.calls().Associate > 1 {
				t.Errorf("took %v, calls %+v", res.Took, p.calls())
			}
		})
	}
}

// The fence is asked before every candidate.
func TestClaimThatLosesItsFenceSendsNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 4)
		targets := p.interfaces(t, 5)
		for i, id := range p.free {
			p.associate(t, id, targets[i].NetworkInterfaceID)
		}
		p.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(time.Minute)) // all are refused, one by one
		p.start = p.counts()
		req := claimOf(targets[4])
		req.Fence = &fenceFor{valid: 2}
		_, err := newRemapper(t, p.client).Claim(t.Context(), req)
		if e := failure(t, err, eip.ErrFenced); e.Op != eip.OpAssociate || p.calls().Associate != 2 {
			t.Errorf("%v after %+v", err, p.calls())
		}
	})
}

// fenceFor is valid for a number of calls.
type fenceFor struct{ valid int }

func (*fenceFor) Token() uint64 { return 7 }
func (f *fenceFor) Valid() error {
	if f.valid--; f.valid < 0 {
		return errors.New("lease lost")
	}
	return nil
}

func TestClaimReportsEveryMistake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newRemapper(t, w.client)
	tests := map[string]struct {
		req  eip.ClaimRequest
		want []string
	}{
		"nothing": {eip.ClaimRequest{}, []string{"ClaimRequest.Tags", "ClaimRequest.Target"}},
		"much": {
			eip.ClaimRequest{Tags: map[string]string{"": "x"}, Wait: -1, Target: eip.Target{NetworkInterfaceID: "i-1", InstanceID: "eni-1"}},
			[]string{"ClaimRequest.Tags", "ClaimRequest.Wait", "ClaimRequest.Target", "ClaimRequest.Target.NetworkInterfaceID", "ClaimRequest.Target.InstanceID"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			res, err := r.Claim(t.Context(), test.req)
			var fields []string
			for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
				var e *eip.FieldError
				if !errors.As(err, &e) {
					t.Fatal(err)
				}
				fields = append(fields, e.Field)
			}
			if !slices.Equal(fields, test.want) || res != (eip.Result{}) || w.calls() != (eip.Calls{}) {
				t.Errorf("%v, want %v; %+v", fields, test.want, res)
			}
		})
	}
}

func TestClaimForAnInstanceWithSeveralInterfaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 2)
		id, eni := p.running(t)
		p.second(t, id, "")
		_, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(eip.Target{InstanceID: id}))
		if field := new(eip.FieldError); !errors.As(err, &field) || field.Field != "ClaimRequest.Target.InstanceID" {
			t.Error(err)
		}
		res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(eip.Target{NetworkInterfaceID: eni}))
		p.claimed(t, eip.Target{NetworkInterfaceID: eni}, res, err)
	})
}

// In a filter of EC2, * and ? are patterns, and a backslash takes that from them. In a tag they are what they are.
func TestTagsOfAPoolAreLiteral(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"*", "web-*", "we?", `\*`, `\`, `a\b`, `a\\b`, `\?*\`, "", "web"} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := settledPool(t, 0)
				for _, other := range []string{"web-1", "wex", "we", "x*", `\x`, "ab", "x", `\\`, `\\\*`, "*x", "web*", `\`, `a\b`} {
					if other != value {
						p.allocateIn(t, "", map[string]string{"key*": other})
					}
				}
				p.allocateIn(t, "", map[string]string{"keyX": value, "key": value})
				p.free = []string{p.allocateIn(t, "", map[string]string{"key*": value})}
				targets := p.interfaces(t, 2)
				for i, target := range targets {
					res, err := newRemapper(t, p.client).Claim(t.Context(), eip.ClaimRequest{Tags: map[string]string{"key*": value}, Target: target})
					if i == 0 {
						p.claimed(t, target, res, err)
					} else {
						failure(t, err, eip.ErrPoolEmpty)
					}
				}
			})
		})
	}
}

// A pool is what has all of the tags.
func TestPoolHasAllTags(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 3)
		p.free = []string{p.allocateIn(t, "", map[string]string{"pool": "web", "stage": "prod", "owner": "x"})}
		req := claimOf(p.interfaces(t, 1)[0])
		req.Tags = map[string]string{"pool": "web", "stage": "prod"}
		res, err := newRemapper(t, p.client).Claim(t.Context(), req)
		p.claimed(t, req.Target, res, err)
	})
}

func TestClaimInANetworkBorderGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const boston = "us-east-1-bos-1"
		w, subnet := inLocalZone(t, boston)
		p := &pool{fleet: &fleet{world: w}}
		for range 5 {
			w.allocateIn(t, "", poolTags)
		}
		p.free = []string{w.allocateIn(t, boston, poolTags)}
		req := claimOf(eip.Target{NetworkInterfaceID: w.createIn(t, subnet)})
		req.NetworkBorderGroup = boston
		res, err := newRemapper(t, p.client).Claim(t.Context(), req)
		p.claimed(t, req.Target, res, err)
		if req.NetworkBorderGroup = "us-east-*"; err == nil {
			_, err = newRemapper(t, p.client).Claim(t.Context(), req)
			failure(t, err, eip.ErrPoolEmpty)
		}
	})
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

func claimChaos(t *testing.T, seed uint64) {
	t.Helper()
	p := settledPool(t, 6, func(o *awstest.Options) { o.Seed = seed })
	targets := p.interfaces(t, 8)
	before := p.owners(t)
	time.Sleep(time.Minute)
	for _, effect := range []awstest.Effect{
		awstest.Throttle(), awstest.Unavailable(), awstest.LoseReply(), awstest.Hang(), awstest.DelayReply(15 * time.Second), awstest.Delay(50 * time.Millisecond),
	} {
		p.inject(t, "", awstest.Match{Probability: 0.08}, effect)
	}
	p.inject(t, "DescribeAddresses", awstest.Match{Probability: 0.5}, awstest.Stale(20*time.Second))
	results, errs := make([]eip.Result, 2*len(targets)), make([]error, 2*len(targets))
	var wg sync.WaitGroup
	for i := range results { // two processes of each
		wg.Go(func() { results[i], errs[i] = newRemapper(t, p.client).Claim(t.Context(), claimOf(targets[i/2])) })
	}
	wg.Wait()
	p.healAll()
	time.Sleep(time.Minute)
	for i, err := range errs {
		if err == nil {
			p.claimed(t, targets[i/2], results[i], nil)
		}
	}
	for eni, held := range p.held(t) {
		if len(held) > 1 {
			t.Errorf("seed %d: %s holds %v", seed, eni, held)
		}
	}
	winners := 0
	for _, target := range targets {
		res, err := newRemapper(t, p.client).Claim(t.Context(), claimOf(target))
		if err == nil {
			winners++
			p.claimed(t, target, res, err)
		} else {
			failure(t, err, eip.ErrPoolEmpty)
		}
	}
	if winners != len(p.free) {
		t.Errorf("seed %d: %d winners", seed, winners)
	}
	for id, owner := range before {
		if !slices.Contains(p.free, id) && p.owners(t)[id] != owner {
			t.Errorf("seed %d: %s is no address of the pool, and has moved", seed, id)
		}
	}
}
