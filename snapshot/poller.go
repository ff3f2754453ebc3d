package snapshot

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"sync"
	"time"
)

// poller waits for the snapshots of a region. Of those who wait one looks at a time, for all, and hands that over when it has what it wants: so
// there is no goroutine of its own.
type poller struct {
	region *region
	turn   chan struct{} // has one element while nobody looks

	mu      sync.Mutex
	waiting map[Ref]*awaited
	pause   time.Duration // before the next look
	due     time.Time     // when that is
}

// awaited is a snapshot that is waited for.
type awaited struct {
	point *Point
	seen  time.Time // last; at first when it was first waited for
	by    int       // how many wait
	done  chan struct{}
	err   error // once done
}

func (p *poller) init(r *region) {
	p.region, p.turn, p.waiting = r, make(chan struct{}, 1), make(map[Ref]*awaited)
	p.turn <- struct{}{}
}

// wait returns what became of points, when that is known of all or ctx has ended.
func (p *poller) wait(ctx context.Context, points []*Point) map[Ref]Result {
	mine := p.join(points)
	defer p.leave(mine)
	for _, a := range mine {
		p.await(ctx, a)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	results := make(map[Ref]Result, len(mine))
	for ref, a := range mine {
		r := Result{Point: a.point}
		select {
		case <-a.done:
			r.Err = a.err
		default:
			r.Err = &OpError{Op: ref.Kind.read(), Region: p.region.name, Resource: ref.ID, Err: context.Cause(ctx)}
		}
		results[ref] = r
	}
	return results
}

// join has points waited for.
func (p *poller) join(points []*Point) map[Ref]*awaited {
	p.mu.Lock()
	defer p.mu.Unlock()
	mine := make(map[Ref]*awaited, len(points))
	for _, point := range points {
		if mine[point.Ref] != nil {
			continue
		}
		a := p.waiting[point.Ref]
		if a == nil {
			a = &awaited{point: point, seen: time.Now(), done: make(chan struct{})}
			if a.err = verdict(point); point.State != Pending {
				close(a.done)
			} else {
				p.waiting[point.Ref] = a
			}
		}
		a.by++
		mine[point.Ref] = a
	}
	return mine
}

// leave lets points go that nobody waits for any more.
func (p *poller) leave(mine map[Ref]*awaited) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ref, a := range mine {
		if a.by--; a.by == 0 && p.waiting[ref] == a {
			delete(p.waiting, ref)
		}
	}
	if len(p.waiting) == 0 {
		p.pause, p.due = 0, time.Time{}
	}
}

// await returns when a is done or ctx has ended, and looks if it is its turn.
func (p *poller) await(ctx context.Context, a *awaited) {
	for {
		select {
		case <-a.done:
			return
		case <-ctx.Done():
			return
		case <-p.turn:
		}
		over := p.look(ctx, a)
		p.turn <- struct{}{}
		if over {
			return
		}
	}
}

// look waits for the next time and looks. It reports whether a is done or ctx has ended.
func (p *poller) look(ctx context.Context, a *awaited) bool {
	select {
	case <-a.done: // by the one before
		return true
	default:
	}
	if !sleep(ctx, p.untilDue()) {
		return true
	}
	p.mu.Lock()
	p.due = time.Time{}
	p.mu.Unlock()
	for _, r := range p.readings() {
		p.take(ctx, r)
	}
	return ctx.Err() != nil
}

// untilDue returns how long it is to the next look.
func (p *poller) untilDue() time.Duration {
	o := &p.region.manager.opts
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due.IsZero() {
		if p.pause = min(p.pause*3/2, o.MaxPollInterval); p.pause == 0 {
			p.pause = o.PollInterval
		}
		jittered := time.Duration(float64(p.pause) * (0.8 + 0.4*rand.Float64())) //nolint:gosec // it spreads calls
		p.due = time.Now().Add(jittered)
	}
	return time.Until(p.due)
}

// readings returns what to read, in as few calls as there can be.
func (p *poller) readings() (list []reading) {
	points := make(map[store][]*Point)
	p.mu.Lock()
	defer p.mu.Unlock()
	for ref, a := range p.waiting {
		at := p.region.store(ref.Kind)
		points[at] = append(points[at], a.point)
	}
	for at, of := range points {
		list = append(list, at.readings(of)...)
	}
	return list
}

// take asks, and takes the answer in.
func (p *poller) take(ctx context.Context, r reading) {
	points, err := r.read(ctx)
	if err != nil {
		p.failed(ctx, r, err)
		return
	}
	found := make(map[Ref]*Point, len(points))
	for _, point := range points {
		found[point.Ref] = point
	}
	now := time.Now()
	var events []Event
	p.mu.Lock()
	for _, want := range r.want {
		a, point := p.waiting[want.Ref], found[want.Ref]
		switch {
		case a == nil: // nobody waits any more
		case point == nil && now.Sub(a.seen) < p.region.manager.opts.ReadLag:
		case point == nil:
			p.endLocked(a, &OpError{Op: a.point.Kind.read(), Region: p.region.name, Resource: a.point.ID, Kind: ErrNotFound})
		default:
			a.point, a.seen = point, now
			if point.State != Pending {
				p.endLocked(a, verdict(point))
				events = append(events, ended(a))
			}
		}
	}
	p.mu.Unlock()
	for _, e := range events {
		p.region.manager.emit(ctx, e)
	}
}

// failed takes in that a read failed, for all of Options.RetryTimeout or for good. In an outage it is waited on.
func (p *poller) failed(ctx context.Context, r reading, err error) {
	if outage(err) || ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, want := range r.want {
		if a := p.waiting[want.Ref]; a != nil {
			p.endLocked(a, err)
		}
	}
}

func (p *poller) endLocked(a *awaited, err error) {
	a.err = err
	close(a.done)
	delete(p.waiting, a.point.Ref)
}

func ended(a *awaited) Event {
	e := Event{
		Kind: PointCompleted, Policy: a.point.Policy, Region: a.point.Region, Series: a.point.Series, Slot: a.point.Slot, Point: a.point, Err: a.err,
	}
	if a.err != nil {
		e.Kind = PointFailed
	}
	return e
}

// read is the operation that shows how a point of the kind is.
func (k Kind) read() string {
	switch k {
	case KindImage:
		return opDescribeImages.name
	case KindDatabase:
		return databaseOps.snapshots.name
	case KindCluster:
		return clusterOps.snapshots.name
	}
	return opDescribeSnapshots.name
}

// verdict is the error of a point that has failed; nil for all others.
func verdict(p *Point) error {
	if p.State != Failed {
		return nil
	}
	return &OpError{Op: p.Kind.read(), Region: p.Region, Resource: p.ID, Kind: ErrFailed, Err: failure(p.Message)}
}

// failures joins the errors of results in the order of points.
func failures(points []*Point, results map[Ref]Result) error {
	left := maps.Clone(results)
	var errs []error
	for _, p := range points {
		if err := left[p.Ref].Err; err != nil {
			errs = append(errs, err)
		}
		delete(left, p.Ref)
	}
	return errors.Join(errs...)
}

// sleep reports whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
