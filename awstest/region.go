package awstest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// regionZones are the Availability Zones of a region, by the number in their
// ID, and the prefix of their IDs. They are those that a new account sees.
// Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html (read 2026-11)
var regionZones = map[string]struct {
	prefix string
	zones  []int
}{
	"ap-northeast-1": {"apne1", []int{1, 2, 4}},
	"ap-northeast-2": {"apne2", []int{1, 2, 3, 4}},
	"ap-south-1":     {"aps1", []int{1, 2, 3}},
	"ap-southeast-1": {"apse1", []int{1, 2, 3}},
	"ap-southeast-2": {"apse2", []int{1, 2, 3}},
	"ca-central-1":   {"cac1", []int{1, 2, 4}},
	"eu-central-1":   {"euc1", []int{1, 2, 3}},
	"eu-north-1":     {"eun1", []int{1, 2, 3}},
	"eu-west-1":      {"euw1", []int{1, 2, 3}},
	"eu-west-2":      {"euw2", []int{1, 2, 3}},
	"eu-west-3":      {"euw3", []int{1, 2, 3}},
	"sa-east-1":      {"sae1", []int{1, 2, 3}},
	"us-east-1":      {"use1", []int{1, 2, 3, 4, 5, 6}},
	"us-east-2":      {"use2", []int{1, 2, 3}},
	"us-west-1":      {"usw1", []int{1, 3}},
	"us-west-2":      {"usw2", []int{1, 2, 3, 4}},
}

// globalRegion is the pseudo-region of services without regions; calls to it
// go to globalHome.
const (
	globalRegion = "aws-global"
	globalHome   = "us-east-1"
)

func knownRegionNames() []string { return slices.Sorted(maps.Keys(regionZones)) }

// Region is a region of a [Cloud].
type Region struct {
	cloud *Cloud
	name  string
	zones []*Zone
}

// Name returns the region's name, such as us-east-1.
func (r *Region) Name() string { return r.name }

// Zones returns the region's Availability Zones in the order of their names.
func (r *Region) Zones() []*Zone { return slices.Clone(r.zones) }

// Zone is an Availability Zone of a [Cloud], or a Local Zone that a service
// has added, see [Registry.AddLocalZone].
//
// An Availability Zone has an ID, the same for every account, and a name that each account
// maps to the IDs in its own way. Here us-east-1a is use1-az2, us-east-1b is
// use1-az3 and so on round: code that takes one for the other is found out.
type Zone struct {
	region *Region
	id     string
	name   string

	// Guarded by the cloud's lock. A fault counts while it is not healed, so
	// that overlapping faults of one kind end with the last of them.
	faults   [zoneFaults]int
	refusals map[string]int // by instance type; "" refuses every type
	wasDown  bool           // when changed was noted
	changed  time.Time      // between up and down, the last time
	before   time.Duration  // in the opposite state; long if it was never there
}

// ID returns the zone's ID, such as use1-az1.
func (z *Zone) ID() string { return z.id }

// Name returns the zone's name in this account, such as us-east-1a.
func (z *Zone) Name() string { return z.name }

// Region returns the region that the zone is in.
func (z *Zone) Region() *Region { return z.region }

// Down tells whether the zone has no power or no network.
func (z *Zone) Down() bool {
	z.region.cloud.mu.Lock()
	defer z.region.cloud.mu.Unlock()
	return z.down()
}

func (z *Zone) down() bool { return z.faults[PowerLoss] > 0 || z.faults[NetworkLoss] > 0 }

// note notes when it changes whether the zone is down.
func (z *Zone) note(tx *Tx) {
	if down := z.down(); down != z.wasDown {
		z.wasDown, z.changed, z.before = down, tx.now, tx.now.Sub(z.changed)
	}
}

func newRegion(c *Cloud, name string) *Region {
	spec := regionZones[name]
	r := &Region{cloud: c, name: name}
	for i := range spec.zones {
		r.zones = append(r.zones, &Zone{
			region:   r,
			id:       fmt.Sprintf("%s-az%d", spec.prefix, spec.zones[(i+1)%len(spec.zones)]),
			name:     fmt.Sprintf("%s%c", name, 'a'+i),
			refusals: map[string]int{},
		})
	}
	return r
}

// Region returns the region of that name, or a [*FieldError].
func (c *Cloud) Region(name string) (*Region, error) {
	if r, ok := c.regions[name]; ok {
		return r, nil
	}
	return nil, &FieldError{Field: "region", Value: fmt.Sprintf("%q", name), Rule: "is not a region of this cloud"}
}

// Zone returns the zone of that ID, or a [*FieldError].
func (c *Cloud) Zone(id string) (*Zone, error) {
	if z, ok := c.zones[id]; ok {
		return z, nil
	}
	return nil, &FieldError{Field: "zone", Value: fmt.Sprintf("%q", id), Rule: "is not a zone ID of this cloud"}
}
