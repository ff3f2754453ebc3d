package eip_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

// What Choose named before a look at which it could not tell does not count.
func TestHoldDoesNotFollowAChoiceWithDoubtsInBetween(t *testing.T) {
	t.Parallel()
	for name, unsure := range map[string]error{"error": errors.New("no quorum"), "nobody": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, looks := settled(t), 0
				k := w.hold(t, func(r *eip.HoldRequest) {
					r.Choose = func(context.Context) (eip.Target, error) {
						if looks++; looks%2 == 0 {
							return eip.Target{}, unsure
						}
						return eip.Target{NetworkInterfaceID: w.eni[1]}, nil
					}
				})
				time.Sleep(10 * time.Minute)
				k.stop()
				if calls := w.calls(); calls.Associate+calls.Disassociate != 0 {
					t.Errorf("calls %+v", calls)
				}
			})
		})
	}
}

// A read of where the address was before the last move is no drift, and no proof that it is back there.
func TestHoldIsNotMisledByAReadOfThePast(t *testing.T) {
	t.Parallel()
	for back, kind := range map[int]eip.Kind{1: eip.KindDrifted, 0: eip.KindHeld} { // to the interface that Choose names then
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			k := w.hold(t, nil)
			time.Sleep(time.Minute)
			k.choose(1, 20*time.Second)
			time.Sleep(time.Second)
			before := k.count(kind)
			heal := w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(40*time.Second))
			k.name(eip.Target{NetworkInterfaceID: w.eni[back]}, nil)
			time.Sleep(25 * time.Second)
			if k.count(kind) != before || k.count(eip.KindLagging) < 4 {
				t.Errorf("events %v", k.seen())
			}
			heal()
			k.stop()
		})
	}
}

func TestHoldOutlivesReadsThatDoNotKnowTheAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, nil)
		for range 5 {
			time.Sleep(time.Minute)
			w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Reject(awstest.APIError{Code: "InvalidAllocationID.NotFound", Message: "no such address"}))
		}
		time.Sleep(time.Minute)
		err := k.stop()
		if failure(t, err, errEnough); k.count(eip.KindFailed) != 5 {
			t.Errorf("error %v after %v", err, k.seen())
		}
	})
}

func TestHoldRefusesAnAddressThatAServiceManages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		must(t, ec2svc.ManageAddress(w.cloud, "us-east-1", w.allocation, types.ServiceManagedAlb))
		k := w.hold(t, func(r *eip.HoldRequest) { r.Stable = eip.Immediately })
		k.name(eip.Target{NetworkInterfaceID: w.eni[1]}, nil)
		time.Sleep(time.Minute)
		err := k.stop()
		if field := (*eip.FieldError)(nil); !errors.As(err, &field) || field.Field != "HoldRequest.AllocationID" {
			t.Errorf("error %v", err)
		}
		if calls := w.calls(); calls.Associate+calls.Disassociate != 0 {
			t.Errorf("calls %+v", calls)
		}
	})
}

func TestChoiceThatTakesTooLongIsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, func(r *eip.HoldRequest) {
			r.Choose = func(ctx context.Context) (eip.Target, error) {
				<-ctx.Done()
				return eip.Target{NetworkInterfaceID: w.eni[1]}, ctx.Err()
			}
		})
		time.Sleep(time.Minute) // CallTimeout is 10 s, and the looks are 5 s apart
		if got := k.count(eip.KindUndecided); got < 3 || got > 5 {
			t.Errorf("undecided %d times in a minute", got)
		}
		k.stop()
	})
}

// What counts as a move is that the owner has lost the address to this Hold, though somebody else got it then.
func TestHoldIsDampedByTheMovesThatItBegan(t *testing.T) {
	t.Parallel()
	notFound := awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound", Message: "no such association"})
	for name, ours := range map[string]bool{"owner lost it to us": true, "owner lost it to the rival": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				k := w.hold(t, nil)
				time.Sleep(time.Minute)
				var lost time.Time
				rival := func(context.Context, awstest.Record) {
					w.associate(t, w.allocation, w.eni[2])
					lost = time.Now()
				}
				if ours {
					w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.After(rival))
				} else {
					w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.Before(rival))
					w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, notFound)
				}
				k.choose(1, 5*time.Minute)
				k.stop()
				if took := time.Since(lost); ours && took < 50*time.Second || !ours && took > 20*time.Second {
					t.Errorf("tried again after %v", took)
				}
			})
		})
	}
}
