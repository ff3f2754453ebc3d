package healthcheck

import "time"

// Override is what a person has decided about a target, beside what its checks say. It goes on being checked.
type Override uint8

const (
	// NoOverride lets the checks decide. It is the zero Override.
	NoOverride Override = iota
	// OverrideHealthy gives the target traffic, whatever its checks say.
	OverrideHealthy
	// OverrideUnhealthy gives it none, unless the pool fails open.
	OverrideUnhealthy
	// OverrideDrain gives it none, also when the pool fails open.
	OverrideDrain
)

// String returns "no_override", as Elastic Load Balancing spells it, "healthy", "unhealthy" or "drain".
func (o Override) String() string {
	switch o {
	case NoOverride:
		return "no_override"
	case OverrideHealthy:
		return "healthy"
	case OverrideUnhealthy:
		return "unhealthy"
	case OverrideDrain:
		return "drain"
	}
	return "invalid"
}

// MarshalText returns String, so that an override reads the same in JSON and in logs.
func (o Override) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Override sets what a person has decided about a target, in place of what was decided before. It holds until the next one, or
// until the target is gone or replaced, and it is not a state: the target goes on being checked, and Status shows both.
//
// The error is a *FieldError if o is none of the constants, ErrNotRegistered, or ErrStopped once Run has ended.
func (p *Pool) Override(id string, o Override) error {
	if o > OverrideDrain {
		return &FieldError{Field: "override", Value: uint8(o), Rule: "must be one of the constants"}
	}
	defer p.deliver()
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[id]
	switch {
	case p.stopped:
		return ErrStopped
	case e == nil:
		return ErrNotRegistered
	case e.override == o:
		return nil
	}
	e.override, p.editLocked(e).override = o, o
	p.changedLocked()
	p.publishLocked(Event{Kind: OverrideChange, Time: time.Now(), Status: p.statusLocked(e, p.now())})
	p.routeLocked(e)
	return nil
}
