package ec2svc

import (
	"errors"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// Options are the durations and limits of EC2. A zero field means its
// default; [Immediately] asks for a transition that takes no time.
type Options struct {
	// Pending is from a launch or start until the instance is running.
	// Default 15 s.
	Pending time.Duration

	// Stopping is from a stop until the instance is stopped. Default 30 s.
	Stopping time.Duration

	// ShuttingDown is from a termination until the instance is terminated.
	// Default 30 s.
	ShuttingDown time.Duration

	// StatusCheck is how long status checks say "initializing" after a start,
	// and how long they take to notice that a machine has failed or come
	// back. Default 2 minutes.
	StatusCheck time.Duration

	// AddressQuota is how many Elastic IP addresses a region allows.
	// Default 5, AWS's own.
	AddressQuota int
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// apply checks the options and hands them to the model. It reports every
// mistake at once.
func (o *Options) apply(to *ec2model.Options) error {
	var errs []error
	bad := func(field string, value any, rule string) {
		errs = append(errs, &awstest.FieldError{Field: "ec2svc.Options." + field, Value: value, Rule: rule})
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
	set("Pending", o.Pending, &to.Pending)
	set("Stopping", o.Stopping, &to.Stopping)
	set("ShuttingDown", o.ShuttingDown, &to.ShuttingDown)
	set("StatusCheck", o.StatusCheck, &to.StatusCheck)
	switch {
	case o.AddressQuota < 0:
		bad("AddressQuota", o.AddressQuota, "must not be negative")
	case o.AddressQuota > 0:
		to.AddressQuota = o.AddressQuota
	}
	return errors.Join(errs...)
}
