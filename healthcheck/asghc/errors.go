package asghc

import (
	"errors"
	"fmt"

	"github.com/awsha/awsha/internal/awserr"
)

var (
	// ErrAlreadyRun is returned by the second call of Run: a Replacer runs once.
	ErrAlreadyRun = errors.New("asghc: Run was called before")

	// ErrDenied is matched by a CallError when credentials or permissions do not suffice.
	ErrDenied = errors.New("denied")
)

// FieldError is one mistake in the options. All mistakes are returned together, joined by [errors.Join].
type FieldError struct {
	Field string // for example "Options.Interval"
	Value any
	Rule  string // what it must be
}

// Error reads like "asghc: Options.Interval: -1s must not be negative".
func (e *FieldError) Error() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("asghc: %s: %q %s", e.Field, s, e.Rule)
	}
	return fmt.Sprintf("asghc: %s: %v %s", e.Field, e.Value, e.Rule)
}

// CallError is a call to Auto Scaling, or to Options.ShiftedZones, that did not succeed. It is seen in events only: a
// Replacer goes on and tries again.
type CallError struct {
	Op       string // the operation, such as "SetInstanceHealth"
	Instance string // empty for reads
	Err      error
}

// Error reads like "asghc: SetInstanceHealth i-1: operation error Auto Scaling: ...".
func (e *CallError) Error() string {
	if e.Instance == "" {
		return fmt.Sprintf("asghc: %s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("asghc: %s %s: %v", e.Op, e.Instance, e.Err)
}

// Unwrap returns the cause, and ErrDenied if that is what the cause says.
func (e *CallError) Unwrap() []error {
	if awserr.Of(e.Err) == awserr.Denied {
		return []error{e.Err, ErrDenied}
	}
	return []error{e.Err}
}
