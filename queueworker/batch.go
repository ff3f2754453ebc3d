package queueworker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// BatchFunc handles messages together. Nil is that all of them are done; an error is that of each of them, unless a *BatchError is
// found in it, which tells them apart. A panic becomes a *PanicError of each.
//
// Its context ends when the contexts of all the messages have ended, since one message that is lost is no reason to give the others
// up; its values are those of one of them. The slice is the function's to keep.
type BatchFunc func(ctx context.Context, messages []*Message) error

// BatchError is a batch of which some messages have failed. The others are done.
type BatchError struct {
	// Failed are the errors by index. Each is what a handler of that one message might have returned: nil is done.
	Failed map[int]error
}

func (e *BatchError) Error() string {
	var parts []string
	for _, i := range slices.Sorted(maps.Keys(e.Failed)) {
		if err := e.Failed[i]; err != nil {
			parts = append(parts, fmt.Sprintf("[%d] %v", i, err))
		}
	}
	return fmt.Sprintf("queueworker: %d messages of a batch failed: %s", len(parts), strings.Join(parts, "; "))
}

// Unwrap returns the errors in the order of the messages.
func (e *BatchError) Unwrap() []error {
	var errs []error
	for _, i := range slices.Sorted(maps.Keys(e.Failed)) {
		if err := e.Failed[i]; err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

const (
	defaultBatchSize   = 10
	defaultBatchLinger = 100 * time.Millisecond
	longestBatchLinger = 5 * time.Minute
)

// BatchOptions are the options of a Batch. The zero value of each field means its default.
type BatchOptions struct {
	// Size is how many messages a batch has at most. Each waits in a slot of the worker, so that Options.Concurrency must be at least
	// Size for a batch to fill up, and twice that for one to fill up while another is handled. Default 10.
	Size int

	// Linger is how long the first message of a batch waits for others at most. A drain may take that much longer, and the wait counts
	// toward Options.HandlerTimeout. Up to 5 minutes. Default 100 ms.
	Linger time.Duration
}

// Batch is a handler that handles messages together, such as by one insert of many rows. The worker goes on extending the lease of
// each. Batches run at the same time, as many as there are slots for. On a FIFO queue a batch has one message of each group. It is
// safe for concurrent use, and has no goroutine of its own.
type Batch struct {
	fn   BatchFunc
	opts BatchOptions

	mu   sync.Mutex
	open *bundle // takes messages in; nil: the next one begins another
}

var _ Handler = (*Batch)(nil)

// NewBatch returns a handler that collects messages for fn, or all mistakes in its options.
func NewBatch(fn BatchFunc, optFns ...func(*BatchOptions)) (*Batch, error) {
	var opts BatchOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	orDefault(&opts.Size, defaultBatchSize)
	orDefault(&opts.Linger, defaultBatchLinger)
	var m mistakes
	m.require(fn != nil, "fn", nil, "must not be nil")
	m.require(1 <= opts.Size && opts.Size <= maxConcurrency, "BatchOptions.Size", opts.Size, "must be from 1 to 100000")
	m.require(0 < opts.Linger && opts.Linger <= longestBatchLinger, "BatchOptions.Linger", opts.Linger, "must be greater than zero and at most 5m")
	if err := m.err(); err != nil {
		return nil, err
	}
	return &Batch{fn: fn, opts: opts}, nil
}

// bundle is one batch. Its messages wait, each in the goroutine of its handler, until one of them is told to handle all of them.
type bundle struct {
	begin chan struct{} // has room for the one word that tells somebody to begin
	done  chan struct{} // closed: the function has returned
	timer *time.Timer

	items   []*item // guarded by Batch.mu until the bundle is begun, and then not changed
	started bool    // guarded by Batch.mu
}

// item is one message of a bundle.
type item struct {
	ctx context.Context //nolint:containedctx // of its handler, which waits
	m   *Message
	err error // once the bundle is done
}

// Handle returns when the batch with the message has been handled. A message whose context ends while it waits for others leaves the
// batch, with the cause.
func (b *Batch) Handle(ctx context.Context, m *Message) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	it := &item{ctx: ctx, m: m}
	u := b.join(it)
	select {
	case <-u.begin:
		b.run(u)
	case <-u.done:
	case <-ctx.Done():
		if b.leave(u, it) {
			return context.Cause(ctx)
		}
		<-u.done // it is being handled, and the function has its context
	}
	return it.err
}

// join puts a message into the open bundle.
func (b *Batch) join(it *item) *bundle {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.open
	if u == nil {
		u = &bundle{begin: make(chan struct{}, 1), done: make(chan struct{})}
		u.timer = time.AfterFunc(b.opts.Linger, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.sealLocked(u)
		})
		b.open = u
	}
	u.items = append(u.items, it)
	if len(u.items) == b.opts.Size {
		b.sealLocked(u)
	}
	return u
}

// sealLocked closes a bundle, and has one of its messages begin.
func (b *Batch) sealLocked(u *bundle) {
	if b.open != u {
		return // done already
	}
	b.open = nil
	u.timer.Stop()
	u.begin <- struct{}{}
}

// leave takes a message out of its bundle, and reports whether it is out: not if it is being handled.
func (b *Batch) leave(u *bundle, it *item) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u.started {
		return !slices.Contains(u.items, it)
	}
	u.items = slices.DeleteFunc(u.items, func(other *item) bool { return other == it })
	if len(u.items) == 0 && b.open == u {
		b.open = nil
		u.timer.Stop()
	}
	return true
}

// run handles a bundle, whatever the function does.
func (b *Batch) run(u *bundle) {
	defer close(u.done)
	b.start(u)
	if len(u.items) == 0 {
		return
	}
	ctx, cancel := jointly(u.items)
	defer cancel()
	messages := make([]*Message, len(u.items))
	for i, it := range u.items {
		messages[i] = it.m
	}
	u.fail(&PanicError{Value: errGoexit}) // unless the function returns or panics
	defer func() {
		if v := recover(); v != nil {
			u.fail(&PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	u.share(b.fn(ctx, messages))
}

// start takes those out of a bundle that were lost just before it begins.
func (b *Batch) start(u *bundle) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u.started = true
	u.items = slices.DeleteFunc(u.items, func(it *item) bool {
		it.err = context.Cause(it.ctx)
		return it.err != nil
	})
}

// fail gives all messages one error.
func (u *bundle) fail(err error) {
	for _, it := range u.items {
		it.err = err
	}
}

// share gives each message its error.
func (u *bundle) share(err error) {
	var partly *BatchError
	if !errors.As(err, &partly) {
		u.fail(err)
		return
	}
	if partly == nil { // the zero value of a variable that nothing was written to
		partly = &BatchError{}
	}
	for i := range partly.Failed {
		if i < 0 || i >= len(u.items) { // then it is about other messages than these, and none is known to be done
			u.fail(fmt.Errorf("queueworker: a batch of %d messages has no index %d: %w", len(u.items), i, errBatchIndex))
			return
		}
	}
	for i, it := range u.items {
		it.err = partly.Failed[i]
	}
}

var errBatchIndex = errors.New("a BatchError of another batch")

// jointly is a context that ends when those of all the items have ended, with the cause of the last.
func jointly(items []*item) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(items[0].ctx))
	var left atomic.Int64
	left.Store(int64(len(items)))
	stops := make([]func() bool, len(items))
	for i, it := range items {
		stops[i] = context.AfterFunc(it.ctx, func() {
			if left.Add(-1) == 0 {
				cancel(context.Cause(it.ctx))
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel(nil)
	}
}
