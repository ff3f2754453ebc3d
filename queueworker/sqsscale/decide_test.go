package sqsscale_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

// atRest is a group of ten that has had nothing to do for an hour, and needs four.
func atRest() sqsscale.Situation {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	return sqsscale.Situation{
		Now: now, Known: now.Add(-time.Hour), Changed: now.Add(-time.Hour), Peak: 4,
		Group: sqsscale.Group{Name: "workers", Min: 2, Max: 20, Desired: 10, InService: 10},
		Hint:  queueworker.ScaleHint{Desired: 4, Reason: "the hint"},
	}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	ago := func(s *sqsscale.Situation, d time.Duration) time.Time { return s.Now.Add(-d) }
	for _, c := range []struct {
		name   string
		change func(*sqsscale.Situation)
		limits sqsscale.Limits
		want   sqsscale.Verdict
		to     int
		reason string
	}{
		{"scales in by half at most", func(*sqsscale.Situation) {}, sqsscale.Limits{}, sqsscale.In, 5, "the hint; 5 fewer at a time"},
		{"scales in by no more than is allowed", func(*sqsscale.Situation) {}, sqsscale.Limits{MaxStepIn: 1}, sqsscale.In, 9, "the hint; 1 fewer at a time"},
		{"scales in to what is needed", func(*sqsscale.Situation) {}, sqsscale.Limits{MaxStepIn: 6}, sqsscale.In, 4, "the hint"},
		{"half of one is one", func(s *sqsscale.Situation) {
			s.Group.Desired, s.Group.InService, s.Group.Min, s.Hint.Desired, s.Peak = 1, 1, 0, 0, 0
		}, sqsscale.Limits{}, sqsscale.In, 0, "the hint"},
		{"keeps what was needed of late", func(s *sqsscale.Situation) { s.Peak = 8 }, sqsscale.Limits{}, sqsscale.In, 8, "the hint; 8 stay: 8 were needed within 5m0s, 0 have work"},
		{"keeps instances that have work by the queue", func(s *sqsscale.Situation) { s.Hint.Floor = 7 }, sqsscale.Limits{}, sqsscale.In, 7, "7 have work"},
		{"keeps instances that are protected", func(s *sqsscale.Situation) { s.Group.Protected = 9 }, sqsscale.Limits{}, sqsscale.In, 9, "9 have work"},
		{"keeps the minimum of the group", func(s *sqsscale.Situation) { s.Hint.Desired, s.Peak, s.Group.Min = 0, 0, 6 }, sqsscale.Limits{}, sqsscale.In, 6, "the hint; the group allows no less than 6"},
		{"is steady", func(s *sqsscale.Situation) { s.Hint.Desired = 10 }, sqsscale.Limits{}, sqsscale.Steady, 10, "the hint"},
		{"is steady at the minimum", func(s *sqsscale.Situation) { s.Group.Min = 10 }, sqsscale.Limits{}, sqsscale.Steady, 10, "allows no less than 10"},
		{"is steady at the maximum", func(s *sqsscale.Situation) { s.Hint.Desired, s.Group.Max = 99, 10 }, sqsscale.Limits{}, sqsscale.Steady, 10, "the hint; the group allows no more than 10"},

		{"scales out at once", func(s *sqsscale.Situation) { s.Hint.Desired, s.Changed, s.Known = 15, s.Now, s.Now }, sqsscale.Limits{}, sqsscale.Out, 15, "the hint"},
		{"scales out to the maximum", func(s *sqsscale.Situation) { s.Hint.Desired = 1_000_000 }, sqsscale.Limits{}, sqsscale.Out, 20, "the group allows no more than 20"},
		{"scales out by no more than is allowed", func(s *sqsscale.Situation) { s.Hint.Desired = 15 }, sqsscale.Limits{MaxStepOut: 2}, sqsscale.Out, 12, "the hint; 2 more at a time"},
		{"scales out to the minimum in one step", func(s *sqsscale.Situation) { s.Group.Desired, s.Group.Min, s.Hint.Desired = 0, 5, 9 }, sqsscale.Limits{MaxStepOut: 2}, sqsscale.Out, 5, "2 more at a time"},
		{"scales out of nothing", func(s *sqsscale.Situation) {
			s.Group.Desired, s.Group.InService, s.Group.Min, s.Hint.Desired = 0, 0, 0, 1
		}, sqsscale.Limits{}, sqsscale.Out, 1, "the hint"},
		{"scales out while others come", func(s *sqsscale.Situation) { s.Hint.Desired, s.Group.InService, s.Group.Changing = 15, 3, 7 }, sqsscale.Limits{}, sqsscale.Out, 15, "the hint"},
		{"scales out while Terminate is suspended", func(s *sqsscale.Situation) {
			s.Hint.Desired, s.Group.Suspended = 15, []string{"AZRebalance", "Terminate"}
		}, sqsscale.Limits{}, sqsscale.Out, 15, "the hint"},
		{"says what is needed if the hint does not", func(s *sqsscale.Situation) { s.Hint.Desired, s.Hint.Reason = 11, "" }, sqsscale.Limits{}, sqsscale.Out, 11, "11 instances are needed"},

		{"waits while as many were needed of late", func(s *sqsscale.Situation) { s.Peak = 10 }, sqsscale.Limits{}, sqsscale.Cooling, 10, "10 instances were needed less than 5m0s ago"},
		{"waits until hints are known for long enough", func(s *sqsscale.Situation) { s.Known = ago(s, 299*time.Second) }, sqsscale.Limits{}, sqsscale.Cooling, 10, "what is needed is known for 4m59s only"},
		{"waits after its first hint", func(s *sqsscale.Situation) { s.Known = time.Time{} }, sqsscale.Limits{}, sqsscale.Cooling, 10, "known for 0s only"},
		{"waits after a change", func(s *sqsscale.Situation) { s.Changed = ago(s, 299*time.Second) }, sqsscale.Limits{}, sqsscale.Cooling, 10, "the capacity changed 4m59s ago"},
		{"waits no longer than the cooldown", func(s *sqsscale.Situation) { s.Known, s.Changed = ago(s, 5*time.Minute), ago(s, 5*time.Minute) }, sqsscale.Limits{}, sqsscale.In, 5, "the hint"},
		{"waits for another cooldown", func(s *sqsscale.Situation) { s.Changed = ago(s, 5*time.Minute) }, sqsscale.Limits{Cooldown: 6 * time.Minute}, sqsscale.Cooling, 10, "5m0s ago"},

		{"all have work", func(s *sqsscale.Situation) { s.Hint.Floor, s.Group.Protected = 10, 3 }, sqsscale.Limits{}, sqsscale.Busy, 10, "10 instances have work: 10 by the messages in flight, 3 are protected"},
		{"all are protected", func(s *sqsscale.Situation) { s.Group.Protected = 10 }, sqsscale.Limits{}, sqsscale.Busy, 10, "10 are protected"},
		{"instances come", func(s *sqsscale.Situation) { s.Group.InService, s.Group.Changing = 9, 1 }, sqsscale.Limits{}, sqsscale.Busy, 10, "not come to rest: 9 of 10 instances are in service, and 1 come or go"},
		{"the group is rebalanced", func(s *sqsscale.Situation) { s.Group.InService = 11 }, sqsscale.Limits{}, sqsscale.Busy, 10, "not come to rest: 11 of 10"},
		{"data is at risk", func(s *sqsscale.Situation) { s.Hint.AtRisk = true }, sqsscale.Limits{}, sqsscale.Busy, 10, "the hint"},
		{"wants no more of what does not come", func(s *sqsscale.Situation) { s.Group.InService = 7 }, sqsscale.Limits{}, sqsscale.In, 7, "the hint"},

		{"the group is deleted", func(s *sqsscale.Situation) { s.Hint.Desired, s.Group.Deleting = 15, true }, sqsscale.Limits{}, sqsscale.Blocked, 10, "the group is being deleted"},
		{"the group counts vCPUs", func(s *sqsscale.Situation) { s.Group.OtherUnits = true }, sqsscale.Limits{}, sqsscale.Blocked, 10, "does not count its capacity in instances"},
		{"Launch is suspended", func(s *sqsscale.Situation) { s.Hint.Desired, s.Group.Suspended = 15, []string{"Launch"} }, sqsscale.Limits{}, sqsscale.Blocked, 10, "Launch is suspended: nothing would come of 15"},
		{"Terminate is suspended", func(s *sqsscale.Situation) { s.Group.Suspended = []string{"Terminate"} }, sqsscale.Limits{}, sqsscale.Blocked, 10, "Terminate is suspended"},
		{"a refresh keeps it from scaling in", func(s *sqsscale.Situation) { s.Group.Refresh = types.InstanceRefreshStatusBaking }, sqsscale.Limits{ScaleOutInRefresh: true}, sqsscale.Blocked, 10, "an instance refresh is under way: Baking"},
		{"a refresh keeps it from scaling out", func(s *sqsscale.Situation) {
			s.Hint.Desired, s.Group.Refresh = 15, types.InstanceRefreshStatusInProgress
		}, sqsscale.Limits{}, sqsscale.Blocked, 10, "an instance refresh is under way: InProgress"},
		{"a refresh may let it scale out", func(s *sqsscale.Situation) {
			s.Hint.Desired, s.Group.Refresh = 15, types.InstanceRefreshStatusInProgress
		}, sqsscale.Limits{ScaleOutInRefresh: true}, sqsscale.Out, 15, "the hint"},

		{"a read that is behind is no reason to scale in", func(s *sqsscale.Situation) {
			s.Group.Desired, s.Group.InService, s.Hint.Desired, s.Set, s.SetAt, s.Changed = 2, 2, 5, 10, ago(s, 30*time.Second), ago(s, 30*time.Second)
		}, sqsscale.Limits{}, sqsscale.Cooling, 10, "the capacity changed 30s ago"},
		{"a read that is behind is scaled out again", func(s *sqsscale.Situation) {
			s.Group.Desired, s.Group.InService, s.Hint.Desired, s.Set, s.SetAt = 2, 2, 12, 10, ago(s, 30*time.Second)
		}, sqsscale.Limits{}, sqsscale.Out, 12, "the hint"},
		{"a read is believed in the end", func(s *sqsscale.Situation) {
			s.Group.Desired, s.Group.InService, s.Hint.Desired, s.Set, s.SetAt = 2, 2, 5, 10, ago(s, time.Minute)
		}, sqsscale.Limits{}, sqsscale.Out, 5, "the hint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := atRest()
			c.change(&s)
			got := sqsscale.Decide(s, c.limits)
			if got.Verdict != c.want || got.To != c.to || got.Group != "workers" {
				t.Errorf("got %+v, want %s to %d", got, c.want, c.to)
			}
			if (got.From != got.To) != (got.Verdict == sqsscale.Out || got.Verdict == sqsscale.In) {
				t.Errorf("the verdict does not fit: %+v", got)
			}
			if !strings.Contains(got.Reason, c.reason) {
				t.Errorf("got the reason %q, want %q", got.Reason, c.reason)
			}
		})
	}
}

