package selfhealth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// slot is the place of one name, guarded by Health.mu. It has at most one goroutine, whoever owns it: a Func that never
// returns cannot pile up, however often its name is taken over.
type slot struct {
	name  string
	wake  chan struct{} // the owner has changed
	owner *registration // nil: removed
	check Check

	working bool               // has a goroutine
	cancel  context.CancelFunc // of the running call
	began   time.Time          // the running call; zero when there is none

	since  time.Time // when the latest result ended, or the first owner came
	ended  time.Time // the latest result
	took   time.Duration
	err    error
	fails  int
	passed bool
	due    time.Time

	objected time.Time // when a Guard was last known to fail
}

// give makes a check the one of its name. What is known of the name stays.
func (s *slot) give(owner *registration, c Check, now time.Time) {
	if s.owner == nil {
		s.since, s.ended, s.took, s.err, s.fails, s.passed, s.objected = now, time.Time{}, 0, nil, 0, false, time.Time{}
	}
	if s.owner != nil {
		s.keep(c, now)
	}
	s.callOff()
	s.owner, s.check, s.due = owner, c, now
}

// keep holds the verdict where it is until the check that takes the name over has said something, whatever its limits are.
// Those count from now on, and put off nothing: who reloads all the time does not hide a check that hangs or is stale.
func (s *slot) keep(c Check, now time.Time) {
	if _, fails, _ := s.verdict(now); fails >= s.check.FailureThreshold {
		s.fails = max(s.fails, c.FailureThreshold)
	} else {
		s.fails = min(s.fails, c.FailureThreshold-1)
	}
	rebase := func(start time.Time, was, limit time.Duration) time.Time {
		end := start.Add(was)
		if fresh := now.Add(limit); fresh.Before(end) {
			end = fresh
		}
		return end.Add(-limit)
	}
	s.since = rebase(s.since, s.check.MaxAge, c.MaxAge)
	if !s.began.IsZero() {
		s.began = rebase(s.began, s.check.Timeout, c.Timeout)
	}
}

// take removes the check.
func (s *slot) take() {
	s.callOff()
	s.owner = nil
}

// callOff ends the context of the running call, and the rest between two.
func (s *slot) callOff() {
	if s.cancel != nil {
		s.cancel()
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// verdict says how the check is, from its latest results and from how long it has been silent.
func (s *slot) verdict(now time.Time) (State, int, error) {
	fails, err := s.fails, s.err
	if !s.began.IsZero() {
		if over := now.Sub(s.began) - s.check.Timeout; over >= 0 {
			fails, err = fails+1+int(over/s.check.Interval), ErrTimeout
		}
	}
	switch {
	case fails >= s.check.FailureThreshold:
		return CheckFailing, fails, err
	case now.Sub(s.since) > s.check.MaxAge:
		return CheckFailing, fails, ErrStale
	case s.passed:
		return CheckPassing, fails, err
	default:
		return CheckPending, fails, err
	}
}

// guards reports whether a Guard keeps the process in traffic: it objects, nothing is known of it, or it has objected less
// than hold ago. Without the hold, a fleet that has come back because of its Guards would leave again at once, and so on.
func (s *slot) guards(now time.Time, hold time.Duration) bool {
	if s.owner == nil || s.check.Kind != Guard {
		return false
	}
	state, _, _ := s.verdict(now)
	return state != CheckPassing || !s.objected.IsZero() && now.Sub(s.objected) < hold
}

// next is when the verdict may change although nothing happens.
func (s *slot) next(now time.Time, hold time.Duration) time.Time {
	next := s.since.Add(s.check.MaxAge + 1)
	if !next.After(now) {
		next = now.Add(maxInterval)
	}
	if release := s.objected.Add(hold); s.check.Kind == Guard && release.After(now) && release.Before(next) {
		next = release
	}
	if !s.began.IsZero() {
		overdue := s.began.Add(s.check.Timeout)
		if !overdue.After(now) { // the failures of a call that hangs come at each Interval
			overdue = overdue.Add(now.Sub(overdue).Truncate(s.check.Interval) + s.check.Interval)
		}
		if overdue.Before(next) {
			next = overdue
		}
	}
	return next
}

// startLocked gives a slot its goroutine.
func (h *Health) startLocked(s *slot) {
	if h.ctx == nil || s.working || h.ctx.Err() != nil {
		return
	}
	s.working = true
	ctx := h.ctx
	h.calls.Go(func() { h.work(ctx, s) })
}

// work runs the checks of a slot until it is removed or ctx ends.
func (h *Health) work(ctx context.Context, s *slot) {
	ended := false
	defer func() {
		if !ended { // a Func has ended the goroutine, as t.FailNow does
			h.calls.Go(func() { h.work(ctx, s) })
		}
	}()
	for h.rest(ctx, s) {
		h.call(ctx, s)
	}
	ended = true
}

// rest waits until the check is due. It returns false, and the goroutine is no longer the slot's, when there is no more to do.
func (h *Health) rest(ctx context.Context, s *slot) bool {
	for {
		h.mu.Lock()
		if s.owner == nil || ctx.Err() != nil {
			s.working = false
			h.forgetLocked()
			h.mu.Unlock()
			return false
		}
		wait := time.Until(s.due)
		h.mu.Unlock()
		if wait <= 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// call runs the check once.
func (h *Health) call(ctx context.Context, s *slot) {
	h.mu.Lock()
	if s.owner == nil {
		h.mu.Unlock()
		return
	}
	owner, c := s.owner, s.check
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	s.cancel, s.began = cancel, time.Now()
	h.mu.Unlock()
	h.signal() // Run may have to look earlier: this call may hang

	err := fmt.Errorf("%w: its goroutine was ended", ErrPanic)
	defer func() { // deferred, because a Func may panic or end its goroutine
		if v := recover(); v != nil {
			err = ErrPanic
			h.logPanic(ctx, "Check.Func of "+c.Name, v)
		}
		h.finish(ctx, s, owner, err, saysDeadline(err))
	}()
	err = c.Func(ctx)
}

// saysDeadline reports whether err is context.DeadlineExceeded. Its methods are code of the check, so they run without the lock,
// and a panic in them, as of a typed nil, is recovered.
func saysDeadline(err error) (says bool) {
	defer func() {
		if recover() != nil {
			says = false
		}
	}()
	return errors.Is(err, context.DeadlineExceeded)
}

// finish takes the result of a call.
func (h *Health) finish(ctx context.Context, s *slot, owner *registration, err error, deadline bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	began := s.began
	was, _, _ := s.verdict(now)
	s.cancel, s.began = nil, time.Time{}
	if s.owner != owner || errors.Is(ctx.Err(), context.Canceled) {
		return // removed, taken over, or Run ends
	}
	took := now.Sub(began)
	if over := took - s.check.Timeout; over >= 0 {
		s.fails += int(over / s.check.Interval) // those that were counted while it hung
		if err == nil || deadline {
			err = ErrTimeout // a late answer is none
		}
	}
	s.since, s.ended, s.took, s.err = now, now, took, err
	if err == nil {
		s.fails, s.passed = 0, true
	} else {
		s.fails++
	}
	if is, _, _ := s.verdict(now); was == CheckFailing || is == CheckFailing {
		s.objected = now
	}
	s.due = now.Add(s.check.Interval - rand.N(s.check.Interval/10+1))
	h.signal()
}

func (h *Health) logPanic(ctx context.Context, where string, v any) {
	if h.opts.Logger != nil {
		h.opts.Logger.LogAttrs(ctx, slog.LevelError, "panic recovered", slog.String("in", where),
			slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	}
}
