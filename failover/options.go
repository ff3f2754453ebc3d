package failover

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Options configure an [Engine]. Every zero value means the default that its comment names.
type Options struct {
	// StepTimeout bounds a step from its start to its outcome, retries and polls included,
	// unless the step has a timeout of its own (see [Timeouter]). Default 10 minutes.
	StepTimeout time.Duration

	// PollInterval is the time between reads of a step that is in progress or in doubt, with 10 % of jitter. Default 1 s.
	PollInterval time.Duration

	// ReadLag is how far a Check's reads may lag behind effects. A step in doubt (Do was called, or may have been called,
	// and did not return nil) must read NotDone for this long before Do is called again. Default 2 s.
	ReadLag time.Duration

	// RetryBase and RetryMax bound the pauses after errors of Check, Do, Undo and the journal: drawn evenly from
	// 0 to a limit that starts at RetryBase and doubles up to RetryMax. Defaults 200 ms and 5 s. Errors of AWS that ask for others get
	// them: after a throttle 1 s, doubling up to 10 s, with a jitter of all of it; while a resource is not ready, an even second.
	RetryBase, RetryMax time.Duration

	// Limits are how many steps of each API (see [StepFuncs.API]) may be in Check, Do or Undo at once, over all executions of the engine. Default 16 for an
	// API that is not named.
	Limits map[string]int

	// MaxAttempts is how often one execution calls Do of a step whose Check keeps answering NotDone.
	// Zero means as often as the step's timeout allows.
	MaxAttempts int

	// Logger receives every event; retries and failures as warnings. Nil is silent.
	Logger *slog.Logger

	// OnEvent is called synchronously with every event, by several goroutines at once. It must return at once: the step
	// that the event is about waits for it. A panic in it is recovered and logged. Nil means nobody listens.
	OnEvent func(context.Context, Event)
}

// complete fills in the defaults and reports every mistake.
func (o *Options) complete() error {
	var errs []error
	notNegative(&errs, "Options.StepTimeout", o.StepTimeout)
	notNegative(&errs, "Options.PollInterval", o.PollInterval)
	notNegative(&errs, "Options.ReadLag", o.ReadLag)
	notNegative(&errs, "Options.RetryBase", o.RetryBase)
	notNegative(&errs, "Options.RetryMax", o.RetryMax)
	notNegative(&errs, "Options.MaxAttempts", o.MaxAttempts)
	for _, api := range slices.Sorted(maps.Keys(o.Limits)) {
		if n := o.Limits[api]; n < 1 {
			errs = append(errs, &FieldError{"Options.Limits[" + api + "]", n, "must be at least 1"})
		}
	}
	o.Limits = maps.Clone(o.Limits)
	orDefault(&o.StepTimeout, 10*time.Minute)
	orDefault(&o.PollInterval, time.Second)
	orDefault(&o.ReadLag, 2*time.Second)
	orDefault(&o.RetryBase, 200*time.Millisecond)
	orDefault(&o.RetryMax, max(5*time.Second, o.RetryBase))
	if o.RetryBase > o.RetryMax && o.RetryMax > 0 {
		errs = append(errs, &FieldError{"Options.RetryMax", o.RetryMax, "must not be less than RetryBase, which is " + o.RetryBase.String()})
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}

func notNegative[T int | time.Duration](errs *[]error, field string, v T) {
	if v < 0 {
		*errs = append(*errs, &FieldError{field, v, "must not be negative"})
	}
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}
