package healthcheck

import (
	"math"
	"time"
)

// The load of a target is how many requests are outstanding at it, and beside these its ghosts.
//
// A target that fails fast has few requests outstanding, and so would attract all of them: a black hole. Therefore a request
// that failed sooner than the average good one took leaves a ghost behind, which counts on as an outstanding request would
// have, for the rest of that time on average. Ghosts fade exponentially, with the average latency as their time constant: then
// a target that fails everything at once weighs the same as if it had answered everything in the average time, by Little's law,
// whatever the rate, and needs neither a timer nor a list.
const (
	loadUnit = 256 // one request, in the units of load

	// firstLatency is the average until a request has succeeded.
	firstLatency = time.Second

	// latencyDecay is how much of the average one sampled latency makes up: 1/16.
	latencyDecay = 16

	ghostShift = 16      // the times of ghosts are in units of 2^16 ns, about 66 µs
	ghostSkew  = 1 << 14 // how far, in these units, the clocks of two requests may seem to run backwards: about a second
)

// load is what least outstanding compares.
func (t *traffic) load(s *scope, b *backend, now int64) int64 {
	load := b.outstanding.Load() * loadUnit
	if word := b.ghosts.Load(); word != 0 {
		n := int64(loadUnit * t.ghosts(word, now))
		if n == 0 { // faded: the next load is had without the arithmetic
			b.ghosts.CompareAndSwap(word, 0)
		}
		load += n
	}
	if s.slow {
		if share := t.slowStart.share(b.slowSince.Load(), now); share < 1 {
			load = int64(float64(load+loadUnit) / max(share, 1e-6))
		}
	}
	return load
}

// ghosts returns how many of the ghosts there are left at a time. Their number and the time at which they were that many are one
// word: a float32 and the time in units of 2^ghostShift ns. That wraps around after 78 hours without a pick, which gives back what
// had faded, to fade again.
func (t *traffic) ghosts(word uint64, now int64) float64 {
	n := float64(math.Float32frombits(uint32(word >> 32)))
	elapsed := uint32(now>>ghostShift) - uint32(word)
	if elapsed > math.MaxUint32-ghostSkew { // now was read before somebody else wrote the word
		return n
	}
	return n * math.Exp(-float64(int64(elapsed)<<ghostShift)/float64(t.meanLatency()))
}

// haunt adds the ghost of a request that failed after took.
func (t *traffic) haunt(b *backend, took time.Duration, now int64) {
	mean := t.meanLatency()
	if took >= mean {
		return
	}
	add := 1 - float64(took)/float64(mean)
	for {
		old := b.ghosts.Load()
		n := add
		if old != 0 {
			n += t.ghosts(old, now)
		}
		word := uint64(math.Float32bits(float32(n)))<<32 | uint64(uint32(now>>ghostShift))
		if b.ghosts.CompareAndSwap(old, word) {
			return
		}
	}
}

// meanLatency is the moving average over the good requests of the pool.
func (t *traffic) meanLatency() time.Duration {
	if l := t.latency.Load(); l != 0 {
		return time.Duration(l)
	}
	return firstLatency
}

// learn takes the latency of a good request into the average. One of two at the same moment may be lost.
func (t *traffic) learn(took time.Duration) {
	old := t.latency.Load()
	mean := int64(took)
	if old != 0 {
		mean = int64(old) + (mean-int64(old))/latencyDecay
	}
	if mean := uint64(max(mean, 1)); mean != old {
		t.latency.CompareAndSwap(old, mean)
	}
}
