package sqssvc_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
	"github.com/awsha/awsha/awstest/sqssvc"
)

// stock is a queue that can be filled without calls.
type stock struct {
	*world
	model  *sqsmodel.Model
	url    string
	filled int
}

func newStock(tb testing.TB, name string, attributes ...string) *stock {
	tb.Helper()
	s := &stock{}
	cloud := must(awstest.New([]awstest.Service{
		sqssvc.New(),
		func(r *awstest.Registry) error { s.model = sqsmodel.Of(r); return nil },
	}, benchOptions))(tb)
	tb.Cleanup(func() { _ = cloud.Close() })
	s.world = newWorld(tb, cloud)
	s.url = s.queue(name, attributes...)
	return s
}

func benchOptions(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 100 }

// fill sends n messages, to groups in turn.
func (s *stock) fill(n, groups int) {
	region := must(s.cloud.Region(home))(s)
	s.cloud.Update(func(tx *awstest.Tx) {
		q := must(s.model.Region(region).Queue(tx, s.url))(s)
		for range n {
			e := &sqsmodel.Entry{Body: "job-" + strconv.Itoa(s.filled)}
			if groups > 0 {
				e.Group = "group" + strconv.Itoa(s.filled%groups)
			}
			s.filled++
			if q.FIFO() {
				e.Dedup = e.Body
			}
			must(q.Send(tx, e))(s)
		}
		s.model.Settle(tx)
	})
}

// round receives ten messages and deletes them, and tells whether it could.
func round(tb testing.TB, client *sqs.Client, url string) bool {
	out, err := client.ReceiveMessage(tb.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	if err != nil || len(out.Messages) != 10 {
		tb.Error(err, "want ten messages")
		return false
	}
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: make([]types.DeleteMessageBatchRequestEntry, 10)}
	for i, m := range out.Messages {
		in.Entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle}
	}
	if done, err := client.DeleteMessageBatch(tb.Context(), in); err != nil || len(done.Successful) != 10 {
		tb.Error(err, "want ten deletions")
		return false
	}
	return true
}

// empty is a service of the same shape whose handlers do nothing.
func empty(r *awstest.Registry) error {
	e := r.Add(awstest.ServiceSpec{ID: sqs.ServiceID})
	awstest.Handle(e, func(*awstest.Tx, *awstest.Call, *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
		out := &sqs.ReceiveMessageOutput{Messages: make([]types.Message, 10)}
		for i := range out.Messages {
			out.Messages[i] = types.Message{Body: aws.String("job"), MD5OfBody: aws.String(sqsmodel.MD5("job")), MessageId: aws.String("id"), ReceiptHandle: aws.String("a handle of the usual length for this adapter")}
		}
		return out, nil
	}, "QueueUrl", "MaxNumberOfMessages")
	awstest.Handle(e, func(_ *awstest.Tx, _ *awstest.Call, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
		out := &sqs.DeleteMessageBatchOutput{Successful: make([]types.DeleteMessageBatchResultEntry, len(in.Entries))}
		for i := range in.Entries {
			out.Successful[i] = types.DeleteMessageBatchResultEntry{Id: in.Entries[i].Id}
		}
		return out, nil
	}, "QueueUrl", "Entries")
	return e.Err()
}

// BenchmarkThroughput is what clients in parallel receive and delete, ten
// messages at a time: from queues, and from a service that does nothing, which
// is what the SDK leaves room for on the machine. It is meant to be 100,000 a
// second on two cores.
func BenchmarkThroughput(b *testing.B) {
	b.Run("queue", func(b *testing.B) {
		s := newStock(b, "jobs")
		s.fill(1000, 0)
		throughput(b, s.cloud, s.url, func() { s.fill(10, 0) })
	})
	b.Run("nothing", func(b *testing.B) {
		nothing := must(awstest.New([]awstest.Service{empty}, benchOptions))(b)
		defer nothing.Close()
		throughput(b, nothing, "https://sqs.us-east-1.amazonaws.com/123456789012/jobs", func() {})
	})
}

// throughput plays rounds in parallel; refill replaces the messages of one.
func throughput(b *testing.B, cloud *awstest.Cloud, url string, refill func()) {
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		client := sqs.NewFromConfig(cloud.Config(home))
		for pb.Next() {
			refill()
			round(b, client, url)
		}
	})
	b.ReportMetric(float64(10*b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkOverhead compares a round with one to a service that does nothing.
// The two take turns, so that a busy machine slows both: read the ratio, which
// is meant to stay below 2.
func BenchmarkOverhead(b *testing.B) {
	s := newStock(b, "jobs")
	nothing := must(awstest.New([]awstest.Service{empty}, benchOptions))(b)
	defer nothing.Close()
	idle := sqs.NewFromConfig(nothing.Config(home))
	var bare, full []time.Duration
	for b.Loop() {
		s.fill(10, 0)
		start := time.Now()
		if !round(b, idle, s.url) {
			break
		}
		middle := time.Now()
		if !round(b, s.Client, s.url) {
			break
		}
		bare, full = append(bare, middle.Sub(start)), append(full, time.Since(middle))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(full))/float64(median(bare)), "ratio")
	b.ReportMetric(float64(median(full)), "ns/round")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkBacklog is a round among few and among many messages that wait:
// the cost is to be the same.
func BenchmarkBacklog(b *testing.B) {
	for _, groups := range []int{0, 10, 1000} {
		for _, name := range []string{"jobs", "jobs.fifo"} {
			if name == "jobs.fifo" && groups == 0 {
				continue
			}
			b.Run(fmt.Sprintf("%s/groups=%d", name, groups), func(b *testing.B) {
				few, many := newStock(b, name), newStock(b, name)
				few.fill(max(100, 10*groups), groups)
				many.fill(100_000, groups)
				var quick, slow []time.Duration
				for b.Loop() {
					few.fill(10, groups)
					many.fill(10, groups)
					start := time.Now()
					if !round(b, few.Client, few.url) {
						break
					}
					middle := time.Now()
					if !round(b, many.Client, many.url) {
						break
					}
					quick, slow = append(quick, middle.Sub(start)), append(slow, time.Since(middle))
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(median(slow))/float64(median(quick)), "ratio")
			})
		}
	}
}
