package asghc

import (
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// look reads what the pool says at one instant.
func (r *Replacer) look() Situation {
	v := r.source.View()
	r.watch(v)
	s := poolOf(v)
	s.Now, s.Believed, s.Marked, s.Refused = time.Now(), r.believed, r.marked, r.refused
	zones := zonesOf(v)
	for _, status := range v.All() {
		if status.State == healthcheck.Unhealthy || status.State == healthcheck.Initial {
			s.Targets = append(s.Targets, r.target(&status, zones))
		}
	}
	return s
}

// stands tells whether the pool has nothing against a mark yet: reads and marks take their time.
func (r *Replacer) stands(d Decision, shifted []string) bool {
	v := r.source.View()
	r.watch(v)
	status, ok := v.Status(d.Target)
	if !ok || status.State != healthcheck.Unhealthy {
		return false
	}
	s := poolOf(v)
	s.Now, s.Believed, s.Shifted = time.Now(), r.believed, shifted
	t := r.target(&status, zonesOf(v))
	return t.Instance == d.Instance && s.pool(t, r.opts.Limits) == Mark
}

// poolOf is what a view says of the pool as a whole.
func poolOf(v *healthcheck.View) Situation {
	return Situation{Registered: v.Registered(), Healthy: v.Count(healthcheck.Healthy), FailOpen: v.FailOpen(""), Degraded: v.Degraded()}
}

func zonesOf(v *healthcheck.View) map[string]healthcheck.ZoneStatus {
	zones := map[string]healthcheck.ZoneStatus{}
	for _, z := range v.Zones() {
		zones[z.Zone] = z
	}
	return zones
}

func (r *Replacer) target(status *healthcheck.Status, zones map[string]healthcheck.ZoneStatus) Target {
	zone := zones[status.Target.Zone]
	t := Target{
		ID: status.Target.ID, Zone: zone.Zone, State: status.State, Since: status.Since, FailOpen: zone.FailOpen, Shifted: zone.Shifted,
		Overridden: status.Override != healthcheck.NoOverride,
		Recovering: status.Passes > 0,
		Unknown:    status.Last.Outcome == healthcheck.Unknown && !status.Last.Start.IsZero(),
	}
	if instance, ok := r.opts.InstanceID(status.Target); ok {
		t.Instance = instance
	}
	return t
}
