package selfhealth

import "time"

// Status is how the process is, as a whole.
type Status uint8

const (
	// Starting: Run does not run yet, Started is to be called still, or a Local, Hard or Guard check has neither passed nor
	// failed yet. /readyz answers 503. It is the zero Status.
	Starting Status = iota
	// OK: everything passes. /readyz answers 200.
	OK
	// Degraded: a Soft check fails, or a Hard one whose effect a Guard stopped. /readyz answers 200.
	Degraded
	// Failing: a Live, a Local or a Hard check fails. /readyz answers 503.
	Failing
	// Draining: Drain was called, or Run has ended. /readyz answers 503. There is no way back.
	Draining
)

// String returns "starting", "ok", "degraded", "failing" or "draining".
func (s Status) String() string {
	switch s {
	case Starting:
		return "starting"
	case OK:
		return "ok"
	case Degraded:
		return "degraded"
	case Failing:
		return "failing"
	case Draining:
		return "draining"
	}
	return "invalid"
}

// MarshalText returns String, so that a status reads the same in JSON and in logs.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Ready reports whether a process with this status should get traffic.
func (s Status) Ready() bool { return s == OK || s == Degraded }

// State is how one check is.
type State uint8

const (
	// CheckPending: the check has not passed yet, nor failed FailureThreshold times. It is the zero State.
	CheckPending State = iota
	// CheckPassing: the check has passed and has not since failed FailureThreshold times in a row.
	CheckPassing
	// CheckFailing: the check has failed FailureThreshold times in a row, or its latest result is older than MaxAge.
	CheckFailing
)

// String returns "pending", "passing" or "failing".
func (s State) String() string {
	switch s {
	case CheckPending:
		return "pending"
	case CheckPassing:
		return "passing"
	case CheckFailing:
		return "failing"
	}
	return "invalid"
}

// MarshalText returns String, so that a state reads the same in JSON and in logs.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// CheckStatus is what is known of one check.
type CheckStatus struct {
	Name  string
	Kind  Kind
	State State
	// Err is why the check fails, or the latest failure of one that does not fail yet; nil after a pass. It is ErrTimeout,
	// ErrStale, ErrPanic or what Func returned.
	Err error
	// FailOpen: a Hard check that fails, and a Guard keeps the process in traffic.
	FailOpen bool
	// Failures is how many calls in a row have failed.
	Failures int
	// Last is when the latest call ended, zero before that, and Took how long it took.
	Last time.Time
	Took time.Duration
}

// Report is the health of the process at one instant.
type Report struct {
	Time   time.Time
	Live   bool // no Live check fails
	Status Status
	Checks []CheckStatus // by name
}

// Report returns the health of the process now. It runs no check and does not wait for one.
func (h *Health) Report() Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	r := Report{Time: now, Checks: make([]CheckStatus, 0, len(h.slots))}
	r.Live, r.Status = h.statusLocked(now)
	guarded := h.guardedLocked(now)
	for _, s := range h.slots {
		if s.owner == nil {
			continue // removed, and its Func has not returned
		}
		state, fails, err := s.verdict(now)
		r.Checks = append(r.Checks, CheckStatus{
			Name: s.check.Name, Kind: s.check.Kind, State: state, Err: err,
			FailOpen: guarded && state == CheckFailing && s.check.Kind == Hard,
			Failures: fails, Last: s.ended, Took: s.took,
		})
	}
	return r
}

// Live reports whether no Live check fails. It allocates nothing.
func (h *Health) Live() bool {
	live, _ := h.judge()
	return live
}

// Status returns the status of the process. It allocates nothing.
func (h *Health) Status() Status {
	_, status := h.judge()
	return status
}

func (h *Health) judge() (live bool, status Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.statusLocked(time.Now())
}

// statusLocked judges what is known at a time. It is done when somebody asks, so that nothing which hangs can keep a result
// from growing old.
func (h *Health) statusLocked(now time.Time) (live bool, status Status) {
	guarded := h.guardedLocked(now)
	live = true
	var failing, pending, degraded bool
	for _, s := range h.slots {
		if s.owner == nil {
			continue
		}
		state, _, _ := s.verdict(now)
		switch s.check.Kind {
		case Live:
			live = live && state != CheckFailing
		case Local:
			failing = failing || state == CheckFailing
			pending = pending || state == CheckPending
		case Soft:
			degraded = degraded || state == CheckFailing
		case Hard:
			failing = failing || state == CheckFailing && !guarded
			degraded = degraded || state == CheckFailing && guarded
			pending = pending || state == CheckPending
		case Guard:
			pending = pending || state == CheckPending
		}
	}
	switch {
	case h.draining:
		return live, Draining
	case failing || !live:
		return live, Failing
	case pending || !h.started || h.ctx == nil:
		return live, Starting
	case degraded:
		return live, Degraded
	default:
		return live, OK
	}
}

// guardedLocked reports whether a Guard keeps the process in traffic.
func (h *Health) guardedLocked(now time.Time) bool {
	for _, s := range h.slots {
		if s.guards(now, h.opts.GuardHold) {
			return true
		}
	}
	return false
}
