package healthcheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"time"
)

// entry is a registration of a target, guarded by Pool.mu. At any time it either waits for MaxInFlight, or has a check under way
// that is in Pool.running, or has one alarm: the end of draining, else the moment at which a check that is overdue takes the place
// of one more, else its next check. So it needs no goroutine and no timer of its own, and no second check can start beside a
// running one. What others may see of it is its record.
type entry struct {
	target Target // does not change
	probe  Probe  // nil once the target is retired
	call   *call  // the check that runs, if one does

	base  int64  // when the schedule has the next, or running, check, without jitter
	due   int64  // the alarm
	hash  uint32 // of its ID: its place in the interval
	place int32  // of its record
	pos   int32  // in the heap

	entered int64 // its state

	state    State // as in its record, and Unused once it is gone
	override Override
	routed   routed // what traffic takes it for
	waiting  bool   // in Pool.backlog
	overdue  bool   // the running check is, and has been counted as a failure already

	backend *backend // nil until there is traffic
}

// retireLocked ends the checks of a target. It returns the probe for closing, or nil if a check still uses it, which will
// then close it.
func (p *Pool) retireLocked(e *entry) Probe {
	p.alarms.remove(e)
	probe := e.probe
	e.probe, e.waiting = nil, false
	p.answerLocked(e, Result{}, ErrNotRegistered)
	if e.call != nil {
		p.running.remove(e.call)
		_ = e.call.end(context.Canceled)
		return nil
	}
	return probe
}

// alarmLocked makes Run look at e at a time.
func (p *Pool) alarmLocked(e *entry, at int64) {
	p.alarms.set(e, at)
	if at < p.nextTurn {
		p.wakeLocked()
	}
}

func (p *Pool) wakeLocked() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *Pool) scheduleFirstLocked(e *entry) {
	e.base = p.rhythm.first(p.now(), maphash.String(p.seed, e.target.ID))
	p.alarmLocked(e, p.rhythm.jittered(e.base))
}

// advanceLocked moves e to its next place in the schedule. A place that has passed already is used now.
func (p *Pool) advanceLocked(e *entry) {
	now := p.now()
	pace := p.paceLocked(e, now)
	next := p.rhythm.next(e.base, pace, uint64(e.hash))
	next += p.local.slack(p.rhythm.of(pace))
	e.base = max(next, ceilTick(now))
}

// paceLocked is how often e is to be checked by now.
func (p *Pool) paceLocked(e *entry, now int64) pace {
	r := p.table.now().at(e.place)
	switch {
	case e.state == Healthy && r.fails > 0, e.state == Unhealthy && r.passes > 0, e.state == Initial && r.fails > 0:
		return fast
	case e.state == Unhealthy && now-e.entered > int64(p.opts.SlowAfter):
		return slow
	}
	return steady
}

// turn does everything that is due and returns how long there is nothing more to do.
func (p *Pool) turn() time.Duration {
	p.mu.Lock()
	wait := p.turnLocked(p.now())
	p.mu.Unlock()
	p.launch()
	return wait
}

