package snapshot

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
)

// ApplyOptions configure [Manager.Apply] and [Manager.Prune].
type ApplyOptions struct {
	// AllowMassDelete deletes as much as the plan says. Otherwise a plan is refused with [ErrMassDelete] that deletes 50 or more, and more than half of
	// all that is completed or more than 7 of each series on average: a retention that has been at work deletes one of each at a time.
	AllowMassDelete bool
}

const (
	massDelete    = 50
	massPerSeries = 7
	massOfEach    = 2 // more than one in so many
)

// ApplyReport is what Apply has done.
type ApplyReport struct {
	Deleted []Ref `json:"deleted,omitzero"` // and what was gone before
	Refused []Ref `json:"refused,omitzero"` // what AWS does not delete; the error says why of each
}

// Prune deletes what the retentions of a policy do not keep: a [Manager.Plan], and an Apply of it.
func (m *Manager) Prune(ctx context.Context, p *Policy, optFns ...func(*ApplyOptions)) (*ApplyReport, error) {
	plan, err := m.Plan(ctx, p)
	if err != nil {
		return &ApplyReport{}, err
	}
	return m.apply(ctx, plan, plan, optFns)
}

// Apply deletes what a plan says, if that still holds: it plans anew, and refuses with [ErrStale] if the policy is another one or if anything of what the
// plan deletes is not to be deleted any more. What is gone already is no harm.
//
// It takes one DeleteSnapshot for each. One that AWS refuses does not hold up the others: the error joins an [*OpError] for each.
func (m *Manager) Apply(ctx context.Context, plan *Plan, optFns ...func(*ApplyOptions)) (*ApplyReport, error) {
	if plan == nil || plan.Fingerprint != plan.Policy.Fingerprint() {
		return &ApplyReport{}, fmt.Errorf("snapshot: %w: its policy is not the one that it was made of", ErrStale)
	}
	now, err := m.Plan(ctx, &plan.Policy)
	if err != nil {
		return &ApplyReport{}, err
	}
	return m.apply(ctx, plan, now, optFns)
}

// apply deletes what a plan says, by what is known now.
func (m *Manager) apply(ctx context.Context, plan, now *Plan, optFns []func(*ApplyOptions)) (*ApplyReport, error) {
	var opts ApplyOptions
	for _, fn := range optFns {
		fn(&opts)
	}
	report := &ApplyReport{}
	known, duplicates := make(map[Ref]Action), make(map[Ref]bool)
	for i := range now.Regions {
		for k := range now.Regions[i].Decisions {
			d := &now.Regions[i].Decisions[k]
			ref := Ref{Region: now.Regions[i].Region, ID: d.Item.ID, Kind: kindOf(d.Item.Series)}
			known[ref], duplicates[ref] = d.Action, d.Item.Duplicate
		}
	}
	var going []Ref
	for _, ref := range plan.Deletions() {
		switch action, there := known[ref]; {
		case !there:
			report.Deleted = append(report.Deleted, ref)
		case action != Delete:
			return report, fmt.Errorf("snapshot: %w: %s is not to be deleted any more", ErrStale, ref)
		default:
			going = append(going, ref)
		}
	}
	if err := now.mass(len(going)); err != nil && !opts.AllowMassDelete {
		return report, err
	}
	for _, ref := range going {
		if duplicates[ref] {
			m.emit(ctx, Event{Kind: DuplicateSeen, Policy: now.Policy.Name, Region: ref.Region, Point: &Point{Ref: ref}})
		}
	}
	return report, m.delete(ctx, going, report)
}

// mass returns an error if so many deletions are more than a retention at work would make.
func (p *Plan) mass(deletions int) error {
	if deletions < massDelete {
		return nil
	}
	completed, series := 0, make(map[string]bool)
	for i := range p.Regions {
		for k := range p.Regions[i].Decisions {
			if d := &p.Regions[i].Decisions[k]; d.Item.State == Completed && !d.Item.Foreign {
				completed++
				series[p.Regions[i].Region+"/"+d.Item.Series] = true
			}
		}
	}
	if massOfEach*deletions > completed || deletions > massPerSeries*len(series) {
		return fmt.Errorf("snapshot: %w: %d of %d completed snapshots, of %d series", ErrMassDelete, deletions, completed, len(series))
	}
	return nil
}

// delete deletes, in all regions at once.
func (m *Manager) delete(ctx context.Context, refs []Ref, report *ApplyReport) error {
	byRegion := make(map[string][]Ref)
	for _, ref := range refs {
		byRegion[ref.Region] = append(byRegion[ref.Region], ref)
	}
	var mu sync.Mutex
	var errs []error
	var all sync.WaitGroup
	for name, of := range byRegion {
		all.Go(func() {
			var group errgroup.Group
			group.SetLimit(m.opts.Workers)
			for _, ref := range of {
				group.Go(func() error {
					err := m.region(name).deleteOne(ctx, ref)
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						errs, report.Refused = append(errs, err), append(report.Refused, ref)
						return nil
					}
					report.Deleted = append(report.Deleted, ref)
					return nil
				})
			}
			_ = group.Wait() // nothing fails but for itself
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (r *region) deleteOne(ctx context.Context, ref Ref) error {
	store := r.store(ref.Kind)
	op := store.deletes(ref.ID)
	if ctx.Err() != nil {
		return opError(op.name, r.name, ref.ID, context.Cause(ctx))
	}
	err := r.do(ctx, op, ref.ID, func(ctx context.Context) error { return store.delete(ctx, ref.ID) })
	e := Event{Kind: Deleted, Region: r.name, Op: op.name, Point: &Point{Ref: ref}, Err: err}
	if err != nil {
		e.Kind = KeptBack
	}
	r.manager.emit(ctx, e)
	return err
}
