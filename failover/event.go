package failover

import (
	"log/slog"
	"time"
)

// Kind says what an [Event] is about.
type Kind string

// The kinds of events, in the order in which an execution emits them.
const (
	KindMark         Kind = "mark"          // something the caller saw: see [Timeline.Mark]
	KindDowntime     Kind = "downtime"      // a probe of the caller was without an answer for Took, up to Time: see [Timeline.Downtime]
	KindDetected     Kind = "detected"      // the observers agree; Took is the time since the first of them saw it
	KindVerdict      Kind = "verdict"       // what the observers think of a service has changed; Detail has the count
	KindLeading      Kind = "leading"       // this controller decides from now on
	KindNotLeading   Kind = "not leading"   // it does not any more; Err says why
	KindHandOver     Kind = "hand-over"     // the leader gives the lead to another controller; Detail says why
	KindHeld         Kind = "held"          // something failed, and the brakes hold; Detail says which. Page somebody
	KindProposed     Kind = "proposed"      // an incident waits for an approval: see [Board.Approve]. Page somebody
	KindDropped      Kind = "dropped"       // what was held or proposed is not needed any more
	KindGivenUp      Kind = "given up"      // an incident did not come to its end, however often it was resumed. Page somebody
	KindStoreError   Kind = "store error"   // the store of a controller did not answer; it is asked again
	KindStarted      Kind = "started"       // Execute was called with a valid plan
	KindLeased       Kind = "leased"        // the lease is held; Detail has the token
	KindStepStarted  Kind = "step started"  // everything the step needs is done
	KindStepDo       Kind = "step do"       // the intent is in the journal; Do is next
	KindStepWaiting  Kind = "step waiting"  // in progress or in doubt; Check is polled
	KindStepRetry    Kind = "step retry"    // Err happened; Detail has the pause
	KindNote         Kind = "note"          // what a step had to say: see [Env.Note]
	KindCall         Kind = "call"          // an AWS call of a step has ended; Call says which, Took how long it took
	KindOverrun      Kind = "overrun"       // Do or Undo returned after the lease had ended: what it sent may have come late
	KindStepUndo     Kind = "step undo"     // the undo is in the journal; Undo is next
	KindStepUndone   Kind = "step undone"   // the effect has been taken back
	KindStepKept     Kind = "step kept"     // the effect stays: it is irreversible, or rests under one that is; Detail says which
	KindStepDone     Kind = "step done"     // the effect is there and in the journal
	KindStepSkipped  Kind = "step skipped"  // done before this execution touched it; Detail says how that is known
	KindStepFailed   Kind = "step failed"   // it began and did not get done; Err says why
	KindStepNotRun   Kind = "step not run"  // it never began, because of what it needs or because the execution stopped
	KindStopped      Kind = "stopped"       // no effects from here on; Err has the cause
	KindReleaseError Kind = "release error" // the lease was not given back and has to run out
	KindEnded        Kind = "ended"         // Execute returns; Err is what it returns
)

// Event is something that happened in an execution.
type Event struct {
	Time     time.Time
	Kind     Kind
	Incident string
	Service  string
	Step     string        // empty for events of the whole execution
	Attempt  int           // calls of Do so far, earlier executions of the incident included
	Took     time.Duration // for ends of steps and executions: since their start
	Err      error
	Detail   string
	Call     *Call // of KindCall; else nil
}

// Call is one call of an AWS API.
type Call struct {
	Service   string `json:"service"`              // as the SDK calls it: "EC2", "Elastic Load Balancing v2"
	Operation string `json:"operation"`            // "AssociateAddress"
	RequestID string `json:"request_id,omitempty"` // of the answer, which AWS support asks for; empty without one
}

func (e *Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("incident", e.Incident), slog.String("service", e.Service)}
	if e.Step != "" {
		attrs = append(attrs, slog.String("step", e.Step), slog.Int("attempt", e.Attempt))
	}
	if e.Took > 0 {
		attrs = append(attrs, slog.Duration("took", e.Took))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	if e.Call != nil {
		attrs = append(attrs, slog.String("aws_service", e.Call.Service), slog.String("operation", e.Call.Operation), slog.String("request_id", e.Call.RequestID))
	}
	if e.Detail != "" {
		attrs = append(attrs, slog.String("detail", e.Detail))
	}
	return attrs
}
