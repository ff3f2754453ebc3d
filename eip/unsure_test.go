package eip_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// The reply of the associate is lost, and no read tells what became of it.
func TestUnsettledAssociateMayHaveChangedSomething(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"applied": awstest.LoseReply(), "not applied": awstest.Unavailable()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, effect)
				w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Unavailable())
				res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
				if failure(t, err, eip.ErrUnverified); !res.Changed || res.After != (eip.Association{}) {
					t.Errorf("result %+v: an association may have been made, and has no ID", res)
				}
			})
		})
	}
}

// Under a lease who holds the address meanwhile does not matter to who goes on.
func TestGoingOnUnderALeaseTakesFromAnybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.LoseReply())
		heal := w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Unavailable())
		r := newRemapper(t, w.client)
		req := w.underLease(1, &lease{})
		res, err := r.Remap(t.Context(), req)
		failure(t, err, eip.ErrUnverified)
		heal()
		w.associate(t, w.allocation, w.eni[2])
		time.Sleep(time.Minute)
		req.Expect = res.Next
		if _, err := r.Remap(t.Context(), req); err != nil || w.owner(t) != w.eni[1] {
			t.Errorf("Next %+v; resumed: %v; %s holds the address", res.Next, err, w.owner(t))
		}
	})
}

// That nobody holds the address is believed after VerifyTimeout, and not sooner because the caller has no more time.
func TestNobodyIsNotBelievedWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Before(func(context.Context, awstest.Record) {
			w.disassociate(t, w.owners(t)[w.allocation].ID)
		}))
		ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errEnough)
		defer cancel()
		res, err := newRemapper(t, w.client).Remap(ctx, w.request(1))
		failure(t, err, errEnough)
		if failure(t, err, eip.ErrUnverified); res.After.ID == "" || res.Next.Association != res.After {
			t.Errorf("result %+v", res)
		}
	})
}

func TestDeniedReadsAreToldBesideWhatTheyLeaveOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Deny())
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		failure(t, err, eip.ErrDenied)
		if e := failure(t, err, eip.ErrUnverified); e.Kind != eip.ErrUnverified || res.Took > time.Second {
			t.Errorf("error %+v after %v", e, res.Took)
		}
	})
}
