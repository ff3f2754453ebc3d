package eip_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

func TestVerifyTellsWhatReadsTell(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		want  func(*eip.Association) // what is asked for, from the first association
		do    func(*testing.T, *world)
		is    eip.Status
		owner int           // interface, -1 for nobody
		took  time.Duration // at least; and at most 3 s more
	}{
		{"held", nil, nil, eip.StatusHeld, 0, 0},
		{"held, by the ID alone", func(a *eip.Association) { *a = eip.Association{ID: a.ID} }, nil, eip.StatusHeld, 0, 0},
		{"stolen", nil, func(t *testing.T, w *world) { w.associate(t, w.allocation, w.eni[2]) }, eip.StatusStolen, 2, 5 * time.Second},
		{"stolen, by the ID alone", func(a *eip.Association) { *a = eip.Association{ID: a.ID} }, func(t *testing.T, w *world) {
			w.associate(t, w.allocation, w.eni[2])
		}, eip.StatusStolen, 2, 5 * time.Second},
		{"given to the same interface by somebody else", nil, func(t *testing.T, w *world) {
			w.associate(t, w.allocation, w.eni[2])
			w.associate(t, w.allocation, w.eni[0])
		}, eip.StatusHeld, 0, 5 * time.Second},
		{"free", nil, func(t *testing.T, w *world) {
			if _, err := w.client.DisassociateAddress(t.Context(), &ec2.DisassociateAddressInput{AssociationId: &w.first.ID}); err != nil {
				t.Fatal(err)
			}
		}, eip.StatusFree, -1, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				if test.do != nil {
					test.do(t, w)
				}
				want := w.first
				if test.want != nil {
					test.want(&want)
				}
				start, before := time.Now(), w.calls()
				got, err := newRemapper(t, w.client).Verify(t.Context(), w.allocation, want)
				if err != nil {
					t.Fatal(err)
				}
				owner := ""
				if test.owner >= 0 {
					owner = w.eni[test.owner]
				}
				if got.Status != test.is || got.Owner.NetworkInterfaceID != owner || !got.PublicIP.IsValid() {
					t.Errorf("%+v, want %s, of %s", got, test.is, owner)
				}
				if took := time.Since(start); took < test.took || took > test.took+3*time.Second {
					t.Errorf("took %v, want %v", took, test.took)
				}
				if calls := w.calls(); calls.Associate+calls.Disassociate != before.Associate+before.Disassociate {
					t.Errorf("it changed something: %+v", calls)
				}
			})
		})
	}
}

func TestVerifyThatCannotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Deny())
		got, err := newRemapper(t, w.client).Verify(t.Context(), w.allocation, w.first)
		if got.Status != eip.StatusLagging {
			t.Errorf("%+v", got)
		}
		failure(t, err, eip.ErrDenied)
	})
}

func TestVerifyWithoutIDsIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		_, err := newRemapper(t, w.client).Verify(t.Context(), "eip-1", eip.Association{NetworkInterfaceID: w.eni[0]})
		want := `eip: allocationID: "eip-1" must be eipalloc- and hexadecimal digits` + "\n" +
			`eip: want.ID: "" must be eipassoc- and hexadecimal digits`
		if field := (*eip.FieldError)(nil); !errors.As(err, &field) || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if calls := w.calls(); calls != (eip.Calls{}) {
			t.Errorf("calls %+v", calls)
		}
	})
}

// Somebody ends the association without making another. That is no theft, and waiting on does not bring it back.
func TestAssociationThatWasEndedIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.After(func(ctx context.Context, _ awstest.Record) {
			out, err := w.client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{w.allocation}})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := w.client.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: out.Addresses[0].AssociationId}); err != nil {
				t.Error(err)
			}
		}))
		r := newRemapper(t, w.client)
		res, err := r.Remap(t.Context(), w.request(1))
		if e := failure(t, err, eip.ErrEnded); e.Op != eip.OpVerify || e.Owner != (eip.Association{}) {
			t.Errorf("error %v", err)
		}
		if res.After != (eip.Association{}) || res.Next != (eip.Expect{}) || w.owner(t) != "" {
			t.Errorf("result %+v", res)
		}
		again := w.request(1)
		again.Expect = res.Next
		if res, err = r.Remap(t.Context(), again); err != nil || !res.Changed || w.owner(t) != w.eni[1] {
			t.Errorf("the next time: %+v, %v", res, err)
		}
	})
}

// An ID that the caller mixed up would end the association of another address.
func TestAssociationOfAnotherAddressIsNotEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		other := w.allocate(t)
		theirs, err := r.Remap(t.Context(), eip.Request{AllocationID: other, Target: eip.Target{NetworkInterfaceID: w.eni[2]}, Guard: eip.GuardFree})
		if err != nil {
			t.Fatal(err)
		}
		w.start = w.counts()
		req := w.request(1)
		req.Expect.Association = theirs.After
		_, err = r.Remap(t.Context(), req)
		if field := (*eip.FieldError)(nil); !errors.As(err, &field) || field.Field != "Request.Expect.Association.ID" {
			t.Errorf("error %v", err)
		}
		if calls := w.calls(); calls != (eip.Calls{}) {
			t.Errorf("calls %+v", calls)
		}
	})
}
