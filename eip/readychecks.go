package eip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// The IAM actions that a move, and the look at it, may lack.
const (
	actionAssociate    = "ec2:AssociateAddress"
	actionDisassociate = "ec2:DisassociateAddress"
	actionAddresses    = "ec2:DescribeAddresses"
	actionInterfaces   = "ec2:DescribeNetworkInterfaces"
	actionInstances    = "ec2:DescribeInstances"
	actionZones        = "ec2:DescribeAvailabilityZones"
	actionGateways     = "ec2:DescribeInternetGateways"
)

// checkup is one Ready under way. It judges by the move's own methods, and calls none of those that change anything.
type checkup struct {
	*move
	report Report

	over   bool  // Remap would change nothing
	needed bool  // Remap would read the target
	there  place // valid if absent is nil
	unseen error // why the address is not known
	absent error // why the target is not known
}

// run makes the checks, until the context ends.
func (c *checkup) run(ctx context.Context) error {
	steps := []struct {
		op    Op
		check func(context.Context)
	}{
		{OpRead, c.checkAddress},
		{OpInspect, c.checkTarget},
		{OpInspect, c.checkGroup},
		{OpInspect, c.checkGateway},
		{OpAssociate, c.checkAssociate},
		{OpDisassociate, c.checkDisassociate},
		{OpAssociate, c.checkFence},
	}
	for _, step := range steps {
		before := len(c.report.Checks)
		step.check(ctx)
		if ctx.Err() != nil {
			cutOff := c.report.Checks[before:] // they tell nothing but what EC2 said last
			c.report.Checks = c.report.Checks[:before]
			return c.fail(ctx, step.op, nil, lastOf(cutOff))
		}
		if c.over {
			return nil
		}
	}
	return nil
}

// lastOf returns the error of EC2 in the last check that has one.
func lastOf(checks []Check) (last error) {
	for _, check := range checks {
		var failure *RemapError
		if errors.As(check.Err, &failure) && failure.Err != nil {
			last = failure.Err
		}
	}
	return last
}

func (c *checkup) add(check Check) { c.report.Checks = append(c.report.Checks, check) }

func (c *checkup) pass(name CheckName, format string, args ...any) {
	c.add(Check{Name: name, Verdict: Pass, Detail: fmt.Sprintf(format, args...)})
}

func (c *checkup) warn(name CheckName, format string, args ...any) {
	c.add(Check{Name: name, Verdict: Warn, Detail: fmt.Sprintf(format, args...)})
}

// refused adds a check that fails for what was found.
func (c *checkup) refused(name CheckName, err error, format string, args ...any) {
	c.add(Check{Name: name, Verdict: Fail, Detail: fmt.Sprintf(format, args...), Err: err})
}

// unread adds the check of what a read that failed would have told. It fails if Remap would make that read as well.
func (c *checkup) unread(name CheckName, needed bool, action string, err error) {
	check := Check{Name: name, Verdict: Unknown, Detail: "not read: " + gist(err), Err: err}
	if needed {
		check.Verdict = Fail
	}
	if awserr.Unpermitted(err) {
		check.Action = action
	}
	c.add(check)
}

// skipped adds a check that could not be made, because what it needs is not known.
func (c *checkup) skipped(name CheckName, what string, err error) {
	c.add(Check{Name: name, Verdict: Unknown, Detail: "not looked at: the " + what + " is not known", Err: err})
}

// gist says in a few words what an error comes down to. EC2's own words may be a page of encoded reasons.
func gist(err error) string {
	switch kind := kindOf(err); {
	case awserr.Unpermitted(err):
		return "not permitted"
	case kind != nil:
		return kind.Error()
	}
	var failure *RemapError
	if errors.As(err, &failure) && failure.Err != nil {
		return failure.Err.Error()
	}
	return err.Error()
}

// ruleOf is the detail of a mistake in the request that reads have found.
func ruleOf(err error) string { return strings.TrimPrefix(err.Error(), "eip: ") }

// checkAddress reads the address and judges it and its owner.
func (c *checkup) checkAddress(ctx context.Context) {
	expected := c.req.Expect.Association
	var now Association
	var err error
	retry.Poll(ctx, c.opts.ReadLag, c.opts.polling(), func(ctx context.Context) bool {
		now, err = c.find(ctx)
		return err != nil || expected.ID == "" || now.ID == expected.ID || c.to.holds(now) || now.ID == "" && !c.to.holds(expected)
	})
	if err != nil {
		c.unseen = err
		if expected.ID != "" {
			c.res.Before = expected
		}
		c.unread(CheckAddress, true, actionAddresses, err) // Remap reads it at the end, if not before
		c.skipped(CheckOwner, "address", err)
		return
	}
	c.report.Owner = now
	if err := c.movable(); err != nil {
		c.refused(CheckAddress, err, "%s", ruleOf(err))
	} else {
		c.pass(CheckAddress, "%s is %s", c.req.AllocationID, publicIP(*c.address))
	}
	c.checkOwner(ctx, now)
}

