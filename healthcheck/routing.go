package healthcheck

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// traffic is the side of the pool that picks. The pool tells it of each change of a target through routeLocked, of
// shifts through shiftLocked, and of checks that pass through passedLocked.
type traffic struct {
	snapshot atomic.Pointer[snapshot] // nil when something has changed since it was made

	algorithm Algorithm
	slowStart slowStart
	passive   *PassiveOptions // with defaults; nil is off
	timed     bool            // the algorithm goes by latencies

	tickets sync.Pool
	turn    turn // of cross-zone picks, and of the zones that serve
	latency turn // moving average of good requests, in ns; zero before the first

	// Guarded by Pool.mu.
	zones    map[string]*routeZone // that have a registered target
	total    tally
	failOpen bool // across zones
	shifted  map[string]bool
	active   bool       // targets have backends: something but checks has been asked for
	members  []*backend // that may be candidates, in order by ID
	unsorted bool       // members has one at its end that was added
	ejected  []*backend
	slow     []*backend // in slow start, or were
}

// routeZone is a zone to routing.
type routeZone struct {
	tally

	name     string
	failOpen bool // by its own count
	turn     turn
	route    zoneRoute // as of the snapshot that is being made
}

// backend is what routing knows of a registration of a target. It is made once traffic is used, so that a pool that only checks
// does not pay for it.
//
// It is two cache lines, which it shares with no other one, as it is of a size that is allocated at a multiple of itself: requests
// to different targets do not slow each other down.
type backend struct {
	outstanding atomic.Int64
	ghosts      atomic.Uint64 // see traffic.ghosts
	slowSince   atomic.Int64  // when it entered slow start, in ns of the pool; zero when it is not in it
	closed      atomic.Bool   // gets no new traffic for certain: it drains or is gone
	suspicion

	member bool // in traffic.members; guarded by Pool.mu
	target Target
	*standing
}

// standing is the part of a backend that no request looks at.
type standing struct {
	entry *entry
	zone  *routeZone // guarded by Pool.mu
	ejections
}

func (b *backend) weight() uint64 { return uint64(max(b.target.Weight, 1)) }

// routed is what a target is to routing.
type routed uint8

const (
	unrouted routed = iota // draining, by itself or by an override, or gone
	spare                  // registered, and a candidate when its scope fails open
	serving                // healthy, by its checks or by an override, and not ejected
)

// init takes options that have their defaults.
func (t *traffic) init(o Options) {
	t.algorithm, t.slowStart, t.passive = o.Algorithm, slowStart(o.SlowStart), o.Passive
	t.timed = o.Algorithm.byLoad()
	t.zones, t.shifted = make(map[string]*routeZone), make(map[string]bool)
	t.failOpen = true
	t.active = o.SlowStart > 0 || o.Passive != nil
	t.turn.Store(rand.Uint64()) // so that not all pools of a fleet begin with the same target
}

// routeLocked takes in that the state, the override or the ejection of e may have changed, and says what that does to failing
// open.
func (p *Pool) routeLocked(e *entry) {
	t := &p.traffic
	if b := e.backend; b != nil && b.until != 0 && (e.state != Healthy || e.override != NoOverride) {
		p.pardonLocked(b) // there is a better reason by now
	}
	from, to := e.routed, p.routedLocked(e)
	if t.active {
		p.backLocked(e, to)
	}
	if from == to {
		return
	}
	z := t.zones[e.target.Zone]
	if z == nil {
		z = &routeZone{name: e.target.Zone, failOpen: true}
		z.turn.Store(rand.Uint64())
		t.zones[z.name] = z
	}
	change := to.tally().minus(from.tally())
	z.tally, t.total = z.plus(change), t.total.plus(change)
	e.routed = to
	if e.backend != nil {
		e.backend.zone = z
		p.warmLocked(e.backend, from, to)
	}
	if z.registered == 0 {
		delete(t.zones, z.name)
	}
	t.snapshot.Store(nil)
	p.view = nil
	p.zoneChangedLocked(z.name)
	p.failOpenLocked(z)
}

// routedLocked is what a target is to routing by now.
func (p *Pool) routedLocked(e *entry) routed {
	return routedAs(e.state, e.override, e.backend != nil && e.backend.until != 0)
}

func routedAs(state State, override Override, ejected bool) routed {
	switch {
	case state == Unused, state == Draining, override == OverrideDrain:
		return unrouted
	case override == OverrideHealthy:
		return serving
	case override == OverrideUnhealthy, ejected:
		return spare
	case state == Healthy:
		return serving
	}
	return spare
}

func (r routed) tally() tally {
	switch r {
	case spare:
		return tally{registered: 1}
	case serving:
		return tally{registered: 1, healthy: 1}
	case unrouted:
	}
	return tally{}
}

// backLocked gives e a backend when it can be picked, and closes that when it can no longer be.
func (p *Pool) backLocked(e *entry, to routed) {
	t := &p.traffic
	b := e.backend
	if to == unrouted {
		if b != nil && !b.closed.Load() {
			t.snapshot.Store(nil)
			b.closed.Store(true)
		}
		return
	}
	if b == nil {
		b = &backend{target: e.target, standing: &standing{entry: e, zone: t.zones[e.target.Zone]}}
		e.backend = b
	}
	b.closed.Store(false)
	if !b.member {
		b.member, t.unsorted = true, true
		t.members = append(t.members, b)
	}
}

