package zonalhc

import (
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// tracker knows since when zones are bad, or well, by their names.
type tracker map[string]Zone

// observe brings the tracker up to what a view says.
func (t tracker) observe(now time.Time, zones []healthcheck.ZoneStatus, ids map[string]string, l Limits) []Zone {
	seen := make(map[string]bool, len(zones))
	all := make([]Zone, 0, len(zones))
	for _, status := range zones {
		z := Zone{Name: status.Zone, ID: status.Zone, Registered: status.Registered(), Healthy: status.Healthy, Out: status.Shifted || status.Down}
		if ids != nil {
			z.ID = ids[status.Zone]
		}
		was := t[z.Name]
		z.BadSince = since(bad(status, l), was.BadSince, now)
		z.WellSince = since(well(status, l), was.WellSince, now)
		t[z.Name], seen[z.Name] = z, true
		all = append(all, z)
	}
	for name := range t {
		if !seen[name] {
			delete(t, name)
		}
	}
	return all
}

func since(holds bool, from, now time.Time) time.Time {
	switch {
	case !holds:
		return time.Time{}
	case from.IsZero():
		return now
	}
	return from
}

// bad tells whether enough of a zone is unhealthy. Targets whose health is not known yet count as neither.
func bad(z healthcheck.ZoneStatus, l Limits) bool {
	return z.Registered() >= l.MinTargets && z.Unhealthy*100 >= l.BadPercent*z.Registered()
}

func well(z healthcheck.ZoneStatus, l Limits) bool {
	return z.Healthy > 0 && z.Unhealthy*100 <= l.WellPercent*z.Registered()
}
