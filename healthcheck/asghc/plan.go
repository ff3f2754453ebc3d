package asghc

import (
	"cmp"
	"slices"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// Verdict is what a plan says of an unhealthy target.
type Verdict string

// The verdicts: to mark, then why not by what the pool says, then why not by what Auto Scaling says.
const (
	Mark Verdict = "mark" // its instance is to be marked now

	FailOpen   Verdict = "fail-open"   // the pool, or the target's zone, sends traffic to all targets: too few are healthy
	FewHealthy Verdict = "few-healthy" // less than MinHealthyPercent of the pool is healthy
	Degraded   Verdict = "degraded"    // the pool is short of CPU itself, so that its checks tell little
	Shifted    Verdict = "shifted"     // the zone is shifted away from, by the pool, or by Options.ShiftedZones
	Overridden Verdict = "overridden"  // somebody has said of the target what it counts as
	Unknown    Verdict = "unknown"     // the latest check of the target has told nothing
	Recovering Verdict = "recovering"  // the latest check of the target has passed
	Young      Verdict = "young"       // not unhealthy for MinUnhealthy, or the pool has not been believed for as long
	Unmapped   Verdict = "unmapped"    // Options.InstanceID knows no instance

	NoMember     Verdict = "no-member"      // the instance is in none of the groups
	Replacing    Verdict = "replacing"      // it is marked already, or on its way out
	NotInService Verdict = "not-in-service" // it is pending, on standby or detaching, and not checked
	Protected    Verdict = "protected"      // from scale-in, with KeepProtected
	Suspended    Verdict = "suspended"      // ReplaceUnhealthy, Terminate or Launch is: marks would wait, or nothing would follow
	Deleting     Verdict = "deleting"       // the group is being deleted
	OtherUnits   Verdict = "other-units"    // the group counts vCPUs or memory: what is missing of it is not known here
	Grace        Verdict = "grace"          // it was refused less than RetryGrace ago, mostly for its grace period
	Brake        Verdict = "brake"          // enough of the group is missing already
	Unread       Verdict = "unread"         // what the decision takes could not be read
)

// Situation is what a plan is made from.
type Situation struct {
	Now time.Time

	// Believed is since when the pool is believed, as far as the one who acts has seen: it does not fail open, is not short
	// of CPU, and has MinHealthyPercent. Zero is long ago.
	Believed time.Time

	// The pool.
	Targets             []Target // those that are unhealthy or initial; others do not matter
	Registered, Healthy int
	FailOpen, Degraded  bool

	// Shifted are the zones that are shifted away from beside the pool, by name or ID.
	Shifted []string

	Groups []Group

	// Marked is when instances were marked last, Refused when they were refused last, such as for their grace period, by ID.
	Marked, Refused map[string]time.Time
}

// Target is a target of the pool.
type Target struct {
	ID, Zone   string
	Instance   string // empty if it is not known
	State      healthcheck.State
	Since      time.Time // when it entered its state
	Unknown    bool      // its latest check has told nothing
	Recovering bool      // its latest check has passed
	Overridden bool
	Shifted    bool // its zone is, in the pool
	FailOpen   bool // its zone is
}

// Group is an Auto Scaling group.
type Group struct {
	Name      string
	Desired   int
	Instances []Instance
	Blocked   Verdict // Suspended, Deleting or OtherUnits if nothing of it may be marked
}

// Instance is an instance of a group.
type Instance struct {
	ID, Zone, ZoneID string
	State            string // of its lifecycle, such as InService
	Healthy          bool   // by its health status
	Protected        bool   // from scale-in
	Weight           int    // what it counts for in the group's capacity; 0 means 1
}

// Decision is what a plan says of one unhealthy target.
type Decision struct {
	Target, Zone, Instance, Group string // Instance and Group are empty if not known
	Since                         time.Time
	Verdict                       Verdict
}

// Plan decides about every unhealthy target, those that have been so for longest first. It is a pure function.
//
// However many targets are unhealthy, and however often a plan is made and carried out, no more of a group is missing by
// it than one instance, or MaxInFlightPercent of the desired capacity if that is more. What is missing is read from the
// group, not remembered: the desired capacity without the instances that are in service, healthy to Auto Scaling, and not
// about to be checked for the first time; so that a group that grows, or cannot, is left alone.
func Plan(s Situation, l Limits) []Decision {
	l = l.withDefaults()
	var unhealthy []Target
	fresh := map[string]bool{} // instances whose health is not known yet
	for _, t := range s.Targets {
		switch t.State {
		case healthcheck.Unhealthy:
			unhealthy = append(unhealthy, t)
		case healthcheck.Initial:
			fresh[t.Instance] = true
		}
	}
	for _, t := range unhealthy { // of an instance with several targets one is enough to know
		delete(fresh, t.Instance)
	}
	slices.SortFunc(unhealthy, func(a, b Target) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })

	type member struct {
		*Instance
		of *capacity
	}
	members := make(map[string]member, len(unhealthy)) // those that are unhealthy
	for _, t := range unhealthy {
		members[t.Instance] = member{}
	}
	for _, g := range s.Groups {
		c := s.capacity(g, l, fresh)
		for i := range g.Instances {
			if _, ok := members[g.Instances[i].ID]; ok {
				members[g.Instances[i].ID] = member{&g.Instances[i], c}
			}
		}
	}
	decisions := make([]Decision, 0, len(unhealthy))
	for _, t := range unhealthy {
		d := Decision{Target: t.ID, Zone: t.Zone, Instance: t.Instance, Since: t.Since}
		d.Verdict = s.pool(t, l)
		if d.Verdict == Mark {
			d.Verdict = NoMember
			if m := members[t.Instance]; m.of != nil {
				d.Group = m.of.group.Name
				d.Verdict = s.member(m.of, m.Instance, l)
			}
		}
		decisions = append(decisions, d)
	}
	return decisions
}

