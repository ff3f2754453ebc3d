package sqsmodel

import "time"

// lane is the messages of a group. In a FIFO queue it has all of them, in the
// order of their sequence numbers, and gives what is at its beginning. In a
// standard queue it has those that wait, in the order of their turns; what
// has no group is in the lane of the empty name.
type lane struct {
	queue    *Queue
	name     string
	row      list
	back     heap[*Message] // standard: those whose turn is before the end of the row
	alive    int            // messages of the group, in any state
	inFlight int
	held     bool // FIFO: a receive is taking from it
	readyAt  int
}

func (q *Queue) lane(name string) *lane {
	l, ok := q.lanes[name]
	if !ok {
		l = &lane{queue: q, name: name, row: newList(inLane)}
		l.back = heap[*Message]{less: hasEarlierTurn, place: func(m *Message) *int { return &m.backAt }}
		q.lanes[name] = l
	}
	return l
}

// next returns what the lane gives next.
func (l *lane) next() *Message {
	first := l.row.first
	if m, ok := l.back.top(); ok && (first == nil || m.turn < first.turn) {
		return m
	}
	return first
}

// before orders the lanes that have something to give: in a FIFO queue by how
// long they have had it, in a standard queue by turn.
func (l *lane) before(other *lane) bool {
	a, b := l.next(), other.next()
	if l.queue.set.FIFO && !a.since.Equal(b.since) {
		return a.since.Before(b.since)
	}
	return a.turn < b.turn
}

// gives tells whether the lane has something to give now.
func (l *lane) gives() bool {
	m := l.next()
	switch {
	case m == nil || m.state != waiting || l.held:
		return false
	case !l.queue.set.FIFO:
		return true
	}
	return l.inFlight == 0 || l.queue.region.model.opts.ReleasedHead
}

// update brings the lane to its place among those that have something to
// give, or out of them. It follows every change of the lane.
func (l *lane) update() {
	q := l.queue
	switch gives := l.gives(); {
	case gives && q.ready.has(l):
		q.ready.fix(l)
	case gives:
		q.ready.push(l)
	default:
		q.ready.remove(l)
	}
	if l.alive == 0 && !l.held {
		delete(q.lanes, l.name)
	}
}

// enter puts a message that waits into its lane, in a standard queue.
func (l *lane) enter(m *Message) {
	if l.row.last == nil || l.row.last.turn < m.turn {
		l.row.append(m)
	} else {
		l.back.push(m)
	}
}

// leave takes a message out of its lane.
func (l *lane) leave(m *Message) {
	if l.back.has(m) {
		l.back.remove(m)
	} else {
		l.row.remove(m)
	}
}

// Noisy is a group that has so much in flight that others go first.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html (read 2026-11)
const (
	noisyFrom  = 30 // messages in flight
	noisyShare = 10 // one part in that many of all that are in flight
)

func (l *lane) noisy() bool {
	return l.name != "" && !l.queue.set.FIFO && l.inFlight >= noisyFrom && l.inFlight*noisyShare > l.queue.InFlight
}

// nextLane returns the lane that gives the next message: the first of those
// that are not noisy, or else the first. No more than nine can be noisy.
func (q *Queue) nextLane() *lane {
	var aside []*lane
	l, ok := q.ready.top()
	for ok && l.noisy() {
		q.ready.remove(l)
		aside = append(aside, l)
		l, ok = q.ready.top()
	}
	for _, noisy := range aside {
		q.ready.push(noisy)
	}
	switch {
	case ok:
		return l
	case len(aside) > 0:
		return aside[0]
	}
	return nil
}

// add puts a new message into the queue.
func (q *Queue) add(m *Message, delay time.Duration, now time.Time) {
	q.lastKey++
	q.lastTurn++
	m.key, m.turn, m.here = q.lastKey, q.lastTurn, 0
	q.messages[m.key] = m
	if last := q.ages.last; last != nil && m.sent.Before(last.sent) {
		m.elder = true
		q.elders.push(m)
	} else {
		q.ages.append(m)
	}
	m.lane = q.lane(m.Group)
	m.lane.alive++
	if q.set.FIFO {
		m.lane.row.append(m)
	}
	if delay > 0 {
		m.until = now.Add(delay)
		q.hide(m, delayed)
	} else {
		q.wait(m, now)
	}
}

// wait makes a message one that waits. One that was received three times or
// more goes to the end of a standard queue.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html (read 2026-11)
func (q *Queue) wait(m *Message, at time.Time) {
	m.state, m.since = waiting, at
	q.Waiting++
	if !q.set.FIFO {
		if m.receives >= 3 {
			q.lastTurn++
			m.turn = q.lastTurn
		}
		m.lane.enter(m)
	}
	m.lane.update()
}

// stopWaiting is the opposite of wait.
func (q *Queue) stopWaiting(m *Message) {
	q.Waiting--
	if !q.set.FIFO {
		m.lane.leave(m)
	}
	m.state = gone
}

// hide makes a message one that is delayed or leased, until m.until.
func (q *Queue) hide(m *Message, s state) {
	m.state = s
	q.hidden.push(m)
	if s == delayed {
		q.Delayed++
	} else {
		q.InFlight++
		m.lane.inFlight++
	}
	m.lane.update()
}

// unhide is the opposite of hide.
func (q *Queue) unhide(m *Message) {
	q.hidden.remove(m)
	if m.state == delayed {
		q.Delayed--
	} else {
		q.InFlight--
		m.lane.inFlight--
	}
	m.state = gone
}

// drop takes a message out of the queue.
func (q *Queue) drop(m *Message) {
	switch m.state {
	case waiting:
		q.stopWaiting(m)
	case delayed, leased:
		q.unhide(m)
	}
	if m.elder {
		q.elders.remove(m)
		m.elder = false
	} else {
		q.ages.remove(m)
	}
	l := m.lane
	if q.set.FIFO {
		l.row.remove(m)
	}
	l.alive--
	delete(q.messages, m.key)
	l.update()
}
