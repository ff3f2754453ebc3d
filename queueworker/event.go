package queueworker

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// EventKind is what an event is about.
type EventKind uint8

// The kinds of events.
const (
	// Handled: a handler has returned. Message, Outcome, Took and Err are set.
	Handled EventKind = iota
	// LeaseLost: a message may be handled elsewhere by now. Message and Err are set.
	LeaseLost
	// DeletedAgain: a message that was handled before, and whose delete was not certain, has come back and is deleted unseen.
	// Message is set.
	DeletedAgain
	// Corrupt: a body does not match its digest, or there is no ID or receipt handle. The message is left to its lease, and those behind
	// it in its group on a FIFO queue are given back. Message and Err are set.
	Corrupt
	// CallFailed: a call to SQS, or an entry of it, has failed, and is repeated as long as that is of use. Of the repetitions of a
	// call that ends leases only the second, the fourth, the eighth and so on are told. Operation and Err are set.
	CallFailed
	// Recovered: receives succeed again after CallFailed.
	Recovered
	// DeadLetterMissing: a message should go to the dead-letter queue, and there is none. It is tried again at the longest delay.
	// Message and Err are set.
	DeadLetterMissing
	// Paused and Resumed: as Worker.Pause and Worker.Resume say.
	Paused
	Resumed
	// Draining: no more messages are received. Drained: Run is about to return; Err is what it returns.
	Draining
	Drained
)

var eventNames = [...]string{"handled", "lease lost", "deleted again", "corrupt", "call failed", "recovered", "dead-letter queue missing", "paused", "resumed", "draining", "drained"}

// String returns the name of the kind in lower case.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return "invalid"
}

// Event is something that happened in a worker.
type Event struct {
	Kind      EventKind
	Time      time.Time
	Message   *Message      // nil where it is about none
	Outcome   Outcome       // of Handled
	Took      time.Duration // of Handled: the handler
	Operation string        // of CallFailed, such as "ReceiveMessage"
	Err       error
}

// level is how loud an event is in the log. Handled without an error is silent: it is the normal case, thousands of times a second.
func (e *Event) level() slog.Level {
	switch e.Kind {
	case Handled:
		if e.Err == nil {
			return slog.LevelDebug
		}
		return slog.LevelWarn
	case LeaseLost, Corrupt, CallFailed, DeadLetterMissing:
		return slog.LevelWarn
	case DeletedAgain, Recovered, Paused, Resumed, Draining, Drained:
	}
	return slog.LevelInfo
}

// unlock unlocks Worker.mu, and tells what happened under it.
func (w *Worker) unlock() {
	events := w.later
	w.later = nil
	w.mu.Unlock()
	for i := range events {
		w.tell(context.Background(), events[i])
	}
}

// tell hands an event to the logger and the hook.
func (w *Worker) tell(ctx context.Context, e Event) {
	if w.opts.Logger == nil && w.opts.OnEvent == nil {
		return
	}
	e.Time = time.Now()
	if l := w.opts.Logger; l != nil && l.Enabled(ctx, e.level()) {
		attrs := make([]slog.Attr, 0, 5)
		if e.Message != nil {
			attrs = append(attrs, slog.String("message", e.Message.ID), slog.Int("attempt", e.Message.Attempt))
		}
		if e.Kind == Handled {
			attrs = append(attrs, slog.String("outcome", e.Outcome.String()), slog.Duration("took", e.Took))
		}
		if e.Operation != "" {
			attrs = append(attrs, slog.String("operation", e.Operation))
		}
		if e.Err != nil {
			attrs = append(attrs, slog.String("error", fmt.Sprint(e.Err))) // not Error, which panics if a handler has returned a nil pointer
		}
		l.LogAttrs(ctx, e.level(), e.Kind.String(), attrs...)
	}
	if w.opts.OnEvent == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil && w.opts.Logger != nil {
			w.opts.Logger.LogAttrs(ctx, slog.LevelError, "OnEvent panicked", slog.Any("panic", v))
		}
	}()
	w.opts.OnEvent(ctx, e)
}
