package snapshot

import (
	"cmp"
	"slices"
	"time"
)

// PlanRetention says of each item what becomes of it, in the order of the items. It has no side effects, and the order of the items
// makes no difference. Pruning day by day keeps what pruning once in the end would.
//
// Only completed items count, and a set counts when all of it is completed; one failed item fails the set. It never has deleted what
// is pending, foreign or dated after now, nor the newest MinKeep points of a series. A retention that is not valid keeps everything.
func PlanRetention(items []Item, r Retention, now time.Time) []Decision {
	p := planner{items: items, retention: &r, now: now, decisions: make([]Decision, len(items)), reasons: make([]Reason, 0, len(items))}
	for i := range items {
		p.decisions[i].Item = items[i]
	}
	if err := r.Validate(); err != nil {
		for i := range items {
			p.decide(i, Keep, p.because("the retention is not valid"))
		}
		return p.decisions
	}
	for _, points := range p.series() {
		p.plan(points)
	}
	return p.decisions
}

type planner struct {
	items     []Item
	retention *Retention
	now       time.Time
	decisions []Decision
	reasons   []Reason // of all decisions: they are slices of it
}

// point is what is kept or deleted as one.
type point struct {
	at    time.Time
	items []int
	state State
	held  bool
}

// series returns the points that the retention is about, by series, and decides on all other items.
func (p *planner) series() map[string][]*point {
	type set struct{ series, name string }
	sets := make(map[set]*point)
	all := make(map[string][]*point)
	arena := make([]point, len(p.items)) // at most
	singles := make([]int, len(p.items))
	for i := range p.items {
		item := &p.items[i]
		if reason, apart := p.apart(item); apart {
			p.decide(i, Keep, p.because(reason))
			continue
		}
		if item.Duplicate {
			p.remove([]int{i}, len(item.Holds) > 0, "duplicate")
			continue
		}
		if at := sets[set{item.Series, item.Set}]; item.Set != "" && at != nil {
			at.join(item, i)
			continue
		}
		one := &arena[i]
		singles[i] = i
		*one = point{at: item.Time, items: singles[i : i+1 : i+1], state: item.State, held: len(item.Holds) > 0}
		if item.Set != "" {
			sets[set{item.Series, item.Set}] = one
		}
		all[item.Series] = append(all[item.Series], one)
	}
	return all
}

// apart reports whether an item is to be left alone, and why.
func (p *planner) apart(item *Item) (reason string, apart bool) {
	switch {
	case item.Foreign:
		return "foreign", true
	case item.Time.After(p.now):
		return "dated after now", true
	case item.Duplicate && item.State == Pending:
		return "pending", true
	}
	return "", false
}

// join adds an item of the same set.
func (t *point) join(item *Item, i int) {
	t.items = append(t.items, i)
	t.held = t.held || len(item.Holds) > 0
	if item.Time.Before(t.at) {
		t.at = item.Time
	}
	if t.state == Completed || item.State == Pending {
		t.state = item.State
	}
}

// plan decides on the points of one series.
func (p *planner) plan(points []*point) {
	failedAfter := p.retention.FailedAfter
	if failedAfter == 0 {
		failedAfter = defaultFailedAfter
	}
	completed := points[:0]
	for _, t := range points {
		switch {
		case t.state == Pending:
			p.keep(t, p.because("pending"))
		case t.state == Completed:
			completed = append(completed, t)
		case p.now.Sub(t.at) > failedAfter:
			p.remove(t.items, t.held, "failed")
		default:
			p.keep(t, p.because("failed, to be looked at"))
		}
	}
	slices.SortFunc(completed, func(a, b *point) int { // newest first
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return cmp.Compare(p.first(a), p.first(b))
	})
	p.retain(completed)
}

// first is the ID that orders points of the same time.
func (p *planner) first(t *point) string {
	id := p.items[t.items[0]].ID
	for _, i := range t.items[1:] {
		id = min(id, p.items[i].ID)
	}
	return id
}

// retain applies the rules to the completed points of a series, the newest first.
func (p *planner) retain(points []*point) {
	r := p.retention
	rules := r.rules()
	counters := make([]counter, len(rules))
	location := r.Location
	if location == nil {
		location = time.UTC
	}
	floor := max(r.MinKeep, 1)
	everything := len(rules) == 0 && r.Within == 0 && r.MaxAge == 0
	for n, t := range points {
		begin := len(p.reasons)
		local := t.at.In(location)
		for k := range rules {
			if counters[k].takes(&rules[k], local, n == len(points)-1) {
				p.reasons = append(p.reasons, Reason{Rule: rules[k].name, Rank: counters[k].rank, Of: rules[k].count})
			}
		}
		reference := points[0].at
		if r.FromNow {
			reference = p.now
		}
		if r.Within > 0 && reference.Sub(t.at) <= r.Within {
			p.reasons = append(p.reasons, Reason{Rule: "within"})
		}
		if r.MaxAge > 0 && p.now.Sub(t.at) <= r.MaxAge {
			p.reasons = append(p.reasons, Reason{Rule: "max age"})
		}
		if everything {
			p.reasons = append(p.reasons, Reason{Rule: "everything"})
		}
		if n < floor && len(p.reasons) == begin {
			p.reasons = append(p.reasons, Reason{Rule: "min keep", Rank: n + 1, Of: floor})
		}
		if reasons := p.reasons[begin:len(p.reasons):len(p.reasons)]; len(reasons) > 0 {
			p.keep(t, reasons)
			continue
		}
		p.remove(t.items, t.held, "no rule keeps it")
	}
}

// counter is how far a rule has counted.
type counter struct {
	rank int
	last period
}

// takes reports whether the rule keeps the next older point.
func (c *counter) takes(r *rule, local time.Time, oldest bool) bool {
	if r.count != Unlimited && c.rank >= r.count {
		return false
	}
	if r.period != nil {
		in := r.period(local)
		if c.rank > 0 && in == c.last && (!oldest || r.count == Unlimited) {
			return false
		}
		c.last = in
	}
	c.rank++
	return true
}

func (p *planner) because(rule string) []Reason {
	n := len(p.reasons)
	p.reasons = append(p.reasons, Reason{Rule: rule})
	return p.reasons[n : n+1 : n+1]
}

func (p *planner) decide(i int, a Action, reasons []Reason) {
	p.decisions[i].Action, p.decisions[i].Reasons = a, reasons
}

func (p *planner) keep(t *point, reasons []Reason) {
	for _, i := range t.items {
		p.decide(i, Keep, reasons)
	}
}

// remove has items deleted, or held if one of them is.
func (p *planner) remove(items []int, held bool, rule string) {
	if !held {
		reasons := p.because(rule)
		for _, i := range items {
			p.decide(i, Delete, reasons)
		}
		return
	}
	var reasons []Reason
	for _, i := range items {
		for _, hold := range p.items[i].Holds {
			reasons = append(reasons, Reason{Rule: hold.String()})
		}
	}
	for _, i := range items {
		p.decide(i, Held, reasons)
	}
}
