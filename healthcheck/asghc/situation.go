package asghc

import "github.com/awsha/awsha/healthcheck"

// situation reads what the pool says at one instant.
func (r *Replacer) situation(v *healthcheck.View) Situation {
	s := Situation{Registered: v.Registered(), Healthy: v.Count(healthcheck.Healthy), FailOpen: v.FailOpen(""), Degraded: v.Degraded()}
	zones := map[string]healthcheck.ZoneStatus{}
	for _, z := range v.Zones() {
		zones[z.Zone] = z
	}
	for id, status := range v.All() {
		if status.State != healthcheck.Unhealthy && status.State != healthcheck.Initial {
			continue
		}
		zone := zones[status.Target.Zone]
		t := Target{
			ID: id, Zone: zone.Zone, State: status.State, Since: status.Since, FailOpen: zone.FailOpen, Shifted: zone.Shifted,
			Overridden: status.Override != healthcheck.NoOverride,
			Recovering: status.Passes > 0,
			Unknown:    status.Last.Outcome == healthcheck.Unknown && !status.Last.Start.IsZero(),
		}
		if instance, ok := r.opts.InstanceID(status.Target); ok {
			t.Instance = instance
		}
		s.Targets = append(s.Targets, t)
	}
	return s
}
