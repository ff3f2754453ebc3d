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
	home := stock{region: m.region(p.Region), retain: p.Retain, home: p.Region}
	if err := home.read(ctx, p); err != nil {
		return nil, err
	}
	for i := range p.Copies {
		rule := &p.Copies[i]
		copies := stock{region: m.region(rule.Region), retain: rule.Retain, copies: true, home: p.Region}
		if err := copies.read(ctx, p); err != nil {
			return nil, err
		}
		c := copying{manager: m, policy: p, rule: rule, to: copies.region}
		wanted := c.wanted(home.points, copies.own(), now)
		home.awaitCopies(&c, wanted)
		copies.incomplete(wanted)
		copies.keepBases()
		decisions, err := copies.decide(ctx, now)
		if err != nil {
			return nil, err
		}
		plan.Regions = append(plan.Regions, RegionPlan{Region: rule.Region, Decisions: decisions})
	}
	home.incomplete(nil)
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
	home   string // the policy's own region
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
func (s *stock) awaitCopies(c *copying, wanted []link) {
	for _, l := range wanted {
		if l.under != nil {
			s.hold(l.source.ID, Hold{Kind: HeldByCopy, Detail: l.under.String()})
		} else {
			s.hold(l.source.ID, Hold{Kind: HeldForCopy, Detail: c.rule.Region})
		}
	}
}

// foreign tells a copy beside originals, which is of a policy that has changed, and the other way round; and a copy from another region than the policy's,
// which is of a policy of the same name there.
func (s *stock) foreign(p *Point) bool {
	return p.Source.ID != "" != s.copies || s.copies && p.Source.Region != s.home
}

// own returns the points that are not foreign.
func (s *stock) own() []*Point {
	return slices.DeleteFunc(slices.Clone(s.points), s.foreign)
}

// incomplete marks sets of which some are missing: they do not count. Those of copies are pending as long as copies of their source are wanted; all
// others will not be complete any more, and have failed.
func (s *stock) incomplete(wanted []link) {
	coming := make(map[string]bool) // sets
	for _, l := range wanted {
		coming[l.source.Set] = true
	}
	for _, set := range sets(s.own()) {
		if len(set) >= set[0].Members {
			continue
		}
		state := Failed
		if coming[set[0].Set] {
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
	pending := make(map[whole]bool) // of what is being made nothing goes
	for _, p := range s.points {
		if p.State == Pending && p.Source.ID == "" {
			pending[wholeOf(p)] = true
		}
	}
	items := make([]Item, len(s.points))
	for i, p := range s.points {
		state := p.State
		if other, ok := s.states[p.ID]; ok && state == Completed {
			state = other
		}
		if duplicates[p.Ref] && p.Source.ID == "" && pending[wholeOf(p)] {
			state = Pending
		}
		set, at := p.Set, p.Time
		if p.State == Failed && p.Source.ID != "" { // it stands alone: another copy of its source may have been completed
			set, at = "", p.Begun
		}
		items[i] = Item{
			ID: p.ID, Series: p.Series.String(), Set: set, Time: at, State: state, Duplicate: duplicates[p.Ref],
			Foreign: s.foreign(p),
			Holds:   slices.Clip(append(serviceHolds(p.Tags), s.held[p.ID]...)),
		}
	}
	return items
}
