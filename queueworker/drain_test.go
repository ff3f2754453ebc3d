package queueworker_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
)

// drained runs a worker for a while, and returns how long it took to end then, and with what.
func (w *world) drained(worker *queueworker.Worker, after time.Duration) (took time.Duration, err error) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	var began time.Time
	time.AfterFunc(after, func() { began = time.Now(); cancel() })
	err = worker.Run(ctx)
	return time.Since(began), err
}

// released checks how many messages are visible, and that none is leased to anybody.
func (w *world) released(want int) {
	w.Helper()
	if visible, inFlight := w.counts(w.url); visible != want || inFlight != 0 {
		w.Errorf("%d messages are visible and %d in flight, want %d and none", visible, inFlight, want)
	}
}

func TestADrainWaitsForHandlersAndGivesTheRestBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const handler, trip = 500 * time.Millisecond, 20 * time.Millisecond
		w := newWorld(t, nil)
		w.send(2000)
		w.distant(trip)
		var handled atomic.Int64
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			time.Sleep(handler)
			handled.Add(1)
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 50 })
		took, err := w.drained(worker, 3200*time.Millisecond)
		if err != nil {
			t.Error(err)
		}
		if took > handler+2*trip+10*time.Millisecond {
			t.Errorf("the drain took %v", took)
		}
		w.released(2000 - int(handled.Load()))
		if s := worker.Stats(); s.Running != 0 || s.Buffered != 0 || s.Pollers != 0 || s.Received != s.Completed+s.Unstarted {
			t.Errorf("%+v", s)
		}
	})
}

func TestADrainOfAnIdleWorker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cancel      bool
		most, lost  time.Duration // of the drain, and of a message that is sent meanwhile
		sendsDuring bool
	}{
		"lets the receive come back, and what it brings is given back": {most: 12 * time.Second, sendsDuring: true},
		"calls it off on request":                                      {cancel: true, most: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				worker := w.worker(func(context.Context, *queueworker.Message) error {
					t.Error("handled")
					return nil
				}, func(o *queueworker.Options) { o.CancelReceives = c.cancel })
				if c.sendsDuring {
					time.AfterFunc(32*time.Second, func() { w.sendBodies(false, "late") })
				}
				took, err := w.drained(worker, 30*time.Second)
				if err != nil {
					t.Error(err)
				}
				if took > c.most {
					t.Errorf("the drain took %v", took)
				}
				if c.sendsDuring {
					w.released(1)
				}
			})
		})
	}
}

func TestHandlersAreToldWhenTheDrainHasTakenLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(10)
		var causes atomic.Int64
		worker := w.worker(func(ctx context.Context, _ *queueworker.Message) error {
			<-ctx.Done()
			if errors.Is(context.Cause(ctx), queueworker.ErrDraining) {
				causes.Add(1)
			}
			return queueworker.Release(context.Cause(ctx))
		}, func(o *queueworker.Options) { o.DrainTimeout = 10 * time.Second })
		took, err := w.drained(worker, time.Minute)
		if err != nil {
			t.Error(err)
		}
		if took < 10*time.Second || took > 11*time.Second || causes.Load() != 10 {
			t.Errorf("the drain took %v, and %d of 10 handlers heard of it", took, causes.Load())
		}
		w.released(10)
	})
}

func TestHandlersThatDoNotEndAreNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(3)
		var ids []string
		end, ended := make(chan struct{}), make(chan struct{}, 3)
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			w.mu(func() { ids = append(ids, m.ID) })
			<-end // deaf to its context
			ended <- struct{}{}
			return nil
		}, func(o *queueworker.Options) { o.DrainTimeout, o.CancelReceives = 10*time.Second, true })
		took, err := w.drained(worker, time.Minute)
		var left *queueworker.DrainError
		if !errors.As(err, &left) {
			t.Fatalf("%v, want a DrainError", err)
		}
		w.mu(func() { slices.Sort(ids) })
		slices.Sort(left.Abandoned)
		var want []string
		w.mu(func() { want = ids })
		if diff := cmp.Diff(want, left.Abandoned); diff != "" || len(left.Undeleted)+len(left.Unreleased) > 0 {
			t.Errorf("%+v: %s", left, diff)
		}
		if took != 11*time.Second {
			t.Errorf("Run returned after %v, want 11s", took)
		}
		close(end)
		for range 3 {
			<-ended
		}
		synctest.Wait()
		if s := worker.Stats(); s.Completed != 0 || s.DeleteCalls != 0 {
			t.Errorf("something was done after Run had returned: %+v", s)
		}
		time.Sleep(time.Minute)
		w.released(3) // they come back by themselves
	})
}

