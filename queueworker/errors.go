package queueworker

import (
	"errors"
	"fmt"
	"strings"
)

// What a caller branches on. The first four are causes of the context of a handler.
var (
	// ErrLeaseLost: the lease of the message has ended, or is another's: it may be handled elsewhere by now.
	ErrLeaseLost = errors.New("queueworker: the lease of the message is lost")
	// ErrLeaseCap: the message has been held for almost twelve hours, beyond which SQS extends no lease.
	ErrLeaseCap = errors.New("queueworker: the message cannot be held any longer")
	// ErrHandlerTimeout: Options.HandlerTimeout has passed.
	ErrHandlerTimeout = errors.New("queueworker: the handler took too long")
	// ErrDraining: the worker drains, and Options.DrainTimeout has passed.
	ErrDraining = errors.New("queueworker: the worker is draining")

	// ErrQueueNotFound: there is no queue at the URL.
	ErrQueueNotFound = errors.New("queueworker: the queue does not exist")
	// ErrAccessDenied: the credentials do not suffice.
	ErrAccessDenied = errors.New("queueworker: access to the queue is denied")
	// ErrAlreadyRun: a worker runs once.
	ErrAlreadyRun = errors.New("queueworker: the worker has been run already")
	// ErrNotRunning: the worker does not run, or not yet.
	ErrNotRunning = errors.New("queueworker: the worker is not running")
)

// QueueError is a call to SQS that failed for good, with the condition, such as ErrQueueNotFound, and the SDK's error.
type QueueError struct {
	Operation string // such as "ReceiveMessage"
	QueueURL  string
	Condition error // nil: none of those that have a name
	Err       error
}

func (e *QueueError) Error() string {
	if e.Condition == nil {
		return fmt.Sprintf("queueworker: %s on %s: %v", e.Operation, e.QueueURL, e.Err)
	}
	return fmt.Sprintf("%v: %s on %s: %v", e.Condition, e.Operation, e.QueueURL, e.Err)
}

// Unwrap returns the condition and the SDK's error.
func (e *QueueError) Unwrap() []error {
	if e.Condition == nil {
		return []error{e.Err}
	}
	return []error{e.Condition, e.Err}
}

// PanicError is a handler that panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("queueworker: the handler panicked: %v", e.Value)
}

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// DecodeError is a body, or what says how to read it, that a handler cannot understand. The message goes to the dead-letter queue:
// it will not become better.
type DecodeError struct {
	MessageID string
	Err       error
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("queueworker: message %s cannot be decoded: %v", e.MessageID, e.Err)
}

// Unwrap returns the cause, as an OutcomeError of DeadLettered.
func (e *DecodeError) Unwrap() error { return &OutcomeError{Outcome: DeadLettered, Err: e.Err} }

// DrainError tells what a drain could not bring to its end: messages that somebody will receive again.
type DrainError struct {
	// Abandoned are the IDs of messages whose handlers were still running, and ran on, when Run returned.
	Abandoned []string
	// Undeleted are the IDs of messages that were handled and could not be deleted.
	Undeleted []string
	// Unreleased are the IDs of messages that were not handled and could not be given back: they are visible after their lease.
	Unreleased []string
	// Err is the last error of SQS, if there was one.
	Err error
}

func (e *DrainError) Error() string {
	var parts []string
	for _, p := range []struct {
		ids  []string
		what string
	}{{e.Abandoned, "abandoned"}, {e.Undeleted, "handled and not deleted"}, {e.Unreleased, "not given back"}} {
		if len(p.ids) > 0 {
			parts = append(parts, fmt.Sprintf("%d messages %s", len(p.ids), p.what))
		}
	}
	text := "queueworker: drain: " + strings.Join(parts, ", ")
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the last error of SQS.
func (e *DrainError) Unwrap() error { return e.Err }
