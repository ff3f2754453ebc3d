package eip

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

// Kind says what an [Event] is about.
type Kind string

// The kinds of events, in the order in which a Remap may emit them. One of unchanged, held, reached and failed is the last.
const (
	KindUnchanged     Kind = "unchanged"     // the address is on the target already
	KindRetry         Kind = "retry"         // Err happened; the call is tried again after Pause
	KindDisassociated Kind = "disassociated" // Association was ended, or had ended before
	KindDisplaced     Kind = "displaced"     // Occupant had to leave the target
	KindAssociated    Kind = "associated"    // EC2 has accepted Association
	KindLagging       Kind = "lagging"       // a read showed Association, or failed with Err: the next one may tell more
	KindHeld          Kind = "held"          // a read has shown Association on the target; it may be the first that is heard of it
	KindUnreached     Kind = "unreached"     // the probe returned Err, and is asked again
	KindReached       Kind = "reached"       // the probe has succeeded
	KindUndecided     Kind = "undecided"     // Choose of a Hold could not tell, because of Err if there is one
	KindDrifted       Kind = "drifted"       // somebody else has brought the address to Association
	KindDamped        Kind = "damped"        // a Hold puts a move from Association off, for Pause at least
	KindFailed        Kind = "failed"        // the operation returns Err
)

// Event is something that happened in an operation.
type Event struct {
	Time         time.Time
	Kind         Kind
	AllocationID string
	Target       Target
	Association  Association
	Occupant     Occupant
	Token        uint64 // of Request.Fence; zero without one
	Pause        time.Duration
	Err          error
}

// emit completes an event and gives it to the logger and to the hook.
func (m *move) emit(ctx context.Context, e Event) {
	e.AllocationID, e.Target = m.req.AllocationID, m.req.Target
	if m.req.Fence != nil {
		e.Token = m.req.Fence.Token()
	}
	m.Remapper.emit(ctx, e)
}

func (r *Remapper) emit(ctx context.Context, e Event) {
	e.Time = time.Now()
	if level := e.level(); r.opts.Logger.Enabled(ctx, level) {
		r.opts.Logger.LogAttrs(ctx, level, "eip "+string(e.Kind), e.attrs()...)
	}
	if r.opts.OnEvent == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			r.opts.Logger.ErrorContext(ctx, "eip: panic in OnEvent", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	r.opts.OnEvent(ctx, e)
}

func (e *Event) level() slog.Level {
	switch e.Kind {
	case KindRetry, KindFailed, KindUnreached, KindUndecided, KindDrifted:
		return slog.LevelWarn
	case KindLagging:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func (e *Event) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 7)
	if e.AllocationID != "" {
		attrs = append(attrs, slog.String("allocation", e.AllocationID))
	}
	if e.Target != (Target{}) {
		attrs = append(attrs, slog.String("target", e.Target.String()))
	}
	if e.Association != (Association{}) {
		attrs = append(attrs, slog.String("association", e.Association.String()))
	}
	if e.Occupant != (Occupant{}) {
		attrs = append(attrs, slog.String("occupant", e.Occupant.String()))
	}
	if e.Token != 0 {
		attrs = append(attrs, slog.Uint64("token", e.Token))
	}
	if e.Pause > 0 {
		attrs = append(attrs, slog.Duration("pause", e.Pause))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}
