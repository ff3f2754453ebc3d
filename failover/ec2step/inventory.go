package ec2step

import (
	"slices"
	"time"
)

// Inventory is what can be known of where instances may run: zones, subnets, offerings, and what is reserved in one Region at one time. [Survey]
// reads it; a test or a drill may write one. It is plain data and travels as JSON.
type Inventory struct {
	Time    time.Time `json:"time"`
	Zones   []Zone    `json:"zones"`
	Subnets []Subnet  `json:"subnets"`

	// Offered has the IDs of the zones that offer an instance type, by type. Nil knows nothing, and every zone may offer every type.
	Offered map[string][]string `json:"offered,omitempty"`

	// OnInstanceStorage are the types that have instance store volumes.
	OnInstanceStorage []string `json:"on_instance_storage,omitempty"`

	Reservations []Reservation `json:"reservations,omitempty"`
	Reserved     []Reserved    `json:"reserved,omitempty"`
	Instances    []Instance    `json:"instances,omitempty"`

	// Unread says which of the reads failed, and why: what they would have shown is missing.
	Unread []string `json:"unread,omitempty"`
}

// Zone is an Availability Zone.
type Zone struct {
	ID    string `json:"id"`   // "use1-az1": the same place in every account
	Name  string `json:"name"` // "us-east-1a": another place in each account
	State string `json:"state"`
}

// The states of zones that matter to placement. A zone that is "available", or says something else, is used.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AvailabilityZone.html (read 2026-11).
const (
	zoneConstrained = "constrained" // new instances may be refused: tried last
	zoneImpaired    = "impaired"    // not used
	zoneUnavailable = "unavailable" // not used
)

func (z *Zone) is(name string) bool { return z.ID == name || z.Name == name }

func (z *Zone) usable() bool { return z.State != zoneImpaired && z.State != zoneUnavailable }

// Subnet is where an instance gets its address.
type Subnet struct {
	ID     string `json:"id"`
	ZoneID string `json:"zone"`
	VPC    string `json:"vpc"`
	Free   int    `json:"free"` // addresses
}

// Reservation is an On-Demand Capacity Reservation that is active.
type Reservation struct {
	ID       string `json:"id"`
	ZoneID   string `json:"zone"`
	Type     string `json:"type"`
	Platform string `json:"platform"`
	Tenancy  string `json:"tenancy"`
	Targeted bool   `json:"targeted"` // only launches that name it use it; others are used by whatever matches
	Total    int    `json:"total"`
	Free     int    `json:"free"`
}

// Reserved are zonal Reserved Instances that are active. Regional ones are a discount and hold no capacity.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/reserved-instances-scope.html (read 2026-11).
type Reserved struct {
	ID       string `json:"id"`
	ZoneID   string `json:"zone"`
	Type     string `json:"type"`
	Platform string `json:"platform"`
	Tenancy  string `json:"tenancy"`
	Count    int    `json:"count"`
}

// Instance is an instance that runs or is about to.
type Instance struct {
	ID          string            `json:"id"`
	ZoneID      string            `json:"zone"`
	Type        string            `json:"type"`
	Platform    string            `json:"platform"`
	Tenancy     string            `json:"tenancy"`
	Reservation string            `json:"reservation,omitempty"` // the Capacity Reservation that it runs in
	RootStore   string            `json:"root_store"`            // "ebs" or "instance-store"
	DataVolumes int               `json:"data_volumes"`          // of EBS, beside the root volume
	Tags        map[string]string `json:"tags,omitempty"`
}

// DefaultPlatform is the platform of reservations that Linux matches.
const DefaultPlatform = "Linux/UNIX"

func (inv *Inventory) zone(name string) *Zone {
	for i := range inv.Zones {
		if z := &inv.Zones[i]; z.is(name) {
			return z
		}
	}
	return nil
}

func (inv *Inventory) offers(zoneID, instanceType string) bool {
	return inv.Offered == nil || slices.Contains(inv.Offered[instanceType], zoneID)
}

// held returns how many instances of a type the zonal Reserved Instances hold capacity for in a zone, beyond those that run. An instance in a
// Capacity Reservation takes none of it.
func (inv *Inventory) held(zoneID, instanceType, platform string) int {
	n := 0
	for _, r := range inv.Reserved {
		if r.ZoneID == zoneID && r.Type == instanceType && r.Platform == platform && r.Tenancy == tenancyDefault {
			n += r.Count
		}
	}
	if n == 0 {
		return 0
	}
	for _, i := range inv.Instances {
		if i.ZoneID == zoneID && i.Type == instanceType && i.Platform == platform && i.Tenancy == tenancyDefault && i.Reservation == "" {
			n--
		}
	}
	return max(n, 0)
}

const tenancyDefault = "default"
