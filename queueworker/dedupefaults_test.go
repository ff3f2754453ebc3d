package queueworker_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/queueworker"
)

// A store is the user's, and called in a goroutine of the library's too, where a panic would end the process.
func TestAStoreThatPanicsIsOneThatFails(t *testing.T) {
	t.Parallel()
	t.Run("to extend, and the claim is lost when it ends", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := spy(newStore(t, 10))
			store.ExtendFunc = func(context.Context, string, string, time.Duration) error { panic("ouch") }
			var told atomic.Int32
			h := queueworker.Chain(queueworker.HandlerFunc(func(ctx context.Context, _ *queueworker.Message) error {
				<-ctx.Done()
				return context.Cause(ctx)
			}), queueworker.Deduplicate(store, func(o *queueworker.DedupeOptions) {
				o.OnError = func(_ context.Context, _ *queueworker.Message, err error) {
					if p, ok := errors.AsType[*queueworker.PanicError](err); !ok || p.Value != "ouch" {
						t.Error(err)
					}
					told.Add(1)
					panic("and so does the hook")
				}
			}))
			began := time.Now()
			err := h.Handle(t.Context(), &queueworker.Message{ID: "m"})
			if took := time.Since(began); !errors.Is(err, queueworker.ErrClaimLost) || took < 30*time.Second || took > 31*time.Second || told.Load() < 2 {
				t.Errorf("%v after %v; %d errors told", err, took, told.Load())
			}
		})
	})
	t.Run("to complete, and the message is deleted", func(t *testing.T) {
		t.Parallel()
		store := spy(newStore(t, 10))
		store.CompleteFunc = func(context.Context, string, string, time.Duration) error { panic("ouch") }
		var told error
		h := queueworker.Chain(queueworker.HandlerFunc(nothing), queueworker.Deduplicate(store, func(o *queueworker.DedupeOptions) {
			o.OnError = func(_ context.Context, _ *queueworker.Message, err error) { told = err; panic("and so does the hook") }
		}))
		if err := h.Handle(t.Context(), &queueworker.Message{ID: "m"}); err != nil {
			t.Error(err)
		}
		if _, ok := errors.AsType[*queueworker.PanicError](told); !ok {
			t.Errorf("told %v", told)
		}
	})
}

// Once a claim has ended another process may have it: a call that takes long is not waited for.
func TestAHandlerHearsOfItsLostClaimWhenThatEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := spy(newStore(t, 10))
		store.ExtendFunc = func(ctx context.Context, _, _ string, _ time.Duration) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(4 * time.Second):
				return errors.New("down")
			}
		}
		h := queueworker.Chain(queueworker.HandlerFunc(func(ctx context.Context, _ *queueworker.Message) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}), queueworker.Deduplicate(store))
		began := time.Now()
		err := h.Handle(t.Context(), &queueworker.Message{ID: "m"})
		if took := time.Since(began); !errors.Is(err, queueworker.ErrClaimLost) || took < 30*time.Second || took > 30*time.Second+100*time.Millisecond {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// A lease that ends while the store does not answer: the other process that gets the message is the one that handles it.
func TestTwoProcessesHandleAMessageOnceThoughTheFirstStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, 10)
		ctx := t.Context()
		var effects atomic.Int32
		effect := func(ctx context.Context, _ *queueworker.Message) error {
			if ctx.Err() != nil { // a handler that heeds its context
				return context.Cause(ctx)
			}
			effects.Add(1)
			return nil
		}
		slow := spy(store)
		slow.ExtendFunc = func(ctx context.Context, _, _ string, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }
		first := queueworker.Chain(queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Hour):
			}
			return effect(ctx, m)
		}), queueworker.Deduplicate(slow))
		second := queueworker.Chain(queueworker.HandlerFunc(effect), queueworker.Deduplicate(store))

		result := make(chan error, 1)
		go func() { result <- first.Handle(ctx, &queueworker.Message{ID: "m"}) }()
		time.Sleep(29 * time.Second)
		var again *queueworker.OutcomeError
		err := second.Handle(ctx, &queueworker.Message{ID: "m"})
		if !errors.As(err, &again) || !errors.Is(err, queueworker.ErrInProgress) || again.After != time.Second {
			t.Errorf("while the claim lasts: %v, %+v", err, again)
		}
		time.Sleep(again.After + 100*time.Millisecond)
		if err := second.Handle(ctx, &queueworker.Message{ID: "m"}); err != nil {
			t.Errorf("after the claim: %v", err)
		}
		if err := <-result; !errors.Is(err, queueworker.ErrClaimLost) || effects.Load() != 1 {
			t.Errorf("the first: %v; %d effects", err, effects.Load())
		}
		if err := second.Handle(ctx, &queueworker.Message{ID: "m"}); err != nil || effects.Load() != 1 {
			t.Errorf("a duplicate: %v; %d effects", err, effects.Load())
		}
	})
}

// A deduplication ID that SQS makes of the body is that of every message of that body: after five minutes SQS takes the next one in, and
// to take that for a duplicate would be to lose it.
func TestMessagesOfOneBodyAreNotDuplicatesOfEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.url = w.queue("reports.fifo", map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
		for range 3 {
			if _, err := w.client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: aws.String("make the report"), MessageGroupId: aws.String("reports")}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		var calls atomic.Int32
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			calls.Add(1)
			return nil
		}, func(o *queueworker.Options) {
			o.Middleware = []queueworker.Middleware{queueworker.Deduplicate(newStore(t, 10))}
		})
		if err := w.runFor(worker, time.Minute); err != nil {
			t.Error(err)
		}
		if calls.Load() != 3 {
			t.Errorf("%d of 3 messages were handled", calls.Load())
		}
	})
}

// An outage of the store is no reason to give messages up. What Backoff makes of one is in Deduplicate's comment.
func TestAnOutageOfTheStoreCostsNoMessageIfItsErrorIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		retry  queueworker.RetryPolicy
		outage time.Duration
		dead   int
	}{
		"the default, for fifteen seconds": {retry: nil, outage: 15*time.Second + 500*time.Millisecond, dead: 10},
		"one that waits, for an hour": {retry: func(_ *queueworker.Message, err error) time.Duration {
			if errors.Is(err, queueworker.ErrStoreUnavailable) {
				return 15 * time.Minute
			}
			return time.Second
		}, outage: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				letters := w.redrive() // after five attempts
				w.send(10)
				memory := newStore(t, 100)
				store := spy(memory)
				back := time.Now().Add(tt.outage)
				store.BeginFunc = func(ctx context.Context, key, token string, lock time.Duration) (queueworker.Claim, error) {
					if time.Now().Before(back) {
						return queueworker.Claim{}, errOut
					}
					return memory.Begin(ctx, key, token, lock)
				}
				worker := w.worker(nothing, func(o *queueworker.Options) {
					o.Retry = tt.retry
					o.Middleware = []queueworker.Middleware{queueworker.Deduplicate(store)}
				})
				if err := w.runFor(worker, 3*time.Hour); err != nil {
					t.Error(err)
				}
				if dead, _ := w.counts(letters); dead != tt.dead || uint64(10-dead) != worker.Stats().Completed {
					t.Errorf("%d in the dead-letter queue, %d completed", dead, worker.Stats().Completed)
				}
			})
		})
	}
}
