package zonalhc

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
	KindDecided   Kind = "decided"    // the decision is another than in the last round, and to wait
	KindAdvised   Kind = "advised"    // something is to be done, and is not, since this is an Adviser or a dry run
	KindStarted   Kind = "started"    // the own shift is active until Expiry
	KindAdopted   Kind = "adopted"    // the own shift is active until Expiry, started by a call without a reply, before a restart, or by another with the same comment
	KindExtended  Kind = "extended"   // the own shift is active until Expiry now
	KindCancelled Kind = "cancelled"  // the own shift has been ended, or had ended
	KindExpired   Kind = "expired"    // the own shift has ended at its time
	KindTakenBack Kind = "taken-back" // somebody else has ended the own shift, or has changed its comment
	KindFailed    Kind = "failed"     // a call failed, by Err
)

// Event is something that a Shifter or an Adviser has decided, done or seen.
type Event struct {
	Time     time.Time
	Kind     Kind
	Resource string // its ARN
	Decision Decision
	Expiry   time.Time // of the own shift
	Err      error     // a *CallError, of a KindFailed
}

// emit gives an event to the logger and to the hook.
func (s *Shifter) emit(ctx context.Context, e Event) {
	e.Time, e.Resource = time.Now(), s.resource
	level := slog.LevelWarn
	if e.Kind == KindDecided {
		level = slog.LevelInfo
	}
	if s.opts.Logger.Enabled(ctx, level) {
		s.opts.Logger.LogAttrs(ctx, level, "zonalhc "+string(e.Kind), e.attrs()...)
	}
	if s.opts.OnEvent == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			s.opts.Logger.ErrorContext(ctx, "zonalhc: panic in OnEvent", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	s.opts.OnEvent(ctx, e)
}

func (e *Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("resource", e.Resource)}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	d := e.Decision
	add("action", string(d.Action))
	add("reason", string(d.Reason))
	add("zone", d.Zone)
	add("zone_id", d.ZoneID)
	add("shift", d.Shift)
	if !e.Expiry.IsZero() {
		attrs = append(attrs, slog.Time("expiry", e.Expiry))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}
