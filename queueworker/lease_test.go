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

func TestSlowHandlersKeepTheirLeases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 500
		w := newWorld(t, nil)
		w.send(n)
		var mu sync.Mutex
		handled := 0
		done := make(chan struct{})
		worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			select {
			case <-time.After(5 * time.Second):
			case <-ctx.Done():
				t.Errorf("%s: %v", m.Body, context.Cause(ctx))
			}
			if left := time.Until(m.Deadline()); left <= 0 {
				t.Errorf("%s: the lease has ended %v ago", m.Body, -left)
			}
			if m.Attempt != 1 {
				t.Errorf("%s: attempt %d", m.Body, m.Attempt)
			}
			mu.Lock()
			defer mu.Unlock()
			if handled++; handled == n {
				close(done)
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency, o.Visibility = 100, 2*time.Second })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		s := worker.Stats()
		if s.Received != n || s.LeasesLost > 0 {
			t.Errorf("a lease ran out: %+v", s)
		}
		if s.ExtendCalls > 250 {
			t.Errorf("%d calls that extend, want at most 250", s.ExtendCalls)
		}
	})
}

func TestAHandlerHearsThatItsLeaseIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(1)
		heal, err := w.cloud.Inject(awstest.Match{Service: "SQS", Operation: "ChangeMessageVisibilityBatch"}, awstest.Unavailable())
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		tries := 0
		var lostAfter time.Duration
		worker := w.worker(func(ctx context.Context, _ *queueworker.Message) error {
			if tries++; tries == 2 {
				close(done)
				return nil
			}
			began := time.Now()
			<-ctx.Done()
			lostAfter = time.Since(began)
			if !errors.Is(context.Cause(ctx), queueworker.ErrLeaseLost) {
				t.Errorf("%v", context.Cause(ctx))
			}
			heal()
			return ctx.Err()
		})
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if lostAfter < 20*time.Second || lostAfter > 30*time.Second {
			t.Errorf("lost after %v", lostAfter)
		}
		if s := worker.Stats(); s.LeasesLost != 1 || s.Completed != 1 {
			t.Errorf("%+v", s)
		}
	})
}
