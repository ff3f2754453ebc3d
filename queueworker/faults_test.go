package queueworker_test

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
)

// The operations that faults strike.
const (
	receive = "ReceiveMessage"
	remove  = "DeleteMessageBatch"
	extend  = "ChangeMessageVisibilityBatch" // and returns
	letter  = "SendMessageBatch"
)

// inject has a fault strike an operation, as often as match says, and returns what heals it.
func (w *world) inject(operation string, effect awstest.Effect, match ...func(*awstest.Match)) (heal func()) {
	w.Helper()
	m := awstest.Match{Service: "SQS", Operation: operation}
	for _, fn := range match {
		fn(&m)
	}
	heal, err := w.cloud.Inject(m, effect)
	if err != nil {
		w.Fatal(err)
	}
	return heal
}

// times lets a fault strike so often.
func times(n int) func(*awstest.Match) { return func(m *awstest.Match) { m.Times = n } }

// sendBodies sends messages one by one: on a FIFO queue to the group that is the first letter of the body.
func (w *world) sendBodies(fifo bool, bodies ...string) {
	w.Helper()
	for _, body := range bodies {
		in := &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: &body}
		if fifo {
			in.MessageGroupId, in.MessageDeduplicationId = aws.String(body[:1]), &body
		}
		if _, err := w.client.SendMessage(context.Background(), in); err != nil {
			w.Error(err)
		}
	}
}

// deadLetters makes a dead-letter queue for the queue, and returns its URL.
func (w *world) deadLetters(maxReceives int) string {
	w.Helper()
	dead := w.queue("dead", nil)
	out, err := w.client.GetQueueAttributes(w.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &dead, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	if err != nil {
		w.Fatal(err)
	}
	policy := `{"deadLetterTargetArn":"` + out.Attributes["QueueArn"] + `","maxReceiveCount":` + strconv.Itoa(maxReceives) + `}`
	if _, err := w.client.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &w.url, Attributes: map[string]string{"RedrivePolicy": policy}}); err != nil {
		w.Fatal(err)
	}
	return dead
}

// runFor runs a worker for a while, and returns what Run returned.
func (w *world) runFor(worker *queueworker.Worker, d time.Duration) error {
	w.Helper()
	done := make(chan struct{})
	time.AfterFunc(d, func() { close(done) })
	return w.runUntil(worker, done)
}

// empty checks that nothing is left of the queue.
func (w *world) empty() {
	w.Helper()
	if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
		w.Errorf("%d messages are left, and %d in flight", visible, inFlight)
	}
}

// record keeps the events of a worker.
type record struct {
	mu     sync.Mutex
	events []queueworker.Event
}

func (r *record) option(o *queueworker.Options) {
	o.OnEvent = func(_ context.Context, e queueworker.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, e)
	}
}

// of returns the events of a kind.
func (r *record) of(kind queueworker.EventKind) (events []queueworker.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind {
			events = append(events, e)
		}
	}
	return events
}
