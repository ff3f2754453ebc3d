package eip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/internal/retry"
)

// place is what reads tell of a target: where it is, whose, and what is there already.
type place struct {
	eni      string
	instance string // that it is attached to, if that was read
	vpc      string
	zone     string                  // its name
	account  string                  // that owns the interface
	managed  bool                    // by a service of AWS
	state    types.InstanceStateName // of the instance, if that was read

	addresses []spot
}

// spot is a private address of an interface, and the Elastic IP address that is associated with it, if any.
type spot struct {
	private  netip.Addr
	primary  bool
	occupant Occupant
}

// at returns the spot that an address would be associated with; false if the interface has no such private address.
func (p *place) at(private netip.Addr) (spot, bool) {
	for _, s := range p.addresses {
		if s.private == private || !private.IsValid() && s.primary {
			return s, true
		}
	}
	return spot{}, len(p.addresses) == 0 && !private.IsValid() // nothing was said of them: it is left to EC2
}

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
	m.inTheWay = at.occupant
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

func placeOfInterface(n types.NetworkInterface) place {
	p := place{
		eni: aws.ToString(n.NetworkInterfaceId), vpc: aws.ToString(n.VpcId), zone: aws.ToString(n.AvailabilityZone),
		account: aws.ToString(n.OwnerId), managed: aws.ToBool(n.RequesterManaged),
	}
	if n.Attachment != nil {
		p.instance = aws.ToString(n.Attachment.InstanceId)
	}
	for _, ip := range n.PrivateIpAddresses {
		s := spot{private: parseIP(ip.PrivateIpAddress), primary: aws.ToBool(ip.Primary)}
		if a := ip.Association; a != nil && aws.ToString(a.AllocationId) != "" { // a public address that was not allocated steps aside
			s.occupant = Occupant{aws.ToString(a.AllocationId), aws.ToString(a.AssociationId), parseIP(a.PublicIp)}
		}
		p.addresses = append(p.addresses, s)
	}
	return p
}

// usable tells whether EC2 associates addresses with an instance in that state: with one that is stopped it does.
func usable(state types.InstanceStateName) error {
	switch state {
	case types.InstanceStateNamePending:
		return errPending
	case types.InstanceStateNameShuttingDown, types.InstanceStateNameTerminated:
		return errTerminated
	}
	return nil
}

// placeOfInstance says where an instance is. What is wrong with one that is pending may change until it runs.
func (m *move) placeOfInstance(i types.Instance) (place, error) {
	var state types.InstanceStateName
	if i.State != nil {
		state = i.State.Name
	}
	unusable := usable(state)
	if errors.Is(unusable, errTerminated) {
		return place{}, unusable
	}
	p, err := m.resolve(i)
	p.state = state
	switch {
	case unusable == nil:
		return p, err
	case err != nil:
		p = place{}
	}
	return p, unusable
}

// resolve finds the interface of an instance: the only one, or the one that has the private address asked for.
func (m *move) resolve(i types.Instance) (place, error) {
	id := aws.ToString(i.InstanceId)
	var places []place
	var ids []string
	for _, n := range i.NetworkInterfaces {
		p := place{
			eni: aws.ToString(n.NetworkInterfaceId), instance: id, vpc: aws.ToString(n.VpcId), account: aws.ToString(n.OwnerId),
		}
		if i.Placement != nil {
			p.zone = aws.ToString(i.Placement.AvailabilityZone)
		}
		for _, ip := range n.PrivateIpAddresses {
			s := spot{private: parseIP(ip.PrivateIpAddress), primary: aws.ToBool(ip.Primary)}
			if a := ip.Association; a != nil && isAccount(aws.ToString(a.IpOwnerId)) { // "amazon" owns those that are not allocated
				s.occupant = Occupant{PublicIP: parseIP(a.PublicIp)}
			}
			p.addresses = append(p.addresses, s)
		}
		ids = append(ids, p.eni)
		if _, ok := p.at(m.req.Target.PrivateIP); ok {
			places = append(places, p)
		}
	}
	switch {
	case len(i.NetworkInterfaces) == 0:
		return place{}, errNoInterface
	case len(places) == 0:
		return place{eni: strings.Join(ids, ", ")}, errNoPrivateIP
	case len(places) > 1:
		return place{eni: strings.Join(ids, " and ")}, errSeveral
	}
	return places[0], nil
}

