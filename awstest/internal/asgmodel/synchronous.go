package asgmodel

import (
	"errors"
	"reflect"
	"regexp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// LaunchRequest is what LaunchInstances asks for.
type LaunchRequest struct {
	Group, Token string
	Count        int
	Zone         string // a name; at most one of these three, and Subnet besides a zone
	ZoneID       string
	Subnet       string
	Retry        bool // what fails is launched as the group is set
}

// LaunchResult is what came of it.
type LaunchResult struct {
	Zone   *awstest.Zone
	Subnet *ec2model.Subnet
	Type   string
	IDs    []string
	Failed *awstest.APIError // of those that are missing
}

type remembered struct {
	request LaunchRequest
	result  LaunchResult
}

// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchInstances.html (read 2026-11)
var clientToken = regexp.MustCompile(`^[A-Za-z0-9\-_/]{1,64}$`)

const maxLaunched = 100

// Launch launches instances at once, into one zone. The same token again
// returns what came of it then; AWS does not say for how long, and here it is
// for ever.
//
// The desired capacity grows by what was launched, or, with Retry, by what was
// asked for. That it does without Retry as well, and that a request beyond the
// maximum is refused, is not documented; without either the group would take
// the instances away again.
func (r *Region) Launch(tx *awstest.Tx, ask LaunchRequest) (LaunchResult, error) {
	if !clientToken.MatchString(ask.Token) {
		return LaunchResult{}, invalid("ClientToken must have from 1 to 64 characters, of letters, digits, '-', '_' and '/'")
	}
	if old, known := r.tokens[ask.Token]; known {
		if !reflect.DeepEqual(old.request, ask) {
			return LaunchResult{}, awstest.Errorf("IdempotentParameterMismatch", "The request uses the same client token as a previous, but non-identical request.")
		}
		return old.result, nil
	}
	g, err := r.changeable(tx, ask.Group)
	if err != nil {
		return LaunchResult{}, err
	}
	if ask.Count < 1 || ask.Count > maxLaunched {
		return LaunchResult{}, invalid("RequestedCapacity must be between 1 and %d", maxLaunched)
	}
	if err := g.mayGrow(ask.Count, "launch these instances"); err != nil {
		return LaunchResult{}, err
	}
	result, err := r.launchPlace(tx, g, ask)
	if err != nil {
		return LaunchResult{}, err
	}
	c := g.control
	for range ask.Count {
		cause := c.at(tx, "an instance was started in response to a user request, increasing the capacity from %d to %d.", g.Desired, g.Desired+1)
		m, err := c.launch(tx, g, result.Zone, result.Subnet, cause)
		if err != nil {
			result.Failed = reasonOf(err)
			break
		}
		result.Subnet = m.Subnet
		result.Type = m.Type
		result.IDs = append(result.IDs, m.ID)
		g = r.change(tx, g.Name, func(g *Group) { g.Desired++ })
	}
	if missing := ask.Count - len(result.IDs); ask.Retry && missing > 0 {
		c.setDesired(tx, g, g.Desired+missing, "a user request to launch instances")
	}
	r.tokens[ask.Token] = remembered{ask, result}
	return result, nil
}

// reasonOf returns the error of EC2 that a launch has failed with.
func reasonOf(err error) *awstest.APIError {
	e, _ := errors.AsType[*awstest.APIError](err)
	return e
}

// launchPlace returns where a request launches. A group of several zones must
// be told.
func (r *Region) launchPlace(tx *awstest.Tx, g *Group, ask LaunchRequest) (LaunchResult, error) {
	var result LaunchResult
	if ask.Zone != "" && ask.ZoneID != "" {
		return result, invalid("You cannot specify both AvailabilityZones and AvailabilityZoneIds")
	}
	zone, err := r.ec2(tx).Zone(ask.ZoneID, ask.Zone)
	switch {
	case err != nil || zone != nil && !g.uses(zone):
		return result, invalid("The availability zone %s%s is not one of the Auto Scaling group", ask.Zone, ask.ZoneID)
	case ask.Subnet != "":
		for _, s := range g.Subnets {
			if s.ID == ask.Subnet && (zone == nil || s.Zone == zone) {
				result.Zone, result.Subnet = s.Zone, s
			}
		}
		if result.Subnet == nil {
			return result, invalid("The subnet %s is not one of the Auto Scaling group in that availability zone", ask.Subnet)
		}
	case zone != nil:
		result.Zone = zone
	case len(g.Zones) > 1:
		return result, invalid("AvailabilityZones, AvailabilityZoneIds or SubnetIds must be specified for an Auto Scaling group with multiple availability zones")
	default:
		result.Zone = g.Zones[0]
	}
	if _, version, err := r.template(tx, g.Template); err == nil {
		result.Type = version.Data.Type
	}
	return result, nil
}
