package healthcheck

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Tick is the grain of the schedule: due times are whole ticks, so that checks which are due within one tick start
// together, at the end of it.
const Tick = 10 * time.Millisecond

// None is the value for an option that shall be nothing at all where zero means the default.
const None time.Duration = -1

// The defaults are those of an Application Load Balancer with HTTP targets.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html (read 2026-11)
// and, for the last one,
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html (read 2026-11).
const (
	defaultInterval            = 30 * time.Second
	defaultTimeout             = 5 * time.Second
	defaultHealthyThreshold    = 5
	defaultUnhealthyThreshold  = 2
	defaultDeregistrationDelay = 300 * time.Second
)

const (
	defaultMaxStartSpread = 2 * time.Second
	defaultMaxInFlight    = 10_000
	defaultEventBuffer    = 1024
	defaultSlowAfter      = 10 * time.Minute
	maxThreshold          = 1000
	maxDelay              = 24 * time.Hour
)

// Options are the options of a pool. The zero value of each field means its default.
type Options struct {
	// Interval is the time from the start of a check to the start of the next one of the same target, however long
	// the check takes. It must be greater than Timeout and at most 24 h, and is rounded down to whole ticks. Default 30 s.
	Interval time.Duration

	// Timeout is how long a check may take before it counts as failed, for ReasonTimeout. At least one Tick.
	// Default 5 s.
	Timeout time.Duration

	// HealthyThreshold is how many passes in a row make an unhealthy target healthy, 1 to 1000. Default 5.
	// An initial target needs one.
	HealthyThreshold int

	// UnhealthyThreshold is how many failures in a row make a target unhealthy, 1 to 1000. Default 2.
	UnhealthyThreshold int

	// Jitter delays each check by a random time of up to this much, rounded down to whole ticks, without moving the
	// ones that follow. It must be less than Interval - Timeout, and than FastInterval - Timeout. Default none: targets are spread over the interval
	// already, and differently in every pool.
	Jitter time.Duration

	// MaxStartSpread bounds the random delay of the first check of a target, which is there so that many targets
	// registered at once are not all checked at once. The delay is never longer than Interval. Default 2 s; None
	// checks at once.
	MaxStartSpread time.Duration

	// MaxInFlight bounds the checks that run at a time; those that are due beyond it wait for one to end, in the
	// order in which they came due, and Result.Lag shows how long. Each costs a goroutine and, while it connects, about
	// 10 KiB. When nothing answers, N targets need N·Timeout/Interval of them, so the default of 10,000 is enough
	// for 60,000 targets with the other defaults.
	MaxInFlight int

	// DeregistrationDelay is how long a deregistered target stays Draining, at most 24 h. Default 300 s; None removes it
	// at once.
	DeregistrationDelay time.Duration

	// FastInterval replaces Interval while a target is in doubt: while its latest results in a row disagree with its state, or
	// it is Initial and has failed. It must be greater than Timeout and at most Interval. Zero is Interval.
	FastInterval time.Duration

	// SlowInterval replaces Interval for a target that has been Unhealthy for longer than SlowAfter. It must be at least
	// Interval and at most 24 h. Zero is Interval.
	SlowInterval time.Duration

	// SlowAfter is how long a target is Unhealthy before SlowInterval begins. Default 10 min.
	SlowAfter time.Duration

	// FinishWhenIdle lets a draining target go as soon as its last lease is done, at the latest after DeregistrationDelay.
	// Elastic Load Balancing always waits for the whole delay, which is the default.
	FinishWhenIdle bool

	// RoutingFailover is when the pool fails open: below it, traffic goes to all registered targets, as an unhealthy one may
	// still answer and none at all never does. Default {Count: 1}.
	RoutingFailover Threshold

	// ZoneFailover is when a zone is no longer Up: Elastic Load Balancing then takes its address out of DNS. It must not be below
	// RoutingFailover. Default: RoutingFailover.
	ZoneFailover Threshold

	// ZonalOnly turns cross-zone load balancing off: thresholds hold for each zone by itself, and Pick stays in the zone of its
	// caller while that is up.
	ZonalOnly bool

	// SlowStart is for how long a target that has become healthy gets a share of the traffic that grows from little to its
	// full one. Zero is off.
	SlowStart time.Duration

	// Algorithm is how Pick chooses. Default RoundRobin.
	Algorithm Algorithm

	// Passive lets the requests that go through the pool eject targets. Nil is off.
	Passive *PassiveOptions

	// Limits are AWS's own ranges for those of these options that a target group has, beside the wider ones of this package: what
	// passes them could be set on a target group of that kind. The presets set them. Default NoLimits.
	Limits Limits

	// EventBuffer is how many events are kept for a receiver that is slower than the pool. One call of Register or
	// Deregister publishes an event for each of its targets at once: to lose none in Events, make it at least that many.
	// Default 1024.
	EventBuffer int

	// OnEvent is called with each event, one at a time and in order, on a goroutine of the pool or of a caller of
	// Register or Deregister, with no lock held: it may call the pool. It must return at once: it holds up that caller, the
	// later events and the return of Run, though no check. A panic is recovered and logged. The context is that of Run, or
	// context.Background before Run.
	OnEvent func(context.Context, Event)

	// Logger gets state changes at Info, losses of health and lost events at Warn, and panics of the checker and of OnEvent
	// at Error. Its handler must not panic. Nil is silent.
	Logger *slog.Logger
}

