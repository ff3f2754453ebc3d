package sqsmodel

import (
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Queue is a queue. A message in it is in one of three states, and in the
// structures of its state, which find what comes next without a search:
//
//	waiting: in its lane; lanes with something to give are in ready
//	delayed: in hidden, by the end of its delay
//	leased:  in hidden, by the end of its visibility timeout
//
// States that end by themselves are brought up to date when the queue is
// looked at, in the order of time; an event is scheduled only while a receive
// waits.
type Queue struct {
	region         *Region
	name, url, arn string
	number         uint32 // tells queues of one name apart, in receipt handles
	set            *Settings
	tags           map[string]string
	created        time.Time
	modified       time.Time
	purged         time.Time
	deleted        bool

	messages map[uint64]*Message
	lastKey  uint64
	lastTurn uint64
	lanes    map[string]*lane
	ready    heap[*lane]
	hidden   heap[*Message]
	ages     list           // by the time of sending, oldest first
	elders   heap[*Message] // those that came with an earlier time of sending
	Counts
	past history.Table[struct{}, Counts]

	sent     memory[sending]
	attempts memory[attempt]

	waiters waiters
	event   *awstest.Event
	eventAt time.Time
	touched bool
	tasks   []*Task
}

// Counts is how many messages are in which state.
type Counts struct{ Waiting, InFlight, Delayed int }

func newQueue(r *Region, name string, s *Settings, now time.Time) *Queue {
	r.model.queues++
	q := &Queue{
		region: r, name: name, url: r.urlOf(name), arn: r.arnOf(name), number: r.model.queues,
		set: s, created: now, modified: now,
		hidden: heap[*Message]{less: endsBefore, place: func(m *Message) *int { return &m.hiddenAt }},
		elders: heap[*Message]{less: olderThan, place: func(m *Message) *int { return &m.elderAt }},
		ready:  heap[*lane]{less: (*lane).before, place: func(l *lane) *int { return &l.readyAt }},
		past:   *history.NewTable[struct{}, Counts](awstest.Memory),
	}
	q.clear()
	return q
}

// clear takes away all messages, and what is remembered of earlier ones.
func (q *Queue) clear() {
	q.messages, q.lanes = map[uint64]*Message{}, map[string]*lane{}
	q.ready.items, q.hidden.items, q.elders.items = nil, nil, nil
	q.ages = newList(byAge)
	q.Counts = Counts{}
	q.sent, q.attempts = newMemory[sending](), newMemory[attempt]()
}

// URL returns the queue's URL.
func (q *Queue) URL() string { return q.url }

// Name returns the queue's name.
func (q *Queue) Name() string { return q.name }

// ARN returns the queue's ARN.
func (q *Queue) ARN() string { return q.arn }

// FIFO tells whether it is a FIFO queue.
func (q *Queue) FIFO() bool { return q.set.FIFO }

// Current returns the settings of now.
func (q *Queue) Current() *Settings { return q.set }

// touch makes Settle look at the queue.
func (q *Queue) touch() {
	if !q.touched {
		q.touched = true
		q.region.model.touched = append(q.region.model.touched, q)
	}
}

// advance brings the queue up to date: messages whose delay or lease has
// ended wait again, and those that are too old go.
func (q *Queue) advance(now time.Time) {
	for {
		at, ok := q.nextChange()
		if !ok || at.After(now) {
			return
		}
		for m, ok := q.oldest(); ok && !q.expiry(m).After(at); m, ok = q.oldest() {
			q.drop(m)
		}
		for m, ok := q.hidden.top(); ok && !m.until.After(at); m, ok = q.hidden.top() {
			q.unhide(m)
			q.wait(m, m.until)
		}
		q.note(at)
	}
}

// nextChange returns when a state ends by itself.
func (q *Queue) nextChange() (at time.Time, ok bool) {
	if m, found := q.hidden.top(); found {
		at, ok = m.until, true
	}
	if m, found := q.oldest(); found {
		if e := q.expiry(m); !ok || e.Before(at) {
			at, ok = e, true
		}
	}
	return at, ok
}

// oldest returns the message that was sent first.
func (q *Queue) oldest() (*Message, bool) {
	m, ok := q.elders.top()
	if first := q.ages.first; first != nil && (!ok || first.sent.Before(m.sent)) {
		m, ok = first, true
	}
	return m, ok
}

func (q *Queue) expiry(m *Message) time.Time { return m.sent.Add(q.set.Retention) }

// note keeps the numbers of messages for reads of the past. They are kept to
// a hundredth of a second, since a queue can change a hundred times in that.
func (q *Queue) note(at time.Time) {
	q.past.Put(at.Truncate(10*time.Millisecond), struct{}{}, q.Counts)
}

// CountsAt returns how many messages were in which state.
func (q *Queue) CountsAt(tx *awstest.Tx, at time.Time) Counts {
	q.advance(tx.Now())
	if at = at.Add(-q.region.model.opts.CounterLag); !at.Before(tx.Now()) {
		return q.Counts
	}
	c, _ := q.past.Get(at, struct{}{})
	return c
}

func isARN(s string) bool { return strings.HasPrefix(s, "arn:aws:sqs:") && strings.Count(s, ":") == 5 }
