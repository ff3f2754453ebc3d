package failover

import (
	"errors"
	"fmt"
	"time"
)

// Brakes keep a controller from doing harm faster than people can look. They hold automatic runs only: what a person executes by
// [Engine.Execute] waits for the lease alone, and counts for no brake.
type Brakes struct {
	// Cooldown is for how long after an automatic incident of a service no other begins there, nor one that takes away from what that incident
	// has just promoted ([FactTarget]), whatever the service. Acknowledging the incident lifts it. Default 1 h.
	Cooldown time.Duration

	// MaxConcurrent is how many incidents are executed at once in the fleet. None begins while so many are open, but for those that have been given
	// up; of several that are to be resumed, the oldest goes first. Default 1.
	MaxConcurrent int

	// MaxPerHour is how many incidents begin in an hour in the fleet; those that are acknowledged do not count. Default 3.
	MaxPerHour int

	// MaxFailedShare is which share of the services may be failed or suspect at once, from 0 to 1: if it is more, the controllers suspect themselves,
	// and hold until it is less. It counts from three services on. Default 0.5.
	MaxFailedShare float64

	// MinSurviving is which share of a service must survive what failed, from 0 to 1, as Service.Surviving tells: where less does, to fail over would
	// overload the rest. Default 0.5.
	MinSurviving float64

	// Approval is from which radius on a person has to agree to a plan, by [Board.Approve]. Plans that reach another Region or lose data need that
	// always: it can be lowered, to BlastInstance for all plans, and not raised. Default BlastRegion.
	Approval Blast
}

func (b *Brakes) complete() error {
	var errs []error
	notNegative(&errs, "Brakes.Cooldown", b.Cooldown)
	notNegative(&errs, "Brakes.MaxConcurrent", b.MaxConcurrent)
	notNegative(&errs, "Brakes.MaxPerHour", b.MaxPerHour)
	for _, share := range []struct {
		field string
		v     float64
	}{{"Brakes.MaxFailedShare", b.MaxFailedShare}, {"Brakes.MinSurviving", b.MinSurviving}} {
		if !(share.v >= 0 && share.v <= 1) {
			errs = append(errs, &FieldError{share.field, share.v, "must be from 0 to 1"})
		}
	}
	if b.Approval < 0 || b.Approval > BlastRegion {
		errs = append(errs, &FieldError{"Brakes.Approval", b.Approval, "must be BlastInstance, BlastZone or BlastRegion"})
	}
	orDefault(&b.Cooldown, time.Hour)
	orDefault(&b.MaxConcurrent, 1)
	orDefault(&b.MaxPerHour, 3)
	orDefault(&b.MaxFailedShare, 0.5)
	orDefault(&b.MinSurviving, 0.5)
	orDefault(&b.Approval, BlastRegion)
	return errors.Join(errs...)
}

// Facts that controllers know the meaning of; services give them in Service.Prepare.
const (
	FactFailed = "failed" // what is taken away from, such as an instance ID
	FactTarget = "target" // what takes over
	FactZone   = "zone"   // the zone that failed
)

// state is what the brakes look at.
type state struct {
	service   string
	incident  string // the one that would begin
	ill       int    // services that have failed, or are suspect
	services  int
	running   int // incidents that are executed, or wait to be resumed
	incidents []agedIncident
	orders    []Order

	// What follows is known once the service has been asked.
	facts     map[string]string
	blast     Blast
	plan      string  // its digest
	surviving float64 // share; below 0: nobody tells
}

// agedIncident is an incident with its ages: since it was opened, and since it was last opened or closed.
type agedIncident struct {
	Incident

	opened, last time.Duration
}

// hold is why nothing may begin: a word that stays the same, and a text whose numbers may change.
type hold struct{ brake, text string }

// before returns why nothing may begin now, whatever the service's functions would say; the zero hold lets it.
func (b *Brakes) before(s *state) hold {
	for _, o := range s.orders {
		if o.Kind == OrderPause {
			return hold{"paused", fmt.Sprintf("paused by %s: %s", o.By, o.Why)}
		}
	}
	if s.services >= 3 && float64(s.ill) > b.MaxFailedShare*float64(s.services) {
		return hold{"too much", fmt.Sprintf("%d of %d services failed at once, or are suspect: the controllers suspect themselves", s.ill, s.services)}
	}
	hour := 0
	for i := range s.incidents {
		in := &s.incidents[i]
		if in.Service == s.service && (in.State == IncidentOpen || in.State == IncidentRollingBack) {
			return hold{"open", fmt.Sprintf("incident %s is %s", in.ID, in.State)}
		}
		if in.Automatic && in.opened < time.Hour && !ordered(s.orders, OrderAcknowledge, in.Service, in.ID) {
			hour++
		}
	}
	if why := b.cooldown(s, func(in *Incident) bool { return in.Service == s.service }); why != (hold{}) {
		return why
	}
	switch {
	case s.running >= b.MaxConcurrent:
		return hold{"busy", fmt.Sprintf("%d incidents are being executed", s.running)}
	case hour >= b.MaxPerHour:
		return hold{"budget", fmt.Sprintf("%d incidents began in an hour", hour)}
	}
	return hold{}
}

