package eip

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

// Kind says what an [Event] is about.
type Kind string

// The kinds of events, in the order in which a Remap may emit them. One of unchanged, held and failed is the last.
const (
	KindUnchanged     Kind = "unchanged"     // the address is on the target already
	KindRetry         Kind = "retry"         // Err happened; the call is tried again after Pause
	KindDisassociated Kind = "disassociated" // Association was ended, or had ended before
	KindAssociated    Kind = "associated"    // EC2 has accepted Association
	KindLagging       Kind = "lagging"       // a read showed Association, or failed with Err: the next one may tell more
	KindHeld          Kind = "held"          // a read has shown Association on the target
	KindFailed        Kind = "failed"        // Remap returns Err
)

// Event is something that happened in a Remap.
type Event struct {
	Time         time.Time
	Kind         Kind
	AllocationID string
	Target       Target
	Association  Association
	Pause        time.Duration
	Err          error
}

// emit completes an event and gives it to the logger and to the hook.
func (m *move) emit(ctx context.Context, e Event) {
	e.Time, e.AllocationID, e.Target = time.Now(), m.req.AllocationID, m.req.Target
	if level := e.level(); m.opts.Logger.Enabled(ctx, level) {
		m.opts.Logger.LogAttrs(ctx, level, "eip "+string(e.Kind), e.attrs()...)
	}
	if m.opts.OnEvent == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			m.opts.Logger.ErrorContext(ctx, "eip: panic in OnEvent", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	m.opts.OnEvent(ctx, e)
}

func (e *Event) level() slog.Level {
	switch e.Kind {
	case KindRetry, KindFailed:
		return slog.LevelWarn
	case KindLagging:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func (e *Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("allocation", e.AllocationID), slog.String("target", e.Target.String())}
	if e.Association != (Association{}) {
		attrs = append(attrs, slog.String("association", e.Association.String()))
	}
	if e.Pause > 0 {
		attrs = append(attrs, slog.Duration("pause", e.Pause))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}
