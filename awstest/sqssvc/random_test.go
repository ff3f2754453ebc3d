package sqssvc_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// TestRandomSequences runs random sequences of calls through the real client
// and on queues that are as simple as they can be, and compares every answer.
// Ten thousand take about four times as long as it does: -sequences=10000.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 2500, 250, func(t *testing.T, first, last uint64) {
		inBubble(t, func(w *world) {
			// Requests without a signature cost less.
			w.Client = sqs.NewFromConfig(w.cloud.Config(home), func(o *sqs.Options) { o.Credentials = aws.AnonymousCredentials{} })
			for n := first; n <= last && !w.Failed(); n++ {
				r := &random{world: w, Rand: rand.New(rand.NewPCG(n, n))}
				r.run(n)
				if w.Failed() {
					w.Errorf("replay with: go test ./awstest/sqssvc -run TestRandomSequences -seed=%d", n)
				}
			}
		}, func(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 10 })
	})
}

// random is one sequence: a queue and its dead-letter queue, real and naive.
type random struct {
	*world
	*rand.Rand
	urls   [2]string // the dead-letter queue is the second
	queues [2]*naive
	held   [2][]held
	bodies int
	log    []string
}

func pick[T any](r *random, from ...T) T { return from[r.IntN(len(from))] }

func (r *random) run(n uint64) {
	fifo := r.IntN(2) == 0
	suffix := ""
	if fifo {
		suffix = ".fifo"
	}
	for i := range r.queues {
		r.queues[i] = &naive{
			fifo: fifo, visibility: pick(r, 0, 5*time.Second, 30*time.Second), delay: pick(r, 0, 0, 3*time.Second),
			age: pick(r, time.Minute, time.Hour, 14*24*time.Hour), sent: map[string]*job{}, attempts: map[string]*try{},
		}
	}
	q, dead := r.queues[0], r.queues[1]
	deadName := fmt.Sprintf("dead-%d%s", n, suffix)
	r.urls[1] = r.queue(deadName, r.settings(dead)...)
	settings := r.settings(q)
	if r.IntN(4) > 0 {
		q.dead, q.receives = dead, 1+r.IntN(4)
		settings = append(settings, redriveTo(deadName, q.receives))
	}
	r.urls[0] = r.queue(fmt.Sprintf("jobs-%d%s", n, suffix), settings...)
	for range 15 + r.IntN(25) {
		if r.step(); r.Failed() {
			break
		}
	}
	r.compareCounts(0)
	r.compareCounts(1)
	if r.Failed() {
		for _, line := range r.log {
			r.Log(line)
		}
	}
}

func (r *random) settings(q *naive) []string {
	s := []string{
		fmt.Sprint("VisibilityTimeout=", int(q.visibility.Seconds())), fmt.Sprint("DelaySeconds=", int(q.delay.Seconds())),
		fmt.Sprint("MessageRetentionPeriod=", int(q.age.Seconds())),
	}
	if q.fifo {
		s = append(s, "ContentBasedDeduplication=true")
	}
	return s
}

func (r *random) note(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf("%v: ", time.Since(r.start))+fmt.Sprintf(format, args...))
}

// step makes one call, or lets time pass.
func (r *random) step() {
	which := pick(r, 0, 0, 0, 1)
	for _, q := range r.queues {
		q.pass(time.Now())
	}
	switch r.IntN(10) {
	case 0, 1, 2:
		r.sendSome(which)
	case 3, 4, 5:
		r.receiveSome(which)
	case 6:
		r.deleteOne(which)
	case 7:
		r.hideOne(which)
	case 8:
		r.compareCounts(which)
	default:
		d := pick(r, time.Millisecond, time.Second, 4*time.Second, 5*time.Second, 29*time.Second, time.Minute, 5*time.Minute, 12*time.Hour)
		r.note("%v pass", d)
		time.Sleep(d)
	}
}

