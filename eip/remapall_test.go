package eip_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

func TestOneFailingRequestStopsNoneOfTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 50)
		gone := f.launchMany(t, 1)[0]
		time.Sleep(time.Minute)
		if _, err := f.client.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{gone}}); err != nil {
			t.Fatal(err)
		}
		f.reqs[0].Guard = eip.GuardLease                                   // without a fence
		f.reqs[1].AllocationID = "eipalloc-0dead"                          // unknown
		f.reqs[1].Expect = eip.Expect{}                                    //
		f.reqs[2].Target = eip.Target{InstanceID: gone}                    //
		f.reqs[3].Target.NetworkInterfaceID = "eni-0000000000000dead"      // unknown
		f.reqs[3].Expect = eip.Expect{}                                    // so that it is read before the owner loses it
		f.associate(t, f.reqs[4].AllocationID, f.createInterface(t))       // the owner that is named is not the owner
		f.associate(t, f.allocate(t), f.reqs[5].Target.NetworkInterfaceID) // occupied
		f.reqs[6].AllocationID = "ip-1"
		f.reqs[8].AllocationID = f.reqs[7].AllocationID
		f.reqs[9].Expect.Association.ID = "eipassoc-0dead" // of nobody
		f.inject(t, "DisassociateAddress", awstest.Match{Resource: f.reqs[10].Expect.Association.ID}, awstest.Deny())
		time.Sleep(2 * time.Minute)

		outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), f.reqs)
		want := []error{0: nil, 1: eip.ErrNotFound, 2: eip.ErrTargetGone, 3: eip.ErrTargetGone, 4: eip.ErrConflict, 5: eip.ErrOccupied, 9: eip.ErrConflict, 10: eip.ErrDenied}
		for i, kind := range want {
			if kind != nil && (!errors.Is(outcomes[i].Err, kind) || !errors.Is(err, kind)) {
				t.Errorf("outcome %d: %v, want %v; all: %v", i, outcomes[i].Err, kind, errors.Is(err, kind))
			}
		}
		for i, field := range map[int]string{0: "Requests[0].Fence", 6: "Requests[6].AllocationID", 8: "Requests[8].AllocationID"} {
			var e *eip.FieldError
			if !errors.As(outcomes[i].Err, &e) || e.Field != field {
				t.Errorf("outcome %d: %v, want a mistake in %s", i, outcomes[i].Err, field)
			}
			if outcomes[i].Calls != (eip.Calls{}) {
				t.Errorf("outcome %d: %+v", i, outcomes[i].Calls)
			}
		}
		f.moved(t, f.reqs, outcomes, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10)
		owners := f.owners(t)
		for _, i := range []int{0, 2, 10} {
			if id := owners[f.reqs[i].AllocationID].ID; id != f.reqs[i].Expect.Association.ID {
				t.Errorf("address %d was taken from its owner: %q", i, id)
			}
		}
	})
}

// Two addresses for one place cannot both succeed: the second would lose its owner for nothing.
func TestRemapAllRefusesDuplicates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := settledFleet(t, 3)
		f.reqs[2].Target = f.reqs[0].Target
		reqs := append(slices.Clone(f.reqs), f.reqs[1], eip.Request{}, eip.Request{})
		outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), reqs)
		for i, want := range map[int]string{
			2: `eip: Requests[2].Target: "` + f.reqs[0].Target.String() + `" must not be the target of Requests[0] too`,
			3: `eip: Requests[3].AllocationID: "` + f.reqs[1].AllocationID + `" must not be the address of Requests[1] too`,
			5: `eip: Requests[5].AllocationID: "" must be set` + "\n" + `eip: Requests[5].Target: "" must have a NetworkInterfaceID or an InstanceID`,
		} {
			if e := outcomes[i].Err; e == nil || !strings.HasPrefix(e.Error(), want) || !strings.Contains(err.Error(), want) {
				t.Errorf("outcome %d: %v, want %s", i, e, want)
			}
		}
		f.moved(t, reqs, outcomes, 2, 3, 4, 5)
		if owner := f.owners(t)[f.reqs[2].AllocationID]; owner.ID != f.reqs[2].Expect.Association.ID {
			t.Errorf("address 2 was taken from its owner: %v", owner)
		}
	})
}

// Whatever it was doing, a cancelled RemapAll returns at once, and a second run finishes. The bubble proves that no goroutine is
// left, and goleak that none is in real time.
func TestRemapAllReturnsWhenCancelled(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*testing.T, *fleet){
		"no fault": func(*testing.T, *fleet) {},
		"lag": func(t *testing.T, f *fleet) {
			f.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(time.Minute))
		},
		"throttles": func(t *testing.T, f *fleet) { f.inject(t, "", awstest.Match{Probability: 0.5}, awstest.Throttle()) },
		"hangs":     func(t *testing.T, f *fleet) { f.inject(t, "", awstest.Match{Probability: 0.2}, awstest.Hang()) },
		"lost replies": func(t *testing.T, f *fleet) {
			f.inject(t, "AssociateAddress", awstest.Match{Probability: 0.5}, awstest.LoseReply())
		},
	}
	moments := []time.Duration{
		0, 20 * time.Millisecond, 61 * time.Millisecond, 100 * time.Millisecond, 155 * time.Millisecond, 300 * time.Millisecond,
		2 * time.Second, 5 * time.Second, 12 * time.Second,
	}
	for name, fault := range faults {
		for _, named := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, owners named: %t", name, named), func(t *testing.T) {
				t.Parallel()
				for _, at := range moments {
					synctest.Test(t, func(t *testing.T) { cancelled(t, at, named, fault) })
				}
			})
		}
	}
}

