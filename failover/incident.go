package failover

import (
	"maps"
	"time"
)

// Incident is what a journal knows of one incident of a service as a whole. It is plain data and travels as JSON.
type Incident struct {
	Version int           `json:"version"`
	Service string        `json:"service"`
	ID      string        `json:"incident"`
	State   IncidentState `json:"state"`

	// Automatic tells that a controller has opened it, and not a person.
	Automatic bool `json:"automatic,omitempty"`

	// Facts are what was known when it was opened and does not change: what failed, what takes over. See [ExecOptions.Facts].
	Facts map[string]string `json:"facts,omitempty"`

	Token  uint64    `json:"token"`  // of the lease under which it was last opened or closed
	Opened time.Time `json:"opened"` // wall clocks of the writers, UTC
	Closed time.Time `json:"closed,omitzero"`
	Detail string    `json:"detail,omitempty"` // of its state
}

// IncidentState says how far an incident has come.
type IncidentState string

// The states of an incident.
const (
	IncidentOpen        IncidentState = "open"         // begun, and neither done nor given up: executing it again goes on
	IncidentDone        IncidentState = "done"         // every step is done
	IncidentRollingBack IncidentState = "rolling back" // a rollback has begun: rolling back again goes on
	IncidentRolledBack  IncidentState = "rolled back"  // what could be taken back is
	IncidentAbandoned   IncidentState = "abandoned"    // given up; somebody has to look at what is left
)

// take folds a record of the whole incident into what is known.
func (in *Incident) take(r Record) {
	in.Version, in.Service, in.ID, in.Token = RecordVersion, r.Service, r.Incident, r.Token
	in.Detail = r.Detail
	switch r.Phase {
	case PhaseOpened:
		if in.Opened.IsZero() {
			in.Opened, in.Facts, in.Automatic = r.Time, maps.Clone(r.Outputs), r.Automatic
		}
		in.State, in.Closed = IncidentOpen, time.Time{}
	case PhaseRollback:
		in.State, in.Closed = IncidentRollingBack, time.Time{}
	case PhaseClosed:
		in.State, in.Closed = r.State, r.Time
	}
}

func (in Incident) clone() Incident {
	in.Facts = maps.Clone(in.Facts)
	return in
}