// isAccount tells an account ID from the names that AWS uses for itself.
func isAccount(id string) bool { return len(id) == 12 && strings.Trim(id, "0123456789") == "" }

// same tells whether an occupant is the very address that is to be moved.
func (m *move) same(o Occupant) bool {
	if o.AllocationID != "" {
		return o.AllocationID == m.req.AllocationID
	}
	return m.res.PublicIP.IsValid() && o.PublicIP == m.res.PublicIP
}

// match holds address and target against each other, as far as both were read.
func (m *move) match(ctx context.Context, there place) error {
	if err := m.matchHands(there); err != nil || m.address == nil {
		return err
	}
	if err := m.matchAccount(there); err != nil {
		return err
	}
	return m.matchGroup(ctx, there)
}

// movable refuses an address that EC2 would not move.
func (m *move) movable() error {
	switch {
	case m.address.ServiceManaged != "":
		rule := "must not be an address that a service manages, which is " + string(m.address.ServiceManaged)
		return m.field("AllocationID", m.req.AllocationID, rule)
	case m.address.Domain != "" && m.address.Domain != types.DomainTypeVpc:
		return m.field("AllocationID", m.req.AllocationID, "must be an address for VPCs; its domain is "+string(m.address.Domain))
	}
	return nil
}

func (m *move) matchHands(there place) error {
	if there.managed {
		return m.field("Target", m.req.Target.String(), "must not be a network interface that a service of AWS manages")
	}
	return nil
}

func (m *move) matchAccount(there place) error {
	if owner := aws.ToString(m.address.NetworkInterfaceOwnerId); owner != "" && there.account != "" && owner != there.account {
		rule := fmt.Sprintf("must be of the account that owns the interface with the address, which is %s; it is of %s", owner, there.account)
		return m.field("Target", m.req.Target.String(), rule)
	}
	return nil
}

func (m *move) matchGroup(ctx context.Context, there place) error {
	group, err := m.borderGroup(ctx, aws.ToString(m.address.NetworkBorderGroup), there.zone)
	switch {
	case err != nil:
		return m.fail(ctx, OpInspect, kindOf(err), err)
	case group != aws.ToString(m.address.NetworkBorderGroup):
		rule := fmt.Sprintf("must be in the network border group of the address, which is %s; it is in %s", *m.address.NetworkBorderGroup, group)
		return m.field("Target", m.req.Target.String(), rule)
	}
	return nil
}

// borderGroup returns the network border group of a zone. The zones of a Region are in the group of its name, so that want is
// believed of us-east-1a if it is us-east-1; Local and Wavelength Zones have groups of their own, which are read once.
func (m *move) borderGroup(ctx context.Context, want, zone string) (string, error) {
	if want == "" || zone == "" || len(zone) == len(want)+1 && strings.HasPrefix(zone, want) {
		return want, nil
	}
	if group, ok := m.groups.Load(zone); ok {
		return group.(string), nil
	}
	group := want // where EC2 does not say, it is left to EC2
	err := m.retry(ctx, repeatable, func(ctx context.Context) error {
		z, err := ask(ctx, m, m.listZones, (*rounds).zoneQueue, &m.res.Calls.Inspect, zone, "")
		if err == nil && aws.ToString(z.NetworkBorderGroup) != "" {
			group = *z.NetworkBorderGroup
			m.groups.Store(zone, group)
		}
		return err
	})
	return group, err
}

// spots lists the private addresses.
func (p *place) spots() string {
	var list []string
	for _, s := range p.addresses {
		list = append(list, s.private.String())
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func parseIP(s *string) netip.Addr {
	ip, _ := netip.ParseAddr(aws.ToString(s)) // the zero Addr if there is none
	return ip
}
