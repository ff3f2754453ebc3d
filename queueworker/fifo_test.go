package queueworker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
)

// newFIFO is an SQS with one FIFO queue, and a dead-letter queue if messages may be received so often; zero is none.
func newFIFO(t *testing.T, maxReceives int) (w *world, dead string) {
	t.Helper()
	w = newWorld(t, nil)
	attributes := map[string]string{"FifoQueue": "true"}
	if maxReceives > 0 {
		dead = w.queue("dead.fifo", attributes)
		out, err := w.client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &dead, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
		if err != nil {
			t.Fatal(err)
		}
		attributes["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, out.Attributes["QueueArn"], maxReceives)
	}
	w.url = w.queue("work.fifo", attributes)
	return w, dead
}

// sequence is what handlers began with, in order, such as "a1#1" for the first attempt at a1, and checks that each group is handled by
// one at a time.
type sequence struct {
	mu      sync.Mutex
	began   []string
	running map[string]bool
}

func (s *sequence) begin(t *testing.T, m *queueworker.Message) (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = append(s.began, fmt.Sprintf("%s#%d", m.Body, m.Attempt))
	if s.running == nil {
		s.running = map[string]bool{}
	}
	if s.running[m.GroupID] {
		t.Errorf("%s: another one of its group is being handled", m.Body)
	}
	s.running[m.GroupID] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running[m.GroupID] = false
	}
}

func (s *sequence) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.began, " ")
}

// Whatever becomes of its first message, a group stays in order, and those that follow lose no attempt if it can be helped.
func TestAGroupStaysInOrder(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		first       func(ctx context.Context) error // what the handler of the first message does
		times       int                             // how often, before it succeeds
		maxReceives int                             // of the redrive policy
		took        time.Duration
		want        string
		letters     int
	}{
		"completed":                     {times: 0, want: "a1#1 a2#1 a3#1"},
		"failed":                        {first: func(context.Context) error { return failed }, times: 3, want: "a1#1 a1#2 a1#3 a1#4 a2#1 a3#1"},
		"to be retried after long":      {first: func(context.Context) error { return queueworker.RetryAfter(time.Hour, nil) }, times: 1, took: time.Hour, want: "a1#1 a1#2 a2#1 a3#1"},
		"dropped":                       {first: func(context.Context) error { return queueworker.Drop(nil) }, times: 1, want: "a1#1 a2#1 a3#1"},
		"released":                      {first: func(context.Context) error { return queueworker.Release(nil) }, times: 1, want: "a1#1 a1#2 a2#2 a3#2"},
		"panicked":                      {first: func(context.Context) error { panic("x") }, times: 1, want: "a1#1 a1#2 a2#1 a3#1"},
		"ended its goroutine":           {first: func(context.Context) error { runtime.Goexit(); return nil }, times: 1, want: "a1#1 a1#2 a2#1 a3#1"},
		"timed out":                     {first: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }, times: 1, took: time.Minute, want: "a1#1 a1#2 a2#1 a3#1"},
		"dead-lettered":                 {first: func(context.Context) error { return queueworker.DeadLetter(nil) }, times: 1, maxReceives: 5, letters: 1, want: "a1#1 a2#1 a3#1"},
		"without a dead-letter queue":   {first: func(context.Context) error { return queueworker.DeadLetter(nil) }, times: 1, took: 15 * time.Minute, want: "a1#1 a1#2 a2#2 a3#2"},
		"the last attempt":              {first: func(context.Context) error { return failed }, times: 9, maxReceives: 3, letters: 1, want: "a1#1 a1#2 a1#3 a2#1 a3#1"},
		"longer than it can be held":    {first: func(context.Context) error { return queueworker.RetryAfter(13*time.Hour, nil) }, times: 1, took: 12 * time.Hour, want: "a1#1 a1#2 a2#2 a3#2"},
		"at the end of what it is held": {first: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }, times: 1, took: 13 * time.Hour, want: "a1#1 a1#2 a2#2 a3#2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, dead := newFIFO(t, c.maxReceives)
				w.sendBodies(true, "a1", "a2", "a3")
				var s sequence
				var tries tally
				worker := w.worker(func(ctx context.Context, m *queueworker.Message) error {
					defer s.begin(t, m)()
					if m.Body == "a1" && tries.add("a1") <= c.times {
						return c.first(ctx)
					}
					return nil
				}, func(o *queueworker.Options) {
					if name == "timed out" {
						o.HandlerTimeout = time.Minute
					}
				})
				if err := w.runFor(worker, c.took+2*time.Minute); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(c.want, s.String()); diff != "" {
					t.Error(diff)
				}
				w.empty()
				if c.letters > 0 {
					if visible, _ := w.counts(dead); visible != c.letters {
						t.Errorf("%d dead letters, want %d", visible, c.letters)
					}
				}
			})
		})
	}
}

