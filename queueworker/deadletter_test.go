package queueworker_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
)

func TestDeadLettersGoWhereTheOptionsSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		dead := w.queue("elsewhere", nil)
		w.send(3)
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			return queueworker.DeadLetter(errors.New("not for me"))
		}, func(o *queueworker.Options) { o.DeadLetterURL = dead })
		done := make(chan struct{})
		time.AfterFunc(10*time.Second, func() { close(done) })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if visible, _ := w.counts(dead); visible != 3 {
			t.Errorf("%d dead letters, want 3", visible)
		}
		if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
			t.Errorf("%d and %d are left", visible, inFlight)
		}
	})
}

func TestWithoutADeadLetterQueueTheMessageStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(1)
		var mu sync.Mutex
		var kinds []queueworker.EventKind
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			return queueworker.DeadLetter(nil)
		}, func(o *queueworker.Options) {
			o.OnEvent = func(_ context.Context, e queueworker.Event) {
				mu.Lock()
				defer mu.Unlock()
				kinds = append(kinds, e.Kind)
			}
		})
		done := make(chan struct{})
		time.AfterFunc(time.Minute, func() { close(done) })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if visible, inFlight := w.counts(w.url); visible != 0 || inFlight != 1 {
			t.Errorf("%d visible, %d in flight; want it to wait for the longest delay", visible, inFlight)
		}
		if len(kinds) < 2 || kinds[1] != queueworker.DeadLetterMissing {
			t.Errorf("%v", kinds)
		}
	})
}

// TestOneFailedReceiveDoesNotStopTheOthers: a tenth of the receives fails, and the rest goes on as if nothing was.
func TestOneFailedReceiveDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 2000
		w := newWorld(t, nil)
		w.send(n)
		if _, err := w.cloud.Inject(awstest.Match{Service: "SQS", Operation: "ReceiveMessage", Probability: 0.1}, awstest.Unavailable()); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		left := make(chan struct{}, n)
		began := time.Now()
		var took time.Duration
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			time.Sleep(10 * time.Millisecond)
			if left <- struct{}{}; len(left) == n {
				took = time.Since(began)
				close(done)
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 20 })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if took > 3*time.Second { // 1 s of work
			t.Errorf("took %v", took)
		}
	})
}
