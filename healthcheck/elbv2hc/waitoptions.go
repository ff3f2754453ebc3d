package elbv2hc

import (
	"errors"
	"fmt"
	"time"

	"github.com/awsha/awsha/internal/retry"
)

// None is the value for a duration that shall be nothing at all where zero means the default.
const None time.Duration = -1

// WaitOptions configure WaitInService and WaitDrained. The zero value of each field means its default.
type WaitOptions struct {
	// Timeout is how long to wait in all; the last read begins no later. Default 10 minutes.
	Timeout time.Duration

	// PollInterval is the pause after the first read. It grows by half each time, to MaxPollInterval; both have 20 % of
	// jitter. Each read is one call, whatever the number of targets. At least 1 ms. Defaults 1 s and 5 s.
	PollInterval, MaxPollInterval time.Duration

	// CallTimeout bounds each call, with the retries of the SDK inside it. Default 10 s.
	CallTimeout time.Duration

	// RegistrationLag is for how long reads may show the past: for WaitInService, targets that are not registered, or drain;
	// for WaitDrained, targets that are registered. Both count from the call, so make it after that of RegisterTargets or
	// DeregisterTargets. Default 30 s; None believes the first read.
	RegistrationLag time.Duration

	// ReadLag is for how long every read must have shown a target as unusable before that is believed: a listener that was
	// made a moment ago may not show yet. After RegistrationLag the same holds for one that is read as missing, or as
	// registered again. Default 5 s; None believes one read.
	ReadLag time.Duration

	// AtLeast is the least time that WaitDrained takes; WaitInService does not look at it. A Network Load Balancer may open new
	// connections to a target for some time after its deregistration: give it 2 minutes before the target stops, whatever the
	// delay of the group. Zero is none.
	AtLeast time.Duration

	// OnPoll is called with the targets that are waited for after each read that did not end the wait. It must return at once.
	OnPoll func(waiting []Health)
}

func waitOptions(optFns []func(*WaitOptions)) (WaitOptions, []error) {
	var o WaitOptions
	for _, fn := range optFns {
		fn(&o)
	}
	var errs []error
	duration(&errs, "WaitOptions.Timeout", &o.Timeout, 10*time.Minute)
	duration(&errs, "WaitOptions.PollInterval", &o.PollInterval, time.Second)
	atLeastTick(&errs, "WaitOptions.PollInterval", o.PollInterval)
	duration(&errs, "WaitOptions.MaxPollInterval", &o.MaxPollInterval, max(5*time.Second, o.PollInterval))
	duration(&errs, "WaitOptions.CallTimeout", &o.CallTimeout, 10*time.Second)
	optional(&errs, "WaitOptions.RegistrationLag", &o.RegistrationLag, 30*time.Second)
	optional(&errs, "WaitOptions.ReadLag", &o.ReadLag, 5*time.Second)
	duration(&errs, "WaitOptions.AtLeast", &o.AtLeast, 0)
	if o.PollInterval > o.MaxPollInterval && o.MaxPollInterval > 0 {
		errs = append(errs, &FieldError{
			"WaitOptions.MaxPollInterval", o.MaxPollInterval, fmt.Sprintf("must not be less than PollInterval (%v)", o.PollInterval),
		})
	}
	if o.AtLeast > o.Timeout && o.Timeout > 0 {
		errs = append(errs, &FieldError{"WaitOptions.AtLeast", o.AtLeast, fmt.Sprintf("must not exceed Timeout (%v)", o.Timeout)})
	}
	return o, errs
}

// duration puts the default in the place of zero and refuses negative values.
func duration(errs *[]error, field string, d *time.Duration, def time.Duration) {
	switch {
	case *d == 0:
		*d = def
	case *d < 0:
		*errs = append(*errs, &FieldError{field, *d, "must not be negative"})
	}
}

// atLeastTick refuses intervals between calls that nobody means and that throttle a whole account: 10 is 10 ns.
func atLeastTick(errs *[]error, field string, d time.Duration) {
	if d > 0 && d < time.Millisecond {
		*errs = append(*errs, &FieldError{field, d, "must be at least 1ms"})
	}
}

// optional is duration for what can be None.
func optional(errs *[]error, field string, d *time.Duration, def time.Duration) {
	if *d == None {
		*d = 0
		return
	}
	if *d < 0 {
		*errs = append(*errs, &FieldError{field, *d, "must not be negative, unless it is None"})
		return
	}
	duration(errs, field, d, def)
}

func (o *WaitOptions) polling() retry.Policy {
	return retry.Policy{First: o.PollInterval, Max: o.MaxPollInterval, Growth: 1.5, Jitter: 0.2}
}

// joined returns all mistakes as one error, or nil.
func joined(errs []error) error { return errors.Join(errs...) }