// whole decides by the pool as a whole; Mark is that it can be believed.
func (s *Situation) whole(l Limits) Verdict {
	switch {
	case s.Degraded:
		return Degraded
	case s.FailOpen:
		return FailOpen
	case l.MinHealthyPercent != None && s.Healthy*100 < l.MinHealthyPercent*s.Registered:
		return FewHealthy
	}
	return Mark
}

// pool decides by what the pool says of a target; Mark is that it has nothing against it.
func (s *Situation) pool(t Target, l Limits) Verdict {
	if v := s.whole(l); v != Mark {
		return v
	}
	switch {
	case t.FailOpen:
		return FailOpen
	case t.Shifted || s.shifted(t.Zone):
		return Shifted
	case t.Overridden:
		return Overridden
	case t.Unknown:
		return Unknown
	case t.Recovering:
		return Recovering
	case s.Now.Sub(t.Since) < l.MinUnhealthy || s.Now.Sub(s.Believed) < l.MinUnhealthy:
		return Young
	case t.Instance == "":
		return Unmapped
	}
	return Mark
}

// member decides by what Auto Scaling says, and takes the instance out of the group's capacity if it is to be marked.
func (s *Situation) member(c *capacity, i *Instance, l Limits) Verdict {
	refused, wasRefused := s.Refused[i.ID]
	switch {
	case s.shifted(i.Zone) || s.shifted(i.ZoneID):
		return Shifted
	case c.gone[i.ID] || terminal(i.State):
		return Replacing
	case i.State != inService:
		return NotInService
	case c.group.Blocked != "":
		return c.group.Blocked
	case i.Protected && l.KeepProtected:
		return Protected
	case wasRefused && s.Now.Sub(refused) < l.RetryGrace:
		return Grace
	case !c.take(i):
		return Brake
	}
	return Mark
}

// shifted tells whether a zone is, by its name or ID. One that is not known is not.
func (s *Situation) shifted(zone string) bool { return zone != "" && slices.Contains(s.Shifted, zone) }
