package queueworker

import (
	"fmt"
	"time"
)

// Outcome is what becomes of a message after its handler.
type Outcome uint8

// The outcomes. What a handler returns decides: nil is Completed, an error with none of the others in it is Retried.
const (
	// Completed: it is deleted.
	Completed Outcome = iota
	// Retried: it is tried again after a delay.
	Retried
	// Released: it is given back, and visible at once to whoever receives it.
	Released
	// Dropped: it is deleted although it was not handled.
	Dropped
	// DeadLettered: it is sent to the dead-letter queue, then deleted.
	DeadLettered
)

var outcomeNames = [...]string{"completed", "retried", "released", "dropped", "dead-lettered"}

// String returns the name of the outcome in lower case.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "invalid"
}

// OutcomeError is an error that says what becomes of the message. It is found in whatever wraps it; of several, the first that
// errors.As finds counts.
type OutcomeError struct {
	Outcome Outcome
	After   time.Duration // for Retried
	Err     error         // why; nil: no reason was given
}

func (e *OutcomeError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	if e.Outcome == Retried {
		return fmt.Sprintf("to be retried after %v", e.After)
	}
	return "to be " + e.Outcome.String()
}

// Unwrap returns the reason.
func (e *OutcomeError) Unwrap() error { return e.Err }

// RetryAfter makes the message be tried again after d, instead of what Options.Retry says: when the service that it needs has said
// when to come back, or for a reminder. The delay ends with the twelve hours for which a message can be held; less than a second
// counts as one, and zero leaves it to Options.Retry: what is to come back at once is for Release.
//
// The attempt counts toward the queue's redrive policy. The reason may be nil.
func RetryAfter(d time.Duration, reason error) error {
	return &OutcomeError{Outcome: Retried, After: d, Err: reason}
}

// Release gives the message back at once, for somebody else: this worker cannot do it, another may. On a queue with one worker that
// is a loop without a pause. The attempt counts toward the queue's redrive policy. The reason may be nil.
func Release(reason error) error { return &OutcomeError{Outcome: Released, Err: reason} }

// Drop deletes the message: it is not worth handling, now or later. The reason, which may be nil, is logged.
func Drop(reason error) error { return &OutcomeError{Outcome: Dropped, Err: reason} }

// DeadLetter sends the message to the dead-letter queue now, without the attempts that are left to it, and then deletes it. Where
// there is no dead-letter queue it stays, and is tried again at the longest delay. The reason may be nil.
func DeadLetter(reason error) error { return &OutcomeError{Outcome: DeadLettered, Err: reason} }
