package zonalhc_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck/zonalhc"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// threeZones has ten targets in each zone; those of a are unhealthy, and have been for an hour.
func threeZones() zonalhc.Situation {
	return zonalhc.Situation{
		Now: now,
		Zones: []zonalhc.Zone{
			{Name: "a", ID: "az1", Registered: 10, BadSince: ago(time.Hour)},
			{Name: "b", ID: "az2", Registered: 10, Healthy: 10, WellSince: ago(time.Hour)},
			{Name: "c", ID: "az3", Registered: 10, Healthy: 10, WellSince: ago(time.Hour)},
		},
		Resource: &zonalhc.Resource{Zones: []string{"az1", "az2", "az3"}},
	}
}

// own makes a shift away from a that is one's own, started two hours ago, with so much left.
func own(s *zonalhc.Situation, left time.Duration) {
	s.Resource.Shifts = []zonalhc.Shift{{ID: "s", AwayFrom: "az1", Start: ago(2 * time.Hour), Expiry: now.Add(left), Own: true}}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	type situation = zonalhc.Situation
	type limits = zonalhc.Limits
	tests := []struct {
		name   string
		change func(*situation, *limits)
		want   string
	}{
		{"one zone is bad", nil, "start zone-bad a az1"},
		{"no zone is bad", func(s *situation, _ *limits) { s.Zones[0].BadSince = time.Time{} }, "wait calm  "},
		{"for a second too short", func(s *situation, _ *limits) { s.Zones[0].BadSince = ago(59 * time.Second) }, "wait confirming a az1"},
		{"for long enough", func(s *situation, _ *limits) { s.Zones[0].BadSince = ago(time.Minute) }, "start zone-bad a az1"},
		{"the only one for a second too short", func(s *situation, _ *limits) { s.Clear = ago(59 * time.Second) }, "wait confirming a az1"},
		{"two zones are bad", func(s *situation, _ *limits) { s.Zones[1].BadSince = ago(time.Second) }, "wait several-bad  "},
		{"all are", func(s *situation, _ *limits) { s.Zones[1].BadSince, s.Zones[2].BadSince = ago(1), ago(1) }, "wait several-bad  "},
		{"the only zone is", func(s *situation, _ *limits) { s.Zones = s.Zones[:1] }, "wait no-capacity a az1"},
		{"the pool is degraded", func(s *situation, _ *limits) { s.Degraded = true }, "wait degraded  "},
		{"half is healthy elsewhere", func(s *situation, _ *limits) { s.Zones[1].Healthy = 5 }, "start zone-bad a az1"},
		{"less than half is", func(s *situation, _ *limits) { s.Zones[1].Healthy = 4 }, "wait no-capacity a az1"},
		{"less than the number is", func(_ *situation, l *limits) { l.MinHealthy = 21 }, "wait no-capacity a az1"},
		{"a zone without the resource does not carry", func(s *situation, _ *limits) { s.Resource.Zones = []string{"az1", "az2"} }, "wait no-capacity a az1"},
		{"a zone that is out of traffic does not carry", func(s *situation, _ *limits) { s.Zones[2].Out = true }, "wait no-capacity a az1"},
		{"the bad zone is out of traffic already", func(s *situation, _ *limits) { s.Zones[0].Out = true }, "start zone-bad a az1"},
		{"the zone has no ID", func(s *situation, _ *limits) { s.Zones[0].ID = "" }, "wait unknown-zone a "},
		{"the resource is not in the zone", func(s *situation, _ *limits) { s.Resource.Zones = []string{"az2", "az3"} }, "wait unknown-zone a az1"},
		{"nothing has been read", func(s *situation, _ *limits) { s.Resource = nil }, "wait unread a az1"},
		{"an autoshift", func(s *situation, _ *limits) { s.Resource.Autoshifts = []string{"az1"} }, "wait autoshift a az1"},
		{"an autoshift away from another", func(s *situation, _ *limits) { s.Resource.Autoshifts = []string{"az2"} }, "wait autoshift a az1"},
		{"a shift of another", func(s *situation, _ *limits) { s.Resource.Shifts = []zonalhc.Shift{{ID: "t", AwayFrom: "az2"}} }, "wait other-shift a az1"},
		{"taken back", func(s *situation, _ *limits) { s.Spent = map[string]zonalhc.Reason{"az1": zonalhc.TakenBack} }, "wait taken-back a az1"},
		{"another was taken back", func(s *situation, _ *limits) { s.Spent = map[string]zonalhc.Reason{"az2": zonalhc.TakenBack} }, "start zone-bad a az1"},

		{"own, no extension", func(s *situation, _ *limits) { own(s, time.Minute) }, "wait shifted a az1 s"},
		{"own, to be extended", func(s *situation, l *limits) { own(s, 15*time.Minute); l.Extend = true }, "extend zone-still-bad a az1 s"},
		{"own, to be extended later", func(s *situation, l *limits) { own(s, 16*time.Minute); l.Extend = true }, "wait shifted a az1 s"},
		{"own, for two minutes yet", func(s *situation, l *limits) {
			own(s, time.Minute)
			l.Extend, l.MaxDuration = true, 2*time.Hour+2*time.Minute
		}, "extend zone-still-bad a az1 s"},
		{"own, for a minute and a half, which is the minute that is left", func(s *situation, l *limits) {
			own(s, time.Minute)
			l.Extend, l.MaxDuration = true, 2*time.Hour+90*time.Second
		}, "wait long-enough a az1 s"},
		{"own, not extended while others are bad", func(s *situation, l *limits) {
			own(s, time.Minute)
			l.Extend, s.Zones[1].BadSince = true, ago(time.Second)
		}, "wait shifted a az1 s"},
		{"own, not extended when another zone is bad instead", func(s *situation, l *limits) {
			own(s, time.Minute)
			l.Extend, s.Zones[0].BadSince, s.Zones[1].BadSince = true, time.Time{}, ago(time.Hour)
			s.Zones[0].Healthy = 10
		}, "wait shifted a az1 s"},
		{"own, not extended without capacity", func(s *situation, l *limits) {
			own(s, time.Minute)
			l.Extend, s.Zones[1].Healthy = true, 4
		}, "wait shifted a az1 s"},
		{"own, well, and nobody asked", func(s *situation, _ *limits) {
			own(s, time.Hour)
			s.Zones[0].BadSince, s.Zones[0].WellSince = time.Time{}, ago(time.Hour)
		}, "wait shifted a az1 s"},
		{"own, well, cancelled", func(s *situation, l *limits) {
			own(s, time.Hour)
			l.Cancel, s.Zones[0].BadSince, s.Zones[0].WellSince = true, time.Time{}, ago(15*time.Minute)
		}, "cancel zone-well a az1 s"},
		{"own, not well for long enough", func(s *situation, l *limits) {
			own(s, time.Hour)
			l.Cancel, s.Zones[0].BadSince, s.Zones[0].WellSince = true, time.Time{}, ago(15*time.Minute-time.Second)
		}, "wait shifted a az1 s"},
		{"own, well to a pool that is degraded", func(s *situation, l *limits) {
			own(s, time.Hour)
			s.Degraded, l.Cancel, s.Zones[0].BadSince, s.Zones[0].WellSince = true, true, time.Time{}, ago(time.Hour)
		}, "wait shifted a az1 s"},
		{"own, and the zone has no targets any more", func(s *situation, l *limits) {
			own(s, time.Minute)
			l.Cancel, l.Extend, s.Zones = true, true, s.Zones[1:]
		}, "wait shifted  az1 s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, l := threeZones(), zonalhc.Limits{Expiry: time.Hour}
			if test.change != nil {
				test.change(&s, &l)
			}
			d := zonalhc.Plan(s, l)
			got := string(d.Action) + " " + string(d.Reason) + " " + d.Zone + " " + d.ZoneID
			if d.Shift != "" {
				got += " " + d.Shift
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever the situation is, nothing is started but for one bad zone whose traffic the others can carry, and nothing is
// touched that belongs to others.
func TestPlanIsSafe(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	seen := map[zonalhc.Action]int{}
	for range 200_000 {
		s, l := threeZones(), zonalhc.Limits{
			Expiry: time.Hour, MinHealthy: 1 + r.IntN(20), MinHealthyPercent: 1 + r.IntN(80), Extend: r.IntN(2) == 0, Cancel: r.IntN(2) == 0,
			BadFor: 5 * time.Minute, WellFor: 5 * time.Minute,
		}
		at := func() time.Time { return ago(time.Duration(r.IntN(10)) * time.Minute) }
		bad, healthy, registered := 0, 0, 0
		for i := range s.Zones {
			z := &s.Zones[i]
			z.BadSince, z.WellSince, z.Registered = time.Time{}, time.Time{}, r.IntN(20)
			z.Healthy = r.IntN(z.Registered + 1)
			registered, healthy = registered+z.Registered, healthy+z.Healthy
			switch r.IntN(4) {
			case 0:
				z.BadSince = at()
				bad++
			case 1:
				z.WellSince = at()
			}
		}
		s.Degraded = r.IntN(10) == 0
		if r.IntN(2) == 0 {
			s.Resource.Shifts = []zonalhc.Shift{{ID: "s", AwayFrom: s.Zones[r.IntN(3)].ID, Start: at(), Expiry: now.Add(time.Duration(r.IntN(60)) * time.Minute), Own: r.IntN(2) == 0}}
		}
		if r.IntN(10) == 0 {
			s.Resource.Autoshifts = []string{"az1"}
		}
		d := zonalhc.Plan(s, l)
		seen[d.Action]++
		var z zonalhc.Zone
		if i := slices.IndexFunc(s.Zones, func(z zonalhc.Zone) bool { return z.ID == d.ZoneID }); i >= 0 {
			z = s.Zones[i]
		}
		carried := healthy-z.Healthy >= l.MinHealthy && (healthy-z.Healthy)*100 >= l.MinHealthyPercent*registered
		badLong, wellLong := !z.BadSince.IsZero() && now.Sub(z.BadSince) >= l.BadFor, !z.WellSince.IsZero() && now.Sub(z.WellSince) >= l.WellFor
		mine := len(s.Resource.Shifts) == 1 && s.Resource.Shifts[0].Own && s.Resource.Shifts[0].AwayFrom == d.ZoneID && d.Shift == "s"
		ok := true
		switch d.Action {
		case zonalhc.Start:
			ok = bad == 1 && badLong && carried && !s.Degraded && len(s.Resource.Shifts)+len(s.Resource.Autoshifts) == 0
		case zonalhc.Extend:
			ok = bad == 1 && badLong && carried && !s.Degraded && mine && l.Extend
		case zonalhc.Cancel:
			ok = wellLong && !s.Degraded && mine && l.Cancel
		}
		if !ok {
			t.Fatalf("%+v by %+v in %+v of %+v", d, l, s, *s.Resource)
		}
	}
	for _, a := range []zonalhc.Action{zonalhc.Wait, zonalhc.Start, zonalhc.Extend, zonalhc.Cancel} {
		if seen[a] < 20 {
			t.Errorf("%s was planned %d times: the test is about nothing", a, seen[a])
		}
	}
}
