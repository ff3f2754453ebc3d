package drill

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/awsha/awsha/failover"
)

// Conditions that a caller branches on with [errors.Is].
var (
	// ErrNotSteady is matched by the [*NotSteadyError] of a drill that did not begin: nothing was broken.
	ErrNotSteady = errors.New("not in a steady state")

	// ErrUnended is matched by an [*UnendedError]: what was broken may still be. Somebody has to look, now.
	ErrUnended = errors.New("THE FAULT MAY STILL BE IN FORCE")

	// ErrFailed is matched by what [Report.Err] returns of a drill that missed something.
	ErrFailed = errors.New("drill failed")
)

// errLimit is why a fault that was in force for too long is ended.
var errLimit = errors.New("the limit of the fault is reached")

// errGoexit is what becomes of a call that ends its goroutine.
var errGoexit = errors.New("it ended its goroutine")

// NotSteadyError says why a drill did not begin.
type NotSteadyError struct {
	Service   string
	Probes    []ProbeFailure      // those that had no good answer
	Readiness *failover.Readiness // of a plan that would not work; else nil
	Incident  string              // that a controller began before anything was broken; else empty
}

// ProbeFailure is a probe that had no good answer.
type ProbeFailure struct {
	Probe string
	Err   error // of the last request that failed
}

func (e *NotSteadyError) Error() string {
	var why []string
	for _, p := range e.Probes {
		why = append(why, fmt.Sprintf("probe %s: %v", p.Probe, p.Err))
	}
	if e.Readiness != nil {
		for i := range e.Readiness.Steps {
			s := &e.Readiness.Steps[i]
			for _, f := range s.Findings {
				if f.Level == failover.LevelFail {
					why = append(why, fmt.Sprintf("step %s: %s", s.ID, f.Text))
				}
			}
		}
	}
	if e.Incident != "" {
		why = append(why, "incident "+e.Incident+" has begun")
	}
	return fmt.Sprintf("drill: %s: %v: %s", e.Service, ErrNotSteady, strings.Join(why, "; "))
}

// Unwrap returns ErrNotSteady and the errors of the probes.
func (e *NotSteadyError) Unwrap() []error {
	errs := []error{ErrNotSteady}
	for _, p := range e.Probes {
		errs = append(errs, p.Err)
	}
	return errs
}

// UnendedError is a fault that could not be ended, or of which nobody knows whether it is there.
type UnendedError struct {
	Fault Fault
	Err   error // what the injector said last
}

func (e *UnendedError) Error() string {
	return fmt.Sprintf("drill: %v: %s: %v", ErrUnended, e.Fault, e.Err)
}

// Unwrap returns ErrUnended and Err.
func (e *UnendedError) Unwrap() []error { return []error{ErrUnended, e.Err} }

// guard turns a panic into an error.
func guard(call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &failover.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return call()
}

func panicked(err error) bool {
	return errors.As(err, new(*failover.PanicError)) || errors.Is(err, errGoexit)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
