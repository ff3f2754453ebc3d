package zonalhc

import (
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// situation reads what the pool says at one instant. A zone that is well may be shifted away from again.
func (s *Shifter) situation() Situation {
	sit := s.watch(s.source.View())
	sit.Spent = s.spent
	for _, z := range sit.Zones {
		if !z.WellSince.IsZero() {
			delete(s.spent, z.ID)
		}
	}
	return sit
}

// watch brings what is known of the zones up to a view.
func (s *Shifter) watch(v *healthcheck.View) Situation {
	now := time.Now()
	sit := Situation{Now: now, Zones: s.zones.observe(now, v.Zones(), s.opts.ZoneIDs, s.limits), Degraded: v.Degraded()}
	// Zones that recover together do not become well together: the last one is not the one that was at fault.
	if z, why := sit.candidate(s.limits); why != "" || z.Name != s.candidate || s.clear.IsZero() {
		s.candidate, s.clear = z.Name, now
	}
	sit.Clear = s.clear
	return sit
}
