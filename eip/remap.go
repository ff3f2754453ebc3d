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
	req  Request
	name string // what the caller calls the request
	res  Result

	// Of a RemapAll; nil in a Remap.
	rounds *rounds
	slot   *slot

	to       Target         // the target, an instance resolved to its interface
	address  *types.Address // as the first read showed it; nil if there was none
	inTheWay Occupant       // on the target, as a read showed
	ended    bool           // that res.Before has ended is certain
	brief    bool           // the owner of an address that EC2 refuses needs no name
}

// run brings the address to the target.
func (m *move) run(ctx context.Context) error {
	if err := m.consistent(); err != nil {
		return err
	}
	expected := m.req.Expect.Association
	switch {
	case expected.ID != "" && m.to.holds(expected):
		return m.verify(ctx, expected)
	case m.namesOwner():
		m.res.Before = expected
	default:
		if there, err := m.look(ctx); there || err != nil {
			return err
		}
	}
	return m.carry(ctx)
}

// consistent refuses an expectation that is known to be of another address.
func (m *move) consistent() error {
	id := m.req.Expect.Association.ID
	if other := m.history.allocation(id); other != "" && other != m.req.AllocationID {
		return m.field("Expect.Association.ID", id, "must be an association of the address; it is one of "+other)
	}
	return nil
}

// namesOwner tells whether the caller names what to end, and where it is, so that nothing has to be read before.
func (m *move) namesOwner() bool {
	expected := m.req.Expect.Association
	return expected.ID != "" && m.to.differs(expected)
}

// carry brings the address from m.res.Before, as far as the guard allows that, to the target.
func (m *move) carry(ctx context.Context) error {
	if m.inspects() {
		if err := m.inspect(ctx); err != nil {
			return err
		}
	}
	made, err := m.change(ctx)
	if err != nil || m.res.After != (Association{}) { // reads have shown it already
		return err
	}
	return m.verify(ctx, made)
}

// errStale stands for a read that shows an association which is known to have ended.
var errStale = errors.New("reads show an association that has ended")

// look reads the address. It reports whether it is on the target already, and otherwise settles what to take it from.
func (m *move) look(ctx context.Context) (there bool, err error) {
	now, err := m.find(ctx)
	if err == nil {
		err = m.movable()
	}
	if err != nil {
		return false, err
	}
	if there, err = m.takeFrom(ctx, now); there {
		m.res.After = now
		m.emit(ctx, Event{Kind: KindUnchanged, Association: now})
	}
	return there, err
}

// find reads the address until it shows an association that is not known to have ended.
func (m *move) find(ctx context.Context) (now Association, err error) {
	err = m.retry(ctx, repeatable, func(ctx context.Context) error {
		address, read, err := m.read(ctx)
		if err != nil {
			return err
		}
		m.address, now = &address, read
		if m.history.ended(now.ID) {
			return errStale
		}
		return nil
	})
	switch {
	case errors.Is(err, errStale):
		m.res.Next = m.req.Expect // nothing was done
		return now, m.fail(ctx, OpRead, ErrUnverified, err)
	case err != nil:
		return now, m.fail(ctx, OpRead, kindOf(err), err)
	}
	return now, nil
}

// takeFrom settles what the address is to be taken from, unless it is on the target already.
//
// A read is reason enough to leave things as they are, but none to doubt an association that the caller named: the read
// may be stale. The named one is tried, and EC2's answer to the associate is the verdict.
func (m *move) takeFrom(ctx context.Context, now Association) (there bool, err error) {
	expected := m.req.Expect.Association
	switch {
	case m.to.holds(now):
		return true, nil
	case m.req.Guard == GuardFree:
	case expected.ID != "":
		m.res.Before = expected
	case now != Association{} && !expected.agrees(now):
		failure := m.fail(ctx, OpRead, ErrConflict, nil)
		failure.Owner = now
		return false, failure
	default:
		m.res.Before = now
	}
	return false, nil
}

// inspects tells whether the target is read before anything is changed. An instance has to be. An interface is where a
// later refusal would cost somebody an address, unless the caller has named the owner, in order to lose no time.
func (m *move) inspects() bool {
	switch {
	case m.to.InstanceID != "":
		return true
	case m.req.Guard == GuardStrict:
		return m.address != nil && m.res.Before.ID != ""
	case m.req.Guard == GuardLease:
		return !m.req.Displace // EC2 would displace without asking
	}
	return false
}

