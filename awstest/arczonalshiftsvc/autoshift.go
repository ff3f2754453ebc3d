package arczonalshiftsvc

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// StartAutoshift moves the resources of a zone that are enabled for zonal
// autoshift out of the zone, as AWS does when it sees the zone in trouble,
// until end is called. A shift that a customer has started for a resource
// comes before it. That a zone fails in this cloud does not start one: AWS may do so
// late or never.
//
// A mistake is a [*awstest.FieldError].
func StartAutoshift(cloud *awstest.Cloud, zoneID string) (end func(), err error) {
	zone, err := cloud.Zone(zoneID)
	if err != nil {
		return nil, err
	}
	var stop func(*awstest.Tx)
	cloud.Update(func(tx *awstest.Tx) {
		m, ok := awstest.Lookup[zonalshiftmodel.Model](tx)
		if !ok {
			err = &awstest.FieldError{Field: "cloud", Value: "the cloud", Rule: "must have zonal shift"}
			return
		}
		stop = m.Region(zone.Region()).StartAutoshift(tx, zone)
	})
	if err != nil {
		return nil, err
	}
	return func() { cloud.Update(stop) }, nil
}
