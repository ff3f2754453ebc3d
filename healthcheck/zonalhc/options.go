package zonalhc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"
	"unicode/utf8"
)

// Limits bound what a plan may do. The zero value of each field means its default.
type Limits struct {
	// Expiry is how long a shift holds unless it is extended: whole minutes, from 1 minute to 72 hours. Required of a
	// Shifter.
	Expiry time.Duration

	// BadPercent is from which share of its registered targets being unhealthy on a zone is bad, 1 to 100. Default 50.
	BadPercent int

	// WellPercent is up to which share of them being unhealthy a zone is well, if it has a healthy one, 0 to less than
	// BadPercent. Default 10, or less if BadPercent asks for it; None is 0. Between the two it is neither.
	WellPercent int

	// MinTargets is how many registered targets a zone must have to be called bad: one alone tells of itself. Default 2.
	MinTargets int

	// MinHealthy and MinHealthyPercent are what the other zones must have for the traffic to be shifted there: so many
	// healthy targets, and so many percent of all that are registered, those of the bad zone included. Defaults 1 and 50.
	// With three zones that are provisioned such that any two of them carry everything, give 60.
	MinHealthy, MinHealthyPercent int

	// BadFor is how long a zone must be bad, and be the only one, with others that can carry its traffic, before a shift is
	// started. Default 1 minute.
	BadFor time.Duration

	// Cancel ends the own shift as soon as the zone has been well for WellFor. Default is to let it expire, so that
	// a human decides. A zone that is well to the pool may be bad to others yet.
	Cancel bool

	// WellFor is how long a zone must be well. Default 15 minutes.
	WellFor time.Duration

	// Extend sets the expiry anew, to Expiry from then on, ExtendBefore the own shift ends, if the zone is still bad and the
	// others can still carry it. Default is not to.
	Extend bool

	// ExtendBefore is how long before the end that is: several Intervals, so that a round comes in time. Default a quarter of
	// Expiry.
	ExtendBefore time.Duration

	// MaxDuration is how long a shift may hold in all with its extensions, at least Expiry: the last one is shorter. Default
	// 72 hours.
	MaxDuration time.Duration
}

// None is the value of WellPercent for 0.
const None = -1

// Options configure a [Shifter] or an [Adviser]. The zero value of each field means its default.
type Options struct {
	Limits

	// Comment is the comment of the shift, of 1 to 128 characters. It is how a Shifter knows its own shift after a
	// restart: Shifters with the same comment share their shifts, and whoever changes the comment takes the shift over.
	// Required of a Shifter.
	Comment string

	// ZoneIDs maps the pool's zones to their IDs, such as "us-east-1a" to "use1-az2", which is another one in each
	// account. Zones that are not in it are unknown. Nil is for pools whose zones are IDs already.
	ZoneIDs map[string]string

	// Interval is the time between rounds while a zone is bad or the own shift is active. Without that there are no rounds.
	// It grows to eight times while calls fail. Default 15 s, at least 1 s.
	Interval time.Duration

	// SettleTime is how long the own shift is believed to be there, or to be gone, whatever reads show, which can be
	// behind. Default 1 minute.
	SettleTime time.Duration

	// CallTimeout bounds each call, with the SDK's retries inside it. Default 10 s.
	CallTimeout time.Duration

	// DryRun tells what is to be done, and does nothing.
	DryRun bool

	// OnEvent is called with each event, one at a time, by Run, which waits for it. A panic in it is recovered and logged.
	OnEvent func(context.Context, Event)

	// Logger gets what is done, advised and what fails at Warn, other decisions at Info. Nil is silent.
	Logger *slog.Logger
}