// cooldown returns the automatic incident of late that is in the way.
func (b *Brakes) cooldown(s *state, concerns func(*Incident) bool) hold {
	for i := range s.incidents {
		in := &s.incidents[i]
		if in.Automatic && in.last < b.Cooldown && concerns(&in.Incident) && !ordered(s.orders, OrderAcknowledge, in.Service, in.ID) {
			return hold{"cooldown", fmt.Sprintf("incident %s of %s was %s ago: %s of the cooldown are left", in.ID, in.Service,
				in.last.Round(time.Second), (b.Cooldown - in.last).Round(time.Second))}
		}
	}
	return hold{}
}

// after returns why nothing may begin now, judged by what the service's functions have said.
func (b *Brakes) after(s *state) hold {
	failed := s.facts[FactFailed]
	if failed != "" {
		if why := b.cooldown(s, func(in *Incident) bool { return in.Facts[FactTarget] == failed }); why != (hold{}) {
			return why
		}
	}
	switch {
	case s.surviving >= 0 && s.surviving < b.MinSurviving:
		return hold{"too little", fmt.Sprintf("only %.0f %% of the service survives, of %.0f %% that must", 100*s.surviving, 100*b.MinSurviving)}
	case !b.approved(s):
		return s.unapproved()
	}
	return hold{}
}

func (s *state) unapproved() hold {
	return hold{needsApproval, "it reaches the " + s.blast.String() + ": a person has to approve it"}
}

// approved tells that the plan reaches no further than a plan may without a person, or that one has agreed to this plan.
func (b *Brakes) approved(s *state) bool {
	if s.blast < b.Approval {
		return true
	}
	for _, o := range s.orders {
		if o.Kind == OrderApprove && o.Service == s.service && o.Incident == s.incident && o.Plan == s.plan {
			return true
		}
	}
	return false
}

// needsApproval is the brake that a person can take away.
const needsApproval = "approval"

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func ordered(orders []Order, kind OrderKind, service, incident string) bool {
	_, ok := order(orders, kind, service, incident)
	return ok
}

// order returns what has been said about an incident.
func order(orders []Order, kind OrderKind, service, incident string) (Order, bool) {
	for _, o := range orders {
		if o.Kind == kind && o.Service == service && o.Incident == incident {
			return o, true
		}
	}
	return Order{}, false
}

// incidentKey names an incident.
type incidentKey struct{ service, id string }

func (in *Incident) key() incidentKey { return incidentKey{in.Service, in.ID} }

// incidentAge is when a leader has first seen an incident, and as it is. Clocks of writers may be wrong, but not for what happened under our eyes.
type incidentAge struct {
	state        IncidentState
	first, last  time.Time
	sawIt, sawAt bool // the one and the other happened while this controller led
}

// age takes in the incidents that the journal has now. In the first look of a term it cannot be told when anything happened but by the writers' clocks.
func (c *Controller) age(incidents []Incident, firstLook bool) []agedIncident {
	now := time.Now()
	aged := make([]agedIncident, len(incidents))
	for i := range incidents {
		in := &incidents[i]
		a, known := c.ages[in.key()]
		if !known {
			a.first, a.sawIt = now, !firstLook
		}
		if !known || a.state != in.State {
			a.state, a.last, a.sawAt = in.State, now, !firstLook
		}
		c.ages[in.key()] = a
		aged[i] = agedIncident{Incident: *in, opened: since(in.Opened, a.first, a.sawIt, now), last: since(later(in.Opened, in.Closed), a.last, a.sawAt, now)}
	}
	return aged
}

// since returns how long ago something was that a writer says was at wall, and that was first seen at seen.
func since(wall, seen time.Time, sawIt bool, now time.Time) time.Duration {
	if age := now.Sub(wall); !sawIt && age >= 0 {
		return max(age, now.Sub(seen))
	}
	return now.Sub(seen)
}
