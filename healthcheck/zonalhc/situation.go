package zonalhc

import "time"

// situation reads what the pool says at one instant. A zone that is well may be shifted away from again.
func (s *Shifter) situation(now time.Time) Situation {
	v := s.source.View()
	sit := Situation{Now: now, Zones: s.zones.observe(now, v.Zones(), s.opts.ZoneIDs, s.limits), Spent: s.spent}
	for _, z := range sit.Zones {
		if !z.WellSince.IsZero() {
			delete(s.spent, z.ID)
		}
	}
	return sit
}
