// Package ec2model is what EC2, Auto Scaling and the load balancers of
// awstest have in common: subnets, network interfaces, addresses and
// instances. It knows no SDK client; its errors are EC2's own.
//
// Every function takes the cloud's lock in the form of a *awstest.Tx. Reads
// name the moment as of which they are served.
package ec2model

import (
	"net/netip"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Options are the durations and limits of EC2.
type Options struct {
	// Pending is from the launch or start of an instance to its running;
	// Stopping from a stop to stopped; ShuttingDown from a termination to
	// terminated.
	Pending, Stopping, ShuttingDown time.Duration

	// StatusCheck is how long status checks say "initializing" after a start
	// and how long they take to see a failure.
	StatusCheck time.Duration

	// AddressQuota is the number of Elastic IP addresses a region allows.
	AddressQuota int
}

// Terminated instances stay visible for an hour.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html (read 2026-11)
const afterlife = time.Hour

// Model is EC2 in every region of a cloud.
type Model struct {
	cloud   *awstest.Cloud
	opts    Options
	regions map[*awstest.Region]*Region
	blocked map[string]func(*awstest.Tx) // transitions that wait for a zone, by instance
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		m := &Model{
			cloud: c,
			// Typical times of small Linux instances; AWS promises none.
			opts: Options{
				Pending: 15 * time.Second, Stopping: 30 * time.Second, ShuttingDown: 30 * time.Second,
				StatusCheck: 2 * time.Minute,
				// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html#using-instance-addressing-limit (read 2026-11)
				AddressQuota: 5,
			},
			regions: map[*awstest.Region]*Region{},
			blocked: map[string]func(*awstest.Tx){},
		}
		r.OnZone(m.unblock)
		return m
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// Region is EC2 in a region, with a default VPC that has a subnet in each
// zone, as a new account has it.
type Region struct {
	model   *Model
	name    string
	vpc     VPC
	subnets []*Subnet

	interfaces *history.Table[string, Interface]
	addresses  *history.Table[string, Address]
	instances  *history.Table[string, Instance]

	// What is true now, by other keys than the ID.
	holders      map[binding]string  // association's private address to allocation
	associations map[string]string   // association to allocation; "" once it has ended
	attached     map[string][]string // instance to interfaces, by device index
	tokens       map[tokenKey]launch
	privateIPs   map[netip.Addr]string // to interface
	publicIPs    map[netip.Addr]string // to allocation
}

type binding struct {
	networkInterface string
	private          netip.Addr
}

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
	used   int
}

// reserved is how many addresses of a subnet AWS keeps for itself: the first
// four and the last.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html (read 2026-11)
const reserved = 5

// Available returns how many addresses of the subnet are free.
func (s *Subnet) Available() int { return 1<<(32-s.Prefix.Bits()) - reserved - s.used }

// keeps tells whether an address of the subnet is one that AWS keeps.
func (s *Subnet) keeps(addr netip.Addr) bool {
	base, a := s.Prefix.Addr().As4(), addr.As4()
	offset := (int(a[2])-int(base[2]))<<8 + int(a[3]) - int(base[3])
	return offset < reserved-1 || offset == 1<<(32-s.Prefix.Bits())-1
}

// Region returns EC2 in a region.
func (m *Model) Region(tx *awstest.Tx, r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, name: r.Name(),
		vpc:          VPC{ID: tx.NewID("vpc"), Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 31, 0, 0}), 16)},
		interfaces:   history.NewTable[string, Interface](awstest.Memory),
		addresses:    history.NewTable[string, Address](awstest.Memory),
		instances:    history.NewTable[string, Instance](awstest.Memory),
		holders:      map[binding]string{},
		associations: map[string]string{},
		attached:     map[string][]string{},
		tokens:       map[tokenKey]launch{},
		privateIPs:   map[netip.Addr]string{},
		publicIPs:    map[netip.Addr]string{},
	}
	for i, z := range r.Zones() {
		region.subnets = append(region.subnets, &Subnet{
			ID: tx.NewID("subnet"), VPC: region.vpc.ID, Zone: z,
			Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 31, byte(16 * i), 0}), 20),
		})
	}
	m.regions[r] = region
	return region
}

// VPC returns the region's default VPC.
func (r *Region) VPC() VPC { return r.vpc }

// Subnets returns the default subnets, in the order of the zones' names.
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

// Tags are the tags of a resource, in the order in which they were set. They
// are not changed in place.
type Tags []Tag

// Tag is a key with a value.
type Tag struct{ Key, Value string }

// With returns the tags with one set.
func (t Tags) With(tag Tag) Tags {
	out := make(Tags, 0, len(t)+1)
	for _, old := range t {
		if old.Key != tag.Key {
			out = append(out, old)
		}
	}
	return append(out, tag)
}

// Without returns the tags without a key; if value is not nil, only where the
// tag has that value.
func (t Tags) Without(key string, value *string) Tags {
	var out Tags
	for _, old := range t {
		if old.Key != key || (value != nil && old.Value != *value) {
			out = append(out, old)
		}
	}
	return out
}
