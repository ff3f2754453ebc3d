package elbv2hc

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// SyncEvent is what Run tells SyncOptions.OnSync: one Sync.
type SyncEvent struct {
	Result SyncResult
	Err    error
	// Pause is how long Run leaves the group alone now, unless the pool changes.
	Pause time.Duration
}

// The pauses of Run after a Sync that failed begin with firstPause and double up to maxPause, and are none longer than
// SyncOptions.Resync.
const firstPause, maxPause = 10 * time.Second, 5 * time.Minute

// Run keeps the group equal to a pool: what is registered there and does not drain is registered here, however healthy it is,
// which is for the load balancer to find out. It syncs at once, after each change of the pool's targets, and every
// SyncOptions.Resync, until ctx ends, and then returns its cause; or until src has stopped, and then returns
// healthcheck.ErrStopped. It leaves the registrations as they are. A second call returns ErrAlreadyRun at once.
//
// A Sync that fails or is refused is tried again, after 10 s at first, doubling up to 5 minutes; what goes wrong is told to SyncOptions.OnSync and the
// Logger. A pool that has no targets yet takes none away: see SyncOptions.AllowEmpty. One that has some of them does, up to
// SyncOptions.MaxRemovePercent: let discovery fill the pool first.
func (s *Syncer) Run(ctx context.Context, src healthcheck.Source) error {
	select {
	case <-s.ran:
	default:
		return ErrAlreadyRun
	}
	failure := firstPause
	for ctx.Err() == nil {
		want := s.wanted(src.View())
		result, err := s.Sync(ctx, want)
		if ctx.Err() != nil {
			break
		}
		pause := s.opts.Resync
		if err != nil {
			pause = min(failure, pause)
			failure = min(2*failure, maxPause)
		} else {
			failure = firstPause
		}
		pause = jittered(pause)
		s.tell(ctx, SyncEvent{Result: result, Err: err, Pause: pause})
		if err := s.changed(ctx, src, want, pause); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// errPaused ends the wait for a change.
var errPaused = errors.New("paused")

// changed returns when the pool wants something else and has settled, or after a pause. The error ends Run.
func (s *Syncer) changed(ctx context.Context, src healthcheck.Source, want []Target, pause time.Duration) error {
	for range 11 {
		waiting, cancel := context.WithTimeoutCause(ctx, pause, errPaused)
		err := src.Wait(waiting, func(v *healthcheck.View) bool { return !slices.Equal(s.wanted(v), want) })
		cancel()
		switch {
		case errors.Is(err, errPaused) && ctx.Err() == nil:
			return nil
		case err != nil:
			return err
		case s.opts.Settle == 0:
			return nil
		}
		want, pause = s.wanted(src.View()), s.opts.Settle
	}
	return nil
}

// wanted returns the registrations of the pool's targets, by ID and port, each once however many of the targets it stands for.
func (s *Syncer) wanted(v *healthcheck.View) []Target {
	var want []Target
	for _, status := range v.All() {
		if status.State != healthcheck.Draining {
			want = append(want, s.complete(s.opts.TargetOf(status.Target)))
		}
	}
	slices.SortStableFunc(want, compareTargets)
	return slices.CompactFunc(want, func(a, b Target) bool { return a.key() == b.key() })
}

func (s *Syncer) tell(ctx context.Context, e SyncEvent) {
	if e.Result.Changed() {
		s.opts.Logger.InfoContext(ctx, "the target group follows the pool", "group", s.group,
			"registered", len(e.Result.Registered), "deregistered", len(e.Result.Deregistered), "dryRun", e.Result.DryRun)
	}
	if e.Err != nil {
		s.opts.Logger.WarnContext(ctx, "the target group does not follow the pool", "group", s.group, "err", e.Err, "pause", e.Pause)
	}
	defer func() {
		if p := recover(); p != nil {
			s.opts.Logger.ErrorContext(ctx, "elbv2hc: panic in OnSync", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	s.opts.OnSync(ctx, e)
}
