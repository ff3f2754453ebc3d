package elbv2hc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/awsha/awsha/internal/awserr"
)

// Conditions that a caller branches on with [errors.Is].
var (
	// ErrTimeout reports that targets did not get where they were waited for within WaitOptions.Timeout.
	ErrTimeout = errors.New("not in time")

	// ErrUnusable reports that targets will not be in service however long one waits: their group is not in use or not
	// checked, their zone is not enabled, they are stopped or terminated, or their address belongs to a load balancer.
	ErrUnusable = errors.New("unusable")

	// ErrNotRegistered reports that targets which were to come into service are not registered, or drain.
	ErrNotRegistered = errors.New("not registered")

	// ErrRegistered reports that targets which were to be drained are still registered.
	ErrRegistered = errors.New("still registered")

	// ErrNotFound reports that the target group does not exist in this account and Region.
	ErrNotFound = errors.New("target group not found")

	// ErrDenied reports that the credentials or permissions do not suffice.
	ErrDenied = errors.New("denied")

	// ErrUnsupported reports a target group that healthcheck cannot check: one of Lambda functions, or whose checks are off.
	ErrUnsupported = errors.New("unsupported")

	// ErrTooMany reports that a Sync would deregister more than SyncOptions allow; nothing was changed.
	ErrTooMany = errors.New("refused to deregister so many")

	// ErrStale is in the Result of a check whose answer is older than FollowOptions.StaleAfter, or has never come. It is
	// what Follower.Snapshot returns before the first read.
	ErrStale = errors.New("elbv2hc: what is known of the target group is out of date")

	// ErrAlreadyRun is returned by the second call of Run.
	ErrAlreadyRun = errors.New("elbv2hc: Run was called before")
)

// FieldError is one rule broken by one value that the caller gave. Several are joined by [errors.Join].
type FieldError struct {
	Field string // "FollowOptions.Interval", "targets[2].Port", which counts from zero
	Value any
	Rule  string // "must not be negative"
}

// Error reads like "elbv2hc: FollowOptions.Interval: -1s must not be negative".
func (e *FieldError) Error() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("elbv2hc: %s: %q %s", e.Field, s, e.Rule)
	}
	return fmt.Sprintf("elbv2hc: %s: %v %s", e.Field, e.Value, e.Rule)
}

// GroupError is an operation on a target group that did not do what it was asked for.
type GroupError struct {
	Op    string // "import", "read the health of", "wait for targets in service of", "wait for targets to drain from", "sync"
	Group string // the ARN

	// Targets are those that are in the way, as they were read last; nil where the group as a whole is.
	Targets []Health
	// Refused are the targets that Elastic Load Balancing did not take in a Sync, each with its error.
	Refused []*TargetError

	Kind      error  // the sentinel of this package that it matches; nil if none does
	Cause     error  // the context's cause, if that ended it
	Err       error  // the last error, mostly of Elastic Load Balancing; nil if it ended without one
	RequestID string // of Err; empty if there was no reply
}

// Error reads like "elbv2hc: wait for targets in service of arn:...: not in time: i-1:80 is unhealthy (Target.Timeout)". It
// names ten targets at most.
func (e *GroupError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "elbv2hc: %s %s", e.Op, e.Group)
	for _, err := range []error{e.Kind, e.Cause} {
		if err != nil {
			fmt.Fprintf(&b, ": %v", err)
		}
	}
	list(&b, e.Targets)
	list(&b, e.Refused)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func list[T any](b *strings.Builder, all []T) {
	const most = 10
	separator := ": "
	for i, t := range all {
		if i == most {
			fmt.Fprintf(b, ", and %d more", len(all)-most)
			return
		}
		fmt.Fprint(b, separator, t)
		separator = ", "
	}
}

// Unwrap returns Kind, Cause, Err and what Refused holds.
func (e *GroupError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Cause, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, t := range e.Refused {
		errs = append(errs, t)
	}
	return errs
}

// TargetError is a target that Elastic Load Balancing refused.
type TargetError struct {
	Target Target
	Op     string // "register" or "deregister"
	Err    error
}

// Error reads like "register i-1:80: operation error Elastic Load Balancing v2: ...".
func (e *TargetError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Target, e.Err) }

// Unwrap returns the error of Elastic Load Balancing.
func (e *TargetError) Unwrap() error { return e.Err }

// kindOf returns the sentinel for an error of Elastic Load Balancing, nil if there is none.
func kindOf(err error) error {
	switch awserr.Of(err) {
	case awserr.Denied:
		return ErrDenied
	case awserr.NotFound:
		if awserr.Missing(err) == awserr.TargetGroup {
			return ErrNotFound
		}
	}
	return nil
}

// failed returns the error of an operation that a call ended.
func failed(op, group string, err error) *GroupError {
	return &GroupError{Op: op, Group: group, Kind: kindOf(err), Err: err, RequestID: awserr.RequestID(err)}
}

// checkGroup refuses what is no ARN of a target group.
func checkGroup(api any, arn string) (errs []error) {
	if api == nil {
		errs = append(errs, &FieldError{"api", "nil", "must be an Elastic Load Balancing client"})
	}
	if !isARN(arn) || !strings.Contains(arn, ":targetgroup/") {
		errs = append(errs, &FieldError{"targetGroupARN", arn, "must be the ARN of a target group"})
	}
	return errs
}
