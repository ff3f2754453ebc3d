package queueworker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/queueworker"
)

func TestDeadLettersGoWhereTheOptionsSay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		dead := w.queue("elsewhere", nil)
		w.send(3)
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			return queueworker.DeadLetter(errors.New("not for me"))
		}, func(o *queueworker.Options) { o.DeadLetterURL = dead })
		done := make(chan struct{})
		time.AfterFunc(10*time.Second, func() { close(done) })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if visible, _ := w.counts(dead); visible != 3 {
			t.Errorf("%d dead letters, want 3", visible)
		}
		if visible, inFlight := w.counts(w.url); visible+inFlight != 0 {
			t.Errorf("%d and %d are left", visible, inFlight)
		}
	})
}

func TestWithoutADeadLetterQueueTheMessageStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.send(1)
		var mu sync.Mutex
		var kinds []queueworker.EventKind
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			return queueworker.DeadLetter(nil)
		}, func(o *queueworker.Options) {
			o.OnEvent = func(_ context.Context, e queueworker.Event) {
				mu.Lock()
				defer mu.Unlock()
				kinds = append(kinds, e.Kind)
			}
		})
		done := make(chan struct{})
		time.AfterFunc(time.Minute, func() { close(done) })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if visible, inFlight := w.counts(w.url); visible != 0 || inFlight != 1 {
			t.Errorf("%d visible, %d in flight; want it to wait for the longest delay", visible, inFlight)
		}
		if len(kinds) < 2 || kinds[1] != queueworker.DeadLetterMissing {
			t.Errorf("%v", kinds)
		}
	})
}

// TestOneFailedReceiveDoesNotStopTheOthers: a tenth of the receives fails, and the rest goes on as if nothing was.
func TestOneFailedReceiveDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 2000
		w := newWorld(t, nil)
		w.send(n)
		if _, err := w.cloud.Inject(awstest.Match{Service: "SQS", Operation: "ReceiveMessage", Probability: 0.1}, awstest.Unavailable()); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		left := make(chan struct{}, n)
		began := time.Now()
		var took time.Duration
		worker := w.worker(func(context.Context, *queueworker.Message) error {
			time.Sleep(10 * time.Millisecond)
			if left <- struct{}{}; len(left) == n {
				took = time.Since(began)
				close(done)
			}
			return nil
		}, func(o *queueworker.Options) { o.Concurrency = 20 })
		if err := w.runUntil(worker, done); err != nil {
			t.Error(err)
		}
		if took > 3*time.Second { // 1 s of work
			t.Errorf("took %v", took)
		}
	})
}

// letters returns what is in a dead-letter queue, by body.
func (w *world) letters(url string) map[string]types.Message {
	w.Helper()
	all := map[string]types.Message{}
	for {
		out, err := w.client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
		})
		if err != nil {
			w.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		for _, m := range out.Messages {
			all[*m.Body] = m
		}
	}
}

// A letter has everything that the message had, although the handler has not asked for it.
func TestALetterIsTheWholeMessage(t *testing.T) {
	t.Parallel()
	for _, fifo := range []bool{false, true} {
		t.Run(fmt.Sprint("FIFO ", fifo), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, dead := newFIFO(t, 5)
				if !fifo {
					w.url = w.queue("work", nil)
					dead = w.deadLetters(5)
				}
				attributes := map[string]types.MessageAttributeValue{
					"binary": {DataType: aws.String("Binary.gzip"), BinaryValue: []byte{0, 1, 2, 255}},
					"number": {DataType: aws.String("Number"), StringValue: aws.String("-1.5e3")},
				}
				for i := range 8 { // ten are all that a message may have
					attributes[fmt.Sprint("text-", i)] = types.MessageAttributeValue{DataType: aws.String("String.custom"), StringValue: aws.String("ü")}
				}
				in := &sqs.SendMessageInput{
					QueueUrl: &w.url, MessageBody: aws.String("body"), MessageAttributes: attributes,
					MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
						"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793")},
					},
				}
				if fifo {
					in.MessageGroupId, in.MessageDeduplicationId = aws.String("group"), aws.String("once")
				}
				if _, err := w.client.SendMessage(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				worker := w.worker(func(context.Context, *queueworker.Message) error { return queueworker.DeadLetter(nil) })
				if err := w.runFor(worker, time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				m, ok := w.letters(dead)["body"]
				if !ok {
					t.Fatal("there is no letter")
				}
				if diff := cmp.Diff(attributes, m.MessageAttributes, cmpopts.IgnoreUnexported(types.MessageAttributeValue{})); diff != "" {
					t.Error(diff)
				}
				if got := m.Attributes["AWSTraceHeader"]; got != *in.MessageSystemAttributes["AWSTraceHeader"].StringValue {
					t.Errorf("trace header %q", got)
				}
				if got := m.Attributes["MessageGroupId"]; got != aws.ToString(in.MessageGroupId) {
					t.Errorf("group %q", got)
				}
			})
		})
	}
}

// A call takes a mebibyte, and so does a message.
func TestLettersThatDoNotFitIntoOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		dead := w.deadLetters(5)
		for i := range 5 {
			size := 300 << 10
			if i == 4 {
				size = 1 << 20
			}
			w.sendBodies(false, fmt.Sprint(i)+strings.Repeat("x", size-1))
		}
		worker := w.worker(func(context.Context, *queueworker.Message) error { return queueworker.DeadLetter(nil) })
		if err := w.runFor(worker, time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		if n := len(w.letters(dead)); n != 5 {
			t.Errorf("%d letters, want 5", n)
		}
		if s := worker.Stats(); s.FailedCalls != 0 || s.DeadLetterCalls < 3 {
			t.Errorf("%+v", s)
		}
	})
}

// Nothing is lost while letters cannot be sent: the message comes back, and goes there later.
func TestLettersThatAreRefusedForAWhile(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"denied": awstest.Deny(), "down": awstest.Unavailable(), "throttled": awstest.Throttle()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				dead := w.deadLetters(100)
				w.sendBodies(false, "one", "two")
				heal := w.inject(letter, effect)
				time.AfterFunc(20*time.Minute, heal)
				worker := w.worker(func(context.Context, *queueworker.Message) error { return queueworker.DeadLetter(nil) })
				if err := w.runFor(worker, 40*time.Minute); err != nil {
					t.Error(err)
				}
				w.empty()
				if n := len(w.letters(dead)); n != 2 {
					t.Errorf("%d letters, want 2", n)
				}
				if s := worker.Stats(); s.FailedCalls == 0 || s.FailedCalls > 400 {
					t.Errorf("%d calls failed: %+v", s.FailedCalls, s)
				}
			})
		})
	}
}

// A letter whose answer is lost is sent again: on a FIFO queue that is one letter, and nowhere is it none.
func TestALetterWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, dead := newFIFO(t, 5)
		w.sendBodies(true, "a1", "a2")
		w.inject(letter, awstest.LoseReply(), times(3))
		worker := w.worker(func(context.Context, *queueworker.Message) error { return queueworker.DeadLetter(nil) })
		if err := w.runFor(worker, time.Minute); err != nil {
			t.Error(err)
		}
		w.empty()
		if visible, _ := w.counts(dead); visible != 2 {
			t.Errorf("%d letters, want 2", visible)
		}
	})
}
