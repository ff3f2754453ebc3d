package ec2model

import (
	"slices"

	"github.com/awsha/awsha/awstest"
)

// maxSubnets is how many /20 subnets fit into a default VPC, a /16.
const maxSubnets = 16

// AddLocalZone opts a region in to a Local Zone, before EC2 is used there. It
// is false if the default VPC has no room for a subnet in it.
func (m *Model) AddLocalZone(z *awstest.Zone) bool {
	r := z.Region()
	m.local[r] = append(m.local[r], z)
	return len(r.Zones())+len(m.local[r]) <= maxSubnets
}

// Zones returns the zones of a region that the account can use: Availability
// Zones, then Local Zones.
func (m *Model) Zones(r *awstest.Region) []*awstest.Zone { return append(r.Zones(), m.local[r]...) }

// ZoneMark is what a zone is said to be.
type ZoneMark struct {
	State    string
	Messages []string
}

// MarkZone marks a zone until the function that it returns is called.
func (r *Region) MarkZone(z *awstest.Zone, mark ZoneMark) (end func(*awstest.Tx)) {
	r.marks[z] = append(r.marks[z], &mark)
	return func(*awstest.Tx) {
		r.marks[z] = slices.DeleteFunc(r.marks[z], func(m *ZoneMark) bool { return m == &mark })
	}
}

// Mark returns the last mark of a zone, and whether it has any.
func (r *Region) Mark(z *awstest.Zone) (ZoneMark, bool) {
	if marks := r.marks[z]; len(marks) > 0 {
		return *marks[len(marks)-1], true
	}
	return ZoneMark{}, false
}

// BorderGroup returns the network border group that a zone is in: the name of
// the zone without its letter. That is the region for Availability Zones.
func BorderGroup(z *awstest.Zone) string { return z.Name()[:len(z.Name())-1] }

// hasBorderGroup tells whether addresses can be advertised from a group.
func (r *Region) hasBorderGroup(group string) bool {
	for _, s := range r.subnets {
		if BorderGroup(s.Zone) == group {
			return true
		}
	}
	return false
}

// Zone returns the zone that a request names, by ID or by name; nil if it
// names none.
func (r *Region) Zone(id, name string) (*awstest.Zone, error) {
	switch {
	case id == "" && name == "":
		return nil, nil
	case id != "" && name != "":
		return nil, awstest.Errorf("InvalidParameterCombination", "You may specify either an Availability Zone or an Availability Zone ID, but not both")
	}
	if z := r.findZone(id, name); z != nil {
		return z, nil
	}
	return nil, awstest.Errorf("InvalidParameterValue", "Invalid availability zone: [%s]", id+name)
}

// FindZone returns the zone with an ID or a name; nil if there is none.
func (r *Region) FindZone(name string) *awstest.Zone { return r.findZone(name, name) }

func (r *Region) findZone(id, name string) *awstest.Zone {
	for _, z := range r.model.Zones(r.region) {
		if z.ID() == id || z.Name() == name {
			return z
		}
	}
	return nil
}
