package r53hc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/healthcheck"
)

// Metric is a number that is read off a pool.
type Metric struct {
	Name string
	Unit types.StandardUnit // empty is none

	// Value returns the number, or false if there is nothing to say: nothing is published then, nor of what CloudWatch does
	// not take, such as NaN, or of a panic, which are logged as errors. It must return at once.
	Value func(*healthcheck.View) (float64, bool)
}

// HealthyPercent is how many of the targets that are registered and not draining serve: "HealthyPercent", from 0 to 100. What
// serves is healthy and not ejected; what a person has decided counts more than that, so that a region whose targets are all
// drained by hand has 0. A pool that fails open has 0, or little: its traffic is better off elsewhere, and where there is no
// elsewhere Route 53 fails open too.
//
// It says nothing as long as no target has been checked: right after the start that is no news, and what goes on for longer is
// missing data, which is bad by itself.
func HealthyPercent() Metric {
	return Metric{Name: "HealthyPercent", Unit: types.StandardUnitPercent, Value: func(v *healthcheck.View) (float64, bool) {
		n := count(v, anyZone)
		return n.percent(), n.known
	}}
}

// HealthyCount is how many targets serve: "HealthyCount". Like HealthyPercent it says nothing before the first checks.
func HealthyCount() Metric {
	return Metric{Name: "HealthyCount", Unit: types.StandardUnitCount, Value: func(v *healthcheck.View) (float64, bool) {
		n := count(v, anyZone)
		return float64(n.serving), n.known
	}}
}

// InZone is HealthyPercent of the targets of one zone, under a name of its own. It is 0 while a zonal shift takes traffic away
// from the zone.
func InZone(name, zone string) Metric {
	return Metric{Name: name, Unit: types.StandardUnitPercent, Value: func(v *healthcheck.View) (float64, bool) {
		n := count(v, func(s *healthcheck.Status) bool { return s.Target.Zone == zone })
		if n.shifted {
			n.serving = 0
		}
		return n.percent(), n.known
	}}
}

func anyZone(*healthcheck.Status) bool { return true }

// counts are of targets.
type counts struct {
	registered, serving int
	known               bool // one has been checked at least
	shifted             bool // the zone of one is
}

func (c counts) percent() float64 { return 100 * float64(c.serving) / float64(max(1, c.registered)) }

func count(v *healthcheck.View, in func(*healthcheck.Status) bool) (c counts) {
	for _, s := range v.All() {
		if s.State == healthcheck.Draining || !in(&s) {
			continue
		}
		c.known = c.known || s.State == healthcheck.Healthy || s.State == healthcheck.Unhealthy
		c.shifted = c.shifted || s.Shifted
		if s.Override != healthcheck.OverrideDrain {
			c.registered++
		}
		if serves(&s) {
			c.serving++
		}
	}
	return c
}

// serves tells whether a target gets traffic from a pool that does not fail open.
func serves(s *healthcheck.Status) bool {
	switch {
	case s.State == healthcheck.Draining || s.State == healthcheck.Unused:
		return false
	case s.Override != healthcheck.NoOverride:
		return s.Override == healthcheck.OverrideHealthy
	}
	return s.State == healthcheck.Healthy && !s.Ejected
}

// doubt tells whether more than half of the targets are in a state that is not known to hold: doubtful, as their latest result
// tells nothing, or outdated, as the pool is behind its schedule and has come to none for longer than a limit. That it is
// behind does not suffice: what passes is known to be well, however slowly it is asked.
func doubt(v *healthcheck.View, limit time.Duration) (doubtful, outdated bool) {
	total, unknown, old := 0, 0, 0
	for _, s := range v.All() {
		if s.State != healthcheck.Healthy && s.State != healthcheck.Unhealthy || s.Last.Start.IsZero() {
			continue
		}
		total++
		if s.Last.Outcome == healthcheck.Unknown {
			unknown++
		}
		if v.Degraded() && time.Since(s.Last.Start) > limit {
			old++
		}
	}
	return 2*unknown > total, 2*old > total
}
