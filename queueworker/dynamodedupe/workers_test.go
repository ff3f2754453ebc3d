package dynamodedupe_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/dynamodedupe"
)

// effects counts what handlers have done, by body.
type effects struct {
	mu     sync.Mutex
	done   map[string]int
	untold map[string]int // the store was not told that it was done
}

func (e *effects) count(m map[string]int, body string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m[body]++
}

// Each order is sent twice, to two workers, while DynamoDB throttles, fails and loses replies: it has one effect, and one more only for each
// time that the store could not be told.
func TestWorkersThatShareATableHandleDuplicatesOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const orders = 60
				random := rand.New(rand.NewPCG(seed, 0))
				cloud, err := awstest.New([]awstest.Service{sqssvc.New(), dynamodbsvc.New(func(o *dynamodbsvc.Options) { o.Creating = dynamodbsvc.Immediately })})
				if err != nil {
					t.Fatal(err)
				}
				defer cloud.Close()
				table := dynamodb.NewFromConfig(cloud.Config("us-east-1"))
				if err := createTable(table); err != nil {
					t.Fatal(err)
				}
				queue := sqs.NewFromConfig(cloud.Config("us-east-1"))
				name := "orders"
				out, err := queue.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					for i := range orders {
						body := fmt.Sprintf("%02d s, order %d", random.IntN(30), i)
						if _, err := queue.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: out.QueueUrl, MessageBody: &body}); err != nil {
							t.Fatal(err)
						}
					}
				}
				for _, operation := range []string{"UpdateItem", "DeleteItem"} {
					for _, effect := range []awstest.Effect{awstest.Throttle(), awstest.Unavailable(), awstest.LoseReply()} {
						if _, err := cloud.Inject(awstest.Match{Service: dynamodb.ServiceID, Operation: operation, Probability: 0.1}, effect); err != nil {
							t.Fatal(err)
						}
					}
				}

				e := &effects{done: map[string]int{}, untold: map[string]int{}}
				order := func(m *queueworker.Message) string { return m.Body[len("00 s, "):] }
				handler := queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
					var seconds int
					if _, err := fmt.Sscanf(m.Body, "%d s", &seconds); err != nil {
						return err
					}
					select {
					case <-time.After(time.Duration(seconds) * time.Second):
						e.count(e.done, order(m))
						return nil
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				})
				ctx, stop := context.WithCancel(t.Context())
				var workers sync.WaitGroup
				var all []*queueworker.Worker
				for range 2 {
					store, err := dynamodedupe.New(table, "handled")
					if err != nil {
						t.Fatal(err)
					}
					worker, err := queueworker.New(queue, *out.QueueUrl, handler, func(o *queueworker.Options) {
						o.Visibility = 10 * time.Second
						o.Middleware = []queueworker.Middleware{queueworker.Deduplicate(store, func(o *queueworker.DedupeOptions) {
							o.Key = order
							o.OnError = func(_ context.Context, m *queueworker.Message, _ error) { e.count(e.untold, order(m)) }
						})}
					})
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, worker)
					workers.Go(func() {
						if err := worker.Run(ctx); err != nil {
							t.Error(err)
						}
					})
				}
				time.Sleep(time.Hour)
				stop()
				workers.Wait()

				var completed uint64
				for _, w := range all {
					completed += w.Stats().Completed
				}
				if completed != 2*orders || len(e.done) != orders {
					t.Errorf("%d messages completed, %d orders done; want %d and %d", completed, len(e.done), 2*orders, orders)
				}
				for order, n := range e.done {
					if n > 1+e.untold[order] {
						t.Errorf("%s was done %d times; the store could not be told %d times", order, n, e.untold[order])
					}
				}
			})
		})
	}
}