// DetectionBound is the longest time from the death of a healthy target to the transition that says so:
//
//	Interval + (UnhealthyThreshold - 1)·FastInterval + Jitter + Timeout + Tick
//
// The worst case is a target that dies right after it has passed a check, and whose following checks all hang until
// Timeout; one that refuses connections is found sooner by Timeout. With the defaults it is 65.01 s. It holds as long
// as checks start and tell: as the pool is not degraded (see Local), and no result is Unknown. None of
// these moves a state. A target whose Last.Start is older than Interval + Jitter + Timeout is not being checked, and of
// one whose Last.Outcome is Unknown nothing is known. Zero fields count as their defaults.
func (o Options) DetectionBound() time.Duration {
	o = o.withDefaults()
	return o.Interval + time.Duration(o.UnhealthyThreshold-1)*o.FastInterval + o.Jitter + o.Timeout + Tick
}

// withDefaults fills in the zero fields and turns None into zero.
func (o Options) withDefaults() Options {
	orDefault(&o.Interval, defaultInterval)
	orDefault(&o.Timeout, defaultTimeout)
	orDefault(&o.HealthyThreshold, defaultHealthyThreshold)
	orDefault(&o.UnhealthyThreshold, defaultUnhealthyThreshold)
	orDefault(&o.MaxStartSpread, defaultMaxStartSpread)
	orDefault(&o.MaxInFlight, defaultMaxInFlight)
	orDefault(&o.DeregistrationDelay, defaultDeregistrationDelay)
	orDefault(&o.EventBuffer, defaultEventBuffer)
	orDefault(&o.FastInterval, o.Interval)
	orDefault(&o.SlowInterval, o.Interval)
	orDefault(&o.SlowAfter, defaultSlowAfter)
	orDefault(&o.RoutingFailover.Count, 1)
	orDefault(&o.ZoneFailover.Count, o.RoutingFailover.Count)
	orDefault(&o.ZoneFailover.Percent, o.RoutingFailover.Percent)
	if o.Passive != nil {
		p := o.Passive.withDefaults()
		o.Passive = &p
	}
	for _, d := range []*time.Duration{&o.Jitter, &o.MaxStartSpread, &o.DeregistrationDelay} {
		if *d == None {
			*d = 0
		}
	}
	return o
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Validate returns what New says about o: a *FieldError for each mistake, joined, and nil without any. Zero fields count as
// their defaults.
func (o Options) Validate() error {
	o = o.withDefaults()
	return errors.Join(o.validate()...)
}

// validate returns every mistake in options that have their defaults.
func (o *Options) validate() []error {
	var errs []error
	require := func(ok bool, field string, value any, rule string, args ...any) {
		if !ok {
			errs = append(errs, &FieldError{Field: "Options." + field, Value: value, Rule: fmt.Sprintf(rule, args...)})
		}
	}
	require(floorTick(int64(o.Interval)) > int64(o.Timeout), "Interval", o.Interval, "must be greater than Timeout (%v)", o.Timeout)
	require(o.Interval <= maxDelay, "Interval", o.Interval, "must be at most %v", maxDelay)
	require(o.Timeout >= Tick, "Timeout", o.Timeout, "must be at least one Tick (%v)", Tick)
	require(1 <= o.HealthyThreshold && o.HealthyThreshold <= maxThreshold,
		"HealthyThreshold", o.HealthyThreshold, "must be from 1 to %d", maxThreshold)
	require(1 <= o.UnhealthyThreshold && o.UnhealthyThreshold <= maxThreshold,
		"UnhealthyThreshold", o.UnhealthyThreshold, "must be from 1 to %d", maxThreshold)
	require(o.Jitter >= 0, "Jitter", o.Jitter, "must not be negative")
	require(o.Jitter <= 0 || o.Jitter < o.Interval-o.Timeout,
		"Jitter", o.Jitter, "must be less than Interval - Timeout (%v)", o.Interval-o.Timeout)
	require(o.Jitter <= 0 || o.FastInterval == o.Interval || o.Jitter < o.FastInterval-o.Timeout,
		"Jitter", o.Jitter, "must be less than FastInterval - Timeout (%v)", o.FastInterval-o.Timeout)
	require(o.MaxStartSpread >= 0, "MaxStartSpread", o.MaxStartSpread, "must not be negative, unless it is None")
	require(o.MaxInFlight >= 1, "MaxInFlight", o.MaxInFlight, "must be at least 1")
	require(o.DeregistrationDelay >= 0, "DeregistrationDelay", o.DeregistrationDelay, "must not be negative, unless it is None")
	require(o.DeregistrationDelay <= maxDelay, "DeregistrationDelay", o.DeregistrationDelay, "must be at most %v", maxDelay)
	require(o.EventBuffer >= 1, "EventBuffer", o.EventBuffer, "must be at least 1")
	require(floorTick(int64(o.FastInterval)) > int64(o.Timeout) || o.FastInterval == o.Interval,
		"FastInterval", o.FastInterval, "must be greater than Timeout (%v)", o.Timeout)
	require(o.FastInterval <= o.Interval, "FastInterval", o.FastInterval, "must be at most Interval (%v)", o.Interval)
	require(o.SlowInterval >= o.Interval && (o.SlowInterval <= maxDelay || o.SlowInterval == o.Interval),
		"SlowInterval", o.SlowInterval, "must be at least Interval (%v) and at most %v", o.Interval, maxDelay)
	require(0 <= o.SlowAfter && o.SlowAfter <= maxDelay, "SlowAfter", o.SlowAfter, "must be from 0 to %v", maxDelay)
	o.validateLimits(require)
	o.validatePolicy(require)
	return errs
}
