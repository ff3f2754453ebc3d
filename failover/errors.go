package failover

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cenkalti/backoff/v4"

	"github.com/awsha/awsha/internal/awserr"
)

// Conditions that a caller branches on with [errors.Is].
var (
	// ErrInvalidPlan is matched by the [*PlanError] that [Plan.Validate] and [Engine.Execute] return.
	ErrInvalidPlan = errors.New("invalid plan")

	// ErrLeaseLost reports that the lease ended while it was needed: it could not be renewed in time, or was released.
	// Another controller may be at work. Executing the incident again waits for the lease and resumes.
	ErrLeaseLost = errors.New("lease lost")

	// ErrFenced reports that a store refused a write because it has seen a newer fencing token.
	// Another controller is at work on the incident.
	ErrFenced = errors.New("fenced by a newer token")

	// ErrRetired reports that a lease has moved to a store of a higher epoch: see [LockerOptions].
	ErrRetired = errors.New("retired")

	// ErrNewer reports that a newer version of this package has written what was read. It is refused, since to guess at it
	// may be to overlook an effect.
	ErrNewer = errors.New("written by a newer version")

	// ErrRolledBack reports that an incident has been rolled back, or is being: it cannot be executed any more.
	ErrRolledBack = errors.New("rolled back")

	// ErrNotOpen reports that an incident is not open, so that there is nothing to give up.
	ErrNotOpen = errors.New("not open")

	// ErrBudgetSpent reports that [Plan.Budget] ended before the plan did.
	ErrBudgetSpent = errors.New("plan budget spent")

	// ErrStepTimeout reports that a step used up its timeout, retries included.
	ErrStepTimeout = errors.New("step timeout")

	// ErrImpossible reports that a Check answered [Impossible].
	ErrImpossible = errors.New("impossible in the present state")

	// ErrInProgress is returned by [Step.Do] when the effect has been asked for and takes time:
	// the engine then polls [Step.Check] until it answers [Done].
	ErrInProgress = errors.New("in progress")

	// ErrIrreversible is returned by [Step.Undo] of a step that cannot be taken back, and matched by a [*KeptError].
	ErrIrreversible = errors.New("irreversible")
)

// Permanent marks err as one that no repetition can mend, so that the step fails at once.
// The mark survives wrapping. Permanent(nil) is nil. It is the mark of cenkalti/backoff: [backoff.Permanent] does the same.
func Permanent(err error) error { return backoff.Permanent(err) }

func isPermanent(err error) bool {
	return errors.As(err, new(*backoff.PermanentError)) ||
		errors.As(err, new(*PanicError)) || errors.As(err, new(*PlanChangedError)) ||
		errors.Is(err, ErrFenced) || errors.Is(err, ErrLeaseLost) || awserr.Refused(err)
}

// FieldError is one rule broken by one value that the caller gave.
type FieldError struct {
	Field string // as the caller wrote it: "Options.RetryMax"
	Value any
	Rule  string // "must not be negative"
}

func (e *FieldError) Error() string { return "failover: " + e.text() }

func (e *FieldError) text() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("%s: %q %s", e.Field, s, e.Rule)
	}
	return fmt.Sprintf("%s: %v %s", e.Field, e.Value, e.Rule)
}

// PlanError is everything that is wrong with a plan. It matches [ErrInvalidPlan]; each fault is reachable by [errors.As]:
// [*FieldError], [*DuplicateStepError], [*MissingNeedError], [*CycleError], [*WritersError].
type PlanError struct {
	Service string
	Faults  []error // in the order of the plan's steps within each kind
}

func (e *PlanError) Error() string {
	return fmt.Sprintf("failover: plan %q: %s", e.Service, joinTexts(e.Faults))
}

// Unwrap returns ErrInvalidPlan and the faults.
func (e *PlanError) Unwrap() []error { return append([]error{ErrInvalidPlan}, e.Faults...) }

// DuplicateStepError is a step ID that several steps of a plan use.
type DuplicateStepError struct {
	ID    string
	Count int // steps with this ID, at least 2
}

