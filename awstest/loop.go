package awstest

import (
	"container/heap"
	"time"
)

// loop runs what the cloud does by itself, such as health checks: one
// goroutine and one timer for all of it, started with the first event.
// It is guarded by the cloud's lock.
type loop struct {
	cloud   *Cloud
	events  events
	seq     uint64
	started bool
	wake    chan struct{} // buffered: an earlier event was added
}

// Event is a thing that the cloud will do by itself.
type Event struct {
	at    time.Time
	seq   uint64
	fn    func(*Tx)
	index int // in the heap; -1 when it is not there any more
}

// Cancel takes an event back; it does nothing if the event has run.
func (e *Event) Cancel(tx *Tx) {
	if e.index >= 0 {
		heap.Remove(&tx.cloud.loop.events, e.index)
	}
}

// Schedule runs fn at the time given, with the cloud locked, on the cloud's
// event loop; a time that has passed means at once. Events of one instant run
// in the order in which they were scheduled.
func (tx *Tx) Schedule(at time.Time, fn func(*Tx)) *Event {
	l := &tx.cloud.loop
	e := &Event{at: at, seq: l.seq, fn: fn, index: -1}
	if tx.cloud.closed {
		return e
	}
	l.seq++
	heap.Push(&l.events, e)
	if !l.started {
		l.started = true
		l.wake = make(chan struct{}, 1)
		tx.cloud.wg.Add(1)
		go l.run()
	} else if e.index == 0 {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return e
}

func (l *loop) run() {
	defer l.cloud.wg.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-l.cloud.ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
		next, ok := l.runDue()
		if ok {
			timer.Reset(time.Until(next))
		} else {
			timer.Stop()
		}
	}
}

// runDue runs the events whose time has come and returns the time of the next
// one.
func (l *loop) runDue() (next time.Time, ok bool) {
	l.cloud.Update(func(*Tx) { // which catches up
		if ok = len(l.events) > 0; ok {
			next = l.events[0].at
		}
	})
	return next, ok
}

// catchUp runs the events whose time has come. It is the beginning of every
// change, so that who comes at the instant of an event finds it done.
func (tx *Tx) catchUp() {
	l := &tx.cloud.loop
	for len(l.events) > 0 && !l.events[0].at.After(tx.now) {
		heap.Pop(&l.events).(*Event).fn(tx)
	}
}

func (l *loop) stop() {
	for _, e := range l.events {
		e.index = -1
	}
	l.events = nil
}

// events is a heap by time, then by order of scheduling.
type events []*Event

func (h events) Len() int { return len(h) }

func (h events) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].seq < h[j].seq
	}
	return h[i].at.Before(h[j].at)
}

func (h events) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *events) Push(x any) {
	e := x.(*Event)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *events) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}
