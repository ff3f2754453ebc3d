package sqssvc_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/sqssvc"
)

const expiredHandle = "The receipt handle has expired"

// says asserts the message of an error.
func says(t testing.TB, err error, want string) {
	t.Helper()
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorMessage() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestLeaseEndsByItself(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for name, c := range map[string]struct {
			timeout string
			asked   time.Duration
			hidden  time.Duration
		}{
			"of-the-queue":    {"45", 0, 45 * time.Second},
			"of-the-receive":  {"45", 10 * time.Second, 10 * time.Second},
			"of-nothing":      {"0", 0, 0},
			"of-twelve-hours": {"1", 12 * time.Hour, 12 * time.Hour},
		} {
			q := w.queue(name, "VisibilityTimeout="+c.timeout)
			w.send(q, "a")
			first := w.one(q, hiddenFor(c.asked))
			if c.hidden > 0 {
				time.Sleep(c.hidden - 3*time.Millisecond) // a call takes one
				w.counts(q, 0, 1, 0)
				w.gets(q, nil)
				time.Sleep(time.Millisecond)
			}
			w.counts(q, 1, 0, 0)
			second := w.one(q)
			if *second.MessageId != *first.MessageId || *second.ReceiptHandle == *first.ReceiptHandle {
				w.Errorf("%s: the same message under another handle was expected", name)
			}
			if n := second.Attributes["ApproximateReceiveCount"]; n != "2" {
				w.Errorf("%s: received %s times, want 2", name, n)
			}
			if first.Attributes["ApproximateFirstReceiveTimestamp"] != second.Attributes["ApproximateFirstReceiveTimestamp"] {
				w.Errorf("%s: the first receive has moved", name)
			}
		}
	})
}

func TestVisibilityCountsFromTheCall(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		m := w.one(q)
		time.Sleep(15 * time.Second)
		wantCode(w, w.hide(q, m, 10*time.Second), "")
		time.Sleep(10*time.Second - 2*time.Millisecond)
		w.gets(q, nil)
		time.Sleep(time.Millisecond)
		w.gets(q, []string{"a"}) // for 30 seconds again
		time.Sleep(30*time.Second - 2*time.Millisecond)
		w.gets(q, nil)
	})
}

// A handle can be used for twelve hours from its receive, and no lease can be
// made to last longer: what is asked for beyond that is refused, not cut.
func TestTwelveHours(t *testing.T) {
	t.Parallel()
	const hours = 12 * time.Hour
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		m := w.one(q, hiddenFor(time.Hour))
		received := time.Now()
		beyond := func(d time.Duration, seconds string) {
			w.Helper()
			err := w.hide(q, m, d)
			wantCode(w, err, "InvalidParameterValue")
			says(w, err, "Value "+seconds+" for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
		}
		beyond(hours, "43200") // a millisecond has passed
		wantCode(w, w.hide(q, m, hours-time.Second), "")
		for range 11 {
			time.Sleep(time.Hour)
			wantCode(w, w.hide(q, m, 30*time.Minute), "")
		}
		beyond(time.Hour, "3600")
		time.Sleep(time.Until(received.Add(hours - 10*time.Second)))
		beyond(11*time.Second, "11")
		wantCode(w, w.hide(q, m, 9*time.Second), "")
		for _, d := range []time.Duration{-time.Second, hours + time.Second} {
			wantCode(w, w.hide(q, m, d), "InvalidParameterValue")
		}

		time.Sleep(time.Until(received.Add(hours)))
		err := w.remove(q, m)
		wantCode(w, err, "InvalidParameterValue")
		says(w, err, "Value "+*m.ReceiptHandle+" for parameter ReceiptHandle is invalid. Reason: "+expiredHandle+".")
		again := w.one(q) // a new receive, and twelve hours more
		wantCode(w, w.hide(q, again, hours-time.Second), "")
		wantCode(w, w.remove(q, again), "")
	})
}

