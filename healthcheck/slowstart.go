package healthcheck

import (
	"slices"
	"time"
)

// slowStart is the time in which targets that have become healthy get a share of the traffic that grows from none to that of
// the others, in a straight line.
//
// A target enters when it becomes healthy after it was not, if at that moment another healthy target is not in slow start. It
// leaves at the end, when it is healthy no more, and when it is deregistered, and enters again after a recovery. When the last
// of the others is gone meanwhile, those in slow start share the traffic among them in proportion.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html (read 2026-11).
type slowStart time.Duration

// share is the part, from 0 to 1, of a full share at a time. Since is when the target entered; zero is not in slow start.
func (s slowStart) share(since, now int64) float64 {
	if since == 0 || now-since >= int64(s) {
		return 1
	}
	return max(0, float64(now-since)/float64(s))
}

// warmLocked lets a target enter slow start or leave it.
func (p *Pool) warmLocked(b *backend, from, to routed) {
	t := &p.traffic
	if t.slowStart == 0 || (from == serving) == (to == serving) {
		return
	}
	now := p.now()
	t.pruneSlowLocked(now)
	if to != serving {
		b.slowSince.Store(0)
		return
	}
	others := t.total.healthy - 1 // that are not in slow start
	if p.opts.ZonalOnly {
		others = b.zone.healthy - 1
	}
	for _, s := range t.slow {
		if s != b && s.slowSince.Load() != 0 && (!p.opts.ZonalOnly || s.zone == b.zone) {
			others--
		}
	}
	if others > 0 {
		b.slowSince.Store(max(now, 1))
		t.slow = append(t.slow, b)
	}
}

// pruneSlowLocked takes those out of slow start whose time is over.
func (t *traffic) pruneSlowLocked(now int64) {
	t.slow = slices.DeleteFunc(t.slow, func(b *backend) bool {
		since := b.slowSince.Load()
		over := since == 0 || now-since >= int64(t.slowStart)
		if over {
			b.slowSince.Store(0)
		}
		return over
	})
}
