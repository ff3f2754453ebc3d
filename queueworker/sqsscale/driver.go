package sqsscale

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/internal/awserr"
	"github.com/awsha/awsha/queueworker"
)

// DriverOptions are the options of NewDriver. The zero value of each field means its default.
type DriverOptions struct {
	Limits

	// Interval is the time between decisions, which differs by up to a tenth so that drivers do not stay together. It grows to four times
	// while calls fail. Default 15 seconds, at least one. It should be more than the ScalerOptions.CacheFor of the hints.
	Interval time.Duration

	// Leader tells whether this driver is the one to act. It is asked at the beginning of each round, and again before the capacity is
	// changed; it must end when its context does. Nil is always.
	//
	// SetDesiredCapacity has no condition, so that a call of one who has just ceased to lead can come late, by Timeout at most. Two drivers
	// at a time do no harm but to wait in vain: both set what the same queue needs.
	Leader func(context.Context) bool

	// HonorCooldown makes Auto Scaling refuse to scale in during the cooldown of the group, in addition to Limits.Cooldown. Such a
	// refusal is an event with an error, and it is tried again. Scaling out never waits for it.
	HonorCooldown bool

	// DryRun decides, tells, and changes nothing. It needs no permission but to read.
	DryRun bool

	// Timeout bounds the hint, the leader, the reads of a round and the call that changes, each with the SDK's retries inside it. Default 10 seconds.
	Timeout time.Duration

	// OnEvent is called with each event, one at a time, by Run, which waits for it. A panic in it is recovered and logged.
	OnEvent func(context.Context, DriverEvent)

	// Logger gets what fails at Warn, what is changed and decisions that are other than before at Info, all others at Debug. Nil is silent.
	Logger *slog.Logger
}

// DriverEvent is what came of one round. There is one for each round in which the driver leads.
type DriverEvent struct {
	Time time.Time
	// Decision is zero if what it takes could not be read.
	Decision Decision
	Hint     queueworker.ScaleHint
	// Applied: Auto Scaling has taken the capacity Decision.To.
	Applied bool
	DryRun  bool
	// Err is a *CallError, by which the capacity was left alone; of SetDesiredCapacity it may have changed all the same.
	Err error
}

// Driver keeps the desired capacity of an Auto Scaling group at what the hints for a queue say. Make one with [NewDriver].
//
// It is for groups that no scaling policy drives as well: policies and drivers undo what the other does. Bounds are those of the group, as read in
// each round: change them there.
type Driver struct {
	api   DriverAPI
	group string
	hints Hinter
	opts  DriverOptions
	ran   atomic.Bool

	// These belong to Run.
	past    []past    // hints within the cooldown, oldest first
	known   time.Time // since when there have been hints without a break
	changed time.Time // when the capacity was seen to change, or was changed
	seen    int       // desired capacity of the last read, -1 before
	set     int       // the capacity that was set last
	setAt   time.Time
	told    Decision
}

// past is what a hint said.
type past struct {
	at      time.Time
	desired int
}

