package eip_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/eip/eipmock"
)

func TestLaggingReadsAreWaitedOut(t *testing.T) {
	t.Parallel()
	const lag = 30 * time.Second
	for name, expected := range map[string]bool{"owner expected": true, "nothing expected": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t, func(o *awstest.Options) { o.VisibilityLag = lag })
				req := w.request(1)
				if !expected {
					req.Expect = eip.Expect{}
				}
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if got := w.calls(); got.Associate != 1 || got.Disassociate != 1 {
					t.Errorf("calls %+v, want one of each mutation", got)
				}
				if res.Took < lag || res.Took > lag+3*time.Second || res.Calls.Describe > 30 {
					t.Errorf("took %v and %d reads", res.Took, res.Calls.Describe)
				}
			})
		})
	}
}

// Failover, failover, failback within the lag: what reads show of earlier moves is not taken for a theft, nor for the
// address being on the target still.
func TestHistoryWithinTheLagIsNoTheft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		expect := eip.Expect{Association: w.first}
		for _, i := range []int{1, 2, 0} {
			req := w.request(i)
			req.Expect = expect
			res, err := r.Remap(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			expect.Association = res.After
		}
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(45*time.Second))
		req := w.request(1)
		req.Expect = expect
		if _, err := r.Remap(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		req = w.request(0) // which a read still shows to hold the address
		req.Expect = eip.Expect{}
		if res, err := r.Remap(t.Context(), req); err != nil || !res.Changed {
			t.Fatalf("failback: changed %t, error %v", res.Changed, err)
		}
		if owner := w.owner(t); owner != w.eni[0] {
			t.Errorf("%s holds the address", owner)
		}
	})
}

// A control loop that reads for hours remembers what it saw at the beginning.
func TestWhatWasReadIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		reconcile := func(target int, expect eip.Association) eip.Association {
			req := w.request(target)
			req.Expect = eip.Expect{Association: expect}
			res, err := r.Remap(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			return res.After
		}
		reconcile(0, eip.Association{}) // it is there
		theirs := w.associate(t, w.allocation, w.eni[2])
		ours := reconcile(1, theirs)
		for range 300 {
			reconcile(1, eip.Association{})
		}
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(50*time.Second))
		reconcile(2, ours) // while reads show the very first owner
	})
}

// A failback right after the failover: a read still shows the address where it is to go.
func TestTargetThatHasLostTheAddressIsNotTakenForItsOwner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		if _, err := r.Remap(t.Context(), w.request(1)); err != nil {
			t.Fatal(err)
		}
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(20*time.Second))
		req := w.request(0)
		req.Expect = eip.Expect{}
		if res, err := r.Remap(t.Context(), req); err != nil || !res.Changed {
			t.Errorf("result %+v, error %v", res, err)
		}
		if owner := w.owner(t); owner != w.eni[0] {
			t.Errorf("%s holds the address", owner)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		r := newRemapper(t, w.client)
		if _, err := r.Remap(t.Context(), w.request(1)); err != nil {
			t.Fatal(err)
		}
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(2*time.Minute))
		req := w.request(0)
		req.Expect = eip.Expect{}
		res, err := r.Remap(t.Context(), req)
		if e := failure(t, err, eip.ErrUnverified); e.Op != eip.OpRead || res.Calls.Associate != 0 {
			t.Errorf("reads never tell: %v after %+v", err, res.Calls)
		}
	})
}