// Whatever the situation is, a decision keeps to the rules that its page promises.
func TestDecideKeepsToItsRules(t *testing.T) {
	t.Parallel()
	const seed = 8
	r := rand.New(rand.NewPCG(seed, seed))
	seen := map[sqsscale.Verdict]int{}
	for range 50_000 {
		s := atRest()
		g := &s.Group
		g.Min = r.IntN(4)
		g.Max = g.Min + r.IntN(8)
		g.Desired = g.Min + r.IntN(g.Max-g.Min+1)
		g.InService = max(0, g.Desired-r.IntN(6)/4+r.IntN(6)/5)
		g.Protected = r.IntN(g.InService + 1)
		g.Changing = r.IntN(4) / 3
		g.Deleting, g.OtherUnits = r.IntN(40) == 0, r.IntN(40) == 0
		if r.IntN(10) == 0 {
			g.Refresh = types.InstanceRefreshStatusInProgress
		}
		for _, p := range []string{"Launch", "Terminate", "AZRebalance"} {
			if r.IntN(10) == 0 {
				g.Suspended = append(g.Suspended, p)
			}
		}
		s.Hint = queueworker.ScaleHint{Desired: r.IntN(14), Floor: r.IntN(g.InService + 1), AtRisk: r.IntN(10) == 0}
		s.Peak = max(s.Hint.Desired, r.IntN(14)-6)
		s.Known, s.Changed = s.Now.Add(-time.Duration(r.IntN(10))*time.Minute), s.Now.Add(-time.Duration(r.IntN(10))*time.Minute)
		if r.IntN(4) == 0 {
			s.Set, s.SetAt = g.Min+r.IntN(g.Max-g.Min+1), s.Now.Add(-time.Duration(r.IntN(100))*time.Second)
		}
		l := sqsscale.Limits{MaxStepIn: r.IntN(4), MaxStepOut: r.IntN(4), ScaleOutInRefresh: r.IntN(2) == 0}
		d := sqsscale.Decide(s, l)
		seen[d.Verdict]++
		var wrong string
		switch d.Verdict {
		case sqsscale.Out:
			switch {
			case d.To <= d.From || d.To < g.Min || d.To > g.Max:
				wrong = "not more, or out of bounds"
			case d.To > max(s.Hint.Desired, g.Min):
				wrong = "more than is needed"
			case l.MaxStepOut > 0 && d.To-d.From > l.MaxStepOut && d.To != g.Min:
				wrong = "too large a step"
			}
		case sqsscale.In:
			switch {
			case d.To >= d.From || d.To < g.Min || d.To > g.Max:
				wrong = "not less, or out of bounds"
			case d.To < s.Hint.Desired && d.To < g.Max || d.To < min(s.Peak, g.Max):
				wrong = "less than was needed"
			case d.To < s.Hint.Floor && s.Hint.Floor <= g.Max || d.To < g.Protected && g.Protected <= g.Max:
				wrong = "instances with work go"
			case g.Changing > 0 || g.InService > d.From:
				wrong = "not at rest"
			case g.InService < d.From && d.To < g.InService && d.To < g.Max:
				wrong = "not all are there, and one goes"
			case s.Hint.AtRisk || g.Refresh != "" || s.Now.Sub(s.Changed) < 5*time.Minute || s.Now.Sub(s.Known) < 5*time.Minute:
				wrong = "too early"
			case l.MaxStepIn > 0 && d.From-d.To > l.MaxStepIn:
				wrong = "too large a step"
			}
		default:
			if d.From != d.To {
				wrong = "a change without a verdict"
			}
		}
		if d.Reason == "" {
			wrong = "no reason"
		}
		if wrong != "" {
			t.Fatalf("%s: %+v of %+v by %+v", wrong, d, s, l)
		}
	}
	for _, v := range []sqsscale.Verdict{sqsscale.Out, sqsscale.In, sqsscale.Steady, sqsscale.Cooling, sqsscale.Busy, sqsscale.Blocked} {
		if seen[v] < 250 {
			t.Errorf("%s was decided %d times only", v, seen[v])
		}
	}
}

// Decide changes nothing of what it is given.
func TestDecideIsPure(t *testing.T) {
	t.Parallel()
	s := atRest()
	s.Group.Suspended = []string{"AZRebalance"}
	before := s
	before.Group.Suspended = []string{"AZRebalance"}
	first := sqsscale.Decide(s, sqsscale.Limits{})
	if diff := cmp.Diff(before, s); diff != "" {
		t.Error(diff)
	}
	if second := sqsscale.Decide(s, sqsscale.Limits{}); second != first {
		t.Errorf("got %+v after %+v", second, first)
	}
}
