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
	// RemapError.Occupant is that address. Request.Displace allows to take its place.
	ErrOccupied = fmt.Errorf("%w: the target holds another address", ErrConflict)

	// ErrStolen reports that the address was on the target and was taken away before a read could verify it. The new owner is
	// left alone: two controllers are at work, and a fight would cut off the address for both.
	ErrStolen = errors.New("stolen")

	// ErrEnded reports that the association was made, that reads did not show it for the whole of VerifyTimeout, and that
	// they agree that nobody holds the address: somebody has ended it. Decide anew.
	ErrEnded = errors.New("association ended")

	// ErrUnverified reports that reads have not told in time: they did not show the association that was, or may have been,
	// made (Result.Changed), or showed nothing but the past. Nothing has to be wrong. Remap again with Result.Next
	// expected goes on from there.
	ErrUnverified = errors.New("unverified")

	// ErrUnreachable reports that the address is on the target, as a read has shown, but that Request.Probe did not
	// succeed in time.
	ErrUnreachable = errors.New("unreachable")

	// ErrFenced reports that Request.Fence was not valid any more, so that nothing further was sent.
	ErrFenced = errors.New("fenced")

	// ErrNotFound reports that the address does not exist in this account and Region. One that was allocated a moment ago
	// may not be known yet.
	ErrNotFound = errors.New("address not found")

	// ErrTargetGone reports that the target is terminated, shutting down, or unknown to EC2. If that took the refusal
	// of the association to find out (RemapError.Op is OpAssociate), the address is free now under GuardStrict.
	ErrTargetGone = errors.New("target gone")

	// ErrNoGateway reports that the VPC of the target has no internet gateway.
	ErrNoGateway = errors.New("no internet gateway")

	// ErrDenied reports that the credentials or permissions do not suffice.
	ErrDenied = errors.New("denied")

	// ErrHalted reports that a RemapAll has not touched the address, because MaxInFlight others have lost their owners and
	// could not be associated anew: EC2 failed, or denied it. RemapError.Err is the first of these failures.
	ErrHalted = errors.New("halted")

	// ErrPoolEmpty reports that no address of the pool was free for a Claim.
	ErrPoolEmpty = errors.New("no free address")

	// ErrNotReady reports that a Remap would not succeed, for the reasons that the Report of Ready gives.
	ErrNotReady = errors.New("not ready")
)

// FieldError is one rule broken by one value that the caller gave. Several are joined by [errors.Join].
type FieldError struct {
	Field string // as the caller wrote it: "Options.VerifyTimeout", "Request.Target", "Requests[3].Target"
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

// Op is the step at which an operation ended.
type Op string

// The steps of a Remap, in their order, and those that stand alone.
const (
	OpRead         Op = "read"         // who holds the address
	OpInspect      Op = "inspect"      // what the target is
	OpDisassociate Op = "disassociate" // the expected association
	OpAssociate    Op = "associate"
	OpDisplace     Op = "displace" // the address that holds the target; then to associate again
	OpVerify       Op = "verify"
	OpProbe        Op = "probe"

	OpClaim   Op = "claim"
	OpRelease Op = "release"
	OpHold    Op = "hold"
)

// RemapError is an operation on an address that did not do what it was asked for: a Remap that did not bring it to its
// target, a Claim that got none, a Release.
type RemapError struct {
	AllocationID string // empty if no address was chosen yet
	Target       Target
	Op           Op

	Owner    Association // who holds the address, as far as reads and EC2's refusal tell; zero if unknown
	Occupant Occupant    // beside ErrOccupied: the address on the target; zero if unknown

	Kind      error  // the sentinel of this package that it matches; nil if none does
	Cause     error  // the context's cause, if that ended it
	Err       error  // the last error, mostly of EC2; nil if it ended without one
	RequestID string // of Err; empty if there was no reply
}

// Error reads like "eip: associate eipalloc-1 to eni-2: conflict: held by eni-3 (eipassoc-4): operation error EC2: ...".
func (e *RemapError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "eip: %s", e.Op)
	if e.AllocationID != "" {
		b.WriteString(" " + e.AllocationID)
	}
	if e.Target != (Target{}) {
		fmt.Fprintf(&b, " %s %s", prepositions[e.Op], e.Target)
	}
	for _, err := range []error{e.Kind, e.Cause} {
		if err != nil {
			fmt.Fprintf(&b, ": %v", err)
		}
	}
	if e.Occupant != (Occupant{}) {
		fmt.Fprintf(&b, ", %s", e.Occupant)
	}
	if e.Owner != (Association{}) {
		fmt.Fprintf(&b, ": held by %s", e.Owner)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

var prepositions = map[Op]string{
	OpRead: "for", OpInspect: "for", OpDisplace: "for", OpDisassociate: "for", OpAssociate: "to", OpVerify: "on",
	OpProbe: "on", OpClaim: "for", OpRelease: "from", OpHold: "on",
}

// Unwrap returns Kind, Cause and Err, those that there are. If Err says that permissions do not suffice, ErrDenied is
// among them whatever the Kind.
func (e *RemapError) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Cause, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if !errors.Is(e.Kind, ErrDenied) && classOf(e.Err) == awserr.Denied {
		errs = append(errs, ErrDenied)
	}
	return errs
}

// kindOf returns the sentinel for an error of EC2 or of the fence, nil if there is none.
func kindOf(err error) error {
	if errors.Is(err, ErrFenced) {
		return ErrFenced
	}
	switch awserr.Of(err) {
	case awserr.Denied:
		return ErrDenied
	case awserr.Gone:
		return ErrTargetGone
	case awserr.NoGateway:
		return ErrNoGateway
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
