package healthcheck

import (
	"slices"
	"strings"
)

// ZoneStatus counts the targets of one zone by state.
type ZoneStatus struct {
	Zone      string
	Initial   int
	Healthy   int
	Unhealthy int
	Draining  int

	// FailOpen says that picks for the zone disregard health, as too few targets have it: in the zone under Options.ZonalOnly,
	// else in the pool.
	FailOpen bool
	// Down says that too few targets of the zone are healthy: Options.ZoneFailover. Overrides and ejections count.
	Down bool
	// Shifted says that a zonal shift takes new traffic away from the zone, as long as there is where to take it.
	Shifted bool
}

// Up reports whether the zone has a healthy target and is not Down: then Elastic Load Balancing keeps the address of the zone in
// DNS.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11).
func (z ZoneStatus) Up() bool { return z.Healthy > 0 && !z.Down }

// Registered is the number of targets that are not draining.
func (z ZoneStatus) Registered() int { return z.Initial + z.Healthy + z.Unhealthy }

// zoneTable counts the targets of each zone by state.
type zoneTable map[string]*[numStates]int

// move takes a target from one state to another, Unused being outside of the table.
func (t zoneTable) move(zone string, from, to State) {
	n := t[zone]
	if n == nil {
		n = new([numStates]int)
		t[zone] = n
	}
	if from != Unused {
		n[from]--
	}
	if to != Unused {
		n[to]++
	}
	if *n == ([numStates]int{}) {
		delete(t, zone)
	}
}

// status returns the counts of one zone; all zero when it has no target.
func (t zoneTable) status(zone string) ZoneStatus {
	n := t[zone]
	if n == nil {
		n = new([numStates]int)
	}
	return ZoneStatus{Zone: zone, Initial: n[Initial], Healthy: n[Healthy], Unhealthy: n[Unhealthy], Draining: n[Draining]}
}

// list returns the counts of every zone that has a target, ordered by name.
func (t zoneTable) list() []ZoneStatus {
	zones := make([]ZoneStatus, 0, len(t))
	for zone := range t {
		zones = append(zones, t.status(zone))
	}
	slices.SortFunc(zones, func(a, b ZoneStatus) int { return strings.Compare(a.Zone, b.Zone) })
	return zones
}