// What a handle still does, by the state of its lease.
func TestHandles(t *testing.T) {
	t.Parallel()
	type action = func(w *world, q string, m types.Message) error
	remove := func(w *world, q string, m types.Message) error { return w.remove(q, m) }
	extend := func(w *world, q string, m types.Message) error { return w.hide(q, m, time.Minute) }
	release := func(w *world, q string, m types.Message) error { return w.hide(q, m, 0) }
	lapse := func(w *world, _ string, _ types.Message) error { time.Sleep(31 * time.Second); return nil }
	again := func(w *world, q string, _ types.Message) error { time.Sleep(31 * time.Second); w.one(q); return nil }
	garbage := func(w *world, q string, m types.Message) error {
		*m.ReceiptHandle = "garbage"
		return nil
	}
	altered := func(_ *world, _ string, m types.Message) error {
		b := []byte(*m.ReceiptHandle)
		b[10] ^= 1 // still of the form of a handle
		*m.ReceiptHandle = string(b)
		return nil
	}
	foreign := func(w *world, q string, m types.Message) error {
		other := w.queue("other")
		w.send(other, "x")
		*m.ReceiptHandle = *w.one(other).ReceiptHandle
		return nil
	}
	const (
		invalid  = "InvalidParameterValue"
		notValid = "ReceiptHandleIsInvalid"
		free     = "AWS.SimpleQueueService.MessageNotInflight"
	)
	for name, c := range map[string]struct {
		first, then    action
		standard, fifo string // codes
		left, fifoLeft []int  // numbers of messages then; nil is none at all
	}{
		"a lease, delete":              {nil, remove, "", "", nil, nil},
		"a lease, extend":              {nil, extend, "", "", []int{0, 1, 0}, []int{0, 1, 0}},
		"a lease, release":             {nil, release, "", "", []int{1, 0, 0}, []int{1, 0, 0}},
		"a lease that ended, delete":   {lapse, remove, "", invalid, nil, []int{1, 0, 0}},
		"a lease that ended, extend":   {lapse, extend, "", invalid, []int{0, 1, 0}, []int{1, 0, 0}},
		"a lease that ended, release":  {lapse, release, "", invalid, []int{1, 0, 0}, []int{1, 0, 0}},
		"a released message, delete":   {release, remove, "", invalid, nil, []int{1, 0, 0}},
		"a released message, extend":   {release, extend, free, invalid, []int{1, 0, 0}, []int{1, 0, 0}},
		"a released message, release":  {release, release, free, invalid, []int{1, 0, 0}, []int{1, 0, 0}},
		"a superseded handle, delete":  {again, remove, "", invalid, []int{0, 1, 0}, []int{0, 1, 0}},
		"a superseded handle, extend":  {again, extend, "", invalid, []int{0, 1, 0}, []int{0, 1, 0}},
		"a superseded handle, release": {again, release, "", invalid, []int{1, 0, 0}, []int{0, 1, 0}},
		"a deleted message, delete":    {remove, remove, "", "", nil, nil},
		"a deleted message, extend":    {remove, extend, invalid, invalid, nil, nil},
		"garbage, delete":              {garbage, remove, notValid, notValid, []int{0, 1, 0}, []int{0, 1, 0}},
		"garbage, extend":              {garbage, extend, notValid, notValid, []int{0, 1, 0}, []int{0, 1, 0}},
		"an altered handle, delete":    {altered, remove, notValid, notValid, []int{0, 1, 0}, []int{0, 1, 0}},
		"another queue's, delete":      {foreign, remove, notValid, notValid, []int{0, 1, 0}, []int{0, 1, 0}},
		"another queue's, extend":      {foreign, extend, notValid, notValid, []int{0, 1, 0}, []int{0, 1, 0}},
	} {
		for queue, want := range map[string]struct {
			code string
			left []int
		}{"jobs": {c.standard, c.left}, "jobs.fifo": {c.fifo, c.fifoLeft}} {
			t.Run(queue+": "+name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(w *world) {
					q := w.queue(queue)
					w.send(q, "a:1")
					m := w.one(q)
					if c.first != nil {
						wantCode(w, c.first(w, q, m), "")
					}
					err := c.then(w, q, m)
					wantCode(w, err, want.code)
					if want.code == notValid {
						svctest.WantStatus(w, err, 404)
					}
					if want.left == nil {
						want.left = []int{0, 0, 0}
					}
					w.counts(q, want.left...)
				})
			})
		}
	}
}

func TestSupersededHandleDeletesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		old := w.one(q)
		time.Sleep(30 * time.Second)
		current := w.one(q)
		wantCode(w, w.remove(q, old), "") // it says so
		time.Sleep(30 * time.Second)
		w.gets(q, []string{"a"})
		wantCode(w, w.remove(q, current), "") // superseded by now
		w.counts(q, 0, 1, 0)
	})
}

