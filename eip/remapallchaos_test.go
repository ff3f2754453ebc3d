package eip_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// Whatever fails and whenever it is cancelled: it returns at that instant, counts what it sent, and success is the truth.
func TestRemapAllUnderAnyFaultsAndCancelled(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(seed, 77))
				n := 2 + rnd.IntN(10)
				f := newFleet(t, n, func(o *awstest.Options) { o.Seed = seed + 1; o.Latency = 10 * time.Millisecond })
				ids := f.launchMany(t, int32(n))
				for i := range f.reqs {
					if rnd.IntN(3) == 0 {
						f.reqs[i].Target = eip.Target{InstanceID: ids[i]}
						f.reqs[i].Expect.Association.InstanceID = "i-0dead"
					}
					if rnd.IntN(3) == 0 {
						f.reqs[i].Expect = eip.Expect{}
					}
					if eni := f.reqs[i].Target.NetworkInterfaceID; eni != "" && rnd.IntN(3) == 0 {
						f.associate(t, f.allocate(t), eni)
						f.reqs[i].Displace = rnd.IntN(3) > 0
					}
					if rnd.IntN(4) == 0 {
						f.reqs[i].Probe = func(ctx context.Context, _ netip.Addr) error { <-ctx.Done(); return ctx.Err() }
					}
				}
				time.Sleep(time.Duration(rnd.IntN(120)) * time.Second)
				f.client = f.withoutRetries()
				f.start = f.counts()
				g := f.watchGap(t)
				for _, effect := range []awstest.Effect{awstest.Throttle(), awstest.Unavailable(), awstest.LoseReply(), awstest.Hang(), awstest.Delay(3 * time.Second)} {
					f.inject(t, "", awstest.Match{Probability: 0.08}, effect)
				}
				f.inject(t, "DescribeAddresses", awstest.Match{Probability: 0.3}, awstest.Stale(3*time.Second))
				limit := 1 + rnd.IntN(3)
				r := newRemapper(t, f.client, func(o *eip.Options) { o.MaxInFlight = limit })
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				at := time.Duration(rnd.IntN(60000)) * time.Millisecond
				if rnd.IntN(3) == 0 {
					at = 24 * time.Hour
				}
				time.AfterFunc(at, cancel)
				start := time.Now()
				outcomes, _ := r.RemapAll(ctx, f.reqs)
				took := time.Since(start)
				if took > at {
					t.Errorf("seed %d cancelled at %v returned at %v", seed, at, took)
				}
				if took > 20*time.Minute {
					t.Errorf("took %v", took)
				}
				ended := 0
				for _, o := range outcomes {
					if o.Err != nil && o.After.ID == "" {
						ended++
					}
				}
				if g.max > limit+ended { // those that failed may have left theirs free
					t.Errorf("%d addresses without an owner, limit %d, %d failed", g.max, limit, ended)
				}
				if got, want := sum(outcomes), f.calls(); got != want && took < at {
					t.Errorf("outcomes count %+v ledger %+v", got, want)
				}
				f.healAll()
				time.Sleep(time.Minute)
				owners := f.owners(t)
				for i, o := range outcomes {
					if (o.Err == nil || errors.Is(o.Err, eip.ErrUnreachable)) && owners[o.AllocationID].ID != o.After.ID {
						t.Errorf("seed %d outcome %d says %+v, owner %v", seed, i, o, owners[o.AllocationID])
					}
				}
			})
		})
	}
}
