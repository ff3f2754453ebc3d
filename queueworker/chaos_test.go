package queueworker_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
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

var (
	seed      = flag.Uint64("seed", 0, "play the one random schedule of this seed")
	schedules = flag.Uint64("sequences", 300, "how many random schedules are played")
)

// TestChaos plays random schedules of messages, handlers that fail, faults of SQS, workers that die and workers that drain. Whatever
// happens, each message is handled to the end and deleted, or stands in the dead-letter queue.
func TestChaos(t *testing.T) {
	t.Parallel()
	first, last := uint64(1), *schedules
	if *seed != 0 {
		first, last = *seed, *seed
	}
	const chunk = 25
	for from := first; from <= last; from += chunk {
		t.Run(fmt.Sprintf("seeds %d to %d", from, min(from+chunk-1, last)), func(t *testing.T) {
			t.Parallel()
			for s := from; s < from+chunk && s <= last && !t.Failed(); s++ {
				synctest.Test(t, func(t *testing.T) { newSchedule(t, s).play() })
			}
		})
	}
}

// schedule is a run of one seed.
type schedule struct {
	*world
	rng  *rand.Rand
	seed uint64
	fifo bool
	dlq  string
	n    int

	mu      sync.Mutex
	done    map[string]bool // bodies that were handled to the end
	started map[string]bool
	fails   map[string]int // how often a body is yet to fail
	early   [][2]string    // a body that began before another one was done
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	t.Helper()
	s := &schedule{
		rng: rand.New(rand.NewPCG(seed, seed)), seed: seed,
		done: map[string]bool{}, started: map[string]bool{}, fails: map[string]int{},
	}
	s.fifo = s.rng.IntN(2) == 0
	s.n = 1 + s.rng.IntN(60)
	attributes, suffix := map[string]string{}, ""
	if s.fifo {
		attributes["FifoQueue"], suffix = "true", ".fifo"
	}
	s.world = newWorld(t, nil)
	s.dlq = s.queue("dead"+suffix, attributes)
	out, err := s.client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &s.dlq, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	attributes["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, out.Attributes["QueueArn"], 5+s.rng.IntN(20))
	s.url = s.queue("chaos"+suffix, attributes)
	for i := range s.n {
		in := &sqs.SendMessageInput{QueueUrl: &s.url, MessageBody: aws.String(strconv.Itoa(i))}
		if s.fifo || s.rng.IntN(2) == 0 {
			in.MessageGroupId = aws.String(s.group(i))
		}
		if s.fifo {
			in.MessageDeduplicationId = in.MessageBody
		}
		if _, err := s.client.SendMessage(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if s.rng.IntN(4) == 0 {
			s.fails[*in.MessageBody] = s.rng.IntN(4)
		}
	}
	return s
}

// groups is how many message groups there are.
const groups = 4

func (s *schedule) group(i int) string { return "g" + strconv.Itoa(i%groups) }

func (s *schedule) play() {
	defer func() {
		if s.Failed() {
			s.Logf("replay with -run TestChaos -seed=%d", s.seed)
		}
	}()
	for range 1 + s.rng.IntN(3) {
		s.disturbed()
	}
	s.calm()
	s.check()
}

// disturbed runs a worker among faults for a while, and then drains or kills it.
func (s *schedule) disturbed() {
	var heals []func()
	for range s.rng.IntN(4) {
		operation := s.operation()
		match := awstest.Match{Service: "SQS", Operation: operation, Probability: 0.1 + 0.6*s.rng.Float64()}
		heal, err := s.cloud.Inject(match, s.effect(operation))
		if err != nil {
			s.Fatal(err)
		}
		heals = append(heals, heal)
	}
	api := &mortal{API: s.client, dead: make(chan struct{})}
	worker := s.newWorker(api)
	ctx, cancel := context.WithCancel(s.Context())
	result := make(chan error)
	go func() { result <- worker.Run(ctx) }()
	time.Sleep(time.Duration(s.rng.IntN(120_000)) * time.Millisecond)
	if s.rng.IntN(3) == 0 {
		close(api.dead) // nothing more that it does has an effect
	}
	cancel()
	if err := <-result; err == nil {
		select {
		case <-api.dead:
		default:
			if _, inFlight := s.counts(s.url); inFlight > s.delayed(worker) {
				s.Errorf("seed %d: %d in flight after a clean drain, %+v", s.seed, inFlight, worker.Stats())
			}
		}
	}
	for _, heal := range heals {
		heal()
	}
	time.Sleep(time.Second) // what was under way ends
}

// delayed is how many messages may be invisible because they are to be tried again later, or were before.
func (s *schedule) delayed(w *queueworker.Worker) int {
	if st := w.Stats(); st.Retried+st.LeasesLost+st.FailedCalls > 0 {
		return s.n
	}
	return 0
}

// operation and effect are what goes wrong.
func (s *schedule) operation() string {
	return []string{"ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch", "SendMessageBatch"}[s.rng.IntN(4)]
}

func (s *schedule) effect(operation string) awstest.Effect {
	switch s.rng.IntN(6) {
	case 0:
		return awstest.Throttle()
	case 1:
		return awstest.Unavailable()
	case 2:
		return awstest.LoseReply()
	case 3:
		return awstest.Delay(time.Duration(1+s.rng.IntN(4000)) * time.Millisecond)
	case 4:
		if operation == "DeleteMessageBatch" {
			return sqssvc.Resurrect()
		}
	}
	if operation == "ReceiveMessage" {
		return sqssvc.Duplicate()
	}
	odd := s.rng.IntN(2)
	return sqssvc.FailEntries("InternalError", false, func(i int, _ string) bool { return i%2 == odd })
}

func (s *schedule) newWorker(api queueworker.API) *queueworker.Worker {
	handlerTime := time.Duration(1+s.rng.IntN(4000)) * time.Millisecond
	w, err := queueworker.New(api, s.url, queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) error {
		return s.handle(ctx, m, handlerTime)
	}), func(o *queueworker.Options) {
		o.Concurrency = 1 + s.rng.IntN(20)
		o.Visibility = time.Duration(2+s.rng.IntN(8)) * time.Second
		o.WaitTime = time.Duration(1+s.rng.IntN(20)) * time.Second
		o.DrainTimeout = time.Duration(5+s.rng.IntN(40)) * time.Second
		o.Retry = queueworker.Backoff(func(o *queueworker.BackoffOptions) { o.Max = 8 * time.Second })
	})
	if err != nil {
		s.Fatal(err)
	}
	return w
}

