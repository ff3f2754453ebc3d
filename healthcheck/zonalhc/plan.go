package zonalhc

import (
	"slices"
	"time"
)

// Action is what a plan wants done.
type Action string

// The actions.
const (
	Wait   Action = "wait"   // nothing
	Start  Action = "start"  // a shift away from the zone
	Extend Action = "extend" // the own shift
	Cancel Action = "cancel" // the own shift
)

// Reason says why.
type Reason string

// The reasons. All but the last three go with Wait.
const (
	Calm         Reason = "calm"           // no zone is bad
	Degraded     Reason = "degraded"       // the pool is short of CPU itself, so that its checks tell little
	SeveralBad   Reason = "several-bad"    // a shift leaves one zone only, and what hits several is mostly not a zone's fault
	Confirming   Reason = "confirming"     // the zone is bad, alone and dispensable, for less than BadFor
	NoCapacity   Reason = "no-capacity"    // the other zones cannot carry the traffic: less than MinHealthy, or MinHealthyPercent
	UnknownZone  Reason = "unknown-zone"   // the zone has no ID in Options.ZoneIDs, or the resource is not in it
	Unread       Reason = "unread"         // the resource has not been read
	Autoshifted  Reason = "autoshift"      // AWS has started one for the resource, which stands
	OtherShift   Reason = "other-shift"    // a shift of somebody else is active for the resource, a practice run included
	TakenBack    Reason = "taken-back"     // somebody has ended the own shift, and the zone has not been well since
	Expired      Reason = "expired"        // the own shift was not to be extended, and the zone has not been well since
	Shifted      Reason = "shifted"        // the own shift is active, and there is nothing to do about it
	LongEnough   Reason = "long-enough"    // the own shift is not extended beyond MaxDuration
	ZoneBad      Reason = "zone-bad"       // with Start
	ZoneStillBad Reason = "zone-still-bad" // with Extend
	ZoneWell     Reason = "zone-well"      // with Cancel
)

// Situation is what a plan is made from.
type Situation struct {
	Now      time.Time
	Degraded bool // the pool
	Zones    []Zone

	// Clear is since when there has been one zone that is bad, the same all the time, whose traffic the others could carry,
	// as far as the one who acts has seen. Zero is long ago.
	Clear time.Time

	Resource *Resource         // nil if it has not been read
	Spent    map[string]Reason // zones by ID for which no shift is to be started again, with TakenBack or Expired
}

// Zone is a zone of the pool.
type Zone struct {
	Name, ID            string    // as the pool and as ARC call it; the ID is empty if it is not known
	Registered, Healthy int       // targets
	BadSince, WellSince time.Time // zero if it is not bad, or not well; it may be neither
	Out                 bool      // the pool has taken it out of traffic, as it is shifted away from or Down: it carries nothing
}

// Resource is what is shifted, as ARC knows it.
type Resource struct {
	ARN        string
	Zones      []string // that it is in, by ID
	Shifts     []Shift  // that are active, of customers, practice runs and experiments
	Autoshifts []string // the zones, by ID, that AWS shifts it away from
}

// Shift is a zonal shift that is active.
type Shift struct {
	ID, AwayFrom  string
	Start, Expiry time.Time
	Own           bool // it is the one who acts that has started it
}

// Decision is what a plan says.
type Decision struct {
	Action Action
	Reason Reason
	Zone   string // the zone that it is about, as the pool calls it; empty if there is none
	ZoneID string // the same by its ID; empty if it is not known
	Shift  string // the ID of the own shift; empty without one
}