// TestGroupsRunBesideEachOther: ten slots work on ten groups at a time, while one of them is held up.
func TestGroupsRunBesideEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := newFIFO(t, 0)
		for n := range 12 {
			for group := range 10 {
				w.sendBodies(true, fmt.Sprintf("%c%02d", 'a'+rune(group), n))
			}
		}
		var s sequence
		began := time.Now()
		ends := map[string]time.Duration{}
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			defer s.begin(t, m)()
			time.Sleep(time.Second)
			if m.Body == "a00" && time.Since(began) < time.Minute {
				return errors.New("not yet")
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			ends[m.GroupID] = time.Since(began)
			return nil
		})
		if err := w.runFor(worker, 5*time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		for group, took := range ends {
			if group != "a" && took > 20*time.Second { // 12 s of work
				t.Errorf("group %s took %v beside one that is held up", group, took)
			}
		}
		last := map[byte]string{}
		for _, one := range s.began {
			if body, attempt, _ := strings.Cut(one, "#"); attempt == "1" {
				if body <= last[one[0]] {
					t.Errorf("%s comes after %s", body, last[one[0]])
				}
				last[one[0]] = body
			}
		}
	})
}

// A message group on a standard queue is for fairness, not for order.
func TestGroupsOfAStandardQueueHaveNoOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		group := "tenant"
		for range 10 {
			if _, err := w.client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: &group, MessageGroupId: &group}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		var last time.Duration
		var mu sync.Mutex
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			time.Sleep(time.Minute)
			mu.Lock()
			defer mu.Unlock()
			last = time.Since(began)
			if m.GroupID != group {
				t.Errorf("group %q", m.GroupID)
			}
			return nil
		})
		if err := w.runFor(worker, 20*time.Minute); err != nil {
			t.Error(err)
		}
		if last > 61*time.Second {
			t.Errorf("ten slots took %v for ten messages of a minute", last)
		}
	})
}

// TestALostFollowerTakesOnlyThoseBehindItAlong: what is before it goes on.
func TestALostFollowerTakesOnlyThoseBehindItAlong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := newFIFO(t, 0)
		w.sendBodies(true, "a1", "a2", "a3", "a4")
		// The third of the first extension: that of a3.
		w.inject(extend, sqssvc.FailEntries("ReceiptHandleIsInvalid", true, func(i int, _ string) bool { return i == 2 }), times(1))
		var s sequence
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			defer s.begin(t, m)()
			if m.Attempt == 1 {
				time.Sleep(25 * time.Second) // past the first extension
			}
			return nil
		})
		if err := w.runFor(worker, 5*time.Minute); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff("a1#1 a2#1 a3#2 a4#2", s.String()); diff != "" {
			t.Error(diff)
		}
		w.empty()
	})
}

// TestADrainKeepsTheDelayOfARetry: somebody else tries the first message of the group when it is due, and not at once.
func TestADrainKeepsTheDelayOfARetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := newFIFO(t, 0)
		w.sendBodies(true, "a1", "a2")
		var s sequence
		handler := func(_ context.Context, m *queueworker.Message) error {
			defer s.begin(t, m)()
			if m.Body == "a1" && m.Attempt == 1 {
				return queueworker.RetryAfter(10*time.Minute, nil)
			}
			return nil
		}
		if err := w.runFor(w.worker(handler), 4*time.Minute); err != nil {
			t.Error(err)
		}
		drained := time.Now()
		var second time.Duration
		next := w.worker(func(ctx context.Context, m *queueworker.Message) error {
			if m.Body == "a1" {
				second = time.Since(drained)
			}
			return handler(ctx, m)
		})
		if err := w.runFor(next, 20*time.Minute); err != nil {
			t.Error(err)
		}
		if second < 5*time.Minute || second > 6*time.Minute+time.Second { // the drain may wait for a receive
			t.Errorf("tried again %v after the drain, want about 6 min", second)
		}
		if diff := cmp.Diff("a1#1 a1#2 a2#2", s.String()); diff != "" {
			t.Error(diff)
		}
		w.empty()
	})
}
