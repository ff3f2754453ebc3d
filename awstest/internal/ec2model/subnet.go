package ec2model

import (
	"encoding/binary"
	"net/netip"

	"github.com/awsha/awsha/awstest"
)

// VPC is a virtual private cloud.
type VPC struct {
	ID     string
	Prefix netip.Prefix
}

// Subnet is a subnet in a zone.
type Subnet struct {
	ID     string
	VPC    string
	Zone   *awstest.Zone
	Prefix netip.Prefix

	// Default tells whether launches that name no subnet can go here. In a
	// Local Zone they cannot.
	Default bool

	taken  map[netip.Addr]string // to interface
	lowest int                   // every address below this one is taken or kept
}

// AWS keeps the first four addresses of a subnet and the last.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html (read 2026-11)
const (
	keptFirst = 4
	keptLast  = 1
)

// VPC returns the region's default VPC.
func (r *Region) VPC() VPC { return r.vpc }

// Subnets returns the subnets, in the order of the zones' names: the default
// ones, then those in Local Zones.
func (r *Region) Subnets() []*Subnet { return r.subnets }

// Subnet returns the subnet of that ID.
func (r *Region) Subnet(id string) (*Subnet, error) {
	for _, s := range r.subnets {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, awstest.Errorf("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
}

func (s *Subnet) size() int { return 1 << (32 - s.Prefix.Bits()) }

// Available returns how many addresses of the subnet are free.
func (s *Subnet) Available() int { return s.size() - keptFirst - keptLast - len(s.taken) }

// nth returns an address by its distance from the first.
func (s *Subnet) nth(n int) netip.Addr {
	a := s.Prefix.Addr().As4()
	binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+uint32(n))
	return netip.AddrFrom4(a)
}

// offers tells whether an address of the subnet can belong to an interface.
func (s *Subnet) offers(addr netip.Addr) bool {
	return s.Prefix.Contains(addr) && !addr.Less(s.nth(keptFirst)) && addr.Less(s.nth(s.size()-keptLast))
}

// take gives an address to an interface: the one asked for, or the lowest
// that is free.
func (s *Subnet) take(networkInterface string, addr netip.Addr) (netip.Addr, error) {
	switch {
	case !addr.IsValid() && s.Available() == 0:
		return addr, s.full()
	case !addr.IsValid():
		s.lowest = max(s.lowest, keptFirst)
		for s.taken[s.nth(s.lowest)] != "" {
			s.lowest++
		}
		addr = s.nth(s.lowest)
	case !s.offers(addr):
		return addr, awstest.Errorf("InvalidParameterValue", "Address %s does not fall within the subnet's address range", addr)
	case s.taken[addr] != "":
		return addr, awstest.Errorf("InvalidIPAddress.InUse", "The specified address is already in use.")
	}
	s.taken[addr] = networkInterface
	return addr, nil
}

// release takes an address back.
func (s *Subnet) release(addr netip.Addr) {
	delete(s.taken, addr)
	s.lowest = 0
}

func (s *Subnet) full() error {
	return awstest.Errorf("InsufficientFreeAddressesInSubnet", "The specified subnet '%s' does not have enough free addresses to satisfy the request.", s.ID)
}
