package healthcheck

import (
	"fmt"
	"slices"
)

// PickOptions narrow a Pick.
type PickOptions struct {
	// Zone is where the caller is. It matters under Options.ZonalOnly only, and works there as zone affinity in DNS does: while
	// the zone serves, the target is one of it; when it does not, because it is not up, is shifted or has no target, the target
	// is of another zone. Empty takes the zones that serve in turn.
	Zone string
	// Except are IDs of targets that are not wanted, such as those that were tried already. It is searched in order: keep it
	// short.
	Except []string
	// AvoidZones are zones whose targets are picked only if no other can be: where a request has failed, the next target of the
	// same zone is likely to fail too. Under Options.ZonalOnly they come before Zone. Keep it short.
	AvoidZones []string
}

// excepting reports whether not all candidates are wanted.
func (o *PickOptions) excepting() bool { return len(o.Except)+len(o.AvoidZones) > 0 }

func (o *PickOptions) excepts(b *backend) bool {
	return o.excepting() && (slices.Contains(o.Except, b.target.ID) || slices.Contains(o.AvoidZones, b.target.Zone))
}

// Pick chooses the target of one request, by Options.Algorithm among the healthy targets, or among all registered ones while
// the pool fails open; see [Options.RoutingFailover]. Before the first check passes, which includes the time before Run, the
// pool fails open to its Initial targets. After Run has ended, Pick goes by what was known then.
//
// A target that drains, by Deregister or by an override, is never picked by a call that begins after Deregister or Override
// has returned. The caller must call Done on the lease when the request has ended, its response included: until then it counts
// as outstanding.
//
// The error is [ErrNoTargets], when no target is registered, or none but those of Except could be picked.
//
// It reads one snapshot, which the first Pick after a change makes anew, in time linear in the number of targets. Else it takes
// no lock, waits for nothing and allocates nothing, as long as leases are Done: its cost does not depend on how many follow the
// events, nor, but for exact least-outstanding, on how many targets there are.
func (p *Pool) Pick(o PickOptions) (Lease, error) {
	t := &p.traffic
	for {
		snap := t.snapshot.Load()
		if snap == nil {
			snap = p.snapshot()
		}
		var now int64
		if t.timed || snap.timed {
			now = p.now()
			if now >= snap.expires {
				p.expire(snap)
				continue
			}
		}
		s := snap.scope(t, o.Zone)
		if s == nil {
			return Lease{}, ErrNoTargets
		}
		s, b := t.chooseIn(snap, s, &o, now)
		if b == nil && len(o.AvoidZones) > 0 {
			o.AvoidZones = nil
			s, b = t.chooseIn(snap, s, &o, now)
		}
		if b == nil {
			return Lease{}, fmt.Errorf("%w but those excepted", ErrNoTargets)
		}
		b.outstanding.Add(1)
		// Either this sees that the target was closed meanwhile, or who closed it sees the lease.
		if b.closed.Load() {
			p.release(b)
			continue
		}
		return t.lease(p, b, s.failOpen, now), nil
	}
}

// chooseIn picks in a scope, or if there is none there, in the others.
func (t *traffic) chooseIn(snap *snapshot, s *scope, o *PickOptions, now int64) (*scope, *backend) {
	if b := t.choose(s, o, now); b != nil || !snap.zonal {
		return s, b
	}
	return t.elsewhere(snap, s, o, now)
}

// elsewhere picks in the other zones that serve, when Except leaves none in the zone of the caller.
func (t *traffic) elsewhere(snap *snapshot, home *scope, o *PickOptions, now int64) (*scope, *backend) {
	for range snap.serving {
		s := snap.serving[t.turn.Add(1)%uint64(len(snap.serving))]
		if s == home {
			continue
		}
		if b := t.choose(s, o, now); b != nil {
			return s, b
		}
	}
	return home, nil
}

// snapshot is what Pick reads. It does not change.
type snapshot struct {
	zonal   bool
	pool    *scope            // cross-zone: all candidates
	zones   map[string]*scope // zonal: the zones that serve, by name
	serving []*scope          // and in order
	timed   bool              // picks need to know the time: something in here expires, or its share grows
	expires int64             // when the first ejection ends
}

// scope is where a pick chooses.
type scope struct {
	targets  []*backend // the candidates, at least one, by ID
	failOpen bool
	slow     bool       // one of them may be in slow start
	weights  aliasTable // under WeightedRandom
	turn     *turn      // under RoundRobin; it outlives the snapshot
}

func (s *snapshot) scope(t *traffic, zone string) *scope {
	if !s.zonal {
		return s.pool
	}
	if z := s.zones[zone]; z != nil && zone != "" {
		return z
	}
	if len(s.serving) == 0 {
		return nil
	}
	return s.serving[t.turn.Add(1)%uint64(len(s.serving))]
}
