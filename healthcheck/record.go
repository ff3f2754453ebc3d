package healthcheck

import (
	"iter"
	"time"
)

// record is what a pool keeps of a target: a Status, at a third of its size. A check that passes allocates nothing for it.
type record struct {
	entry  *entry   // nil where there is no target
	why    *finding // of the state; nil for a healthy target
	found  *finding // by the latest check; nil for a plain pass
	remote string

	since, start          int64 // ns of the Unix epoch
	lag, connect, total   int64
	code, passes, fails   int32
	outcome               Outcome
	hasCode, reused, ever bool // ever: there is a latest check
	state                 State
	override              Override
	ejected               bool
	history               History
}

// finding is a reason with its circumstances. It does not change.
type finding struct {
	reason Reason
	detail string
	err    error
}

// reasons are those that no check gives, shared by all targets.
type reasons struct{ registering, checking, draining *finding }

func newReasons() reasons {
	return reasons{
		registering: &finding{reason: ReasonRegistrationInProgress, detail: "Target registration is in progress"},
		checking:    &finding{reason: ReasonInitialHealthChecking, detail: "Initial health checks in progress"},
		draining:    &finding{reason: ReasonDeregistrationInProgress, detail: "Target deregistration is in progress"},
	}
}

// keep stores a result.
func (r *record) keep(res *Result) {
	r.found = nil
	if res.Reason != "" || res.Detail != "" || res.Err != nil {
		r.found = &finding{res.Reason, res.Detail, res.Err}
	}
	r.remote, r.code, r.outcome = res.RemoteAddr, int32(res.Code), res.Outcome
	r.hasCode, r.reused, r.ever = res.HasCode, res.Reused, true
	r.start, r.lag, r.connect, r.total = res.Start.UnixNano(), int64(res.Lag), int64(res.Connect), int64(res.Total)
	r.history = r.history.with(res.Outcome)
}

// last returns the result that was kept, if there is one.
func (r *record) last() Result {
	if !r.ever {
		return Result{}
	}
	res := Result{
		Outcome: r.outcome, HasCode: r.hasCode, Reused: r.reused, Code: int(r.code), RemoteAddr: r.remote, Start: time.Unix(0, r.start),
		Lag: time.Duration(r.lag), Connect: time.Duration(r.connect), Total: time.Duration(r.total),
	}
	if f := r.found; f != nil {
		res.Reason, res.Detail, res.Err = f.reason, f.detail, f.err
	}
	return res
}

// status returns all of it but what belongs to routing.
func (r *record) status() Status {
	s := Status{
		Target: r.entry.target, State: r.state, Since: time.Unix(0, r.since), Passes: int(r.passes), Fails: int(r.fails),
		Last: r.last(), Recent: r.history, Override: r.override, Ejected: r.ejected,
	}
	if r.why != nil {
		s.Reason, s.Detail = r.why.reason, r.why.detail
	}
	return s
}

// History are the outcomes of the latest checks of a target, up to 32 of them. The zero History is empty. Two are equal if
// their outcomes are.
type History uint64

// NewHistory returns the history of checks with these outcomes, the oldest first.
func NewHistory(outcomes ...Outcome) (h History) {
	for _, o := range outcomes {
		h = h.with(o)
	}
	return h
}

// with returns the history with one more check. An outcome that there is not is unknown.
func (h History) with(o Outcome) History {
	if o > Fail {
		o = Unknown
	}
	return h<<2 | History(o+1)
}

// Len is the number of outcomes.
func (h History) Len() (n int) {
	for ; h != 0; h >>= 2 {
		n++
	}
	return n
}

// All yields the outcomes, the oldest first.
func (h History) All() iter.Seq[Outcome] {
	return func(yield func(Outcome) bool) {
		for i := h.Len() - 1; i >= 0; i-- {
			if !yield(Outcome(h>>(2*i)&3) - 1) {
				return
			}
		}
	}
}

// String has a character for each outcome, the oldest first: "+" is a pass, "-" a failure, "?" unknown.
func (h History) String() string {
	s := make([]byte, 0, 32)
	for o := range h.All() {
		s = append(s, "?+-"[o])
	}
	return string(s)
}

// MarshalText returns String, so that a history reads the same in JSON and in logs.
func (h History) MarshalText() ([]byte, error) { return []byte(h.String()), nil }
