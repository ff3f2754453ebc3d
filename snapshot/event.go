package snapshot

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"
)

// EventKind says what an [Event] is about.
type EventKind string

// The kinds of events.
const (
	SlotTaken      EventKind = "slot taken"     // a slot of a policy begins
	SlotMissed     EventKind = "slot missed"    // slots passed while nothing ran; Count of them are not taken
	SlotDone       EventKind = "slot done"      // all of a slot has been done, with Err if not all succeeded
	Created        EventKind = "created"        // AWS makes Point
	Adopted        EventKind = "adopted"        // Point was there: made by a manager that died, or whose reply was lost
	PointCompleted EventKind = "completed"      // Point can be restored
	PointFailed    EventKind = "failed"         // Point failed, or a call did, with Err
	Copying        EventKind = "copying"        // AWS makes Point as a copy
	Deleted        EventKind = "deleted"        // Point is gone
	KeptBack       EventKind = "kept back"      // Point was to be deleted, and AWS refuses, with Err
	DuplicateSeen  EventKind = "duplicate"      // Point has the same data as another, and goes
	Throttled      EventKind = "throttled"      // AWS has refused Op for its rate; it is repeated
	PointAge       EventKind = "age"            // the newest completed point of Series is Age old: what would be lost now
	CopyLag        EventKind = "copy lag"       // the newest completed copy of Series in Region is Age behind the newest point
	CannotKeepUp   EventKind = "cannot keep up" // the copies of a slot to Region take Age, which is longer than it is to the next slot
)

// Event is something that happened.
type Event struct {
	Time   time.Time
	Kind   EventKind
	Policy string
	Region string
	Op     string // of AWS, where the event is about a call
	Series Series
	Slot   time.Time
	Point  *Point // not to be changed
	Age    time.Duration
	Count  int
	Err    error
}

func (m *Manager) emit(ctx context.Context, e Event) {
	e.Time = time.Now()
	if level := e.level(); m.opts.Logger.Enabled(ctx, level) {
		m.opts.Logger.LogAttrs(ctx, level, "snapshot "+string(e.Kind), e.attrs()...)
	}
	if m.opts.OnEvent == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			m.opts.Logger.ErrorContext(ctx, "snapshot: panic in OnEvent", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	m.opts.OnEvent(ctx, e)
}

func (e *Event) level() slog.Level {
	switch {
	case e.Kind == Throttled || e.Kind == PointAge || e.Kind == CopyLag:
		return slog.LevelDebug
	case e.Err != nil || e.Kind == SlotMissed || e.Kind == CannotKeepUp || e.Kind == DuplicateSeen:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

func (e *Event) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 10)
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("policy", e.Policy)
	add("region", e.Region)
	add("operation", e.Op)
	if e.Series.ID != "" {
		add("series", e.Series.String())
	}
	if !e.Slot.IsZero() {
		attrs = append(attrs, slog.Time("slot", e.Slot))
	}
	if e.Point != nil {
		add("id", e.Point.ID)
	}
	if e.Age != 0 {
		attrs = append(attrs, slog.Duration("age", e.Age))
	}
	if e.Count != 0 {
		attrs = append(attrs, slog.Int("count", e.Count))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}
