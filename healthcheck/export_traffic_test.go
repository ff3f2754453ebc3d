package healthcheck

import "unsafe"

// What tests of routing need, which the API does not show.

type (
	ZoneCounts struct {
		Registered, Healthy int
		Shifted             bool
	}
	Route struct{ Serves, FailOpen bool }
)

func Below(t Threshold, healthy, registered int) bool { return t.below(tally{registered, healthy}) }

// Routes returns what becomes of zones.
func Routes(zonal bool, routing, inDNS Threshold, counts []ZoneCounts) ([]Route, bool) {
	zones, routes := make([]zoneTally, len(counts)), make([]zoneRoute, len(counts))
	for i, c := range counts {
		zones[i] = zoneTally{tally{c.Registered, c.Healthy}, c.Shifted}
	}
	var failOpen bool
	if zonal {
		failOpen = routeByZone(routing, inDNS, zones, routes)
	} else {
		failOpen = routeAcross(routing, zones, routes)
	}
	out := make([]Route, len(routes))
	for i, r := range routes {
		out[i] = Route{r.serves, r.failOpen}
	}
	return out, failOpen
}

// Draw draws from an alias table.
func Draw(weights []uint64) func() int { return newAliasTable(weights).draw }

// SetState moves a target as its checks would.
func (p *Pool) SetState(id string, s State) {
	p.mu.Lock()
	e := p.entries[id]
	p.moveLocked(e, s, nil)
	p.mu.Unlock()
	p.deliver()
}

// SetOverride overrides the health of a target to routing.
func (p *Pool) SetOverride(id string, o Override) {
	p.mu.Lock()
	e := p.entries[id]
	e.override = o
	p.routeLocked(e)
	p.mu.Unlock()
	p.deliver()
}

// SetShift begins or ends a shift to routing.
func (p *Pool) SetShift(zone string, shifted bool) {
	p.mu.Lock()
	p.shiftLocked(zone, shifted)
	p.mu.Unlock()
	p.deliver()
}

// BackendSize is what each target costs that requests write to.
const BackendSize = unsafe.Sizeof(backend{})
