package asghc_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/asghc"
)

var (
	t0  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	now = t0.Add(time.Hour)
)

// fleet is a group g of n instances i-0, i-1, ... in two zones, all of them targets of a pool; those listed are unhealthy,
// for a minute longer each than the next.
func fleet(n int, unhealthy ...int) asghc.Situation {
	s := asghc.Situation{Now: now, Registered: n, Healthy: n - len(unhealthy), Groups: []asghc.Group{{Name: "g", Desired: n}}}
	for k := range n {
		s.Groups[0].Instances = append(s.Groups[0].Instances, asghc.Instance{
			ID: fmt.Sprintf("i-%d", k), Zone: zoneName(k), ZoneID: zoneID(k), State: "InService", Healthy: true,
		})
	}
	for place, k := range unhealthy {
		s.Targets = append(s.Targets, asghc.Target{
			ID: fmt.Sprintf("t-%d", k), Instance: fmt.Sprintf("i-%d", k), Zone: zoneID(k),
			State: healthcheck.Unhealthy, Since: now.Add(time.Duration(place-len(unhealthy)-1) * time.Minute),
		})
	}
	return s
}

func zoneName(k int) string { return []string{"us-east-1a", "us-east-1b"}[k%2] }
func zoneID(k int) string   { return []string{"use1-az2", "use1-az4"}[k%2] }

