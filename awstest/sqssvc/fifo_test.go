package sqssvc_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/sqssvc"
)

// A batch takes as many messages of one group as it can, in their order, and
// then those of the next.
func TestGroupsInABatch(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo")
		w.send(q, "a:1", "b:1", "a:2", "c:1", "a:3", "b:2")
		w.gets(q, []string{"a:1", "a:2"}, atMost(2))
		w.gets(q, []string{"b:1", "b:2", "c:1"})
		w.gets(q, nil)
		w.counts(q, 1, 5, 0) // a:3 waits, and cannot be had
	})
}

func TestGroupIsBlocked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		released bool // the option
		change   func(w *world, q string, first, second string)
		want     []string
	}{
		"while its first is in flight": {false, nil, []string{"b:1"}},
		"while any but the first is in flight": {false, func(w *world, q, first, _ string) {
			w.handleDo(q, first, "delete")
		}, []string{"b:1"}},
		"also where the first is visible again": {false, func(w *world, q, first, _ string) {
			w.handleDo(q, first, "release")
		}, []string{"b:1"}},
		"not where that is allowed": {true, func(w *world, q, first, _ string) {
			w.handleDo(q, first, "release")
		}, []string{"b:1", "a:1"}},
		"by its second, in both": {true, func(w *world, q, first, _ string) {
			w.handleDo(q, first, "delete")
		}, []string{"b:1"}},
		"where a later one is visible again": {true, func(w *world, q, _, second string) {
			w.handleDo(q, second, "release")
		}, []string{"b:1"}},
		"no more when both are released": {false, func(w *world, q, first, second string) {
			w.handleDo(q, second, "release")
			w.handleDo(q, first, "release")
		}, []string{"b:1", "a:1", "a:2", "a:3"}},
		"no more when both are deleted": {false, func(w *world, q, first, second string) {
			w.handleDo(q, first, "delete")
			w.handleDo(q, second, "delete")
		}, []string{"b:1", "a:3"}},
		"no more when their leases have ended": {false, func(w *world, _, _, _ string) { time.Sleep(30 * time.Second) }, []string{"b:1", "a:1", "a:2", "a:3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, func(o *sqssvc.Options) { o.ReleasedHead = c.released }, func(w *world) {
				q := w.queue("jobs.fifo")
				w.send(q, "a:1", "a:2")
				got := w.gets(q, []string{"a:1", "a:2"})
				w.send(q, "b:1", "a:3")
				if c.change != nil {
					c.change(w, q, *got[0].ReceiptHandle, *got[1].ReceiptHandle)
				}
				w.gets(q, c.want)
			})
		})
	}
}

func (w *world) handleDo(q, handle, what string) {
	w.Helper()
	var err error
	if what == "delete" {
		_, err = w.DeleteMessage(w.Context(), &sqs.DeleteMessageInput{QueueUrl: &q, ReceiptHandle: &handle})
	} else {
		_, err = w.ChangeMessageVisibility(w.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &q, ReceiptHandle: &handle})
	}
	wantCode(w, err, "")
}

// Groups come in the order in which their first messages have become visible,
// as recorded from AWS.
func TestOrderOfGroups(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo", "VisibilityTimeout=0")
		w.send(q, "a:1", "b:1", "b:2", "c:1", "a:2")
		w.gets(q, []string{"a:1", "a:2", "b:1"}, atMost(3))
		w.gets(q, []string{"c:1", "a:1", "a:2", "b:1", "b:2"})

		f := w.queue("other.fifo")
		w.send(f, "a:1", "b:1", "a:2", "b:2", "a:3", "a:4", "c:1")
		got := w.gets(f, []string{"a:1", "a:2"}, atMost(2))
		for _, m := range got {
			wantCode(w, w.remove(f, m), "")
		}
		w.gets(f, []string{"b:1", "b:2", "a:3", "a:4", "c:1"})
	})
}

