package healthcheck

import (
	"fmt"
	"math"
	"time"
)

// Local is how well a pool keeps up with its own schedule.
type Local struct {
	// Stretch is by how much all intervals are longer than they should be, 1 to 8. It doubles as a measure: 1 is in time.
	Stretch int
	// Exhausted says that checks which are due wait for others to end, because Options.MaxInFlight of them run.
	Exhausted bool
	// Lag is how late the schedule was at worst since the pool became degraded, or with Exhausted, how long the next check has
	// waited. Zero when it is not degraded.
	Lag time.Duration
}

// Degraded reports whether the pool is behind its schedule.
func (l Local) Degraded() bool { return l.Stretch > 1 || l.Exhausted }

// local watches over the schedule. A process that is starved finds all of its targets slow, and what it then does about them makes
// it busier still. So a failure that overlaps with a delay of its own counts for nothing, and the more often that happens, the
// fewer checks there are. The idea is that of Lifeguard, which blames itself first.
// Source: https://arxiv.org/abs/1707.00788, section IV (read 2026-11).
type local struct {
	allowed int64 // delay
	window  int64 // for which a score holds

	score     int64 // 0 to maxScore
	rise      int64 // not before this may it rise again
	ease      int64 // then it falls
	strained  int64 // when the latest delay was seen; zero before the first
	lag       int64
	exhausted bool
}

const (
	maxScore   = 7
	minAllowed = int64(20 * time.Millisecond) // what a busy machine does at any time
)

func newLocal(o Options) local {
	return local{allowed: max(int64(o.Timeout)/4, minAllowed), window: int64(o.Timeout), strained: math.MinInt64}
}

// slack is what is added to an interval.
func (l *local) slack(interval int64) int64 { return l.score * interval }

// nextTurn is when the score falls.
func (l *local) nextTurn() int64 {
	if l.score == 0 {
		return math.MaxInt64
	}
	return l.ease
}

func (l *local) status() Local {
	return Local{Stretch: int(l.score) + 1, Exhausted: l.exhausted, Lag: time.Duration(l.lag)}
}

// doubts reports whether a failure, noticed so late, of a check that started then says more about this process than about the
// target.
func (l *local) doubts(late, started int64) bool { return late > l.allowed || l.strained >= started }

// blame turns a failure into nothing.
func (l *local) blame(r *Result) {
	blamed := internalError(ErrOverloaded)
	if r.Err != nil {
		blamed.Err = fmt.Errorf("%w: %w", ErrOverloaded, r.Err)
	}
	r.Outcome, r.Reason, r.Detail, r.Err = blamed.Outcome, blamed.Reason, blamed.Detail, blamed.Err
}

// strainLocked takes note of a delay of the schedule, or of a check that ran in it.
func (p *Pool) strainLocked(now, late int64) {
	l := &p.local
	if late <= l.allowed {
		return
	}
	l.strained, l.ease, l.lag = now, now+l.window, max(l.lag, late)
	if now >= l.rise || l.score == 0 {
		was := l.status().Degraded()
		l.score, l.rise = min(l.score+1, maxScore), now+l.window
		p.localChangedLocked(was)
	}
}

// easeLocked lets the score fall after a window without a delay, and looks at how long the first check in the backlog has waited.
func (p *Pool) easeLocked(now, waited int64) {
	l := &p.local
	was := l.status().Degraded()
	for l.score > 0 && now >= l.ease {
		l.score, l.ease = l.score-1, l.ease+l.window
	}
	l.exhausted = waited > l.allowed
	if l.exhausted {
		l.lag = max(l.lag, waited)
	}
	if is := l.status().Degraded(); !is {
		l.lag = 0
	}
	p.localChangedLocked(was)
}

// localChangedLocked publishes that the pool has become degraded, or is no longer.
func (p *Pool) localChangedLocked(was bool) {
	status := p.local.status()
	if status.Degraded() == was {
		return
	}
	p.view = nil
	p.changedLocked()
	p.publishLocked(Event{Kind: LocalDegraded, Time: time.Now(), Local: status})
}
