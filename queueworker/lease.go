package queueworker

import (
	"context"
	"sync/atomic"
	"time"
)

// lease is one delivery of a message, from its receive until SQS has taken its end in. But for until, it is guarded by
// Worker.mu. Times are ns since the worker was made, by the monotonic clock.
type lease struct {
	message *Message
	first   Message // the message; one that is tried again without a receive is a copy, because a handler may have kept it
	worker  *Worker
	until   atomic.Int64 // when it ends, as far as is proven

	handle string
	cap    int64 // not to be held beyond
	group  *group
	ctx    context.Context         //nolint:containedctx // of its handler, which another goroutine begins
	cancel context.CancelCauseFunc // nil: the handler does not run

	stage     stage
	end       end // once its handler has returned, or will never be called
	lost      bool
	capped    bool  // not to be held any longer
	extending bool  // a call is under way; a return waits for that
	failures  int   // of extensions, in a row
	again     int64 // when it is tried again without a receive; zero: it is not

	due             int64 // for an extension
	listed          bool  // in heartbeats
	previous, after *lease
}

// stage is how far a lease has come.
type stage uint8

const (
	waiting stage = iota // for a slot, or its turn in the group
	running
	ending // the call that ends it is to be made, or is being made
	ended
)

// end is how a lease is to end.
type end struct {
	kind  endKind
	delay int32 // seconds, of endReturn
	why   error // of endDeadLetter
}

type endKind uint8

const (
	endDelete endKind = iota
	endReturn
	endDeadLetter
)

// start gives l the context of its handler. Parent does not end, so that it need not keep account of thousands of them.
func (l *lease) start(parent context.Context) {
	l.stage = running
	l.ctx, l.cancel = context.WithCancelCause(parent)
}

// deadline is when the lease ends.
func (l *lease) deadline() time.Time { return l.worker.epoch.Add(time.Duration(l.until.Load())) }

// heartbeats are the leases in the order in which they are due for an extension. They are given almost in that order, and ten with the
// same time, so that a list will do. Guarded by Worker.mu.
type heartbeats struct {
	first, last, latest *lease
	calls               int // under way
}

// add puts l in its place.
func (h *heartbeats) add(l *lease) {
	at := h.last // the one to follow
	switch {
	case h.latest != nil && h.latest.due == l.due:
		at = h.latest
	case h.first != nil && l.due-h.first.due < h.last.due-l.due:
		at = nil
		for next := h.first; next != nil && next.due <= l.due; next = next.after {
			at = next
		}
	default:
		for at != nil && at.due > l.due {
			at = at.previous
		}
	}
	h.latest = l
	l.listed, l.previous = true, at
	if at == nil {
		l.after, h.first = h.first, l
	} else {
		l.after, at.after = at.after, l
	}
	if l.after == nil {
		h.last = l
	} else {
		l.after.previous = l
	}
}

// remove takes l out; it may be absent.
func (h *heartbeats) remove(l *lease) {
	if !l.listed {
		return
	}
	if h.latest == l {
		h.latest = nil
	}
	if l.previous == nil {
		h.first = l.after
	} else {
		l.previous.after = l.after
	}
	if l.after == nil {
		h.last = l.previous
	} else {
		l.after.previous = l.previous
	}
	l.listed, l.previous, l.after = false, nil, nil
}
