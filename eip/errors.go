package eip

import (
	"errors"
	"fmt"
	"strings"

	"github.com/awsha/awsha/internal/awserr"
)

// Conditions that a caller branches on with [errors.Is].
var (
	// ErrConflict reports that somebody else holds the address, or another address the target: nothing was taken from
	// them. RemapError.Owner says who. What was expected is outdated; decide anew.
	ErrConflict = errors.New("conflict")

	// ErrOccupied reports that another address is associated with the target. It matches ErrConflict too.
	// RemapError.Occupant is that address. The one that was to be moved is free by then.
	ErrOccupied = fmt.Errorf("%w: the target holds another address", ErrConflict)

	// ErrStolen reports that the address was on the target and was taken away before a read could verify it. The new owner is
	// left alone: two controllers are at work, and a fight would cut off the address for both.
	ErrStolen = errors.New("stolen")

	// ErrUnverified reports that reads have not told in time: they did not show the association that was, or may have been,
	// made (Result.Changed), or showed nothing but the past. Nothing has to be wrong. Remap again with Result.Next
	// expected goes on from there.
	ErrUnverified = errors.New("unverified")

	// ErrNotFound reports that the address does not exist in this account and Region.
	ErrNotFound = errors.New("address not found")

	// ErrTargetGone reports that the target is terminated, shutting down, or unknown to EC2. The address is free now.
	ErrTargetGone = errors.New("target gone")

	// ErrDenied reports that the credentials or permissions do not suffice.
	ErrDenied = errors.New("denied")
)

// FieldError is one rule broken by one value that the caller gave. Several are joined by [errors.Join].
type FieldError struct {
	Field string // as the caller wrote it: "Options.VerifyTimeout", "Request.Target"
	Value any
	Rule  string // "must not be negative"
}

// Error reads like "eip: Options.VerifyTimeout: -1s must not be negative".
func (e *FieldError) Error() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("eip: %s: %q %s", e.Field, s, e.Rule)
	}
	return fmt.Sprintf("eip: %s: %v %s", e.Field, e.Value, e.Rule)
}

// Op is the step of a Remap at which it ended.
type Op string

// The steps, in their order.
const (
	OpRead         Op = "read"
	OpDisassociate Op = "disassociate"
	OpAssociate    Op = "associate"
	OpVerify       Op = "verify"
)

// RemapError is a Remap that did not bring the address to its target.
type RemapError struct {
	AllocationID string
	Target       Target
	Op           Op

	Owner    Association // who holds the address, as far as reads and EC2's refusal tell; zero if unknown
	Occupant Occupant    // beside ErrOccupied: the address on the target; zero if unknown

	Kind      error  // the sentinel of this package that it matches; nil if none does
	Cause     error  // the context's cause, if that ended it
	Err       error  // the last error, mostly of EC2; nil if it ended without one
	RequestID string // of Err; empty if there was no reply
}

// Occupant is an address that is in the way.
type Occupant struct{ AllocationID, AssociationID string }

// Error reads like "eip: associate eipalloc-1 to eni-2: conflict: held by eni-3 (eipassoc-4): operation error EC2: ...".
func (e *RemapError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "eip: %s %s %s %s", e.Op, e.AllocationID, prepositions[e.Op], e.Target)
	for _, err := range []error{e.Kind, e.Cause} {
		if err != nil {
			fmt.Fprintf(&b, ": %v", err)
		}
	}
	if e.Occupant != (Occupant{}) {
		fmt.Fprintf(&b, ", %s (%s)", e.Occupant.AllocationID, e.Occupant.AssociationID)
	}
	if e.Owner != (Association{}) {
		fmt.Fprintf(&b, ": held by %s", e.Owner)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

var prepositions = map[Op]string{OpRead: "for", OpDisassociate: "for", OpAssociate: "to", OpVerify: "on"}

// Unwrap returns Kind, Cause and Err, those that there are.
func (e *RemapError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Cause, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// kindOf returns the sentinel for an error of EC2, nil if there is none.
func kindOf(err error) error {
	switch awserr.Of(err) {
	case awserr.Denied:
		return ErrDenied
	case awserr.Gone:
		return ErrTargetGone
	case awserr.NotFound:
		switch awserr.Missing(err) {
		case awserr.Address:
			return ErrNotFound
		case awserr.Instance, awserr.NetworkInterface:
			return ErrTargetGone
		}
	}
	return nil
}