// Replicas that disagree prove nothing, however long they do.
func TestReadsThatDisagreeAreNotBelieved(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		lost  bool      // the reply of the associate
		reads [2]string // taking turns for 20 s
	}{
		{"nobody and the past", true, [2]string{"", "eipassoc-1"}},
		{"two strangers", false, [2]string{"eipassoc-8", "eipassoc-9"}},
		{"a stranger and the past", false, [2]string{"eipassoc-8", "eipassoc-1"}},
		{"a stranger and nobody", false, [2]string{"eipassoc-8", ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start, turn := time.Now(), 0
				show := func(association, eni string) *ec2.DescribeAddressesOutput {
					return &ec2.DescribeAddressesOutput{Addresses: []types.Address{{AllocationId: aws.String("eipalloc-1"), AssociationId: &association, NetworkInterfaceId: &eni}}}
				}
				api := &eipmock.APIMock{
					DisassociateAddressFunc: func(context.Context, *ec2.DisassociateAddressInput, ...func(*ec2.Options)) (*ec2.DisassociateAddressOutput, error) {
						return &ec2.DisassociateAddressOutput{}, nil
					},
					AssociateAddressFunc: func(context.Context, *ec2.AssociateAddressInput, ...func(*ec2.Options)) (*ec2.AssociateAddressOutput, error) {
						if test.lost {
							return nil, &smithyhttp.RequestSendError{Err: syscall.ECONNRESET}
						}
						return &ec2.AssociateAddressOutput{AssociationId: aws.String("eipassoc-2")}, nil
					},
					DescribeAddressesFunc: func(context.Context, *ec2.DescribeAddressesInput, ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error) {
						if time.Since(start) > 20*time.Second {
							return show("eipassoc-2", "eni-2"), nil
						}
						turn++
						return show(test.reads[turn%2], "eni-9"), nil
					},
				}
				res, err := newRemapper(t, api).Remap(t.Context(), eip.Request{
					AllocationID: "eipalloc-1", Target: eip.Target{NetworkInterfaceID: "eni-2"},
					Expect: eip.Expect{Association: eip.Association{ID: "eipassoc-1", NetworkInterfaceID: "eni-1"}},
				})
				if err != nil {
					t.Fatal(err)
				}
				if res.After.ID != "eipassoc-2" || len(api.AssociateAddressCalls()) != 1 {
					t.Errorf("result %+v after %d associates", res, len(api.AssociateAddressCalls()))
				}
			})
		})
	}
}

func TestUnverifiedIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(90*time.Second))
		r := newRemapper(t, w.client)
		res, err := r.Remap(t.Context(), w.request(1))
		if e := failure(t, err, eip.ErrUnverified); e.Op != eip.OpVerify || e.Cause != nil || e.Err != nil {
			t.Errorf("error %+v", e)
		}
		if res.After.ID == "" || !res.Changed || res.Took != time.Minute+3*time.Millisecond {
			t.Errorf("result %+v", res)
		}
		req := w.request(1)
		req.Expect = eip.Expect{Association: res.After}
		again, err := r.Remap(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if again.After.ID != res.After.ID || again.Changed {
			t.Errorf("taken up as %+v, left as %+v", again, res)
		}
		if got := w.calls(); got.Associate != 1 || got.Disassociate != 1 {
			t.Errorf("calls %+v, want one of each mutation", got)
		}
	})
}

func TestLostReplyIsSettledByReading(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{0, 30 * time.Second} {
		for _, operation := range []string{"DescribeAddresses", "DisassociateAddress", "AssociateAddress"} {
			t.Run(operation, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := settled(t, func(o *awstest.Options) { o.VisibilityLag = lag })
					w.inject(t, operation, awstest.Match{Times: 1}, awstest.LoseReply())
					res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
					if err != nil {
						t.Fatal(err)
					}
					if !res.Changed || res.After.NetworkInterfaceID != w.eni[1] {
						t.Errorf("result %+v", res)
					}
					if got := w.calls(); got.Associate != 1 || got.Disassociate > 2 {
						t.Errorf("calls %+v", got)
					}
					if owner := w.owner(t); owner != w.eni[1] {
						t.Errorf("%s holds the address", owner)
					}
				})
			})
		}
	}
}

func TestEveryReplyOfAssociateIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{}, awstest.LoseReply())
		if _, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1)); err != nil {
			t.Fatal(err)
		}
		if got := w.calls().Associate; got != 1 {
			t.Errorf("%d associates, want 1: the SDK must not repeat it either", got)
		}
	})
}

func TestErrorAfterTheEffectIsSettledByReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Status: 500}))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if err != nil {
			t.Fatal(err)
		}
		// Without the ID even a read that shows the target has to be agreed with for ReadLag.
		if want := (eip.Calls{Describe: res.Calls.Describe, Disassociate: 1, Associate: 1}); res.Calls != want || res.Took < 5*time.Second {
			t.Errorf("calls %+v in %v, want %+v", res.Calls, res.Took, want)
		}
	})
}

