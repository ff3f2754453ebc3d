package failover

import (
	"fmt"
	"time"
)

// RecordVersion is the version of [Record] that this package writes, and the highest that it reads.
const RecordVersion = 1

// Phase says what a [Record] states about its step.
type Phase string

// The phases of a step. A step with an intent and no done is in doubt: its effect may or may not be there.
const (
	PhaseIntent  Phase = "intent"  // Do is about to be called, or has been called and put outputs beside ErrInProgress
	PhaseDone    Phase = "done"    // the effect is there
	PhaseSkipped Phase = "skipped" // the effect was there before this incident touched it
	PhaseFailed  Phase = "failed"  // given up; Detail has the error. What the last intent did may still be in doubt
)

// Record is one line of an incident's journal. It is plain data and travels as JSON.
type Record struct {
	Version  int               `json:"version"`
	Service  string            `json:"service"`
	Incident string            `json:"incident"`
	Step     string            `json:"step"`
	Attempt  int               `json:"attempt"` // calls of Do intended so far
	Phase    Phase             `json:"phase"`
	Token    uint64            `json:"token"` // of the lease under which it was written
	Time     time.Time         `json:"time"`  // wall clock of the writer, UTC: to read, not to decide by
	Detail   string            `json:"detail,omitempty"`
	Outputs  map[string]string `json:"outputs,omitempty"` // what the step has put so far
}

// history is what the journal knows of one step.
type history struct {
	attempt int
	doubt   bool
	outputs map[string]string // as last recorded
	settled *Record           // done or skipped
}

// remember folds records into a history for each step that has one. It refuses what it does not understand, since to
// overlook a record may be to repeat an effect.
func remember(service, incident string, records []Record) (map[string]history, error) {
	steps := make(map[string]history)
	for i := range records {
		r := &records[i]
		if r.Version < 1 || r.Version > RecordVersion {
			return nil, fmt.Errorf("record %d: version %d is not one of 1 to %d", i, r.Version, RecordVersion)
		}
		if r.Service != service || r.Incident != incident {
			return nil, fmt.Errorf("record %d: belongs to incident %q of service %q", i, r.Incident, r.Service)
		}
		h := steps[r.Step]
		h.attempt = r.Attempt
		if r.Outputs != nil {
			h.outputs = r.Outputs
		}
		switch r.Phase {
		case PhaseIntent:
			h.doubt = true
		case PhaseDone, PhaseSkipped:
			h.settled = r
		case PhaseFailed:
		default:
			return nil, fmt.Errorf("record %d: unknown phase %q", i, r.Phase)
		}
		steps[r.Step] = h
	}
	return steps, nil
}