// sendSome sends from one to ten messages in a batch.
func (r *random) sendSome(which int) {
	q, now := r.queues[which], time.Now()
	in := &sqs.SendMessageBatchInput{QueueUrl: &r.urls[which]}
	var want []*job
	for i := range pick(r, 1, 1, 2, 10) {
		if !q.fifo || r.IntN(4) > 0 {
			r.bodies++ // else the body is that of the last message
		}
		j := &job{id: new(string), body: fmt.Sprint("job-", r.bodies), group: pick(r, "a", "b", "c", "d")}
		e := types.SendMessageBatchRequestEntry{Id: new(fmt.Sprint(i)), MessageBody: &j.body, MessageGroupId: &j.group}
		dedup, delay := j.body, time.Duration(0)
		switch {
		case !q.fifo && r.IntN(3) == 0:
			j.group, e.MessageGroupId = "", nil
		case !q.fifo && r.IntN(5) == 0:
			delay = pick(r, time.Second, 5*time.Second)
			e.DelaySeconds = int32(delay / time.Second)
		case q.fifo && r.IntN(3) == 0:
			dedup = pick(r, "x", "y")
			e.MessageDeduplicationId = &dedup
		}
		in.Entries = append(in.Entries, e)
		want = append(want, q.send(j, dedup, delay, now))
	}
	out, err := r.SendMessageBatch(r.Context(), in)
	if err != nil || len(out.Successful) != len(want) {
		r.Errorf("send: %v %v", out, err)
		return
	}
	for i, s := range out.Successful {
		id := want[i].id
		if *id == "" {
			*id = *s.MessageId
		}
		r.note("%d: send %q to group %q: %s", which, *in.Entries[i].MessageBody, want[i].group, *s.MessageId)
		if *s.MessageId != *id {
			r.Errorf("sent %s, want %s, which it is a duplicate of", *s.MessageId, *id)
		}
	}
}

func (r *random) receiveSome(which int) {
	q, now := r.queues[which], time.Now()
	limit, visibility := pick(r, 1, 3, 10), pick(r, 0, 0, 2*time.Second, 10*time.Second, 30*time.Second)
	in := receiveInput(r.urls[which], atMost(int32(limit)), hiddenFor(visibility))
	id := ""
	if q.fifo && r.IntN(3) == 0 {
		id = pick(r, "1", "2")
		attempt(id)(in)
	}
	if visibility == 0 {
		visibility = q.visibility
	}
	want := q.receive(limit, visibility, id, now)
	got := must(r.ReceiveMessage(r.Context(), in))(r).Messages
	r.note("%d: receive %d for %v, attempt %q: %q", which, limit, visibility, id, bodies(got))
	if len(got) != len(want) {
		r.Errorf("received %q, want %d messages", bodies(got), len(want))
		for _, j := range want {
			r.note("want %s %s", j.body, *j.id)
		}
		return
	}
	for i, m := range got {
		j := want[i]
		if *m.MessageId != *j.id || *m.Body != j.body || m.Attributes["ApproximateReceiveCount"] != fmt.Sprint(j.received) || m.Attributes["MessageGroupId"] != j.group {
			r.Errorf("received %s %s %v, want %s %s, received %d times", *m.Body, *m.MessageId, m.Attributes, j.body, *j.id, j.received)
		}
		r.held[which] = append(r.held[which], held{*m.ReceiptHandle, j, j.leases, j.at})
	}
}

// code returns the code of an error.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func (r *random) deleteOne(which int) {
	if len(r.held[which]) == 0 {
		return
	}
	h := pick(r, r.held[which]...)
	want := r.queues[which].delete(h, time.Now())
	_, err := r.DeleteMessage(r.Context(), &sqs.DeleteMessageInput{QueueUrl: &r.urls[which], ReceiptHandle: &h.handle})
	r.note("%d: delete %s, lease %d: %v", which, h.job.body, h.lease, err)
	r.same("delete", want, err)
}

func (r *random) hideOne(which int) {
	if len(r.held[which]) == 0 {
		return
	}
	h, timeout := pick(r, r.held[which]...), pick(r, 0, 0, 5*time.Second, time.Minute, 12*time.Hour)
	want := r.queues[which].hide(h, timeout, time.Now())
	_, err := r.ChangeMessageVisibility(r.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &r.urls[which], ReceiptHandle: &h.handle, VisibilityTimeout: int32(timeout / time.Second)})
	r.note("%d: hide %s, lease %d, for %v: %v", which, h.job.body, h.lease, timeout, err)
	r.same("change visibility", want, err)
}

func (r *random) same(what, want string, err error) {
	r.Helper()
	if err != nil && code(err) != want || err == nil && want != "" {
		r.Errorf("%s: %v, want %q", what, err, want)
	}
}

func (r *random) compareCounts(which int) {
	r.Helper()
	q := r.queues[which]
	q.pass(time.Now())
	r.note("%d: count", which)
	r.counts(r.urls[which], q.count("waiting", "*"), q.count("leased", "*"), q.count("delayed", "*"))
}
