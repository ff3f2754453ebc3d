package ec2step

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/internal/awserr"
)

// Rung says how the capacity for a [Candidate] is come by. The lower the rung, the surer.
type Rung int

// The rungs of the ladder, in the order in which they are tried.
const (
	RungTargeted  Rung = iota + 1 // a Capacity Reservation that the launch names
	RungReserved                  // an open Capacity Reservation or zonal Reserved Instances, which whatever matches uses
	RungFirstType                 // nothing is reserved: the type that is preferred, in any zone
	RungOtherType                 // nothing is reserved: any other type
)

// String returns the rung in lower case.
func (r Rung) String() string {
	switch r {
	case RungTargeted:
		return "targeted reservation"
	case RungReserved:
		return "reserved"
	case RungFirstType:
		return "first type"
	case RungOtherType:
		return "other type"
	}
	return "no rung"
}

// Candidate is one way to launch an instance.
type Candidate struct {
	Rung        Rung   `json:"rung"`
	Type        string `json:"type"`
	ZoneID      string `json:"zone"`
	SubnetID    string `json:"subnet"`
	Reservation string `json:"reservation,omitempty"` // of RungTargeted
}

// String reads like "m7g.large in use1-az1 (subnet-1)".
func (c Candidate) String() string {
	s := c.Type + " in " + c.ZoneID + " (" + c.SubnetID
	if c.Reservation != "" {
		s += ", " + c.Reservation
	}
	return s + ")"
}

// Wish says what would do for a launch.
type Wish struct {
	Types        []string // instance types, the preferred one first
	Subnets      []string // where it may run, preferred first; empty: any of the inventory
	Zone         string   // ID or name of the only zone that will do; empty: any
	Avoid        []string // zones that will not do, by ID or name
	Reservations []string // targeted Capacity Reservations that it may use: those of others are left to them
	Platform     string   // empty: DefaultPlatform
}

// Ladder returns what to try for a wish, in order: first what is reserved for it, then what is reserved for whoever comes, then its first type
// wherever it is offered, then its other types. Within a rung types come before zones, in the order of the wish. Zones that are impaired,
// unavailable or avoided are left out, as are subnets without a free address and types that a zone does not offer; constrained zones come
// last in their rung. What shortages know to be refused now comes last of all, since it costs nothing to ask when nothing else is left. It is a
// pure function.
func Ladder(inv *Inventory, w Wish, shortages []Shortage) []Candidate {
	w.Platform = cmp.Or(w.Platform, DefaultPlatform)
	var all []Candidate
	for _, s := range inv.places(w) {
		for i, t := range w.Types {
			if !inv.offers(s.ZoneID, t) {
				continue
			}
			c := Candidate{Rung: RungFirstType, Type: t, ZoneID: s.ZoneID, SubnetID: s.ID}
			if i > 0 {
				c.Rung = RungOtherType
			}
			if inv.open(s.ZoneID, t, w.Platform) > 0 || inv.held(s.ZoneID, t, w.Platform) > 0 {
				c.Rung = RungReserved
			}
			all = append(all, c)
			for _, r := range inv.Reservations {
				if r.Targeted && r.Free > 0 && slices.Contains(w.Reservations, r.ID) && r.fits(s.ZoneID, t, w.Platform) {
					all = append(all, Candidate{RungTargeted, t, s.ZoneID, s.ID, r.ID})
				}
			}
		}
	}
	late := func(c Candidate) int {
		switch {
		case slices.ContainsFunc(shortages, func(s Shortage) bool { return s.of(c) && inv.Time.Before(s.Until) }):
			return 2
		case inv.zone(c.ZoneID).State == zoneConstrained:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b Candidate) int {
		la, lb := late(a), late(b)
		return cmp.Or(
			cmp.Compare(la/2, lb/2), cmp.Compare(a.Rung, b.Rung), cmp.Compare(la, lb),
			cmp.Compare(slices.Index(w.Types, a.Type), slices.Index(w.Types, b.Type)),
		)
	})
	return all
}

// places are the subnets that will do, in the order of the wish.
func (inv *Inventory) places(w Wish) []Subnet {
	var all []Subnet
	for _, s := range inv.Subnets {
		z := inv.zone(s.ZoneID)
		switch {
		case z == nil || !z.usable() || s.Free < 1:
		case w.Zone != "" && !z.is(w.Zone), slices.ContainsFunc(w.Avoid, z.is):
		case len(w.Subnets) > 0 && !slices.Contains(w.Subnets, s.ID):
		default:
			all = append(all, s)
		}
	}
	if len(w.Subnets) > 0 {
		slices.SortStableFunc(all, func(a, b Subnet) int {
			return cmp.Compare(slices.Index(w.Subnets, a.ID), slices.Index(w.Subnets, b.ID))
		})
	}
	return all
}

func (r *Reservation) fits(zoneID, instanceType, platform string) bool {
	return r.ZoneID == zoneID && r.Type == instanceType && r.Platform == platform && r.Tenancy == tenancyDefault
}

// open returns how many instances the open reservations of a zone have room for.
func (inv *Inventory) open(zoneID, instanceType, platform string) int {
	n := 0
	for i := range inv.Reservations {
		if r := &inv.Reservations[i]; !r.Targeted && r.fits(zoneID, instanceType, platform) {
			n += r.Free
		}
	}
	return n
}

// Rest returns what is worth a try after EC2 has refused tried with err, of what was to come after it: a reservation that is full says
// nothing of others, a subnet without addresses nothing of another one in its zone, but where there is no capacity for a type, its other
// subnets in that zone need not be asked; and a limit of the account holds in every zone, for all types that count towards it. It is a pure function.
func Rest(left []Candidate, tried Candidate, err error) []Candidate {
	same := func(c Candidate) bool { return c == tried }
	switch class, short := awserr.Of(err), awserr.Missing(err); {
	case class == awserr.Quota:
		same = func(c Candidate) bool { return limitOf(c.Type) == limitOf(tried.Type) }
	case class != awserr.Capacity:
	case short == awserr.Subnet:
		same = func(c Candidate) bool { return c.SubnetID == tried.SubnetID }
	case tried.Reservation != "":
		same = func(c Candidate) bool { return c.Reservation == tried.Reservation }
	default:
		same = func(c Candidate) bool { return c.Reservation == "" && c.Type == tried.Type && c.ZoneID == tried.ZoneID }
	}
	return slices.DeleteFunc(slices.Clone(left), same)
}

// limitOf names the vCPU limit that On-Demand instances of a type count towards.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html, On-Demand Instance quotas (read 2026-11).
func limitOf(instanceType string) string {
	letters := instanceType
	if i := strings.IndexAny(instanceType, "0123456789-."); i > 0 {
		letters = instanceType[:i]
	}
	switch letters {
	case "a", "c", "d", "h", "hs", "i", "im", "is", "m", "r", "t", "z":
		return "standard"
	case "g", "gr", "vt":
		return "g and vt"
	case "u":
		return "high memory"
	}
	return letters
}

// Shortage is a refusal for want of capacity, remembered for a while.
type Shortage struct {
	Type, ZoneID string
	Until        time.Time
}

func (s *Shortage) of(c Candidate) bool {
	return c.Reservation == "" && s.Type == c.Type && s.ZoneID == c.ZoneID
}
