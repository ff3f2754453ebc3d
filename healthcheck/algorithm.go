package healthcheck

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
)

// byLoad reports whether it goes by how busy targets are.
func (a Algorithm) byLoad() bool {
	return a == LeastOutstanding || a == LeastOutstandingExact || a == PowerOfTwo
}

// exactScan is up to how many candidates LeastOutstanding looks at all of them. The scan grows with their number; two choices
// do not, and come close to it.
const exactScan = 128

// maxDraws bounds how often a drawn target may be turned down, for being excepted or in slow start, before all are looked at.
const maxDraws = 16

// turn is a number on a cache line of its own: all who pick write to it.
type turn struct {
	_ [64]byte
	atomic.Uint64
	_ [56]byte
}

// choose returns a candidate that is not excepted, or nil if there is none.
func (t *traffic) choose(s *scope, o *PickOptions, now int64) *backend {
	switch {
	case t.algorithm == LeastOutstandingExact,
		t.algorithm == LeastOutstanding && len(s.targets) <= exactScan:
		return t.least(s, o, now)
	case t.algorithm == LeastOutstanding, t.algorithm == PowerOfTwo:
		return t.ofTwo(s, o, now)
	}
	for range maxDraws {
		var b *backend
		if t.algorithm == WeightedRandom {
			b = s.targets[s.weights.draw()]
		} else {
			b = s.targets[s.turn.Add(1)%uint64(len(s.targets))]
		}
		if o.excepts(b) {
			continue
		}
		if s.slow {
			if share := t.slowStart.share(b.slowSince.Load(), now); share < 1 && rand.Float64() >= share {
				continue
			}
		}
		return b
	}
	return t.search(s, o, now)
}

// search looks at all candidates and draws one in proportion to its weight and its share.
func (t *traffic) search(s *scope, o *PickOptions, now int64) *backend {
	var chosen *backend
	var sum float64
	for _, b := range s.targets {
		if o.excepts(b) {
			continue
		}
		share := t.slowStart.share(b.slowSince.Load(), now)
		if t.algorithm == WeightedRandom {
			share *= float64(b.weight())
		}
		share = max(share, math.SmallestNonzeroFloat32) // somebody has to, even at the very start of a slow start
		sum += share
		if chosen == nil || rand.Float64()*sum < share {
			chosen = b
		}
	}
	return chosen
}

// least returns the candidate with the least load. Of equal ones it is the first from a random place on, so that they are
// taken alike, though one that follows a row of busier ones is taken more often than the other equal ones.
func (t *traffic) least(s *scope, o *PickOptions, now int64) *backend {
	var chosen *backend
	least := int64(math.MaxInt64)
	from := rand.IntN(len(s.targets))
	for _, targets := range [...][]*backend{s.targets[from:], s.targets[:from]} {
		for _, b := range targets {
			load := b.outstanding.Load() * loadUnit
			if s.slow || b.ghosts.Load() != 0 {
				load = t.load(s, b, now)
			}
			if load < least && !o.excepts(b) {
				chosen, least = b, load
			}
		}
	}
	return chosen
}

// ofTwo returns the less loaded of two random candidates.
func (t *traffic) ofTwo(s *scope, o *PickOptions, now int64) *backend {
	n := uint64(len(s.targets))
	if n == 1 {
		return t.least(s, o, now)
	}
	if o.excepting() {
		return t.ofTwoExcept(s, o, now)
	}
	r := rand.Uint64()
	i := (r >> 32) * n >> 32                  // less than n, which is less than 2^32
	j := (r & math.MaxUint32) * (n - 1) >> 32 // another one
	if j >= i {
		j++
	}
	a, b := s.targets[i], s.targets[j]
	if t.load(s, b, now) < t.load(s, a, now) {
		return b
	}
	return a
}

func (t *traffic) ofTwoExcept(s *scope, o *PickOptions, now int64) *backend {
	var first *backend
	for range maxDraws {
		b := s.targets[rand.IntN(len(s.targets))]
		switch {
		case b == first || o.excepts(b):
		case first == nil:
			first = b
		case t.load(s, b, now) < t.load(s, first, now):
			return b
		default:
			return first
		}
	}
	return t.least(s, o, now)
}
