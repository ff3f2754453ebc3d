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

// tampered is a client whose calls are made by functions; nil is the client's own.
type tampered struct {
	queueworker.API

	receive func(context.Context, *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error)
	remove  func(context.Context, *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error)
	extend  func(context.Context, *sqs.ChangeMessageVisibilityBatchInput) (*sqs.ChangeMessageVisibilityBatchOutput, error)
	letter  func(context.Context, *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error)
	look    func(context.Context, *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error)
}

func (a *tampered) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if a.receive != nil {
		return a.receive(ctx, in)
	}
	return a.API.ReceiveMessage(ctx, in, o...)
}

func (a *tampered) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, o ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	if a.remove != nil {
		return a.remove(ctx, in)
	}
	return a.API.DeleteMessageBatch(ctx, in, o...)
}

func (a *tampered) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, o ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	if a.extend != nil {
		return a.extend(ctx, in)
	}
	return a.API.ChangeMessageVisibilityBatch(ctx, in, o...)
}

func (a *tampered) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, o ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	if a.letter != nil {
		return a.letter(ctx, in)
	}
	return a.API.SendMessageBatch(ctx, in, o...)
}

func (a *tampered) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, o ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	if a.look != nil {
		return a.look(ctx, in)
	}
	return a.API.GetQueueAttributes(ctx, in, o...)
}

// workerOf is a worker on a client.
func (w *world) workerOf(api queueworker.API, h queueworker.HandlerFunc, optFns ...func(*queueworker.Options)) *queueworker.Worker {
	w.Helper()
	worker, err := queueworker.New(api, w.url, h, optFns...)
	if err != nil {
		w.Fatal(err)
	}
	return worker
}

// tally counts handlers by body.
type tally struct {
	mu    sync.Mutex
	times map[string]int
}

// add notes that a body is handled, and returns how often it has been, this time included.
func (c *tally) add(body string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.times == nil {
		c.times = map[string]int{}
	}
	c.times[body]++
	return c.times[body]
}

// each checks that n bodies were handled, each so often.
func (c *tally) each(t *world, n, want int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.times) != n {
		t.Errorf("%d messages were handled, want %d", len(c.times), n)
	}
	for body, got := range c.times {
		if got != want {
			t.Errorf("%s was handled %d times, want %d", body, got, want)
		}
	}
}
