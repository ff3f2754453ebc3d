package snapshot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Report is what RunSlot has done.
type Report struct {
	Slot    time.Time     `json:"slot"`
	Created *CreateReport `json:"created,omitzero"`
	Copied  []CopyReport  `json:"copied,omitzero"`
	Pruned  *ApplyReport  `json:"pruned,omitzero"`

	// Ages is how old the data are of the newest completed point of each series, in the policy's own region, when all was done: what would be lost now. It is
	// negative for a series that has none.
	Ages map[Series]time.Duration `json:"ages,omitzero"`
}

// RunSlot does all that a policy asks for at a slot: it takes the targets, waits until the snapshots are completed, makes the missing copies, and
// prunes. What fails does not keep the rest from being done, but that nothing is pruned if the snapshots cannot be read. The error joins that of each part.
//
// A slot may be run again, also after a crash: what is there is not made again.
func (m *Manager) RunSlot(ctx context.Context, p *Policy, slot time.Time) (*Report, error) {
	return m.runSlot(ctx, p, slot, time.Time{})
}

// errNextSlot is why a slot is not waited for any longer. What is pending goes on, and is copied and pruned with the next one.
var errNextSlot = errors.New("snapshot: the next slot begins")

// runSlot waits until a time at most, unless that is zero.
func (m *Manager) runSlot(ctx context.Context, p *Policy, slot, until time.Time) (*Report, error) {
	slot = slot.Truncate(time.Second).UTC()
	report := &Report{Slot: slot}
	if err := p.Validate(); err != nil {
		return report, err
	}
	m.emit(ctx, Event{Kind: SlotTaken, Policy: p.Name, Region: p.Region, Slot: slot})
	waiting := ctx
	if !until.IsZero() {
		var cancel context.CancelFunc
		waiting, cancel = context.WithDeadlineCause(ctx, until, errNextSlot)
		defer cancel()
	}
	var errs [6]error
	if report.Created, errs[0] = m.Create(ctx, p, slot); ctx.Err() == nil {
		_, errs[1] = m.Wait(waiting, report.Created.Points)
		report.Copied, errs[2] = m.Copy(waiting, p)
	}
	if ctx.Err() == nil {
		errs[3] = m.Deprecate(ctx, p)
		report.Pruned, errs[4] = m.Prune(ctx, p)
	}
	if ctx.Err() == nil {
		report.Ages, errs[5] = m.Ages(ctx, p)
	}
	for series, age := range report.Ages {
		m.emit(ctx, Event{Kind: PointAge, Policy: p.Name, Region: p.Region, Series: series, Age: age})
	}
	err := causeOf(ctx, errors.Join(errs[:]...))
	m.emit(ctx, Event{Kind: SlotDone, Policy: p.Name, Region: p.Region, Slot: slot, Err: err})
	return report, err
}

// Ages returns how old the data are of the newest completed point of each series in the policy's own region: what would be lost now. It is negative for a target
// that has none. It takes the reads of Points, and those that find the targets.
func (m *Manager) Ages(ctx context.Context, p *Policy) (map[Series]time.Duration, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	targets, _, err := m.find(ctx, p)
	if err != nil {
		return nil, err
	}
	points, err := m.region(p.Region).points(ctx, p)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	ages := make(map[Series]time.Duration)
	for i := range targets {
		ages[targets[i].Series] = -1
	}
	for series, at := range latest(points) {
		ages[series] = now.Sub(at)
	}
	return ages, nil
}

// Run runs the slots of policies as their schedules say, each policy by itself, one slot at a time, until ctx ends; then it stops where it is and
// returns nil. What fails is told by events and the log, and tried again at the next slot.
//
// At the beginning, and after a time in which nothing ran, the newest slot that was missed is run if it is younger than Policy.CatchUp, and
// others are not; one that had been run costs reads only. A slot that is still waited for when the next one comes is left to that.
//
// It returns an error at once if a policy is not valid, has no schedule, or has the name of another one, and [ErrUnderWay] if this manager runs one
// of that name already.
func (m *Manager) Run(ctx context.Context, policies ...*Policy) error {
	var errs []error
	names := make(map[string]bool)
	for _, p := range policies {
		if p == nil {
			errs = append(errs, p.Validate())
			continue
		}
		if err := p.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("policy %q: %w", p.Name, err))
		}
		if p.Schedule.IsZero() {
			errs = append(errs, fmt.Errorf("policy %q: %w", p.Name, &FieldError{Field: "schedule", Rule: "must be set"}))
		}
		if names[p.Name] {
			errs = append(errs, fmt.Errorf("policy %q: %w", p.Name, &FieldError{Field: "name", Rule: "is that of another policy"}))
		}
		names[p.Name] = true
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	var ends []func()
	defer func() {
		for _, end := range ends {
			end()
		}
	}()
	for _, p := range policies {
		end := m.begin("policy " + p.Name)
		if end == nil {
			return fmt.Errorf("snapshot: run policy %q: %w", p.Name, ErrUnderWay)
		}
		ends = append(ends, end)
	}
	var all sync.WaitGroup
	for _, p := range policies {
		all.Go(func() { m.follow(ctx, p) })
	}
	all.Wait()
	return nil
}

// late is how late a slot may be begun that has not been missed.
const late = time.Minute

// clockCheck is how often the clock is looked at: a machine that was suspended does not notice.
const clockCheck = 5 * time.Minute

// follow runs the slots of one policy.
func (m *Manager) follow(ctx context.Context, p *Policy) {
	schedule, err := p.Schedule.slots()
	if err != nil {
		return // Run has looked
	}
	last := time.Now().Add(-p.CatchUp) // slots up to then are past
	var busy time.Time                 // since when the last slot has been run, if it has just ended
	for ctx.Err() == nil {
		now := time.Now()
		slot, count := missed(schedule, last, now)
		if count > 0 {
			last = slot
		}
		// What comes while a slot is run has not been missed.
		fresh := count > 0 && (now.Sub(slot) <= max(p.CatchUp, late) || !busy.IsZero() && !slot.Before(busy))
		busy = time.Time{}
		if skipped := count - 1; skipped > 0 || count > 0 && !fresh {
			if !fresh {
				skipped++
			}
			m.emit(ctx, Event{Kind: SlotMissed, Policy: p.Name, Region: p.Region, Slot: slot, Count: skipped})
		}
		if fresh {
			busy = now
			_, _ = m.runSlot(ctx, p, slot, schedule.Next(now)) // told by events
			continue
		}
		next := schedule.Next(now)
		if next.IsZero() {
			<-ctx.Done()
			return
		}
		sleep(ctx, min(next.Sub(now), clockCheck))
	}
}
