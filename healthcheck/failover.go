package healthcheck

// The rules by which Elastic Load Balancing decides where traffic may go, as pure functions over counts. Percentages are of
// the registered targets, and a target group is judged as a whole when cross-zone load balancing is on, and zone by zone
// when it is off.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html (read 2026-11) and
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11).

// tally counts the targets of a zone, or of the pool, as routing sees them.
type tally struct {
	registered int // and not draining, by themselves or by an override
	healthy    int // of those: for their checks or by an override, and not ejected
}

func (t tally) plus(o tally) tally  { return tally{t.registered + o.registered, t.healthy + o.healthy} }
func (t tally) minus(o tally) tally { return tally{t.registered - o.registered, t.healthy - o.healthy} }

// below reports whether there are too few healthy targets. Both limits count, and either suffices. An empty scope is below
// any count, so that a pool without targets fails open from its beginning, and its first target is no news.
func (t Threshold) below(n tally) bool {
	return n.healthy < max(t.Count, 1) || 100*n.healthy < t.Percent*n.registered
}

// zoneTally is a zone, and whether a zonal shift wants traffic away from it.
type zoneTally struct {
	tally

	shifted bool
}

// zoneRoute is what becomes of a zone.
type zoneRoute struct {
	serves   bool // gets new traffic: its targets, or under ZonalOnly its name in DNS
	failOpen bool // all of its registered targets are candidates, not only the healthy ones
}

// routeAcross decides for cross-zone load balancing: all zones together. A shift has no effect while the pool fails open, nor
// while no other zone has a healthy target; it does not move the thresholds, because a shifted zone keeps its health.
// Source: https://docs.aws.amazon.com/r53recovery/latest/dg/arc-zonal-shift.resource-types.html (read 2026-11).
func routeAcross(routing Threshold, zones []zoneTally, routes []zoneRoute) (failOpen bool) {
	var all, elsewhere tally
	for _, z := range zones {
		all = all.plus(z.tally)
		if !z.shifted {
			elsewhere = elsewhere.plus(z.tally)
		}
	}
	failOpen = routing.below(all)
	holds := !failOpen && elsewhere.healthy > 0
	for i, z := range zones {
		away := holds && z.shifted
		routes[i] = zoneRoute{serves: z.registered > 0 && !away, failOpen: failOpen}
	}
	return failOpen
}

// routeByZone decides where cross-zone load balancing is off: each zone fails open by itself, and leaves DNS when it is below
// its own threshold or shifted. When that leaves none, a shift has no effect; when all are below, all stay. The pool fails
// open when every zone that serves does.
func routeByZone(routing, inDNS Threshold, zones []zoneTally, routes []zoneRoute) (failOpen bool) {
	var up, unshifted bool
	for _, z := range zones {
		if !inDNS.below(z.tally) {
			up = true
			unshifted = unshifted || !z.shifted
		}
	}
	failOpen = true
	for i, z := range zones {
		r := zoneRoute{serves: z.registered > 0, failOpen: routing.below(z.tally)}
		if up && inDNS.below(z.tally) || unshifted && z.shifted {
			r.serves = false
		}
		if r.serves && !r.failOpen {
			failOpen = false
		}
		routes[i] = r
	}
	return failOpen
}
