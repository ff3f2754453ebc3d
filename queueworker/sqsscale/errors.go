package sqsscale

import (
	"errors"
	"fmt"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/queueworker"
)

var (
	// ErrAlreadyRun is returned by the second call of Run: a Publisher, a Driver or a Protector runs once.
	ErrAlreadyRun = errors.New("sqsscale: Run was called before")

	// ErrNoGroup is matched by a CallError when there is no Auto Scaling group of the name, or not yet as far as the read knows.
	ErrNoGroup = errors.New("there is no such Auto Scaling group")

	// ErrGroupMetrics is returned by TargetTracking.Ensure if the policy divides by a metric that the group does not publish:
	// EnableMetricsCollection turns it on.
	ErrGroupMetrics = errors.New("sqsscale: the group does not publish GroupInServiceInstances each minute")

	// ErrUnconfirmed is matched by a CallError when reads have not shown what was written within TargetTracking.Timeout.
	ErrUnconfirmed = errors.New("reads do not show what was written")

	// ErrDenied is matched by a CallError when credentials or permissions do not suffice.
	ErrDenied = errors.New("denied")
)

// CallError is a call that did not succeed: to AWS, or to a Hinter.
type CallError struct {
	Op  string // the operation, such as "PutMetricData", or "Hint"
	Of  string // what it was about: a namespace, a group, a queue
	Err error
}

// Error reads like "sqsscale: PutMetricData awsha/queueworker: operation error CloudWatch: ...".
func (e *CallError) Error() string { return fmt.Sprintf("sqsscale: %s %s: %v", e.Op, e.Of, e.Err) }

// Unwrap returns the cause, and ErrDenied if that is what the cause says.
func (e *CallError) Unwrap() []error {
	if awserr.Of(e.Err) == awserr.Denied {
		return []error{e.Err, ErrDenied}
	}
	return []error{e.Err}
}

// mistakes collects what is wrong with the arguments of a call.
type mistakes []error

// require adds a mistake unless ok.
func (m *mistakes) require(ok bool, field string, value any, rule string) {
	if !ok {
		*m = append(*m, &queueworker.FieldError{Field: field, Value: value, Rule: rule})
	}
}

func (m *mistakes) err() error { return errors.Join(*m...) }

func orDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}
