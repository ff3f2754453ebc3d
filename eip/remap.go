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
	spot   *spot // of the target, if that was read

	to       Target         // the target, an instance resolved to its interface
	address  *types.Address // as the first read showed it; nil if there was none
	inTheWay Occupant       // on the target, as a read showed
	ended    bool           // that res.Before has ended is certain, or was EC2's answer
	gone     bool           // it was not this move that ended it
	freed    time.Time      // when this move ended it
	gap      time.Duration  // from then to the association
	refused  bool           // EC2 has refused the associate because of res.Before
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
	if err := m.rounds.place(m); err != nil {
		return err
	}
	made, err := m.change(ctx)
	if err != nil || m.res.After != (Association{}) { // reads have shown it already
		return err
	}
	return m.verify(ctx, made)
}

// Reasons to read the address once more.
var (
	errStale = errors.New("reads show an association that has ended")
	errOther = errors.New("reads show another owner than the one that is expected")
)

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

// find reads the address until it shows an association that is not known to have ended, and for ReadLag one with the owner
// that the caller expects.
func (m *move) find(ctx context.Context) (now Association, err error) {
	again := func(err error, elapsed time.Duration) (retry.Policy, bool) {
		if errors.Is(err, errOther) {
			return m.opts.polling(), elapsed < m.opts.ReadLag
		}
		return repeatable(err, elapsed)
	}
	err = m.retry(ctx, again, func(ctx context.Context) error {
		address, read, err := m.read(ctx)
		if err != nil {
			return err
		}
		m.address, now = &address, read
		switch {
		case m.history.ended(m.req.AllocationID, now.ID):
			return errStale
		case !m.to.holds(now) && m.contradicts(now):
			return errOther
		}
		return nil
	})
	switch {
	case errors.Is(err, errOther) && ctx.Err() != nil: // it was doubted, and that is all
		return now, m.fail(ctx, OpRead, nil, err)
	case errors.Is(err, errOther):
		return now, nil
	case errors.Is(err, errStale):
		m.res.Next = m.req.Expect // nothing was done
		if m.res.Next == (Expect{}) {
			m.res.Next.Association.ID = m.history.latest(m.req.AllocationID)
		}
		return now, m.fail(ctx, OpRead, ErrUnverified, err)
	case err != nil:
		return now, m.fail(ctx, OpRead, kindOf(err), err)
	}
	return now, nil
}

// contradicts tells whether a read shows another owner than the one that the caller has named without an association ID.
func (m *move) contradicts(now Association) bool {
	expected := m.req.Expect.Association
	return m.req.Guard != GuardFree && expected.ID == "" && now != Association{} && !expected.agrees(now)
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
	case m.contradicts(now):
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