func publicIP(a types.Address) string {
	for _, ip := range []*string{a.PublicIp, a.CarrierIp, a.CustomerOwnedIp} {
		if aws.ToString(ip) != "" {
			return *ip
		}
	}
	return "there"
}

func (c *checkup) checkOwner(ctx context.Context, now Association) {
	expected := c.req.Expect.Association
	refused := func(kind error, format string, args ...any) {
		failure := c.fail(ctx, OpRead, kind, nil)
		failure.Owner = now
		c.refused(CheckOwner, failure, format, args...)
	}
	there, err := c.takeFrom(ctx, now)
	verifies := expected.ID != "" && c.to.holds(expected) // and nothing else, whatever it finds
	c.over = there || verifies
	switch {
	case there:
		if now.NetworkInterfaceID != "" {
			c.report.Target = Target{NetworkInterfaceID: now.NetworkInterfaceID, PrivateIP: c.req.Target.PrivateIP}
		}
		c.pass(CheckOwner, "on the target already: %s", now)
	case verifies && now.ID == "":
		refused(ErrEnded, "nobody holds it: %s has ended", expected)
	case verifies:
		refused(ErrStolen, "held by %s: %s has ended", now, expected)
	case err != nil:
		c.refused(CheckOwner, err, "held by %s, expected %s", now, expected)
	case now.ID == "":
		c.pass(CheckOwner, "nobody holds it")
	case c.req.Guard == GuardFree:
		refused(ErrConflict, "held by %s, and GuardFree takes it from nobody", now)
	case c.res.Before.ID == now.ID:
		c.pass(CheckOwner, "held by %s", now)
	case c.req.Guard == GuardLease:
		c.warn(CheckOwner, "held by %s, who would lose it, and not by %s", now, expected)
	default:
		refused(ErrConflict, "held by %s, expected %s", now, expected)
	}
}

// checkTarget reads the target and judges it, its account and its occupant.
func (c *checkup) checkTarget(ctx context.Context) {
	c.needed = c.remapInspects()
	err := c.retry(ctx, c.findable, func(ctx context.Context) (err error) {
		c.there, err = c.locate(ctx)
		if err == nil || errors.Is(err, errPending) && c.there.eni != "" {
			err = c.room(ctx, c.there)
		}
		return err
	})
	if err != nil && !errors.Is(err, errOccupied) {
		c.absent = c.refuse(ctx, c.there, err)
		c.judgeAbsence(err)
		c.skipped(CheckOccupant, "target", c.absent)
		return
	}
	c.to = Target{NetworkInterfaceID: c.there.eni, PrivateIP: c.req.Target.PrivateIP}
	c.report.Target = c.to
	if c.address != nil {
		if foreign := c.matchAccount(c.there); foreign != nil {
			owner := &c.report.Checks[len(c.report.Checks)-1] // CheckOwner
			if owner.Verdict != Fail {
				*owner = Check{Name: CheckOwner, Verdict: Fail, Detail: ruleOf(foreign), Err: foreign}
			}
		}
	}
	c.judgeTarget(ctx)
	c.judgeOccupant(ctx)
}

// judgeOccupant says what has to leave the target, and finds out by which association if Remap needs that.
func (c *checkup) judgeOccupant(ctx context.Context) {
	if c.inTheWay != (Occupant{}) && c.req.Displace && c.req.Guard != GuardLease {
		other, err := c.identify(ctx, c.inTheWay)
		if err != nil {
			c.unread(CheckOccupant, true, actionInterfaces, c.fail(ctx, OpDisplace, kindOf(err), err))
			return
		}
		c.inTheWay = other
	}
	switch {
	case c.unseen != nil && c.inTheWay.AllocationID == "" && c.inTheWay.PublicIP.IsValid():
		c.skipped(CheckOccupant, "address", c.unseen) // an instance shows public addresses, of which this may be the very one
	case c.inTheWay == Occupant{}:
		c.pass(CheckOccupant, "the target holds no other address")
	case c.req.Displace:
		c.warn(CheckOccupant, "%s would be displaced", c.inTheWay)
	default:
		c.refused(CheckOccupant, c.refuse(ctx, c.there, errOccupied), "the target holds %s", c.inTheWay)
	}
}

// remapInspects tells whether Remap would read the target, as Remap itself decides it.
func (c *checkup) remapInspects() bool {
	address := c.address
	defer func() { c.address = address }()
	if c.namesOwner() {
		c.address = nil // Remap would not have read it
	}
	return c.inspects()
}