// Plan decides what is to be done about the zones of a pool. It is a pure function. It starts a shift only if exactly one
// zone is bad, has been so for BadFor, the others can carry the traffic, and nothing else is active for the resource; it
// touches no shift but the own one.
func Plan(s Situation, l Limits) Decision {
	l = l.withDefaults()
	if own := s.own(); own != nil {
		return s.hold(own, l)
	}
	d := s.propose(l)
	if d.Reason != ZoneBad {
		return d
	}
	switch {
	case s.Resource == nil:
		d.Action, d.Reason = Wait, Unread
	case !slices.Contains(s.Resource.Zones, d.ZoneID):
		d.Action, d.Reason = Wait, UnknownZone
	case len(s.Resource.Autoshifts) > 0:
		d.Action, d.Reason = Wait, Autoshifted
	case len(s.Resource.Shifts) > 0:
		d.Action, d.Reason = Wait, OtherShift
	case s.Spent[d.ZoneID] != "":
		d.Action, d.Reason = Wait, s.Spent[d.ZoneID]
	}
	return d
}

// propose decides by what the pool says.
func (s *Situation) propose(l Limits) Decision {
	z, reason := s.candidate(l)
	d := Decision{Action: Wait, Reason: reason, Zone: z.Name, ZoneID: z.ID}
	switch {
	case reason != "":
	case s.Now.Sub(z.BadSince) < l.BadFor || s.Now.Sub(s.Clear) < l.BadFor:
		d.Reason = Confirming
	case z.ID == "":
		d.Reason = UnknownZone
	default:
		d.Action, d.Reason = Start, ZoneBad
	}
	return d
}

// candidate returns the one zone that is bad while the others can carry its traffic, or why there is none.
func (s *Situation) candidate(l Limits) (z Zone, why Reason) {
	n := 0
	for _, zone := range s.Zones {
		if !zone.BadSince.IsZero() {
			z = zone
			n++
		}
	}
	switch {
	case s.Degraded:
		return Zone{}, Degraded
	case n == 0:
		return Zone{}, Calm
	case n > 1:
		return Zone{}, SeveralBad
	case !s.carries(z, l):
		return z, NoCapacity
	}
	return z, ""
}

// carries tells whether the other zones can carry the traffic of one: those that the resource is in too, and that are not out
// of traffic themselves.
func (s *Situation) carries(away Zone, l Limits) bool {
	registered, healthy := 0, 0
	for _, z := range s.Zones {
		registered += z.Registered
		if z.Name != away.Name && !z.Out && (s.Resource == nil || slices.Contains(s.Resource.Zones, z.ID)) {
			healthy += z.Healthy
		}
	}
	return healthy >= l.MinHealthy && healthy*100 >= l.MinHealthyPercent*registered
}

// hold decides about the own shift.
func (s *Situation) hold(own *Shift, l Limits) Decision {
	d := Decision{Action: Wait, Reason: Shifted, ZoneID: own.AwayFrom, Shift: own.ID}
	i := slices.IndexFunc(s.Zones, func(z Zone) bool { return z.ID == own.AwayFrom })
	if i < 0 {
		return d // nothing is known of the zone
	}
	z := s.Zones[i]
	d.Zone = z.Name
	switch {
	case s.Degraded:
	case l.Cancel && !z.WellSince.IsZero() && s.Now.Sub(z.WellSince) >= l.WellFor:
		d.Action, d.Reason = Cancel, ZoneWell
	case !l.Extend || own.Expiry.Sub(s.Now) > l.ExtendBefore || s.propose(l).Reason != ZoneBad || z.BadSince.IsZero():
	case s.Now.Add(extension(own, s.Now, l)).Sub(own.Expiry) < time.Minute:
		d.Reason = LongEnough
	default:
		d.Action, d.Reason = Extend, ZoneStillBad
	}
	return d
}

// extension returns for how long from now a shift may be extended: whole minutes.
func extension(own *Shift, now time.Time, l Limits) time.Duration {
	return min(l.Expiry, own.Start.Add(l.MaxDuration).Sub(now)).Truncate(time.Minute)
}

func (s *Situation) own() *Shift {
	if s.Resource == nil {
		return nil
	}
	for i := range s.Resource.Shifts {
		if s.Resource.Shifts[i].Own {
			return &s.Resource.Shifts[i]
		}
	}
	return nil
}
