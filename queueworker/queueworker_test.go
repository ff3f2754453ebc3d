package queueworker_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
)

// world is an SQS with one queue.
type world struct {
	*testing.T
	cloud  *awstest.Cloud
	client *sqs.Client
	url    string
	lock   sync.Mutex
}

// mu runs fn under a lock, for what handlers note.
func (w *world) mu(fn func()) {
	w.lock.Lock()
	defer w.lock.Unlock()
	fn()
}

func newWorld(t *testing.T, attributes map[string]string) *world {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{sqssvc.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, cloud: cloud, client: sqs.NewFromConfig(cloud.Config("us-east-1"))}
	w.url = w.queue("work", attributes)
	return w
}

func (w *world) queue(name string, attributes map[string]string) string {
	w.Helper()
	out, err := w.client.CreateQueue(w.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		w.Fatal(err)
	}
	return *out.QueueUrl
}

// send sends messages with the bodies "0", "1" and so on.
func (w *world) send(n int) {
	w.Helper()
	for i := 0; i < n; i += 10 {
		var entries []types.SendMessageBatchRequestEntry
		for k := i; k < min(i+10, n); k++ {
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(k)), MessageBody: aws.String(strconv.Itoa(k))})
		}
		if _, err := w.client.SendMessageBatch(w.Context(), &sqs.SendMessageBatchInput{QueueUrl: &w.url, Entries: entries}); err != nil {
			w.Fatal(err)
		}
	}
}

// counts returns how many messages a queue has, those that are in flight, and those that are delayed.
func (w *world) counts(url string) (visible, inFlight int) {
	w.Helper()
	out, err := w.client.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		w.Fatal(err)
	}
	visible, _ = strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	inFlight, _ = strconv.Atoi(out.Attributes["ApproximateNumberOfMessagesNotVisible"])
	return visible, inFlight
}

func (w *world) worker(h queueworker.HandlerFunc, optFns ...func(*queueworker.Options)) *queueworker.Worker {
	w.Helper()
	worker, err := queueworker.New(w.client, w.url, h, optFns...)
	if err != nil {
		w.Fatal(err)
	}
	return worker
}

// runUntil runs a worker until done is closed, and returns what Run returned.
func (w *world) runUntil(worker *queueworker.Worker, done <-chan struct{}) error {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	result := make(chan error)
	go func() { result <- worker.Run(ctx) }()
	<-done
	cancel()
	return <-result
}

func TestEachMessageIsHandledOnceAndDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		w := newWorld(t, nil)
		w.send(n)
		var mu sync.Mutex
		seen := map[string]int{}
		done := make(chan struct{})
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			if seen[m.Body]++; len(seen) == n && seen[m.Body] == 1 {
				close(done)
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 20 })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		for body, times := range seen {
			if times != 1 {
				t.Errorf("%s was handled %d times", body, times)
			}
		}
		if visible, inFlight := w.counts(w.url); visible != 0 || inFlight != 0 {
			t.Errorf("%d are left, and %d in flight", visible, inFlight)
		}
		s := worker.Stats()
		calls := s.Receives + s.DeleteCalls + s.ExtendCalls
		if float64(calls)/n > 0.22 {
			t.Errorf("%.3f calls a message: %+v", float64(calls)/n, s)
		}
	})
}

func TestAFailedMessageComesBackAfterItsDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(1)
		done := make(chan struct{})
		var at []time.Time
		worker := w.worker(func(_ context.Context, m *queueworker.Message) error {
			if at = append(at, time.Now()); len(at) < 3 {
				return queueworker.RetryAfter(time.Duration(len(at))*10*time.Second, errors.New("not yet"))
			}
			if m.Attempt != 3 {
				t.Errorf("attempt %d, want 3", m.Attempt)
			}
			close(done)
			return nil
		})
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		for i, want := range []time.Duration{10 * time.Second, 20 * time.Second} {
			if got := at[i+1].Sub(at[i]); got < want || got > want+time.Second {
				t.Errorf("tried again after %v, want %v", got, want)
			}
		}
	})
}
