package queueworker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// Store remembers which messages have been handled, and which are being handled. Implementations are safe for concurrent use, end a
// call when its context ends, and repeat what failed for a moment only.
//
// A claim is the right to handle the message of a key. A token, unique for each claim, tells who has it, so that whoever has lost it
// changes nothing, and a call whose reply was lost can be repeated: with the same arguments it has the same result. The times of a
// lock are given as durations, from the call on.
type Store interface {
	// Begin claims a key for as long as lock, or says who is before: ClaimDone if it is completed and the time to live of that has
	// not passed, ClaimInProgress if another token has a claim that has not ended. It is called once for each message.
	Begin(ctx context.Context, key, token string, lock time.Duration) (Claim, error)

	// Extend makes a claim end lock from now. ErrClaimLost: it is another's, or has been completed or abandoned. It is called from
	// time to time as long as the handler runs.
	Extend(ctx context.Context, key, token string, lock time.Duration) error

	// Complete notes for as long as ttl that the message has been handled, even if the claim has ended meanwhile. ErrClaimLost: the
	// key is claimed or completed by another token, and nothing is changed.
	Complete(ctx context.Context, key, token string, ttl time.Duration) error

	// Abandon ends a claim, so that the next one can begin at once. It is no error if there is none of this token, and never ends what
	// is completed.
	Abandon(ctx context.Context, key, token string) error
}

// Claim is what a Store says of a key. A new one is the caller's.
type Claim struct {
	State ClaimState
	// Remaining is when an unextended claim of another ends, from now. For ClaimInProgress.
	Remaining time.Duration
}

// ClaimState is the state of a key in a Store.
type ClaimState uint8

const (
	// ClaimNew is that the message is the caller's to handle.
	ClaimNew ClaimState = iota
	// ClaimInProgress is that another one handles it, or has died doing so.
	ClaimInProgress
	// ClaimDone is that it has been handled.
	ClaimDone
)

var (
	// ErrClaimLost is that a claim has ended or is another's: the cause of a handler's context if that happens while it runs.
	ErrClaimLost = errors.New("queueworker: the claim of the message is lost")
	// ErrStoreUnavailable is that the Store could not be asked about a message, which was not handled.
	ErrStoreUnavailable = errors.New("queueworker: the store of duplicates could not be asked")
	// ErrInProgress is that a duplicate of the message is being handled.
	ErrInProgress = errors.New("queueworker: a duplicate of the message is being handled")
)

const (
	defaultRemember  = 4 * 24 * time.Hour
	defaultLock      = 30 * time.Second
	shortestLock     = time.Second
	dedupeCallLimit  = 5 * time.Second
	shortestLockWait = 100 * time.Millisecond
)

// DedupeOptions are the options of Deduplicate. The zero value of each field means its default.
type DedupeOptions struct {
	// Key is what the duplicates of a message have in common; a message without one, for which it is empty, is handled as if there
	// were no store. A key of the producer's own is best: it also stands for a message that was sent twice, and one that comes back
	// from a dead-letter queue. Queues that share a store need keys that differ. Default: the message ID. The deduplication ID of a
	// FIFO queue is a key only if its producers never use one again: SQS takes it in anew after five minutes, and one that SQS makes
	// of the body is that of each message of that body.
	// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html (read 2026-11).
	Key func(*Message) string

	// TTL is for how long it is remembered that a message was handled: as long as a duplicate may come. Default 4 days, which is how
	// long a queue keeps messages by default.
	TTL time.Duration

	// OnError gets the errors of the store that do not change what becomes of the message: of extending, completing and abandoning a
	// claim. It may be called from another goroutine while the handler runs. A panic in it is recovered. Default: they are ignored.
	OnError func(ctx context.Context, m *Message, err error)
}

