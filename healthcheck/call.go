package healthcheck

import (
	"context"
	"math"
	"sync"
	"time"
)

// call is one check that is under way, and its context. It ends at its deadline, when it is called off, and when the check has
// returned. A timer and a channel are made only when somebody listens: most checks are over sooner, and read the deadline.
type call struct {
	context.Context // values, and no end

	entry    *entry
	probe    Probe
	lag      time.Duration // until Run started it
	started  int64         // as the schedule has it, when Run started it
	deadline time.Time

	overdue             int64 // the first tick at which it must have ended
	listed              bool  // in calls
	previous, following *call

	mu    sync.Mutex
	err   error
	done  chan struct{}
	timer *time.Timer
	after map[*func()]struct{}
}

var _ context.Context = (*call)(nil)

// Deadline returns the end of the check's time.
func (c *call) Deadline() (time.Time, bool) { return c.deadline, true }

// Done returns a channel that is closed when the check must end.
func (c *call) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
		c.listenLocked()
	}
	return c.done
}

// Err returns why the check must end, if it must.
func (c *call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && !time.Now().Before(c.deadline) {
		c.endLocked(context.DeadlineExceeded)
	}
	return c.err
}

// AfterFunc is what package context looks for, so that contexts made from this one need no goroutine.
func (c *call) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f() // as context.AfterFunc does
		return func() bool { return false }
	}
	key := &f
	if c.after == nil {
		c.after = make(map[*func()]struct{})
	}
	c.after[key] = struct{}{}
	c.listenLocked()
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, ok := c.after[key]
		delete(c.after, key)
		return ok
	}
}

// listenLocked makes sure that the deadline is noticed.
func (c *call) listenLocked() {
	if c.timer == nil && c.err == nil {
		c.timer = time.AfterFunc(time.Until(c.deadline), func() { _ = c.end(context.DeadlineExceeded) })
	}
}

// end ends the context, and returns why it had ended before, if it had.
func (c *call) end(err error) (before error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before = c.err
	if before == nil {
		c.endLocked(err)
	}
	return before
}

func (c *call) endLocked(err error) {
	c.err = err
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.done != nil {
		close(c.done)
	}
	for f := range c.after {
		go (*f)()
	}
	c.after = nil
}

// calls are the checks under way that are not overdue, guarded by Pool.mu. They all have the same time, so that the first that
// started is the first to be overdue, and a list will do where a heap would cost three times as much.
type calls struct{ first, last *call }

func (l *calls) add(c *call) {
	c.listed, c.previous = true, l.last
	if l.last == nil {
		l.first = c
	} else {
		l.last.following = c
	}
	l.last = c
}

// remove takes c out; it may be absent.
func (l *calls) remove(c *call) {
	if !c.listed {
		return
	}
	if c.previous == nil {
		l.first = c.following
	} else {
		c.previous.following = c.following
	}
	if c.following == nil {
		l.last = c.previous
	} else {
		c.following.previous = c.previous
	}
	c.listed, c.previous, c.following = false, nil, nil
}

// nextTurn is when the first is overdue.
func (l *calls) nextTurn() int64 {
	if l.first == nil {
		return math.MaxInt64
	}
	return l.first.overdue
}
