package healthcheck

import (
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// Status is what is known about one target.
type Status struct {
	Target Target
	State  State
	// Ejected says that passive checks keep it from traffic for the time being.
	Ejected bool
	// Override is what a person has decided about it.
	Override Override
	// Shifted says that its zone is; see ZoneStatus.Shifted.
	Shifted bool
	// SlowStart is the share of a target in slow start, from 0 up; it is 1 otherwise. Like Outstanding it moves all the time: that
	// of a View is from when it is asked.
	SlowStart float32
	// Reason and Detail say why the target is in its state; both are empty when it is healthy. While it is unhealthy
	// they are those of the latest failure.
	Reason Reason
	Detail string
	// Since is when the target entered its state.
	Since time.Time
	// Passes and Fails count the latest results in a row; one of them is always zero.
	Passes, Fails int
	// Last is the latest result, an Unknown one included. Its Start is zero before the first.
	Last Result
	// Recent are the outcomes of the latest checks.
	Recent History

	// Outstanding is how many leases of Pick are not Done.
	Outstanding int
}

// View is the pool at one instant, but for Status.Outstanding and Status.SlowStart, which are of the moment at which it is asked.
// Nothing else about it changes, so that it can be kept; that keeps what has changed since in memory too, up to all of the pool.
// It is safe for concurrent use.
type View struct {
	seq      uint64
	failOpen bool
	local    Local
	zones    []ZoneStatus // in order

	pool    *Pool // nil for one of NewView
	records records
	removed uint64
	sorted  func() []*record // those of a pool, in order

	given []Status // to NewView, in order
}

// ViewOptions say what a view made by hand is like, beside its statuses.
type ViewOptions struct {
	// Seq is the number of the latest event.
	Seq uint64
	// RoutingFailover and ZoneFailover are as in Options, as is ZonalOnly.
	RoutingFailover, ZoneFailover Threshold
	ZonalOnly                     bool
	// Local is how well the pool keeps up. Zero is well.
	Local Local
}

// NewView returns a view of the given statuses, with the default options, for tests of what takes a View. Of two statuses with
// the same target ID only one is found by Status.
func NewView(statuses ...Status) *View { return ViewOptions{}.View(statuses...) }

// View returns a view of the given statuses, for tests of what takes a View. A zone is shifted if the status of a target in it
// is, and overrides and ejections count as they do in a pool.
func (o ViewOptions) View(statuses ...Status) *View {
	orDefault(&o.RoutingFailover.Count, 1)
	orDefault(&o.ZoneFailover.Count, o.RoutingFailover.Count)
	orDefault(&o.ZoneFailover.Percent, o.RoutingFailover.Percent)
	orDefault(&o.Local.Stretch, 1)
	zones, tallies, shifted := make(zoneTable), make(map[string]tally), make(map[string]bool)
	var all tally
	for _, s := range statuses {
		zones.move(s.Target.Zone, Unused, s.State)
		n := routedAs(s.State, s.Override, s.Ejected).tally()
		tallies[s.Target.Zone], all = tallies[s.Target.Zone].plus(n), all.plus(n)
		shifted[s.Target.Zone] = shifted[s.Target.Zone] || s.Shifted
	}
	v := &View{seq: o.Seq, local: o.Local, zones: zones.list(), given: slices.Clone(statuses), failOpen: o.RoutingFailover.below(all)}
	slices.SortFunc(v.given, func(a, b Status) int { return strings.Compare(a.Target.ID, b.Target.ID) })
	failOpen := true
	for i := range v.zones {
		z := &v.zones[i]
		z.FailOpen, z.Down, z.Shifted = v.failOpen, o.ZoneFailover.below(tallies[z.Zone]), shifted[z.Zone]
		if o.ZonalOnly {
			z.FailOpen = o.RoutingFailover.below(tallies[z.Zone])
			failOpen = failOpen && z.FailOpen
		}
	}
	if o.ZonalOnly {
		v.failOpen = failOpen
	}
	return v
}

// Seq is the number of the latest event that the view contains.
func (v *View) Seq() uint64 { return v.seq }

// Zones returns the counts of every zone that has a target, ordered by name.
func (v *View) Zones() []ZoneStatus { return slices.Clone(v.zones) }

// Count is the number of targets in a state. It is always zero for Unused.
func (v *View) Count(state State) int {
	var n int
	for _, z := range v.zones {
		switch state {
		case Initial:
			n += z.Initial
		case Healthy:
			n += z.Healthy
		case Unhealthy:
			n += z.Unhealthy
		case Draining:
			n += z.Draining
		case Unused:
		}
	}
	return n
}

// Registered is the number of targets that are not draining.
func (v *View) Registered() int {
	var n int
	for _, z := range v.zones {
		n += z.Registered()
	}
	return n
}

// FailOpen reports whether picks disregard health, because too few targets have it: those for a zone, or with an empty zone
// those of the pool, which under Options.ZonalOnly means all of them. Without a target they do.
func (v *View) FailOpen(zone string) bool {
	i := slices.IndexFunc(v.zones, func(z ZoneStatus) bool { return z.Zone == zone })
	if zone == "" || i < 0 {
		return v.failOpen
	}
	return v.zones[i].FailOpen
}

// Degraded reports whether the pool was behind its own schedule; see Local.
func (v *View) Degraded() bool { return v.local.Degraded() }

// Local is how well the pool kept up with its own schedule.
func (v *View) Local() Local { return v.local }

// Status returns the status of a target. Without one by that ID it is Unused, for ReasonNotRegistered, and false. The time it
// takes does not depend on the size of the pool, unless targets are gone since the view was made.
func (v *View) Status(id string) (Status, bool) {
	if v.pool != nil {
		if r := v.find(id); r != nil {
			return v.statusOf(r), true
		}
		return notRegistered(Target{ID: id}), false
	}
	i, ok := slices.BinarySearchFunc(v.given, id, func(s Status, id string) int { return strings.Compare(s.Target.ID, id) })
	if !ok {
		return notRegistered(Target{ID: id}), false
	}
	return v.given[i], true
}

// All yields every target by its ID, in that order.
func (v *View) All() iter.Seq2[string, Status] {
	return func(yield func(string, Status) bool) {
		for _, s := range v.given {
			if !yield(s.Target.ID, s) {
				return
			}
		}
		if v.pool == nil {
			return
		}
		for _, r := range v.sorted() {
			if !yield(r.entry.target.ID, v.statusOf(r)) {
				return
			}
		}
	}
}

// find returns the record of a target, or nil.
func (v *View) find(id string) *record {
	v.pool.mu.Lock()
	e, removed := v.pool.entries[id], v.pool.table.removed
	v.pool.mu.Unlock()
	if e != nil && e.place < v.records.used {
		// It is there still, or one of the same ID that it has replaced since.
		if r := v.records.at(e.place); r.entry != nil && r.entry.target.ID == id {
			return r
		}
	}
	if removed == v.removed {
		return nil // what was there then is there now
	}
	all := v.sorted()
	i, ok := slices.BinarySearchFunc(all, id, func(r *record, id string) int { return strings.Compare(r.entry.target.ID, id) })
	if !ok {
		return nil
	}
	return all[i]
}

// statusOf returns a status as of the view.
func (v *View) statusOf(r *record) Status {
	s := r.status()
	i, ok := slices.BinarySearchFunc(v.zones, s.Target.Zone, func(z ZoneStatus, zone string) int { return strings.Compare(z.Zone, zone) })
	s.Shifted = ok && v.zones[i].Shifted
	v.pool.mu.Lock()
	defer v.pool.mu.Unlock()
	v.pool.routingLocked(&s, r.entry, v.pool.now())
	return s
}

func notRegistered(t Target) Status {
	return Status{Target: t, State: Unused, SlowStart: 1, Reason: ReasonNotRegistered, Detail: "Target is not registered"}
}

// Status returns the status of a target; see [View.Status]. It takes no time that depends on the size of the pool.
func (p *Pool) Status(id string) (Status, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.entries[id]; e != nil {
		return p.statusLocked(e, p.now()), true
	}
	return notRegistered(Target{ID: id}), false
}

// All yields every target by its ID, in that order, as they were when the iteration began.
func (p *Pool) All() iter.Seq2[string, Status] {
	return func(yield func(string, Status) bool) { p.View().All()(yield) }
}

// Zones returns the counts of every zone that has a target, ordered by name.
func (p *Pool) Zones() []ZoneStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.zonesLocked()
}