func (s *schedule) handle(ctx context.Context, m *queueworker.Message, took time.Duration) error {
	s.start(m)
	select {
	case <-time.After(took):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails[m.Body] > 0 {
		s.fails[m.Body]--
		return errors.New("to be tried again")
	}
	s.done[m.Body] = true
	return nil
}

// start looks at the order: a message of a group begins only once all before it are done, or given up.
func (s *schedule) start(m *queueworker.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started[m.Body] || !s.fifo {
		return
	}
	s.started[m.Body] = true
	n, _ := strconv.Atoi(m.Body)
	for i := n - groups; i >= 0; i -= groups {
		if body := strconv.Itoa(i); !s.done[body] {
			s.early = append(s.early, [2]string{m.Body, body})
		}
	}
}

// calm lets a worker without faults do the rest.
func (s *schedule) calm() {
	worker := s.newWorker(s.client)
	ctx, cancel := context.WithCancel(s.Context())
	result := make(chan error)
	go func() { result <- worker.Run(ctx) }()
	for range 200 {
		time.Sleep(5 * time.Second)
		if visible, inFlight := s.counts(s.url); visible+inFlight == 0 {
			break
		}
	}
	cancel()
	if err := <-result; err != nil {
		s.Errorf("seed %d: %v", s.seed, err)
	}
}

func (s *schedule) check() {
	if visible, inFlight := s.counts(s.url); visible+inFlight > 0 {
		s.Errorf("seed %d: %d are left, and %d in flight", s.seed, visible, inFlight)
	}
	dead := s.bodies(s.dlq)
	for i := range s.n {
		if body := strconv.Itoa(i); !s.done[body] && !slices.Contains(dead, body) {
			s.Errorf("seed %d: message %d is lost", s.seed, i)
		}
	}
	for _, e := range s.early {
		if !slices.Contains(dead, e[1]) {
			s.Errorf("seed %d: %s began before %s was done", s.seed, e[0], e[1])
		}
	}
}

// bodies returns what a queue has.
func (s *schedule) bodies(url string) (bodies []string) {
	for {
		out, err := s.client.ReceiveMessage(s.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 3600})
		if err != nil {
			s.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
		}
	}
}

// mortal is a client of a process that may die: from then on its calls do not leave it.
type mortal struct {
	queueworker.API

	dead chan struct{}
}

var errDead = errors.New("the process is dead")

func (m *mortal) alive() error {
	select {
	case <-m.dead:
		return errDead
	default:
		return nil
	}
}

func (m *mortal) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if err := m.alive(); err != nil {
		return nil, err
	}
	return m.API.ReceiveMessage(ctx, in, o...)
}

func (m *mortal) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, o ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	if err := m.alive(); err != nil {
		return nil, err
	}
	return m.API.DeleteMessageBatch(ctx, in, o...)
}

func (m *mortal) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, o ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	if err := m.alive(); err != nil {
		return nil, err
	}
	return m.API.ChangeMessageVisibilityBatch(ctx, in, o...)
}

func (m *mortal) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, o ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	if err := m.alive(); err != nil {
		return nil, err
	}
	return m.API.SendMessageBatch(ctx, in, o...)
}
