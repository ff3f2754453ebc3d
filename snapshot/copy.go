package snapshot

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/awsha/awsha/internal/awserr"
)

// CopyReport is what Copy has done for one rule.
type CopyReport struct {
	Region string                   `json:"region"`
	Copied []*Point                 `json:"copied,omitzero"` // and completed
	Lag    map[Series]time.Duration `json:"lag,omitzero"`    // how far the newest completed copy is behind the newest completed point, in data; -1 if there is none
}

// Copy makes the copies that a policy's rules ask for and that there are not yet, and waits until they are completed. It copies completed
// points only, the newest first, and none that the retention of the copies would delete at once.
//
// One copy of a volume is under way at a time, since AWS begins the second one only after the first; and as many to one region as
// Options.CopySlots says, in all calls of this manager. A key is looked at before the first copy. A copy is one CopySnapshot in the
// region where it goes; reads are as those of Wait.
//
// The error joins an [*OpError] for each copy that failed; the others are made, and the next call tries again what failed. As long as a
// copy is missing its source is not deleted, unless the policy does not ask for it any more.
func (m *Manager) Copy(ctx context.Context, p *Policy) ([]CopyReport, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if len(p.Copies) == 0 {
		return nil, nil
	}
	sources, err := m.region(p.Region).points(ctx, p)
	if err != nil {
		return nil, err
	}
	reports := make([]CopyReport, len(p.Copies))
	errs := make([]error, len(p.Copies))
	var all sync.WaitGroup
	for i := range p.Copies {
		all.Go(func() {
			c := copying{manager: m, policy: p, rule: &p.Copies[i], to: m.region(p.Copies[i].Region), report: &reports[i]}
			errs[i] = c.run(ctx, sources)
		})
	}
	all.Wait()
	return reports, errors.Join(errs...)
}

// copying is one rule.
type copying struct {
	manager *Manager
	policy  *Policy
	rule    *CopyRule
	to      *region

	mu     sync.Mutex
	report *CopyReport
	errs   []error
	took   time.Duration // of all that have been copied
}

func (c *copying) run(ctx context.Context, sources []*Point) error {
	c.report.Region = c.to.name
	all, err := c.to.points(ctx, c.policy)
	if err != nil {
		return err
	}
	there := slices.DeleteFunc(all, func(p *Point) bool { return p.Source.Region != c.policy.Region }) // others are of a policy of the same name there
	wanted := c.wanted(sources, there, time.Now())
	if len(wanted) > 0 {
		if err := c.to.checkKey(ctx, c.rule.KMSKeyID); err != nil {
			return err
		}
	}
	var work sync.WaitGroup
	for _, chain := range chains(wanted) {
		work.Go(func() { c.chain(ctx, chain) })
	}
	work.Wait()
	done := make(map[Ref]bool, len(c.report.Copied))
	for _, p := range c.report.Copied {
		done[p.Ref] = true
	}
	there = slices.DeleteFunc(there, func(p *Point) bool { return done[p.Ref] }) // it is known better now
	c.lag(ctx, sources, append(there, c.report.Copied...))
	c.pace(ctx, sources)
	return errors.Join(c.errs...)
}

// wanted returns the sources to copy, with the copies that are under way already in their place.
func (c *copying) wanted(sources, there []*Point, now time.Time) []link {
	copies, failed := make(map[Ref]*Point), make(map[Ref]int)
	for _, p := range there {
		switch old := copies[p.Source]; {
		case p.State == Failed:
			failed[p.Source]++
		case old == nil || p.Begun.Before(old.Begun):
			copies[p.Source] = p
		}
	}
	var links []link
	for _, set := range c.worthwhile(sources, there, now) {
		for _, p := range set {
			if copies[p.Ref] == nil {
				links = append(links, link{source: p, members: len(set), failed: failed[p.Ref]})
			}
		}
	}
	for _, p := range sources { // what is under way needs its source until it is completed, also if nobody wants it any more
		if have := copies[p.Ref]; have != nil && have.State == Pending {
			links = append(links, link{source: p, under: have})
		}
	}
	return links
}

// worthwhile returns the sets that are to have copies: those that the retention of copies keeps, were all of them copied.
func (c *copying) worthwhile(sources, there []*Point, now time.Time) (keep [][]*Point) {
	var candidates [][]*Point
	var items []Item
	newest := latest(sources)
	copied := make(map[string]bool) // sets of copies that are candidates anyway
	for _, set := range sets(sources) {
		if one := set[0]; completed(set) && (!c.rule.LatestOnly || one.Time.Equal(newest[one.Series])) {
			candidates = append(candidates, set)
			items = append(items, item(set))
			copied[one.Set] = true
		}
	}
	for _, set := range sets(there) {
		if completed(set) && !copied[set[0].Set] {
			items = append(items, item(set))
		}
	}
	decisions := PlanRetention(items, c.rule.Retain, now)
	for i, set := range candidates {
		if decisions[i].Action == Keep {
			keep = append(keep, set)
		}
	}
	return keep
}

// item is a completed set to a retention.
func item(set []*Point) Item {
	one := set[0]
	return Item{ID: one.ID, Series: one.Series.String(), Time: one.Time, State: Completed}
}

// link is a source to copy, or whose copy is under way.
type link struct {
	source  *Point
	under   *Point // the copy, if there is one
	members int    // of the set, if there is no copy
	failed  int    // how many copies of it have failed
}

// lineage names what data a point has: AWS makes one copy of each at a time.
type lineage struct {
	series Series
	volume string
}

