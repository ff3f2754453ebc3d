package r53hc

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/healthcheck"
)

// Metric is a number that is read off a pool.
type Metric struct {
	Name string
	Unit types.StandardUnit // empty is none

	// Value returns the number, or false if there is nothing to say: nothing is published then. It must return at once.
	Value func(*healthcheck.View) (float64, bool)
}

// HealthyPercent is how many of the targets that are registered and not draining are healthy: "HealthyPercent", from 0 to
// 100. A pool that fails open has 0, or little: its traffic is better off elsewhere, and where there is no elsewhere Route 53
// fails open too.
//
// It says nothing as long as no target has been checked: right after the start that is no news, and what goes on for longer is
// missing data, which is bad by itself.
func HealthyPercent() Metric {
	return Metric{Name: "HealthyPercent", Unit: types.StandardUnitPercent, Value: func(v *healthcheck.View) (float64, bool) {
		return 100 * float64(v.Count(healthcheck.Healthy)) / float64(max(1, v.Registered())), known(v)
	}}
}

// HealthyCount is how many targets are healthy: "HealthyCount". Like HealthyPercent it says nothing before the first checks.
func HealthyCount() Metric {
	return Metric{Name: "HealthyCount", Unit: types.StandardUnitCount, Value: func(v *healthcheck.View) (float64, bool) {
		return float64(v.Count(healthcheck.Healthy)), known(v)
	}}
}

// InZone is HealthyPercent of the targets of one zone, under a name of its own.
func InZone(name, zone string) Metric {
	return Metric{Name: name, Unit: types.StandardUnitPercent, Value: func(v *healthcheck.View) (float64, bool) {
		for _, z := range v.Zones() {
			if z.Zone == zone {
				return 100 * float64(z.Healthy) / float64(max(1, z.Registered())), z.Healthy+z.Unhealthy > 0
			}
		}
		return 0, false
	}}
}

func known(v *healthcheck.View) bool {
	return v.Count(healthcheck.Healthy)+v.Count(healthcheck.Unhealthy) > 0
}

// doubtful tells whether the latest results of more than half of the targets tell nothing: the machine that checks is in
// trouble itself, and the states are those of before.
func doubtful(v *healthcheck.View) bool {
	total, silent := 0, 0
	for _, s := range v.All() {
		if s.State != healthcheck.Healthy && s.State != healthcheck.Unhealthy {
			continue
		}
		total++
		if s.Last.Outcome == healthcheck.Unknown && !s.Last.Start.IsZero() {
			silent++
		}
	}
	return 2*silent > total
}
