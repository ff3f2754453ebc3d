package queueworker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/queueworkermock"
)

func newStore(t testing.TB, size int) *queueworker.MemoryStore {
	t.Helper()
	store, err := queueworker.NewMemoryStore(func(o *queueworker.MemoryStoreOptions) { o.Size = size })
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// spy lets calls through to a store, unless a test replaces them, and counts them.
func spy(store queueworker.Store) *queueworkermock.StoreMock {
	return &queueworkermock.StoreMock{BeginFunc: store.Begin, ExtendFunc: store.Extend, CompleteFunc: store.Complete, AbandonFunc: store.Abandon}
}

// bodyKey makes the body what duplicates have in common.
func bodyKey(o *queueworker.DedupeOptions) {
	o.Key = func(m *queueworker.Message) string { return m.Body }
}

func TestWhatBecomesOfADuplicateGoesByHowTheFirstEnded(t *testing.T) {
	t.Parallel()
	odd := errors.New("odd")
	for name, tt := range map[string]struct {
		first error
		again bool
	}{
		"done":          {first: nil, again: false},
		"dropped":       {first: queueworker.Drop(odd), again: false},
		"failed":        {first: odd, again: true},
		"retried":       {first: queueworker.RetryAfter(time.Second, odd), again: true},
		"released":      {first: queueworker.Release(nil), again: true},
		"dead-lettered": {first: queueworker.DeadLetter(odd), again: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			h := queueworker.Chain(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error {
				calls++
				return tt.first
			}), queueworker.Deduplicate(newStore(t, 10)))
			m := &queueworker.Message{ID: "m"}
			if err := h.Handle(t.Context(), m); !errors.Is(err, tt.first) {
				t.Error(err)
			}
			want := 1
			if tt.again {
				want = 2
			}
			if err := h.Handle(t.Context(), m); calls != want || !tt.again && err != nil {
				t.Errorf("handled %d times, want %d; %v", calls, want, err)
			}
		})
	}
}

func TestAPanicGivesTheClaimUpAndGoesOn(t *testing.T) {
	t.Parallel()
	store := newStore(t, 10)
	h := queueworker.Chain(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error { panic("ouch") }), queueworker.Deduplicate(store))
	defer func() {
		if v := recover(); v != "ouch" || store.Len() != 0 {
			t.Errorf("recovered %v; %d keys are left", v, store.Len())
		}
	}()
	_ = h.Handle(t.Context(), &queueworker.Message{ID: "m"})
}

func TestTheDefaultKeyIsTheMessageID(t *testing.T) {
	t.Parallel()
	store := spy(newStore(t, 10))
	h := queueworker.Chain(queueworker.HandlerFunc(nothing), queueworker.Deduplicate(store))
	for _, m := range []*queueworker.Message{{ID: "m"}, {ID: "m2", GroupID: "fair"}, {ID: "m3", GroupID: "g", DeduplicationID: "d"}, {}} {
		if err := h.Handle(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	var keys []string
	for _, c := range store.BeginCalls() {
		keys = append(keys, c.Key)
	}
	if diff := cmp.Diff([]string{"m", "m2", "m3"}, keys); diff != "" { // without one, the store is not asked
		t.Error(diff)
	}
}

// TestTheClaimFollowsTheLease: a handler runs for six times the lease, and its duplicate waits.
func TestTheClaimFollowsTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		for range 2 {
			if _, err := w.client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: aws.String("same")}); err != nil {
				t.Fatal(err)
			}
		}
		store := spy(newStore(t, 10))
		var calls atomic.Int32
		var mu sync.Mutex
		outcomes := map[queueworker.Outcome]int{}
		done := make(chan struct{})
		worker := w.worker(func(ctx context.Context, _ *queueworker.Message) error {
			calls.Add(1)
			select {
			case <-time.After(time.Minute):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}, func(o *queueworker.Options) {
			o.Visibility = 10 * time.Second
			o.Middleware = []queueworker.Middleware{queueworker.Deduplicate(store, bodyKey)}
			o.OnEvent = func(_ context.Context, e queueworker.Event) {
				if e.Kind != queueworker.Handled {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				outcomes[e.Outcome]++
				if e.Outcome == queueworker.Retried && !errors.Is(e.Err, queueworker.ErrInProgress) {
					t.Error(e.Err)
				}
				if outcomes[queueworker.Completed] == 2 {
					close(done)
				}
			}
		})
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if calls.Load() != 1 {
			t.Errorf("handled %d times", calls.Load())
		}
		if n := outcomes[queueworker.Retried]; n < 3 || n > 20 {
			t.Errorf("the duplicate was tried again %d times", n)
		}
		if n := len(store.ExtendCalls()); n < 6 || n > 30 {
			t.Errorf("the claim was extended %d times", n)
		}
		if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
			t.Errorf("%d and %d are left", visible, inFlight)
		}
	})
}