// A drain does not wait until SQS can be reached again.
func TestADrainWhileNothingCanBeReceived(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"down": awstest.Unavailable(), "throttled": awstest.Throttle(), "hanging": awstest.Hang()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				worker := w.worker(func(context.Context, *queueworker.Message) error { return nil })
				time.AfterFunc(time.Minute, func() { w.inject(receive, effect) })
				took, err := w.drained(worker, 10*time.Minute)
				if err != nil {
					t.Error(err)
				}
				if most := 31 * time.Second; took > most {
					t.Errorf("the drain took %v, want at most %v", took, most)
				}
			})
		})
	}
}

func TestADrainInAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			t.Error("handled")
			return nil
		})
		time.AfterFunc(10*time.Second, func() {
			worker.Pause(time.Now().Add(2 * time.Minute)) // ends in the drain's time, if it were not over
		})
		time.AfterFunc(time.Minute, func() { w.send(10) })
		took, err := w.drained(worker, 100*time.Second)
		if err != nil || took > time.Second {
			t.Errorf("%v after %v", err, took)
		}
		worker.Pause(time.Time{})
		worker.Resume()
		time.Sleep(time.Hour)
		w.released(10)
	})
}

func TestAWorkerRunsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		worker := w.worker(func(context.Context, *queueworker.Message) error { return nil })
		if err := worker.Healthy(); !errors.Is(err, queueworker.ErrNotRunning) {
			t.Errorf("before: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := worker.Run(ctx); err != nil {
			t.Errorf("with a context that has ended: %v", err)
		}
		if err := worker.Run(t.Context()); !errors.Is(err, queueworker.ErrAlreadyRun) {
			t.Errorf("again: %v", err)
		}
		if err := worker.Healthy(); !errors.Is(err, queueworker.ErrNotRunning) {
			t.Errorf("after: %v", err)
		}
		if s := worker.Stats(); s.Receives != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// What the user gives may panic, and may call the worker.
func TestTheWorkerOutlivesWhatItCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler func(*queueworker.Worker) error
		option  func(*queueworker.Options)
	}{
		"a handler that panics":      {handler: func(*queueworker.Worker) error { panic("x") }},
		"a handler that panics nil":  {handler: func(*queueworker.Worker) error { panic(nil) }}, //nolint:govet // this is it
		"a retry policy that panics": {option: func(o *queueworker.Options) { o.Retry = func(*queueworker.Message, error) time.Duration { panic("x") } }},
		"an event hook that panics":  {option: func(o *queueworker.Options) { o.OnEvent = func(context.Context, queueworker.Event) { panic("x") } }},
		"middleware that panics": {option: func(o *queueworker.Options) {
			first := true
			o.Middleware = []queueworker.Middleware{func(next queueworker.Handler) queueworker.Handler {
				return queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
					if first {
						first = false
						panic("x")
					}
					return next.Handle(ctx, m)
				})
			}}
		}},
		"a handler that calls the worker": {handler: func(w *queueworker.Worker) error {
			w.Pause(time.Now().Add(time.Second))
			w.Resume()
			_ = w.Stats()
			return errors.Join(w.SetConcurrency(2), w.Healthy(), errors.New("again"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.send(1)
				var worker *queueworker.Worker
				tries := 0
				worker = w.worker(func(context.Context, *queueworker.Message) error {
					switch tries++; {
					case tries > 1:
						return nil
					case c.handler != nil:
						return c.handler(worker)
					}
					return errors.New("again")
				}, func(o *queueworker.Options) {
					if c.option != nil {
						c.option(o)
					}
				})
				if err := w.runFor(worker, time.Hour); err != nil {
					t.Error(err)
				}
				if s := worker.Stats(); s.Completed != 1 {
					t.Errorf("%+v", s)
				}
				w.empty()
			})
		})
	}
}

func TestAReceiveThatADrainCallsOffHasNotFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		worker := w.worker(nothing, func(o *queueworker.Options) {
			o.CancelReceives = true
			o.OnEvent = func(_ context.Context, e queueworker.Event) {
				if e.Kind == queueworker.CallFailed {
					t.Error(e.Err)
				}
			}
		})
		if err := w.runFor(worker, 30*time.Second); err != nil {
			t.Error(err)
		}
		if s := worker.Stats(); s.FailedCalls != 0 || s.Receives != 1 {
			t.Errorf("%d calls failed, %d receives; want none, and the one before", s.FailedCalls, s.Receives)
		}
	})
}
