package eip

import (
	"context"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// explain turns EC2's refusal of the associate into the outcome. One code stands for three: the address is on the
// target already, somebody else holds it, or the target holds another address. The refusal itself is final; reads
// only tell which it was, for as long as ReadLag, and what they do not show by then remains unnamed.
func (m *move) explain(ctx context.Context, refusal error) *RemapError {
	failure := m.fail(ctx, OpAssociate, ErrConflict, refusal)
	// EC2 says "resource eipalloc-1 is already associated with associate-id eipassoc-2", or "resource eni-1 and
	// 10.0.0.4 is already associated with public address 203.0.113.7". An emulator may say neither.
	holder, busy := awserr.ID(refusal, "eipassoc"), awserr.ID(refusal, "eni") != ""
	if busy {
		failure.Kind = ErrOccupied
	}
	if holder != "" { // EC2 says so itself, and later than whatever has said that it ended
		m.history.revive(holder)
		m.ended = m.ended && holder != m.res.Before.ID
	}
	if m.brief && (busy || holder != "") {
		failure.Owner.ID = holder
		return failure
	}
	if busy && m.inTheWay.AssociationID != "" { // as a read has shown before
		failure.Occupant = m.inTheWay
		return failure
	}
	there := false
	named := retry.Poll(ctx, m.opts.ReadLag, m.opts.polling(), func(ctx context.Context) bool {
		if !busy {
			_, now, err := m.read(ctx)
			if err == nil && now.ID != "" && !m.stale(now) && (holder == "" || holder == now.ID) {
				failure.Owner, there = now, m.to.holds(now)
				return true
			}
		}
		if busy || holder == "" {
			if other, err := m.occupant(ctx); err == nil && other != (Occupant{}) {
				failure.Kind, failure.Occupant = ErrOccupied, other
				return true
			}
		}
		return false
	})
	switch {
	case there:
		m.confirm(ctx, failure.Owner)
		return nil
	case !named && !busy:
		failure.Owner.ID = holder
	}
	return failure
}

// occupant reads which other address is where this one is to go; zero if none is, as far as the read tells.
func (m *move) occupant(ctx context.Context) (Occupant, error) {
	n, err := ask(ctx, m, m.listInterfaces, (*rounds).interfaceQueue, &m.res.Calls.Inspect, m.to.NetworkInterfaceID, awserr.NetworkInterface)
	if err != nil {
		return Occupant{}, err
	}
	there := placeOfInterface(n)
	at, _ := there.at(m.to.PrivateIP)
	if m.same(at.occupant) || m.history.ended(at.occupant.AllocationID, at.occupant.AssociationID) {
		return Occupant{}, nil
	}
	return at.occupant, nil
}
