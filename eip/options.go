package eip

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/awsha/awsha/internal/retry"
)

// Options configure a [Remapper]. Every zero value means the default that its comment names.
type Options struct {
	// CallTimeout bounds each call to EC2, with the retries of the SDK inside it. Default 10 s. The SDK's own HTTP
	// client waits for a reply without limit.
	CallTimeout time.Duration

	// RetryTimeout is how long one step (a read, the disassociation, the association) is tried again while EC2 throttles,
	// fails, or reports that the target is still pending. Default 1 minute.
	RetryTimeout time.Duration

	// ReadLag is how long reads must agree before they are believed against a call that was made: that an association
	// whose reply was lost was not applied, or that an association nobody here has seen before is newer than our own. It
	// is also how long what may be a lag is read again before it is refused: a target that EC2 does not know yet, or that
	// holds another address, or an owner that is not the one expected; and how long EC2 may go on refusing an associate for
	// the sake of the association that it has just ended. Default 5 s, but at most VerifyTimeout,
	// which it must not exceed.
	ReadLag time.Duration

	// VerifyTimeout is how long reads may take to show the new association; after it Remap returns [ErrUnverified].
	// Default 1 minute.
	VerifyTimeout time.Duration

	// PollInterval is the pause between such reads, at first; it grows by half each time, to MaxPollInterval. Both with
	// 20 % of jitter. Defaults 200 ms and 2 s.
	PollInterval, MaxPollInterval time.Duration

	// ProbeTimeout is how long Request.Probe may take to succeed. Default 1 minute; users have seen traffic follow an
	// association by 20 s.
	ProbeTimeout time.Duration

	// MaxInFlight is how many moves of one RemapAll are between their first and their last change at any time. Default 10.
	MaxInFlight int

	// Logger receives every event: failures and retries as warnings, lagging reads for debugging. Nil is silent.
	Logger *slog.Logger

	// OnEvent is called synchronously with every event, concurrently if Remap is. It must return at once: the move waits
	// for it. A panic in it is recovered and logged. Nil means nobody listens.
	OnEvent func(context.Context, Event)
}

// polling is the shape of the pauses between reads.
func (o *Options) polling() retry.Policy {
	return retry.Policy{First: o.PollInterval, Max: o.MaxPollInterval, Growth: 1.5, Jitter: 0.2}
}

// complete fills in the defaults and reports every mistake.
func (o *Options) complete(api API) error {
	var errs []error
	if api == nil {
		errs = append(errs, &FieldError{"api", "nil", "must be an EC2 client"})
	}
	durations := []struct {
		field string
		value *time.Duration
		def   time.Duration
	}{
		{"Options.CallTimeout", &o.CallTimeout, 10 * time.Second},
		{"Options.RetryTimeout", &o.RetryTimeout, time.Minute},
		{"Options.VerifyTimeout", &o.VerifyTimeout, time.Minute},
		{"Options.ReadLag", &o.ReadLag, 0},
		{"Options.ProbeTimeout", &o.ProbeTimeout, time.Minute},
		{"Options.PollInterval", &o.PollInterval, 200 * time.Millisecond},
		{"Options.MaxPollInterval", &o.MaxPollInterval, 0},
	}
	for _, d := range durations {
		switch {
		case *d.value < 0:
			errs = append(errs, &FieldError{d.field, *d.value, "must not be negative"})
		case *d.value == 0:
			*d.value = d.def
		}
	}
	// These two depend on others.
	if o.ReadLag == 0 {
		o.ReadLag = min(5*time.Second, o.VerifyTimeout)
	}
	if o.MaxPollInterval == 0 {
		o.MaxPollInterval = max(2*time.Second, o.PollInterval)
	}
	if o.VerifyTimeout > 0 && o.ReadLag > o.VerifyTimeout {
		rule := "must not exceed VerifyTimeout, which is " + o.VerifyTimeout.String()
		errs = append(errs, &FieldError{"Options.ReadLag", o.ReadLag, rule})
	}
	if o.MaxPollInterval > 0 && o.MaxPollInterval < o.PollInterval {
		rule := "must not be less than PollInterval, which is " + o.PollInterval.String()
		errs = append(errs, &FieldError{"Options.MaxPollInterval", o.MaxPollInterval, rule})
	}
	switch {
	case o.MaxInFlight < 0:
		errs = append(errs, &FieldError{"Options.MaxInFlight", o.MaxInFlight, "must not be negative"})
	case o.MaxInFlight == 0:
		o.MaxInFlight = 10
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}