func TestALostClaimEndsTheContextOfTheHandler(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	for name, tt := range map[string]struct {
		err   error
		after time.Duration
	}{
		"it is another's":          {err: queueworker.ErrClaimLost, after: 15 * time.Second},
		"it could not be extended": {err: down, after: 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := spy(newStore(t, 10))
				store.ExtendFunc = func(context.Context, string, string, time.Duration) error { return tt.err }
				var reported atomic.Int32
				began := time.Now()
				h := queueworker.Chain(queueworker.HandlerFunc(func(ctx context.Context, _ *queueworker.Message) error {
					<-ctx.Done()
					return context.Cause(ctx)
				}), queueworker.Deduplicate(store, func(o *queueworker.DedupeOptions) {
					o.OnError = func(_ context.Context, _ *queueworker.Message, err error) {
						if !errors.Is(err, tt.err) {
							t.Error(err)
						}
						reported.Add(1)
					}
				}))
				err := h.Handle(t.Context(), &queueworker.Message{ID: "m"})
				took := time.Since(began)
				if !errors.Is(err, queueworker.ErrClaimLost) || took < tt.after || took > tt.after+200*time.Millisecond || reported.Load() == 0 {
					t.Errorf("%v after %v; %d errors told", err, took, reported.Load())
				}
			})
		})
	}
}

func TestAHandlerWaitsForTheCallThatExtendsItsClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := spy(newStore(t, 10))
		var under atomic.Bool
		store.ExtendFunc = func(ctx context.Context, _, _ string, _ time.Duration) error {
			under.Store(true)
			<-ctx.Done()
			under.Store(false)
			return ctx.Err()
		}
		h := queueworker.Chain(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error {
			time.Sleep(16 * time.Second)
			if !under.Load() {
				t.Error("no call is under way")
			}
			return nil
		}), queueworker.Deduplicate(store))
		if err := h.Handle(t.Context(), &queueworker.Message{ID: "m"}); err != nil || under.Load() {
			t.Errorf("%v; a call is under way: %v", err, under.Load())
		}
	})
}

func TestAStoreThatFails(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	t.Run("to begin has the message tried again", func(t *testing.T) {
		t.Parallel()
		store := spy(newStore(t, 10))
		store.BeginFunc = func(context.Context, string, string, time.Duration) (queueworker.Claim, error) {
			return queueworker.Claim{}, down
		}
		h := queueworker.Chain(named("handler"), queueworker.Deduplicate(store))
		err := h.Handle(t.Context(), &queueworker.Message{ID: "m"})
		if !errors.Is(err, down) || !errors.Is(err, queueworker.ErrStoreUnavailable) || len(store.AbandonCalls()) != 1 || store.AbandonCalls()[0].Token != store.BeginCalls()[0].Token {
			t.Errorf("%v; %d claims given up", err, len(store.AbandonCalls()))
		}
	})
	t.Run("to complete does not have it handled again", func(t *testing.T) {
		t.Parallel()
		store := spy(newStore(t, 10))
		store.CompleteFunc = func(ctx context.Context, _, _ string, ttl time.Duration) error {
			if ctx.Err() != nil || ttl != time.Hour {
				t.Errorf("%v, %v", ctx.Err(), ttl)
			}
			return down
		}
		var told error
		ctx, cancel := context.WithCancel(t.Context())
		h := queueworker.Chain(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error { cancel(); return nil }),
			queueworker.Deduplicate(store, func(o *queueworker.DedupeOptions) {
				o.TTL = time.Hour
				o.OnError = func(_ context.Context, _ *queueworker.Message, err error) { told = err }
			}))
		if err := h.Handle(ctx, &queueworker.Message{ID: "m"}); err != nil || !errors.Is(told, down) {
			t.Errorf("%v; told %v", err, told)
		}
	})
}

