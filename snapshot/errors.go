package snapshot

import (
	"context"
	"errors"
	"fmt"

	"github.com/awsha/awsha/internal/awserr"
)

// Conditions that a caller branches on with [errors.Is].
var (
	// ErrDenied reports that the credentials or permissions do not suffice.
	ErrDenied = errors.New("denied")

	// ErrQuota reports that a limit of the account is reached. To delete something helps.
	ErrQuota = errors.New("quota reached")

	// ErrBusy reports that AWS was making too many other snapshots, of the volume or of the account, for all of Options.BusyTimeout.
	ErrBusy = errors.New("busy")

	// ErrNotFound reports that a target, a snapshot or a key does not exist, or not yet as far as reads know.
	ErrNotFound = errors.New("not found")

	// ErrFailed reports that a snapshot, copy or volume was begun, and failed. The message is AWS's; of a key that cannot be used it says so.
	ErrFailed = errors.New("failed")

	// ErrKey reports that a key cannot be used in the region of the copy: it is disabled, about to be deleted, or of another use.
	ErrKey = errors.New("key not usable")

	// ErrAmbiguous reports that a call that makes something may have had its effect or not, and that reads did not tell in time. The same
	// slot again finds what there is.
	ErrAmbiguous = errors.New("outcome unknown")

	// ErrFenced reports that Options.Fence has refused.
	ErrFenced = errors.New("fenced")

	// ErrHook reports that Options.Before failed, so that the target was not taken.
	ErrHook = errors.New("hook failed")

	// ErrExists reports that the name of an image, or of a snapshot or restore of a database, is taken by something that is not of the slot.
	ErrExists = errors.New("name taken")

	// ErrInUse reports that a snapshot is used by an image, so that EC2 does not delete it.
	ErrInUse = errors.New("in use")

	// ErrStale reports that a plan does not hold any more: what it is about has changed. Plan anew.
	ErrStale = errors.New("stale plan")

	// ErrMassDelete reports that a plan would delete so much at once that something is probably wrong with the policy.
	ErrMassDelete = errors.New("mass delete")

	// ErrUnderWay reports that the same manager is running the policy, or taking the slot, already. Nothing was done.
	ErrUnderWay = errors.New("already under way")

	// ErrNoPoint reports that there is no completed snapshot to restore.
	ErrNoPoint = errors.New("no completed snapshot")

	// ErrTooOld reports that the newest data are older than RestoreRequest.MaxAge.
	ErrTooOld = errors.New("too old")
)

// OpError is an operation on one target or snapshot that did not succeed.
type OpError struct {
	Op        string // the operation of AWS, such as "CopySnapshot"
	Region    string
	Resource  string // the volume, instance or snapshot
	Kind      error  // the sentinel that it matches; nil if none does
	Err       error  // mostly of AWS; nil if there is none
	RequestID string // of Err; empty if there was no reply
}

// Error reads like "snapshot: CopySnapshot snap-1 in eu-west-1: quota reached: operation error EC2: ...".
func (e *OpError) Error() string {
	text := "snapshot: " + e.Op
	if e.Resource != "" {
		text += " " + e.Resource
	}
	text += " in " + e.Region
	if e.Kind != nil {
		text += ": " + e.Kind.Error()
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the condition and the cause.
func (e *OpError) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// opError makes an OpError of what a call returned.
func opError(op, region, resource string, err error) *OpError {
	e := &OpError{Op: op, Region: region, Resource: resource, Err: err, RequestID: awserr.RequestID(err)}
	switch awserr.Of(err) {
	case awserr.Denied:
		e.Kind = ErrDenied
	case awserr.Quota:
		e.Kind = ErrQuota
	case awserr.NotFound, awserr.Gone:
		e.Kind = ErrNotFound
	case awserr.Exists:
		e.Kind = ErrExists
	case awserr.Conflict:
		e.Kind = ErrInUse
	case awserr.Pending, awserr.Busy:
		e.Kind = ErrBusy
	}
	return e
}

// failure is what AWS says of something that it began to make, and could not.
type failure string

func (f failure) Error() string {
	if f == "" {
		return "AWS does not say why"
	}
	return string(f)
}

// causeOf returns why ctx has ended, or err if it has not.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(err, cause) {
		return fmt.Errorf("%w (%w)", cause, err)
	}
	return err
}
