package autoscalingsvc

import (
	"errors"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
)

// Options are the durations and limits of Auto Scaling. AWS promises none of
// the times. A zero field means its default; [Immediately] asks for none.
type Options struct {
	// Reaction is from a change to a group until Auto Scaling acts on it.
	// Default 5 s.
	Reaction time.Duration

	// Transition is from one lifecycle state to the next where nothing else is
	// waited for. Default 1 s.
	Transition time.Duration

	// HealthChecks is how long Auto Scaling takes to see what has happened to
	// the health of an instance. Default 15 s.
	HealthChecks time.Duration

	// Impaired is how long Auto Scaling lets failed EC2 status checks pass,
	// "a few minutes" as the guide has it. Default 3 minutes.
	Impaired time.Duration

	// LaunchTimeout is how long an instance may be pending before its launch
	// is given up. Default 10 minutes.
	LaunchTimeout time.Duration

	// Retry is from a launch that failed for want of capacity to the next try
	// in that zone. It doubles with each failure, up to RetryMax. Default 30 s
	// and 10 minutes.
	Retry, RetryMax time.Duration

	// GroupQuota is how many groups a region allows. Default 200, AWS's own.
	GroupQuota int
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// apply checks the options and hands them to the model. It reports every
// mistake at once.
func (o *Options) apply(to *asgmodel.Options) error {
	var errs []error
	bad := func(field string, value any, rule string) {
		errs = append(errs, &awstest.FieldError{Field: "autoscalingsvc.Options." + field, Value: value, Rule: rule})
	}
	set := func(field string, d time.Duration, to *time.Duration) {
		switch {
		case d == Immediately:
			*to = 0
		case d < 0:
			bad(field, d, "must not be negative; Immediately asks for none")
		case d > 0:
			*to = d
		}
	}
	set("Reaction", o.Reaction, &to.Reaction)
	set("Transition", o.Transition, &to.Transition)
	set("HealthChecks", o.HealthChecks, &to.HealthChecks)
	set("Impaired", o.Impaired, &to.Impaired)
	for _, f := range []struct {
		field string
		d     time.Duration
		to    *time.Duration
	}{
		{"LaunchTimeout", o.LaunchTimeout, &to.LaunchTimeout},
		{"Retry", o.Retry, &to.Retry},
		{"RetryMax", o.RetryMax, &to.RetryMax},
	} {
		if f.d < 0 { // without a pause, what cannot succeed would be tried for ever at one instant
			bad(f.field, f.d, "must be positive")
		} else if f.d > 0 {
			*f.to = f.d
		}
	}
	if to.RetryMax < to.Retry {
		bad("RetryMax", to.RetryMax, "must not be less than Retry, "+to.Retry.String())
	}
	switch {
	case o.GroupQuota < 0:
		bad("GroupQuota", o.GroupQuota, "must not be negative")
	case o.GroupQuota > 0:
		to.GroupQuota = o.GroupQuota
	}
	return errors.Join(errs...)
}
