package queueworker_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
)

// All adapters around each other, while a batch panics, fails as a whole, in part or ends its goroutine, the store and the bodies' bucket
// are out of reach, and calls to SQS fail: each message is told to be done before it is deleted, and but for what the store was not told, once.
func TestAdaptersTogetherLoseNothingAndDoNothingTwice(t *testing.T) {
	t.Parallel()
	for range 20 {
		seed := rand.Uint64()
		for _, fifo := range []bool{false, true} {
			t.Run(fmt.Sprintf("fifo %v, seed %d", fifo, seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { playAdapters(t, fifo, rand.New(rand.NewPCG(seed, 0))) })
			})
		}
	}
}

// elsewhere makes of a message what its sender would have made of one whose body is too large.
func elsewhere(next queueworker.Handler) queueworker.Handler {
	return queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
		pointer := *m
		pointer.Body, pointer.Attributes = fmt.Sprintf(`["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":%q}]`, m.Body), sized("ExtendedPayloadSize")
		return next.Handle(ctx, &pointer)
	})
}

var errOut = errors.New("out of reach")

func playAdapters(t *testing.T, fifo bool, random *rand.Rand) {
	const messages = 60
	w := newWorld(t, nil)
	if fifo {
		w, _ = newFIFO(t, 0)
	}
	var bodies []string
	for i := range messages {
		bodies = append(bodies, fmt.Sprintf("%c%d", 'a'+i%6, i/6)) // the first letter is the group
	}
	w.sendBodies(fifo, bodies...)
	for _, operation := range []string{"DeleteMessageBatch", "ChangeMessageVisibilityBatch", "ReceiveMessage"} {
		for _, effect := range []awstest.Effect{awstest.Throttle(), awstest.LoseReply(), sqssvc.FailEntries("InternalError", false, nil)} {
			if operation == "ReceiveMessage" {
				effect = awstest.Throttle()
			}
			if _, err := w.cloud.Inject(awstest.Match{Service: sqs.ServiceID, Operation: operation, Probability: 0.05}, effect); err != nil {
				t.Fatal(err)
			}
		}
	}
	var mu sync.Mutex // for random too
	chance := func(percent int) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(100) < percent
	}
	done, untold, order := map[string]int{}, map[string]int{}, map[byte]string{}

	batch, err := queueworker.NewBatch(func(ctx context.Context, members []*queueworker.Message) error {
		time.Sleep(time.Duration(rand.IntN(8000)) * time.Millisecond) // longer than a lease, at times
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if chance(15) {
			return []func() error{func() error { panic("ouch") }, func() error { runtime.Goexit(); return nil }, func() error { return errOut }}[rand.IntN(3)]()
		}
		failed := map[int]error{}
		for i, m := range members {
			if chance(10) {
				failed[i] = errOut
				continue
			}
			mu.Lock()
			done[m.Body]++
			order[m.Body[0]] += m.Body[1:]
			mu.Unlock()
		}
		return &queueworker.BatchError{Failed: failed}
	})
	if err != nil {
		t.Fatal(err)
	}
	memory := newStore(t, 1000)
	store := spy(memory)
	store.BeginFunc = func(ctx context.Context, key, token string, lock time.Duration) (queueworker.Claim, error) {
		if chance(5) {
			return queueworker.Claim{}, errOut
		}
		return memory.Begin(ctx, key, token, lock)
	}
	store.CompleteFunc = func(ctx context.Context, key, token string, ttl time.Duration) error {
		if chance(2) {
			return errOut
		}
		return memory.Complete(ctx, key, token, ttl)
	}
	worker := w.worker(batch.Handle, func(o *queueworker.Options) {
		o.Visibility = 6 * time.Second
		o.Retry = func(*queueworker.Message, error) time.Duration { return 2 * time.Second }
		o.Middleware = []queueworker.Middleware{
			queueworker.Deduplicate(store, bodyKey, func(o *queueworker.DedupeOptions) {
				o.OnError = func(_ context.Context, m *queueworker.Message, _ error) { mu.Lock(); untold[m.Body]++; mu.Unlock() }
			}),
			elsewhere,
			queueworker.LoadPointers(func(_ context.Context, p queueworker.S3Pointer) (string, error) {
				if chance(5) {
					return "", errOut
				}
				return p.Key, nil
			}),
		}
	})
	if err := w.runFor(worker, time.Hour); err != nil {
		t.Error(err)
	}
	for _, body := range bodies {
		if n := done[body]; n < 1 || n > 1+untold[body] {
			t.Errorf("%s was done %d times; the store was not told %d times", body, n, untold[body])
		}
	}
	if fifo && len(untold) == 0 {
		for group, got := range order {
			if got != "0123456789" {
				t.Errorf("group %c: %s", group, got)
			}
		}
	}
	if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
		t.Errorf("%d and %d are left", visible, inFlight)
	}
}