// Deduplicate has messages that store knows to have been handled deleted without being handled again. It costs two calls to the store
// for each message, one for a duplicate, and one more for each time that the lease is extended.
//
// A duplicate of a message that is being handled is not deleted, since that may fail: it is tried again when the claim of the other
// ends, by an error that is ErrInProgress, which counts toward the queue's redrive policy. The claim ends with the lease of the message
// and is extended with it, so that what a process leaves behind that dies is free when its message comes back. If the claim is lost, the
// context of the handler ends with ErrClaimLost.
//
// If the store cannot be asked, the message is tried again later, by an error that is ErrStoreUnavailable. That counts toward the redrive
// policy too: with five attempts and the delays of Backoff, an outage of fifteen seconds takes messages to the dead-letter queue. Have
// Options.Retry wait longer for that error. A handler that fails, or panics, gives its claim up; Drop completes it. If the store
// cannot be told that the message was handled, the message is deleted nevertheless: it would certainly be handled again if it were
// not, and a duplicate of it may be. This is not exactly-once: a process can die between the handler's effect and Complete. Store must
// not be nil.
func Deduplicate(store Store, optFns ...func(*DedupeOptions)) Middleware {
	var opts DedupeOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	if opts.Key == nil {
		opts.Key = func(m *Message) string { return m.ID }
	}
	if opts.TTL <= 0 {
		opts.TTL = defaultRemember
	}
	if opts.OnError == nil {
		opts.OnError = func(context.Context, *Message, error) {}
	}
	return func(next Handler) Handler { return &deduper{store: store, opts: opts, next: next} }
}

type deduper struct {
	store Store
	opts  DedupeOptions
	next  Handler
}

func (d *deduper) Handle(ctx context.Context, m *Message) error {
	key := d.opts.Key(m)
	if key == "" {
		return d.next.Handle(ctx, m)
	}
	token := rand.Text()
	lock := lockFor(m)
	abandon := func(ctx context.Context) error { return d.store.Abandon(ctx, key, token) }
	began := time.Now() // the claim is counted from the call on, so that it ends no earlier for us than for others
	claim, err := d.begin(ctx, key, token, lock)
	switch {
	case err != nil:
		d.settle(ctx, m, abandon) // it may have begun
		return fmt.Errorf("%w: claim %q: %w", ErrStoreUnavailable, key, err)
	case claim.State == ClaimDone:
		return nil
	case claim.State == ClaimInProgress:
		return RetryAfter(max(claim.Remaining, time.Second), fmt.Errorf("%w: %q", ErrInProgress, key))
	case ctx.Err() != nil: // lost meanwhile, perhaps
		d.settle(ctx, m, abandon)
		return context.Cause(ctx)
	}

	ctx, cancel := context.WithCancelCause(ctx)
	keeper := keepClaim(ctx, d, m, key, token, began.Add(lock), cancel)
	finish := abandon
	defer func() { // also if it panics
		keeper.end()
		d.settle(ctx, m, finish)
	}()
	err = d.next.Handle(ctx, m)
	if final(err) {
		finish = func(ctx context.Context) error { return d.store.Complete(ctx, key, token, d.opts.TTL) }
	}
	return err
}

func (d *deduper) begin(ctx context.Context, key, token string, lock time.Duration) (Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, dedupeCallLimit)
	defer cancel()
	return d.store.Begin(ctx, key, token, lock)
}

// settle makes a call that the end of the handler's context must not end.
func (d *deduper) settle(ctx context.Context, m *Message, call func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dedupeCallLimit)
	defer cancel()
	if err := guard(func() error { return call(ctx) }); err != nil {
		d.tell(ctx, m, err)
	}
}

// tell hands an error to the hook.
func (d *deduper) tell(ctx context.Context, m *Message, err error) {
	_ = guard(func() error { d.opts.OnError(ctx, m, err); return nil }) // there is nobody to tell of its panic
}

// guard calls what is the user's, and makes a panic an error.
func guard(call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return call()
}

// final reports whether the message is deleted for good.
func final(err error) bool {
	if err == nil {
		return true
	}
	o, says := errors.AsType[*OutcomeError](err)
	return says && (o.Outcome == Completed || o.Outcome == Dropped)
}

// lockFor is how long a claim is to last: as long as the lease does now.
func lockFor(m *Message) time.Duration {
	deadline := m.Deadline()
	if deadline.IsZero() { // not from a worker
		return defaultLock
	}
	return max(time.Until(deadline), shortestLock)
}
