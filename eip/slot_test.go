package eip_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// gap watches how many of the addresses nobody holds, in truth.
type gap struct {
	mu   sync.Mutex
	held map[string]bool // by association of the beginning or allocation
	free int
	max  int
}

func (f *fleet) watchGap(tb testing.TB) *gap {
	tb.Helper()
	g := &gap{held: map[string]bool{}}
	for _, req := range f.reqs {
		g.held[req.Expect.Association.ID], g.held[req.AllocationID] = true, false
	}
	watch := func(change int, id func(any) string) awstest.Effect {
		return awstest.After(func(_ context.Context, r awstest.Record) {
			g.mu.Lock()
			defer g.mu.Unlock()
			if held, ours := g.held[id(r.Input)]; r.Applied && ours && held == (change > 0) { // not a repetition
				g.held[id(r.Input)] = !held
				g.free += change
				g.max = max(g.max, g.free)
			}
		})
	}
	f.inject(tb, "DisassociateAddress", awstest.Match{}, watch(1, func(in any) string { return *in.(*ec2.DisassociateAddressInput).AssociationId }))
	f.inject(tb, "AssociateAddress", awstest.Match{}, watch(-1, func(in any) string { return *in.(*ec2.AssociateAddressInput).AllocationId }))
	return g
}

func TestMaxInFlightIsNeverExceeded(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*testing.T, *fleet){
		"none": func(*testing.T, *fleet) {},
		"replies of associations are lost": func(t *testing.T, f *fleet) {
			f.inject(t, "AssociateAddress", awstest.Match{Times: 20}, awstest.LoseReply())
		},
		"associations are not made, and nothing says so": func(t *testing.T, f *fleet) {
			heal := f.inject(t, "AssociateAddress", awstest.Match{}, awstest.Unavailable())
			time.AfterFunc(40*time.Second, heal)
		},
		"associations hang": func(t *testing.T, f *fleet) {
			f.inject(t, "AssociateAddress", awstest.Match{Probability: 0.25}, awstest.Hang())
		},
		"associations are throttled": func(t *testing.T, f *fleet) {
			f.inject(t, "AssociateAddress", awstest.Match{Probability: 0.5}, awstest.Throttle())
		},
		"disassociations are throttled": func(t *testing.T, f *fleet) {
			f.inject(t, "DisassociateAddress", awstest.Match{Probability: 0.5}, awstest.Throttle())
		},
		"reads lag": func(t *testing.T, f *fleet) {
			f.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(30*time.Second))
		},
		"targets are occupied": func(t *testing.T, f *fleet) {
			for i := range f.reqs {
				f.associate(t, f.allocate(t), f.reqs[i].Target.NetworkInterfaceID)
				f.reqs[i].Displace = true
			}
		},
	}
	for name, fault := range faults {
		for _, limit := range []int{1, 3, 10} {
			t.Run(fmt.Sprintf("%s, %d", name, limit), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := settledFleet(t, 25, func(o *awstest.Options) { o.Latency = 20 * time.Millisecond })
					fault(t, f)
					g := f.watchGap(t)
					r := newRemapper(t, f.client, func(o *eip.Options) { o.MaxInFlight = limit; o.RetryTimeout = 5 * time.Minute })
					start := time.Now()
					outcomes, err := r.RemapAll(t.Context(), f.reqs)
					if err != nil {
						t.Fatal(err)
					}
					if g.max > limit || g.max == 0 {
						t.Errorf("%d addresses were free at once, want %d at most", g.max, limit)
					}
					if took := time.Since(start); took > 5*time.Minute {
						t.Errorf("took %v: %+v", took, f.calls())
					}
					f.moved(t, f.reqs, outcomes)
				})
			})
		}
	}
}

// What gives a slot its worth: while AssociateAddress is out of order, most owners keep their addresses.
func TestOutageOfAssociateFindsMostAddressesWithTheirOwners(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := settledFleet(t, 50)
		heal := f.inject(t, "AssociateAddress", awstest.Match{}, awstest.Unavailable())
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		outcomes, err := newRemapper(t, f.client).RemapAll(ctx, f.reqs)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		heal()
		time.Sleep(time.Minute)
		free := 0
		for i, o := range outcomes {
			switch owner := f.owners(t)[o.AllocationID]; {
			case owner.ID == "":
				free++
			case owner.ID != f.reqs[i].Expect.Association.ID:
				t.Errorf("%v has address %d", owner, i)
			}
		}
		if free != 10 {
			t.Errorf("%d addresses are free, want MaxInFlight", free)
		}
		for i := range f.reqs {
			f.reqs[i].Expect = eip.Expect{}
		}
		outcomes, _ = newRemapper(t, f.client).RemapAll(t.Context(), f.reqs)
		f.moved(t, f.reqs, outcomes)
	})
}
