package healthcheck

import (
	"math"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// suspicion is what requests say about a target, beside what its checks say.
//
// It counts failures in a row, as the checks do, and not a rate: that needs no window, means the same at ten requests a day and at
// ten thousand a second, and is zero again after one success, so that it costs a good request two loads. What it does not see is
// a target that fails every other request; a rate would, but only with traffic enough to estimate one. Gateway errors and connect
// errors are counted apart, because a gateway error is an answer: it ends a row of connect errors.
type suspicion struct {
	gatewayErrors atomic.Int32
	connectErrors atomic.Int32
}

// ejections are those of a target so far. They are guarded by Pool.mu.
type ejections struct {
	until    int64 // when the ejection ends; zero when it is not ejected
	returned int64 // when the latest one has ended
	row      int   // how many there were, one soon after the other
}

// observe counts how a request went and reports whether it is time to eject.
func (s *suspicion) observe(u Use, o *PassiveOptions) bool {
	switch {
	case u.Err != nil:
		return due(s.connectErrors.Add(1), o.ConnectErrors)
	case u.StatusCode == http.StatusBadGateway, u.StatusCode == http.StatusServiceUnavailable,
		u.StatusCode == http.StatusGatewayTimeout:
		forget(&s.connectErrors)
		return due(s.gatewayErrors.Add(1), o.GatewayErrors)
	default:
		forget(&s.connectErrors)
		forget(&s.gatewayErrors)
		return false
	}
}

// due reports whether n failures in a row are a multiple of the limit: an ejection that was refused is tried again after as many
// more.
func due(n int32, limit int) bool { return limit > 0 && int(n)%limit == 0 }

// forget writes only if there is something to forget, because a write is what slows the others down.
func forget(n *atomic.Int32) {
	if n.Load() != 0 {
		n.Store(0)
	}
}

// eject takes a healthy target out of the picks for a while, if the limits allow: no more than MaxEjectPercent of the targets, and
// none whose loss would make a scope fail open, a zone go down or a shift lose its effect. So the last target stays.
func (p *Pool) eject(b *backend) {
	p.mu.Lock()
	defer p.unlockAndTell()
	t, e, now := &p.traffic, b.entry, p.now()
	p.returnLocked(now)
	if e.routed != serving || e.override != NoOverride || len(t.ejected) >= p.ejectableLocked() || p.neededLocked(b) {
		return
	}
	o := t.passive
	if now-b.returned >= int64(o.MaxEjectionTime) {
		b.row = 0 // it has been good for long
	}
	b.row++
	b.until = now + int64(min(o.EjectionTime*time.Duration(b.row), o.MaxEjectionTime))
	t.ejected = append(t.ejected, b)
	p.routeLocked(e)
	p.publishEjectionLocked(e)
	p.wakeLocked() // to end it
}

// ejectableLocked is how many targets may be ejected at a time. One may always be, or small pools would have no passive checks.
func (p *Pool) ejectableLocked() int {
	return max(1, p.traffic.total.registered*p.traffic.passive.MaxEjectPercent/100)
}

// neededLocked reports whether the routing of any zone would change by the loss of a healthy target.
func (p *Pool) neededLocked(b *backend) bool {
	zones, _ := p.routesLocked()
	before := make([]zoneRoute, len(zones))
	for i, z := range zones {
		before[i] = z.route
	}
	b.zone.healthy--
	_, _ = p.routesLocked()
	b.zone.healthy++
	for i, z := range zones {
		if z.route != before[i] {
			return true
		}
	}
	return false
}

// passedLocked takes in that a check has passed, which ends an ejection.
func (p *Pool) passedLocked(e *entry) {
	if b := e.backend; b != nil && b.until != 0 {
		p.pardonLocked(b)
		p.routeLocked(e)
	}
}

// returnLocked ends the ejections whose time is over.
func (p *Pool) returnLocked(now int64) {
	for _, b := range slices.Clone(p.traffic.ejected) {
		if b.until <= now {
			p.pardonLocked(b)
			p.routeLocked(b.entry)
		}
	}
}

// nextReturnLocked is when the next ejection ends.
func (t *traffic) nextReturnLocked() int64 {
	next := int64(math.MaxInt64)
	for _, b := range t.ejected {
		next = min(next, b.until)
	}
	return next
}

// pardonLocked ends an ejection; routing has to be told.
func (p *Pool) pardonLocked(b *backend) {
	t := &p.traffic
	t.ejected = slices.DeleteFunc(t.ejected, func(other *backend) bool { return other == b })
	b.until, b.returned = 0, p.now()
	b.gatewayErrors.Store(0)
	b.connectErrors.Store(0)
	p.publishEjectionLocked(b.entry)
}

func (p *Pool) publishEjectionLocked(e *entry) {
	p.editLocked(e).ejected = e.backend.until != 0
	p.changedLocked()
	p.publishLocked(Event{Kind: Ejection, Time: time.Now(), Status: p.statusLocked(e, p.now())})
}
