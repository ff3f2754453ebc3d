package queueworker_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
)

// distant makes each call of a worker take a round trip.
func (w *world) distant(trip time.Duration) {
	w.Helper()
	for _, operation := range []string{"ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"} {
		if _, err := w.cloud.Inject(awstest.Match{Service: sqs.ServiceID, Operation: operation}, awstest.Delay(trip)); err != nil {
			w.Fatal(err)
		}
	}
}

// The number of receives follows the rate and the round trip, with few calls and busy slots.
func TestSlotsAreKeptBusy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		slots    int
		handler  time.Duration
		trip     time.Duration
		messages int
		busy     float64 // share of the slots' time
		calls    float64 // for each message
	}{
		{slots: 25, handler: 100 * time.Millisecond, trip: 10 * time.Millisecond, messages: 3000, busy: 0.93, calls: 0.25},
		{slots: 25, handler: 100 * time.Millisecond, trip: 100 * time.Millisecond, messages: 3000, busy: 0.93, calls: 0.25},
		{slots: 10, handler: 100 * time.Millisecond, trip: 10 * time.Millisecond, messages: 1000, busy: 0.93, calls: 0.25},
		{slots: 50, handler: 5 * time.Millisecond, trip: 20 * time.Millisecond, messages: 10_000, busy: 0.9, calls: 0.22},
		{slots: 200, handler: 5 * time.Millisecond, trip: 20 * time.Millisecond, messages: 20_000, busy: 0.8, calls: 0.22},
		{slots: 25, handler: time.Second, trip: 10 * time.Millisecond, messages: 500, busy: 0.93, calls: 0.25},
		{slots: 5, handler: 10 * time.Second, trip: 10 * time.Millisecond, messages: 50, busy: 0.93, calls: 2.5},
		{slots: 1, handler: time.Millisecond, trip: 10 * time.Millisecond, messages: 1000, busy: 0.85, calls: 0.22},
	} {
		t.Run(strconv.Itoa(c.slots)+" slots, "+c.handler.String()+", "+c.trip.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(c.messages)
				w.distant(c.trip)
				var handled atomic.Int64
				done := make(chan struct{})
				var worker *queueworker.Worker
				var took time.Duration
				var s queueworker.Stats
				began := time.Now()
				worker = w.worker(func(context.Context, *queueworker.Message) error {
					time.Sleep(c.handler)
					if handled.Add(1) == int64(c.messages) {
						took, s = time.Since(began), worker.Stats()
						close(done)
					}
					return nil
				}, func(o *queueworker.Options) { o.Concurrency = c.slots })
				if err := w.runUntil(worker, done); err != nil {
					t.Error(err)
				}
				best := time.Duration(c.messages) * c.handler / time.Duration(c.slots)
				if busy := float64(best) / float64(took); busy < c.busy {
					t.Errorf("slots were busy for %.3f of the time, want %.2f", busy, c.busy)
				}
				if calls := float64(s.Receives+s.DeleteCalls+s.ExtendCalls) / float64(c.messages); calls > c.calls {
					t.Errorf("%.3f calls a message, want at most %.2f: %+v", calls, c.calls, s)
				}
				if unproven := s.Received - s.Completed - uint64(s.Running+s.Buffered); unproven != 0 {
					t.Errorf("%d messages are neither handled nor in hand", unproven)
				}
			})
		})
	}
}

func TestAnEmptyQueueHasOneReceiveAndABurstWakesAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const slots, handler = 200, 50 * time.Millisecond
		const rate = uint64(slots * time.Second / handler)
		w := newWorld(t, nil)
		w.distant(20 * time.Millisecond)
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			time.Sleep(handler)
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = slots })
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- worker.Run(ctx) }()
		for range 2 { // the second time after a burst
			time.Sleep(time.Minute)
			before := worker.Stats()
			time.Sleep(10 * time.Minute)
			s := worker.Stats()
			if calls := s.Receives - before.Receives; s.Pollers != 1 || calls > 30 {
				t.Errorf("%d receives under way, %d calls in ten minutes; want 1, and 30 at most", s.Pollers, calls)
			}
			var sending sync.WaitGroup
			sending.Go(func() { w.send(3 * int(rate)) })
			time.Sleep(time.Second)
			before = worker.Stats()
			time.Sleep(time.Second)
			s = worker.Stats()
			if done := s.Completed - before.Completed; done < rate*95/100 {
				t.Errorf("%d messages in the second second of a burst, want %d", done, rate)
			}
			sending.Wait()
		}
		cancel()
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

// Not in parallel: it counts goroutines.
func TestLeasesNeedNoGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, atMost = 10_000, 50
		w := newWorld(t, nil)
		w.send(n)
		w.distant(20 * time.Millisecond)
		before := runtime.NumGoroutine()
		release := make(chan struct{})
		var running sync.WaitGroup
		running.Add(n)
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			running.Done()
			<-release
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = n })
		done := make(chan struct{})
		most := 0
		go func() {
			running.Wait()
			time.Sleep(time.Minute) // receives that were under way have come back
			for range 300 {         // through two rounds of extensions
				time.Sleep(100 * time.Millisecond)
				most = max(most, runtime.NumGoroutine())
			}
			close(release)
			close(done)
		}()
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if beyond := most - before - n - 2; beyond > atMost { // two are those of this test
			t.Errorf("%d goroutines beyond the handlers, want at most %d", beyond, atMost)
		}
		if s := worker.Stats(); s.Completed != n || s.LeasesLost != 0 || s.ExtendCalls > 5*n/10 { // in 90 s
			t.Errorf("%+v", s)
		}
	})
}