// findable is inspectable, but does not wait for a pending instance.
func (c *checkup) findable(err error, elapsed time.Duration) (retry.Policy, bool) {
	if errors.Is(err, errPending) {
		return retry.Policy{}, false
	}
	return c.inspectable(err, elapsed)
}

func (c *checkup) actionOfTarget() string {
	if c.req.Target.InstanceID != "" {
		return actionInstances
	}
	return actionInterfaces
}

// judgeAbsence says why a target is not known: it is wrong, it is not there yet, or the read failed.
func (c *checkup) judgeAbsence(err error) {
	switch {
	case errors.Is(err, errPending):
		c.warn(CheckTarget, "%s is pending, and has no interface yet: a Remap waits for it", c.req.Target.InstanceID)
	case errors.Is(err, errTerminated), errors.Is(err, errNoInterface):
		c.refused(CheckTarget, c.absent, "%s: %v", c.req.Target, err)
	case errors.As(c.absent, new(*FieldError)):
		c.refused(CheckTarget, c.absent, "%s", ruleOf(c.absent))
	case errors.Is(c.absent, ErrTargetGone):
		c.refused(CheckTarget, c.absent, "EC2 does not know %s", c.req.Target)
	default:
		c.unread(CheckTarget, c.needed, c.actionOfTarget(), c.absent)
	}
}

// judgeTarget says whether EC2 would associate an address with the target, and whether anybody would answer there.
func (c *checkup) judgeTarget(ctx context.Context) {
	if err := c.matchHands(c.there); err != nil {
		c.refused(CheckTarget, err, "%s", ruleOf(err))
		return
	}
	eni, instance := c.there.eni, c.there.instance
	if instance == "" {
		c.warn(CheckTarget, "%s is attached to no instance: nobody would answer", eni)
		return
	}
	if c.there.state == "" {
		if err := c.readState(ctx); err != nil {
			c.unread(CheckTarget, false, actionInstances, c.fail(ctx, OpInspect, nil, err))
			return
		}
	}
	switch err := usable(c.there.state); {
	case errors.Is(err, errPending):
		c.warn(CheckTarget, "%s is pending: a Remap waits for it", instance)
	case err != nil:
		c.refused(CheckTarget, c.refuse(ctx, c.there, err), "%s is %s", instance, c.there.state)
	case c.there.state == types.InstanceStateNameRunning:
		c.pass(CheckTarget, "%s of %s, which is running", eni, instance)
	case c.there.state == "":
		c.warn(CheckTarget, "%s is in no known state", instance)
	default:
		c.warn(CheckTarget, "%s is %s: it would get the address, and nobody would answer", instance, c.there.state)
	}
}

// readState reads the state of the instance that the target is attached to.
func (c *checkup) readState(ctx context.Context) error {
	return c.retry(ctx, repeatable, func(ctx context.Context) error {
		i, err := ask(ctx, c.move, c.listInstances, (*rounds).instanceQueue, &c.res.Calls.Inspect, c.there.instance, awserr.Instance)
		if err == nil && i.State != nil {
			c.there.state = i.State.Name
		}
		return err
	})
}

func (c *checkup) checkGroup(ctx context.Context) {
	switch {
	case c.absent != nil:
		c.skipped(CheckBorderGroup, "target", c.absent)
		return
	case c.unseen != nil:
		c.skipped(CheckBorderGroup, "address", c.unseen)
		return
	}
	err := c.matchGroup(ctx, c.there)
	switch {
	case err == nil && aws.ToString(c.address.NetworkBorderGroup) == "":
		c.pass(CheckBorderGroup, "the address is in none")
	case err == nil:
		c.pass(CheckBorderGroup, "%s", *c.address.NetworkBorderGroup)
	case errors.As(err, new(*FieldError)):
		c.refused(CheckBorderGroup, err, "%s", ruleOf(err))
	default:
		c.unread(CheckBorderGroup, c.needed && !c.namesOwner(), actionZones, err)
	}
}

func (c *checkup) checkGateway(ctx context.Context) {
	if c.absent != nil {
		c.skipped(CheckGateway, "target", c.absent)
		return
	}
	if a := c.address; a != nil && aws.ToString(a.CarrierIp)+aws.ToString(a.CustomerOwnedIp) != "" {
		c.add(Check{Name: CheckGateway, Verdict: Unknown, Detail: "not looked at: the address is not one of the internet gateway", Err: errOtherGateway})
		return
	}
	found, err := c.hasGateway(ctx)
	switch {
	case err != nil:
		c.unread(CheckGateway, false, actionGateways, c.fail(ctx, OpInspect, kindOf(err), err))
	case !found:
		c.refused(CheckGateway, c.fail(ctx, OpInspect, ErrNoGateway, nil), "%s has no internet gateway", c.there.vpc)
	default:
		c.pass(CheckGateway, "%s has one", c.there.vpc)
	}
}

