package queueworker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/queueworker"
)

// batchOf returns a batch handler of messages of a size that lingers a second, and how many messages its batches had.
func batchOf(t *testing.T, size int, fn queueworker.BatchFunc) (b *queueworker.Batch, sizes func() []int) {
	t.Helper()
	var mu sync.Mutex
	var got []int
	b, err := queueworker.NewBatch(func(ctx context.Context, messages []*queueworker.Message) error {
		mu.Lock()
		got = append(got, len(messages))
		mu.Unlock()
		return fn(ctx, messages)
	}, func(o *queueworker.BatchOptions) { o.Size, o.Linger = size, time.Second })
	if err != nil {
		t.Fatal(err)
	}
	return b, func() []int {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

// handleAll handles n messages at a time, and returns what became of each and after how long.
func handleAll(ctx context.Context, h queueworker.Handler, n int) ([]error, []time.Duration) {
	errs, took := make([]error, n), make([]time.Duration, n)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = &queueworker.PanicError{Value: "never returned"}
			defer func() { took[i] = time.Since(began) }()
			errs[i] = h.Handle(ctx, &queueworker.Message{ID: strconv.Itoa(i)})
		})
	}
	wg.Wait()
	return errs, took
}

func TestABatchBeginsWhenItIsFullOrHasLingered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, sizes := batchOf(t, 4, func(context.Context, []*queueworker.Message) error { return nil })
		errs, took := handleAll(t.Context(), b, 10)
		at := map[time.Duration]int{}
		for i := range errs {
			if errs[i] != nil {
				t.Error(errs[i])
			}
			at[took[i]]++
		}
		if diff := cmp.Diff(map[time.Duration]int{0: 8, time.Second: 2}, at) + cmp.Diff([]int{4, 4, 2}, sizes()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEachMessageOfABatchHasItsOwnError(t *testing.T) {
	t.Parallel()
	odd := errors.New("odd")
	whole := errors.New("whole")
	for name, tt := range map[string]struct {
		fn   func(messages []*queueworker.Message) error
		want func(id int) error
	}{
		"all are done": {fn: func([]*queueworker.Message) error { return nil }, want: func(int) error { return nil }},
		"all fail":     {fn: func([]*queueworker.Message) error { return whole }, want: func(int) error { return whole }},
		"some fail, in a wrapped error": {
			fn: func(messages []*queueworker.Message) error {
				e := &queueworker.BatchError{Failed: map[int]error{}}
				for i, m := range messages {
					if e.Failed[i] = nil; m.ID == "1" || m.ID == "3" {
						e.Failed[i] = odd
					}
				}
				return fmt.Errorf("insert: %w", e)
			},
			want: func(id int) error {
				if id%2 == 1 {
					return odd
				}
				return nil
			},
		},
		"an empty BatchError is none": {fn: func([]*queueworker.Message) error { return &queueworker.BatchError{} }, want: func(int) error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, _ := batchOf(t, 4, func(_ context.Context, messages []*queueworker.Message) error { return tt.fn(messages) })
				errs, _ := handleAll(t.Context(), b, 4)
				for id, err := range errs {
					if !errors.Is(err, tt.want(id)) {
						t.Errorf("%d: %v, want %v", id, err, tt.want(id))
					}
				}
			})
		})
	}
}

func TestABatchErrorOfOtherMessagesFailsAll(t *testing.T) {
	t.Parallel()
	b, _ := batchOf(t, 2, func(context.Context, []*queueworker.Message) error {
		return &queueworker.BatchError{Failed: map[int]error{2: errors.New("odd")}}
	})
	errs, _ := handleAll(t.Context(), b, 2)
	for id, err := range errs {
		if err == nil {
			t.Errorf("%d is done", id)
		}
	}
}

func TestAPanicOrTheEndOfTheGoroutineFailsTheWholeBatch(t *testing.T) {
	t.Parallel()
	for name, fn := range map[string]func(){"panic": func() { panic("ouch") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := batchOf(t, 3, func(context.Context, []*queueworker.Message) error { fn(); return nil })
			errs, _ := handleAll(t.Context(), b, 3)
			for id, err := range errs {
				var p *queueworker.PanicError
				if !errors.As(err, &p) || name == "panic" && (p.Value != "ouch" || len(p.Stack) == 0) {
					t.Errorf("%d: %v", id, err)
				}
			}
		})
	}
}

