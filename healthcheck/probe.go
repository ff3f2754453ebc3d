package healthcheck

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// Checker makes the probes of a pool. HTTP, TCP, GRPC, Func and All return one; anything else that can ask a target how it is
// can be one too.
type Checker interface {
	// Open returns the probe of one target. The pool calls it from Register, without holding a lock and perhaps
	// concurrently, once for each new target. It must not block and does no I/O: an error is a mistake in the target
	// (such as a missing address, best as a *FieldError) and Register returns it before it has changed anything.
	Open(target Target) (Probe, error)
}

// Probe checks one target. What belongs to a target between two checks, such as a connection, lives in its probe.
type Probe interface {
	// Check asks the target once. The context ends at Options.Timeout, or earlier when the target is deregistered or
	// the pool stops; Check must then return. The pool never calls Check twice at a time for one probe, each call has
	// a goroutine of its own, and a panic counts as an Unknown outcome.
	//
	// The pool fills in Start, Lag and Total, and Reason and Detail where a Fail leaves them empty.
	Check(ctx context.Context) Result

	// Close lets go of what the probe holds. The pool calls it exactly once, after the last Check has returned.
	// It must not block. An error is logged and changes nothing.
	Close() error
}

// Outcome is what one check says about the health of a target.
type Outcome uint8

const (
	// Unknown says nothing: the check itself went wrong, not the target. It moves no counter and no state. It is the
	// zero Outcome, so that a probe which forgets to decide does no harm.
	Unknown Outcome = iota
	// Pass counts towards Healthy.
	Pass
	// Fail counts towards Unhealthy.
	Fail
)

// String returns "unknown", "pass" or "fail".
func (o Outcome) String() string {
	switch o {
	case Unknown:
		return "unknown"
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	}
	return "invalid"
}

// MarshalText returns String, so that an outcome reads the same in JSON and in logs.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Reason says why a target is in its state or why a check did not pass. The constants are the reason codes of Elastic
// Load Balancing; a Checker may add its own. It is empty for a healthy target and for a pass.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html (read 2026-11).
type Reason string

const (
	// ReasonRegistrationInProgress: registered, no check has started yet.
	ReasonRegistrationInProgress Reason = "Elb.RegistrationInProgress"
	// ReasonInitialHealthChecking: checks have started, not enough of them to know.
	ReasonInitialHealthChecking Reason = "Elb.InitialHealthChecking"
	// ReasonResponseCodeMismatch: the target answered with a code that the matcher does not list.
	ReasonResponseCodeMismatch Reason = "Target.ResponseCodeMismatch"
	// ReasonTimeout: the target did not answer completely within Options.Timeout.
	ReasonTimeout Reason = "Target.Timeout"
	// ReasonFailedHealthChecks: no connection could be made, it broke, or the answer was malformed.
	ReasonFailedHealthChecks Reason = "Target.FailedHealthChecks"
	// ReasonInternalError: the check failed for a reason on this side, such as no free file descriptor.
	ReasonInternalError Reason = "Elb.InternalError"
	// ReasonDeregistrationInProgress: deregistered, and Options.DeregistrationDelay has not passed.
	ReasonDeregistrationInProgress Reason = "Target.DeregistrationInProgress"
	// ReasonNotRegistered: no such target, or no longer.
	ReasonNotRegistered Reason = "Target.NotRegistered"
)

// Result is what one check found.
type Result struct {
	// Outcome decides whether the check counts, and for what.
	Outcome Outcome
	// HasCode says that Code is the code of an answer.
	HasCode bool
	// Reused says that the check went over the connection of an earlier one.
	Reused bool
	// Reason is empty for a Pass.
	Reason Reason
	// Code is the status code of the answer, if HasCode. Zero alone says nothing: it is the OK of gRPC.
	Code int
	// Detail is a sentence for people, in the words of Elastic Load Balancing. It never holds any part of an
	// answer's body.
	Detail string
	// Err is the cause of a check that did not pass, if there is one.
	Err error

	// RemoteAddr is the address that the check was connected to, such as "10.0.0.1:80", which tells what a name was resolved
	// to. Empty without a connection.
	RemoteAddr string

	// Start is when the check started.
	Start time.Time
	// Lag is how much later that was than it was due. When it grows, this process is overloaded.
	Lag time.Duration
	// Connect is how long the connection took to make, TLS included. Zero when there was none, and when it was reused.
	Connect time.Duration
	// Total is how long the whole check took.
	Total time.Duration
}

// resultOf classifies the error of a check that ran under ctx, nil being a pass.
func resultOf(ctx context.Context, err error) Result {
	switch {
	case err == nil:
		return Result{Outcome: Pass}
	case errors.Is(ctx.Err(), context.Canceled) || isOwnFault(err):
		return internalError(err)
	case ctx.Err() != nil || isTimeout(err):
		return timedOut(err)
	default:
		return Result{Outcome: Fail, Reason: ReasonFailedHealthChecks, Detail: "Health checks failed", Err: err}
	}
}

func timedOut(err error) Result {
	return Result{Outcome: Fail, Reason: ReasonTimeout, Detail: "Request timed out", Err: err}
}

func internalError(err error) Result {
	return Result{
		Outcome: Unknown, Reason: ReasonInternalError, Detail: "Health checks failed due to an internal error", Err: err,
	}
}

// isTimeout also covers context.DeadlineExceeded and os.ErrDeadlineExceeded, which are both a net.Error.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

// isOwnFault reports whether this machine ran out of what a connection needs: descriptors, memory or ports. Counting
// that against the targets would turn all of them unhealthy at once.
func isOwnFault(err error) bool {
	if e, ok := errors.AsType[*net.DNSError](err); ok && !e.IsNotFound {
		return true // it hides the errno of its socket, and a resolver is not the target
	}
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
