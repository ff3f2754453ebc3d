package sqsmodel

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
)

// waiters are the receives that wait: in the order in which they came, which
// is that in which they get messages, and by when they give up.
type waiters struct {
	first, last *Receive
	deadlines   heap[*Receive]
}

func (w *waiters) add(r *Receive) {
	if w.deadlines.less == nil {
		w.deadlines = heap[*Receive]{
			less:  func(a, b *Receive) bool { return a.deadline.Before(b.deadline) },
			place: func(r *Receive) *int { return &r.deadlineAt },
		}
	}
	w.deadlines.push(r)
	if r.prev = w.last; r.prev == nil {
		w.first = r
	} else {
		r.prev.next = r
	}
	w.last = r
}

func (w *waiters) remove(r *Receive) {
	w.deadlines.remove(r)
	if r.prev == nil {
		w.first = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next == nil {
		w.last = r.prev
	} else {
		r.next.prev = r.prev
	}
	r.prev, r.next = nil, nil
}

// all yields the receives that wait; the one that is yielded may be removed.
func (w *waiters) all() iter.Seq[*Receive] {
	return func(yield func(*Receive) bool) {
		for r := w.first; r != nil; {
			next := r.next
			if !yield(r) {
				return
			}
			r = next
		}
	}
}

func (w *waiters) clear() { *w = waiters{} }

// serve gives what is available to the receives that wait, in the order in
// which they came, answers those whose time is over, and schedules the next
// moment at which something can happen to one of them.
func (q *Queue) serve(tx *awstest.Tx) {
	q.advance(tx.Now())
	empty := false
	for r := range q.waiters.all() {
		if since, gone := r.Gone(tx); gone && tx.Now().Sub(since) >= q.region.model.opts.Disconnect {
			q.answer(tx, r, nil)
			continue
		}
		got, repeated := q.repeat(tx, r)
		if !repeated && !empty {
			got = q.collect(tx, r)
			empty = len(got) == 0
		}
		if len(got) > 0 {
			q.answer(tx, r, got)
		} else if !q.set.FIFO {
			break
		} // else one of those behind may be the same attempt again
	}
	for {
		r, ok := q.waiters.deadlines.top()
		if !ok || r.deadline.After(tx.Now()) {
			break
		}
		q.answer(tx, r, nil)
	}
	q.schedule(tx)
}

func (q *Queue) answer(tx *awstest.Tx, r *Receive, got []Delivery) {
	q.waiters.remove(r)
	r.Answer(tx, got, nil)
}

// schedule keeps one event, at the next moment at which a receive that waits
// can get something or gives up; none if nobody waits.
func (q *Queue) schedule(tx *awstest.Tx) {
	var at time.Time
	if r, ok := q.waiters.deadlines.top(); ok {
		at = r.deadline
		// A message that is too old may have held up its group.
		if next, ok := q.nextChange(); ok && next.Before(at) {
			at = next
		}
	}
	if q.event != nil {
		if at.Equal(q.eventAt) {
			return
		}
		q.event.Cancel(tx)
		q.event = nil
	}
	if at.IsZero() {
		return
	}
	q.eventAt = at
	q.event = tx.Schedule(at, func(tx *awstest.Tx) {
		q.event = nil
		q.touch()
		q.region.model.Settle(tx)
	})
}
