package ec2step

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fleet is what carries one load: the instances with certain tags.
type Fleet struct {
	Name string
	Tags map[string]string // an instance that has all of them is one of it; at least one

	// Needed is how many instances carry the whole load. Zero means as many as run, so that every loss has to be made good.
	Needed int

	Types        []string // what may stand in for its instances; empty: the types that run
	Subnets      []string // where they may run; empty: in any zone with a subnet
	Reservations []string // targeted Capacity Reservations that are meant for it
	Platform     string   // empty: DefaultPlatform
}

// StabilityReport tells, for the loss of each zone, whether what runs elsewhere and what is reserved elsewhere carry the load: whether a
// plan has to hope for capacity on the day when everybody asks for it.
type StabilityReport struct {
	Stable   bool       `json:"stable"` // in the loss of every zone
	Losses   []ZoneLoss `json:"losses"` // of the zones in which instances run, by ID
	Warnings []string   `json:"warnings,omitempty"`
}

// ZoneLoss is the imagined loss of one zone.
type ZoneLoss struct {
	ZoneID string      `json:"zone"`
	Stable bool        `json:"stable"`
	Fleets []FleetLoss `json:"fleets"` // those that lose an instance
}

// FleetLoss is what the loss of a zone is to a fleet.
type FleetLoss struct {
	Fleet    string    `json:"fleet"`
	Lost     int       `json:"lost"`     // instances
	Left     int       `json:"left"`     // instances in other zones
	Needed   int       `json:"needed"`   // instances for the whole load
	Carriers []Carrier `json:"carriers"` // where reserved capacity makes good what is missing
	Short    int       `json:"short"`    // instances for which nothing is reserved
}

// Carrier is reserved capacity of a zone.
type Carrier struct {
	ZoneID      string `json:"zone"`
	Type        string `json:"type"`
	Reservation string `json:"reservation,omitempty"` // its ID; empty for zonal Reserved Instances
	Count       int    `json:"count"`
}

// Stability looks at the loss of each zone in turn. Capacity that several fleets could use is counted once, and given to them so that as many
// instances as possible have a place. Launches from what is reserved still need EC2's control plane in the Region to work; capacity that runs
// does not. It is a pure function.
func Stability(inv *Inventory, fleets []Fleet) *StabilityReport {
	r := &StabilityReport{Stable: true, Losses: []ZoneLoss{}}
	members := make([][]Instance, len(fleets))
	running := make(map[string]bool)
	for i, f := range fleets {
		members[i] = inv.members(&f)
		for _, m := range members[i] {
			running[m.ZoneID] = true
		}
		if len(members[i]) == 0 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("fleet %s: no instance has its tags", f.Name))
		}
	}
	for _, zone := range slices.Sorted(maps.Keys(running)) {
		loss := inv.lose(zone, fleets, members)
		r.Losses = append(r.Losses, loss)
		r.Stable = r.Stable && loss.Stable
	}
	for i, f := range fleets {
		for _, m := range members[i] {
			if why := inv.onlyOnInstanceStorage(&m); why != "" {
				r.Warnings = append(r.Warnings, fmt.Sprintf("fleet %s: %s (%s) %s: what it stores is gone when it stops", f.Name, m.ID, m.Type, why))
			}
		}
	}
	for _, what := range inv.Unread {
		r.Warnings = append(r.Warnings, "not known: "+what)
	}
	return r
}

func (inv *Inventory) members(f *Fleet) []Instance {
	var all []Instance
	for _, i := range inv.Instances {
		is := len(f.Tags) > 0
		for k, v := range f.Tags {
			got, ok := i.Tags[k]
			is = is && ok && got == v
		}
		if is {
			all = append(all, i)
		}
	}
	return all
}

// onlyOnInstanceStorage tells why an instance has its data nowhere else, as far as can be seen.
func (inv *Inventory) onlyOnInstanceStorage(i *Instance) string {
	switch {
	case i.RootStore == "instance-store":
		return "boots from instance storage"
	case slices.Contains(inv.OnInstanceStorage, i.Type) && i.DataVolumes == 0:
		return "has instance storage and no data volume"
	}
	return ""
}

