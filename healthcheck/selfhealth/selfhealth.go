package selfhealth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Health knows how this process is. Make one with New. All methods are safe for concurrent use.
type Health struct {
	opts  Options
	calls sync.WaitGroup // the goroutines of checks
	wake  chan struct{}  // asks Run to look for changes before its timer fires

	mu       sync.Mutex      // never held across a check, a hook or a log record
	slots    []*slot         // by name
	ctx      context.Context // what checks run under; nil before Run
	started  bool
	draining bool
	stopped  bool
}

// New returns a Health without checks. It starts nothing.
//
// No combination of options is a mistake today; the error is there for those to come.
func New(optFns ...func(*Options)) (*Health, error) {
	var o Options
	for _, fn := range optFns {
		fn(&o)
	}
	if o.GuardHold == 0 {
		o.GuardHold = defaultGuardHold
	}
	return &Health{opts: o, started: !o.ManualStart, wake: make(chan struct{}, 1)}, nil
}

// registration is one call of Register: the owner of its checks until another takes them over.
type registration struct{ _ byte } // of a size: pointers to what has none may be equal

// Register adds checks. Those that are there when Run is called are first run at once and together; after that, each is when
// it is registered. A Local, Hard or Guard check makes the process Starting until it has a result, so register them before
// the process serves.
//
// A name that is there already is taken over, as by a component that is reloaded: the running call is called off, what it
// would say counts for nothing, and the state stays until the new Func has said something or is overdue. A name cannot change its Kind
// while it is registered. The function that Register returns removes those of its checks that nobody has taken over since;
// it can be called more than once and does not wait for calls to return.
//
// It has an effect on all checks or on none: it returns a *FieldError for each mistake, joined, and ErrStopped once Run has
// ended.
func (h *Health) Register(checks ...Check) (remove func(), err error) {
	checks = slices.Clone(checks)
	for i := range checks {
		checks[i] = checks[i].withDefaults()
	}
	errs := validate(checks)

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil, ErrStopped
	}
	for i, c := range checks {
		if s := h.slotLocked(c.Name); s != nil && s.owner != nil && s.check.Kind != c.Kind {
			errs = append(errs, &FieldError{
				Field: fmt.Sprintf("Check[%d].Kind", i), Value: c.Kind.String(),
				Rule: fmt.Sprintf("must be %v, as which %q is registered", s.check.Kind, c.Name),
			})
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	owner := new(registration)
	now := time.Now()
	for _, c := range checks {
		s := h.slotLocked(c.Name)
		if s == nil {
			s = &slot{name: c.Name, wake: make(chan struct{}, 1)}
			i, _ := h.findLocked(c.Name)
			h.slots = slices.Insert(h.slots, i, s)
		}
		s.give(owner, c, now)
		h.startLocked(s)
	}
	h.signal()
	return func() { h.remove(owner) }, nil
}

func (h *Health) findLocked(name string) (at int, found bool) {
	return slices.BinarySearchFunc(h.slots, name, func(s *slot, name string) int { return strings.Compare(s.name, name) })
}

func (h *Health) slotLocked(name string) *slot {
	if i, found := h.findLocked(name); found {
		return h.slots[i]
	}
	return nil
}

func (h *Health) remove(owner *registration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.slots {
		if s.owner == owner {
			s.take()
		}
	}
	h.forgetLocked()
	h.signal()
}

// forgetLocked drops the slots that are neither owned nor worked on.
func (h *Health) forgetLocked() {
	h.slots = slices.DeleteFunc(h.slots, func(s *slot) bool { return s.owner == nil && !s.working })
}

// Started ends the start that Options.ManualStart holds open. Without that it does nothing.
func (h *Health) Started() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = true
	h.signal()
}

// Run runs the checks until ctx ends, and then returns its cause once every check and hook has returned: nothing of the
// Health is left running. From then on the process is Draining, and results grow old. A second call returns ErrAlreadyRun
// at once.
//
// Let it run until the server has been shut down: results that are older than MaxAge fail, those of Live checks too. A Func
// that ignores its context holds Run up, because Go cannot end it.
func (h *Health) Run(ctx context.Context) error {
	callsCtx, callOff := context.WithCancel(ctx)
	defer callOff()
	if !h.begin(callsCtx) {
		return ErrAlreadyRun
	}
	watch := h.newWatch()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(watch.look(ctx))
		select {
		case <-timer.C:
		case <-h.wake:
		case <-ctx.Done():
		}
	}
	h.end()
	h.calls.Wait()
	watch.look(ctx)
	return context.Cause(ctx)
}

func (h *Health) begin(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx != nil {
		return false
	}
	h.ctx = ctx
	for _, s := range h.slots {
		h.startLocked(s)
	}
	return true
}

func (h *Health) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped, h.draining = true, true
}

// signal lets Run look again.
func (h *Health) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}
