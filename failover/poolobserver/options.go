package poolobserver

import (
	"errors"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/healthcheck"
)

// Options configure an [Observer]. Every zero value means the default that its comment names.
type Options struct {
	// Select takes the targets that make the service. It is called for each target in each look. Nil takes all.
	Select func(s healthcheck.Status) bool

	// MinHealthy and MinPercent are how many of them must be healthy, at least, and how many percent of those that count. Defaults 1 and 0.
	MinHealthy, MinPercent int

	// MaxAge is how old the last check of a target may be that told whether it is healthy: an older one says nothing any more. It must be longer than the longest interval of the pool. Default 2 minutes.
	MaxAge time.Duration
}

func (o *Options) complete() error {
	var errs []error
	if o.MinHealthy < 0 {
		errs = append(errs, &failover.FieldError{Field: "Options.MinHealthy", Value: o.MinHealthy, Rule: "must not be negative"})
	}
	if o.MinPercent < 0 || o.MinPercent > 100 {
		errs = append(errs, &failover.FieldError{Field: "Options.MinPercent", Value: o.MinPercent, Rule: "must be from 0 to 100"})
	}
	if o.MaxAge < 0 {
		errs = append(errs, &failover.FieldError{Field: "Options.MaxAge", Value: o.MaxAge, Rule: "must not be negative"})
	}
	if o.Select == nil {
		o.Select = func(healthcheck.Status) bool { return true }
	}
	if o.MinHealthy == 0 {
		o.MinHealthy = 1
	}
	if o.MaxAge == 0 {
		o.MaxAge = 2 * time.Minute
	}
	return errors.Join(errs...)
}
