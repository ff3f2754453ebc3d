package eip_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// keeper is a Hold in a bubble, steered by its test.
type keeper struct {
	*world
	t       *testing.T
	req     eip.HoldRequest
	lease   lease
	cancel  context.CancelCauseFunc
	stopped chan error

	mu     sync.Mutex
	target eip.Target // that Choose names
	unsure error      // that Choose returns
	events []eip.Event
}

// name makes Choose name a target, or return an error.
func (k *keeper) name(target eip.Target, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.target, k.unsure = target, err
}

// seen returns the events so far.
func (k *keeper) seen() []eip.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.events)
}

// hold starts a Hold of the address, which is on the first interface, for the first interface.
func (w *world) hold(t *testing.T, adjust func(*eip.HoldRequest)) *keeper {
	t.Helper()
	k := &keeper{world: w, t: t, target: eip.Target{NetworkInterfaceID: w.eni[0]}, stopped: make(chan error, 1)}
	k.req = eip.HoldRequest{
		AllocationID: w.allocation, Fence: &k.lease,
		Choose: func(context.Context) (eip.Target, error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			return k.target, k.unsure
		},
	}
	if adjust != nil {
		adjust(&k.req)
	}
	r := newRemapper(t, w.client, func(o *eip.Options) {
		o.OnEvent = func(_ context.Context, e eip.Event) {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.events = append(k.events, e)
		}
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	k.cancel = cancel
	go func() { k.stopped <- r.Hold(ctx, k.req) }()
	return k
}

var errEnough = errors.New("enough")

// stop ends the Hold and returns what it returned.
func (k *keeper) stop() error {
	k.cancel(errEnough)
	return <-k.stopped
}

// choose makes Choose name an interface and returns how long the address takes to get there.
func (k *keeper) choose(i int, patience time.Duration) time.Duration {
	k.t.Helper()
	k.name(eip.Target{NetworkInterfaceID: k.eni[i]}, nil)
	start := time.Now()
	for k.owners(k.t)[k.allocation].NetworkInterfaceID != k.eni[i] { // owner would meddle with a move that is under way
		if time.Since(start) > patience {
			k.t.Fatalf("%s does not hold the address after %v", k.eni[i], patience)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(start)
}

func (k *keeper) count(kind eip.Kind) int {
	n := 0
	for _, e := range k.seen() {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func TestHoldLooksAndChangesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, nil)
		time.Sleep(10 * time.Minute)
		err := k.stop()
		if e := failure(t, err, errEnough); e.Op != eip.OpHold {
			t.Errorf("error %v", err)
		}
		calls := w.calls()
		if calls.Associate+calls.Disassociate+calls.Inspect != 0 || calls.Describe < 115 || calls.Describe > 125 {
			t.Errorf("calls %+v, want a look every 5 s", calls)
		}
		if len(k.seen()) != 1 || k.seen()[0].Kind != eip.KindHeld {
			t.Errorf("events %v", k.seen())
		}
	})
}

func TestHoldFollowsTheChoice(t *testing.T) {
	t.Parallel()
	for _, guard := range []eip.Guard{eip.GuardStrict, eip.GuardLease} {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			k := w.hold(t, func(r *eip.HoldRequest) { r.Guard = guard })
			time.Sleep(time.Minute)
			if took := k.choose(1, 20*time.Second); took < 4*time.Second || took > 12*time.Second {
				t.Errorf("%v: took %v, want two looks", guard, took)
			}
			if took := k.choose(2, 2*time.Minute); took < 50*time.Second || took > 70*time.Second {
				t.Errorf("%v: the second move took %v, want the cooldown", guard, took)
			}
			if k.stop(); k.count(eip.KindDamped) != 2 || k.count(eip.KindDrifted) != 0 {
				t.Errorf("%v: events %v", guard, k.seen())
			}
		})
	}
}

