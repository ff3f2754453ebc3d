package healthcheck

import (
	"math/rand/v2"
	"time"
)

// Times of the schedule are int64 nanoseconds since the pool was made: a third of a time.Time.

// rhythm is when checks are due. Every target has a phase, by the hash of its ID, and settles at
//
//	due(k) = phase + k·interval + jitter
//
// so that load is even, an answer's latency moves nothing, and a target that is registered again keeps its place.
type rhythm struct {
	interval, fast, slow, spread, jitter int64
}

// pace is which of the intervals a target has.
type pace uint8

const (
	steady pace = iota
	fast        // in doubt
	slow        // unhealthy for long
)

func newRhythm(o Options) rhythm {
	return rhythm{
		interval: floorTick(int64(o.Interval)),
		fast:     floorTick(int64(o.FastInterval)),
		slow:     floorTick(int64(o.SlowInterval)),
		spread:   int64(min(o.MaxStartSpread, o.Interval)),
		jitter:   int64(o.Jitter),
	}
}

// of returns the interval of a pace.
func (r rhythm) of(p pace) int64 {
	switch p {
	case fast:
		return r.fast
	case slow:
		return r.slow
	case steady:
	}
	return r.interval
}

// first is when a target that was registered now is first due: soon, rather than at its place in the interval, which
// would be half an interval away on average.
func (r rhythm) first(now int64, hash uint64) int64 {
	ticks := uint64(r.interval / int64(Tick))
	spread := uint64(max(r.spread/int64(Tick), 1))
	// By the quotient, because the remainder is the phase.
	return ceilTick(now) + int64(hash/ticks%spread)*int64(Tick)
}

// next is when a target that was due at base is due again. While the target is off its phase, each round is shorter by up
// to an eighth, until it is in place. So no two checks are ever further apart than the interval, which is what bounds
// detection, nor much closer, which would turn two failures in a row into one blip. A target in doubt is asked again soon, wherever
// that is: it must not wait for its place, and what it is in doubt about does not come in step with others.
func (r rhythm) next(base int64, p pace, hash uint64) int64 {
	interval := r.of(p)
	if p == fast && interval < r.interval {
		return base + interval
	}
	ticks := uint64(interval / int64(Tick))
	phase := int64(hash%ticks) * int64(Tick)
	off := (base - phase) % interval
	if off < 0 {
		off += interval
	}
	return base + interval - min(off, max(floorTick(interval/8), int64(Tick)))
}

// jittered returns base plus the random part of one check.
func (r rhythm) jittered(base int64) int64 {
	if r.jitter < int64(Tick) {
		return base
	}
	return base + floorTick(rand.Int64N(r.jitter+1))
}

func floorTick(t int64) int64 { return t - t%int64(Tick) }
func ceilTick(t int64) int64  { return floorTick(t + int64(Tick) - 1) }

// alarms is a 4-ary heap of entries by due time: half the depth of a binary one, and the children of a node share a cache line,
// without a look at the entries, which do not.
type alarms []alarm

type alarm struct {
	due   int64 // that of the entry
	entry *entry
}

// absent is the pos of an entry that is in no heap.
const absent = -1

// set puts e into the heap, or moves it there.
func (a *alarms) set(e *entry, due int64) {
	e.due = due
	if e.pos == absent {
		e.pos = int32(len(*a))
		*a = append(*a, alarm{due, e})
	} else {
		(*a)[e.pos].due = due
	}
	a.up(int(e.pos))
	a.down(int(e.pos))
}

// remove takes e out; it may be absent.
func (a *alarms) remove(e *entry) {
	if e.pos == absent {
		return
	}
	i, end := int(e.pos), len(*a)-1
	last := (*a)[end]
	(*a)[end] = alarm{}
	*a = (*a)[:end]
	e.pos = absent
	if i < end {
		(*a)[i], last.entry.pos = last, int32(i)
		a.up(i)
		a.down(int(last.entry.pos))
	}
}

func (a alarms) up(i int) {
	moved := a[i]
	for i > 0 {
		parent := (i - 1) / 4
		if a[parent].due <= moved.due {
			break
		}
		a[i], a[parent].entry.pos = a[parent], int32(i)
		i = parent
	}
	a[i], moved.entry.pos = moved, int32(i)
}

func (a alarms) down(i int) {
	moved := a[i]
	for {
		least := 4*i + 1
		if least >= len(a) {
			break
		}
		for c := least + 1; c < min(4*i+5, len(a)); c++ {
			if a[c].due < a[least].due {
				least = c
			}
		}
		if moved.due <= a[least].due {
			break
		}
		a[i], a[least].entry.pos = a[least], int32(i)
		i = least
	}
	a[i], moved.entry.pos = moved, int32(i)
}

// now is the time of the schedule.
func (p *Pool) now() int64 { return int64(time.Since(p.epoch)) }