// A release is of one lease: the next one ends like any other.
func TestReleaseIsForgottenAtTheNextReceive(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a")
		wantCode(w, w.hide(q, w.one(q), 0), "")
		m := w.one(q)
		time.Sleep(30 * time.Second)
		wantCode(w, w.hide(q, m, time.Minute), "")
		w.counts(q, 0, 1, 0)
	})
}

func TestHandleErrorsInABatch(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs.fifo")
		w.send(q, "a:1", "b:1", "c:1")
		got := w.receive(q)
		wantCode(w, w.hide(q, got[1], 0), "")
		out := must(w.DeleteMessageBatch(w.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &q, Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("good"), ReceiptHandle: got[0].ReceiptHandle},
			{Id: aws.String("old"), ReceiptHandle: got[1].ReceiptHandle},
			{Id: aws.String("bad"), ReceiptHandle: aws.String("garbage")},
		}}))(w)
		if len(out.Successful) != 1 || *out.Successful[0].Id != "good" {
			w.Errorf("successful: %v", out.Successful)
		}
		w.failed(out.Failed, "old ReceiptHandleIsInvalid true "+expiredHandle, "bad ReceiptHandleIsInvalid true The input receipt handle is invalid.")

		hide := must(w.ChangeMessageVisibilityBatch(w.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("good"), ReceiptHandle: got[2].ReceiptHandle, VisibilityTimeout: 60},
			{Id: aws.String("old"), ReceiptHandle: got[1].ReceiptHandle, VisibilityTimeout: 60},
			{Id: aws.String("gone"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 60},
			{Id: aws.String("long"), ReceiptHandle: got[2].ReceiptHandle, VisibilityTimeout: 43200},
			{Id: aws.String("bad"), ReceiptHandle: aws.String("garbage"), VisibilityTimeout: 60},
		}}))(w)
		if len(hide.Successful) != 1 || *hide.Successful[0].Id != "good" {
			w.Errorf("successful: %v", hide.Successful)
		}
		const notForThat = "ReceiptHandleIsInvalid true Message does not exist or is not available for visibility timeout change"
		w.failed(hide.Failed, "old "+notForThat, "gone "+notForThat,
			"long InvalidParameterValue true Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
			"bad ReceiptHandleIsInvalid true The input receipt handle is invalid.")
	})
}

func TestInFlightLimit(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]string{"jobs": "OverLimit", "jobs.fifo": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, func(o *sqssvc.Options) { o.InFlight, o.InFlightFIFO = 3, 3 }, func(w *world) {
				q := w.queue(name)
				w.send(q, "a:1", "b:1", "c:1", "d:1", "e:1")
				w.gets(q, []string{"a:1", "b:1"}, atMost(2))
				got := w.gets(q, []string{"c:1"}) // as many as there is room for
				_, err := w.ReceiveMessage(w.Context(), receiveInput(q))
				wantCode(w, err, over)
				if over != "" {
					svctest.WantStatus(w, err, 403)
				}
				wantCode(w, w.remove(q, got[0]), "")
				w.gets(q, []string{"d:1"})
				time.Sleep(30 * time.Second)
				if n := len(w.receive(q)); n != 3 {
					w.Errorf("received %d when leases have ended, want 3", n)
				}
			})
		})
	}
}

// Only a short poll is told that too much is in flight: a long poll waits for
// room.
func TestLongPollAtTheInFlightLimit(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jobs", "jobs.fifo"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubbleWith(t, func(o *sqssvc.Options) { o.InFlight, o.InFlightFIFO = 2, 2 }, func(w *world) {
				q := w.queue(name)
				w.send(q, "a:1", "b:1", "c:1")
				got := w.receive(q)
				poll := w.poll(q)
				time.Sleep(3 * time.Second)
				wantCode(w, w.remove(q, got[0]), "")
				w.says("a message is deleted", poll, "[c:1] after 3s")
				w.says("nothing happens", w.poll(q), "[] after 20s")
				w.says("a lease ends", w.poll(q), "[b:1] after 7s")
			})
		})
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"jobs", "jobs.fifo"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				q := w.queue(name, "MessageRetentionPeriod=60")
				w.send(q, "a:old", "b:old")
				inFlight := w.one(q, hiddenFor(time.Hour))
				time.Sleep(30 * time.Second)
				w.send(q, "a:young")
				time.Sleep(30*time.Second - 10*time.Millisecond)
				w.counts(q, 2, 1, 0)
				time.Sleep(10 * time.Millisecond)
				w.counts(q, 1, 0, 0) // also what was in flight
				wantCode(w, w.remove(q, inFlight), "")
				w.gets(q, []string{"a:young"})

				// A shorter retention holds for what is there.
				must(w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q, Attributes: set("MessageRetentionPeriod=1209600")}))(w)
				w.send(q, "c:1")
				time.Sleep(14*24*time.Hour - time.Minute)
				w.counts(q, 2, 0, 0)
				must(w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q, Attributes: set("MessageRetentionPeriod=3600")}))(w)
				w.counts(q, 0, 0, 0)
			})
		})
	}
}