func TestAssociateThatWasNotAppliedIsRepeatedOnceReadsAgree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Reject(awstest.APIError{Code: "InternalError", Status: 500}))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if err != nil {
			t.Fatal(err)
		}
		if res.Calls.Associate != 2 || res.Took < 5*time.Second || res.Took > 8*time.Second {
			t.Errorf("%d associates in %v, want a second one after the read lag of 5 s", res.Calls.Associate, res.Took)
		}
	})
}

func TestAssociateThatIsNeverAppliedEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Unavailable())
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		var e *eip.RemapError
		if !errors.As(err, &e) || e.Op != eip.OpAssociate || e.Kind != nil || e.RequestID == "" {
			t.Errorf("error %v, want that of EC2, since reads tell that nothing was done", err)
		}
		if res.Changed || res.Took > 75*time.Second {
			t.Errorf("result %+v", res)
		}
	})
}

// The association was applied, its reply lost, and a rival took the address before anybody read it.
func TestLostReplyThenTakenIsAConflict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.LoseReply())
		w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Before(func(context.Context, awstest.Record) {
			w.associate(t, w.allocation, w.eni[2])
		}))
		_, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if e := failure(t, err, eip.ErrConflict); e.Owner.NetworkInterfaceID != w.eni[2] {
			t.Errorf("owner %v, want %s", e.Owner, w.eni[2])
		}
		if owner := w.owner(t); owner != w.eni[2] {
			t.Errorf("%s holds the address: it was fought for", owner)
		}
	})
}

func TestTheftDuringVerificationIsReportedAndNotFought(t *testing.T) {
	t.Parallel()
	for _, lag := range []time.Duration{0, 20 * time.Second} {
		for tries, told := 1, false; !told; tries++ {
			if tries > 10 {
				t.Fatal("reads have always shown the association, which lasted for milliseconds")
			}
			synctest.Test(t, func(t *testing.T) { told = theftDuringVerification(t, lag) })
		}
	}
}

// theftDuringVerification returns false if a read that was behind has shown the moment between the association and the theft: then there was
// nothing to tell.
func theftDuringVerification(t *testing.T, lag time.Duration) bool {
	t.Helper()
	w := settled(t, func(o *awstest.Options) { o.VisibilityLag = lag })
	w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Before(func(context.Context, awstest.Record) {
		w.associate(t, w.allocation, w.eni[2])
	}))
	res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
	if err == nil && lag > 0 && res.After.NetworkInterfaceID == w.eni[1] {
		return false
	}
	e := failure(t, err, eip.ErrStolen)
	if errors.Is(err, eip.ErrConflict) || e.Owner.NetworkInterfaceID != w.eni[2] || e.Op != eip.OpVerify {
		t.Errorf("error %v", err)
	}
	if !res.Changed || res.After != (eip.Association{}) || res.Calls.Associate != 1 {
		t.Errorf("result %+v", res)
	}
	if res.Took > lag+10*time.Second {
		t.Errorf("told after %v", res.Took)
	}
	if owner := w.owner(t); owner != w.eni[2] {
		t.Errorf("%s holds the address: it was fought for", owner)
	}
	return true
}

func TestTakenByAnotherToTheSameTargetIsSuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		var theirs eip.Association
		w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Before(func(context.Context, awstest.Record) {
			w.associate(t, w.allocation, w.eni[2])
			theirs = w.associate(t, w.allocation, w.eni[1])
		}))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		if err != nil {
			t.Fatal(err)
		}
		if res.After.ID != theirs.ID {
			t.Errorf("held by %v, want %v", res.After, theirs)
		}
	})
}

