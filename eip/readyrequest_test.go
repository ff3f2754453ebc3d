package eip_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/eip"
)

// What Ready read is what Remap acts on: no read before the move, and nobody who came in between loses the address.
func TestReportHasTheRequestThatActsOnIt(t *testing.T) {
	t.Parallel()
	free := func(t *testing.T, w *world) {
		if _, err := w.client.DisassociateAddress(t.Context(), &ec2.DisassociateAddressInput{AssociationId: &w.first.ID}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		before func(*testing.T, *world)
		adjust func(*eip.Request)
		guard  eip.Guard // of the report
		want   eip.Calls // of the Remap
	}{
		{"held", nil, nil, eip.GuardStrict, eip.Calls{Describe: 1, Disassociate: 1, Associate: 1}},
		{"held, owner expected by its interface", nil, func(r *eip.Request) { r.Expect.Association.NetworkInterfaceID = "eni-00000000000000001" }, eip.GuardStrict, eip.Calls{Describe: 1, Disassociate: 1, Associate: 1}},
		{"free", free, nil, eip.GuardFree, eip.Calls{Describe: 2, Associate: 1}},
		{"held, under a lease", nil, func(r *eip.Request) { r.Guard, r.Fence, r.Displace = eip.GuardLease, &lease{}, true }, eip.GuardLease, eip.Calls{Describe: 1, Associate: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, rival := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					w := settled(t)
					instance, eni := w.running(t)
					w.eni[1] = eni
					if test.before != nil {
						test.before(t, w)
					}
					r := newRemapper(t, w.client)
					req := eip.Request{AllocationID: w.allocation, Target: eip.Target{InstanceID: instance}}
					if test.adjust != nil {
						test.adjust(&req)
					}
					report, err := r.Ready(t.Context(), req)
					if err := errors.Join(err, report.Err()); err != nil {
						t.Fatal(err)
					}
					if got := report.Request; got.Guard != test.guard || got.Target != (eip.Target{NetworkInterfaceID: eni}) || got.Expect.Association != report.Owner {
						t.Errorf("request %+v", got)
					}
					if rival {
						w.associate(t, w.allocation, w.eni[2])
					}
					res, err := newRemapper(t, w.client).Remap(context.WithoutCancel(t.Context()), report.Request)
					switch {
					case !rival && (err != nil || res.Calls != test.want || w.owner(t) != eni):
						t.Errorf("result %+v, error %v, want calls %+v", res, err, test.want)
					case rival && test.guard != eip.GuardLease && (!errors.Is(err, eip.ErrConflict) || w.owner(t) != w.eni[2]):
						t.Errorf("result %+v, error %v: the rival has lost the address", res, err)
					}
				})
			}
		})
	}
}

func TestReportOfAnAddressThatIsThereAsksForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		req := w.request(0)
		req.Expect = eip.Expect{}
		report, err := r.Ready(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := r.Remap(t.Context(), report.Request); err != nil || res.Changed || res.Calls != (eip.Calls{Describe: 1}) {
			t.Errorf("result %+v, error %v", res, err)
		}
	})
}