func TestFIFORules(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q, f, content := w.queue("jobs"), w.queue("jobs.fifo"), w.queue("content.fifo", "ContentBasedDeduplication=true")
		long := string(make([]byte, 129))
		for _, c := range []struct {
			url, group, dedup string
			code              string
		}{
			{f, "g", "d", ""},
			{f, "", "d", "MissingParameter"},
			{f, "g", "", "InvalidParameterValue"},
			{content, "g", "", ""},
			{content, "", "", "MissingParameter"},
			{f, "g!#~", "d\"'", ""},
			{f, "g g", "d", "InvalidParameterValue"},
			{f, "g", "dä", "InvalidParameterValue"},
			{f, long, "d", "InvalidParameterValue"},
			{f, "g", long, "InvalidParameterValue"},
			{q, "g", "", ""}, // fair queues
			{q, "g g", "", "InvalidParameterValue"},
			{q, "", "d", "InvalidParameterValue"},
		} {
			in := &sqs.SendMessageInput{QueueUrl: &c.url, MessageBody: aws.String("x")}
			if c.group != "" {
				in.MessageGroupId = &c.group
			}
			if c.dedup != "" {
				in.MessageDeduplicationId = &c.dedup
			}
			_, err := w.SendMessage(w.Context(), in)
			wantCode(w, err, c.code)
		}
		_, err := w.ReceiveMessage(w.Context(), receiveInput(f, attempt(long)))
		wantCode(w, err, "InvalidParameterValue")
	})
}

// sendTo sends to a group, with a deduplication ID if there is one.
func (w *world) sendTo(q, group, dedup, body string) *sqs.SendMessageOutput {
	w.Helper()
	in := &sqs.SendMessageInput{QueueUrl: &q, MessageBody: &body, MessageGroupId: &group}
	if dedup != "" {
		in.MessageDeduplicationId = &dedup
	}
	return must(w.SendMessage(w.Context(), in))(w)
}

func TestDeduplication(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo")
		first := w.sendTo(q, "a", "1", "first")
		second := w.sendTo(q, "b", "1", "second") // the whole queue is looked at
		if *second.MessageId != *first.MessageId || *second.SequenceNumber != *first.SequenceNumber {
			w.Errorf("a duplicate is %s %s, want %s %s", *second.MessageId, *second.SequenceNumber, *first.MessageId, *first.SequenceNumber)
		}
		got := w.gets(q, []string{"first"})
		wantCode(w, w.remove(q, got[0]), "")
		time.Sleep(5*time.Minute - 10*time.Millisecond)
		w.sendTo(q, "a", "1", "again") // also of a message that is deleted
		w.gets(q, nil)
		time.Sleep(10 * time.Millisecond)
		third := w.sendTo(q, "a", "1", "third")
		if *third.MessageId == *first.MessageId {
			w.Error("a duplicate after five minutes")
		}
		got = w.gets(q, []string{"third"})
		if id := got[0].Attributes["MessageDeduplicationId"]; id != "1" {
			w.Errorf("deduplication ID %s", id)
		}
	})
}

func TestDeduplicationByContent(t *testing.T) {
	t.Parallel()
	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // SHA-256 of abc
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo", "ContentBasedDeduplication=true")
		w.sendTo(q, "a", "", "abc")
		w.sendTo(q, "a", "", "abc")
		w.sendTo(q, "a", sum, "other")
		w.sendTo(q, "a", "own", "abc") // its own ID counts
		got := w.gets(q, []string{"abc", "abc"})
		if id := got[0].Attributes["MessageDeduplicationId"]; id != sum {
			w.Errorf("deduplication ID %s, want %s", id, sum)
		}
	})
}

func TestDeduplicationByGroup(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo", "DeduplicationScope=messageGroup", "FifoThroughputLimit=perMessageGroupId")
		w.sendTo(q, "a", "1", "a")
		w.sendTo(q, "a", "1", "a again")
		w.sendTo(q, "b", "1", "b")
		w.gets(q, []string{"a", "b"})
	})
}

func TestSequenceNumbersGrow(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo")
		last := ""
		for n := range 300 {
			s := *w.sendTo(q, "a", fmt.Sprint(n), "x").SequenceNumber
			if len(s) != 20 || s <= last {
				w.Fatalf("%s after %s", s, last)
			}
			last = s
		}
		if s := must(w.SendMessage(w.Context(), message(w.queue("jobs"), "x")))(w).SequenceNumber; s != nil {
			w.Errorf("a standard queue gives %s", *s)
		}
	})
}

