package eip_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
)

// releaser is a world, and a Remapper whose events are kept.
type releaser struct {
	*world
	*eip.Remapper

	mu     sync.Mutex
	events []eip.Event
}

func newReleaser(t *testing.T) *releaser {
	t.Helper()
	r := &releaser{world: settled(t)}
	r.Remapper = newRemapper(t, r.client, func(o *eip.Options) {
		o.OnEvent = func(_ context.Context, e eip.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
		}
	})
	r.start = r.counts()
	return r
}

func (r *releaser) kinds() (kinds []eip.Kind) {
	for _, e := range r.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func TestReleaseEndsWhatWasGiven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReleaser(t)
		if err := r.Release(t.Context(), r.first); err != nil {
			t.Fatal(err)
		}
		if owner := r.owner(t); owner != "" {
			t.Errorf("%s holds the address", owner)
		}
		if want := (eip.Calls{Disassociate: 1}); r.calls().Disassociate != 1 || r.calls().Describe != 0 {
			t.Errorf("calls %+v, want %+v", r.calls(), want)
		}
		if len(r.events) != 1 || r.events[0].Kind != eip.KindDisassociated || r.events[0].Association != r.first {
			t.Errorf("events %+v", r.events)
		}
		if err := r.Release(t.Context(), r.first); err != nil {
			t.Errorf("again: %v", err)
		}
	})
}

// The address has a newer owner, maybe the very same interface.
func TestReleaseLeavesANewerOwnerAlone(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"", "InvalidAssociationID.NotFound"} { // as documented, and as accounts have answered
		for _, owner := range []int{0, 1} {
			synctest.Test(t, func(t *testing.T) {
				r := newReleaser(t)
				r.associate(t, r.allocation, r.eni[2])
				newer := r.associate(t, r.allocation, r.eni[owner])
				if answer != "" {
					r.inject(t, "DisassociateAddress", awstest.Match{}, awstest.Reject(awstest.APIError{Code: answer}))
				}
				if err := r.Release(t.Context(), r.first); err != nil {
					t.Error(err)
				}
				if now := r.owners(t)[r.allocation]; now.ID != newer.ID {
					t.Errorf("%v holds the address, want %v", now, newer)
				}
				if want := []eip.Kind{eip.KindDisassociated}; !slices.Equal(r.kinds(), want) {
					t.Errorf("events %v, want %v", r.kinds(), want)
				}
			})
		}
	}
}

func TestReleaseRepeatsWhatIsLost(t *testing.T) {
	t.Parallel()
	effects := map[string]awstest.Effect{
		"lost reply": awstest.LoseReply(), "unavailable": awstest.Unavailable(), "throttled": awstest.Throttle(), "hanging": awstest.Hang(),
	}
	for name, effect := range effects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newReleaser(t)
				r.inject(t, "DisassociateAddress", awstest.Match{Times: 4}, effect)
				if err := r.Release(t.Context(), r.first); err != nil {
					t.Fatal(err)
				}
				if owner := r.owner(t); owner != "" {
					t.Errorf("%s holds the address", owner)
				}
				if kinds := r.kinds(); kinds[0] != eip.KindRetry || kinds[len(kinds)-1] != eip.KindDisassociated {
					t.Errorf("events %v", kinds)
				}
			})
		})
	}
}

// A rival that takes the address while the reply is lost keeps it.
func TestRepeatedReleaseRobsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReleaser(t)
		r.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.After(func(context.Context, awstest.Record) {
			r.associate(t, r.allocation, r.eni[1])
		}))
		r.inject(t, "DisassociateAddress", awstest.Match{Times: 1}, awstest.LoseReply())
		if err := r.Release(t.Context(), r.first); err != nil {
			t.Fatal(err)
		}
		if owner := r.owner(t); owner != r.eni[1] {
			t.Errorf("%q holds the address, want the rival", owner)
		}
		if n := r.calls().Disassociate; n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestReleaseThatFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		effect awstest.Effect
		want   error
	}{
		"denied":    {awstest.Deny(), eip.ErrDenied},
		"throttled": {awstest.Throttle(), nil},
		"lost":      {awstest.Hang(), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newReleaser(t)
				if _, err := r.Verify(t.Context(), r.allocation, r.first); err != nil { // so that it knows the address
					t.Fatal(err)
				}
				heal := r.inject(t, "DisassociateAddress", awstest.Match{}, test.effect)
				start := time.Now()
				err := r.Release(t.Context(), r.first)
				var e *eip.RemapError
				if !errors.As(err, &e) || !errors.Is(err, test.want) && test.want != nil {
					t.Fatalf("%v, want %v", err, test.want)
				}
				if e.Op != eip.OpRelease || e.AllocationID != r.allocation || e.Owner != r.first {
					t.Errorf("%+v", e)
				}
				if took := time.Since(start); took > 75*time.Second {
					t.Errorf("took %v", took)
				}
				if last := r.events[len(r.events)-1]; last.Kind != eip.KindFailed || !errors.Is(last.Err, err) || last.Association != r.first {
					t.Errorf("the last event is %+v", last)
				}
				heal()
				if owner := r.owner(t); owner != r.eni[0] {
					t.Errorf("%q holds the address", owner)
				}
			})
		})
	}
}

func TestReleaseReturnsWhenCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReleaser(t)
		r.inject(t, "DisassociateAddress", awstest.Match{}, awstest.Hang())
		reason := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*time.Second, func() { cancel(reason) })
		start := time.Now()
		if err := r.Release(ctx, r.first); !errors.Is(err, reason) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestReleaseNeedsAnAssociation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, given := range []eip.Association{{}, {ID: "eipalloc-1"}, {NetworkInterfaceID: w.eni[0]}, {ID: "eipassoc-"}} {
		err := newRemapper(t, w.client).Release(t.Context(), given)
		if e := new(eip.FieldError); !errors.As(err, &e) || e.Field != "given.ID" || w.calls() != (eip.Calls{}) {
			t.Errorf("%v: %v, calls %+v", given, err, w.calls())
		}
	}
}

// A claim, a release, and another's claim of the same address: a full circle.
func TestWhatWasReleasedIsClaimedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := settledPool(t, 1)
		r := newRemapper(t, p.client)
		for _, target := range p.interfaces(t, 3) {
			res, err := r.Claim(t.Context(), claimOf(target))
			p.claimed(t, target, res, err)
			if err := r.Release(t.Context(), res.After); err != nil {
				t.Fatal(err)
			}
		}
	})
}
