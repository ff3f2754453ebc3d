package eip_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

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
				if failure(t, err, eip.ErrTargetGone); res.Took > 8*time.Second || res.Changed {
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
