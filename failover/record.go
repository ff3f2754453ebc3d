package failover

import (
	"fmt"
	"time"
)

// RecordVersion is the version of [Record] that this package writes, and the highest that it reads.
const RecordVersion = 1

// Phase says what a [Record] states about its step, or about the incident as a whole.
type Phase string

// The phases of a step. A step with an intent and no done is in doubt: its effect may or may not be there. One with an undo and no
// undone is so too.
const (
	PhaseIntent  Phase = "intent"  // Do is about to be called, or has been called and put outputs beside ErrInProgress
	PhaseDone    Phase = "done"    // the effect is there
	PhaseSkipped Phase = "skipped" // the effect was there before this incident touched it
	PhaseFailed  Phase = "failed"  // given up; Detail has the error. What the last intent did may still be in doubt

	PhaseUndo   Phase = "undo"   // Undo is about to be called
	PhaseUndone Phase = "undone" // the effect has been taken back
	PhaseKept   Phase = "kept"   // the effect cannot be taken back, or something that cannot rests on it; Detail says which
)

// The phases of an incident, in records without a step.
const (
	PhaseOpened   Phase = "opened"   // the first execution begins; Outputs has the facts, Detail the plan
	PhaseRollback Phase = "rollback" // the first rollback begins
	PhaseClosed   Phase = "closed"   // State says how it ended
)

// Record is one line of an incident's journal. It is plain data and travels as JSON.
type Record struct {
	Version  int           `json:"version"`
	Service  string        `json:"service"`
	Incident string        `json:"incident"`
	Step     string        `json:"step,omitempty"`    // empty: about the incident as a whole
	Attempt  int           `json:"attempt,omitempty"` // calls of Do intended so far
	Phase    Phase         `json:"phase"`
	Token    uint64        `json:"token"`           // of the lease under which it was written
	Time     time.Time     `json:"time"`            // wall clock of the writer, UTC: to read, not to decide by
	State    IncidentState `json:"state,omitempty"` // of PhaseClosed
	// Automatic is of PhaseOpened: a controller has opened the incident, and not a person.
	Automatic bool              `json:"automatic,omitempty"`
	Detail    string            `json:"detail,omitempty"`
	Outputs   map[string]string `json:"outputs,omitempty"` // what the step has put so far
}

// history is what the journal knows of one step.
type history struct {
	attempt int
	doubt   bool
	outputs map[string]string // as last recorded
	settled *Record           // done or skipped
	at      int               // which record that is

	undone bool
	kept   string // why it stays, if it has to
}

// acted tells whether the incident may have made the step's effect, so that there is something to take back.
func (h *history) acted() bool {
	return h.doubt && (h.settled == nil || h.settled.Phase == PhaseDone)
}

// memory is what the journal knows of an incident.
type memory struct {
	incident Incident
	steps    map[string]history
}

// remember folds records. It refuses what it does not understand, since to overlook a record may be to repeat an effect.
func remember(service, incident string, records []Record) (memory, error) {
	m := memory{steps: make(map[string]history)}
	for i := range records {
		r := &records[i]
		if r.Version > RecordVersion {
			return m, fmt.Errorf("record %d: version %d: %w", i+1, r.Version, ErrNewer)
		}
		if r.Version < 1 {
			return m, fmt.Errorf("record %d: version %d is none", i+1, r.Version)
		}
		if r.Service != service || r.Incident != incident {
			return m, fmt.Errorf("record %d: belongs to incident %q of service %q", i+1, r.Incident, r.Service)
		}
		if r.Step == "" {
			if err := m.whole(r); err != nil {
				return m, fmt.Errorf("record %d: %w", i+1, err)
			}
			continue
		}
		h := m.steps[r.Step]
		if err := h.take(i, r); err != nil {
			return m, fmt.Errorf("record %d: %w", i+1, err)
		}
		m.steps[r.Step] = h
	}
	return m, nil
}

func (m *memory) whole(r *Record) error {
	switch r.Phase {
	case PhaseOpened, PhaseRollback:
	case PhaseClosed:
		switch r.State {
		case IncidentDone, IncidentRolledBack, IncidentAbandoned:
		default:
			return fmt.Errorf("%q is no end of an incident", r.State)
		}
	default:
		return fmt.Errorf("phase %q is none of an incident", r.Phase)
	}
	m.incident.take(*r)
	return nil
}

func (h *history) take(i int, r *Record) error {
	h.attempt = r.Attempt
	if r.Outputs != nil {
		h.outputs = r.Outputs
	}
	switch r.Phase {
	case PhaseIntent:
		h.doubt = true
	case PhaseDone, PhaseSkipped:
		h.settled, h.at = r, i
	case PhaseFailed, PhaseUndo:
	case PhaseUndone:
		h.undone = true
	case PhaseKept:
		h.kept = r.Detail
	default:
		return fmt.Errorf("unknown phase %q", r.Phase)
	}
	return nil
}
