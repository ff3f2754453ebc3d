package r53hc

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

// Kind says what an [Event] is about.
type Kind string

// The kinds of events.
const (
	KindPublished Kind = "published" // CloudWatch has the data points
	KindSilent    Kind = "silent"    // there is nothing to say, by Why
	KindFailed    Kind = "failed"    // a call failed, by Err; its data points are put with the next
)

// Why says why nothing is published.
type Why string

// Reasons to say nothing.
const (
	Unchecked Why = "unchecked" // no metric has a value: mostly as no target is registered, or none has been checked yet
	Doubtful  Why = "doubtful"  // checks have told nothing for longer than Options.MaxDoubt
)

// Event is something that a Publisher has done.
type Event struct {
	Time   time.Time
	Kind   Kind
	Values map[string]float64 // of this interval, by metric
	Points int                // data points in the call: more than Values when calls have failed before
	Why    Why
	Err    error // a *CallError, of a KindFailed
}

// emit gives an event to the logger and to the hook.
func (p *Publisher) emit(ctx context.Context, e Event) {
	e.Time = time.Now()
	level := slog.LevelDebug
	attrs := []slog.Attr{slog.Any("values", e.Values)}
	switch e.Kind {
	case KindSilent:
		level, attrs = slog.LevelInfo, []slog.Attr{slog.String("why", string(e.Why))}
	case KindFailed:
		level, attrs = slog.LevelWarn, append(attrs, slog.Any("error", e.Err))
	case KindPublished:
	}
	p.opts.Logger.LogAttrs(ctx, level, "r53hc "+string(e.Kind), attrs...)
	if p.opts.OnEvent == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			p.opts.Logger.ErrorContext(ctx, "r53hc: panic in OnEvent", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	p.opts.OnEvent(ctx, e)
}
