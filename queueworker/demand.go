package queueworker

import "time"

// maxBufferWait is for how long a message should wait for its handler, on average: it is leased meanwhile, and hidden from workers
// that have nothing to do.
const maxBufferWait = time.Second

// demand decides how many receives are under way. Guarded by Worker.mu.
//
// Asking for ten at a time is what makes a message cheap: a tenth of a call. A worker that asks for no more than it has free slots
// ends up asking for one, since one is free at a time. So up to a second's worth of messages wait in a buffer. The number of
// receives follows what they bring: one more for each that comes back full while slots are idle, which doubles them in a round trip,
// one fewer for each that does not, and one in all once the queue is empty.
type demand struct {
	wanted   int // receives under way at a time
	underWay int
	asked    int           // messages, by those under way
	trip     time.Duration // how long a receive takes that need not wait for messages
}

func newDemand() demand { return demand{wanted: 1} }

// load is what the demand depends on.
type load struct {
	slots, running, buffered int
	mean                     time.Duration // of a handler; zero is not known
	rate                     float64       // messages started a second
	maxPollers               int
}

// next returns how many messages one more receive should ask for, now; zero is none.
func (d *demand) next(l load) int {
	if d.underWay >= min(d.wanted, l.maxPollers) {
		return 0
	}
	free := max(l.slots-l.running, 0)
	waiting := l.buffered + d.asked - free // once all is here
	second := maxBatch                     // what the slots handle in maxBufferWait
	if l.mean > 0 {
		second = int(min(int64(l.slots)*int64(maxBufferWait)/int64(l.mean), 1<<20))
	}
	if second >= maxBatch {
		if waiting+maxBatch > second || l.buffered > d.ahead(l.rate) {
			return 0
		}
		return maxBatch
	}
	// Handlers are slow, so that receives for fewer than ten cost next to nothing.
	room := second - waiting
	if room <= second/2 {
		return 0
	}
	return min(room, maxBatch)
}

// ahead is how many messages are enough in the buffer: what is handled while one receive goes there and back.
func (d *demand) ahead(rate float64) int { return max(maxBatch, int(rate*d.trip.Seconds())) }

// begin notes a receive that asks for n.
func (d *demand) begin(n int) {
	d.underWay++
	d.asked += n
}

// end notes that a receive which asked for n has brought got, while slots were idle or not.
func (d *demand) end(n, got int, took time.Duration, idle bool) {
	switch full := d.underWay >= d.wanted; {
	case got == 0:
		d.wanted = 1
	case got < n:
		d.wanted = max(d.wanted-1, 1)
	case idle && full:
		d.wanted++
	}
	d.underWay--
	d.asked -= n
	switch {
	case got == 0:
	case d.trip == 0:
		d.trip = took
	case took < 4*d.trip: // else it waited for messages
		d.trip += (took - d.trip) / 8
	}
}

// fail notes that a receive has failed: one goes on asking.
func (d *demand) fail(n int) {
	d.underWay--
	d.asked -= n
	d.wanted = 1
}
