package elbv2hc

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

// FollowOptions configure a [Follower]. The zero value of each field means its default.
type FollowOptions struct {
	// Interval is the time from one read of the group to the next, with 10 % of jitter: one call, however many targets there
	// are. DescribeTargetHealth is throttled for the whole account and Region; AWS does not say at which rate.
	// At least 1 ms. Default 10 s.
	Interval time.Duration

	// MaxInterval is how far Interval grows, by doubling, while reads are throttled or fail. Default 1 minute, or Interval
	// if that is longer.
	MaxInterval time.Duration

	// CallTimeout bounds each call, with the retries of the SDK inside it. Default 10 s.
	CallTimeout time.Duration

	// StaleAfter is the age at which a read no longer counts: from then on checks are Unknown, for ErrStale. It must be
	// greater than Interval. Default three times Interval and CallTimeout.
	StaleAfter time.Duration

	// Anomalies asks for the results of anomaly detection, which Application Load Balancers have.
	Anomalies bool

	// TargetOf says which registration a target of the pool is. Without a port it is all registrations of the ID.
	// Default TargetOf.
	TargetOf func(healthcheck.Target) Target

	// Outcome says what the health of a registration means to the pool. Default Health.Outcome.
	Outcome func(Health) healthcheck.Outcome

	// Logger gets a warning when reads begin to fail, and an info when they succeed again. Its handler must not panic. Nil is silent.
	Logger *slog.Logger
}

func followOptions(optFns []func(*FollowOptions)) (FollowOptions, []error) {
	var o FollowOptions
	for _, fn := range optFns {
		fn(&o)
	}
	var errs []error
	duration(&errs, "FollowOptions.Interval", &o.Interval, 10*time.Second)
	atLeastTick(&errs, "FollowOptions.Interval", o.Interval)
	duration(&errs, "FollowOptions.MaxInterval", &o.MaxInterval, max(time.Minute, o.Interval))
	duration(&errs, "FollowOptions.CallTimeout", &o.CallTimeout, 10*time.Second)
	duration(&errs, "FollowOptions.StaleAfter", &o.StaleAfter, 3*o.Interval+o.CallTimeout)
	if o.Interval > o.MaxInterval && o.MaxInterval > 0 {
		errs = append(errs, &FieldError{
			"FollowOptions.MaxInterval", o.MaxInterval, fmt.Sprintf("must not be less than Interval (%v)", o.Interval),
		})
	}
	if o.StaleAfter <= o.Interval && o.StaleAfter > 0 && o.Interval > 0 {
		errs = append(errs, &FieldError{
			"FollowOptions.StaleAfter", o.StaleAfter, fmt.Sprintf("must be greater than Interval (%v)", o.Interval),
		})
	}
	if o.TargetOf == nil {
		o.TargetOf = TargetOf
	}
	if o.Outcome == nil {
		o.Outcome = Health.Outcome
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, errs
}