func TestDelays(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q, f := w.queue("jobs", "DelaySeconds=5"), w.queue("jobs.fifo", "DelaySeconds=5")
		w.send(q, "queue's")
		must(w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("own"), DelaySeconds: 900}))(w)
		w.send(f, "a:1", "a:2")
		w.counts(q, 0, 0, 2)
		w.counts(f, 0, 0, 2)
		w.gets(q, nil)
		w.gets(f, nil)
		time.Sleep(5 * time.Second)
		w.counts(q, 1, 0, 1)
		w.gets(q, []string{"queue's"})
		w.gets(f, []string{"a:1", "a:2"})
		time.Sleep(15 * time.Minute)
		w.counts(q, 2, 0, 0)

		w.gets(f, []string{"a:1", "a:2"})
		for seconds, code := range map[int32]string{-1: "InvalidParameterValue", 901: "InvalidParameterValue"} {
			_, err := w.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &q, MessageBody: aws.String("x"), DelaySeconds: seconds})
			wantCode(w, err, code)
		}
		in := message(f, "d:1")
		in.DelaySeconds = 2
		_, err := w.SendMessage(w.Context(), in)
		wantCode(w, err, "InvalidParameterValue")
	})
}

// A new delay is for the messages that are delayed in a FIFO queue, from when
// they came, and for new ones only in a standard queue.
func TestDelayThatChanges(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q, f := w.queue("jobs"), w.queue("jobs.fifo")
		delay := func(seconds string) {
			for _, url := range []string{q, f} {
				must(w.SetQueueAttributes(w.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: set("DelaySeconds=" + seconds)}))(w)
			}
		}
		w.send(f, "c:1")
		w.one(f, hiddenFor(11*time.Second)) // has a lease in place of a delay
		delay("10")
		w.send(q, "a")
		w.send(f, "a:1")
		time.Sleep(5 * time.Second)
		w.send(f, "a:2", "b:1")
		delay("900")
		time.Sleep(6 * time.Second)
		w.gets(q, []string{"a"})
		w.counts(f, 1, 0, 3)
		time.Sleep(time.Second)
		delay("9")
		w.gets(f, []string{"c:1", "a:1"}) // in the order in which they became visible
		poll := w.poll(f)
		time.Sleep(time.Second)
		w.send(q, "b")
		delay("0")
		w.says("a shorter delay", poll, "[b:1] after 1s") // the group of the other waits
		w.counts(q, 0, 1, 1)
	})
}

// What comes back keeps its place until it was received three times.
func TestOrderOfAStandardQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		q := w.queue("jobs")
		w.send(q, "a", "b")
		for range 2 {
			w.gets(q, []string{"a"}, atMost(1))
			w.send(q, "c")
			time.Sleep(30 * time.Second)
		}
		w.gets(q, []string{"a"}, atMost(1))
		time.Sleep(30 * time.Second)
		w.gets(q, []string{"b", "c", "c", "a"})
	})
}

func (w *world) failed(entries []types.BatchResultErrorEntry, want ...string) {
	w.Helper()
	if len(entries) != len(want) {
		w.Errorf("%d entries failed, want %d", len(entries), len(want))
		return
	}
	for i, e := range entries {
		fault := "false"
		if e.SenderFault {
			fault = "true"
		}
		if got := *e.Id + " " + *e.Code + " " + fault + " " + *e.Message; got != want[i] {
			w.Errorf("entry %d failed with %q, want %q", i, got, want[i])
		}
	}
}