func (p *Pool) turnLocked(now int64) time.Duration {
	p.returnLocked(now)
	p.unshiftLocked(now)
	first := p.running.nextTurn()
	if len(p.alarms) > 0 {
		first = min(first, p.alarms[0].due)
	}
	p.strainLocked(now, now-min(first, now))
	for p.running.nextTurn() <= now {
		c := p.running.first
		p.running.remove(c)
		p.overdueLocked(c.entry, now, c.overdue)
	}
	for len(p.alarms) > 0 && p.alarms[0].due <= now {
		e := p.alarms[0].entry
		switch {
		case e.state == Draining:
			p.removeLocked(e)
		case e.call != nil:
			p.overdueLocked(e, now, e.due)
		default:
			p.alarms.remove(e)
			e.waiting = true
			if len(p.backlog) == cap(p.backlog) {
				p.backlog = slices.DeleteFunc(p.backlog, func(e *entry) bool { return !e.waiting }) // retired meanwhile
			}
			p.backlog = append(p.backlog, e)
		}
	}
	for len(p.backlog) > 0 && (p.inFlight < p.opts.MaxInFlight || !p.backlog[0].waiting) {
		e := p.backlog[0]
		p.backlog[0] = nil
		p.backlog = p.backlog[1:]
		if e.waiting {
			p.startLocked(e, now)
		}
	}
	var waited int64
	if len(p.backlog) > 0 {
		waited = now - p.backlog[0].due
	} else {
		p.backlog = nil
	}
	p.easeLocked(now, waited)
	p.reapLocked(now, false)
	p.nextTurn = min(p.running.nextTurn(), p.workers.nextTurn(), p.traffic.nextReturnLocked(), p.shift.end(), p.local.nextTurn())
	if len(p.alarms) > 0 {
		p.nextTurn = min(p.nextTurn, p.alarms[0].due)
	}
	if p.nextTurn == math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(p.nextTurn - now)
}

// startLocked starts the check of e on a goroutine of its own: with a fixed number of workers, as many hung targets would
// hold up all others.
func (p *Pool) startLocked(e *entry, now int64) {
	e.waiting = false
	p.inFlight++
	c := &call{
		Context: p.checksCtx, entry: e, probe: e.probe, lag: time.Duration(now - e.due), started: now, overdue: p.overdueAt(now),
	}
	e.call = c
	p.running.add(c)
	if r := p.table.now().at(e.place); r.why == p.reasons.registering {
		p.editLocked(e).why = p.reasons.checking
		p.changedLocked()
	}
	p.dispatchLocked(c)
}

// overdueAt is the first tick at which a check that started then must have ended.
func (p *Pool) overdueAt(start int64) int64 { return ceilTick(start + int64(p.opts.Timeout) + 1) }

// overdueLocked counts a check that runs on beyond its timeout as failed. If it still runs when the next check would have
// timed out, that is one more failure.
func (p *Pool) overdueLocked(e *entry, now, due int64) {
	e.overdue = true
	r := timedOut(context.DeadlineExceeded)
	r.Start, r.Total = p.epoch.Add(time.Duration(e.call.started)), time.Duration(now-e.call.started)
	if p.local.doubts(now-due, e.call.started) {
		p.local.blame(&r)
	}
	p.recordLocked(e, &r)
	if e.base <= now { // else CheckNow wanted this check, and the next one is still to come
		p.advanceLocked(e)
	}
	p.alarms.set(e, p.overdueAt(e.base))
}

// check calls the probe, completes what it says, and reports whether the worker may get another check.
func (p *Pool) check(w *worker, c *call) (parked bool) {
	start := time.Now()
	c.deadline = start.Add(p.opts.Timeout)
	late := int64(start.Sub(p.epoch)) - c.started
	var r Result
	var returned bool
	defer func() { // deferred, because a probe may panic, or end its goroutine as t.FailNow does
		if !returned {
			r, w = internalError(errors.New("healthcheck: the probe did not return")), nil
		}
		r.Start, r.Lag, r.Total = start, c.lag+time.Duration(late), time.Since(start)
		p.complete(&r)
		parked = p.finish(w, c, &r, late)
	}()
	defer p.recovered(c, "Probe.Check")
	r = c.probe.Check(c)
	returned = true
	return false // see above
}

// complete makes a result what it counts for.
func (p *Pool) complete(r *Result) {
	if r.Outcome == Pass && r.Total > p.opts.Timeout {
		late := timedOut(context.DeadlineExceeded) // a late answer is none
		late.Start, late.Lag, late.Total = r.Start, r.Lag, r.Total
		*r = late
	}
	if r.Outcome > Fail {
		*r = internalError(fmt.Errorf("healthcheck: the probe returned outcome %d, which there is not", r.Outcome))
	}
	if r.Outcome == Fail {
		r.Reason = cmp.Or(r.Reason, ReasonFailedHealthChecks)
		r.Detail = cmp.Or(r.Detail, "Health checks failed")
	}
}