func cancelled(t *testing.T, at time.Duration, named bool, fault func(*testing.T, *fleet)) {
	t.Helper()
	f := settledFleet(t, 7, func(o *awstest.Options) { o.Latency = 20 * time.Millisecond })
	fault(t, f)
	g := f.watchGap(t)
	reqs := f.reqs
	if !named {
		reqs = f.unnamed()
	}
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(at, func() { cancel(reason) })
	start := time.Now()
	r := newRemapper(t, f.client, func(o *eip.Options) { o.MaxInFlight = 3; o.MaxPollInterval = time.Minute })
	_, err := r.RemapAll(ctx, reqs)
	if took := time.Since(start); took > at {
		t.Errorf("cancelled at %v, returned at %v", at, took)
	}
	if err != nil && !errors.Is(err, reason) {
		t.Errorf("at %v: %v, want the cause", at, err)
	}
	if g.max > 3 {
		t.Errorf("at %v: %d addresses free", at, g.max)
	}
	cancel(nil)
	f.healAll()
	time.Sleep(2 * time.Minute)
	outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), f.unnamed())
	if err != nil {
		t.Errorf("at %v, the second run: %v", at, err)
	}
	owners := f.owners(t)
	for i, o := range outcomes {
		if owner := owners[o.AllocationID]; owner.NetworkInterfaceID != f.reqs[i].Target.NetworkInterfaceID {
			t.Errorf("at %v: %v holds address %d", at, owner, i)
		}
	}
}

// Of many who move the same addresses at once, each address has one winner, and losing one is no reason to lose another.
func TestRacingRemapAllsHaveOneWinnerPerAddress(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			f := settledFleet(t, 20, func(o *awstest.Options) { o.Seed = seed + 1 })
			f.inject(t, "", awstest.Match{Probability: 0.3}, awstest.Delay(30*time.Millisecond))
			raceAll(t, f)
		})
	}
}

func TestRacingRemapAllsInRealTime(t *testing.T) {
	t.Parallel()
	for range 3 {
		raceAll(t, newFleet(t, 50, func(o *awstest.Options) { o.Latency = awstest.NoLatency }))
	}
}

func raceAll(t *testing.T, f *fleet) {
	t.Helper()
	const movers = 3
	var reqs [movers][]eip.Request
	var outcomes [movers][]eip.Outcome
	for m := range movers {
		reqs[m] = slices.Clone(f.reqs)
		for i := range reqs[m] {
			reqs[m][i].Target.NetworkInterfaceID = f.createInterface(t)
		}
		slices.Reverse(reqs[m][m:])
	}
	var wg sync.WaitGroup
	for m := range movers {
		r := newRemapper(t, f.client)
		wg.Go(func() { outcomes[m], _ = r.RemapAll(t.Context(), reqs[m]) })
	}
	wg.Wait()
	won := map[string]int{}
	owners := f.owners(t)
	for m := range movers {
		for i, o := range outcomes[m] {
			if o.Err == nil {
				won[o.AllocationID]++
				if owner := owners[o.AllocationID]; owner.NetworkInterfaceID != reqs[m][i].Target.NetworkInterfaceID || owner.ID != o.After.ID {
					t.Errorf("mover %d was told %v, but %v holds the address", m, o.After, owner)
				}
			} else if e := failure(t, o.Err, eip.ErrConflict); e.Owner.NetworkInterfaceID != owners[o.AllocationID].NetworkInterfaceID {
				t.Errorf("mover %d: %v, but %v holds the address", m, o.Err, owners[o.AllocationID])
			}
		}
	}
	for _, req := range f.reqs {
		if won[req.AllocationID] != 1 {
			t.Errorf("%s has %d winners", req.AllocationID, won[req.AllocationID])
		}
	}
}

func TestRemapAllSwapsWithDisplace(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 10} {
		synctest.Test(t, func(t *testing.T) {
			f := settledFleet(t, 10)
			for i := range f.reqs {
				f.reqs[i].Displace = true
				f.reqs[i].Target.NetworkInterfaceID = f.reqs[(i+1)%len(f.reqs)].Expect.Association.NetworkInterfaceID
			}
			r := newRemapper(t, f.client, func(o *eip.Options) { o.MaxInFlight = limit })
			outcomes, err := r.RemapAll(t.Context(), f.reqs)
			if err != nil {
				t.Fatal(err)
			}
			f.moved(t, f.reqs, outcomes)
		})
	}
}
