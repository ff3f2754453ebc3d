package eip_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// A throttled try has ended nothing, so that the NotFound after it is as much of a lag as it is in
// TestAssociationNotKnownYetIsNotTakenForEnded.
func TestThrottledTryHasEndedNothing(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]awstest.Effect{"throttled": awstest.Throttle(), "none": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				skip := 0
				if name == "throttled" {
					w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, first)
					skip = 1
				}
				w.inject(t, "DisassociateAddress", awstest.Match{Skip: skip, Times: 1}, awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound", Message: "The association ID '" + w.first.ID + "' does not exist"}))
				r := newRemapper(t, w.client)
				res, err := r.Remap(t.Context(), w.request(1))
				if err != nil {
					t.Errorf("%v; %+v", err, res)
				}
				time.Sleep(time.Hour)
				req := w.request(1)
				req.Expect = eip.Expect{}
				if _, err = r.Remap(t.Context(), req); err != nil {
					t.Errorf("an hour later: %v; %s holds the address", err, w.owner(t))
				}
			})
		})
	}
}

func TestHoldAfterThrottledTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.Throttle())
		w.inject(t, "DisassociateAddress", awstest.Match{Skip: 1, Times: 1}, awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound", Message: "The association ID '" + w.first.ID + "' does not exist"}))
		k := w.hold(t, nil)
		time.Sleep(time.Minute)
		k.name(eip.Target{NetworkInterfaceID: w.eni[1]}, nil)
		time.Sleep(20 * time.Minute)
		if w.owner(t) != w.eni[1] {
			t.Errorf("the address is still on %s", w.owner(t))
		}
		k.stop()
	})
}

// The caller has said from whom the address may be taken. The report must not widen that.
func TestReportRequestKeepsExpectation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.associate(t, w.allocation, w.eni[2])
		time.Sleep(time.Minute)
		r := newRemapper(t, w.client)
		req := w.request(1)
		req.Expect = eip.Expect{Association: eip.Association{NetworkInterfaceID: w.eni[0]}}
		report, err := r.Ready(t.Context(), req)
		if err != nil || !errors.Is(report.Err(), eip.ErrConflict) {
			t.Fatal(err, report.Err())
		}
		if report.Request.Expect.Association.NetworkInterfaceID != w.eni[0] {
			t.Errorf("expect %+v", report.Request.Expect)
		}
		_, err = r.Remap(t.Context(), report.Request)
		if !errors.Is(err, eip.ErrConflict) || w.owner(t) != w.eni[2] {
			t.Errorf("error %v: the owner nobody named has lost the address to %s", err, w.owner(t))
		}
	})
}

func TestCancelledWhileDoubtedIsNoConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.associate(t, w.allocation, w.eni[2])
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Second)) // below ReadLag
		req := w.request(1)
		req.Expect = eip.Expect{Association: eip.Association{NetworkInterfaceID: w.eni[2]}} // the truth
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := newRemapper(t, w.client).Remap(ctx, req)
		if errors.Is(err, eip.ErrConflict) {
			t.Errorf("a conflict that there is not: %v", err)
		}
	})
}

// EC2 has ended the association, and refuses the associate for its sake: that answer is out of date.
func TestRefusalThatNamesWhatWasEndedIsALag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Reject(awstest.APIError{
			Code: "Resource.AlreadyAssociated", Message: "resource " + w.allocation + " is already associated with associate-id " + w.first.ID,
		}))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if err != nil || w.owner(t) != w.eni[1] {
			t.Errorf("owner %q, error %v, %+v", w.owner(t), err, res.Calls)
		}
	})
}

// An instance and its only interface are one target.
func TestSameTargetByTwoNames(t *testing.T) {
	t.Parallel()
	for _, displace := range []bool{false, true} {
		for _, named := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 2)
				id, eni := f.running(t)
				time.Sleep(2 * time.Minute)
				f.reqs[0].Target = eip.Target{InstanceID: id}
				f.reqs[1].Target = eip.Target{NetworkInterfaceID: eni}
				f.reqs[0].Expect.Association.InstanceID = "i-0dead"
				reqs := f.reqs
				if !named {
					reqs = f.unnamed()
				}
				reqs[0].Displace, reqs[1].Displace = displace, displace
				outcomes, err := newRemapper(t, f.client).RemapAll(t.Context(), reqs)
				owners := f.owners(t)
				if err == nil {
					t.Error("no error")
				}
				for i, o := range outcomes {
					if owner := owners[reqs[i].AllocationID]; owner.ID == "" {
						t.Errorf("displace %t: address %d has lost its owner for nothing; its outcome says %v", displace, i, o.Err)
					}
				}
			})
		}
	}
}

