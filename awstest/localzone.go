package awstest

import (
	"fmt"
	"regexp"
)

// localZoneName takes the name of a Local Zone apart: the region, the place,
// the number of the place and the letter of the zone.
var localZoneName = regexp.MustCompile(`^([a-z]{2}-[a-z]+-[0-9])-([a-z]{3})-([0-9])([a-z])$`)

// AddLocalZone adds a Local Zone to its region, by its name, such as
// us-east-1-bos-1a. It is a zone like any other: [Cloud.Zone] finds it by its
// ID, use1-bos1-az1, it fails and refuses launches. [Region.Zones] does not
// list it, since that is Availability Zones. A name that is none, or is there
// already, is a [*FieldError].
func (r *Registry) AddLocalZone(name string) (*Zone, error) {
	bad := func(rule string) error { return &FieldError{Field: "zone", Value: fmt.Sprintf("%q", name), Rule: rule} }
	parts := localZoneName.FindStringSubmatch(name)
	if parts == nil {
		return nil, bad("is not the name of a Local Zone, such as us-east-1-bos-1a")
	}
	region, ok := r.cloud.regions[parts[1]]
	if !ok {
		return nil, bad("is not in a region of this cloud")
	}
	id := fmt.Sprintf("%s-%s%s-az%d", regionZones[region.name].prefix, parts[2], parts[3], parts[4][0]-'a'+1)
	if _, twice := r.cloud.zones[id]; twice {
		return nil, bad("is named twice")
	}
	z := &Zone{region: region, id: id, name: name, refusals: map[string]int{}}
	r.cloud.zones[id] = z
	return z, nil
}
