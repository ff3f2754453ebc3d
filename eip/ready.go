package eip

import (
	"context"
	"net/netip"
)

// Report is what Ready found.
type Report struct {
	AllocationID string
	PublicIP     netip.Addr
	Owner        Association // who holds the address now
	Target       Target      // as it was resolved: an interface, if an instance was asked for

	Checks []Check // in the order in which they are listed at CheckName, those that could be made
	Calls  Calls
}

// CheckName says what a Check is about.
type CheckName string

// The checks, in their order.
const (
	CheckAddress      CheckName = "address"      // exists, for use in VPCs, managed by no service
	CheckOwner        CheckName = "owner"        // is who may be taken from, and of this account
	CheckTarget       CheckName = "target"       // exists, is not terminated, resolves to one interface, managed by no service
	CheckOccupant     CheckName = "occupant"     // the target holds no other address, or may be displaced
	CheckBorderGroup  CheckName = "border group" // the target is in that of the address
	CheckGateway      CheckName = "gateway"      // the VPC of the target has an internet gateway
	CheckAssociate    CheckName = "associate"    // is permitted, by a dry run
	CheckDisassociate CheckName = "disassociate" // is permitted, by a dry run
)

// Verdict is the outcome of a Check.
type Verdict string

// The verdicts.
const (
	Pass    Verdict = "pass"
	Warn    Verdict = "warn"    // a Remap may succeed, with a consequence that Detail names
	Fail    Verdict = "fail"    // a Remap would not succeed
	Unknown Verdict = "unknown" // could not be found out; Err says why
)

// Check is one thing that Ready looked at.
type Check struct {
	Name    CheckName
	Verdict Verdict
	Action  string // the IAM action that is missing, such as "ec2:AssociateAddress"; empty if none is
	Detail  string // what was found, for people
	Err     error  // the FieldError or the error of EC2, if there is one
}

// Ready finds out whether a Remap with this request would succeed, without changing anything: it reads, and asks EC2 by dry
// runs what is permitted.
func (r *Remapper) Ready(ctx context.Context, req Request) (Report, error) {
	return Report{}, nil
}

// Err returns nil if no check failed, and else an error that matches [ErrNotReady] and names all that did.
func (r *Report) Err() error { return nil }

// MissingActions returns the IAM actions that are missing, sorted.
func (r *Report) MissingActions() []string { return nil }