// A process that dies after any call leaves what the next run completes.
func TestNextRunFinishesAfterACrash(t *testing.T) {
	t.Parallel()
	died := errors.New("died")
	tests := []struct {
		operation string
		op        eip.Op
		unsure    bool // whether the address was associated
	}{
		{"DisassociateAddress", eip.OpDisassociate, false},
		{"AssociateAddress", eip.OpVerify, true},
		{"DescribeAddresses", eip.OpVerify, true},
	}
	expectations := map[string]func(w *world) eip.Expect{
		"same request":     func(w *world) eip.Expect { return eip.Expect{Association: w.first} },
		"nothing expected": func(*world) eip.Expect { return eip.Expect{} },
	}
	for _, test := range tests {
		for name, expect := range expectations {
			t.Run(test.operation+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := settled(t)
					ctx, die := context.WithCancelCause(t.Context())
					w.inject(t, test.operation, awstest.Match{Times: 1}, awstest.After(func(context.Context, awstest.Record) { die(died) }))
					_, err := newRemapper(t, w.client).Remap(ctx, w.request(1))
					e := failure(t, err, died)
					if e.Op != test.op || errors.Is(err, eip.ErrUnverified) != test.unsure {
						t.Errorf("error %v, want step %s, unverified %t", err, test.op, test.unsure)
					}

					req := w.request(1)
					req.Expect = expect(w)
					res, err := newRemapper(t, w.client).Remap(t.Context(), req)
					if err != nil {
						t.Fatal(err)
					}
					if owner := w.owner(t); owner != w.eni[1] || res.After.NetworkInterfaceID != owner {
						t.Errorf("%s holds the address, reported is %v", owner, res.After)
					}
				})
			})
		}
	}
}

func TestEndBetweenTheCallsLeavesNoDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		died := errors.New("died")
		ctx, die := context.WithCancelCause(t.Context())
		r := newRemapper(t, w.client, func(o *eip.Options) {
			o.OnEvent = func(_ context.Context, e eip.Event) {
				if e.Kind == eip.KindDisassociated {
					die(died)
				}
			}
		})
		res, err := r.Remap(ctx, w.request(1))
		if e := failure(t, err, died); e.Op != eip.OpAssociate || e.Kind != nil || res.Changed {
			t.Errorf("error %v, changed %t: it is certain that nothing was associated", err, res.Changed)
		}
		if got := w.calls(); got.Associate != 0 {
			t.Errorf("calls %+v", got)
		}
	})
}

func TestThrottlesAreRetriedWithinLimits(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"DescribeAddresses", "DisassociateAddress", "AssociateAddress"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				w.inject(t, operation, awstest.Match{Times: 4}, awstest.Throttle())
				req := w.request(1)
				req.Expect = eip.Expect{}
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if owner := w.owner(t); owner != w.eni[1] {
					t.Errorf("%s holds the address", owner)
				}
				if res.Took > 30*time.Second {
					t.Errorf("took %v", res.Took)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				w.inject(t, operation, awstest.Match{}, awstest.Throttle())
				req := w.request(1)
				req.Expect = eip.Expect{}
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				var e *eip.RemapError
				if !errors.As(err, &e) || e.Kind != nil || e.RequestID == "" {
					t.Errorf("error %v, want the throttle as it is", err)
				}
				if res.Took < time.Minute || res.Took > time.Minute+10*time.Second {
					t.Errorf("gave up after %v, want RetryTimeout and one try", res.Took)
				}
			})
		})
	}
}

// A request that never left this machine has had no effect.
func TestUnsentAssociateIsRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		res, err := newRemapper(t, &unreachable{API: w.client, times: 3}).Remap(t.Context(), w.request(1))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.calls().Associate; got != 1 || res.Calls.Associate != 4 || res.Took > 3*time.Second {
			t.Errorf("%d associates arrived of %d in %v", got, res.Calls.Associate, res.Took)
		}
	})
}

type unreachable struct {
	eip.API
	times int
}

func (u *unreachable) AssociateAddress(ctx context.Context, params *ec2.AssociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.AssociateAddressOutput, error) {
	if u.times > 0 {
		u.times--
		return nil, &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
	}
	return u.API.AssociateAddress(ctx, params, optFns...)
}

func TestNewInterfaceMayTakeAMomentToBeKnown(t *testing.T) {
	t.Parallel()
	notFound := awstest.Reject(awstest.APIError{Code: "InvalidNetworkInterfaceID.NotFound", Message: "no such interface"})
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 3}, notFound)
		if _, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1)); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{}, notFound)
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.request(1))
		failure(t, err, eip.ErrTargetGone)
		if res.Took < 5*time.Second || res.Took > 8*time.Second {
			t.Errorf("gave up after %v, want about the read lag of 5 s", res.Took)
		}
	})
}