func (e *DuplicateStepError) Error() string {
	return fmt.Sprintf("step %q: ID used %d times", e.ID, e.Count)
}

// MissingNeedError is a need that names no step of the plan.
type MissingNeedError struct{ Step, Need string }

func (e *MissingNeedError) Error() string {
	return fmt.Sprintf("step %q: needs %q, which is not in the plan", e.Step, e.Need)
}

// CycleError is a circle of needs. One is reported, the shortest through its first step, for each knot of steps that all need each other.
type CycleError struct {
	Path []string // each step needs the next; the last repeats the first
}

func (e *CycleError) Error() string { return "cycle: " + strings.Join(e.Path, " needs ") }

// WritersError is a resource that two steps write in no defined order.
type WritersError struct {
	Resource string
	Steps    [2]string
}

func (e *WritersError) Error() string {
	return fmt.Sprintf("resource %q: written by %q and %q, neither of which needs the other", e.Resource, e.Steps[0], e.Steps[1])
}

// StepError is a step that began and did not get done.
type StepError struct {
	Incident, Step string
	Attempt        int   // calls of Do for this incident so far, earlier executions included; 0 = none
	Err            error // why it ended; a timeout, budget, lease or cancellation is the context's cause
	Last           error // the last error of the step itself when a deadline or a cancellation ended it; else nil
}

func (e *StepError) Error() string { return "failover: " + e.text() }

func (e *StepError) text() string {
	return fmt.Sprintf("step %s: attempt %d: %s", e.Step, e.Attempt, e.why())
}

func (e *StepError) why() string {
	if e.Last == nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v: last error: %v", e.Err, e.Last)
}

// Unwrap returns Err and, if there is one, Last.
func (e *StepError) Unwrap() []error {
	if e.Last == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Last}
}

// ExecuteError is an execution that did not complete its plan. Executing the same incident again resumes it.
type ExecuteError struct {
	Incident, Service string
	Cause             error        // what stopped the execution as a whole: cancellation, budget, lease, a store; nil if only steps failed
	Steps             []*StepError // steps that began and did not get done, in the plan's order
	NotRun            []string     // steps that never began, in the plan's order
}

func (e *ExecuteError) Error() string {
	var parts []string
	if e.Cause != nil {
		parts = append(parts, e.Cause.Error())
	}
	for _, s := range e.Steps {
		parts = append(parts, s.text())
	}
	if len(e.NotRun) > 0 {
		parts = append(parts, "not run: "+strings.Join(e.NotRun, ", "))
	}
	return fmt.Sprintf("failover: incident %s of %s: %s", e.Incident, e.Service, strings.Join(parts, "; "))
}

// Unwrap returns the cause and the step errors.
func (e *ExecuteError) Unwrap() []error {
	var errs []error
	if e.Cause != nil {
		errs = append(errs, e.Cause)
	}
	for _, s := range e.Steps {
		errs = append(errs, s)
	}
	return errs
}

// PanicError is a panic in a step, turned into a permanent error.
type PanicError struct {
	Value any
	Stack []byte // of the panicking goroutine
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// joinTexts is errors.Join on one line, without repeating the package's name.
func joinTexts(errs []error) string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		if t, ok := err.(interface{ text() string }); ok {
			texts[i] = t.text()
		} else {
			texts[i] = err.Error()
		}
	}
	return strings.Join(texts, "; ")
}

// KeptError reports what a rollback could not take back. Everything else has been.
type KeptError struct {
	Incident string
	Service  string
	Steps    []KeptStep // in the order of the plan
}

// KeptStep is a step whose effect stays.
type KeptStep struct {
	Step string
	Why  string
}

func (e *KeptError) Error() string {
	texts := make([]string, len(e.Steps))
	for i, s := range e.Steps {
		texts[i] = s.Step + ": " + s.Why
	}
	return fmt.Sprintf("failover: incident %s of %s: rolled back, but for %s", e.Incident, e.Service, strings.Join(texts, "; "))
}

// Unwrap returns ErrIrreversible.
func (e *KeptError) Unwrap() error { return ErrIrreversible }
