package healthcheck

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrAlreadyRun is returned by the second call of Run: a pool runs once.
	ErrAlreadyRun = errors.New("healthcheck: Run was called before")

	// ErrStopped is returned once Run has ended, by what can no longer have an effect.
	ErrStopped = errors.New("healthcheck: the pool has stopped")

	// ErrNoTargets is returned by Pick when there is no target that it could pick.
	ErrNoTargets = errors.New("healthcheck: no targets")

	// ErrNotRegistered is returned by what is about one target when there is none by that ID.
	ErrNotRegistered = errors.New("healthcheck: not registered")

	// ErrShiftActive is returned by Shift while another zone is shifted.
	ErrShiftActive = errors.New("healthcheck: a zonal shift of another zone is active")

	// ErrNoOtherZone is returned by TryShift when no other zone is up.
	ErrNoOtherZone = errors.New("healthcheck: no other zone is up")

	// ErrOverloaded is in Result.Err of a failure that does not count, because this process was too busy to be a fair judge.
	ErrOverloaded = errors.New("healthcheck: this process is overloaded")
)

// FieldError is one mistake in the options of a pool or of a checker, or in a target.
// All mistakes of a call are returned together, joined by errors.Join.
type FieldError struct {
	Field string // for example "Options.Interval" or "Target[2].Addr", which counts from zero
	Value any    // what it was, with the default in place of zero
	Rule  string // what it must be
}

// Error reads like "healthcheck: Options.Interval: 5s must be greater than Timeout (5s)".
func (e *FieldError) Error() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("healthcheck: %s: %q %s", e.Field, s, e.Rule)
	}
	return fmt.Sprintf("healthcheck: %s: %v %s", e.Field, e.Value, e.Rule)
}

// RegisterError is a target that the pool's Checker refused.
type RegisterError struct {
	Target Target
	Err    error // what Checker.Open returned
}

// Error names the target by its ID.
func (e *RegisterError) Error() string {
	return fmt.Sprintf("healthcheck: register %q: %s", e.Target.ID, strings.TrimPrefix(e.Err.Error(), "healthcheck: "))
}

// Unwrap returns what Checker.Open returned.
func (e *RegisterError) Unwrap() error { return e.Err }
