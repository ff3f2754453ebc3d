package ec2svc

import (
	"errors"
	"fmt"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// Options are the durations, limits and Local Zones of EC2. A zero field means
// its default; [Immediately] asks for a transition that takes no time.
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

	// LocalZones are the names of the Local Zones that the account has opted
	// in to, such as us-east-1-bos-1a. Default none. The network border group
	// of a zone is its name without the letter.
	//
	// Each has a subnet in the default VPC, which is no default subnet: a
	// launch must name it. An account would have to create it first. Like an
	// Availability Zone, the zone can fail, see [awstest.Cloud.Zone]; its ID
	// has the form use1-bos1-az1. A region has room for as many as make 16
	// together with its Availability Zones.
	LocalZones []string
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

// addLocalZones reports every mistake at once.
func (o *Options) addLocalZones(r *awstest.Registry, model *ec2model.Model) error {
	var errs []error
	for i, name := range o.LocalZones {
		field := fmt.Sprintf("ec2svc.Options.LocalZones[%d]", i)
		z, err := r.AddLocalZone(name)
		var mistake *awstest.FieldError
		switch {
		case errors.As(err, &mistake):
			errs = append(errs, &awstest.FieldError{Field: field, Value: mistake.Value, Rule: mistake.Rule})
		case err != nil:
			errs = append(errs, err)
		case !model.AddLocalZone(z):
			errs = append(errs, &awstest.FieldError{Field: field, Value: fmt.Sprintf("%q", name), Rule: "has no room for its subnet in the default VPC"})
		}
	}
	return errors.Join(errs...)
}
