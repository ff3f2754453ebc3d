package eip

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Report is what Ready found.
type Report struct {
	AllocationID string
	PublicIP     netip.Addr  // zero until a read has shown it
	Owner        Association // who holds the address now; zero if nobody does, or if CheckAddress says that it was not read
	Target       Target      // resolved to its interface, if that was found out

	// Request is the one that was asked about. If no check failed and something is to be moved, it acts on what was read: the
	// target is resolved to its interface, and the owner named, so that nothing is read before the move but what the guard
	// demands. A free address is asked for under GuardFree, which reads it once more. Except under GuardLease, nobody who came
	// in between loses the address. What has become of the target since, EC2 says when the address has left its owner.
	Request Request

	// Checks are in the order of the constants of CheckName. One that the move does not need is left out, and one that
	// could not be made is Unknown. An address that is on the target already needs the first two only.
	Checks []Check

	Calls   Calls // reads; Associate and Disassociate are zero
	DryRuns int   // of AssociateAddress and DisassociateAddress
}

// CheckName says what a Check is about.
type CheckName string

// The checks, in their order.
const (
	CheckAddress      CheckName = "address"      // exists, is for use in VPCs, managed by no service
	CheckOwner        CheckName = "owner"        // is who may be taken from, and of the target's account
	CheckTarget       CheckName = "target"       // exists, is one interface, not terminated, managed by no service
	CheckOccupant     CheckName = "occupant"     // the target holds no other address, or one that may be displaced
	CheckBorderGroup  CheckName = "border group" // the target is in that of the address
	CheckGateway      CheckName = "gateway"      // the VPC of the target has an internet gateway
	CheckAssociate    CheckName = "associate"    // is permitted, says a dry run
	CheckDisassociate CheckName = "disassociate" // is permitted, say dry runs for all that would be ended; left out if nothing would
	CheckFence        CheckName = "fence"        // is valid; left out without one
)

// Verdict is the outcome of a Check.
type Verdict string

// The verdicts.
const (
	Pass    Verdict = "pass"
	Warn    Verdict = "warn"    // a Remap may succeed, with a consequence that Detail names
	Fail    Verdict = "fail"    // a Remap would not succeed, or could not make a read that it needs
	Unknown Verdict = "unknown" // could not be found out, and Remap does not need to: EC2 decides. Err says why
)

// Check is one thing that Ready looked at.
type Check struct {
	Name    CheckName
	Verdict Verdict
	Action  string // the IAM action that is missing, such as "ec2:AssociateAddress"; empty if none is
	Detail  string // what was found, for people; never empty

	// Err is set beside Fail and Unknown: the FieldError or the RemapError that a Remap would return, as far as that can be
	// foreseen, with the last error of EC2.
	Err error
}

// String reads like "gateway: fail: vpc-1 has no internet gateway".
func (c Check) String() string { return fmt.Sprintf("%s: %s: %s", c.Name, c.Verdict, c.Detail) }

// Ready finds out whether a Remap with this request would succeed now, without changing anything: it reads, and asks EC2 by
// dry runs what is permitted. Call it before a planned move, and now and then for a move that an emergency may need.
//
// It goes through all checks, so that the report names everything that is wrong at once, and every IAM action that is
// missing. A read that fails costs the checks that need it and no others: they fail if a Remap would make the same
// read, and are Unknown otherwise. The error is for the caller's mistakes: a [*FieldError] for each in the request, as Remap
// returns it, before any call; and a [*RemapError] with the context's cause if that ended it, beside what was found until
// then. What is wrong with the world is in the report; see [Report.Err].
//
// What it tells is as old as the call: only Remap decides. A dry run proves a permission and nothing else. Reads that may
// lag behind a change, and show an owner that is not the expected one, an occupied target or an unknown one, are repeated
// for ReadLag before they are believed. A pending instance is not waited for. An account that uses another one's VPC does
// not see its internet gateway, for which CheckGateway fails then. Gateways of Wavelength Zones and Outposts are not looked at.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-sharing.html (read 2026-11)
//
// It costs, and throttles, failures and repeated reads add to that:
//
//	1 DescribeAddresses            and nothing else if the address is on the target already
//	1 DescribeNetworkInterfaces    for a target that is an interface
//	1 DescribeInstances            for an instance, and for an interface that is attached to one
//	1 DescribeInternetGateways
//	1 AssociateAddress             as a dry run
//	1 DisassociateAddress          as a dry run, under GuardStrict if somebody holds the address
//	1 DisassociateAddress          as a dry run, if another address is to be displaced, but not under GuardLease;
//	1 DescribeNetworkInterfaces    before that if the target is an instance
//	1 DescribeAvailabilityZones    for a Local or Wavelength Zone in another border group, by its name; the first time
//
// All are made one after the other, each bounded by CallTimeout and, with its retries, by RetryTimeout. Retries are the only
// events. The Fence is asked once, at the end.
func (r *Remapper) Ready(ctx context.Context, req Request) (Report, error) {
	c := &checkup{move: r.newMove(req, "Request")}
	c.report = Report{AllocationID: req.AllocationID, Target: req.Target}
	err := req.validate("Request")
	if err == nil {
		err = c.consistent()
	}
	if err == nil {
		err = c.run(ctx)
	}
	c.report.PublicIP, c.report.Calls, c.report.Request = c.res.PublicIP, c.res.Calls, c.request()
	return c.report, err
}

// request is what a Remap should be asked for after these checks.
func (c *checkup) request() Request {
	req := c.req
	switch {
	case c.address == nil || c.over || c.report.Err() != nil: // nothing was read, nothing is to be moved, or not like this
		return req
	case c.report.Owner == Association{}:
		req.Guard, req.Expect = GuardFree, Expect{}
	default: // under GuardFree CheckOwner has failed
		req.Expect.Association = c.report.Owner
	}
	req.Target = c.report.Target
	return req
}

// Err returns nil if no check failed, and otherwise a [*NotReadyError]. It matches [ErrNotReady] and what a Remap would
// match: errors.Is(err, ErrOccupied) tells that the target is occupied, perhaps among other things.
func (r *Report) Err() error {
	var failed []Check
	for _, c := range r.Checks {
		if c.Verdict == Fail {
			failed = append(failed, c)
		}
	}
	if failed == nil {
		return nil
	}
	return &NotReadyError{AllocationID: r.AllocationID, Target: r.Target, Failed: failed}
}

// MissingActions returns the IAM actions that are missing, sorted, each once: those that Remap needs, and those that only
// Ready does. Nil if none is, as far as the checks could tell.
func (r *Report) MissingActions() []string {
	var actions []string
	for _, c := range r.Checks {
		if c.Action != "" {
			actions = append(actions, c.Action)
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// NotReadyError is a move that would not succeed.
type NotReadyError struct {
	AllocationID string
	Target       Target
	Failed       []Check // at least one
}

// Error reads like "eip: move eipalloc-1 to eni-2: not ready: occupant: the target holds eipalloc-3 (eipassoc-4); gateway: ...".
func (e *NotReadyError) Error() string {
	var reasons []string
	for _, c := range e.Failed {
		reasons = append(reasons, string(c.Name)+": "+c.Detail)
	}
	return fmt.Sprintf("eip: move %s to %s: %v: %s", e.AllocationID, e.Target, ErrNotReady, strings.Join(reasons, "; "))
}

// Unwrap returns ErrNotReady and the error of each check.
func (e *NotReadyError) Unwrap() []error {
	errs := []error{ErrNotReady}
	for _, c := range e.Failed {
		errs = append(errs, c.Err)
	}
	return errs
}