func TestAMessageThatIsLostWhileItWaitsLeavesTheBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, sizes := batchOf(t, 3, func(context.Context, []*queueworker.Message) error { return nil })
		ctx, cancel := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		began := time.Now()
		wg.Go(func() {
			if err := b.Handle(ctx, &queueworker.Message{}); !errors.Is(err, queueworker.ErrLeaseLost) || time.Since(began) != 300*time.Millisecond {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		})
		time.Sleep(100 * time.Millisecond)
		wg.Go(func() {
			if err := b.Handle(t.Context(), &queueworker.Message{}); err != nil || time.Since(began) != time.Second {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		})
		time.Sleep(200 * time.Millisecond)
		cancel(queueworker.ErrLeaseLost)
		wg.Wait()
		if err := b.Handle(ctx, &queueworker.Message{}); !errors.Is(err, queueworker.ErrLeaseLost) {
			t.Errorf("one that is lost already: %v", err)
		}
		if diff := cmp.Diff([]int{1}, sizes()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAllThatWaitLeaveAndTheNextBatchIsNotHurt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, sizes := batchOf(t, 3, func(context.Context, []*queueworker.Message) error { return nil })
		ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, queueworker.ErrDraining)
		defer cancel()
		errs, took := handleAll(ctx, b, 2)
		for i, err := range errs {
			if !errors.Is(err, queueworker.ErrDraining) || took[i] != 500*time.Millisecond {
				t.Errorf("%v after %v", err, took[i])
			}
		}
		if errs, took = handleAll(t.Context(), b, 1); errs[0] != nil || took[0] != time.Second {
			t.Errorf("%v after %v, want a second", errs[0], took[0])
		}
		if diff := cmp.Diff([]int{1}, sizes()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheContextOfABatchEndsWithTheLastOfItsMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		b, _ := batchOf(t, 2, func(ctx context.Context, _ []*queueworker.Message) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		var wg sync.WaitGroup
		for _, d := range []time.Duration{time.Second, 3 * time.Second} {
			wg.Go(func() {
				ctx, cancel := context.WithTimeoutCause(t.Context(), d, fmt.Errorf("after %v", d))
				defer cancel()
				err := b.Handle(ctx, &queueworker.Message{})
				if err == nil || err.Error() != "after 3s" || time.Since(began) != 3*time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		}
		wg.Wait()
	})
}

func TestAWaitingMessageHoldsADrainUpByNoMoreThanLinger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(3)
		b, sizes := batchOf(t, 10, func(context.Context, []*queueworker.Message) error { return nil })
		received := make(chan struct{})
		var count sync.WaitGroup
		count.Add(3)
		go func() { count.Wait(); close(received) }()
		worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			count.Done()
			return b.Handle(ctx, m)
		}, func(o *queueworker.Options) { o.CancelReceives = true })
		began := time.Now()
		if err := w.runUntil(worker, received); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the drain took %v", took)
		}
		if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
			t.Errorf("%d and %d are left", visible, inFlight)
		}
		if diff := cmp.Diff([]int{3}, sizes()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNewBatchRefusesMistakesAllAtOnce(t *testing.T) {
	t.Parallel()
	_, err := queueworker.NewBatch(nil, func(o *queueworker.BatchOptions) { o.Size, o.Linger = -1, time.Hour })
	want := "queueworker: fn: must not be nil\nqueueworker: BatchOptions.Size: -1 must be from 1 to 100000\nqueueworker: BatchOptions.Linger: 1h0m0s must be greater than zero and at most 5m"
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func BenchmarkBatch(b *testing.B) {
	h, err := queueworker.NewBatch(func(context.Context, []*queueworker.Message) error { return nil },
		func(o *queueworker.BatchOptions) { o.Linger = time.Millisecond }) // at the end there are too few for a batch
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetParallelism(20)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := h.Handle(context.Background(), &queueworker.Message{}); err != nil {
				b.Error(err)
			}
		}
	})
}

func ExampleNewBatch() {
	insert, err := queueworker.NewBatch(func(_ context.Context, messages []*queueworker.Message) error {
		fmt.Println(len(messages), "rows")
		failed := map[int]error{}
		for i, m := range messages {
			if m.Body == "" {
				failed[i] = queueworker.DeadLetter(errors.New("it is empty"))
			}
		}
		return &queueworker.BatchError{Failed: failed}
	}, func(o *queueworker.BatchOptions) { o.Size = 3 })
	if err != nil {
		fmt.Println(err)
		return
	}
	bodies := []string{"a", "", "c"} // a worker calls Handle like this
	results := make([]error, len(bodies))
	var wg sync.WaitGroup
	for i, body := range bodies {
		wg.Go(func() { results[i] = insert.Handle(context.Background(), &queueworker.Message{Body: body}) })
	}
	wg.Wait()
	fmt.Println(results)
	// Output:
	// 3 rows
	// [<nil> it is empty <nil>]
}
