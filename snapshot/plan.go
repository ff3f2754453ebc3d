package snapshot

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Plan is what would be deleted of a policy, and what is kept, each with the reasons. It is a value to look at, to store as JSON, and to
// give to [Manager.Apply].
type Plan struct {
	Policy      Policy       `json:"policy"`
	Fingerprint string       `json:"fingerprint"` // of the policy
	At          time.Time    `json:"at"`          // by when it was made
	Regions     []RegionPlan `json:"regions"`     // the policy's own first, then those of its copies
}

// RegionPlan is what a [Plan] says of one region.
type RegionPlan struct {
	Region    string     `json:"region"`
	Decisions []Decision `json:"decisions"` // the newest first
}

// Deletions returns what the plan deletes.
func (p *Plan) Deletions() (refs []Ref) {
	for i := range p.Regions {
		for k := range p.Regions[i].Decisions {
			if d := &p.Regions[i].Decisions[k]; d.Action == Delete {
				refs = append(refs, Ref{Region: p.Regions[i].Region, ID: d.Item.ID, Kind: kindOf(d.Item.Series)})
			}
		}
	}
	return refs
}

func kindOf(series string) Kind {
	kind, _, _ := strings.Cut(series, "/")
	return Kind(kind)
}

// Plan says what a policy's retentions keep and delete now. It reads only: the snapshots of the policy, a call for each 1,000 in each
// region; and of those that would go, the images made of them, a call for each 200, and the locks.
//
// A snapshot in the policy's own region is held until there are the copies that its rules ask for.
func (m *Manager) Plan(ctx context.Context, p *Policy) (*Plan, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	plan := &Plan{Policy: *p, Fingerprint: p.Fingerprint(), At: now}
	home := stock{region: m.region(p.Region), retain: p.Retain}
	if err := home.read(ctx, p); err != nil {
		return nil, err
	}
	for i := range p.Copies {
		rule := &p.Copies[i]
		copies := stock{region: m.region(rule.Region), retain: rule.Retain, copies: true}
		if err := copies.read(ctx, p); err != nil {
			return nil, err
		}
		c := copying{manager: m, policy: p, rule: rule, to: copies.region}
		home.awaitCopies(&c, copies.points, now)
		copies.incomplete(home.points)
		copies.keepBases()
		decisions, err := copies.decide(ctx, now)
		if err != nil {
			return nil, err
		}
		plan.Regions = append(plan.Regions, RegionPlan{Region: rule.Region, Decisions: decisions})
	}
	decisions, err := home.decide(ctx, now)
	if err != nil {
		return nil, err
	}
	plan.Regions = slices.Insert(plan.Regions, 0, RegionPlan{Region: p.Region, Decisions: decisions})
	return plan, nil
}

// stock is what there is of a policy in one region.
type stock struct {
	region *region
	retain Retention
	copies bool
	points []*Point
	held   map[string][]Hold // by ID
	states map[string]State  // other than that of the point, by ID
}

func (s *stock) read(ctx context.Context, p *Policy) (err error) {
	s.held, s.states = make(map[string][]Hold), make(map[string]State)
	s.points, err = s.region.points(ctx, p)
	if err != nil {
		return err
	}
	if !p.Targets.Images.IsZero() {
		left, err := s.region.images.leftovers(ctx, p.Name, s.points)
		if err != nil {
			return err
		}
		s.points = append(s.points, left...)
	}
	slices.SortFunc(s.points, newestFirst)
	return nil
}

func (s *stock) hold(id string, h Hold) { s.held[id] = append(s.held[id], h) }

// awaitCopies holds what is to have copies, and what a copy is being made of.
func (s *stock) awaitCopies(c *copying, there []*Point, now time.Time) {
	for _, l := range c.wanted(s.points, there, now) {
		if l.under != nil {
			s.hold(l.source.ID, Hold{Kind: HeldByCopy, Detail: l.under.String()})
		} else {
			s.hold(l.source.ID, Hold{Kind: HeldForCopy, Detail: c.rule.Region})
		}
	}
}

// incomplete marks sets of copies of which some are missing: they do not count. They are pending as long as the source is there, and else
// have failed.
func (s *stock) incomplete(sources []*Point) {
	at := make(map[Ref]bool, len(sources))
	for _, p := range sources {
		at[p.Ref] = true
	}
	for _, set := range sets(s.points) {
		if len(set) >= set[0].Members {
			continue
		}
		state := Failed
		if slices.ContainsFunc(set, func(p *Point) bool { return at[p.Source] }) {
			state = Pending
		}
		for _, p := range set {
			s.states[p.ID] = state
		}
	}
}

// keepBases holds the newest completed copy of each volume, even of a set that is not complete: without it the next copy would be a full one.
func (s *stock) keepBases() {
	held := make(map[string]bool)
	for _, p := range s.points { // the newest first
		if p.State == Completed && p.VolumeID != "" && !held[p.VolumeID] {
			held[p.VolumeID] = true
			s.hold(p.ID, Hold{Kind: HeldAsBase})
		}
	}
}

// decide applies the retention, and reads what EC2 would refuse to delete.
func (s *stock) decide(ctx context.Context, now time.Time) ([]Decision, error) {
	decisions := PlanRetention(s.items(), s.retain, now)
	going := make(map[store][]*Point)
	for i := range decisions {
		if p := s.points[i]; decisions[i].Action == Delete {
			at := s.region.store(p.Kind)
			going[at] = append(going[at], p)
		}
	}
	if len(going) == 0 {
		return decisions, nil
	}
	for at, points := range going {
		if err := at.holds(ctx, points, s.hold); err != nil {
			return nil, err
		}
	}
	return PlanRetention(s.items(), s.retain, now), nil
}

func (s *stock) items() []Item {
	duplicates := marked(s.points)
	items := make([]Item, len(s.points))
	for i, p := range s.points {
		state := p.State
		if other, ok := s.states[p.ID]; ok && state == Completed {
			state = other
		}
		items[i] = Item{
			ID: p.ID, Series: p.Series.String(), Set: p.Set, Time: p.Time, State: state, Duplicate: duplicates[p.Ref],
			Foreign: p.Source.ID != "" != s.copies, // a copy beside sources is of a policy that has changed: nobody's any more
			Holds:   slices.Clip(append(serviceHolds(p.Tags), s.held[p.ID]...)),
		}
	}
	return items
}
