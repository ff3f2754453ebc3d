package healthcheck

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// All returns a Checker for which a target passes when it passes every one of checkers, such as TCP to one port and a Func that
// looks at something else. They are asked one after the other in the order given, within the one Options.Timeout: put the cheap
// ones first.
//
// The first Fail ends the check, and its result is that of the whole: reason, code and all. An Unknown lets the others go on,
// since one of them may know that the target fails; without a Fail the first Unknown is the result. A pass is the last one's.
// Connect counts all connections of a check. Each checker has a probe of its own for each target. Register refuses targets if
// there is no checker, or one is nil.
func All(checkers ...Checker) Checker {
	return allChecker(append([]Checker(nil), checkers...))
}

type allChecker []Checker

func (c allChecker) Open(t Target) (Probe, error) {
	if len(c) == 0 {
		return nil, &FieldError{Field: "All", Value: "no checker", Rule: "must be at least one"}
	}
	probes := make(allProbe, 0, len(c))
	var errs []error
	for i, checker := range c {
		field := "All[" + strconv.Itoa(i) + "]"
		if checker == nil {
			errs = append(errs, &FieldError{Field: field, Value: "nil", Rule: "must not be nil"})
			continue
		}
		probe, err := checker.Open(t)
		switch {
		case err != nil:
			errs = append(errs, err)
		case probe == nil:
			errs = append(errs, &FieldError{Field: field, Value: "nil", Rule: "must open a probe"})
		default:
			probes = append(probes, probe)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, probes.Close())...)
	}
	return probes, nil
}

type allProbe []Probe

func (p allProbe) Check(ctx context.Context) Result {
	var last, unknown Result
	knows := true
	var connect time.Duration
	for _, probe := range p {
		last = probe.Check(ctx)
		connect += last.Connect
		if last.Outcome == Fail {
			break
		}
		if last.Outcome == Unknown && knows {
			unknown, knows = last, false
		}
	}
	if last.Outcome != Fail && !knows {
		last = unknown
	}
	last.Connect = connect
	return last
}

// Close closes every probe, also after one that panics.
func (p allProbe) Close() (err error) {
	if len(p) == 0 {
		return nil
	}
	defer func() { err = errors.Join(err, p[1:].Close()) }()
	return p[0].Close()
}
