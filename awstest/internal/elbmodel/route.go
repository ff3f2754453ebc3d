package elbmodel

import (
	"slices"

	"github.com/awsha/awsha/awstest"
)

// candidate is a target that traffic could go to: it is in use and does not
// drain.
type candidate struct {
	hop     awstest.Hop
	healthy bool
}

func (c candidate) zone() *awstest.Zone { return c.hop.Instance.Zone() }

// route picks the target of a new connection to a load balancer.
func (r *Region) route(tx *awstest.Tx, b *LoadBalancer, port uint16) awstest.Hop {
	if !r.Active(b, tx.Now()) {
		return awstest.Hop{}
	}
	for l := range r.Listeners(tx.Now()) {
		if l.Balancer != b || l.Port != port {
			continue
		}
		g, _ := r.groups.Get(tx.Now(), l.Group) // in use, so that it is there
		all := r.leave(tx, b, r.candidates(tx, b, g))
		if len(all) == 0 {
			return awstest.Hop{Refused: true}
		}
		b.turn++
		if r.crossZone(tx, b, g) {
			open := g.RoutingFailover.open(all)
			return open[b.turn%len(open)].hop
		}
		zones := b.zones(all, g.DNSFailover)
		open := g.RoutingFailover.open(in(all, zones[b.turn%len(zones)]))
		return open[b.turn/len(zones)%len(open)].hop
	}
	return awstest.Hop{Refused: true}
}

func (r *Region) candidates(tx *awstest.Tx, b *LoadBalancer, g *Group) (all []candidate) {
	for _, t := range g.pool.targets {
		machine, ok := r.machine(tx, g, t.key)
		if _, unused := r.unused(tx, g, b, t.key); unused || !ok || t.health.State == Draining || t.health.State == Unused {
			continue
		}
		all = append(all, candidate{awstest.Hop{Instance: machine, Port: t.key.Port}, t.health.State == Healthy})
	}
	return all
}

// crossZone tells whether a node of the load balancer sends traffic to the
// targets of all zones.
func (r *Region) crossZone(tx *awstest.Tx, b *LoadBalancer, g *Group) bool {
	if g.CrossZone == CrossZoneOfBalancer {
		return r.Settings(tx.Now(), b).CrossZone
	}
	return g.CrossZone == CrossZoneOn
}

// zones returns the zones whose addresses are in DNS: those that have targets
// and are not below the threshold, or all that have targets if there is none.
func (b *LoadBalancer) zones(all []candidate, t Threshold) []*awstest.Zone {
	var up, used []*awstest.Zone
	for _, s := range b.Subnets {
		here := in(all, s.Zone)
		if len(here) == 0 {
			continue
		}
		used = append(used, s.Zone)
		if !t.below(here) {
			up = append(up, s.Zone)
		}
	}
	if len(up) == 0 {
		return used
	}
	return up
}

func in(all []candidate, z *awstest.Zone) []candidate {
	return slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.zone() != z })
}

func healthyOf(all []candidate) []candidate {
	return slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !c.healthy })
}

// below tells whether targets are healthy too seldom, by either part.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html (read 2026-11)
func (t Threshold) below(all []candidate) bool {
	n := len(healthyOf(all))
	return n < t.Count || n*100 < t.Percent*len(all)
}

// open returns the healthy targets, or all of them below the threshold: it
// fails open.
func (t Threshold) open(all []candidate) []candidate {
	if t.below(all) {
		return all
	}
	return healthyOf(all)
}
