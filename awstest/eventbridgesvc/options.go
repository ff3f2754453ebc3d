package eventbridgesvc

import (
	"errors"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ebmodel"
)

// Options are the delays of EventBridge. Zero is none. AWS promises none of
// them; it says of its own events that they come in near real time.
type Options struct {
	// Delay is from an event to its delivery.
	Delay time.Duration

	// Spread is what comes on top of Delay at most, drawn for each delivery,
	// so that events overtake each other: AWS promises no order. Runs repeat.
	Spread time.Duration

	// Effect is from a change of a rule or its targets until events feel it,
	// at most [awstest.Memory]: the API reference says "a short period of
	// time".
	Effect time.Duration
}

// apply checks the options and hands them to the model. It reports every
// mistake at once.
func (o *Options) apply(to *ebmodel.Options) error {
	var errs []error
	set := func(field string, d time.Duration, to *time.Duration) {
		if d < 0 {
			errs = append(errs, &awstest.FieldError{Field: "eventbridgesvc.Options." + field, Value: d, Rule: "must not be negative"})
			return
		}
		*to = d
	}
	set("Delay", o.Delay, &to.Delay)
	set("Spread", o.Spread, &to.Spread)
	set("Effect", o.Effect, &to.Effect)
	if o.Effect > awstest.Memory {
		errs = append(errs, &awstest.FieldError{Field: "eventbridgesvc.Options.Effect", Value: o.Effect, Rule: "must be at most " + awstest.Memory.String()})
	}
	return errors.Join(errs...)
}