// NewDriver returns a Driver of a group by what hints says, mostly a *queueworker.Scaler whose ScalerOptions.Instances is [InService] of the
// group. It makes no call and starts nothing. Every mistake is a *queueworker.FieldError of the error.
func NewDriver(api DriverAPI, group string, hints Hinter, optFns ...func(*DriverOptions)) (*Driver, error) {
	var o DriverOptions
	for _, fn := range optFns {
		fn(&o)
	}
	o.Limits = o.withDefaults()
	orDefault(&o.Interval, 15*time.Second)
	orDefault(&o.Timeout, 10*time.Second)
	if o.Leader == nil {
		o.Leader = func(context.Context) bool { return true }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var m mistakes
	m.require(api != nil, "api", nil, "must not be nil")
	m.require(group != "", "group", nil, "must be the name of an Auto Scaling group")
	m.require(hints != nil, "hints", nil, "must not be nil")
	m.require(o.Interval >= time.Second, "DriverOptions.Interval", o.Interval, "must be at least a second")
	m.require(o.Cooldown >= o.Interval, "DriverOptions.Cooldown", o.Cooldown, "must be at least Interval")
	m.require(o.MaxStepOut >= 0, "DriverOptions.MaxStepOut", o.MaxStepOut, "must not be negative")
	m.require(o.MaxStepIn >= 0, "DriverOptions.MaxStepIn", o.MaxStepIn, "must not be negative")
	m.require(o.SettleTime > 0, "DriverOptions.SettleTime", o.SettleTime, "must be greater than zero")
	m.require(o.Timeout > 0, "DriverOptions.Timeout", o.Timeout, "must be greater than zero")
	if err := m.err(); err != nil {
		return nil, err
	}
	return &Driver{api: api, group: group, hints: hints, opts: o, seen: -1}, nil
}

// Run decides now and every Interval until ctx ends, and returns the cause of that. Whatever fails leaves the capacity alone, is told in an
// event, and does not end Run. It leaves nothing running. A second call is refused with [ErrAlreadyRun].
//
// A round costs a hint and one DescribeAutoScalingGroups; one that changes the capacity one DescribeInstanceRefreshes and one
// SetDesiredCapacity more. One in which another driver leads costs nothing.
func (d *Driver) Run(ctx context.Context) error {
	if d.ran.Swap(true) {
		return ErrAlreadyRun
	}
	const maxSlowdown = 4
	pause := d.opts.Interval
	for {
		if d.round(ctx) {
			pause = d.opts.Interval
		} else {
			pause = min(2*pause, maxSlowdown*d.opts.Interval)
		}
		timer := time.NewTimer(pause*9/10 + rand.N(pause/5))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// round decides once and does what was decided. It reports whether nothing failed.
func (d *Driver) round(ctx context.Context) bool {
	if !d.leads(ctx) {
		d.past = nil // whoever leads next knows nothing of what another one saw
		return true
	}
	e := DriverEvent{DryRun: d.opts.DryRun}
	d.decide(ctx, &e)
	if changes := e.Decision.Verdict == Out || e.Decision.Verdict == In; changes && e.Err == nil && !e.DryRun {
		if !d.leads(ctx) { // the reads took their time
			d.past = nil
			return true
		}
		e.Err = d.apply(ctx, e.Decision)
		e.Applied = e.Err == nil
	}
	if ctx.Err() != nil && !e.Applied {
		return false // called off, which is no news
	}
	d.emit(ctx, e)
	return e.Err == nil
}

func (d *Driver) leads(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeout)
	defer cancel()
	return d.opts.Leader(ctx)
}

// decide reads what a decision takes, and makes it. Whether an instance refresh is under way is asked only if it matters.
func (d *Driver) decide(ctx context.Context, e *DriverEvent) {
	hint, err := askHint(ctx, d.hints, d.group, d.opts.Timeout)
	if err != nil {
		e.Err = err
		return
	}
	e.Hint = hint
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeout)
	defer cancel()
	g, err := read(ctx, d.api, d.group)
	if err != nil {
		e.Err = err
		return
	}
	s := d.situation(g, hint)
	decision := Decide(s, d.opts.Limits)
	if decision.Verdict == Out || decision.Verdict == In {
		if s.Group.Refresh, e.Err = refresh(ctx, d.api, d.group); e.Err != nil {
			return
		}
		decision = Decide(s, d.opts.Limits)
	}
	e.Decision = decision
}

// situation adds to what was read what has been seen before.
func (d *Driver) situation(g Group, hint queueworker.ScaleHint) Situation {
	now := time.Now()
	if n := len(d.past); n == 0 || now.Sub(d.past[n-1].at) > d.longestBreak() {
		d.past, d.known = nil, now
	}
	d.past = append(d.past, past{now, hint.Desired})
	for now.Sub(d.past[0].at) >= d.opts.Cooldown {
		d.past = d.past[1:]
	}
	peak := 0
	for _, p := range d.past {
		peak = max(peak, p.desired)
	}
	if d.seen >= 0 && g.Desired != d.seen && g.Desired != d.set {
		d.changed = now // by somebody else
	}
	d.seen = g.Desired
	return Situation{Now: now, Group: g, Hint: hint, Peak: peak, Known: d.known, Changed: d.changed, Set: d.set, SetAt: d.setAt}
}

// longestBreak is how long there may be no hint, as while a call is throttled, until what was known before it does not count any more.
func (d *Driver) longestBreak() time.Duration { return max(d.opts.Cooldown/4, 3*d.opts.Interval) }

// apply sets the capacity.
func (d *Driver) apply(ctx context.Context, to Decision) error {
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeout)
	defer cancel()
	in := &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: &d.group, DesiredCapacity: aws.Int32(int32(to.To))}
	if to.Verdict == In && d.opts.HonorCooldown {
		in.HonorCooldown = aws.Bool(true)
	}
	_, err := d.api.SetDesiredCapacity(ctx, in)
	if class := awserr.Of(err); class == awserr.None || class == awserr.Transient { // which may have had its effect
		d.set, d.setAt = to.To, time.Now()
		d.changed = d.setAt
	}
	if err != nil {
		return &CallError{Op: "SetDesiredCapacity", Of: d.group, Err: err}
	}
	return nil
}

// emit gives an event to the logger and to the hook.
func (d *Driver) emit(ctx context.Context, e DriverEvent) {
	e.Time = time.Now()
	level, text := slog.LevelDebug, "sqsscale: decided"
	switch {
	case e.Err != nil:
		level, text = slog.LevelWarn, "sqsscale: the capacity is left alone"
	case e.Applied:
		level, text = slog.LevelInfo, "sqsscale: the capacity is changed"
	case e.Decision.Verdict != d.told.Verdict || e.Decision.From != d.told.From || e.Decision.To != d.told.To:
		level = slog.LevelInfo
	}
	d.told = e.Decision
	attrs := []slog.Attr{slog.String("group", d.group)}
	if e.Decision.Verdict != "" {
		attrs = append(attrs, slog.String("verdict", string(e.Decision.Verdict)), slog.Int("from", e.Decision.From), slog.Int("to", e.Decision.To),
			slog.String("reason", e.Decision.Reason))
	}
	if e.DryRun {
		attrs = append(attrs, slog.Bool("dry_run", true))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	d.opts.Logger.LogAttrs(ctx, level, text, attrs...)
	tell(ctx, d.opts.Logger, d.opts.OnEvent, e)
}
