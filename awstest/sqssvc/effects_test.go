package sqssvc_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
)

func TestFailEntries(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		const why = " The entry was made to fail."
		w.once("SendMessageBatch", sqssvc.FailEntries("InternalError", false, func(i int, _ string) bool { return i < 2 }))
		out := must(w.SendMessageBatch(w.Context(), &sqs.SendMessageBatchInput{QueueUrl: &q, Entries: entries("a", "b", "c", "d")}))(w)
		w.failed(out.Failed, "0 InternalError false"+why, "1 InternalError false"+why)
		got := w.gets(q, []string{"c", "d"})

		w.once("DeleteMessageBatch", sqssvc.FailEntries("Throttled", true, func(_ int, id string) bool { return id == "x" }))
		del := func() *sqs.DeleteMessageBatchOutput {
			return must(w.DeleteMessageBatch(w.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &q, Entries: []types.DeleteMessageBatchRequestEntry{
				{Id: aws.String("x"), ReceiptHandle: got[0].ReceiptHandle}, {Id: aws.String("y"), ReceiptHandle: got[1].ReceiptHandle},
			}}))(w)
		}
		w.failed(del().Failed, "x Throttled true"+why)
		w.counts(q, 0, 1, 0)

		w.once("ChangeMessageVisibilityBatch", sqssvc.FailEntries("InternalError", false, nil))
		hide := must(w.ChangeMessageVisibilityBatch(w.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("x"), ReceiptHandle: got[0].ReceiptHandle},
		}}))(w)
		w.failed(hide.Failed, "x InternalError false"+why)
		w.counts(q, 0, 1, 0)
		w.failed(del().Failed) // the fault is over
		w.counts(q, 0, 0, 0)
	})
}

func TestDuplicate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		w.once("ReceiveMessage", sqssvc.Duplicate())
		first := w.one(q)
		second := w.one(q) // at once
		if *first.MessageId != *second.MessageId || *first.ReceiptHandle == *second.ReceiptHandle || second.Attributes["ApproximateReceiveCount"] != "2" {
			w.Errorf("%v and %v", first, second)
		}
		w.gets(q, nil)
		wantCode(w, w.remove(q, first), "") // superseded
		w.counts(q, 0, 1, 0)
		wantCode(w, w.remove(q, second), "")
		w.counts(q, 0, 0, 0)

		// Two receives that wait for one message.
		heal := w.inject("ReceiveMessage", sqssvc.Duplicate())
		one := w.poll(q)
		heal()
		two := w.poll(q)
		w.send(q, "b")
		w.says("one", one, "[b] after 0s")
		w.says("two", two, "[b] after 0s")

		f := w.queue("jobs.fifo")
		w.send(f, "a:1")
		w.once("ReceiveMessage", sqssvc.Duplicate())
		w.gets(f, []string{"a:1"})
		w.gets(f, nil)
	})
}

func TestCorruptBody(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a", "b")
		w.once("ReceiveMessage", sqssvc.CorruptBody())
		_, err := w.ReceiveMessage(w.Context(), receiveInput(q))
		if err == nil || !strings.Contains(err.Error(), "message checksum validation failed") {
			w.Errorf("got %v", err)
		}
		w.counts(q, 0, 2, 0) // leased to nobody
		time.Sleep(30 * time.Second)

		w.once("ReceiveMessage", sqssvc.CorruptBody())
		out := must(w.ReceiveMessage(w.Context(), receiveInput(q), func(o *sqs.Options) { o.DisableMessageChecksumValidation = true }))(w)
		if got := bodies(out.Messages); len(got) != 2 || got[0] == "a" || got[1] != "b" {
			w.Errorf("without the SDK's check: %q", got)
		}
		time.Sleep(30 * time.Second)
		w.gets(q, []string{"a", "b"}) // it was damaged on the way
	})
}

func TestResurrect(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a", "b")
		got := w.receive(q)
		w.once("DeleteMessage", sqssvc.Resurrect())
		wantCode(w, w.remove(q, got[0]), "")
		w.once("DeleteMessageBatch", sqssvc.Resurrect())
		out := must(w.DeleteMessageBatch(w.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &q, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("b"), ReceiptHandle: got[1].ReceiptHandle}, {Id: aws.String("bad"), ReceiptHandle: aws.String("x")},
		}}))(w)
		if len(out.Successful) != 1 || len(out.Failed) != 1 {
			w.Errorf("%v", out)
		}
		w.gets(q, nil)
		time.Sleep(30 * time.Second)
		for _, m := range w.gets(q, []string{"a", "b"}) {
			wantCode(w, w.remove(q, m), "") // once
		}
		time.Sleep(time.Hour)
		w.gets(q, nil)

		f := w.queue("jobs.fifo")
		w.send(f, "a:1")
		w.once("DeleteMessage", sqssvc.Resurrect())
		wantCode(w, w.remove(f, w.one(f)), "")
		w.counts(f, 0, 0, 0)
	})
}