// chains returns the links of each lineage, the newest first.
func chains(links []link) [][]link {
	byLineage := make(map[lineage][]link)
	var order []lineage
	for _, l := range links {
		of := lineage{volume: l.source.VolumeID}
		if of.volume == "" {
			of.series = l.source.Series
		}
		if byLineage[of] == nil {
			order = append(order, of)
		}
		byLineage[of] = append(byLineage[of], l)
	}
	list := make([][]link, 0, len(order))
	for _, one := range order {
		of := byLineage[one]
		slices.SortFunc(of, func(a, b link) int {
			if (a.under == nil) != (b.under == nil) { // what is under way comes first
				if a.under != nil {
					return -1
				}
				return 1
			}
			return newestFirst(a.source, b.source)
		})
		list = append(list, of)
	}
	return list
}

// chain makes copies one after the other.
func (c *copying) chain(ctx context.Context, links []link) {
	for i := range links {
		if ctx.Err() != nil {
			op, _ := c.to.store(links[i].source.Kind).copies()
			c.failed(opError(op.name, c.to.name, links[i].source.ID, context.Cause(ctx)))
			return
		}
		point, err := c.one(ctx, &links[i])
		if err != nil {
			c.failed(err)
			continue
		}
		c.mu.Lock()
		c.report.Copied = append(c.report.Copied, point)
		c.took += time.Since(point.Begun)
		c.mu.Unlock()
	}
}

func (c *copying) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errs = append(c.errs, err)
}

// fullPause is how long a copy waits that found all slots taken: nobody tells when one of those of others is free.
const fullPause = 30 * time.Second

// one makes a copy, and waits until it is completed.
func (c *copying) one(ctx context.Context, l *link) (done *Point, err error) {
	point := l.under
	op, slots := c.to.store(l.source.Kind).copies()
	for {
		if err := slots.acquire(ctx, l.source.Time); err != nil {
			return nil, opError(op.name, c.to.name, l.source.ID, err)
		}
		if point == nil {
			point, err = c.begin(ctx, op, l)
		}
		if awserr.Of(err) != awserr.Busy { // what is not ready yet has been waited for
			break
		}
		slots.full(awserr.Number(err))
		sleep(ctx, fullPause)
		slots.wake()
	}
	defer func() { slots.release(err == nil) }()
	if err != nil {
		c.emit(ctx, PointFailed, l.source, err)
		return nil, err
	}
	if l.under == nil {
		c.emit(ctx, Copying, point, nil)
	}
	result := c.to.waits.wait(ctx, []*Point{point})[point.Ref]
	return result.Point, result.Err
}

func (c *copying) emit(ctx context.Context, kind EventKind, p *Point, err error) {
	c.manager.emit(ctx, Event{
		Kind: kind, Policy: c.policy.Name, Region: c.to.name, Series: p.Series, Slot: p.Slot, Point: p, Err: err,
	})
}

// begin has AWS begin a copy.
func (c *copying) begin(ctx context.Context, op operation, l *link) (*Point, error) {
	store := c.to.store(l.source.Kind)
	id := identity{
		policy: c.policy.Name, series: l.source.Series, slot: l.source.Slot, set: l.source.Set, source: l.source.Ref, time: l.source.Time,
		members: l.members, volume: l.source.VolumeID, failed: l.failed, token: rand.Text(),
	}
	tags := c.tags(l.source, &id)
	var point *Point
	w := maker{region: c.to, op: op, full: true, look: func(ctx context.Context) (bool, error) {
		found, err := store.points(ctx, id.policy, tagSource, id.source.String())
		for _, p := range found {
			if p.State != Failed && (point == nil || p.Begun.Before(point.Begun)) {
				point = p
			}
		}
		return point != nil, err
	}}
	err := w.make(ctx, func(ctx context.Context) error {
		if err := c.to.admit(ctx, op); err != nil {
			return err
		}
		return c.to.try(ctx, op, func(ctx context.Context) (err error) {
			point, err = store.copy(ctx, l.source, c.rule, &id, tags)
			return err
		})
	})
	if err != nil {
		return nil, c.to.outcome(ctx, op, l.source.ID, err)
	}
	return point, nil
}

// tags are those of the source, which AWS does not copy.
func (c *copying) tags(source *Point, id *identity) map[string]string {
	tags := id.tags(c.manager.opts.Owner)
	for _, key := range slices.Sorted(maps.Keys(source.Tags)) {
		if !reserved(key) && len(tags) < maxTags {
			tags[key] = source.Tags[key]
		}
	}
	return tags
}

// lag says how far the copies are behind.
func (c *copying) lag(ctx context.Context, sources, copies []*Point) {
	newest := latest(sources)
	copied := latest(copies)
	c.report.Lag = make(map[Series]time.Duration, len(newest))
	for series, at := range newest {
		lag := time.Duration(-1)
		if have, ok := copied[series]; ok {
			lag = at.Sub(have)
		}
		c.report.Lag[series] = lag
		c.manager.emit(ctx, Event{Kind: CopyLag, Policy: c.policy.Name, Region: c.to.name, Series: series, Age: lag})
	}
}

// pace tells when points come faster than copies of them can be made.
func (c *copying) pace(ctx context.Context, sources []*Point) {
	points := make(map[time.Time]int)
	for _, p := range sources {
		points[p.Slot]++
	}
	slots := slices.SortedFunc(maps.Keys(points), func(a, b time.Time) int { return b.Compare(a) })
	if len(slots) < 2 || len(c.report.Copied) == 0 {
		return
	}
	each := c.took / time.Duration(len(c.report.Copied))
	_, at := c.to.store(c.report.Copied[0].Kind).copies()
	need := time.Duration(points[slots[0]]) * each / time.Duration(at.room())
	if between := slots[0].Sub(slots[1]); need > between {
		c.manager.emit(ctx, Event{Kind: CannotKeepUp, Policy: c.policy.Name, Region: c.to.name, Slot: slots[0], Age: need})
	}
}
