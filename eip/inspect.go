package eip

import (
	"context"
	"errors"
	"time"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// Reasons to read once more: reads may lag behind what was made, attached or moved away a moment ago.
var (
	errNoInterface = errors.New("the instance has no network interface")
	errSeveral     = errors.New("the instance has several network interfaces")
	errNoPrivateIP = errors.New("the interface has no such private address")
	errOccupied    = errors.New("the target holds another address")
	errPending     = errors.New("the instance is pending")
	errTerminated  = errors.New("the instance is terminated or shutting down")
)

// inspect reads the target, resolves an instance to its interface, and refuses what EC2 would refuse later, when the
// address has left its owner. It waits for a pending instance, for a new one to become known, and for a moment for an
// address that may have left the target just now.
func (m *move) inspect(ctx context.Context) error {
	var there place
	err := m.retry(ctx, m.inspectable, func(ctx context.Context) (err error) {
		if there, err = m.locate(ctx); err != nil {
			return err
		}
		return m.room(ctx, there)
	})
	if err != nil {
		return m.refuse(ctx, there, err)
	}
	return m.match(ctx, there)
}

// room looks at the spot that the address would have, which is the target from then on: whether there is such a one, and which
// other address is there.
func (m *move) room(ctx context.Context, there place) (err error) {
	at, ok := there.at(m.req.Target.PrivateIP)
	if !ok {
		return errNoPrivateIP
	}
	m.to = Target{NetworkInterfaceID: there.eni, PrivateIP: m.req.Target.PrivateIP}
	m.inTheWay, m.spot = at.occupant, &at
	switch {
	case m.same(at.occupant) || m.history.ended(at.occupant.AllocationID, at.occupant.AssociationID):
		m.inTheWay = Occupant{}
	case at.occupant != Occupant{} && at.occupant.AllocationID == "" && !m.res.PublicIP.IsValid() && !m.brief:
		// An instance shows public addresses only, and this one may be the very address that is to be moved.
		if m.inTheWay, err = m.occupant(ctx); err != nil {
			return err
		}
	}
	if m.inTheWay != (Occupant{}) && !m.req.Displace {
		return errOccupied
	}
	return nil
}

// same tells whether an occupant is the very address that is to be moved.
func (m *move) same(o Occupant) bool {
	if o.AllocationID != "" {
		return o.AllocationID == m.req.AllocationID
	}
	return m.res.PublicIP.IsValid() && o.PublicIP == m.res.PublicIP
}

// inspectable chooses the pauses between reads of the target.
func (m *move) inspectable(err error, elapsed time.Duration) (retry.Policy, bool) {
	switch {
	case errors.Is(err, errPending):
		return retry.Pending(), true
	case errors.Is(err, errNoInterface), errors.Is(err, errSeveral), errors.Is(err, errNoPrivateIP), errors.Is(err, errOccupied), awserr.Of(err) == awserr.NotFound:
		return m.opts.polling(), elapsed < m.opts.ReadLag
	}
	return repeatable(err, elapsed)
}

// refuse turns what inspect has found into the error for the caller.
func (m *move) refuse(ctx context.Context, there place, err error) error {
	switch {
	case errors.Is(err, errSeveral):
		return m.field("Target.InstanceID", m.req.Target.InstanceID, "must have one network interface, or a PrivateIP beside it; it has "+there.eni)
	case errors.Is(err, errNoPrivateIP):
		return m.field("Target.PrivateIP", m.req.Target.PrivateIP, "must be a private address of "+there.eni+"; it has "+there.spots())
	case errors.Is(err, errOccupied):
		failure := m.fail(ctx, OpInspect, ErrOccupied, nil)
		failure.Occupant = m.inTheWay
		return failure
	case errors.Is(err, errTerminated):
		return m.fail(ctx, OpInspect, ErrTargetGone, err)
	}
	return m.fail(ctx, OpInspect, kindOf(err), err)
}

// locate reads the target once. Beside errPending there may be a place already.
func (m *move) locate(ctx context.Context) (place, error) {
	if id := m.req.Target.InstanceID; id != "" {
		i, err := ask(ctx, m, m.listInstances, (*rounds).instanceQueue, &m.res.Calls.Inspect, id, awserr.Instance)
		if err != nil {
			return place{}, err
		}
		return m.placeOfInstance(i)
	}
	n, err := ask(ctx, m, m.listInterfaces, (*rounds).interfaceQueue, &m.res.Calls.Inspect, m.req.Target.NetworkInterfaceID, awserr.NetworkInterface)
	if err != nil {
		return place{}, err
	}
	return placeOfInterface(n), nil
}