func TestMissMessages(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		heal := w.inject("ReceiveMessage", sqssvc.MissMessages())
		defer heal()
		w.gets(q, nil)
		w.counts(q, 1, 0, 0)
		w.gets(q, []string{"a"}, waiting(time.Second)) // a long poll asks everywhere
	})
}

func TestEffectsAreForTheirOperations(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for operation, e := range map[string]awstest.Effect{
			"SendMessage": sqssvc.FailEntries("x", true, nil), "DeleteMessage": sqssvc.Duplicate(), "SendMessageBatch": sqssvc.CorruptBody(),
			"ReceiveMessage": sqssvc.Resurrect(), "PurgeQueue": sqssvc.MissMessages(),
		} {
			_, err := w.cloud.Inject(awstest.Match{Service: sqs.ServiceID, Operation: operation}, e)
			if _, ok := errors.AsType[*awstest.FieldError](err); !ok {
				w.Errorf("%s: got %v", operation, err)
			}
		}
	})
}

// What the core's effects do to messages.
func TestEffectsOnMessages(t *testing.T) {
	t.Parallel()
	once := func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} }
	receive := func(w *world, q string) error {
		_, err := w.ReceiveMessage(w.Context(), receiveInput(q), once)
		return err
	}
	for name, c := range map[string]struct {
		operation string
		effect    awstest.Effect
		call      func(w *world, q string) error
		code      string // "-" is any error
		want      []int
	}{
		"a send that is rejected":           {"SendMessage", awstest.Reject(awstest.APIError{Code: "InternalError", Status: 500}), sendOnce, "InternalError", []int{1, 0, 0}},
		"a send whose reply is lost":        {"SendMessage", awstest.LoseReply(), sendOnce, "-", []int{2, 0, 0}},
		"a send that is answered wrongly":   {"SendMessage", awstest.ApplyThenReject(awstest.APIError{Code: "InternalError", Status: 500}), sendOnce, "InternalError", []int{2, 0, 0}},
		"a receive that is throttled":       {"ReceiveMessage", awstest.Throttle(), receive, "RequestThrottled", []int{1, 0, 0}},
		"a receive while SQS is down":       {"ReceiveMessage", awstest.Unavailable(), receive, "ServiceUnavailable", []int{1, 0, 0}},
		"a receive that is denied":          {"ReceiveMessage", awstest.Deny(), receive, "AccessDenied", []int{1, 0, 0}},
		"a receive whose reply is lost":     {"ReceiveMessage", awstest.LoseReply(), receive, "-", []int{0, 1, 0}},
		"a receive that is answered late":   {"ReceiveMessage", awstest.DelayReply(29 * time.Second), receive, "", []int{0, 1, 0}},
		"a receive answered after its time": {"ReceiveMessage", awstest.DelayReply(31 * time.Second), receive, "", []int{1, 0, 0}},
		"a receive that arrives late":       {"ReceiveMessage", awstest.Delay(31 * time.Second), receive, "", []int{0, 1, 0}},
		"a receive that hangs": {"ReceiveMessage", awstest.Hang(), func(w *world, q string) error {
			ctx, cancel := w.within(time.Minute)
			defer cancel()
			_, err := w.ReceiveMessage(ctx, receiveInput(q))
			if !errors.Is(err, context.DeadlineExceeded) {
				w.Errorf("got %v", err)
			}
			return err
		}, "-", []int{1, 0, 0}},
		"a delete whose reply is lost": {"DeleteMessage", awstest.LoseReply(), func(w *world, q string) error {
			m := w.one(q)
			_, err := w.DeleteMessage(w.Context(), &sqs.DeleteMessageInput{QueueUrl: &q, ReceiptHandle: m.ReceiptHandle}, once)
			return err
		}, "-", []int{0, 0, 0}},
		"a stale receive sees all the same": {"ReceiveMessage", awstest.Stale(time.Minute), receive, "", []int{0, 1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue("jobs")
				w.send(q, "a")
				heal := w.inject(c.operation, c.effect)
				err := c.call(w, q)
				heal()
				if c.code != "-" {
					wantCode(w, err, c.code)
				} else if err == nil {
					w.Error("the call succeeded")
				}
				w.counts(q, c.want...)
			})
		})
	}
}

