package zonalhc

import (
	"errors"
	"fmt"

	"github.com/awsha/awsha/internal/awserr"
)

var (
	// ErrAlreadyRun is returned by the second call of Run: a Shifter or an Adviser runs once.
	ErrAlreadyRun = errors.New("zonalhc: Run was called before")

	// ErrConflict is matched by a CallError when another shift is active for the resource, or the one to be changed is not
	// active any more.
	ErrConflict = errors.New("conflict")

	// ErrDenied is matched by a CallError when credentials or permissions do not suffice.
	ErrDenied = errors.New("denied")
)

// FieldError is one mistake in the options. All mistakes are returned together, joined by [errors.Join].
type FieldError struct {
	Field string // for example "Options.Expiry"
	Value any
	Rule  string // what it must be
}

// Error reads like "zonalhc: Options.Expiry: 0s must be given".
func (e *FieldError) Error() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("zonalhc: %s: %q %s", e.Field, s, e.Rule)
	}
	return fmt.Sprintf("zonalhc: %s: %v %s", e.Field, e.Value, e.Rule)
}

// CallError is a call that did not succeed. It is seen in events only: a Shifter goes on and reads what has become of it.
type CallError struct {
	Op       string // the operation, such as "StartZonalShift"
	Resource string // its ARN
	Err      error
}

// Error reads like "zonalhc: StartZonalShift arn:aws:...: operation error ARC - Zonal Shift: ...".
func (e *CallError) Error() string { return fmt.Sprintf("zonalhc: %s %s: %v", e.Op, e.Resource, e.Err) }

// Unwrap returns the cause, and ErrConflict or ErrDenied if that is what the cause says.
func (e *CallError) Unwrap() []error {
	switch awserr.Of(e.Err) {
	case awserr.Denied:
		return []error{e.Err, ErrDenied}
	case awserr.Conflict:
		return []error{e.Err, ErrConflict}
	}
	return []error{e.Err}
}
