package asghc

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// Limits bound what a plan may do. The zero value of each field means its default.
type Limits struct {
	// MinUnhealthy is how long a target must have been unhealthy, without a break, before its instance is marked. Nothing
	// is marked for as long after Run has begun, so that what an earlier one has done is seen first, and after the
	// pool could not be believed: targets that recover together do not become healthy together. Default 1 minute.
	MinUnhealthy time.Duration

	// MaxInFlightPercent is how much of a group may be missing at a time, of its desired capacity and rounded down, but
	// always one instance, 1 to 100. Default 10, which is what Auto Scaling itself does for health checks of load balancers.
	MaxInFlightPercent int

	// MinHealthyPercent is how much of the pool must be healthy, of the registered targets: with less nothing is marked.
	// Many that fail at once have a cause that new instances do not mend. 1 to 100, default 50; None is no such rule.
	MinHealthyPercent int

	// SettleTime is how long an instance counts as marked after a call that has succeeded, or may have, whatever
	// describes show, which can be behind. If it is healthy to them after that, it is marked again. Default 1 minute.
	SettleTime time.Duration

	// RetryGrace is the time until an instance is tried again that was refused, for its grace period or otherwise, but for want
	// of permission. Others have their turn meanwhile. Default 1 minute.
	RetryGrace time.Duration

	// KeepProtected leaves instances alone that are protected from scale-in. By default they are marked like all
	// others, as that protection is none against health checks for Auto Scaling.
	// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-instance-protection.html (read 2026-11)
	KeepProtected bool
}

// None is the value of MinHealthyPercent for no such rule.
const None = -1

// Options configure a [Replacer]. The zero value of each field means its default.
type Options struct {
	Limits

	// Groups are the names of the Auto Scaling groups whose instances may be marked. Empty means those of the instances
	// that are to be marked, which costs a call more.
	Groups []string

	// InstanceID maps a target to the ID of its instance; false leaves the target alone. Several targets may be of one
	// instance: it is enough that one of them is unhealthy. Default: the target's ID if that begins with "i-".
	InstanceID func(healthcheck.Target) (string, bool)

	// ShiftedZones returns the zones that the groups, or the load balancers in front of them, are shifted away from
	// beside the pool, by name or by ID, such as zonalhc.ShiftedZones does from ARC. Instances there are left alone.
	// While it fails nothing is marked. It is called at most once a round, and must end when its context does, which it
	// does after CallTimeout. Nil is none.
	ShiftedZones func(context.Context) ([]string, error)

	// Interval is the time between rounds while a target is unhealthy. Each reads the groups once, unless nothing is to be
	// marked by what the pool says. It grows to eight times while calls fail. Without an unhealthy target there are no
	// rounds. Default 15 s, at least 1 s.
	Interval time.Duration

	// CallTimeout bounds each call, with the SDK's retries inside it. Default 10 s.
	CallTimeout time.Duration

	// DryRun decides, tells, and marks nothing. It needs no permission but to read.
	DryRun bool

	// OnEvent is called with each event, one at a time, by Run, which waits for it. A panic in it is recovered and logged.
	OnEvent func(context.Context, Event)

	// Logger gets what is marked and what fails at Warn, other decisions at Info. Nil is silent.
	Logger *slog.Logger
}

const (
	defaultMinUnhealthy       = time.Minute
	defaultMaxInFlightPercent = 10
	defaultMinHealthyPercent  = 50
	defaultSettleTime         = time.Minute
	defaultRetryGrace         = time.Minute
	defaultInterval           = 15 * time.Second
	defaultCallTimeout        = 10 * time.Second
)

func (l Limits) withDefaults() Limits {
	orDefault(&l.MinUnhealthy, defaultMinUnhealthy)
	orDefault(&l.MaxInFlightPercent, defaultMaxInFlightPercent)
	orDefault(&l.MinHealthyPercent, defaultMinHealthyPercent)
	orDefault(&l.SettleTime, defaultSettleTime)
	orDefault(&l.RetryGrace, defaultRetryGrace)
	return l
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// complete fills in the defaults and reports every mistake.
func (o *Options) complete() error {
	o.Limits = o.withDefaults()
	orDefault(&o.Interval, defaultInterval)
	orDefault(&o.CallTimeout, defaultCallTimeout)
	if o.InstanceID == nil {
		o.InstanceID = ownID
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Groups = slices.Clone(o.Groups)

	var errs []error
	require := func(ok bool, field string, value any, rule string) {
		if !ok {
			errs = append(errs, &FieldError{Field: "Options." + field, Value: value, Rule: rule})
		}
	}
	percent := func(field string, n int) { require(1 <= n && n <= 100, field, n, "must be from 1 to 100") }
	require(o.MinUnhealthy > 0, "MinUnhealthy", o.MinUnhealthy, "must not be negative")
	percent("MaxInFlightPercent", o.MaxInFlightPercent)
	if o.MinHealthyPercent != None {
		percent("MinHealthyPercent", o.MinHealthyPercent)
	}
	require(o.SettleTime > 0, "SettleTime", o.SettleTime, "must not be negative")
	require(o.RetryGrace > 0, "RetryGrace", o.RetryGrace, "must not be negative")
	require(o.Interval >= time.Second, "Interval", o.Interval, "must be at least 1s")
	require(o.CallTimeout > 0, "CallTimeout", o.CallTimeout, "must not be negative")
	require(!slices.Contains(o.Groups, ""), "Groups", o.Groups, "must not have an empty name")
	return errors.Join(errs...)
}

// ownID takes the ID of a target for that of its instance.
func ownID(t healthcheck.Target) (string, bool) { return t.ID, strings.HasPrefix(t.ID, "i-") }
