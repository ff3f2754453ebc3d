package eip_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// An association that is known to be of one address is not ended for another one.
func TestWhoseAnAssociationIsIsKnownFromEC2Alone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		learn func(*testing.T, *world, *eip.Remapper) eip.Association
	}{
		{"made, and never read", func(t *testing.T, w *world, r *eip.Remapper) eip.Association {
			heal := w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Unavailable())
			defer heal()
			res, err := r.Remap(t.Context(), w.request(1))
			failure(t, err, eip.ErrUnverified)
			return res.After
		}},
		{"named by the caller, and returned by EC2", func(t *testing.T, w *world, r *eip.Remapper) eip.Association {
			held := w.associate(t, w.allocation, w.eni[1])
			w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Stale(20*time.Second))
			heal := w.inject(t, "DescribeAddresses", awstest.Match{Skip: 1}, awstest.Unavailable())
			defer heal()
			req := w.underLease(1, &lease{})
			req.Expect.Association = eip.Association{ID: held.ID}
			res, err := r.Remap(t.Context(), req)
			if failure(t, err, eip.ErrUnverified); res.After.ID != held.ID || res.Changed {
				t.Fatalf("result %+v, want %s as it was", res, held.ID)
			}
			return held
		}},
		{"named by the caller, and read later", func(t *testing.T, w *world, r *eip.Remapper) eip.Association {
			w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Stale(20*time.Second))
			_, err := r.Remap(t.Context(), w.request(1))
			must(t, err)
			return w.first
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				r := newRemapper(t, w.client)
				known := test.learn(t, w, r)
				mixedUp := eip.Request{
					AllocationID: w.allocate(t), Target: eip.Target{NetworkInterfaceID: w.eni[2]}, Expect: eip.Expect{Association: known},
				}
				before := w.calls()
				_, err := r.Remap(t.Context(), mixedUp)
				if field := (*eip.FieldError)(nil); !errors.As(err, &field) || field.Field != "Request.Expect.Association.ID" {
					t.Errorf("error %v", err)
				}
				if calls := w.calls(); calls != before {
					t.Errorf("calls %+v, want %+v as before", calls, before)
				}
			})
		})
	}
}

// Reads show nothing but the past for all of RetryTimeout. To go on is to expect whom reads have shown last.
func TestNextAfterStaleReadsIsTheLatestOwner(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		then func(t *testing.T, w *world, r *eip.Remapper, made eip.Association) (latest eip.Association)
	}{
		{"not what a caller has mixed up", func(t *testing.T, w *world, r *eip.Remapper, made eip.Association) eip.Association {
			w.inject(t, "AssociateAddress", awstest.Match{Resource: w.allocation, Times: 1}, awstest.Deny())
			req := w.underLease(0, &lease{})
			req.Expect.Association = w.associate(t, w.allocate(t), w.eni[2]) // of another address
			_, err := r.Remap(t.Context(), req)
			failure(t, err, eip.ErrDenied)
			return made
		}},
		{"not the first of two thieves", func(t *testing.T, w *world, r *eip.Remapper, made eip.Association) (thief eip.Association) {
			for range 2 {
				thief = w.associate(t, w.allocation, w.createInterface(t))
				if got, err := r.Verify(t.Context(), w.allocation, made); err != nil || got.Owner.ID != thief.ID {
					t.Fatalf("%+v, %v", got, err)
				}
			}
			return thief
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				r := newRemapper(t, w.client)
				res, err := r.Remap(t.Context(), w.request(1))
				must(t, err)
				latest := test.then(t, w, r, res.After)
				w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Minute))
				req := w.request(0)
				req.Expect = eip.Expect{}
				res, err = r.Remap(t.Context(), req)
				failure(t, err, eip.ErrUnverified)
				if want := (eip.Association{ID: latest.ID}); res.Next.Association != want {
					t.Errorf("Next %+v, want %+v", res.Next, want)
				}
			})
		})
	}
}

// EC2 does not know an association, and nothing comes of the move: it has not ended, and reads of it are no past.
func TestAssociationThatEC2DidNotKnowHasNotEnded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		effect awstest.Effect // on the associate
		kind   error
	}{
		{"refused because of it", awstest.Delay(time.Millisecond), eip.ErrConflict},
		{"denied", awstest.Deny(), eip.ErrDenied},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				r := newRemapper(t, w.client)
				heal := w.inject(t, "DisassociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound", Message: "no such association"}))
				w.inject(t, "AssociateAddress", awstest.Match{}, test.effect)
				_, err := r.Remap(t.Context(), w.request(1))
				failure(t, err, test.kind)
				heal()
				req := w.request(0) // where it is
				req.Expect = eip.Expect{}
				if res, err := r.Remap(t.Context(), req); err != nil || res.Changed || res.Calls != (eip.Calls{Describe: 1}) {
					t.Errorf("result %+v, error %v", res, err)
				}
			})
		})
	}
}
