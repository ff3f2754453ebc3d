package sqsevents

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/queueworker"
)

// Options configure a [Source]. Every zero value means the default that its comment names.
type Options struct {
	// Match tells whether an event is a reason to look: see [Event.About] and [Event.Kind]. It is called by several goroutines at once; a panic in it is a reason
	// to look. Nil takes every event of a known kind.
	Match func(*Event) bool

	// MinInterval is the least time between two wake-ups: events that come sooner share one, which comes after the last of them. Default 1 s.
	MinInterval time.Duration

	// MaxAge is how old an event may be, by its own time: what happened longer ago a controller has seen by itself since. Default 15 minutes.
	MaxAge time.Duration

	// Worker configures the queue worker. Its OnEvent and Logger are free to be set.
	Worker func(*queueworker.Options)

	// OnEvent is called with each event that is a reason to look, duplicates left out, by several goroutines at once. It must return at once. A panic in it is
	// recovered and logged.
	OnEvent func(context.Context, *Event)

	// Logger gets what is malformed. Nil is silent.
	Logger *slog.Logger
}

func (o *Options) complete() error {
	var errs []error
	if o.MinInterval < 0 {
		errs = append(errs, &failover.FieldError{Field: "Options.MinInterval", Value: o.MinInterval, Rule: "must not be negative"})
	}
	if o.MaxAge < 0 {
		errs = append(errs, &failover.FieldError{Field: "Options.MaxAge", Value: o.MaxAge, Rule: "must not be negative"})
	}
	if o.MinInterval == 0 {
		o.MinInterval = time.Second
	}
	if o.MaxAge == 0 {
		o.MaxAge = 15 * time.Minute
	}
	if o.Match == nil {
		known := make(map[Kind]bool)
		for _, k := range Kinds() {
			known[k] = true
		}
		o.Match = func(e *Event) bool { return known[e.Kind()] }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}
