package failover

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// heldLease is the holder's half of a lease, whatever the store. Two goroutines share nothing but an atomic deadline and a
// context: one renews, the other ends the lease when its time is up, so that a renewal that hangs cannot keep it alive.
type heldLease struct {
	name   string
	token  uint64
	timing LeaseTiming
	renew  func(context.Context) error // ErrLeaseLost means that somebody else has it; any other error is an unknown outcome
	free   func(context.Context) error // gives the lease back to the store if it is still ours

	born  time.Time    // carries the monotonic clock
	until atomic.Int64 // nanoseconds after born from which the holder must not act

	ctx     context.Context
	lose    context.CancelCauseFunc
	stopped chan struct{} // closed once nothing runs any more
	once    sync.Once
}

// holdLease starts to hold a lease that a request sent at sent was granted.
func holdLease(ctx context.Context, name string, token uint64, sent time.Time, timing LeaseTiming,
	renew, free func(context.Context) error,
) *heldLease {
	l := &heldLease{
		name: name, token: token, timing: timing, renew: renew, free: free,
		born: sent, stopped: make(chan struct{}),
	}
	l.ctx, l.lose = context.WithCancelCause(context.WithoutCancel(ctx))
	l.extend(sent)
	go func() {
		defer close(l.stopped)
		var expiry sync.WaitGroup
		expiry.Go(l.expire)
		l.keep()
		expiry.Wait()
	}()
	return l
}

func (l *heldLease) Token() uint64            { return l.token }
func (l *heldLease) Context() context.Context { return l.ctx }

func (l *heldLease) Valid() error {
	if l.left() <= 0 {
		l.lose(l.lost(fmt.Errorf("%w: not renewed in time", ErrLeaseLost))) // the first cause stays
	}
	return context.Cause(l.ctx)
}

func (l *heldLease) Release(ctx context.Context) error {
	var err error
	l.once.Do(func() { err = l.release(ctx) })
	return err
}

func (l *heldLease) release(ctx context.Context) error {
	l.lose(l.lost(fmt.Errorf("%w: released", ErrLeaseLost)))
	select {
	case <-l.stopped: // a renewal that came after the release would bring the lease back to life
	case <-ctx.Done():
		return fmt.Errorf("failover: release lease %s: renewal under way: %w", l.name, context.Cause(ctx))
	}
	if err := l.free(ctx); err != nil {
		return fmt.Errorf("failover: release lease %s: %w", l.name, err)
	}
	return nil
}

// expire ends the lease at its deadline, which renewals move.
func (l *heldLease) expire() {
	for l.Valid() == nil {
		_ = sleep(l.ctx, l.left())
	}
}

// keep renews until the lease ends. An unknown outcome is neither a loss nor a renewal: it tries again, sooner, and the
// deadline stays where it was.
func (l *heldLease) keep() {
	pause := l.timing.RenewInterval
	for sleep(l.ctx, pause) == nil {
		sent := time.Now()
		ctx, cancel := context.WithTimeout(l.ctx, l.timing.RenewInterval/2)
		err := l.renew(ctx)
		cancel()
		switch {
		case err == nil:
			l.extend(sent)
			pause = l.timing.RenewInterval
		case errors.Is(err, ErrLeaseLost): // after a pause of the whole process, this may be known before the deadline is looked at
			l.lose(l.lost(err))
		default:
			pause = l.timing.RenewInterval / 2
		}
	}
}

func (l *heldLease) extend(sent time.Time) {
	l.until.Store(int64(sent.Sub(l.born) + l.timing.TTL - l.timing.Margin))
}

func (l *heldLease) left() time.Duration {
	return time.Duration(l.until.Load()) - time.Since(l.born)
}

func (l *heldLease) lost(why error) error {
	return fmt.Errorf("lease %s, token %d: %w", l.name, l.token, why)
}

// sleep waits for d, or until ctx ends and then returns its cause.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
