package sqssvc

import (
	"errors"
	"fmt"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
)

// Options are the limits of SQS, and what it is free to do. A zero field
// means its default.
type Options struct {
	// InFlight is how many messages of a standard queue can be in flight. A
	// receive beyond it is refused with OverLimit, unless it waits: a long
	// poll gets messages when there is room. Default 120,000, AWS's own.
	InFlight int

	// InFlightFIFO is the same for FIFO queues, where a receive beyond it
	// finds nothing. Default 120,000, AWS's own.
	InFlightFIFO int

	// CounterLag is how far the approximate numbers of messages stand behind,
	// at most [awstest.Memory]. Default none: they are exact. In AWS it takes
	// about a minute until they are.
	CounterLag time.Duration

	// Disconnect is how long SQS takes to notice that the caller of a long
	// poll has gone: given up, or lost its power or its network. Until then
	// messages that come are leased to nobody. Default 20 s, the longest
	// poll, which is never; [Immediately] asks for a service that knows at
	// once.
	Disconnect time.Duration

	// ReleasedHead hands out a message of a FIFO group that has become visible
	// again while a later one of the group is still in flight. Default false:
	// AWS documents that a group waits until none of its messages is
	// in flight. In AWS the other has been observed, too.
	ReleasedHead bool
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// apply checks the options and hands them to the model. It reports every
// mistake at once.
func (o *Options) apply(to *sqsmodel.Options) error {
	var errs []error
	bad := func(field string, value any, rule string) {
		errs = append(errs, &awstest.FieldError{Field: "sqssvc.Options." + field, Value: value, Rule: rule})
	}
	limit := func(field string, n int, to *int) {
		switch {
		case n < 0:
			bad(field, n, "must not be negative")
		case n > 0:
			*to = n
		}
	}
	limit("InFlight", o.InFlight, &to.InFlight)
	limit("InFlightFIFO", o.InFlightFIFO, &to.InFlightFIFO)
	if o.CounterLag < 0 || o.CounterLag > awstest.Memory {
		bad("CounterLag", o.CounterLag, fmt.Sprintf("must be from 0 to awstest.Memory (%v)", awstest.Memory))
	}
	to.CounterLag = o.CounterLag
	switch {
	case o.Disconnect == Immediately:
		to.Disconnect = 0
	case o.Disconnect < 0:
		bad("Disconnect", o.Disconnect, "must not be negative; Immediately asks for none")
	case o.Disconnect > 0:
		to.Disconnect = o.Disconnect
	}
	to.ReleasedHead = o.ReleasedHead
	return errors.Join(errs...)
}
