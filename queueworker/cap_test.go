package queueworker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/queueworker"
)

// TestAHandlerThatHoldsOnBeyondTheCapHoldsUpNoOther: one message has reached its cap, and lasts as long as its lease does, while others
// are extended.
func TestAHandlerThatHoldsOnBeyondTheCapHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.sendBodies(false, "stubborn")
		done := make(chan struct{})
		worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			if m.Body == "stubborn" {
				<-ctx.Done()
				if cause := context.Cause(ctx); !errors.Is(cause, queueworker.ErrLeaseCap) {
					t.Errorf("%v, want ErrLeaseCap", cause)
				}
				time.Sleep(7 * time.Second)
				return nil
			}
			select {
			case <-time.After(40 * time.Second):
			case <-ctx.Done():
				t.Errorf("%s: %v", m.Body, context.Cause(ctx))
			}
			close(done)
			return nil
		}, func(o *queueworker.Options) { o.Visibility, o.MaxHold = 10*time.Second, time.Minute })
		// The other one is due for an extension in the last quarter of the lease that is extended no more.
		time.AfterFunc(39*time.Second, func() { w.sendBodies(false, "other") })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		w.empty()
	})
}

// TestTwelveHoursAreTheEnd: a handler that ignores its context holds a message for as long as SQS permits. Then the message comes
// again, and is not handled at the same time by the same worker.
func TestTwelveHoursAreTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.sendBodies(false, "long")
		var r record
		done := make(chan struct{})
		var took time.Duration
		told := make(chan time.Duration, 1)
		running, calls := 0, 0
		worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			began := time.Now()
			if running++; running > 1 {
				t.Error("handled twice at the same time")
			}
			calls++
			stop := context.AfterFunc(ctx, func() { told <- time.Since(began) })
			defer stop()
			time.Sleep(13 * time.Hour)
			took = time.Since(began)
			running--
			close(done)
			return nil
		}, r.option)
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if got, want := <-told, 12*time.Hour-90*time.Second; got < want-time.Second || got > want+20*time.Second {
			t.Errorf("told after %v, want %v", got, want)
		}
		if took != 13*time.Hour || calls != 1 {
			t.Errorf("%d handlers, the last one for %v", calls, took)
		}
		w.empty()
		s := worker.Stats()
		if s.Completed != 1 || s.LeasesLost != 1 || len(r.of(queueworker.LeaseLost)) != 1 {
			t.Errorf("%+v", s)
		}
		if s.Received > 5 { // under a lease of its own each, and not as often as a lease ends
			t.Errorf("received %d times", s.Received)
		}
		if failed := s.FailedCalls + uint64(len(r.of(queueworker.CallFailed))); failed > 0 {
			t.Errorf("%d calls failed: SQS was asked for more than twelve hours", failed)
		}
	})
}

// TestAMessageThatWaitsForTooLongIsGivenBack: nobody has begun with it, so that there is nothing to be lost.
func TestAMessageThatWaitsForTooLongIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.sendBodies(false, "first", "second")
		var r record
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			if m.Attempt == 1 {
				time.Sleep(25 * time.Second)
			}
			return nil
		}, r.option, func(o *queueworker.Options) {
			o.Concurrency, o.Visibility, o.MaxHold = 1, 10*time.Second, 20*time.Second
		})
		if err := w.runFor(worker, time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		if lost := r.of(queueworker.LeaseLost); len(lost) > 0 {
			t.Errorf("the lease of %q is lost", lost[0].Message.Body)
		}
		if s := worker.Stats(); s.RetryCalls == 0 || s.Completed != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// TestRetriesEndWithTheTwelveHours: SQS refuses a delay beyond them.
func TestRetriesEndWithTheTwelveHours(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.sendBodies(false, "late")
		var r record
		done := make(chan struct{})
		var failed time.Time
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			if failed.IsZero() {
				time.Sleep(7 * time.Hour)
				failed = time.Now()
				return queueworker.RetryAfter(12*time.Hour, nil)
			}
			if after := time.Since(failed); after < 5*time.Hour-2*time.Minute || after > 5*time.Hour {
				t.Errorf("tried again after %v, want almost five hours", after)
			}
			close(done)
			return nil
		}, r.option)
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		w.empty()
		if events := r.of(queueworker.CallFailed); len(events) > 0 {
			t.Errorf("%v", events[0].Err)
		}
	})
}

func TestATimeoutIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.sendBodies(false, "slow")
		done := make(chan struct{})
		worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			if m.Attempt == 2 {
				close(done)
				return nil
			}
			began := time.Now()
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, queueworker.ErrHandlerTimeout) || time.Since(began) != time.Minute {
				t.Errorf("%v after %v", cause, time.Since(began))
			}
			return ctx.Err()
		}, func(o *queueworker.Options) { o.HandlerTimeout = time.Minute })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		w.empty()
	})
}
