package healthcheck

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// MaxShift is the longest that a zonal shift may last before it has to be asked for again.
// Source: https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.html (read 2026-11).
const MaxShift = 72 * time.Hour

// shift is the zonal shift that is active.
type shift struct {
	zone  string
	why   string
	until int64 // of the schedule
}

// end is when s is over.
func (s *shift) end() int64 {
	if s == nil {
		return math.MaxInt64
	}
	return s.until
}

// Shift takes new traffic away from a zone until cancel is called, or ttl has passed while Run runs. Health is checked as
// before, and requests that are under way go on. It has no effect while no other zone has a healthy target, or the pool fails
// open: it then waits for its time. As with ARC zonal shift, it must end (ttl is at most [MaxShift]), must have a reason, and
// there is one at a time: a shift of the same zone replaces the one before.
//
// Cancel ends this shift and no later one. It may be called more than once.
//
// The error joins a *FieldError for each mistake: a zone without a target, as a misspelt one would look safe, among them. It is
// ErrShiftActive if another zone is shifted, and ErrStopped once Run has ended.
func (p *Pool) Shift(zone string, ttl time.Duration, why string) (cancel func(), err error) {
	return p.startShift(zone, ttl, why, false)
}

// TryShift is [Pool.Shift] for automation: where a shift would have no effect, because nothing is healthy in the other zones, it
// is refused with ErrNoOtherZone. A program that finds a zone bad while the others are worse is more likely wrong than right.
func (p *Pool) TryShift(zone string, ttl time.Duration, why string) (cancel func(), err error) {
	return p.startShift(zone, ttl, why, true)
}

func (p *Pool) startShift(zone string, ttl time.Duration, why string, careful bool) (cancel func(), err error) {
	m := mistakes{options: "Shift"}
	m.require(ttl > 0 && ttl <= MaxShift, "ttl", ttl, fmt.Sprintf("must be greater than zero and at most %v", MaxShift))
	m.require(why != "", "why", why, "must not be empty")
	defer p.deliver()
	p.mu.Lock()
	defer p.mu.Unlock()
	_, known := p.zones[zone]
	m.require(known, "zone", zone, "must be the zone of a target")
	switch {
	case len(m.errs) > 0:
		return nil, errors.Join(m.errs...)
	case p.stopped:
		return nil, ErrStopped
	case p.shift != nil && p.shift.zone != zone:
		return nil, ErrShiftActive
	case careful && !p.servedElsewhereLocked(zone):
		return nil, ErrNoOtherZone
	}
	s := &shift{zone: zone, why: why, until: p.now() + int64(ttl)}
	p.setShiftLocked(s)
	return sync.OnceFunc(func() {
		defer p.deliver()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.shift == s {
			p.setShiftLocked(nil)
		}
	}), nil
}

// servedElsewhereLocked reports whether a shift away from a zone leaves anything healthy.
func (p *Pool) servedElsewhereLocked(zone string) bool {
	for name := range p.zones {
		if name != zone && p.zoneStatusLocked(name).Up() {
			return true
		}
	}
	return false
}

// setShiftLocked begins a shift, or with nil ends the one that is active.
func (p *Pool) setShiftLocked(s *shift) {
	old := p.shift
	p.shift = s
	if old != nil && (s == nil || s.zone != old.zone) {
		p.shiftLocked(old.zone, false)
	}
	about := old
	if s != nil {
		p.shiftLocked(s.zone, true)
		about = s
		p.wakeLocked() // to end it
	}
	p.changedLocked()
	p.publishLocked(Event{Kind: ZonalShift, Time: time.Now(), Zone: p.zoneStatusLocked(about.zone), Why: about.why})
}

// unshiftLocked ends a shift whose time is over.
func (p *Pool) unshiftLocked(now int64) {
	if p.shift.end() <= now {
		p.setShiftLocked(nil)
	}
}
