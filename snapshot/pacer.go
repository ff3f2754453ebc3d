package snapshot

import (
	"context"
	"sync"
	"time"
)

// pacer spaces calls of one operation in one region, so that AWS has no reason to throttle them. When it does all the same, since others use
// the account too, the rate is cut by a quarter, and grows again with the calls that are not throttled: some seventy make up for a cut. So it stays
// near what is left over, and a few percent of the calls find out where that is.
type pacer struct {
	rate  float64 // calls in a second, at most
	burst float64 // calls that may come at once after a rest

	mu   sync.Mutex
	part float64   // of the rate that is used
	cut  time.Time // when it was cut last
	next time.Time // when the next call is due, were there no burst
}

const (
	leastPart = 0.05
	cutTo     = 0.75
	growth    = 1.004       // to the power of 72 makes up for a cut
	oneBurst  = time.Second // replies within that are about the same burst
)

func newPacer(rate float64) *pacer { return &pacer{rate: rate, burst: min(rate, 5), part: 1} }

// wait returns when a call may be made, or with the cause of ctx's end.
func (p *pacer) wait(ctx context.Context) error {
	if !sleep(ctx, p.reserve(time.Now())) {
		return context.Cause(ctx)
	}
	return nil
}

// reserve takes the next place, and returns how long it is to it.
func (p *pacer) reserve(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	step := time.Duration(float64(time.Second) / (p.rate * p.part))
	if p.next.Before(now) {
		p.next = now
	}
	pause := p.next.Sub(now)
	if p.part == 1 { // where AWS's bucket is empty there is nothing left for a burst
		pause -= time.Duration(p.burst * float64(step))
	}
	p.next = p.next.Add(step)
	return pause
}

// answered takes in whether AWS has refused a call for its rate.
func (p *pacer) answered(throttled bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !throttled:
		p.part = min(1, p.part*growth)
	case now.Sub(p.cut) >= oneBurst:
		p.part, p.cut = max(leastPart, p.part*cutTo), now
	}
}
