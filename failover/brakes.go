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

	// MaxConcurrent is how many incidents are executed at once in the fleet. Default 1.
	MaxConcurrent int

	// MaxPerHour is how many incidents begin in an hour in the fleet. Default 3.
	MaxPerHour int

	// MaxFailedShare is which share of the services may be failed at once, from 0 to 1: if it is more, the controllers suspect themselves, and
	// hold until it is less. It counts from three services on. Default 0.5.
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
	now       time.Time
	service   string
	facts     map[string]string
	blast     Blast
	surviving float64 // share; below 0: nobody tells
	failed    int     // services whose verdict is Failed
	services  int
	running   int
	incidents []Incident
	orders    []Order
	incident  string // the one that would begin
}

// hold is why nothing may begin: a word that stays the same, and a text whose numbers may change.
type hold struct{ brake, text string }

// holds returns why nothing may begin now; the zero hold lets it.
func (b *Brakes) holds(s *state) hold {
	hour := 0
	for _, o := range s.orders {
		if o.Kind == OrderPause {
			return hold{"paused", fmt.Sprintf("paused by %s: %s", o.By, o.Why)}
		}
	}
	if s.services >= 3 && float64(s.failed) > b.MaxFailedShare*float64(s.services) {
		return hold{"too much", fmt.Sprintf("%d of %d services failed at once: the controllers suspect themselves", s.failed, s.services)}
	}
	if s.surviving >= 0 && s.surviving < b.MinSurviving {
		return hold{"too little", fmt.Sprintf("only %.0f %% of the service survives, of %.0f %% that must", 100*s.surviving, 100*b.MinSurviving)}
	}
	for i := range s.incidents {
		in := &s.incidents[i]
		if in.Service == s.service && (in.State == IncidentOpen || in.State == IncidentRollingBack) {
			return hold{"open", fmt.Sprintf("incident %s is %s", in.ID, in.State)}
		}
		if !in.Automatic {
			continue
		}
		age := s.now.Sub(later(in.Opened, in.Closed))
		if s.now.Sub(in.Opened) < time.Hour {
			hour++
		}
		target := in.Facts[FactTarget]
		mine := in.Service == s.service || target != "" && target == s.facts[FactFailed]
		if mine && age < b.Cooldown && !ordered(s.orders, OrderAcknowledge, in.Service, in.ID) {
			return hold{"cooldown", fmt.Sprintf("incident %s of %s was %s ago: %s of the cooldown are left", in.ID, in.Service,
				max(age, 0).Round(time.Second), min(b.Cooldown-age, b.Cooldown).Round(time.Second))}
		}
	}
	switch {
	case s.running >= b.MaxConcurrent:
		return hold{"busy", fmt.Sprintf("%d incidents are being executed", s.running)}
	case hour >= b.MaxPerHour:
		return hold{"budget", fmt.Sprintf("%d incidents began in an hour", hour)}
	case s.blast >= b.Approval && !ordered(s.orders, OrderApprove, s.service, s.incident):
		return hold{needsApproval, "it reaches the " + s.blast.String() + ": a person has to approve it"}
	}
	return hold{}
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
	for _, o := range orders {
		if o.Kind == kind && o.Service == service && o.Incident == incident {
			return true
		}
	}
	return false
}
