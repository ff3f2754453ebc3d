package eip

import (
	"context"
	"errors"
	"time"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// retry repeats a call while again says so, for at most RetryTimeout, and reports each pause.
func (m *move) retry(ctx context.Context, again func(error, time.Duration) (retry.Policy, bool), call func(context.Context) error) error {
	return retry.Do(ctx, m.opts.RetryTimeout, call, again, func(err error, pause time.Duration) {
		m.emit(ctx, Event{Kind: KindRetry, Pause: pause, Err: err})
	})
}

// classOf returns the class of an error. One of the fence is final, and so is one that is an outcome already, whatever they
// wrap.
func classOf(err error) awserr.Class {
	if outcome := (*RemapError)(nil); errors.Is(err, ErrFenced) || errors.As(err, &outcome) {
		return awserr.Terminal
	}
	return awserr.Of(err)
}

// repeatable chooses the pauses for calls that may be repeated whatever became of them.
func repeatable(err error, _ time.Duration) (retry.Policy, bool) {
	switch classOf(err) {
	case awserr.Throttle:
		return retry.Throttle(), true
	case awserr.Transient, awserr.Unsent:
		return retry.Transient(), true
	}
	return retry.Pending(), errors.Is(err, errStale)
}

// associable chooses the pauses for AssociateAddress, which is repeated only if it had no effect: Transient is what
// reads have found not to have been applied.
func (m *move) associable(err error, elapsed time.Duration) (retry.Policy, bool) {
	switch classOf(err) {
	case awserr.Throttle:
		return retry.Throttle(), true
	case awserr.Transient, awserr.Unsent:
		return retry.Transient(), true
	case awserr.Pending:
		return retry.Pending(), true
	case awserr.Conflict: // EC2 names the association that it has ended, or did not know, a moment ago
		m.refused = m.ended && awserr.ID(err, "eipassoc") == m.res.Before.ID && elapsed < m.opts.ReadLag
		return retry.Pending(), m.refused
	case awserr.NotFound: // a target that was made just now is not known everywhere yet
		return retry.Pending(), awserr.Missing(err) != awserr.Address && elapsed < m.opts.ReadLag
	}
	return retry.Policy{}, false
}
