package queueworker_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/queueworker"
)

// treacherous is an error that panics when it is looked into.
type treacherous struct{}

func (treacherous) Error() string { return "treacherous" }
func (treacherous) As(any) bool   { panic("ouch") }

// What a function returns that nobody meant to return ends the batch all the same: messages that wait for it would hold their slots for ever.
func TestABatchEndsWhateverItsFunctionReturns(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		done bool
	}{
		"a nil *BatchError":                      {err: (*queueworker.BatchError)(nil), done: true},
		"a nil *BatchError that is wrapped":      {err: errors.Join((*queueworker.BatchError)(nil)), done: true},
		"an error that panics when it is looked": {err: treacherous{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, _ := batchOf(t, 3, func(context.Context, []*queueworker.Message) error { return tt.err })
				h := queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) (err error) {
					defer func() {
						if v := recover(); v != nil { // the worker does so
							err = &queueworker.PanicError{Value: v}
						}
					}()
					return b.Handle(ctx, m)
				})
				errs, took := handleAll(t.Context(), h, 3)
				for id, err := range errs {
					if (err == nil) != tt.done || took[id] != 0 {
						t.Errorf("%d: %v after %v", id, err, took[id])
					}
				}
			})
		})
	}
}

// A panic is one of all, also if its value tells the messages apart.
func TestAPanicWithABatchErrorFailsTheWholeBatch(t *testing.T) {
	t.Parallel()
	b, _ := batchOf(t, 2, func(context.Context, []*queueworker.Message) error {
		panic(&queueworker.BatchError{Failed: map[int]error{0: errors.New("odd")}})
	})
	errs, _ := handleAll(t.Context(), b, 2)
	for id, err := range errs {
		if _, panicked := errors.AsType[*queueworker.PanicError](err); !panicked {
			t.Errorf("%d: %v", id, err)
		}
	}
}

// A message that is lost at the moment at which its batch begins may be handled elsewhere.
func TestABatchHasNoMessageThatWasLostBeforeItBegan(t *testing.T) {
	t.Parallel()
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			lost, lose := context.WithCancelCause(t.Context())
			b, sizes := batchOf(t, 2, func(context.Context, []*queueworker.Message) error { return nil })
			first := make(chan error, 1)
			go func() { first <- b.Handle(lost, &queueworker.Message{ID: "lost"}) }()
			synctest.Wait()
			lose(queueworker.ErrLeaseLost)
			err := b.Handle(t.Context(), &queueworker.Message{ID: "kept"}) // makes it full
			if lost := <-first; err != nil || !errors.Is(lost, queueworker.ErrLeaseLost) {
				t.Errorf("%v; that of the lost message: %v", err, lost)
			}
			if diff := cmp.Diff([]int{1}, sizes()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABatchOfLostMessagesOnlyIsNotHandled(t *testing.T) {
	t.Parallel()
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			lost, lose := context.WithCancelCause(t.Context())
			b, sizes := batchOf(t, 10, func(context.Context, []*queueworker.Message) error { return nil })
			time.AfterFunc(time.Second, func() { lose(queueworker.ErrLeaseLost) }) // as its linger ends
			errs, _ := handleAll(lost, b, 2)
			n := 0
			for _, size := range sizes() {
				n += size
			}
			for _, err := range errs {
				if err == nil {
					n--
				} else if !errors.Is(err, queueworker.ErrLeaseLost) {
					t.Error(err)
				}
			}
			if n != 0 {
				t.Errorf("%d messages were handled and are not done: %v", n, errs)
			}
		})
	}
}

// On a FIFO queue the messages of a batch are of different groups. One that fails holds up its own group only, and that in order.
func TestAFailedMemberOfABatchKeepsItsGroupInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := newFIFO(t, 0)
		w.sendBodies(true, "a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3")
		var tries tally
		var groups [3]sequence // by group
		var together atomic.Int64
		b, err := queueworker.NewBatch(func(_ context.Context, messages []*queueworker.Message) error {
			together.Store(max(together.Load(), int64(len(messages))))
			failed := map[int]error{}
			for i, m := range messages {
				groups[m.Body[0]-'a'].begin(t, m)() // and another one of its group begins after this
				if m.Body == "b1" && tries.add("b1") <= 2 {
					failed[i] = errors.New("not yet")
				}
			}
			return &queueworker.BatchError{Failed: failed}
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.runFor(w.worker(b.Handle), time.Minute); err != nil {
			t.Error(err)
		}
		var got []string
		for i := range groups {
			got = append(got, groups[i].String())
		}
		if diff := cmp.Diff("a1#1 a2#1 a3#1, b1#1 b1#2 b1#3 b2#1 b3#1, c1#1 c2#1 c3#1", strings.Join(got, ", ")); diff != "" {
			t.Error(diff)
		}
		if together.Load() != 3 {
			t.Errorf("%d messages in a batch at most, want 3", together.Load())
		}
		if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
			t.Errorf("%d and %d are left", visible, inFlight)
		}
	})
}

// A goroutine that a batch leaves behind would hold its bubble open, and one that ends with runtime.Goexit is not to hold up the others.
func TestOneOfABatchThatEndsItsGoroutineHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(10)
		var calls atomic.Int32
		b, err := queueworker.NewBatch(func(_ context.Context, messages []*queueworker.Message) error {
			if calls.Add(1) == 1 {
				runtime.Goexit()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		worker := w.worker(b.Handle)
		if err := w.runFor(worker, 10*time.Minute); err != nil {
			t.Error(err)
		}
		s := worker.Stats()
		if s.Completed != 10 || s.Retried != 10 {
			t.Errorf("%d completed and %d retried, want 10 and 10", s.Completed, s.Retried)
		}
	})
}