// View returns the pool as it is now. It costs a little for each zone and nothing for each target, until somebody goes through
// all of them, which has to put them in order once. Each target that is checked after it costs a copy of its record and of
// those beside it, once.
func (p *Pool) View() *View {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewLocked()
}

// viewLocked makes at most one view of each state of the pool, however many wait for the next.
func (p *Pool) viewLocked() *View {
	if p.view == nil {
		frozen := p.table.freeze()
		p.view = &View{
			seq: p.seq, failOpen: p.traffic.failOpenNow(p), local: p.local.status(), zones: p.zonesLocked(),
			pool: p, records: frozen, removed: p.table.removed,
			sorted: sync.OnceValue(func() []*record {
				return slices.SortedFunc(frozen.all(), func(a, b *record) int {
					return strings.Compare(a.entry.target.ID, b.entry.target.ID)
				})
			}),
		}
	}
	return p.view
}

// Wait blocks until cond holds. It calls cond at once, and again after a target has changed its state or its reason, was
// registered or is gone; changes that come while cond runs are seen together. A condition that holds for a moment only can
// be missed: follow Events for those.
//
// It returns nil when cond holds, the cause of ctx when that ends first, and ErrStopped when Run has ended and cond does
// not hold: a loop whose condition goes on holding does not hear of it. Each change costs a View, which all who wait share.
func (p *Pool) Wait(ctx context.Context, cond func(*View) bool) error {
	for {
		p.mu.Lock()
		view, stopped := p.viewLocked(), p.stopped
		if p.changed == nil {
			p.changed = make(chan struct{})
		}
		changed := p.changed
		p.mu.Unlock()

		if cond(view) {
			return nil
		}
		if stopped {
			return ErrStopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// changedLocked lets every Wait look again.
func (p *Pool) changedLocked() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}
