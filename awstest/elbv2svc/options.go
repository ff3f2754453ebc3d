package elbv2svc

import (
	"errors"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

// Options are the durations of Elastic Load Balancing. A zero field means its
// default; [Immediately] asks for none.
type Options struct {
	// Provisioning is from the creation of a load balancer until it is
	// active, forwards and checks targets. Default 2 minutes.
	Provisioning time.Duration

	// Registration is from the registration of a target with an active load
	// balancer until its first health check. Default 5 s.
	Registration time.Duration
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// apply checks the options and hands them to the model. It reports every
// mistake at once.
func (o *Options) apply(to *elbmodel.Options) error {
	var errs []error
	set := func(field string, d time.Duration, to *time.Duration) {
		switch {
		case d == Immediately:
			*to = 0
		case d < 0:
			errs = append(errs, &awstest.FieldError{Field: "elbv2svc.Options." + field, Value: d, Rule: "must not be negative; Immediately asks for none"})
		case d > 0:
			*to = d
		}
	}
	set("Provisioning", o.Provisioning, &to.Provisioning)
	set("Registration", o.Registration, &to.Registration)
	return errors.Join(errs...)
}