// What is retried after a lost reply: a delete does no harm, a send is sent
// twice, and a receive leaves its first messages leased to nobody.
func TestRetriesAfterALostReply(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jobs", "jobs.fifo"} {
		inBubble(t, func(w *world) {
			q := w.queue(name)
			w.once("SendMessage", awstest.LoseReply())
			w.send(q, "a:1")
			if name == "jobs" {
				w.counts(q, 2, 0, 0)
			} else {
				w.counts(q, 1, 0, 0) // deduplicated
			}
			w.once("ReceiveMessage", awstest.LoseReply())
			w.gets(q, nil)
			time.Sleep(30 * time.Second)
			m := w.receive(q)[0]
			w.once("DeleteMessage", awstest.LoseReply())
			wantCode(w, w.remove(q, m), "")
		})
	}
	inBubble(t, func(w *world) { // unless the attempt has an ID
		q := w.queue("jobs.fifo")
		w.send(q, "a:1")
		w.once("ReceiveMessage", awstest.LoseReply())
		w.gets(q, []string{"a:1"}, attempt("1"))
	})
}

func sendOnce(w *world, q string) error {
	_, err := w.SendMessage(w.Context(), message(q, "b"), func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} })
	return err
}

// Between two receivers, the one whom a hook lets win gets the message.
func TestAnotherReceiverWins(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		w.once("ReceiveMessage", awstest.Before(func(context.Context, awstest.Record) { w.gets(q, []string{"a"}) }))
		w.gets(q, nil)
	})
}

// What happens between a receive and its reply changes nothing about the
// reply.
func TestChangeBeforeTheReply(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		w.once("ReceiveMessage", awstest.After(func(context.Context, awstest.Record) {
			must(w.PurgeQueue(w.Context(), &sqs.PurgeQueueInput{QueueUrl: &q}))(w)
		}))
		m := w.gets(q, []string{"a"})[0]
		wantCode(w, w.hide(q, m, time.Minute), "InvalidParameterValue")
	})
}

// A stale read shows numbers and settings as they were.
func TestStaleAttributes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		time.Sleep(time.Minute)
		w.send(q, "a")
		must(w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q, Attributes: set("DelaySeconds=9")}))(w)
		heal := w.inject("GetQueueAttributes", awstest.Stale(30*time.Second))
		w.counts(q, 0, 0, 0)
		if d := w.attributes(q)["DelaySeconds"]; d != "0" {
			w.Errorf("delay %s", d)
		}
		heal()
		w.counts(q, 1, 0, 0)
		if d := w.attributes(q)["DelaySeconds"]; d != "9" {
			w.Errorf("delay %s", d)
		}
	})
}

// The numbers of messages can stand behind, and follow what ends by itself.
func TestCounterLag(t *testing.T) {
	t.Parallel()
	inBubbleWith(t, func(o *sqssvc.Options) { o.CounterLag = time.Minute }, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a", "b")
		w.one(q)
		w.counts(q, 0, 0, 0)
		time.Sleep(time.Minute)
		w.counts(q, 1, 1, 0)
		time.Sleep(30 * time.Second) // the lease has ended half a minute ago; seen a minute later
		w.counts(q, 2, 0, 0)
	})
}

// Messages sent by machines of a zone that fails: SQS is of the region.
func TestZoneFailureLeavesTheQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		i := w.instance()
		must(sqs.NewFromConfig(i.Config()).SendMessage(w.Context(), message(q, "a")))(w)
		heal := i.Zone().Fail(awstest.PowerLoss)
		defer heal()
		w.gets(q, []string{"a"})
	})
}

func TestResourceMatch(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q, other := w.queue("jobs"), w.queue("other")
		heal := must(w.cloud.Inject(awstest.Match{Service: sqs.ServiceID, Resource: q}, awstest.Deny()))(w)
		defer heal()
		_, err := w.SendMessage(w.Context(), message(q, "a"))
		wantCode(w, err, "AccessDenied")
		w.send(other, "a")
		if !slices.Equal(bodies(w.receive(other)), []string{"a"}) {
			w.Error("the other queue is struck as well")
		}
	})
}
