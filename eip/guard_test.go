package eip_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// lease is a fence that its test ends.
type lease struct {
	mu    sync.Mutex
	lost  error
	asked int
}

var errLeaseLost = errors.New("the lease is lost")

func (l *lease) Token() uint64 { return 7 }

func (l *lease) Valid() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	return l.lost
}

func (l *lease) lose(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = err
}

// underLease moves the address from the first interface to interface i in one call.
func (w *world) underLease(i int, l *lease) eip.Request {
	req := w.request(i)
	req.Guard, req.Fence, req.Displace = eip.GuardLease, l, true
	return req
}

func TestLeaseTakesOneCall(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		adjust func(*eip.Request)
		want   eip.Calls
	}{
		{"owner named, displacing allowed", func(*eip.Request) {}, eip.Calls{Associate: 1, Describe: 1}},
		{"owner named", func(r *eip.Request) { r.Displace = false }, eip.Calls{Associate: 1, Describe: 1, Inspect: 1}},
		{"owner not named", func(r *eip.Request) { r.Displace, r.Expect = false, eip.Expect{} }, eip.Calls{Associate: 1, Describe: 2, Inspect: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, l := settled(t), &lease{}
				req := w.underLease(1, l)
				test.adjust(&req)
				res, err := newRemapper(t, w.client).Remap(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if res.Calls != test.want || w.calls() != test.want {
					t.Errorf("calls %+v, counted %+v, want %+v", w.calls(), res.Calls, test.want)
				}
				if l.asked != 1 {
					t.Errorf("the fence was asked %d times, want once", l.asked)
				}
				if !res.Changed || res.Before.ID != w.first.ID || w.owner(t) != w.eni[1] {
					t.Errorf("result %+v", res)
				}
			})
		})
	}
}

// Whoever holds the address, and whatever was expected: the lease decides.
func TestLeaseTakesFromAnybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.associate(t, w.allocation, w.eni[2])
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.underLease(1, &lease{}))
		if err != nil || w.owner(t) != w.eni[1] {
			t.Errorf("result %+v, error %v", res, err)
		}
	})
}

func TestAlreadyThereUnderALeaseChangesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, l := settled(t), &lease{}
		req := w.underLease(0, l)
		req.Expect = eip.Expect{}
		for range 100 {
			if res, err := newRemapper(t, w.client).Remap(t.Context(), req); err != nil || res.Changed || res.Calls != (eip.Calls{Describe: 1}) {
				t.Fatalf("result %+v, error %v", res, err)
			}
		}
	})
}

// The fence is asked right before every call that changes anything, retries included, under every guard.
func TestNothingIsSentOnceTheFenceIsNotValid(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		guard  eip.Guard
		lose   string // the operation after which the lease is lost; empty for at once
		reject string // the operation that is throttled then
		sent   eip.Calls
	}{
		{"strict, at once", eip.GuardStrict, "", "", eip.Calls{}},
		{"strict, between the two calls", eip.GuardStrict, "DisassociateAddress", "", eip.Calls{Disassociate: 1}},
		{"strict, before the repetition of the first", eip.GuardStrict, "DisassociateAddress", "DisassociateAddress", eip.Calls{Disassociate: 1}},
		{"strict, before the repetition of the second", eip.GuardStrict, "AssociateAddress", "AssociateAddress", eip.Calls{Disassociate: 1, Associate: 1}},
		{"lease, at once", eip.GuardLease, "", "", eip.Calls{}},
		{"lease, before the repetition", eip.GuardLease, "AssociateAddress", "AssociateAddress", eip.Calls{Associate: 1}},
		{"free, at once", eip.GuardFree, "", "", eip.Calls{}},
	}
	causes := map[string]error{"lost": errLeaseLost, "cancelled": context.Canceled} // not to be taken for a call without an answer
	for _, test := range tests {
		for cause, lost := range causes {
			t.Run(test.name+", "+cause, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w, l := settled(t), &lease{}
					req := w.underLease(1, l)
					req.Guard = test.guard
					if test.guard == eip.GuardFree {
						req.Expect, w.allocation = eip.Expect{}, w.allocate(t)
						req.AllocationID = w.allocation
						time.Sleep(time.Minute)
						w.start = w.counts()
					}
					if test.lose == "" {
						l.lose(lost)
					} else {
						hook := awstest.Before(func(context.Context, awstest.Record) { l.lose(lost) })
						w.inject(t, test.lose, awstest.Match{Times: 1}, hook)
					}
					if test.reject != "" {
						w.inject(t, test.reject, awstest.Match{}, awstest.Reject(awstest.APIError{Code: "RequestLimitExceeded", Message: "slow down"}))
					}
					client := ec2.NewFromConfig(w.cloud.Config("us-east-1"), func(o *ec2.Options) { o.RetryMaxAttempts = 1 })
					res, err := newRemapper(t, client).Remap(t.Context(), req)
					e := failure(t, err, eip.ErrFenced)
					if !errors.Is(e, lost) {
						t.Errorf("error %v does not say why", err)
					}
					got := w.calls()
					if got.Describe, got.Inspect = 0, 0; got != test.sent || res.Changed {
						t.Errorf("sent %+v, want %+v; result %+v", got, test.sent, res)
					}
					if res.Took > time.Minute {
						t.Errorf("took %v", res.Took)
					}
				})
			})
		}
	}
}

// A reply that is lost under a lease is settled by reading, too: what was not applied is that the former owner stays.
func TestLostReplyUnderALease(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		effect awstest.Effect
	}{
		{"applied", awstest.LoseReply()},
		{"not applied", awstest.Reject(awstest.APIError{Code: "InternalError", Status: 500})},
	}
	for _, test := range tests {
		for _, lag := range []time.Duration{0, 3 * time.Second} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w, l := settled(t), &lease{}
					w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, test.effect)
					if lag > 0 {
						w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(lag))
					}
					res, err := newRemapper(t, w.client).Remap(t.Context(), w.underLease(1, l))
					if err != nil {
						t.Fatal(err)
					}
					if !res.Changed || res.After.NetworkInterfaceID != w.eni[1] || w.owner(t) != w.eni[1] {
						t.Errorf("result %+v", res)
					}
					if made := number(t, w.associate(t, w.allocate(t), w.createInterface(t)).ID) - number(t, w.first.ID) - 1; made != 1 {
						t.Errorf("associated %d times", made)
					}
				})
			})
		}
	}
}

// After a theft the lease holder stops: it does not know yet whether its lease is the newer one.
func TestTheftUnderALeaseIsNotFought(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.After(func(context.Context, awstest.Record) {
			w.associate(t, w.allocation, w.eni[2])
		}))
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.underLease(1, &lease{}))
		if e := failure(t, err, eip.ErrStolen); e.Owner.NetworkInterfaceID != w.eni[2] || res.Calls.Associate != 1 {
			t.Errorf("error %v after %+v", err, res.Calls)
		}
		if owner := w.owner(t); owner != w.eni[2] {
			t.Errorf("%s holds the address", owner)
		}
	})
}

// Reads that stand 30 s behind show the former owner, whose association the call has ended.
func TestStaleReadsUnderALease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t, func(o *awstest.Options) { o.VisibilityLag = 30 * time.Second })
		res, err := newRemapper(t, w.client).Remap(t.Context(), w.underLease(1, &lease{}))
		if err != nil || res.Calls.Associate != 1 {
			t.Errorf("result %+v, error %v", res, err)
		}
	})
}
