package zonalhc

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// Shifter shifts one resource away from a zone that a pool finds bad. Make one with [New].
type Shifter struct {
	read     Reader
	write    Writer // nil of an Adviser
	source   healthcheck.Source
	resource string
	opts     Options
	limits   Limits // with the defaults
	ran      atomic.Bool

	// These belong to Run.
	zones      tracker
	candidate  string    // the zone that alone is bad, by its name
	clear      time.Time // since when it is
	told       Decision
	own        *Shift               // as far as is known
	known      bool                 // whether there is one has been read
	lag        time.Time            // until when reads may be behind what has been done
	cancelled  map[string]time.Time // own shifts, by ID, until when they would have held
	cancelling string               // own shift, by ID, whose cancellation was sent last
	spent      map[string]Reason    // zones, by ID, that are not to be shifted away from again before they have been well
}

// New returns a Shifter of the resource with an ARN, by what source says, mostly a *healthcheck.Pool. It makes no call and
// starts nothing. Mistakes are reported all at once, each a [*FieldError].
func New(api API, source healthcheck.Source, resource string, optFns ...func(*Options)) (*Shifter, error) {
	if api == nil {
		return newShifter(nil, nil, source, resource, false, optFns)
	}
	return newShifter(api, api, source, resource, false, optFns)
}

func newShifter(read Reader, write Writer, source healthcheck.Source, resource string, adviser bool, optFns []func(*Options)) (*Shifter, error) {
	s := &Shifter{
		read: read, write: write, source: source, resource: resource,
		zones: tracker{}, cancelled: map[string]time.Time{}, spent: map[string]Reason{},
	}
	for _, fn := range optFns {
		fn(&s.opts)
	}
	var errs []error
	if read == nil {
		errs = append(errs, &FieldError{"api", nil, "must be a client of zonal shift"})
	}
	if source == nil {
		errs = append(errs, &FieldError{"source", nil, "must be a pool"})
	}
	if len(resource) < 4 || resource[:4] != "arn:" {
		errs = append(errs, &FieldError{"resource", resource, "must be an ARN"})
	}
	if err := errors.Join(append(errs, s.opts.complete(adviser))...); err != nil {
		return nil, err
	}
	s.limits = s.opts.withDefaults()
	return s, nil
}

// Adviser tells when a shift is called for, and starts none. Make one with [NewAdviser].
type Adviser struct{ shifter *Shifter }

// NewAdviser returns an Adviser about the resource with an ARN. Options that describe shifts are not needed. See New.
func NewAdviser(api Reader, source healthcheck.Source, resource string, optFns ...func(*Options)) (*Adviser, error) {
	s, err := newShifter(api, nil, source, resource, true, optFns)
	if err != nil {
		return nil, err
	}
	s.opts.DryRun = true
	return &Adviser{s}, nil
}

// Run advises, by events of [KindAdvised], until ctx ends; see [Shifter.Run].
func (a *Adviser) Run(ctx context.Context) error { return a.shifter.Run(ctx) }

// Run follows the pool until ctx ends, and returns the cause of that, or [healthcheck.ErrStopped] when the pool has
// stopped, however it was last. What AWS refuses does not end it: it is told in events. Nothing is left running when it returns, but for the
// shift itself, which holds until it expires. A second call is refused with [ErrAlreadyRun].
//
// It costs 1 GetManagedResource at first, and then, while a zone has been bad for BadFor or the own shift is active, 1 in
// each round.
func (s *Shifter) Run(ctx context.Context) error {
	if s.ran.Swap(true) {
		return ErrAlreadyRun
	}
	pause := s.opts.Interval
	for {
		if s.round(ctx) {
			pause = s.opts.Interval
		} else {
			pause = min(2*pause, maxSlowdown*s.opts.Interval)
		}
		if err := s.pause(ctx, pause); err != nil {
			return err
		}
		if s.known && s.own == nil && s.told.Reason == Calm {
			if err := s.source.Wait(ctx, s.noisy); err != nil {
				return err
			}
		}
	}
}

// noisy tells whether a zone is bad, or one that is not to be shifted away from again may be well.
func (s *Shifter) noisy(v *healthcheck.View) bool {
	return slices.ContainsFunc(v.Zones(), func(z healthcheck.ZoneStatus) bool {
		return bad(z, s.limits) || (len(s.spent) > 0 && well(z, s.limits) && s.spent[s.id(z.Zone)] != "")
	})
}

func (s *Shifter) id(zone string) string {
	if s.opts.ZoneIDs == nil {
		return zone
	}
	return s.opts.ZoneIDs[zone]
}

// maxSlowdown is how much longer the pauses become while calls fail.
const maxSlowdown = 8

// pause waits for about d: Shifters that began together do not stay so. It watches the pool meanwhile, so that no change of
// a zone goes unseen between two rounds; and ends when the pool has stopped, of which a Wait for something that holds would
// not tell.
func (s *Shifter) pause(ctx context.Context, d time.Duration) error {
	timed, cancel := context.WithTimeout(ctx, d+rand.N(d/5))
	defer cancel()
	err := s.source.Wait(timed, func(v *healthcheck.View) bool { s.watch(v); return false })
	if err != nil && timed.Err() == nil {
		return err
	}
	<-timed.Done() // which it is, unless the source's Wait has ended early
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
