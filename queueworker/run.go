package queueworker

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"
)

// startLocked starts handlers as long as there are messages and slots.
func (w *Worker) startLocked() {
	for w.running < w.slots && !w.draining {
		l := w.nextLocked()
		if l == nil {
			return
		}
		w.runners.giveLocked(&w.mu, l)
	}
}

// nextLocked takes the next message out of the buffer and gives it a slot; nil if there is none.
func (w *Worker) nextLocked() *lease {
	for {
		l := w.buffer.pop()
		if l == nil {
			return nil
		}
		if l.stage != waiting { // lost meanwhile, or given back
			continue
		}
		l.start(w.lasting)
		if l.message != &l.first {
			w.stats.TriedHere++
		}
		w.running++
		w.rate.add(w.now())
		return l
	}
}

// handleFrom handles messages, beginning with l, as long as there are any to be handled.
func (w *Worker) handleFrom(l *lease) {
	for l != nil {
		l = w.handle(l)
	}
}

// handle runs the handler for one message, has done what it says, and returns the next message that has a slot; nil if there is none.
func (w *Worker) handle(l *lease) (next *lease) {
	cancel, began := l.cancel, time.Now()
	returned := false
	var err error
	defer func() {
		if !returned { // the handler has ended its goroutine, as t.FailNow does
			cancel(nil)
			if next = w.finish(l, &PanicError{Value: errGoexit, Stack: debug.Stack()}, time.Since(began)); next != nil {
				w.mu.Lock()
				w.runners.giveLocked(&w.mu, next)
				w.mu.Unlock()
			}
		}
	}()
	err = w.call(l.ctx, l.message)
	returned = true
	cancel(nil)
	return w.finish(l, err, time.Since(began))
}

var errGoexit = errors.New("runtime.Goexit was called")

// call calls the handler, under its timeout, and makes a panic an error.
func (w *Worker) call(ctx context.Context, m *Message) (err error) {
	if w.opts.HandlerTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, w.opts.HandlerTimeout, ErrHandlerTimeout)
		defer cancel()
	}
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return w.handler.Handle(ctx, m)
}

// finish takes in what a handler has returned, and returns the next message that has a slot.
func (w *Worker) finish(l *lease, err error, took time.Duration) (next *lease) {
	outcome, e := w.judge(l.message, err)
	w.tell(w.lasting, Event{Kind: Handled, Message: l.message, Outcome: outcome, Took: took, Err: err})
	w.mu.Lock()
	if w.over { // Run has given up on it
		w.unlock()
		return nil
	}
	w.running--
	w.mean.add(float64(took))
	l.ctx, l.cancel = nil, nil
	w.countLocked(outcome)
	w.finishLocked(l, e)
	if w.running < w.slots && !w.draining {
		next = w.nextLocked()
	}
	w.startLocked()
	w.feedLocked()
	if w.running == 0 && w.buffer.len() == 0 {
		for _, b := range []*batcher{w.deletes, w.returns, w.letters} {
			b.flushLocked() // there is nothing to wait for
		}
	}
	w.settledLocked()
	w.unlock()
	return next
}

// judge says what becomes of a message after its handler. An error that panics when it is looked into, as one may that is a nil pointer,
// is one as others.
func (w *Worker) judge(m *Message, err error) (outcome Outcome, e end) {
	if err == nil {
		return Completed, end{kind: endDelete}
	}
	defer func() {
		if recover() != nil {
			outcome, e = Retried, end{kind: endReturn, delay: retrySeconds(w.delay(m, err))}
		}
	}()
	var o *OutcomeError
	if !errors.As(err, &o) {
		return Retried, end{kind: endReturn, delay: retrySeconds(w.delay(m, err))}
	}
	switch o.Outcome {
	case Completed, Dropped:
		return o.Outcome, end{kind: endDelete}
	case Released:
		return Released, end{kind: endReturn}
	case DeadLettered:
		return DeadLettered, end{kind: endDeadLetter, why: err}
	case Retried:
	}
	if o.After <= 0 {
		return Retried, end{kind: endReturn, delay: retrySeconds(w.delay(m, err))}
	}
	return Retried, end{kind: endReturn, delay: retrySeconds(o.After)}
}

// delay asks the retry policy, which is the user's.
func (w *Worker) delay(m *Message, err error) (d time.Duration) {
	defer func() {
		if v := recover(); v != nil {
			d = longestRetry
			if l := w.opts.Logger; l != nil {
				l.LogAttrs(w.lasting, slog.LevelError, "Options.Retry panicked", slog.String("message", m.ID), slog.Any("panic", v))
			}
		}
	}()
	return w.opts.Retry(m, err)
}

// longestRetry is the delay of what should not come back soon.
const longestRetry = 15 * time.Minute

// retrySeconds returns a delay as SQS takes it: whole seconds, and never zero.
func retrySeconds(d time.Duration) int32 {
	d = min(max(d, time.Second), maxHold)
	return int32((d + time.Second - 1) / time.Second)
}

func (w *Worker) countLocked(o Outcome) {
	switch s := &w.stats; o {
	case Completed:
		s.Completed++
	case Retried:
		s.Retried++
	case Released:
		s.Released++
	case Dropped:
		s.Dropped++
	case DeadLettered:
		s.DeadLettered++
	}
}
