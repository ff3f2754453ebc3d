package asghc

import "github.com/awsha/awsha/healthcheck"

// situation reads what the pool says at one instant.
func (r *Replacer) situation(v *healthcheck.View) Situation {
	s := Situation{Registered: v.Registered(), Healthy: v.Count(healthcheck.Healthy)}
	s.FailOpen = s.Healthy == 0
	for id, status := range v.All() {
		if status.State != healthcheck.Unhealthy && status.State != healthcheck.Initial {
			continue
		}
		t := Target{
			ID: id, Zone: status.Target.Zone, State: status.State, Since: status.Since,
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
