package eip_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// race lets two remappers take the address from the same owner at once, and holds the outcome to the contract.
func race(t *testing.T, w *world) {
	t.Helper()
	var wg sync.WaitGroup
	var results [3]eip.Result
	var errs [3]error
	for _, i := range []int{1, 2} {
		r := newRemapper(t, w.client)
		wg.Go(func() { results[i], errs[i] = r.Remap(t.Context(), w.request(i)) })
	}
	wg.Wait()
	winner, loser := 1, 2
	if errs[1] != nil {
		winner, loser = 2, 1
	}
	if errs[winner] != nil || results[winner].After.NetworkInterfaceID != w.eni[winner] {
		t.Fatalf("nobody won: %v; %v", errs[1], errs[2])
	}
	e := failure(t, errs[loser], eip.ErrConflict)
	if e.Owner.ID != results[winner].After.ID || e.Owner.NetworkInterfaceID != w.eni[winner] {
		t.Fatalf("the loser names %v, the owner is %v", e.Owner, results[winner].After)
	}
	if results[loser].Changed || results[winner].Calls.Associate != 1 || results[loser].Calls.Associate != 1 {
		t.Fatalf("winner %+v, loser %+v", results[winner], results[loser])
	}
	if owner := w.owner(t); owner != w.eni[winner] {
		t.Fatalf("%s holds the address, not the winner", owner)
	}
}

// The order of the calls is settled by the scheduler of a thousand bubbles' worth of rounds.
func TestRaceHasOneWinner(t *testing.T) {
	t.Parallel()
	rounds := 1000
	if testing.Short() {
		rounds = 50
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for range rounds {
			race(t, w)
			w.first = w.associate(t, w.allocation, w.eni[0])
		}
	})
}

// The same with the clock of the machine, where the goroutines really run at once.
func TestRaceInRealTimeHasOneWinner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *awstest.Options) { o.Latency = awstest.NoLatency })
	for range 200 {
		race(t, w)
		w.first = w.associate(t, w.allocation, w.eni[0])
	}
}

// A rival that wins at any point of the strict remap keeps the address.
func TestRivalInBetweenWins(t *testing.T) {
	t.Parallel()
	points := map[string]struct {
		operation string
		hook      func(func(context.Context, awstest.Record)) awstest.Effect
	}{
		"before the disassociation": {"DisassociateAddress", awstest.Before},
		"between the two calls":     {"DisassociateAddress", awstest.After},
		"before the association":    {"AssociateAddress", awstest.Before},
	}
	for name, point := range points {
		for _, strict := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := settled(t)
					rival := newRemapper(t, w.client)
					w.inject(t, point.operation, awstest.Match{Times: 1}, point.hook(func(ctx context.Context, _ awstest.Record) {
						if !strict {
							w.associate(t, w.allocation, w.eni[2])
						} else if _, err := rival.Remap(ctx, w.request(2)); err != nil {
							t.Errorf("rival: %v", err)
						}
					}))
					res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
					if e := failure(t, err, eip.ErrConflict); e.Owner.NetworkInterfaceID != w.eni[2] || e.Op != eip.OpAssociate {
						t.Errorf("error %v, want a conflict with %s", err, w.eni[2])
					}
					if res.Changed || res.After != (eip.Association{}) {
						t.Errorf("result %+v", res)
					}
					if owner := w.owner(t); owner != w.eni[2] {
						t.Errorf("%s holds the address, not the rival", owner)
					}
				})
			})
		}
	}
}

func TestTwoMoversToOneTargetBothSucceed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if _, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if owner := w.owner(t); owner != w.eni[1] {
			t.Errorf("%s holds the address", owner)
		}
	})
}

// One Remapper may serve concurrent moves, of one address too.
func TestRemapperIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				req := w.request(i % 3)
				req.Expect = eip.Expect{}
				_, err := r.Remap(t.Context(), req)
				if err != nil && !errors.Is(err, eip.ErrConflict) && !errors.Is(err, eip.ErrStolen) && !errors.Is(err, eip.ErrUnverified) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if w.owner(t) == "" {
			t.Error("nobody holds the address")
		}
	})
}

// What a Remapper does for another caller is not the past of a move that is still waiting for its reply, however much it
// has to remember.
func TestTheftThroughTheSameRemapperIsSeen(t *testing.T) {
	t.Parallel()
	for _, earlier := range []int{0, 300} {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			r := newRemapper(t, w.client)
			for i := range earlier {
				req := w.request(i % 3)
				req.Expect.Association = w.first
				res, err := r.Remap(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				w.first = res.After
			}
			w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.After(func(ctx context.Context, _ awstest.Record) {
				req := w.request(2)
				req.Expect = eip.Expect{}
				if _, err := r.Remap(ctx, req); err != nil {
					t.Errorf("the other move: %v", err)
				}
			}))
			_, err := r.Remap(t.Context(), w.request(1))
			if e := failure(t, err, eip.ErrStolen); e.Owner.NetworkInterfaceID != w.eni[2] {
				t.Errorf("owner %v, want %s", e.Owner, w.eni[2])
			}
		})
	}
}

func TestLoserIsNotToldOfFormerOwners(t *testing.T) {
	t.Parallel()
	messages := map[string]string{"as EC2 says it": "", "as an emulator does": "the resource is already associated"}
	for name, message := range messages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				if message == "" { // the name of the association rules out owners before the expected one, too
					w.first = w.associate(t, w.allocation, w.eni[1])
					w.eni[1] = w.createInterface(t)
				}
				theirs := w.associate(t, w.allocation, w.eni[2])
				if message != "" {
					w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: "Resource.AlreadyAssociated", Message: message}))
				}
				w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Second))
				_, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
				if e := failure(t, err, eip.ErrConflict); e.Owner.ID != theirs.ID || e.Owner.NetworkInterfaceID != w.eni[2] {
					t.Errorf("owner %v, want %v", e.Owner, theirs)
				}
			})
		})
	}
}

func TestLoserUnderLagNamesTheOwner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		theirs := w.associate(t, w.allocation, w.eni[2])
		heal := w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(awstest.Memory))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		heal()
		if e := failure(t, err, eip.ErrConflict); e.Owner != (eip.Association{ID: theirs.ID}) {
			t.Errorf("owner %v, want what EC2 said: %s", e.Owner, theirs.ID)
		}
		if res.Took > 8*time.Second {
			t.Errorf("took %v, want no more than the read lag", res.Took)
		}
	})
}
