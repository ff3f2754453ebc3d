package failover

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// heldLease is the holder's half of a lease. Two goroutines share nothing but an atomic deadline and a context: one renews, the other ends
// the lease when its time is up, so that a renewal that hangs cannot keep it alive.
type heldLease struct {
	locker *StoreLocker
	name   string
	token  uint64
	row    leaseRow // as last written; these two belong to keep, and then to end
	at     Version

	born  time.Time    // carries the monotonic clock
	until atomic.Int64 // nanoseconds after born from which the holder must not act

	ctx     context.Context
	lose    context.CancelCauseFunc
	stopped chan struct{} // closed once nothing runs any more
	once    sync.Once
}

// hold starts to hold what a request that was sent at sent has been granted.
func (l *StoreLocker) hold(values context.Context, name string, row leaseRow, at Version, sent time.Time) *heldLease {
	h := &heldLease{locker: l, name: name, token: row.Token, row: row, at: at, born: sent, stopped: make(chan struct{})}
	h.ctx, h.lose = context.WithCancelCause(context.WithoutCancel(values))
	h.extend(sent)
	go func() {
		defer close(h.stopped)
		var expiry sync.WaitGroup
		expiry.Go(h.expire)
		h.keep()
		expiry.Wait()
	}()
	return h
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
	if err := l.end(ctx, func(row *leaseRow) { row.Free = true }); err != nil && !errors.Is(err, ErrLeaseLost) {
		return err
	}
	return nil
}

// end ends the lease for its holder, and then leaves it in the store as last says. Only the first call does anything.
func (l *heldLease) end(ctx context.Context, last func(*leaseRow)) (err error) {
	l.once.Do(func() {
		l.lose(l.lost(fmt.Errorf("%w: released", ErrLeaseLost)))
		select {
		case <-l.stopped: // a renewal may have been under way
		case <-ctx.Done():
			err = fmt.Errorf("failover: release lease %s: renewal under way: %w", l.name, context.Cause(ctx))
			return
		}
		if werr := l.write(ctx, last); werr != nil {
			err = fmt.Errorf("failover: release lease %s: %w", l.name, werr)
		}
	})
	return err
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
	every := l.locker.opts.RenewInterval
	pause := every
	for sleep(l.ctx, pause) == nil {
		sent := time.Now()
		ctx, cancel := context.WithTimeout(l.ctx, every/2)
		err := l.write(ctx, func(row *leaseRow) { row.Renewals++ })
		cancel()
		switch {
		case err == nil:
			l.extend(sent)
			pause = every
		case errors.Is(err, ErrLeaseLost): // after a pause of the whole process, this may be known before the deadline is looked at
			l.lose(l.lost(err))
		default:
			l.locker.opts.Logger.WarnContext(l.ctx, "failover: lease was not renewed", "lease", l.name, "left", l.left(), "error", err)
			pause = every / 2
		}
	}
}

// write changes the entry while it is that of this grant. ErrLeaseLost means that it is not, for good; after any other error the outcome is
// unknown.
func (l *heldLease) write(ctx context.Context, change func(*leaseRow)) error {
	for {
		row := l.row
		change(&row)
		entry, err := row.put(ctx, l.locker.store, l.name, l.at)
		if err != nil && !errors.Is(err, ErrChanged) {
			return err
		}
		found, perr := parseLease(l.name, entry)
		switch {
		case err == nil:
			l.row, l.at = row, entry.Version
			return nil
		case perr != nil:
			return fmt.Errorf("%w: %w", ErrLeaseLost, perr)
		case found.Grant != l.row.Grant:
			return fmt.Errorf("%w: taken by %q", ErrLeaseLost, found.Holder)
		}
		l.row.Renewals, l.at = found.Renewals, entry.Version // an earlier write of ours came late: this one goes over it
	}
}

func (l *heldLease) extend(sent time.Time) {
	l.until.Store(int64(sent.Sub(l.born) + l.locker.opts.TTL - l.locker.opts.Margin))
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