// change makes the calls that change something. If reads had to settle that the association was made, it is in
// m.res.After.
func (m *move) change(ctx context.Context) (made Association, err error) {
	if err := m.slot.take(ctx); err != nil {
		return made, m.fail(ctx, OpDisassociate, nil, nil)
	}
	defer m.slot.give()
	m.history.note(m.req.AllocationID, m.res.Before.ID)
	if m.inTheWay != (Occupant{}) && m.req.Guard != GuardLease {
		if err := m.displace(ctx, m.inTheWay); err != nil {
			return made, err
		}
	}
	if m.res.Before.ID != "" && m.req.Guard == GuardStrict {
		if err := m.disassociate(ctx); err != nil {
			return made, err
		}
	}
	return m.associate(ctx)
}

// disassociate ends the expected association. It may be repeated at will: its ID can never mean a newer owner's. One that
// has ended already is as good, whoever ended it; if that was a rival, the associate finds out.
func (m *move) disassociate(ctx context.Context) error {
	if err := m.end(ctx, m.res.Before.ID); err != nil {
		return m.fail(ctx, OpDisassociate, kindOf(err), err)
	}
	m.ended = true
	m.emit(ctx, Event{Kind: KindDisassociated, Association: m.res.Before})
	return nil
}

// displace ends the association of another address with the target, of exactly the one that a read has shown.
func (m *move) displace(ctx context.Context, other Occupant) error {
	other, err := m.identify(ctx, other)
	if err != nil {
		return m.fail(ctx, OpDisplace, kindOf(err), err)
	}
	if other.AssociationID == "" {
		return nil // it has left by itself
	}
	if err := m.end(ctx, other.AssociationID); err != nil {
		failure := m.fail(ctx, OpDisplace, kindOf(err), err)
		failure.Occupant = other
		return failure
	}
	m.res.Displaced = other
	m.emit(ctx, Event{Kind: KindDisplaced, Occupant: other})
	return nil
}

// identify returns an occupant with its IDs, of which an instance shows none; zero if it has left.
func (m *move) identify(ctx context.Context, other Occupant) (Occupant, error) {
	if other.AssociationID != "" {
		return other, nil
	}
	err := m.retry(ctx, repeatable, func(ctx context.Context) (err error) {
		other, err = m.occupant(ctx)
		return err
	})
	return other, err
}

// associate makes the association. Under the guards that check who holds the address, only this call decides who won.
//
// It is repeated when EC2 has refused it for a reason that passes. When the outcome is unknown, reads settle it; a blind
// repetition could take back an address that a rival has just taken from us and not associated yet.
func (m *move) associate(ctx context.Context) (made Association, err error) {
	var settled error // what reads have settled, beside m.res.After
	again := func(err error, elapsed time.Duration) (retry.Policy, bool) {
		if settled != nil {
			return retry.Policy{}, false
		}
		return m.associable(err, elapsed)
	}
	for displaced := false; ; displaced = true {
		var id string
		var mark int
		err := m.retry(ctx, again, func(ctx context.Context) (err error) {
			if ctx.Err() != nil { // nothing is sent, so that there is nothing to settle
				settled = m.fail(ctx, OpAssociate, nil, nil)
				return settled
			}
			mark = m.history.mark()
			id, err = m.sendAssociate(ctx)
			if classOf(err) == awserr.Transient { // the slot is kept: the address may be free
				if settled = m.settle(ctx, err); settled != nil || m.res.After != (Association{}) {
					return settled
				}
			}
			return err
		})
		switch {
		case settled != nil:
			return made, settled
		case err == nil && m.res.After != Association{}:
			return made, nil
		case err == nil:
			m.res.Changed = m.history.replace(m.req.AllocationID, id, mark)
			made = Association{id, m.to.NetworkInterfaceID, m.to.InstanceID, m.to.PrivateIP}
			m.emit(ctx, Event{Kind: KindAssociated, Association: made})
			return made, nil
		case classOf(err) == awserr.Conflict:
			last := !m.req.Displace || displaced
			if last {
				m.slot.give()
			}
			failure := m.explain(ctx, err)
			switch {
			case failure == nil:
				return made, nil
			case last || failure.Occupant.AssociationID == "":
				return made, failure
			}
			if err := m.displace(ctx, failure.Occupant); err != nil {
				return made, err
			}
		default:
			return made, m.fail(ctx, OpAssociate, kindOf(err), err)
		}
	}
}

// fail makes the error of the step op. If the context has ended, its cause is part of it.
func (m *move) fail(ctx context.Context, op Op, kind, err error) *RemapError {
	return &RemapError{
		AllocationID: m.req.AllocationID, Target: m.req.Target, Op: op,
		Kind: kind, Cause: context.Cause(ctx), Err: err, RequestID: awserr.RequestID(err),
	}
}

// field makes the error for a mistake in the request that reads have found.
func (m *move) field(field string, value any, rule string) *FieldError {
	return &FieldError{m.name + "." + field, value, rule}
}
