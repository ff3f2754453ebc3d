package queueworker

import "time"

// maxBufferWait is for how long a message should wait for its handler, on average: it is leased meanwhile, and hidden from workers
// that have nothing to do.
const maxBufferWait = time.Second

// demand decides how many receives are under way. Guarded by Worker.mu.
//
// Asking for ten at a time is what makes a message cheap: a tenth of a call. A worker that asks for no more than it has free slots
// ends up asking for one, since one is free at a time. So messages wait in a buffer, and what waits and what is asked for together
// are kept at a level: each ten that are started are asked for anew, and receives spread evenly over a round trip. The level is found as
// TCP Vegas finds its window: while slots are idle when a full receive comes back it grows, threefold in a round trip, and while
// half of it waits in the buffer it shrinks. A queue that has no more makes it smaller, and one that is empty brings it down to one
// receive.
type demand struct {
	wanted   int // the level, in receives: how many may be under way if nothing waits
	underWay int
	asked    int // messages, by those under way
	ample    int // receives in a row that found half of the level waiting
}

func newDemand() demand { return demand{wanted: 1} }

// load is what the demand depends on.
type load struct {
	slots, running, buffered int
	mean                     time.Duration // of a handler; zero is not known
	maxPollers               int
}

// next returns how many messages one more receive should ask for, now; zero is none.
func (d *demand) next(l load) int {
	if d.underWay >= min(d.wanted, l.maxPollers) {
		return 0
	}
	waiting := l.buffered + d.asked
	free := max(l.slots-l.running, 0)
	second := maxBatch // what the slots handle in maxBufferWait
	if l.mean > 0 {
		second = int(min(int64(l.slots)*int64(maxBufferWait)/int64(l.mean), 1<<20))
	}
	if second >= maxBatch {
		if waiting > (d.wanted-1)*maxBatch || waiting-free+maxBatch > second {
			return 0
		}
		return maxBatch
	}
	// Handlers are slow, so that receives for fewer than ten cost next to nothing.
	room := second - waiting + free
	if room <= second/2 {
		return 0
	}
	return min(room, maxBatch)
}

// begin notes a receive that asks for n.
func (d *demand) begin(n int) {
	d.underWay++
	d.asked += n
}

// end notes that a receive which asked for n has brought got, when so many others waited, and slots were idle or not.
func (d *demand) end(n, got, buffered int, idle bool) {
	full := d.underWay >= d.wanted
	d.underWay--
	d.asked -= n
	if got == n && buffered > d.wanted*maxBatch/2 {
		d.ample++
	} else {
		d.ample = 0
	}
	switch {
	case got == 0:
		d.wanted = 1
	case got < n, d.ample > d.wanted: // a round trip long
		d.ample = 0
		d.wanted = max(d.wanted-1, 1)
	case idle && full:
		d.wanted += 2
	}
}

// fail notes that a receive has failed: one goes on asking.
func (d *demand) fail(n int) {
	d.underWay--
	d.asked -= n
	d.wanted = 1
}