// The same attempt gets the same messages under the same handles, for as long
// as none of them was touched.
func TestReceiveAttempts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(w *world, q string, first string)
		want      []string
		same      bool
	}{
		"nothing":             {nil, []string{"a:1", "a:2"}, true},
		"a while":             {func(*world, string, string) { time.Sleep(29 * time.Second) }, []string{"a:1", "a:2"}, true},
		"another attempt":     {func(w *world, q, _ string) { w.gets(q, []string{"b:1"}, attempt("2")) }, []string{"a:1", "a:2"}, true},
		"the leases end":      {func(*world, string, string) { time.Sleep(31 * time.Second) }, []string{"b:1", "a:1", "a:2"}, false},
		"one is deleted":      {func(w *world, q, first string) { w.handleDo(q, first, "delete") }, []string{"b:1"}, false},
		"one is released":     {func(w *world, q, first string) { w.handleDo(q, first, "release") }, []string{"b:1"}, false},
		"the queue is purged": {func(w *world, q, _ string) { must(w.PurgeQueue(w.Context(), &sqs.PurgeQueueInput{QueueUrl: &q}))(w) }, nil, false},
		"one has its timeout set": {func(w *world, q, first string) {
			must(w.ChangeMessageVisibility(w.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &q, ReceiptHandle: &first, VisibilityTimeout: 60}))(w)
		}, []string{"b:1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue("jobs.fifo")
				w.send(q, "a:1", "a:2")
				first := w.gets(q, []string{"a:1", "a:2"}, attempt("1"))
				w.send(q, "b:1")
				if c.meanwhile != nil {
					c.meanwhile(w, q, *first[0].ReceiptHandle)
				}
				again := w.gets(q, c.want, attempt("1"))
				if !c.same {
					return
				}
				for i := range first {
					if diff := cmp.Diff(first[i].Attributes, again[i].Attributes); diff != "" || *first[i].ReceiptHandle != *again[i].ReceiptHandle {
						w.Errorf("the message has changed: %s", diff)
					}
				}
				time.Sleep(29 * time.Second) // the timeout counts from the retry
				wantCode(w, w.remove(q, again[0]), "")
			})
		})
	}
}

// An attempt is remembered for five minutes.
func TestAttemptIsForgotten(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo", "VisibilityTimeout=3600")
		w.send(q, "a:1")
		w.gets(q, []string{"a:1"}, attempt("1"))
		time.Sleep(5*time.Minute - 10*time.Millisecond)
		w.gets(q, []string{"a:1"}, attempt("1"))
		time.Sleep(10 * time.Millisecond)
		w.gets(q, nil, attempt("1"))
	})
}

// An attempt that was used anew is remembered from then on.
func TestAttemptIsUsedAnew(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo", "VisibilityTimeout=3600")
		w.send(q, "a:1", "a:2", "b:1")
		first := w.gets(q, []string{"a:1"}, attempt("1"), atMost(1))
		wantCode(w, w.remove(q, first[0]), "")
		time.Sleep(time.Minute)
		w.gets(q, []string{"a:2"}, attempt("1"), atMost(1))
		time.Sleep(4*time.Minute + 30*time.Second)
		w.gets(q, []string{"b:1"}, attempt("2"))
		w.gets(q, []string{"a:2"}, attempt("1"))
	})
}

// A poll whose caller has gone gets the messages; the same attempt again gets
// them from it, though others wait in between.
func TestAttemptAfterALostPoll(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo")
		ctx, cancel := w.within(5 * time.Second)
		defer cancel()
		lost := later(func() {
			if _, err := w.ReceiveMessage(ctx, receiveInput(q, waiting(20*time.Second), attempt("1"))); err == nil {
				w.Error("the first poll was answered")
			}
		})
		lost()
		between := w.poll(q)
		retry := w.poll(q, attempt("1"))
		time.Sleep(time.Second)
		w.send(q, "a:1")
		w.says("the retry", retry, "[a:1] after 1s")
		w.says("another poll", between, "[] after 20s")
	})
}