const (
	defaultBadPercent        = 50
	defaultWellPercent       = 10
	defaultMinTargets        = 2
	defaultMinHealthy        = 1
	defaultMinHealthyPercent = 50
	defaultBadFor            = time.Minute
	defaultWellFor           = 15 * time.Minute
	defaultMaxDuration       = maxExpiry
	defaultInterval          = 15 * time.Second
	defaultSettleTime        = time.Minute
	defaultCallTimeout       = 10 * time.Second

	// Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html (read 2026-11)
	maxExpiry  = 72 * time.Hour
	maxComment = 128
)

func (l Limits) withDefaults() Limits {
	orDefault(&l.BadPercent, defaultBadPercent)
	switch l.WellPercent {
	case 0:
		l.WellPercent = min(defaultWellPercent, l.BadPercent-1)
	case None:
		l.WellPercent = 0
	}
	orDefault(&l.MinTargets, defaultMinTargets)
	orDefault(&l.MinHealthy, defaultMinHealthy)
	orDefault(&l.MinHealthyPercent, defaultMinHealthyPercent)
	orDefault(&l.BadFor, defaultBadFor)
	orDefault(&l.WellFor, defaultWellFor)
	orDefault(&l.ExtendBefore, l.Expiry/4)
	orDefault(&l.MaxDuration, defaultMaxDuration)
	return l
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// complete fills in the defaults and reports every mistake. An adviser needs no shift to be described.
func (o *Options) complete(adviser bool) error {
	l := o.withDefaults() // those that were given stay as they are, for Plan
	orDefault(&o.Interval, defaultInterval)
	orDefault(&o.SettleTime, defaultSettleTime)
	orDefault(&o.CallTimeout, defaultCallTimeout)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.ZoneIDs = maps.Clone(o.ZoneIDs)

	var errs []error
	require := func(ok bool, field string, value any, rule string, args ...any) {
		if !ok {
			errs = append(errs, &FieldError{Field: "Options." + field, Value: value, Rule: fmt.Sprintf(rule, args...)})
		}
	}
	percent := func(field string, n int) { require(1 <= n && n <= 100, field, n, "must be from 1 to 100") }
	positive := func(field string, d time.Duration) { require(d > 0, field, d, "must not be negative") }
	if !adviser {
		require(time.Minute <= l.Expiry && l.Expiry <= maxExpiry && l.Expiry%time.Minute == 0,
			"Expiry", l.Expiry, "must be given, in whole minutes from 1m0s to %v", maxExpiry)
		n := utf8.RuneCountInString(o.Comment)
		require(1 <= n && n <= maxComment, "Comment", o.Comment, "must have from 1 to %d characters", maxComment)
		require(0 <= l.ExtendBefore && l.ExtendBefore < max(l.Expiry, 1), "ExtendBefore", l.ExtendBefore, "must be less than Expiry (%v)", l.Expiry)
		require(l.Expiry <= l.MaxDuration, "MaxDuration", l.MaxDuration, "must be at least Expiry (%v)", l.Expiry)
	}
	percent("BadPercent", l.BadPercent)
	require(0 <= l.WellPercent && l.WellPercent < max(l.BadPercent, 1), "WellPercent", l.WellPercent, "must be from 0 to less than BadPercent (%d)", l.BadPercent)
	require(l.MinTargets >= 1, "MinTargets", l.MinTargets, "must be at least 1")
	require(l.MinHealthy >= 1, "MinHealthy", l.MinHealthy, "must be at least 1")
	percent("MinHealthyPercent", l.MinHealthyPercent)
	positive("BadFor", l.BadFor)
	positive("WellFor", l.WellFor)
	require(o.Interval >= time.Second, "Interval", o.Interval, "must be at least 1s")
	positive("SettleTime", o.SettleTime)
	positive("CallTimeout", o.CallTimeout)
	ids := make(map[string]string, len(o.ZoneIDs))
	for name, id := range o.ZoneIDs {
		require(id != "", "ZoneIDs", name, "must not map to an empty ID")
		other, twice := ids[id]
		require(!twice || id == "", "ZoneIDs", max(name, other), "must not map to the ID of another zone")
		ids[id] = name
	}
	return errors.Join(errs...)
}
