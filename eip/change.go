package eip

import (
	"context"
	"errors"
	"time"

	"github.com/awsha/awsha/internal/awserr"
)

// change makes the calls that change something. If reads had to settle that the association was made, it is in
// m.res.After.
func (m *move) change(ctx context.Context) (made Association, err error) {
	switch err := m.slot.take(ctx); {
	case errors.Is(err, ErrHalted):
		return made, m.fail(ctx, OpDisassociate, ErrHalted, m.rounds.outageCause())
	case err != nil:
		return made, m.fail(ctx, OpDisassociate, nil, nil)
	}
	defer func() {
		if m.stranded(err) {
			m.slot.drop(err)
		}
		m.slot.give()
	}()
	m.history.tell(m.req.AllocationID, m.res.Before.ID)
	if m.res.Before.ID != "" && m.req.Guard == GuardStrict {
		if err := m.disassociate(ctx); err != nil {
			return made, err
		}
	}
	return m.associate(ctx)
}

// stranded tells whether a move has ended with the address freed, or perhaps freed by a call that got no answer, for a reason that
// other moves would meet as well.
func (m *move) stranded(err error) bool {
	var failure *RemapError
	if !errors.As(err, &failure) {
		return false
	}
	switch awserr.Of(failure.Err) {
	case awserr.Transient:
		return m.ended || failure.Op == OpDisassociate
	case awserr.Throttle, awserr.Unsent, awserr.Denied:
		return m.ended
	}
	return false
}

// disassociate ends the expected association. It may be repeated at will: its ID can never mean a newer owner's. One that
// has ended already is as good, whoever ended it; if that was a rival, the associate finds out.
func (m *move) disassociate(ctx context.Context) error {
	gone, err := m.end(ctx, m.res.Before.ID)
	if err != nil {
		return m.fail(ctx, OpDisassociate, kindOf(err), err)
	}
	m.ended, m.gone, m.freed = true, gone, time.Now()
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
	gone, err := m.end(ctx, other.AssociationID)
	if err != nil {
		failure := m.fail(ctx, OpDisplace, kindOf(err), err)
		failure.Occupant = other
		return failure
	}
	if !gone { // else it had left by itself
		m.displaced(ctx, other)
	}
	return nil
}

func (m *move) displaced(ctx context.Context, other Occupant) {
	m.res.Displaced = other
	m.emit(ctx, Event{Kind: KindDisplaced, Occupant: other})
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

// associate makes the association. Under the guards that check who holds the address, only EC2's answer decides who won. If
// reads had to find out that it was made, it is in m.res.After.
//
// Whoever holds the target is displaced when EC2 has refused the associate for its sake: an outdated expectation, or an address
// that somebody else holds, displaces nobody. What a read showed before may have been out of date, so that there is a second try.
func (m *move) associate(ctx context.Context) (made Association, err error) {
	for tries := 1; ; tries++ {
		made, err = m.attempt(ctx)
		var outcome *RemapError
		switch {
		case err == nil || errors.As(err, &outcome):
			return made, err
		case classOf(err) != awserr.Conflict:
			return made, m.fail(ctx, OpAssociate, kindOf(err), err)
		}
		last := !m.req.Displace || tries == 3
		if last {
			m.slot.give()
		}
		failure := m.explain(ctx, err)
		switch {
		case failure == nil:
			return made, nil
		case last || !errors.Is(failure.Kind, ErrOccupied):
			return made, failure
		}
		if err := m.displace(ctx, failure.Occupant); err != nil {
			return made, err
		}
		m.inTheWay = Occupant{}
	}
}

// attempt calls AssociateAddress, and repeats it when EC2 has refused it for a reason that passes. When the outcome is
// unknown, reads settle it; a blind repetition could take back an address that a rival has just taken from us and not
// associated yet. The error is EC2's, or a RemapError where reads have settled it.
func (m *move) attempt(ctx context.Context) (made Association, err error) {
	var id string
	var mark int
	err = m.retry(ctx, m.associable, func(ctx context.Context) (err error) {
		if ctx.Err() != nil { // nothing is sent, so that there is nothing to settle
			return m.fail(ctx, OpAssociate, nil, nil)
		}
		if m.refused { // EC2 names the association that it has ended, or did not know, a moment ago
			m.refused = false
			if err := m.disassociate(ctx); err != nil {
				return err
			}
		}
		mark = m.history.mark()
		if id, err = m.sendAssociate(ctx); classOf(err) != awserr.Transient {
			return err
		}
		// The slot is kept: the address may be free.
		switch settled := m.settle(ctx, err); {
		case settled != nil:
			return settled
		case m.res.After != Association{}:
			return nil
		}
		return err
	})
	if err != nil || m.res.After != (Association{}) {
		return made, err
	}
	m.res.Changed = m.history.replace(m.req.AllocationID, id, mark)
	if !m.freed.IsZero() {
		m.gap = time.Since(m.freed)
	}
	if m.req.Guard == GuardLease && m.res.Changed && m.inTheWay != (Occupant{}) {
		m.displaced(ctx, m.inTheWay)
	}
	made = Association{id, m.to.NetworkInterfaceID, m.req.Target.InstanceID, m.to.PrivateIP}
	m.emit(ctx, Event{Kind: KindAssociated, Association: made})
	return made, nil
}
