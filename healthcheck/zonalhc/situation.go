package zonalhc

import "time"

// situation reads what the pool says at one instant. A zone that is well may be shifted away from again.
func (s *Shifter) situation(now time.Time) Situation {
	v := s.source.View()
	sit := Situation{Now: now, Zones: s.zones.observe(now, v.Zones(), s.opts.ZoneIDs, s.limits), Spent: s.spent, Degraded: v.Degraded()}
	for _, z := range sit.Zones {
		if !z.WellSince.IsZero() {
			delete(s.spent, z.ID)
		}
	}
	// Zones that recover together do not become well together: the last one is not the one that was at fault.
	if z, why := sit.candidate(s.limits); why != "" || z.Name != s.candidate || s.clear.IsZero() {
		s.candidate, s.clear = z.Name, now
	}
	sit.Clear = s.clear
	return sit
}
