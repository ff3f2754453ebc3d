// Package retry repeats calls after pauses that grow, and polls for a state. Every wait is jittered, capped, bounded by
// a timeout and ended by its context. Time is package time's, so that all of it runs in a testing/synctest bubble.
package retry

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Policy is the shape of the pauses between tries. Policies are values to compare; the state of one sequence of pauses
// is made anew for each operation, because a backoff.ExponentialBackOff must not be shared.
type Policy struct {
	First, Max time.Duration // the middle of the first pause, and of the longest
	Growth     float64       // of the middle, from one pause to the next
	Jitter     float64       // a pause differs from its middle by up to this part of it
}

// Throttle waits longer and scatters widest, so that many throttled callers do not return together.
func Throttle() Policy {
	return Policy{First: time.Second, Max: 10 * time.Second, Growth: 2, Jitter: 1}
}

// Transient starts soon: most server errors and broken connections are gone at the second try.
func Transient() Policy {
	return Policy{First: 200 * time.Millisecond, Max: 5 * time.Second, Growth: 2, Jitter: 0.5}
}

// Pending waits evenly for a resource that takes its time.
func Pending() Policy { return Policy{First: time.Second, Max: time.Second, Growth: 1, Jitter: 0.2} }

// Pauses starts a sequence of pauses, for a loop of the caller's own.
func (p Policy) Pauses() backoff.BackOff { return p.start() }

func (p Policy) start() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(p.First),
		backoff.WithMaxInterval(p.Max),
		backoff.WithMultiplier(p.Growth),
		backoff.WithRandomizationFactor(p.Jitter),
		backoff.WithMaxElapsedTime(0), // the loops below hold the deadline, with a last try right at it
	)
}

// Do calls try until it succeeds, until again gives up on its error, or until timeout has passed since Do was called;
// the last try begins no later than that. again gets the time since then, and chooses the policy by error; when the
// policy changes, its pauses start from the first. Before each pause notify, if not nil, hears of the error and the pause.
//
// Do returns the last error of try, also if ctx ends during a pause: the caller asks ctx which it was.
func Do(
	ctx context.Context, timeout time.Duration, try func(context.Context) error,
	again func(err error, elapsed time.Duration) (Policy, bool), notify func(err error, pause time.Duration),
) error {
	start := time.Now()
	var pauses *backoff.ExponentialBackOff
	var current Policy
	for {
		err := try(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		elapsed := time.Since(start)
		policy, worthwhile := again(err, elapsed)
		if !worthwhile || elapsed >= timeout {
			return err
		}
		if pauses == nil || policy != current {
			pauses, current = policy.start(), policy
		}
		pause := min(pauses.NextBackOff(), timeout-elapsed)
		if notify != nil {
			notify(err, pause)
		}
		if !sleep(ctx, pause) {
			return err
		}
	}
}

// Poll calls done until it returns true, until timeout has passed, or until ctx ends, and reports which: true only if
// done did. The first call is immediate; the last begins no later than the timeout.
func Poll(ctx context.Context, timeout time.Duration, p Policy, done func(context.Context) bool) bool {
	start := time.Now()
	var pauses *backoff.ExponentialBackOff
	for {
		if done(ctx) {
			return true
		}
		elapsed := time.Since(start)
		if elapsed >= timeout || ctx.Err() != nil {
			return false
		}
		if pauses == nil {
			pauses = p.start()
		}
		if !sleep(ctx, min(pauses.NextBackOff(), timeout-elapsed)) {
			return false
		}
	}
}

// sleep reports whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