// lose imagines that a zone is gone.
func (inv *Inventory) lose(zone string, fleets []Fleet, members [][]Instance) ZoneLoss {
	loss := ZoneLoss{ZoneID: zone, Stable: true}
	m := matching{pools: inv.pools(zone)}
	var hit []int // fleets
	for i, f := range fleets {
		l := FleetLoss{Fleet: f.Name, Needed: cmp.Or(f.Needed, len(members[i])), Carriers: []Carrier{}}
		types := f.Types
		for _, instance := range members[i] {
			if instance.ZoneID == zone {
				l.Lost++
			} else {
				l.Left++
			}
			if len(f.Types) == 0 && !slices.Contains(types, instance.Type) {
				types = append(types, instance.Type)
			}
		}
		if l.Lost == 0 {
			continue
		}
		m.add(inv.suits(&f, types, m.pools), max(l.Needed-l.Left, 0))
		hit, loss.Fleets = append(hit, i), append(loss.Fleets, l)
	}
	for k := range hit {
		l := &loss.Fleets[k]
		for p, n := range m.given[k] {
			if n > 0 {
				pool := m.pools[p]
				l.Carriers = append(l.Carriers, Carrier{pool.zone, pool.instanceType, pool.reservation, n})
			}
		}
		l.Short = m.short[k]
		loss.Stable = loss.Stable && l.Short == 0
	}
	return loss
}

// pool is reserved capacity that is free.
type pool struct {
	zone, instanceType, reservation, platform string
	targeted                                  bool
	free                                      int
}

// pools are what is reserved outside of a zone.
func (inv *Inventory) pools(lost string) []pool {
	var all []pool
	for _, r := range inv.Reservations {
		if z := inv.zone(r.ZoneID); z != nil && z.usable() && z.ID != lost && r.Free > 0 && r.Tenancy == tenancyDefault {
			all = append(all, pool{r.ZoneID, r.Type, r.ID, r.Platform, r.Targeted, r.Free})
		}
	}
	seen := make(map[[3]string]bool)
	for _, r := range inv.Reserved {
		key := [3]string{r.ZoneID, r.Type, r.Platform}
		z := inv.zone(r.ZoneID)
		if z == nil || !z.usable() || z.ID == lost || seen[key] {
			continue
		}
		seen[key] = true
		if n := inv.held(r.ZoneID, r.Type, r.Platform); n > 0 {
			all = append(all, pool{r.ZoneID, r.Type, "", r.Platform, false, n})
		}
	}
	return all
}

// suits tells which pools a fleet can use.
func (inv *Inventory) suits(f *Fleet, types []string, pools []pool) []int {
	var fit []int
	for i, p := range pools {
		place := slices.ContainsFunc(inv.Subnets, func(s Subnet) bool {
			return s.ZoneID == p.zone && s.Free > 0 && (len(f.Subnets) == 0 || slices.Contains(f.Subnets, s.ID))
		})
		mine := !p.targeted || slices.Contains(f.Reservations, p.reservation)
		if place && mine && slices.Contains(types, p.instanceType) && p.platform == cmp.Or(f.Platform, DefaultPlatform) {
			fit = append(fit, i)
		}
	}
	return fit
}

// matching gives the places of pools to fleets. A fleet that finds its pools taken asks those who took them to go elsewhere: an augmenting path,
// so that as many as possible have a place.
type matching struct {
	pools []pool
	fits  [][]int
	given [][]int // by fleet and pool
	short []int   // by fleet
}

func (m *matching) add(fits []int, need int) {
	f := len(m.fits)
	m.fits, m.given, m.short = append(m.fits, fits), append(m.given, make([]int, len(m.pools))), append(m.short, 0)
	for range need {
		if !m.place(f, make([]bool, len(m.pools))) {
			m.short[f]++
		}
	}
}

func (m *matching) place(f int, asked []bool) bool {
	for _, p := range m.fits[f] {
		if asked[p] {
			continue
		}
		asked[p] = true
		used := 0
		for _, given := range m.given {
			used += given[p]
		}
		if used < m.pools[p].free {
			m.given[f][p]++
			return true
		}
		for other := range m.given {
			if m.given[other][p] > 0 && m.place(other, asked) {
				m.given[other][p]--
				m.given[f][p]++
				return true
			}
		}
	}
	return false
}

// String returns the report for people to read.
func (r *StabilityReport) String() string {
	var b strings.Builder
	word := func(stable bool) string {
		if stable {
			return "stable"
		}
		return "NOT STABLE"
	}
	for _, l := range r.Losses {
		fmt.Fprintf(&b, "%s: without %s\n", word(l.Stable), l.ZoneID)
		for _, f := range l.Fleets {
			fmt.Fprintf(&b, "  %s: %d lost, %d left, %d needed", f.Fleet, f.Lost, f.Left, f.Needed)
			for _, c := range f.Carriers {
				fmt.Fprintf(&b, "; %d %s in %s, %s", c.Count, c.Type, c.ZoneID, cmp.Or(c.Reservation, "Reserved Instances"))
			}
			if f.Short > 0 {
				fmt.Fprintf(&b, "; nothing is reserved for %d", f.Short)
			}
			b.WriteString("\n")
		}
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}
