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
	// SlowStart is the share of a target in slow start, from 0 up; it is 1 otherwise. Like Outstanding it moves all the time: that
	// of a View is from when the view was made.
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

	// Outstanding is how many leases of Pick are not Done.
	Outstanding int
}

// View is the pool at one instant. It does not change and can be kept; it is safe for concurrent use.
type View struct {
	seq      uint64
	failOpen bool
	zones    []ZoneStatus
	sorted   func() []*Status
}

// NewView returns a view of the given statuses, for tests of what takes a View. Of two statuses with the same target ID
// only one is found by Status.
func NewView(statuses ...Status) *View {
	zones := make(zoneTable)
	ps := make([]*Status, len(statuses))
	for i := range statuses {
		s := statuses[i]
		ps[i] = &s
		zones.move(s.Target.Zone, Unused, s.State)
	}
	list := zones.list()
	failOpen := !slices.ContainsFunc(list, ZoneStatus.Up)
	for i := range list {
		list[i].FailOpen = failOpen
	}
	return newView(0, failOpen, list, ps)
}

// newView takes statuses in any order. They are put in order when somebody asks, not under the pool's lock.
func newView(seq uint64, failOpen bool, zones []ZoneStatus, statuses []*Status) *View {
	return &View{seq: seq, failOpen: failOpen, zones: zones, sorted: sync.OnceValue(func() []*Status {
		slices.SortFunc(statuses, func(a, b *Status) int { return strings.Compare(a.Target.ID, b.Target.ID) })
		return statuses
	})}
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

// Status returns the status of a target. Without one by that ID it is Unused, for ReasonNotRegistered, and false.
func (v *View) Status(id string) (Status, bool) {
	all := v.sorted()
	i, ok := slices.BinarySearchFunc(all, id, func(s *Status, id string) int { return strings.Compare(s.Target.ID, id) })
	if !ok {
		return notRegistered(Target{ID: id}), false
	}
	return *all[i], true
}

// All yields every target by its ID, in that order.
func (v *View) All() iter.Seq2[string, Status] {
	return func(yield func(string, Status) bool) {
		for _, s := range v.sorted() {
			if !yield(s.Target.ID, *s) {
				return
			}
		}
	}
}

func notRegistered(t Target) Status {
	return Status{Target: t, State: Unused, Reason: ReasonNotRegistered, Detail: "Target is not registered"}
}

// Status returns the status of a target; see [View.Status]. It takes no time that depends on the size of the pool.
func (p *Pool) Status(id string) (Status, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.entries[id]; e != nil {
		return *p.statusLocked(e, p.now()), true
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

// View returns the pool as it is now. It costs a pointer for each target, and a Status once there is traffic.
func (p *Pool) View() *View {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewLocked()
}

// viewLocked makes at most one view of each state of the pool, however many wait for the next.
func (p *Pool) viewLocked() *View {
	if p.view != nil {
		return p.view
	}
	statuses := make([]*Status, 0, len(p.entries))
	now := p.now()
	for _, e := range p.entries {
		statuses = append(statuses, p.statusLocked(e, now))
	}
	p.view = newView(p.seq, p.traffic.failOpenNow(p), p.zonesLocked(), statuses)
	return p.view
}

// Wait blocks until cond holds. It calls cond at once, and again after a target has changed its state or its reason, was
// registered or is gone; changes that come while cond runs are seen together. A condition that holds for a moment only can
// be missed: follow Events for those.
//
// It returns nil when cond holds, the cause of ctx when that ends first, and ErrStopped when Run has ended and cond does
// not hold. A condition on counts and zones costs a View for each change; one that asks for a target also sorts that View.
// All who wait share both.
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
