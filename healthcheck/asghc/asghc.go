package asghc

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// Replacer tells Auto Scaling which instances a pool has found to be unhealthy. Make one with [New].
type Replacer struct {
	api    API
	source healthcheck.Source
	opts   Options
	ran    atomic.Bool

	// These belong to Run.
	believed time.Time            // since when the pool is, or Run began
	doubted  bool                 // the pool was not believed when it was seen last
	told     map[string]Decision  // what has been said of targets that are unhealthy, by ID
	marked   map[string]time.Time // instances that were marked, or may have been
	refused  map[string]time.Time // instances that were refused, such as for their grace period
}

// New returns a Replacer that acts by what source says, mostly a *healthcheck.Pool. It makes no call and starts nothing.
// Mistakes are reported all at once, each a [*FieldError].
func New(api API, source healthcheck.Source, optFns ...func(*Options)) (*Replacer, error) {
	r := &Replacer{
		api: api, source: source,
		told: map[string]Decision{}, marked: map[string]time.Time{}, refused: map[string]time.Time{},
	}
	for _, fn := range optFns {
		fn(&r.opts)
	}
	var errs []error
	if api == nil {
		errs = append(errs, &FieldError{"api", nil, "must be an Auto Scaling client"})
	}
	if source == nil {
		errs = append(errs, &FieldError{"source", nil, "must be a pool"})
	}
	if err := errors.Join(append(errs, r.opts.complete())...); err != nil {
		return nil, err
	}
	return r, nil
}

// Run follows the pool until ctx ends, and returns the cause of that, or [healthcheck.ErrStopped] when the pool has
// stopped, however it was last. What AWS refuses does not end it: it is told in events, and tried again. Nothing is left running when it
// returns. A second call is refused with [ErrAlreadyRun].
//
// Without an unhealthy target it makes no call. With one, each round costs 1 DescribeAutoScalingGroups for every 50
// groups, 1 DescribeAutoScalingInstances for every 50 instances if Options.Groups is empty, and 1 SetInstanceHealth for
// each instance that is marked; none while the pool's own verdicts leave nothing to mark.
func (r *Replacer) Run(ctx context.Context) error {
	if r.ran.Swap(true) {
		return ErrAlreadyRun
	}
	r.believed = time.Now()
	pause := r.opts.Interval
	for {
		err := r.source.Wait(ctx, func(v *healthcheck.View) bool { return v.Count(healthcheck.Unhealthy) > 0 })
		if err != nil {
			return err
		}
		if r.round(ctx) {
			pause = r.opts.Interval
		} else {
			pause = min(2*pause, maxSlowdown*r.opts.Interval)
		}
		if err := r.pause(ctx, pause); err != nil {
			return err
		}
	}
}

// maxSlowdown is how much longer the pauses become while calls fail.
const maxSlowdown = 8

// pause waits for about d: Replacers that began together do not stay so. It watches the pool meanwhile, so that no doubt
// about it goes unseen between two rounds; and ends when the pool has stopped, of which a Wait for something that holds
// would not tell.
func (r *Replacer) pause(ctx context.Context, d time.Duration) error {
	timed, cancel := context.WithTimeout(ctx, d+rand.N(d/5))
	defer cancel()
	err := r.source.Wait(timed, func(v *healthcheck.View) bool { r.watch(v); return false })
	if err != nil && timed.Err() == nil {
		return err
	}
	<-timed.Done() // which it is, unless the source's Wait has ended early
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// watch keeps since when the pool is believed.
func (r *Replacer) watch(v *healthcheck.View) {
	s := poolOf(v)
	doubted := s.whole(r.opts.Limits) != Mark
	if doubted || r.doubted {
		r.believed = time.Now()
	}
	r.doubted = doubted
}
