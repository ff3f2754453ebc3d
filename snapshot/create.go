package snapshot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// CreateReport is what Create has done.
type CreateReport struct {
	Slot    time.Time `json:"slot"`
	Points  []*Point  `json:"points,omitzero"` // of the slot, whoever has made them
	Adopted int       `json:"adopted"`         // how many of them were there before
	Targets int       `json:"targets"`         // how many there are
}

// Create takes the targets of a policy for a slot: those of which there is no snapshot for that slot yet, completed or pending. So a slot that
// was interrupted is completed, and one that is complete costs reads only. It does not wait for completion.
//
// An instance takes one CreateSnapshots, a volume one CreateSnapshot. The snapshots of a slot are read once before, and once after if the
// reply to a call was lost. Targets do not hold each other up: the error joins an [*OpError] for each that was not taken, and the report has
// all others.
//
// Two managers at once may take a target twice: EC2 has no way to forbid it. One of the two is a duplicate then, which does not count, and
// which the next Prune deletes, once the other is completed. The same manager refuses a slot that it is taking already with [ErrUnderWay].
func (m *Manager) Create(ctx context.Context, p *Policy, slot time.Time) (*CreateReport, error) {
	slot = slot.Truncate(time.Second).UTC()
	report := &CreateReport{Slot: slot}
	var mistakes mistakes
	p.check(&mistakes)
	mistakes.require(!slot.IsZero(), "slot", nil, "must be set")
	if err := mistakes.err(); err != nil {
		return report, err
	}
	end := m.begin("slot " + slot.Format(slotFormat) + " of " + p.Name)
	if end == nil {
		return report, fmt.Errorf("snapshot: take slot %s of %s: %w", slot.Format(slotFormat), p.Name, ErrUnderWay)
	}
	defer end()
	targets, errs, err := m.find(ctx, p)
	if err != nil {
		return report, err
	}
	report.Targets = len(targets)
	c := creation{manager: m, region: m.region(p.Region), policy: p, slot: slot, report: report, errs: errs}
	if err := c.adopt(ctx); err != nil {
		return report, err
	}
	c.take(ctx, targets)
	return report, errors.Join(c.errs...)
}

// creation is one slot.
type creation struct {
	manager *Manager
	region  *region
	policy  *Policy
	slot    time.Time
	there   map[Series]bool // of the slot
	failed  map[Series]int

	mu     sync.Mutex
	report *CreateReport
	errs   []error
}

// adopt reads what there is of the slot.
func (c *creation) adopt(ctx context.Context) error {
	points, err := c.region.points(ctx, c.policy, tagSlot, c.slot.Format(slotFormat))
	if err != nil {
		return err
	}
	c.there, c.failed = make(map[Series]bool), make(map[Series]int)
	for _, p := range points {
		switch {
		case p.Source.ID != "":
		case p.State == Failed:
			c.failed[p.Series]++
		default:
			c.there[p.Series] = true
			c.report.Points = append(c.report.Points, p)
			c.report.Adopted++
			c.manager.emit(ctx, Event{Kind: Adopted, Policy: p.Policy, Region: p.Region, Series: p.Series, Slot: p.Slot, Point: p})
		}
	}
	return nil
}

// take takes the targets of which there is nothing yet.
func (c *creation) take(ctx context.Context, targets []Target) {
	var group errgroup.Group
	group.SetLimit(c.manager.opts.Workers)
	for i := range targets {
		t := &targets[i]
		if c.there[t.Series] {
			continue
		}
		group.Go(func() error {
			points, err := c.one(ctx, t)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.report.Points = append(c.report.Points, points...)
			if err != nil {
				c.errs = append(c.errs, err)
			}
			return nil
		})
	}
	_ = group.Wait() // nothing fails but for itself
}

// one takes a target, as often as it needs.
func (c *creation) one(ctx context.Context, t *Target) ([]*Point, error) {
	id := identity{policy: c.policy.Name, series: t.Series, slot: c.slot, set: rand.Text(), failed: c.failed[t.Series]}
	if t.Kind == KindInstance {
		id.members = len(t.Volumes)
	}
	op := c.region.store(t.Kind).creates(t.Kind)
	same := []string{tagSlot, id.slot.Format(slotFormat), tagSet, id.set}
	if op.repeat { // what has the name may be another manager's
		same = []string{tagSlot, id.slot.Format(slotFormat), tagSeries, id.series.String()}
	}
	var points []*Point
	w := maker{region: c.region, op: op, look: func(ctx context.Context) (bool, error) {
		found, err := c.region.store(t.Kind).points(ctx, id.policy, same...)
		points = slices.DeleteFunc(found, func(p *Point) bool { return p.State == Failed || p.Source.ID != "" })
		return len(points) > 0, err
	}}
	err := w.make(ctx, func(ctx context.Context) error {
		if !sleep(ctx, c.region.gaps.reserve(t.Volumes, time.Now())) {
			return &unsentError{context.Cause(ctx)}
		}
		var err error
		points, err = c.attempt(ctx, op, t, &id)
		return err
	})
	if err != nil {
		err = c.region.outcome(ctx, op, t.ID, err)
		c.manager.emit(ctx, Event{Kind: PointFailed, Policy: id.policy, Region: c.region.name, Op: op.name, Series: t.Series, Slot: c.slot, Err: err})
		return nil, err
	}
	for _, p := range points {
		c.manager.emit(ctx, Event{Kind: Created, Policy: p.Policy, Region: p.Region, Series: p.Series, Slot: p.Slot, Point: p})
	}
	return points, nil
}

// attempt makes one call, between the hooks.
func (c *creation) attempt(ctx context.Context, op operation, t *Target, id *identity) (points []*Point, err error) {
	if err := c.region.admit(ctx, op); err != nil {
		return nil, err
	}
	defer func() { c.manager.after(ctx, t, err) }()
	if err := c.manager.before(ctx, t); err != nil {
		return nil, &OpError{Op: op.name, Region: c.region.name, Resource: t.ID, Kind: ErrHook, Err: err}
	}
	tags := c.tags(t, id)
	err = c.region.try(ctx, op, func(ctx context.Context) (err error) {
		points, err = c.region.store(t.Kind).create(ctx, t, id, tags)
		return err
	})
	return points, err
}

// tags are those of what is made of a target. Those of the target are left out that would pass AWS's limit.
func (c *creation) tags(t *Target, id *identity) map[string]string {
	tags := id.tags(c.manager.opts.Owner)
	maps.Copy(tags, c.policy.Tags)
	for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
		if _, own := tags[key]; !own && len(tags) < maxTags && !reserved(key) && wanted(c.policy.CopyTags, key) {
			tags[key] = t.Tags[key]
		}
	}
	return tags
}

// wanted reports whether a key is one of those that are copied.
func wanted(patterns []string, key string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		begin, open := strings.CutSuffix(pattern, "*")
		return key == pattern || open && strings.HasPrefix(key, begin)
	})
}