// finish takes the result of a check that has returned, late ns after Run has started it, and plans the next one. It reports
// whether w, if there is one, may get another check.
func (p *Pool) finish(w *worker, c *call, r *Result, late int64) (parked bool) {
	ended := c.end(context.Canceled)
	p.mu.Lock()
	e, now := c.entry, p.now()
	p.inFlight--
	p.running.remove(c)
	e.call = nil
	orphan := e.probe == nil // deregistered or replaced meanwhile
	switch {
	case orphan || errors.Is(ended, context.Canceled):
		e.overdue = false
	case e.overdue:
		p.takeOverdueLocked(e, r, now)
		p.alarmLocked(e, p.rhythm.jittered(e.base))
	default:
		p.takeLocked(e, c, r, now, late)
		p.alarmLocked(e, p.rhythm.jittered(e.base))
	}
	if len(p.backlog) > 0 {
		p.wakeLocked()
	}
	busy := orphan || p.hook.size > 0
	if !busy && w != nil {
		parked = p.parkLocked(w, now)
	}
	p.mu.Unlock()
	if busy {
		parked = p.finishSlowly(w, c, orphan)
	}
	return parked
}

// finishSlowly does what may take long, before the worker is free.
func (p *Pool) finishSlowly(w *worker, c *call, orphan bool) (parked bool) {
	if orphan {
		p.closeProbe(c.probe)
	}
	p.deliver()
	if w == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.parkLocked(w, p.now())
}

// takeLocked counts the result of a check that was not called off, and moves the schedule on.
func (p *Pool) takeLocked(e *entry, c *call, r *Result, now, late int64) {
	late = max(late, int64(r.Total-p.opts.Timeout)) // its end came late, and Run, which was to notice, is late too
	p.strainLocked(now, late)
	if r.Outcome == Fail && p.local.doubts(late, c.started) {
		p.local.blame(r)
	}
	p.recordLocked(e, r)
	if e.base > c.started {
		p.takeExtraLocked(e, c, now)
		return
	}
	p.advanceLocked(e)
}

// takeExtraLocked moves the schedule on after a check that CheckNow has put between two others, neither of which it may delay.
func (p *Pool) takeExtraLocked(e *entry, c *call, now int64) {
	started := floorTick(c.started)
	if e.base <= now { // the next one could not start meanwhile, so that this one was it
		e.base = started
		p.advanceLocked(e)
	} else if p.paceLocked(e, now) == fast {
		e.base = min(e.base, max(started+p.rhythm.fast, ceilTick(now)))
	}
}

// takeOverdueLocked takes the result of a check that was counted, and advanced, when it was overdue.
func (p *Pool) takeOverdueLocked(e *entry, r *Result, now int64) {
	e.overdue = false
	if now > e.base { // it also took the place of the check that was due meanwhile
		missed := timedOut(context.DeadlineExceeded)
		missed.Start, missed.Lag, missed.Total = r.Start, r.Lag, r.Total
		p.recordLocked(e, &missed)
		p.advanceLocked(e)
	}
}

// recordLocked counts a result.
func (p *Pool) recordLocked(e *entry, r *Result) {
	to := p.editLocked(e)
	h := health{to.state, int(to.passes), int(to.fails)}.observe(r.Outcome, p.limits)
	to.passes, to.fails = int32(min(h.passes, math.MaxInt32)), int32(min(h.fails, math.MaxInt32))
	to.keep(r)
	why := to.why
	switch {
	case h.state == Healthy:
		why = nil
	case h.state == Unhealthy && r.Outcome == Fail:
		why = to.found
	}
	p.moveLocked(e, h.state, why)
	if r.Outcome == Pass {
		p.passedLocked(e)
	}
	if len(p.asked) > 0 {
		p.answerLocked(e, *r, nil)
	}
}
