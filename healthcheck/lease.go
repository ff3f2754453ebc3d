package healthcheck

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Lease is the permission to send one request to a target. It is a value, and can be copied; all copies are one lease.
type Lease struct {
	Target Target
	// FailOpen says that too few targets were healthy, so that this one was picked without regard to its health.
	FailOpen bool

	ticket     *ticket
	generation uint64
}

// ticket is what the copies of a lease share. It is used again by a later lease, of another generation.
type ticket struct {
	generation atomic.Uint64 // of the lease that is out, which ends with it
	pool       *Pool
	backend    *backend
	start      int64    // when it was picked, where somebody needs to know
	_          [32]byte // fills a cache line: the next one is of somebody else
}

// Use is how a request went. The zero Use is a success.
type Use struct {
	// Err is why there is no response: connect errors, resets, timeouts, malformed answers. An error that is context.Canceled is
	// the doing of the caller, and counts neither for nor against the target.
	Err error
	// StatusCode is that of the response; zero where there is none, or none that matters. 500 and more is a failure to
	// LeastOutstanding; 502, 503 and 504 are gateway errors to PassiveOptions.
	StatusCode int
	// Latency is how long the request took; zero is the time since Pick.
	Latency time.Duration
}

// lease hands a target out.
func (t *traffic) lease(p *Pool, b *backend, failOpen bool, now int64) Lease {
	k, _ := t.tickets.Get().(*ticket)
	if k == nil {
		k = new(ticket)
	}
	k.pool, k.backend, k.start = p, b, now
	return Lease{Target: b.target, FailOpen: failOpen, ticket: k, generation: k.generation.Load()}
}

// Done ends the lease, once the response has been read to its end or given up. It tells the pool how the request went. Of
// several calls, on whichever copy of the lease, the first counts and the others do nothing; so does Done of the zero Lease. It
// may be called after Run has ended, and from any goroutine.
func (l Lease) Done(u Use) {
	k := l.ticket
	if k == nil || !k.generation.CompareAndSwap(l.generation, l.generation+1) {
		return
	}
	p, b, start := k.pool, k.backend, k.start
	p.traffic.tickets.Put(k)
	p.used(b, start, l.generation%sampled == 0, u)
}

// sampled is of how many good requests one counts for the average latency: reading the clock and writing what all read would be
// half the cost of a Done.
const sampled = 8

// used takes in how a request went.
func (p *Pool) used(b *backend, start int64, sample bool, u Use) {
	t := &p.traffic
	canceled := errors.Is(u.Err, context.Canceled)
	if failed := u.Err != nil || u.StatusCode >= 500; t.timed && !canceled && (failed || sample) {
		now := p.now()
		took := u.Latency
		if took <= 0 {
			took = time.Duration(now - start)
		}
		if failed {
			t.haunt(b, took, now)
		} else {
			t.learn(took)
		}
	}
	if t.passive != nil && !canceled && b.observe(u, t.passive) {
		p.eject(b)
	}
	p.release(b)
}

// release takes one request off a target. The last one of a draining target is what FinishWhenIdle waits for.
func (p *Pool) release(b *backend) {
	if b.outstanding.Add(-1) == 0 && b.closed.Load() {
		p.idle(b)
	}
}
