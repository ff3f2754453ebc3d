package queueworker_test

import (
	"context"
	"crypto/md5" //nolint:gosec // SQS's digest of bodies
	"encoding/hex"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/queueworker"
)

// stream is an SQS that always has ten more messages, and costs next to nothing itself.
type stream struct {
	queueworker.API // for the calls that are not made

	batches []*sqs.ReceiveMessageOutput
	next    atomic.Uint64
	left    atomic.Int64 // messages
}

func newStream(n int) *stream {
	const different = 6144 // so many that none comes again before it is deleted
	s := &stream{batches: make([]*sqs.ReceiveMessageOutput, different)}
	body := strings.Repeat("x", 1024)
	digest := md5.Sum([]byte(body)) //nolint:gosec // SQS's digest of bodies
	sum := hex.EncodeToString(digest[:])
	for i := range s.batches {
		out := &sqs.ReceiveMessageOutput{Messages: make([]types.Message, 10)}
		for k := range out.Messages {
			id := fmt.Sprintf("00000000-0000-0000-0000-%012d", i*10+k)
			out.Messages[k] = types.Message{
				MessageId: &id, ReceiptHandle: aws.String("handle of " + id), Body: &body, MD5OfBody: &sum,
				Attributes: map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": "1763856000000"},
			}
		}
		s.batches[i] = out
	}
	s.left.Store(int64(n))
	return s
}

func (s *stream) ReceiveMessage(ctx context.Context, _ *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if s.left.Add(-10) < 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.batches[s.next.Add(1)%uint64(len(s.batches))], nil
}

func (*stream) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{}, nil
}

// deleted is what an API answers that has deleted as many messages as the index says, whose IDs are their places in the call.
var deleted = func() (list [11]*sqs.DeleteMessageBatchOutput) {
	for n := range list {
		list[n] = &sqs.DeleteMessageBatchOutput{}
		for i := range n {
			list[n].Successful = append(list[n].Successful, types.DeleteMessageBatchResultEntry{Id: aws.String(strconv.Itoa(i))})
		}
	}
	return list
}()

func (*stream) DeleteMessageBatch(_ context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	return deleted[len(in.Entries)], nil
}

// ChangeMessageVisibilityBatch is asked for when the machine is so slow that a message waits for seconds.
func (*stream) ChangeMessageVisibilityBatch(_ context.Context, in *sqs.ChangeMessageVisibilityBatchInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	out := &sqs.ChangeMessageVisibilityBatchOutput{}
	for i := range in.Entries {
		out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: in.Entries[i].Id})
	}
	return out, nil
}

// drainStream handles n messages of a stream with a worker, and returns how many allocations each cost.
func drainStream(tb testing.TB, n int) (allocations float64) {
	tb.Helper()
	n = (n + 9) / 10 * 10
	ctx, cancel := context.WithCancel(tb.Context())
	var handled atomic.Int64
	s := newStream(n)
	w, err := queueworker.New(s, "https://sqs.us-east-1.amazonaws.com/123456789012/work", queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error {
		if handled.Add(1) == int64(n) {
			cancel()
		}
		return nil
	}), func(o *queueworker.Options) { o.Concurrency, o.CancelReceives = 50, true })
	if err != nil {
		tb.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := w.Run(ctx); err != nil {
		tb.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := w.Stats().Completed; got != uint64(n) {
		tb.Fatalf("%d of %d messages were handled", got, n)
	}
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

// BenchmarkWorker is what the worker adds to the calls of the SDK, for each message.
func BenchmarkWorker(b *testing.B) {
	b.ReportAllocs()
	allocations := drainStream(b, b.N)
	b.ReportMetric(allocations, "allocations/message")
}
