package healthcheck

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"time"
)

// entry is a target in the pool, guarded by Pool.mu. At any time it either waits for MaxInFlight, or has one alarm: the end
// of draining, else the moment at which its running check is overdue, else its next check. So it needs no goroutine and no
// timer of its own, and no second check can start beside a running one.
type entry struct {
	status *Status            // replaced, never changed, so that views can share it
	probe  Probe              // nil once the target is retired
	cancel context.CancelFunc // of the running check

	base    int64 // when the schedule has the next, or running, check, without jitter
	due     int64 // the alarm
	started int64 // the running check
	pos     int32 // in the heap

	waiting bool // in Pool.backlog
	running bool // a check is
	overdue bool // and has been counted as a failure already

	override Override
	routed   routed   // what traffic takes it for
	backend  *backend // nil until there is traffic
}

// retireLocked ends the checks of a target. It returns the probe for closing, or nil if a check still uses it, which will
// then close it.
func (p *Pool) retireLocked(e *entry) Probe {
	p.alarms.remove(e)
	probe := e.probe
	e.probe, e.waiting = nil, false
	if e.running {
		e.cancel()
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

func (p *Pool) scheduleFirstLocked(id string, e *entry) {
	e.base = p.rhythm.first(p.now(), maphash.String(p.seed, id))
	p.alarmLocked(e, p.rhythm.jittered(e.base))
}

// advanceLocked moves e to its next place in the schedule. A place that has passed already is used now.
func (p *Pool) advanceLocked(e *entry) {
	next := p.rhythm.next(e.base, maphash.String(p.seed, e.status.Target.ID))
	e.base = max(next, ceilTick(p.now()))
}

// turn does everything that is due and returns how long there is nothing more to do.
func (p *Pool) turn() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.returnLocked(now)
	for len(p.alarms) > 0 && p.alarms[0].due <= now {
		e := p.alarms[0]
		switch {
		case e.status.State == Draining:
			p.removeLocked(e)
		case e.running:
			p.overdueLocked(e)
		default:
			p.alarms.remove(e)
			e.waiting = true
			if len(p.backlog) == cap(p.backlog) {
				p.backlog = slices.DeleteFunc(p.backlog, func(e *entry) bool { return !e.waiting }) // retired meanwhile
			}
			p.backlog = append(p.backlog, e)
		}
	}
	for len(p.backlog) > 0 && p.inFlight < p.opts.MaxInFlight {
		e := p.backlog[0]
		p.backlog[0] = nil
		p.backlog = p.backlog[1:]
		if e.waiting {
			p.startLocked(e, now)
		}
	}
	if len(p.backlog) == 0 {
		p.backlog = nil
	}
	p.nextTurn = math.MaxInt64
	if len(p.alarms) > 0 {
		p.nextTurn = p.alarms[0].due
	}
	p.nextTurn = min(p.nextTurn, p.traffic.nextReturnLocked())
	return time.Duration(p.nextTurn - now)
}

// startLocked starts the check of e on a goroutine of its own: with a fixed number of workers, as many hung targets would
// hold up all others.
func (p *Pool) startLocked(e *entry, now int64) {
	e.waiting, e.running = false, true
	p.inFlight++
	lag := time.Duration(now - e.due)
	p.alarms.set(e, p.overdueAt(now))
	if e.status.Reason == ReasonRegistrationInProgress {
		to := *e.status
		to.Reason, to.Detail = ReasonInitialHealthChecking, "Initial health checks in progress"
		p.moveLocked(e, to)
	}
	e.started = now
	ctx, cancel := context.WithTimeout(p.checksCtx, p.opts.Timeout)
	e.cancel = cancel
	probe := e.probe
	p.checks.Go(func() {
		defer cancel()
		p.check(ctx, e, probe, lag)
	})
}

// overdueAt is the first tick at which a check that started then must have ended.
func (p *Pool) overdueAt(start int64) int64 { return ceilTick(start + int64(p.opts.Timeout) + 1) }

// overdueLocked counts a check that runs on beyond its timeout as failed. If it still runs when the next check would have
// timed out, that is one more failure.
func (p *Pool) overdueLocked(e *entry) {
	e.overdue = true
	r := timedOut(context.DeadlineExceeded)
	r.Start, r.Total = p.epoch.Add(time.Duration(e.started)), time.Duration(p.now()-e.started)
	p.recordLocked(e, r)
	p.advanceLocked(e)
	p.alarms.set(e, p.overdueAt(e.base))
}

// check calls the probe and completes what it says.
func (p *Pool) check(ctx context.Context, e *entry, probe Probe, lag time.Duration) {
	start := time.Now()
	var r Result
	var returned bool
	defer func() { // deferred, because a probe may panic, or end its goroutine as t.FailNow does
		total := time.Since(start)
		if !returned {
			r = internalError(errors.New("healthcheck: the probe did not return"))
		}
		if r.Outcome == Pass && total > p.opts.Timeout {
			r = timedOut(context.DeadlineExceeded) // a late answer is none
		}
		if r.Outcome == Fail {
			r.Reason = cmp.Or(r.Reason, ReasonFailedHealthChecks)
			r.Detail = cmp.Or(r.Detail, "Health checks failed")
		}
		r.Start, r.Lag, r.Total = start, lag, total
		p.finish(ctx, e, probe, r)
	}()
	defer p.recovered(ctx, "Probe.Check")
	r = probe.Check(ctx)
	returned = true
}

// finish takes the result of a check that has returned, and plans the next one.
func (p *Pool) finish(ctx context.Context, e *entry, probe Probe, r Result) {
	p.mu.Lock()
	p.inFlight--
	e.running, e.cancel = false, nil
	orphan := e.probe == nil // deregistered or replaced meanwhile
	calledOff := errors.Is(ctx.Err(), context.Canceled)
	switch {
	case orphan || calledOff:
	case e.overdue: // counted and advanced already
		e.overdue = false
		if p.now() > e.base { // it also took the place of the check that was due meanwhile
			missed := timedOut(context.DeadlineExceeded)
			missed.Start, missed.Lag, missed.Total = r.Start, r.Lag, r.Total
			p.recordLocked(e, missed)
			p.advanceLocked(e)
		}
		p.alarmLocked(e, p.rhythm.jittered(e.base))
	default:
		p.recordLocked(e, r)
		p.advanceLocked(e)
		p.alarmLocked(e, p.rhythm.jittered(e.base))
	}
	if len(p.backlog) > 0 {
		p.wakeLocked()
	}
	p.mu.Unlock()
	if orphan {
		p.closeProbe(probe)
	}
	p.deliver()
}

// recordLocked counts a result.
func (p *Pool) recordLocked(e *entry, r Result) {
	to := *e.status
	h := health{to.State, to.Passes, to.Fails}.observe(r.Outcome, p.limits)
	to.State, to.Passes, to.Fails, to.Last = h.state, h.passes, h.fails, r
	switch {
	case h.state == Healthy:
		to.Reason, to.Detail = "", ""
	case h.state == Unhealthy && r.Outcome == Fail:
		to.Reason, to.Detail = r.Reason, r.Detail
	}
	p.moveLocked(e, to)
	if r.Outcome == Pass {
		p.passedLocked(e)
	}
}