// A choice that differs at every look never moves the address, and one that flaps more slowly ever more rarely.
func TestHoldDoesNotFlap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		every time.Duration
		moves [2]int // in an hour, at least and at most
	}{
		{0, [2]int{0, 0}},
		{7 * time.Second, [2]int{0, 9}},
		{30 * time.Second, [2]int{4, 9}},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			start, looks := time.Now(), 0
			k := w.hold(t, func(r *eip.HoldRequest) {
				r.Choose = func(context.Context) (eip.Target, error) {
					i := looks
					if looks++; test.every > 0 {
						i = int(time.Since(start) / test.every)
					}
					return eip.Target{NetworkInterfaceID: w.eni[i%2]}, nil
				}
			})
			time.Sleep(time.Hour)
			k.stop()
			if moves := w.calls().Associate; moves < test.moves[0] || moves > test.moves[1] {
				t.Errorf("every %v: %d moves, want %v", test.every, moves, test.moves)
			}
		})
	}
}

// A free address serves nobody: it is associated at once.
func TestHoldTakesAFreeAddressAtOnce(t *testing.T) {
	t.Parallel()
	for _, guard := range []eip.Guard{eip.GuardStrict, eip.GuardFree, eip.GuardLease} {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			k := w.hold(t, func(r *eip.HoldRequest) { r.Guard = guard })
			for range 3 {
				time.Sleep(10 * time.Second)
				out, err := w.client.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{w.allocation}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.client.DisassociateAddress(t.Context(), &ec2.DisassociateAddressInput{AssociationId: out.Addresses[0].AssociationId}); err != nil {
					t.Fatal(err)
				}
				if took := k.choose(0, 10*time.Second); took > 6*time.Second {
					t.Errorf("%v: took %v, want one look", guard, took)
				}
			}
			k.stop()
		})
	}
}

// Somebody else moves the address again and again. It is brought back, at the pace of the cooldown.
func TestHoldBringsBackWithoutAFight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, nil)
		time.Sleep(time.Minute)
		for range 60 {
			w.associate(t, w.allocation, w.eni[2])
			time.Sleep(time.Minute)
		}
		back := w.calls().Associate - 60
		if took := k.choose(0, 20*time.Minute); took > 16*time.Minute {
			t.Errorf("brought back after %v", took)
		}
		k.stop()
		if back < 3 || back > 10 {
			t.Errorf("brought back %d times in an hour of thefts", back)
		}
		if drifted := k.count(eip.KindDrifted); drifted < 3 {
			t.Errorf("%d events tell of it", drifted)
		}
	})
}

func TestHoldUnderGuardFreeTakesFromNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, func(r *eip.HoldRequest) { r.Guard = eip.GuardFree })
		k.name(eip.Target{NetworkInterfaceID: w.eni[1]}, nil)
		time.Sleep(time.Hour)
		k.stop()
		if calls := w.calls(); calls.Associate+calls.Disassociate != 0 || w.owner(t) != w.eni[0] {
			t.Errorf("calls %+v", calls)
		}
	})
}

func TestHoldStaysWhereItIsWhileNobodyCanTell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, nil)
		for _, unsure := range []func(){
			func() { k.name(eip.Target{NetworkInterfaceID: w.eni[1]}, errors.New("no quorum")) },
			func() { k.name(eip.Target{}, nil) },
			func() { k.name(eip.Target{NetworkInterfaceID: "eth0"}, nil) },
		} {
			unsure()
			time.Sleep(5 * time.Minute)
		}
		if calls := w.calls(); calls.Associate+calls.Disassociate != 0 || k.count(eip.KindUndecided) < 150 {
			t.Errorf("calls %+v, %d events", calls, k.count(eip.KindUndecided))
		}
		if took := k.choose(1, 20*time.Second); took < 4*time.Second {
			t.Errorf("what it named anew was believed after %v", took)
		}
		k.stop()
	})
}