// failOpenLocked publishes that a scope has begun to fail open, or has ceased to.
func (p *Pool) failOpenLocked(z *routeZone) {
	t := &p.traffic
	was, scope, n := &t.failOpen, "", t.total
	if p.opts.ZonalOnly {
		was, scope, n = &z.failOpen, z.name, z.tally
	}
	if is := p.opts.RoutingFailover.below(n); is != *was {
		*was = is
		p.publishLocked(Event{Kind: FailOpenChange, Time: time.Now(), FailOpen: is, Zone: p.scopeStatusLocked(scope)})
	}
}

// snapshot returns the one of now, and makes it if there is none.
func (p *Pool) snapshot() *snapshot {
	p.mu.Lock()
	defer p.unlockAndTell()
	t := &p.traffic
	if s := t.snapshot.Load(); s != nil {
		return s // another Pick was faster
	}
	if !t.active {
		t.active = true
		for _, e := range p.entries {
			p.backLocked(e, e.routed)
		}
	}
	s := p.newSnapshotLocked()
	t.snapshot.Store(s)
	return s
}

func (p *Pool) newSnapshotLocked() *snapshot {
	t := &p.traffic
	t.members = slices.DeleteFunc(t.members, func(b *backend) bool {
		b.member = b.entry.routed != unrouted
		return !b.member
	})
	if t.unsorted {
		slices.SortFunc(t.members, func(a, b *backend) int { return strings.Compare(a.target.ID, b.target.ID) })
		t.unsorted = false
	}
	zones, failOpen := p.routesLocked()
	s := &snapshot{zonal: p.opts.ZonalOnly, expires: math.MaxInt64}
	scopes := make(map[*routeZone]*scope, len(zones))
	if !s.zonal {
		s.pool = &scope{failOpen: failOpen, turn: &t.turn}
	}
	for _, z := range zones {
		if !s.zonal {
			scopes[z] = s.pool
		} else if z.route.serves {
			scopes[z] = &scope{failOpen: z.route.failOpen, turn: &z.turn}
		}
	}
	if !s.zonal && len(t.members) > 0 {
		s.pool.targets = make([]*backend, 0, len(t.members))
	}
	for _, b := range t.members {
		if b.zone.route.serves && (b.entry.routed == serving || b.zone.route.failOpen) {
			in := scopes[b.zone]
			in.targets = append(in.targets, b)
		}
	}
	s.zones = make(map[string]*scope, len(zones))
	for _, z := range zones {
		if in := scopes[z]; s.zonal && in != nil && len(in.targets) > 0 {
			s.zones[z.name] = in
			s.serving = append(s.serving, in)
			t.prepare(in)
		}
	}
	if !s.zonal {
		if len(s.pool.targets) == 0 {
			s.pool = nil
		} else {
			t.prepare(s.pool)
		}
	}
	p.timeLocked(s)
	return s
}

// prepare makes what an algorithm needs to have made.
func (t *traffic) prepare(s *scope) {
	for _, b := range s.targets {
		s.slow = s.slow || b.slowSince.Load() != 0
	}
	if t.algorithm == WeightedRandom {
		weights := make([]uint64, len(s.targets))
		for i, b := range s.targets {
			weights[i] = b.weight()
		}
		s.weights = newAliasTable(weights)
	}
}

// routesLocked decides about the zones, and returns them in order.
func (p *Pool) routesLocked() (zones []*routeZone, failOpen bool) {
	t := &p.traffic
	zones = slices.SortedFunc(maps.Values(t.zones), func(a, b *routeZone) int { return strings.Compare(a.name, b.name) })
	tallies, routes := make([]zoneTally, len(zones)), make([]zoneRoute, len(zones))
	for i, z := range zones {
		tallies[i] = zoneTally{tally: z.tally, shifted: t.shifted[z.name]}
	}
	if p.opts.ZonalOnly {
		failOpen = routeByZone(p.opts.RoutingFailover, p.opts.ZoneFailover, tallies, routes)
	} else {
		failOpen = routeAcross(p.opts.RoutingFailover, tallies, routes)
	}
	for i, z := range zones {
		z.route = routes[i]
	}
	return zones, failOpen
}

// shiftLocked takes in that a zonal shift has begun or ended.
func (p *Pool) shiftLocked(zone string, shifted bool) {
	t := &p.traffic
	if shifted {
		t.shifted[zone] = true
	} else {
		delete(t.shifted, zone)
	}
	t.snapshot.Store(nil)
	p.view = nil
}

// timeLocked notes when a snapshot is no longer right by itself: an ejection ends, or the last slow start.
func (p *Pool) timeLocked(s *snapshot) {
	t := &p.traffic
	now := p.now()
	t.pruneSlowLocked(now)
	var end int64
	for _, b := range t.slow {
		end = max(end, b.slowSince.Load()+int64(t.slowStart))
	}
	if end > 0 {
		s.timed, s.expires = true, end
	}
	if next := t.nextReturnLocked(); next != math.MaxInt64 {
		s.timed, s.expires = true, min(s.expires, next)
	}
}

// expire ends what has ended by itself since a snapshot was made.
func (p *Pool) expire(s *snapshot) {
	p.mu.Lock()
	defer p.unlockAndTell()
	if p.traffic.snapshot.Load() == s {
		p.traffic.snapshot.Store(nil)
		p.returnLocked(p.now())
	}
}

// unlockAndTell hands on the events that a pick or the end of a request has caused, by Run if it runs: a request should not wait
// for a hook.
func (p *Pool) unlockAndTell() {
	pending := p.hook.size > 0 && !p.delivering
	running := p.checksCtx != nil && !p.stopped
	if pending && running {
		p.wakeLocked()
	}
	p.mu.Unlock()
	if pending && !running {
		p.deliver()
	}
}
