package eip

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// move is one Remap under way.
type move struct {
	*Remapper
	req Request
	res Result
}

// run is the strict remap: end exactly the expected association, associate if nobody holds the address, verify.
func (m *move) run(ctx context.Context) error {
	expected := m.req.Expect.Association
	switch {
	case expected.ID != "" && m.req.Target.holds(expected):
		return m.verify(ctx, expected)
	case m.req.Target.excludes(expected):
		m.res.Before = expected
	default:
		if there, err := m.look(ctx); there || err != nil {
			return err
		}
	}
	if m.res.Before.ID != "" {
		m.history.note(m.req.AllocationID, m.res.Before.ID)
		if err := m.disassociate(ctx); err != nil {
			return err
		}
	}
	return m.associate(ctx)
}

// errStale stands for a read that shows an association which is known to have ended.
var errStale = errors.New("reads show an association that has ended")

// look reads the address. It reports whether it is on the target already, and otherwise settles what to take it from.
//
// A read is reason enough to leave things as they are, but none to doubt an association that the caller named: the read
// may be stale. The named one is tried, and EC2's answer to the associate is the verdict.
func (m *move) look(ctx context.Context) (there bool, err error) {
	var now Association
	var managedBy types.ServiceManaged
	err = m.retry(ctx, repeatable, func(ctx context.Context) (err error) {
		if now, managedBy, err = m.read(ctx); err == nil && m.history.ended(now.ID) {
			err = errStale
		}
		return err
	})
	expected := m.req.Expect.Association
	switch {
	case errors.Is(err, errStale):
		m.res.Next = m.req.Expect // nothing was done
		return false, m.fail(ctx, OpRead, ErrUnverified, err)
	case err != nil:
		return false, m.fail(ctx, OpRead, kindOf(err), err)
	case managedBy != "":
		rule := "must not be an address that a service manages, which is " + string(managedBy)
		return false, &FieldError{"Request.AllocationID", m.req.AllocationID, rule}
	case m.req.Target.holds(now):
		m.res.After = now
		m.emit(ctx, Event{Kind: KindUnchanged, Association: now})
		return true, nil
	case expected.ID != "":
		m.res.Before = expected
	case m.req.Expect.Free:
	case now != Association{} && !expected.agrees(now):
		failure := m.fail(ctx, OpRead, ErrConflict, nil)
		failure.Owner = now
		return false, failure
	default:
		m.res.Before = now
	}
	return false, nil
}

// disassociate ends the expected association. It may be repeated at will: its ID can never mean a newer owner's. One that
// has ended already is as good, whoever ended it; if that was a rival, the associate finds out.
func (m *move) disassociate(ctx context.Context) error {
	err := m.retry(ctx, repeatable, m.sendDisassociate)
	if err != nil && awserr.Missing(err) != awserr.Association {
		return m.fail(ctx, OpDisassociate, kindOf(err), err)
	}
	m.emit(ctx, Event{Kind: KindDisassociated, Association: m.res.Before})
	return nil
}

// associate makes the association, provided that nobody holds the address. Only this call decides who won.
//
// It is repeated when EC2 has refused it for a reason that passes. When the outcome is unknown, reads settle it; a blind
// repetition could take back an address that a rival has just taken from us and not associated yet.
func (m *move) associate(ctx context.Context) error {
	for start := time.Now(); ; {
		if ctx.Err() != nil {
			return m.fail(ctx, OpAssociate, nil, nil)
		}
		mark := m.history.mark()
		var id string
		err := m.retry(ctx, m.associable, func(ctx context.Context) (err error) {
			id, err = m.sendAssociate(ctx)
			return err
		})
		switch awserr.Of(err) {
		case awserr.None:
			m.res.Changed = m.history.replace(m.req.AllocationID, id, mark)
			made := Association{id, m.req.Target.NetworkInterfaceID, m.req.Target.InstanceID, m.req.Target.PrivateIP}
			m.emit(ctx, Event{Kind: KindAssociated, Association: made})
			return m.verify(ctx, made)
		case awserr.Transient:
			if settled, failure := m.settle(ctx, err); settled || failure != nil {
				return failure
			}
			if time.Since(start) >= m.opts.RetryTimeout {
				return m.fail(ctx, OpAssociate, nil, err)
			}
		case awserr.Conflict:
			return m.explain(ctx, err)
		default:
			return m.fail(ctx, OpAssociate, kindOf(err), err)
		}
	}
}

// repeatable chooses the pauses for calls that may be repeated whatever became of them.
func repeatable(err error, _ time.Duration) (retry.Policy, bool) {
	switch awserr.Of(err) {
	case awserr.Throttle:
		return retry.Throttle(), true
	case awserr.Transient, awserr.Unsent:
		return retry.Transient(), true
	}
	return retry.Pending(), errors.Is(err, errStale)
}

// associable chooses the pauses for AssociateAddress, which is repeated only if it had no effect.
func (m *move) associable(err error, elapsed time.Duration) (retry.Policy, bool) {
	switch awserr.Of(err) {
	case awserr.Throttle:
		return retry.Throttle(), true
	case awserr.Unsent:
		return retry.Transient(), true
	case awserr.Pending:
		return retry.Pending(), true
	case awserr.NotFound: // a target that was made just now is not known everywhere yet
		return retry.Pending(), awserr.Missing(err) != awserr.Address && elapsed < m.opts.ReadLag
	}
	return retry.Policy{}, false
}

// fail makes the error of the step op. If the context has ended, its cause is part of it.
func (m *move) fail(ctx context.Context, op Op, kind, err error) *RemapError {
	return &RemapError{
		AllocationID: m.req.AllocationID, Target: m.req.Target, Op: op,
		Kind: kind, Cause: context.Cause(ctx), Err: err, RequestID: awserr.RequestID(err),
	}
}