func TestHoldEndsWithItsLease(t *testing.T) {
	t.Parallel()
	for _, moving := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := settled(t)
			k := w.hold(t, nil)
			time.Sleep(time.Minute)
			if moving { // lost between the two calls of a move
				w.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.After(func(context.Context, awstest.Record) { k.lease.lose(errLeaseLost) }))
				k.name(eip.Target{NetworkInterfaceID: w.eni[1]}, nil)
			} else {
				k.lease.lose(errLeaseLost)
			}
			start := time.Now()
			err := <-k.stopped
			if failure(t, err, eip.ErrFenced); !errors.Is(err, errLeaseLost) || time.Since(start) > 15*time.Second {
				t.Errorf("error %v after %v", err, time.Since(start))
			}
			if w.calls().Associate != 0 {
				t.Error("something was associated without the lease")
			}
			k.cancel(nil)
		})
	}
}

// One look that fails is one look; the next may succeed.
func TestHoldOutlivesFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, nil)
		k.name(eip.Target{NetworkInterfaceID: w.eni[1]}, nil)
		var heals []func()
		for _, effect := range []awstest.Effect{
			awstest.Throttle(), awstest.Unavailable(), awstest.LoseReply(), awstest.Hang(), awstest.Deny(), awstest.Stale(20 * time.Second),
		} {
			match := awstest.Match{Probability: 0.1}
			operation := ""
			if len(heals) == 5 {
				operation = "DescribeAddresses"
			}
			heals = append(heals, w.inject(t, operation, match, effect))
		}
		time.Sleep(2 * time.Hour)
		for _, heal := range heals {
			heal()
		}
		if took := k.choose(1, 20*time.Minute); took > 16*time.Minute {
			t.Errorf("took %v", took)
		}
		if err := k.stop(); !errors.Is(err, errEnough) {
			t.Error(err)
		}
	})
}

func TestHoldEndsWhenTheAddressDoesNotExist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, func(r *eip.HoldRequest) { r.AllocationID = "eipalloc-0123456789abcdef0" })
		start := time.Now()
		err := <-k.stopped
		if failure(t, err, eip.ErrNotFound); time.Since(start) < 5*time.Second || time.Since(start) > 15*time.Second {
			t.Errorf("after %v", time.Since(start))
		}
		k.cancel(nil)
	})
}

// A target that EC2 would refuse costs the owner nothing.
func TestHoldDoesNotMoveToABadTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		k := w.hold(t, nil)
		k.name(eip.Target{InstanceID: "i-0123456789abcdef0"}, nil)
		time.Sleep(10 * time.Minute)
		if calls := w.calls(); calls.Associate+calls.Disassociate != 0 || w.owner(t) != w.eni[0] {
			t.Errorf("calls %+v", calls)
		}
		gone := slices.ContainsFunc(k.seen(), func(e eip.Event) bool { return errors.Is(e.Err, eip.ErrTargetGone) && e.Token == 7 })
		if k.stop(); !gone {
			t.Errorf("events %v", k.seen())
		}
	})
}

func TestHoldRefusesMistakes(t *testing.T) {
	t.Parallel()
	r := newRemapper(t, ec2.New(ec2.Options{}))
	err := r.Hold(t.Context(), eip.HoldRequest{
		AllocationID: "eip-1", Guard: 9, Interval: -time.Second, Stable: -time.Second, Cooldown: time.Hour, MaxCooldown: time.Minute,
	})
	want := `eip: HoldRequest.AllocationID: "eip-1" must be eipalloc- and hexadecimal digits
eip: HoldRequest.Choose: "nil" must be set
eip: HoldRequest.Fence: "nil" must be set
eip: HoldRequest.Guard: 9 must be GuardStrict, GuardFree or GuardLease
eip: HoldRequest.Interval: -1s must not be negative
eip: HoldRequest.Stable: -1s must not be negative
eip: HoldRequest.MaxCooldown: 1m0s must not be less than Cooldown, which is 1h0m0s`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}
