package r53hc

import (
	"errors"
	"fmt"

	"github.com/awsha/awsha/internal/awserr"
)

var (
	// ErrAlreadyRun is returned by the second call of Run: a Publisher runs once.
	ErrAlreadyRun = errors.New("r53hc: Run was called before")

	// ErrDenied is matched by a CallError when credentials or permissions do not suffice.
	ErrDenied = errors.New("denied")

	// ErrReferenceTaken is matched by a CallError of CreateHealthCheck when the reference is that of a health check with
	// other settings, or of one that was deleted: another reference makes another health check.
	ErrReferenceTaken = errors.New("the caller reference is taken")

	// ErrUnconfirmed is matched by a CallError when reads have not shown what was written within Spec.Timeout.
	ErrUnconfirmed = errors.New("reads do not show what was written")
)

// FieldError is one mistake in the options. All mistakes are returned together, joined by [errors.Join].
type FieldError struct {
	Field string // for example "Options.Interval"
	Value any
	Rule  string // what it must be
}

// Error reads like "r53hc: Options.Interval: 10ms must be at least 1s".
func (e *FieldError) Error() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("r53hc: %s: %q %s", e.Field, s, e.Rule)
	}
	return fmt.Sprintf("r53hc: %s: %v %s", e.Field, e.Value, e.Rule)
}

// CallError is a call to AWS that did not succeed.
type CallError struct {
	Op  string // the operation, such as "PutMetricData"
	Of  string // what it was about: a namespace, an alarm, a caller reference, or the ID of a health check
	Err error
}

// Error reads like "r53hc: PutMetricData awsha/healthcheck: operation error CloudWatch: ...".
func (e *CallError) Error() string { return fmt.Sprintf("r53hc: %s %s: %v", e.Op, e.Of, e.Err) }

// Unwrap returns the cause, and what it means if that has a name here.
func (e *CallError) Unwrap() []error {
	switch class := awserr.Of(e.Err); {
	case class == awserr.Denied:
		return []error{e.Err, ErrDenied}
	case class == awserr.Conflict && e.Op == "CreateHealthCheck":
		return []error{e.Err, ErrReferenceTaken}
	}
	return []error{e.Err}
}

// checks collects mistakes.
type checks struct {
	of   string
	errs []error
}

func (c *checks) require(ok bool, field string, value any, rule string) {
	if !ok {
		c.errs = append(c.errs, &FieldError{Field: c.of + "." + field, Value: value, Rule: rule})
	}
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}