// A failure that all moves would meet costs no more addresses their owners than may be in flight.
func TestFailureOfTheAssociationStopsTheOthers(t *testing.T) {
	t.Parallel()
	effects := map[string]awstest.Effect{
		"unavailable": awstest.Unavailable(), "throttled": awstest.Throttle(), "denied": awstest.Deny(), "disassociates without a word": awstest.LoseReply(),
	}
	for name, effect := range effects {
		operation := "AssociateAddress"
		if name == "disassociates without a word" {
			operation = "DisassociateAddress"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := settledFleet(t, 50)
				heal := f.inject(t, operation, awstest.Match{}, effect)
				outcomes, _ := newRemapper(t, f.client).RemapAll(t.Context(), f.reqs)
				heal()
				owners, free, halted := f.owners(t), 0, 0
				for _, o := range outcomes {
					if owners[o.AllocationID].ID == "" {
						free++
					}
					if errors.Is(o.Err, eip.ErrHalted) {
						halted++
						if e := failure(t, o.Err, eip.ErrHalted); e.Err == nil || o.Calls != (eip.Calls{}) || errors.Is(e, eip.ErrDenied) != (name == "denied") {
							t.Errorf("%v after %+v", o.Err, o.Calls)
						}
					}
				}
				if free != 10 || halted != 40 {
					t.Errorf("%d addresses are free and %d were not touched, of 50; want 10 and 40", free, halted)
				}
			})
		})
	}
}

// The call that was under way is the best hint at why there was no time.
func TestReadyThatIsCutOffSaysInWhat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Unavailable())
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		report, err := newRemapper(t, w.client).Ready(ctx, w.request(1))
		e := failure(t, err, context.DeadlineExceeded)
		var call *smithy.OperationError
		if !errors.As(e, &call) || call.Operation() != "DescribeAddresses" || len(report.Checks) != 0 {
			t.Errorf("error %v, checks %v", err, report.Checks)
		}
	})
}

// The address was released, and reads do not show it. To go on takes it from nobody who has come since.
func TestGoingOnAfterAStaleFirstReadOfAReleasedAddressRobsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		at, err := r.Remap(t.Context(), w.request(1))
		must(t, err)
		must(t, r.Release(t.Context(), at.After))
		heal := w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Minute))
		req := w.request(0)
		req.Expect = eip.Expect{}
		res, err := r.Remap(t.Context(), req)
		failure(t, err, eip.ErrUnverified)
		heal()
		w.associate(t, w.allocation, w.eni[2]) // it was free
		time.Sleep(5 * time.Minute)
		req.Expect = res.Next
		again, err := r.Remap(t.Context(), req)
		if !errors.Is(err, eip.ErrConflict) || w.owner(t) != w.eni[2] {
			t.Errorf("Next %+v; resumed: %+v, %v", res.Next, again, err)
		}
	})
}

// Two answers say that the association has ended, and EC2's refusal that it has not. The refusal is believed, now and later.
func TestWhatEC2NamesAsTheHolderHasNotEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.Unavailable())
		heal := w.inject(t, "DisassociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: "InvalidAssociationID.NotFound"}))
		r := newRemapper(t, w.client)
		_, err := r.Remap(t.Context(), w.request(1))
		if e := failure(t, err, eip.ErrConflict); e.Owner.ID != w.first.ID || e.Owner.NetworkInterfaceID != w.eni[0] {
			t.Errorf("error %v", err)
		}
		heal()
		req := w.request(1)
		req.Expect = eip.Expect{}
		if res, err := r.Remap(t.Context(), req); err != nil || res.Took > time.Second || w.owner(t) != w.eni[1] {
			t.Errorf("later: %+v, %v", res, err)
		}
	})
}
