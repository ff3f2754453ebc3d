package eip

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
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

// isAccount tells an account ID from the names that AWS uses for itself.
func isAccount(id string) bool { return len(id) == 12 && strings.Trim(id, "0123456789") == "" }

func parseIP(s *string) netip.Addr {
	ip, _ := netip.ParseAddr(aws.ToString(s)) // the zero Addr if there is none
	return ip
}
