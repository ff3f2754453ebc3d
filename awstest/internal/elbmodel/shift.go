package elbmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// kind is what zonal shift knows of load balancers: those that are provisioned
// and enabled for it.
// Source: https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.resource-types.html (read 2026-11)
func (m *Model) kind() zonalshiftmodel.Kind {
	return zonalshiftmodel.Kind{
		Prefix: "arn:aws:elasticloadbalancing:",
		List: func(tx *awstest.Tx, region *awstest.Region) (all []zonalshiftmodel.Resource) {
			r := m.Region(region)
			for b := range r.Balancers(tx.Now()) {
				if res, ok := r.shiftable(tx, b); ok {
					all = append(all, res)
				}
			}
			return all
		},
		Resolve: func(tx *awstest.Tx, region *awstest.Region, arn string) (zonalshiftmodel.Resource, bool) {
			r := m.Region(region)
			b, ok := r.balancers.Get(tx.Now(), arn)
			if !ok {
				return zonalshiftmodel.Resource{}, false
			}
			return r.shiftable(tx, b)
		},
	}
}

func (r *Region) shiftable(tx *awstest.Tx, b *LoadBalancer) (zonalshiftmodel.Resource, bool) {
	res := zonalshiftmodel.Resource{ARN: b.ARN, Name: b.Name}
	for _, s := range b.Subnets {
		res.Zones = append(res.Zones, s.Zone)
	}
	return res, r.Active(b, tx.Now()) && r.Settings(tx.Now(), b).ZonalShift
}

// shifted returns the zones that a load balancer is shifted away from as of a
// moment.
func (r *Region) shifted(at time.Time, b *LoadBalancer) []*awstest.Zone {
	if !r.Settings(at, b).ZonalShift {
		return nil
	}
	return r.model.shift.Region(r.region).Effective(at, b.ARN)
}

// Overridden tells whether a zonal shift keeps new traffic from a target as of
// a moment, and whether that can be told: the group is in use.
func (r *Region) Overridden(tx *awstest.Tx, g *Group, at time.Time, k TargetKey) (overridden, inUse bool) {
	b, inUse := r.BalancerOf(at, g.ARN)
	if !inUse {
		return false, false
	}
	machine, ok := r.machine(tx, g, k)
	return ok && slices.Contains(r.shifted(at, b), machine.Zone()), true
}

// leave returns the targets outside of the zones that a load balancer is
// shifted away from; all of them if none of the others is healthy, as then the
// shift has no effect. Thresholds look at what is left; AWS does not say.
// Source: https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.resource-types.html (read 2026-11)
func (r *Region) leave(tx *awstest.Tx, b *LoadBalancer, all []candidate) []candidate {
	zones := r.shifted(tx.Now(), b)
	if len(zones) == 0 {
		return all
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return slices.Contains(zones, c.zone()) })
	if len(healthyOf(rest)) == 0 {
		return all
	}
	return rest
}
