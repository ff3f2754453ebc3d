package asghc

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
	KindDecided Kind = "decided" // the verdict on a target is another than in the last round, or it is unhealthy anew
	KindMarked  Kind = "marked"  // Auto Scaling has been told that the instance is unhealthy
	KindFailed  Kind = "failed"  // a call failed, by Err; it is made again in a later round if it is still called for
)

// Event is something that a Replacer has decided or done.
type Event struct {
	Time     time.Time
	Kind     Kind
	Decision Decision // zero for a failed read
	DryRun   bool
	Err      error // a *CallError, of a KindFailed
}

// emit gives an event to the logger and to the hook.
func (r *Replacer) emit(ctx context.Context, e Event) {
	e.Time, e.DryRun = time.Now(), r.opts.DryRun
	level := slog.LevelInfo
	if e.Kind != KindDecided {
		level = slog.LevelWarn
	}
	if r.opts.Logger.Enabled(ctx, level) {
		r.opts.Logger.LogAttrs(ctx, level, "asghc "+string(e.Kind), e.attrs()...)
	}
	if r.opts.OnEvent == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			r.opts.Logger.ErrorContext(ctx, "asghc: panic in OnEvent", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	r.opts.OnEvent(ctx, e)
}

func (e *Event) attrs() []slog.Attr {
	var attrs []slog.Attr
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	d := e.Decision
	add("target", d.Target)
	add("instance", d.Instance)
	add("group", d.Group)
	add("zone", d.Zone)
	add("verdict", string(d.Verdict))
	if e.DryRun {
		attrs = append(attrs, slog.Bool("dry_run", true))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}
