package snapshot

import (
	"context"
	"errors"
	"time"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// maker repeats a call that makes something. If it has no token and no name, only when it has had no effect for certain.
type maker struct {
	region *region
	op     operation
	look   func(context.Context) (bool, error) // whether reads show what the call would have made
	full   bool                                // the caller sees to it that too many are under way

	looked time.Duration // spent on looking
	lost   int           // calls of which nobody knew what they did
	blind  bool          // and nobody could look
}

// busyPause is the pause before another try while too many snapshots are being made, and maxLost how many calls may be lost.
const busyPause, maxLost = 15 * time.Second, 3

// make makes the call until it succeeds, what it makes is found, or there is no use in another.
func (w *maker) make(ctx context.Context, call func(context.Context) error) error {
	const unlimited = 1 << 62
	return retry.Do(ctx, unlimited, func(ctx context.Context) error {
		err := call(ctx)
		if !final(err) && w.unclear(err) && ctx.Err() == nil {
			found, lookErr := w.found(ctx)
			if found {
				return nil
			}
			w.blind = lookErr != nil
		}
		return err
	}, w.again, nil)
}

// unclear reports whether what is to be made may be there: the reply was lost, or its name is taken, which may have been by a call whose reply was.
func (w *maker) unclear(err error) bool {
	class := awserr.Of(err)
	return class == awserr.Transient && !w.op.repeat || class == awserr.Exists
}

// final tells errors that are not of AWS, but of a hook or the fence, whatever is inside of them.
func final(err error) bool {
	_, ok := errors.AsType[*OpError](err)
	return ok
}

// found looks for what may have been made, for as long as reads may be behind. The error is that of the last look: with one, nothing is certain.
func (w *maker) found(ctx context.Context) (found bool, err error) {
	began := time.Now()
	defer func() { w.looked += time.Since(began) }()
	w.lost++
	lag := w.region.manager.opts.ReadLag
	found = retry.Poll(ctx, lag, retry.Policy{First: 2 * time.Second, Max: 30 * time.Second, Growth: 1.5, Jitter: 0.2}, func(ctx context.Context) bool {
		var there bool
		there, err = w.look(ctx)
		return there && err == nil
	})
	return found, err
}

func (w *maker) again(err error, elapsed time.Duration) (retry.Policy, bool) {
	if w.blind || final(err) || elapsed-w.looked >= w.region.manager.opts.BusyTimeout {
		return retry.Policy{}, false
	}
	switch awserr.Of(err) {
	case awserr.Busy:
		if w.full {
			return retry.Policy{}, false
		}
		fallthrough
	case awserr.Pending:
		return retry.Policy{First: busyPause, Max: busyPause, Growth: 1, Jitter: 0.2}, true
	case awserr.Transient: // and not found: it has had no effect
		return retry.Transient(), w.op.repeat || w.lost < maxLost
	}
	return again(w.op, err)
}