func TestMemoryStoreKeepsItsContract(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := newStore(t, 10)
		begin := func(token string, want queueworker.Claim) {
			t.Helper()
			got, err := s.Begin(ctx, "k", token, 10*time.Second)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		}
		is := func(err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		begin("a", queueworker.Claim{})
		begin("a", queueworker.Claim{}) // the reply was lost
		time.Sleep(4 * time.Second)
		begin("b", queueworker.Claim{State: queueworker.ClaimInProgress, Remaining: 6 * time.Second})
		is(s.Extend(ctx, "k", "b", time.Second), queueworker.ErrClaimLost)
		is(s.Complete(ctx, "k", "b", time.Minute), queueworker.ErrClaimLost)
		is(s.Abandon(ctx, "k", "b"), nil)
		is(s.Extend(ctx, "k", "a", 10*time.Second), nil)
		begin("b", queueworker.Claim{State: queueworker.ClaimInProgress, Remaining: 10 * time.Second})
		time.Sleep(10 * time.Second)
		begin("b", queueworker.Claim{}) // a has died
		is(s.Extend(ctx, "k", "a", time.Second), queueworker.ErrClaimLost)
		is(s.Complete(ctx, "k", "a", time.Minute), queueworker.ErrClaimLost)
		time.Sleep(time.Minute)
		is(s.Complete(ctx, "k", "b", time.Minute), nil) // late, and nobody else was there
		is(s.Complete(ctx, "k", "b", time.Minute), nil)
		is(s.Abandon(ctx, "k", "b"), nil)
		is(s.Extend(ctx, "k", "b", time.Second), queueworker.ErrClaimLost)
		begin("c", queueworker.Claim{State: queueworker.ClaimDone})
		time.Sleep(time.Minute)
		begin("c", queueworker.Claim{})
		is(s.Abandon(ctx, "k", "c"), nil)
		is(s.Abandon(ctx, "k", "c"), nil)
		begin("d", queueworker.Claim{})
		is(s.Abandon(ctx, "k", "d"), nil)
		if s.Len() != 0 {
			t.Errorf("%d keys are left", s.Len())
		}
		is(s.Complete(ctx, "k", "e", time.Minute), nil) // its claim had ended and was forgotten
	})
}

func TestMemoryStoreIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := newStore(t, 3)
		begin := func(key string, want error) {
			t.Helper()
			if _, err := s.Begin(ctx, key, key, 10*time.Second); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", key, err, want)
			}
		}
		for i := range 100 {
			key := fmt.Sprint("done", i)
			begin(key, nil)
			if err := s.Complete(ctx, key, key, time.Hour); err != nil {
				t.Error(err)
			}
		}
		if claim, err := s.Begin(ctx, "done99", "x", time.Second); s.Len() != 3 || err != nil || claim.State != queueworker.ClaimDone {
			t.Errorf("%d keys; the last one: %v, %v", s.Len(), claim, err)
		}
		for i := range 3 {
			begin(fmt.Sprint("open", i), nil)
		}
		begin("open3", queueworker.ErrStoreFull)
		if err := s.Extend(ctx, "open0", "open0", time.Minute); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		begin("open3", nil)
		begin("open4", nil)
		begin("open5", queueworker.ErrStoreFull)
		if err := s.Extend(ctx, "open0", "open0", time.Minute); err != nil {
			t.Errorf("a claim that goes on was forgotten: %v", err)
		}
	})
}

func TestNewMemoryStoreRefusesASize(t *testing.T) {
	t.Parallel()
	if _, err := queueworker.NewMemoryStore(func(o *queueworker.MemoryStoreOptions) { o.Size = -1 }); err == nil || err.Error() != "queueworker: MemoryStoreOptions.Size: -1 must be greater than zero" {
		t.Error(err)
	}
}

func BenchmarkDeduplicate(b *testing.B) {
	store, err := queueworker.NewMemoryStore()
	if err != nil {
		b.Fatal(err)
	}
	h := queueworker.Chain(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error { return nil }), queueworker.Deduplicate(store))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := h.Handle(context.Background(), &queueworker.Message{ID: fmt.Sprint(i)}); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleDeduplicate() {
	store, err := queueworker.NewMemoryStore()
	if err != nil {
		fmt.Println(err)
		return
	}
	charge := queueworker.HandlerFunc(func(_ context.Context, m *queueworker.Message) error {
		fmt.Println("charge", m.Body)
		return nil
	})
	h := queueworker.Chain(charge, queueworker.Deduplicate(store)) // or Options.Middleware
	for range 2 {
		fmt.Println(h.Handle(context.Background(), &queueworker.Message{ID: "m-1", Body: "9.99"}))
	}
	// Output:
	// charge 9.99
	// <nil>
	// <nil>
}
