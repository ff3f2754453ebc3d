package queueworker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// claimKeeper extends a claim when the lease of its message has been extended. It has a timer, and a goroutine only while that has
// something to do.
type claimKeeper struct {
	d          *deduper
	ctx        context.Context //nolint:containedctx // of the handler
	m          *Message
	key, token string
	lose       context.CancelCauseFunc // ends ctx

	mu    sync.Mutex
	timer *time.Timer
	until time.Time     // when the claim ends, as far as is proven
	over  bool          // the handler has ended
	busy  chan struct{} // closed when the check that runs has ended; nil: none runs
}

// keepClaim extends a claim, from now until end is called.
func keepClaim(ctx context.Context, d *deduper, m *Message, key, token string, until time.Time, lose context.CancelCauseFunc) *claimKeeper {
	k := &claimKeeper{d: d, ctx: ctx, m: m, key: key, token: token, lose: lose, until: until}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(k.waitLocked(), k.check)
	return k
}

// waitLocked is until the next check: half of what the claim has left, so that a call that fails is repeated several times.
func (k *claimKeeper) waitLocked() time.Duration {
	return max(time.Until(k.until)/2, shortestLockWait)
}

// end returns when nothing is done about the claim any more. The handler has returned.
func (k *claimKeeper) end() {
	k.lose(nil)
	k.mu.Lock()
	k.over = true
	k.timer.Stop()
	busy := k.busy
	k.mu.Unlock()
	if busy != nil {
		<-busy
	}
}

// check extends the claim if the lease ends later than it does.
func (k *claimKeeper) check() {
	k.mu.Lock()
	if k.over {
		k.mu.Unlock()
		return
	}
	busy := make(chan struct{})
	k.busy = busy
	until := k.until
	k.mu.Unlock()
	defer close(busy)

	until, lost := k.extend(until)

	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy = nil
	if k.over || lost {
		return
	}
	k.until = until
	k.timer.Reset(k.waitLocked())
}

// extend makes the call if it is due, and returns when the claim ends.
func (k *claimKeeper) extend(until time.Time) (_ time.Time, lost bool) {
	began := time.Now()
	if !k.d.due(k.m, until) {
		return k.expired(until)
	}
	lock := lockFor(k.m)
	limit := min(max(until.Sub(began), shortestLockWait), dedupeCallLimit) // it is of no use after the claim
	ctx, cancel := context.WithTimeout(k.ctx, limit)
	defer cancel()
	err := guard(func() error { return k.d.store.Extend(ctx, k.key, k.token, lock) })
	switch {
	case err == nil:
		return began.Add(lock), false
	case k.ctx.Err() != nil: // the handler has ended meanwhile
		return until, false
	}
	k.d.tell(k.ctx, k.m, err)
	if errors.Is(err, ErrClaimLost) {
		k.lose(fmt.Errorf("%w: %q", ErrClaimLost, k.key))
		return until, true
	}
	return k.expired(until)
}

// expired takes in that a claim was not extended in time.
func (k *claimKeeper) expired(until time.Time) (time.Time, bool) {
	if time.Now().Before(until) {
		return until, false
	}
	k.lose(fmt.Errorf("%w: %q was not extended in time", ErrClaimLost, k.key))
	return until, true
}

// due reports whether the lease ends later than the claim. A message that is not from a worker has no lease, and a claim that is extended
// as long as its handler runs.
func (d *deduper) due(m *Message, until time.Time) bool {
	deadline := m.Deadline()
	return deadline.IsZero() || deadline.After(until)
}