func TestPlan(t *testing.T) {
	t.Parallel()
	member := func(s *asghc.Situation, k int) *asghc.Instance { return &s.Groups[0].Instances[k] }
	tests := []struct {
		name      string
		n         int
		unhealthy []int
		change    func(*asghc.Situation, *asghc.Limits)
		want      []asghc.Verdict
	}{
		{name: "one of ten", n: 10, unhealthy: []int{3}, want: []asghc.Verdict{asghc.Mark}},
		{name: "one of two", n: 2, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Mark}},
		{name: "three of ten: one at a time", n: 10, unhealthy: []int{1, 2, 3}, want: []asghc.Verdict{asghc.Mark, asghc.Brake, asghc.Brake}},
		{name: "three of thirty: a tenth", n: 39, unhealthy: []int{1, 2, 3, 4}, want: []asghc.Verdict{asghc.Mark, asghc.Mark, asghc.Mark, asghc.Brake}},
		{
			name: "another target of the instance is new, which is no other that is missing", n: 10, unhealthy: []int{3}, want: []asghc.Verdict{asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) {
				s.Targets = append(s.Targets, asghc.Target{ID: "u-3", Instance: "i-3", State: healthcheck.Initial, Since: now})
			},
		},
		{
			name: "an empty name among the zones that are shifted away from", n: 10, unhealthy: []int{3}, want: []asghc.Verdict{asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Shifted, s.Targets[0].Zone = []string{""}, "" },
		},
		{
			name: "a fifth is allowed", n: 10, unhealthy: []int{1, 2, 3}, want: []asghc.Verdict{asghc.Mark, asghc.Mark, asghc.Brake},
			change: func(_ *asghc.Situation, l *asghc.Limits) { l.MaxInFlightPercent = 20 },
		},
		{
			name: "the pool fails open", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.FailOpen},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.FailOpen = true },
		},
		{
			name: "the zone fails open", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.FailOpen, asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[0].FailOpen = true },
		},
		{
			name: "the pool is degraded", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Degraded},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Degraded = true },
		},
		{name: "exactly half is healthy", n: 4, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Mark, asghc.Brake}},
		{name: "less than half is healthy", n: 5, unhealthy: []int{1, 2, 3}, want: []asghc.Verdict{asghc.FewHealthy, asghc.FewHealthy, asghc.FewHealthy}},
		{
			name: "less than half, and that does not matter", n: 5, unhealthy: []int{1, 2, 3}, want: []asghc.Verdict{asghc.Mark, asghc.Brake, asghc.Brake},
			change: func(_ *asghc.Situation, l *asghc.Limits) { l.MinHealthyPercent = asghc.None },
		},
		{
			name: "the pool's zone is shifted", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Shifted, asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[0].Shifted = true },
		},
		{
			name: "the zone is shifted, by its ID", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Shifted, asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Shifted = []string{zoneID(1)} },
		},
		{
			name: "the zone is shifted, by its ID, and the pool knows no zones", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Shifted},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Shifted, s.Targets[0].Zone = []string{zoneID(1)}, "" },
		},
		{
			name: "the zone is shifted, by its name", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Shifted, asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Shifted = []string{zoneName(1)} },
		},
		{
			name: "overridden", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Overridden},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[0].Overridden = true },
		},
		{
			name: "the latest check tells nothing", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Unknown},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[0].Unknown = true },
		},
		{
			name: "the latest check has passed", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Recovering},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[0].Recovering = true },
		},
		{
			name: "a second too young", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Young},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[0].Since = now.Add(-59 * time.Second) },
		},
		{
			name: "old enough, and the pool is believed for less", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Young},
			change: func(s *asghc.Situation, _ *asghc.Limits) {
				s.Targets[0].Since, s.Believed = time.Time{}, now.Add(-59*time.Second)
			},
		},
		{
			name: "no instance", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Unmapped},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[0].Instance = "" },
		},
		{
			name: "of no group", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.NoMember, asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[0].Instance = "i-99" },
		},
		{
			name: "marked, and in service yet", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Replacing, asghc.Brake},
			change: func(s *asghc.Situation, _ *asghc.Limits) { member(s, 1).Healthy = false },
		},
		{
			name: "terminating, and not replaced yet", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Replacing, asghc.Brake},
			change: func(s *asghc.Situation, _ *asghc.Limits) { member(s, 1).State = "Terminating:Wait" },
		},
		{
			name: "terminating, and replaced", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Replacing, asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) { member(s, 1).State, s.Groups[0].Desired = "Terminating", 9 },
		},
		{
			name: "the replacement is not checked yet", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Brake},
			change: func(s *asghc.Situation, _ *asghc.Limits) {
				s.Targets = append(s.Targets, asghc.Target{ID: "t-9", Instance: "i-9", State: healthcheck.Initial})
			},
		},
		{
			name: "marked a moment ago, and not seen to be", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Replacing, asghc.Brake},
			change: func(s *asghc.Situation, _ *asghc.Limits) {
				s.Marked = map[string]time.Time{"i-1": now.Add(-59 * time.Second)}
			},
		},
		{
			name: "marked a minute ago, and not seen to be: again, and no other", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Mark, asghc.Brake},
			change: func(s *asghc.Situation, _ *asghc.Limits) {
				s.Marked = map[string]time.Time{"i-1": now.Add(-time.Minute)}
			},
		},
		{
			name: "the group is about to grow", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Brake},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Groups[0].Desired = 11 },
		},
		{
			name: "the group has more than it wants: one is marked, no other goes", n: 12, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Replacing, asghc.Brake},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Groups[0].Desired, member(s, 1).Healthy = 10, false },
		},
		{
			name: "pending", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.NotInService},
			change: func(s *asghc.Situation, _ *asghc.Limits) { member(s, 1).State = "Pending:Wait" },
		},
		{
			name: "on standby", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.NotInService},
			change: func(s *asghc.Situation, _ *asghc.Limits) { member(s, 1).State = "Standby" },
		},
		{
			name: "protected from scale-in, which is no protection", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) { member(s, 1).Protected = true },
		},
		{
			name: "protected from scale-in, and kept", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Protected, asghc.Mark},
			change: func(s *asghc.Situation, l *asghc.Limits) { member(s, 1).Protected, l.KeepProtected = true, true },
		},
		{
			name: "suspended", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Suspended},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Groups[0].Blocked = asghc.Suspended },
		},
		{
			name: "refused a moment ago, for its grace period: the next one", n: 10, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Grace, asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) {
				s.Refused = map[string]time.Time{"i-1": now.Add(-59 * time.Second)}
			},
		},
		{
			name: "refused a minute ago", n: 10, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) {
				s.Refused = map[string]time.Time{"i-1": now.Add(-time.Minute)}
			},
		},
		{
			name: "two targets of one instance", n: 30, unhealthy: []int{1, 2}, want: []asghc.Verdict{asghc.Mark, asghc.Replacing},
			change: func(s *asghc.Situation, _ *asghc.Limits) { s.Targets[1].Instance = "i-1" },
		},
		{
			name: "weights: four units are two fifths of ten, and alone", n: 3, unhealthy: []int{1}, want: []asghc.Verdict{asghc.Mark},
			change: func(s *asghc.Situation, _ *asghc.Limits) {
				s.Groups[0].Desired = 10
				member(s, 0).Weight, member(s, 1).Weight, member(s, 2).Weight = 3, 4, 3
			},
		},
		{
			name: "weights: of twenty, two go, not three", n: 20, unhealthy: []int{1, 2, 3}, want: []asghc.Verdict{asghc.Mark, asghc.Brake, asghc.Mark},
			change: func(s *asghc.Situation, l *asghc.Limits) {
				s.Groups[0].Desired = 21
				l.MaxInFlightPercent = 10
				member(s, 2).Weight = 2
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, l := fleet(test.n, test.unhealthy...), asghc.Limits{}
			if test.change != nil {
				test.change(&s, &l)
			}
			var got []asghc.Verdict
			for _, d := range asghc.Plan(s, l) {
				got = append(got, d.Verdict)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Groups have brakes of their own.
func TestPlanOfTwoGroups(t *testing.T) {
	t.Parallel()
	s := fleet(20, 0, 10, 1, 11)
	all := s.Groups[0].Instances
	s.Groups = []asghc.Group{{Name: "a", Desired: 10, Instances: all[:10]}, {Name: "b", Desired: 10, Instances: all[10:]}}
	var got []string
	for _, d := range asghc.Plan(s, asghc.Limits{}) {
		got = append(got, fmt.Sprint(d.Instance, " ", d.Group, " ", d.Verdict))
	}
	want := []string{"i-0 a mark", "i-10 b mark", "i-1 a brake", "i-11 b brake"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var seed = flag.Uint64("seed", 0, "replay one random fleet")

// However a fleet fails, and however far behind reads are within SettleTime, the brake holds, and nothing is marked that
// must not be.
func TestBrakeHolds(t *testing.T) {
	t.Parallel()
	seeds := make([]uint64, 200)
	for i := range seeds {
		seeds[i] = rand.Uint64()
	}
	if *seed != 0 {
		seeds = []uint64{*seed}
	}
	acted := 0
	for _, n := range seeds {
		acted += playFleet(t, n)
		if t.Failed() {
			t.Fatalf("replay with -seed=%d", n)
		}
	}
	if len(seeds) > 1 && acted < len(seeds) {
		t.Errorf("%d instances were marked in %d fleets: the test is about nothing", acted, len(seeds))
	}
}

// instance is one of a fleet that is played: AWS's and the pool's view of it.
type instance struct {
	asghc.Instance
	target asghc.Target
	marked bool
	until  time.Time // when what goes on with it is done
}

// playFleet plays a group and its pool for 200 steps of 15 s, with its instances failing at random, and a Replacer's
// plans carried out. Reads show the group as it was up to 45 s before, each another moment.
func playFleet(t *testing.T, seed uint64) (acted int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	desired := 1 + r.IntN(60)
	limits := asghc.Limits{MaxInFlightPercent: 1 + r.IntN(40), MinHealthyPercent: 1 + r.IntN(60)}
	most := max(1, desired*limits.MaxInFlightPercent/100)
	failures := r.Float64() / 10
	s := asghc.Situation{Now: t0, Marked: map[string]time.Time{}}
	count := 0
	launch := func(at time.Time, state string) *instance {
		id := fmt.Sprintf("i-%d", count)
		i := &instance{
			Instance: asghc.Instance{ID: id, Zone: zoneName(count), ZoneID: zoneID(count), State: state, Healthy: true},
			target:   asghc.Target{ID: id, Instance: id, Zone: zoneID(count), State: healthcheck.Healthy, Since: at},
			until:    at.Add(time.Duration(r.IntN(300)) * time.Second),
		}
		count++
		return i
	}
	var fleet []*instance
	for range desired {
		fleet = append(fleet, launch(t0, "InService"))
	}
	var past [][]asghc.Instance
	for range 200 {
		s.Now = s.Now.Add(15 * time.Second)
		// Auto Scaling acts: what is marked goes, what is missing is launched, what is pending comes.
		replaced := 0
		for _, i := range fleet {
			switch {
			case !i.Healthy && i.State == "InService" && r.IntN(3) == 0:
				i.State, i.until = "Terminating", s.Now.Add(time.Duration(r.IntN(120))*time.Second)
			case i.State == "Pending" && !s.Now.Before(i.until):
				i.State = "InService"
				i.target.State, i.target.Since = healthcheck.Healthy, s.Now
			case i.State == "InService" && i.target.State == healthcheck.Healthy && r.Float64() < failures:
				i.target.State, i.target.Since = healthcheck.Unhealthy, s.Now
			}
		}
		fleet = slices.DeleteFunc(fleet, func(i *instance) bool { return i.State == "Terminating" && !s.Now.Before(i.until) })
		for _, i := range fleet {
			if i.State != "Terminating" {
				replaced++
			}
		}
		for ; replaced < desired; replaced++ {
			i := launch(s.Now, "Pending")
			i.target.State = healthcheck.Initial
			fleet = append(fleet, i)
		}

		// The pool and AWS are read.
		s.Targets, s.Registered, s.Healthy = nil, 0, 0
		var seen []asghc.Instance
		for _, i := range fleet {
			seen = append(seen, i.Instance)
			if i.State != "InService" {
				continue
			}
			s.Registered++
			if i.target.State == healthcheck.Healthy {
				s.Healthy++
			}
			i.target.Unknown, i.target.Recovering, i.target.Overridden = r.IntN(10) == 0, r.IntN(10) == 0, r.IntN(20) == 0
			s.Targets = append(s.Targets, i.target)
		}
		past = append(past, seen)
		s.FailOpen, s.Degraded = s.Healthy == 0, r.IntN(20) == 0
		if s.Shifted = nil; r.IntN(4) == 0 {
			s.Shifted = []string{[]string{zoneName(0), zoneID(1)}[r.IntN(2)]}
		}
		s.Groups = []asghc.Group{{Name: "g", Desired: desired, Instances: past[max(0, len(past)-1-r.IntN(4))]}}

		for _, d := range asghc.Plan(s, limits) {
			if d.Verdict != asghc.Mark {
				continue
			}
			k := slices.IndexFunc(fleet, func(i *instance) bool { return i.ID == d.Instance })
			i := fleet[k]
			shifted := slices.Contains(s.Shifted, i.Zone) || slices.Contains(s.Shifted, i.ZoneID)
			switch {
			case s.FailOpen, s.Degraded, shifted, i.target.Unknown, i.target.Recovering, i.target.Overridden, s.Healthy*100 < limits.MinHealthyPercent*s.Registered,
				i.target.State != healthcheck.Unhealthy, s.Now.Sub(i.target.Since) < time.Minute, i.State != "InService":
				t.Errorf("marks %+v in %+v", *i, s)
			}
			s.Marked[i.ID] = s.Now
			acted++
			i.marked = true
			i.Healthy = r.IntN(20) == 0 // some marks are lost
		}
		inFlight := 0
		for _, i := range fleet {
			if i.marked && i.State == "InService" && !i.Healthy {
				inFlight++
			}
			if i.State == "Pending" {
				inFlight++ // in the place of one that was marked: nothing else ends here
			}
		}
		if inFlight > most {
			t.Errorf("%d of %d are in flight, and %d may be", inFlight, desired, most)
			return acted
		}
	}
	return acted
}
