package sqsmodel

import (
	"net/http"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Receive is a request for messages.
type Receive struct {
	Max        int           // from 1 to 10
	Visibility time.Duration // of what it gets
	Wait       time.Duration
	Attempt    string // ReceiveRequestAttemptId; "" if there is none

	Duplicate bool // what it gets is handed out once more at once; standard queues
	Miss      bool // it finds nothing, as a short poll may; without a wait

	// Answer is called once, in the call of Receive or later.
	Answer func(*awstest.Tx, []Delivery, error)
	// Gone tells whether the caller has gone, and since when.
	Gone func(*awstest.Tx) (time.Time, bool)

	deadline   time.Time
	prev, next *Receive
	deadlineAt int
}

// Delivery is a message that is handed out.
type Delivery struct {
	*Message
	Handle   string
	Receives int
	First    time.Time // receive
}

// attempt is what a FIFO queue remembers of a receive.
type attempt []attempted

type attempted struct {
	*Message
	key     uint64
	lease   uint32
	version int
}

// check holds a receive against the rules.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html (read 2026-11)
func (q *Queue) check(r *Receive) error {
	switch {
	case r.Max < 1 || r.Max > 10:
		return invalidValue(r.Max, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	case r.Visibility < 0 || r.Visibility > MaxVisibility:
		return invalidValue(int64(r.Visibility/time.Second), "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
	case r.Wait < 0 || r.Wait > MaxWait:
		return invalidValue(int64(r.Wait/time.Second), "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	case r.Attempt != "" && !q.set.FIFO:
		return invalidValue(r.Attempt, "ReceiveRequestAttemptId", wrongType)
	case !isID(r.Attempt):
		return invalidValue(r.Attempt, "ReceiveRequestAttemptId", onlyASCII)
	}
	return nil
}

// Receive hands out messages, at once or when there are any.
func (q *Queue) Receive(tx *awstest.Tx, r *Receive) {
	if err := q.check(r); err != nil {
		r.Answer(tx, nil, err)
		return
	}
	if again, ok := q.repeat(tx, r); ok {
		r.Answer(tx, again, nil)
		return
	}
	// A long poll waits until there is room.
	// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html (read 2026-11)
	if q.InFlight >= q.limit() && !q.set.FIFO && r.Wait == 0 {
		r.Answer(tx, nil, &awstest.APIError{Code: "OverLimit", Message: "The maximum number of in flight messages is reached.", Status: http.StatusForbidden})
		return
	}
	if r.Miss && r.Wait == 0 {
		r.Answer(tx, nil, nil)
		return
	}
	got := q.collect(tx, r)
	if len(got) > 0 || r.Wait == 0 {
		r.Answer(tx, got, nil)
		return
	}
	r.deadline = tx.Now().Add(r.Wait)
	q.waiters.add(r)
	q.touch()
}

// limit is how many messages can be in flight.
func (q *Queue) limit() int {
	if q.set.FIFO {
		return q.region.model.opts.InFlightFIFO
	}
	return q.region.model.opts.InFlight
}

// collect leases what a receive gets now. What it comes across that has been
// received too often goes to the dead-letter queue.
func (q *Queue) collect(tx *awstest.Tx, r *Receive) (got []Delivery) {
	room := min(r.Max, q.limit()-q.InFlight)
	atOnce := r.Visibility == 0 || r.Duplicate && !q.set.FIFO
	var held []*lane     // lanes of a FIFO queue that were taken from
	var again []*Message // what waits again after this receive
	for len(got) < room {
		l := q.nextLane()
		if l == nil {
			break
		}
		if q.set.FIFO {
			l.held = true
			held = append(held, l)
			l.update()
		}
		for m := l.next(); m != nil && m.state == waiting && len(got) < room; {
			following := inLane(m).next
			q.stopWaiting(m)
			if !q.exhausted(tx, m) {
				got = append(got, q.hand(m, tx.Now()))
				if atOnce {
					again = append(again, m)
				} else {
					m.until = tx.Now().Add(r.Visibility)
					q.hide(m, leased)
				}
			}
			if !q.set.FIFO {
				break // the next turn may be another lane's
			}
			m = following
		}
		l.update()
	}
	for _, m := range again {
		q.wait(m, tx.Now())
	}
	for _, l := range held {
		l.held = false
		l.update()
	}
	if len(got) > 0 {
		q.note(tx.Now())
		if r.Attempt != "" {
			q.remember(tx, r, got)
		}
	}
	return got
}

// hand notes that a message is received, and makes the handle.
func (q *Queue) hand(m *Message, now time.Time) Delivery {
	m.receives++
	m.here++
	m.lease++
	m.released = false
	if m.first.IsZero() {
		m.first = now
	}
	return Delivery{m, q.handle(m, now), m.receives, m.first}
}

// remember keeps what an attempt has got, for the same attempt again.
func (q *Queue) remember(tx *awstest.Tx, r *Receive, got []Delivery) {
	var a attempt
	for _, d := range got {
		a = append(a, attempted{d.Message, d.key, d.lease, d.version})
	}
	q.attempts.put(tx.Now(), r.Attempt, a)
}

// repeat hands out what the same attempt got before, under the same handles,
// and for as long as is asked for now. That is over when a lease has ended or
// was changed, or a message was deleted.
func (q *Queue) repeat(tx *awstest.Tx, r *Receive) (again []Delivery, ok bool) {
	if r.Attempt == "" {
		return nil, false
	}
	a, ok := q.attempts.get(tx.Now(), r.Attempt)
	if !ok {
		return nil, false
	}
	for _, t := range a {
		if q.messages[t.key] != t.Message || t.state != leased || t.Message.lease != t.lease || t.Message.version != t.version {
			q.attempts.forget(r.Attempt)
			return nil, false
		}
	}
	for _, t := range a {
		m := t.Message
		m.until = tx.Now().Add(r.Visibility)
		q.hidden.fix(m)
		again = append(again, Delivery{m, m.handle, m.receives, m.first})
	}
	q.touch()
	return again, true
}
