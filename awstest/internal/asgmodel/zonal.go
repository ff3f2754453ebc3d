package asgmodel

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// kind is what zonal shift knows of groups: those that are enabled for it.
func (m *Model) kind() zonalshiftmodel.Kind {
	resource := func(g *Group) zonalshiftmodel.Resource {
		return zonalshiftmodel.Resource{ARN: g.ARN, Name: g.Name, Zones: g.Zones}
	}
	list := func(tx *awstest.Tx, region *awstest.Region) (all []zonalshiftmodel.Resource) {
		for _, g := range m.Region(region).groups.All(tx.Now()) {
			if g.shiftEnabled() {
				all = append(all, resource(g))
			}
		}
		return all
	}
	return zonalshiftmodel.Kind{
		Prefix: "arn:aws:autoscaling:",
		List:   list,
		Resolve: func(tx *awstest.Tx, region *awstest.Region, arn string) (zonalshiftmodel.Resource, bool) {
			for _, r := range list(tx, region) {
				if r.ARN == arn {
					return r, true
				}
			}
			return zonalshiftmodel.Resource{}, false
		},
		Changed: func(tx *awstest.Tx, region *awstest.Region, arn string) {
			for _, g := range m.Region(region).groups.All(tx.Now()) {
				if g.ARN == arn {
					g.control.poke(tx)
				}
			}
		},
	}
}

func (g *Group) shiftEnabled() bool { return g.Impairment != nil && g.Impairment.ShiftEnabled }

// shifted returns the zones that the group is shifted away from: no launches
// go there, and nothing is rebalanced there or away. A scaling policy does not
// make the group smaller meanwhile.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-zonal-shift.html (read 2026-11)
func (c *control) shifted(tx *awstest.Tx, g *Group) []*awstest.Zone {
	if !g.shiftEnabled() {
		return nil
	}
	return c.region.model.shift.Shifted(tx, c.region.region, g.ARN)
}