var errOtherGateway = errors.New("carrier and local gateways are not looked at")

// gatewayAvailable is the state of an attached gateway, which the SDK's constants lack.
// Source: the filter attachment.state of DescribeInternetGatewaysInput (read 2026-11)
const gatewayAvailable types.AttachmentStatus = "available"

// hasGateway reads whether an internet gateway is attached to the VPC of the target.
func (c *checkup) hasGateway(ctx context.Context) (found bool, err error) {
	in := &ec2.DescribeInternetGatewaysInput{Filters: filter("attachment.vpc-id", c.there.vpc)}
	err = c.retry(ctx, repeatable, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, c.opts.CallTimeout)
		defer cancel()
		for pages := ec2.NewDescribeInternetGatewaysPaginator(c.api, in); pages.HasMorePages(); {
			c.res.Calls.Inspect++
			out, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, g := range out.InternetGateways {
				for _, a := range g.Attachments {
					found = found || aws.ToString(a.VpcId) == c.there.vpc && (a.State == gatewayAvailable || a.State == types.AttachmentStatusAttached)
				}
			}
		}
		return nil
	})
	return found, err
}

// dryRun makes a call that is a dry run. It may be repeated at will.
func (c *checkup) dryRun(ctx context.Context, call func(context.Context) error) error {
	return c.retry(ctx, repeatable, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, c.opts.CallTimeout)
		defer cancel()
		c.report.DryRuns++
		return call(ctx)
	})
}

// permitted is what the reply to a dry run tells.
func (c *checkup) permitted(ctx context.Context, name CheckName, op Op, action string, err error) Check {
	check := Check{Name: name, Verdict: Fail}
	switch class := awserr.Of(err); {
	case class == awserr.DryRun:
		return Check{Name: name, Verdict: Pass, Detail: "permitted"}
	case err == nil:
		err = errNoDryRun
		check.Detail = err.Error()
	case awserr.Missing(err) == awserr.Association:
		return Check{Name: name, Verdict: Pass, Detail: "not needed: the association has ended"}
	case class == awserr.Conflict || class == awserr.Pending:
		// Dry runs look at permissions. Should one look at the state of things, it is that from before the move.
		check.Verdict, check.Detail = Unknown, "EC2 has refused the dry run for another reason"
	case awserr.Unpermitted(err):
		check.Action, check.Detail = action, "not permitted"
	default:
		check.Detail = gist(err)
	}
	check.Err = c.fail(ctx, op, kindOf(err), err)
	return check
}

// errNoDryRun is no answer that EC2 gives.
var errNoDryRun = errors.New("the endpoint does not know dry runs: the call may have had its effect")

func (c *checkup) checkAssociate(ctx context.Context) {
	in := c.associateInput()
	in.DryRun = aws.Bool(true)
	err := c.dryRun(ctx, func(ctx context.Context) error {
		_, err := c.api.AssociateAddress(ctx, in, sendOnce)
		return err
	})
	c.add(c.permitted(ctx, CheckAssociate, OpAssociate, actionAssociate, err))
}

// checkDisassociate asks for everything that Remap would end: the owner's association, and the occupant's.
func (c *checkup) checkDisassociate(ctx context.Context) {
	var found []Check
	switch {
	case c.req.Guard != GuardStrict:
	case c.res.Before.ID != "":
		found = append(found, c.mayEnd(ctx, c.res.Before.ID))
	case c.unseen != nil:
		found = append(found, Check{
			Name: CheckDisassociate, Verdict: Unknown, Detail: "not asked: the owner is not known", Err: c.unseen,
		})
	}
	if c.inTheWay.AssociationID != "" && c.req.Displace && c.req.Guard != GuardLease {
		found = append(found, c.mayEnd(ctx, c.inTheWay.AssociationID))
	}
	for _, verdict := range []Verdict{Fail, Unknown, Pass} {
		if worst := slices.IndexFunc(found, func(check Check) bool { return check.Verdict == verdict }); worst >= 0 {
			c.add(found[worst])
			return
		}
	}
}

func (c *checkup) mayEnd(ctx context.Context, associationID string) Check {
	err := c.dryRun(ctx, func(ctx context.Context) error {
		_, err := c.api.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: &associationID, DryRun: aws.Bool(true)}, sendOnce)
		return err
	})
	return c.permitted(ctx, CheckDisassociate, OpDisassociate, actionDisassociate, err)
}

func (c *checkup) checkFence(ctx context.Context) {
	if c.req.Fence == nil {
		return
	}
	if err := c.fence(); err != nil {
		c.refused(CheckFence, c.fail(ctx, OpAssociate, ErrFenced, err), "not valid: %v", err)
		return
	}
	c.pass(CheckFence, "valid, token %d", c.req.Fence.Token())
}
