package drill

import (
	"fmt"
	"strconv"
	"strings"
)

// Verdict is what a drill comes to. The zero Verdict is NoVerdict.
type Verdict int

// The verdicts.
const (
	NoVerdict Verdict = iota // the drill did not come to its end
	Pass                     // the plan is done, the service came back and stayed, and every target is kept
	Fail                     // see Report.Misses
)

var verdicts = [...]string{"no verdict", "pass", "fail"}

func (v Verdict) String() string {
	if v >= 0 && int(v) < len(verdicts) {
		return verdicts[v]
	}
	return "Verdict(" + strconv.Itoa(int(v)) + ")"
}

// MarshalText implements [encoding.TextMarshaler].
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// What a Miss is about.
const (
	TargetFault      = "fault"       // it was not ended, or ended by itself before all was well
	TargetLimit      = "limit"       // it was in force for too long
	TargetPlan       = "plan"        // it is not done
	TargetDetection  = "detection"   // nobody noticed, or too late
	TargetRTO        = "rto"         // a probe was not back, or too late
	TargetRPO        = "rpo"         // too much was lost, or nobody knows
	TargetLostWrites = "lost_writes" // too much was lost, or nobody knows
	TargetFailed     = "failed"      // too many requests failed
	TargetAfter      = "after"       // the service was not well after the fault
	TargetFailback   = "failback"    // it is not done, or the service was not well after it
)

// Miss is something that the drill should have kept to and did not.
type Miss struct {
	Target string `json:"target"`          // one of the constants
	Probe  string `json:"probe,omitempty"` // that saw it; empty: it is about the whole
	Got    string `json:"got"`
	Want   string `json:"want"`
}

// String returns the miss on one line.
func (m Miss) String() string {
	what := m.Target
	if m.Probe != "" {
		what += " of " + m.Probe
	}
	return fmt.Sprintf("%s: %s, wanted %s", what, m.Got, m.Want)
}

// FailedError is a drill whose verdict is Fail. It matches [ErrFailed].
type FailedError struct {
	ID, Service string
	Misses      []Miss
}

func (e *FailedError) Error() string {
	texts := make([]string, len(e.Misses))
	for i, m := range e.Misses {
		texts[i] = m.String()
	}
	return fmt.Sprintf("drill: %s: %v: %s", e.Service, ErrFailed, strings.Join(texts, "; "))
}

// Unwrap returns ErrFailed.
func (e *FailedError) Unwrap() error { return ErrFailed }

// Err returns a [*FailedError] if the verdict is Fail, and nil otherwise: for a program that ends with it.
func (r *Report) Err() error {
	if r.Verdict != Fail {
		return nil
	}
	return &FailedError{ID: r.ID, Service: r.Service, Misses: r.Misses}
}

// judge names every miss, and what that comes to. A drill that did not come to its end has no verdict, but may have left the fault.
func (r *run) judge(rep *Report, broken bool) {
	miss := func(target, probe, got, want string) { rep.Misses = append(rep.Misses, Miss{target, probe, got, want}) }
	if r.fault != nil && r.fault.err != nil {
		miss(TargetFault, "", r.fault.err.Error(), "it to be ended")
	}
	if broken {
		return
	}
	if r.selfEnded.Load() {
		miss(TargetFault, "", "it ended by itself before all was well", "it to be in force until then: the RTO says nothing")
	}
	if r.limited != "" {
		miss(TargetLimit, "", "ended during "+r.limited, "all to be well within "+short(r.opts.Limit))
	}
	if r.planErr != nil {
		miss(TargetPlan, "", r.planErr.Error(), "it to be done")
	}
	r.judgeDetection(rep, miss)
	r.judgeProbes(rep, miss)
	if most := r.opts.Targets.MaxFailed; most != nil && rep.Failed > *most {
		miss(TargetFailed, "", fmt.Sprintf("%d of %d requests", rep.Failed, rep.Requests), fmt.Sprintf("at most %d", *most))
	}
	if !r.calm {
		miss(TargetAfter, "", "not well "+short(r.opts.Limit)+" after the fault", "good answers of every probe for "+short(r.opts.Steady))
	}
	r.judgeFailback(miss)
	rep.Verdict = Pass
	if len(rep.Misses) > 0 {
		rep.Verdict = Fail
	}
}

func (r *run) judgeDetection(rep *Report, miss func(target, probe, got, want string)) {
	if r.response.Watch == nil && r.response.Detect == nil {
		return
	}
	target := r.opts.Targets.Detection
	switch {
	case r.detected.IsZero():
		want := "it to be noticed"
		if target > 0 {
			want = "at most " + short(target)
		}
		miss(TargetDetection, "", "nobody noticed", want)
	case target > 0 && rep.Detection > target:
		miss(TargetDetection, "", short(rep.Detection), "at most "+short(target))
	}
}

func (r *run) judgeProbes(rep *Report, miss func(target, probe, got, want string)) {
	for i := range rep.Probes {
		p := &rep.Probes[i]
		want := "it to be back"
		if p.Target > 0 {
			want = "at most " + short(p.Target)
		}
		switch {
		case !p.Recovered:
			miss(TargetRTO, p.Name, "not back after "+short(p.RTO), want)
		case p.Target > 0 && p.RTO > p.Target:
			miss(TargetRTO, p.Name, short(p.RTO), want)
		}
	}
	unknown := func(target string, most any) {
		miss(target, "", "nobody knows: no read since", fmt.Sprintf("at most %v", most))
	}
	if most := r.opts.Targets.RPO; most != nil {
		switch {
		case rep.RPO > *most:
			miss(TargetRPO, "", short(rep.RPO), "at most "+short(*most))
		case !rep.RPOKnown:
			unknown(TargetRPO, *most)
		}
	}
	if most := r.opts.Targets.MaxLostWrites; most != nil {
		switch {
		case rep.LostWrites > *most:
			miss(TargetLostWrites, "", strconv.Itoa(rep.LostWrites), fmt.Sprintf("at most %d", *most))
		case !rep.RPOKnown:
			unknown(TargetLostWrites, *most)
		}
	}
}

func (r *run) judgeFailback(miss func(target, probe, got, want string)) {
	switch {
	case r.response.Failback == nil:
	case r.backErr != nil:
		miss(TargetFailback, "", r.backErr.Error(), "it to be done")
	case r.failback.IsZero():
		miss(TargetFailback, "", "not begun, since the failover did not go well", "it to be done")
	case !r.back:
		miss(TargetFailback, "", "not well "+short(r.opts.Limit)+" after it", "good answers of every probe for "+short(r.opts.Steady))
	}
}
