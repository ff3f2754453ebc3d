package healthcheck

import (
	"context"
	"iter"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"
)

// EventKind says what an Event is about.
type EventKind uint8

const (
	// Transition: a target changed its state. Event.Status is the target after it, Event.From the state before.
	// A registration comes from Unused; the last transition of a target goes there.
	Transition EventKind = iota + 1
	// ZoneChange: a zone is up, or is no longer; see ZoneStatus.Up. Event.Zone has the counts.
	ZoneChange
	// FailOpenChange: picks have begun to disregard health, because too few targets have it, or have ceased to; Event.FailOpen
	// says which. Event.Zone has the counts, of a zone under Options.ZonalOnly, and else of the pool, with no name. A pool
	// without targets fails open already, so that the first of these events says that it does no longer.
	FailOpenChange
	// Ejection: passive checks have ejected a target, or it is back; Event.Status says which by Ejected.
	Ejection
	// ZonalShift: a zonal shift has begun, was replaced or has ended. Event.Zone says which by Shifted, Event.Why what for.
	ZonalShift
	// OverrideChange: somebody has decided about a target. Event.Status has the override.
	OverrideChange
	// LocalDegraded: the pool has fallen behind its own schedule, or keeps up again. Event.Local says which by Degraded.
	LocalDegraded
)

// String returns a name such as "zone-change".
func (k EventKind) String() string {
	switch k {
	case Transition:
		return "transition"
	case ZoneChange:
		return "zone-change"
	case FailOpenChange:
		return "fail-open-change"
	case Ejection:
		return "ejection"
	case ZonalShift:
		return "zonal-shift"
	case OverrideChange:
		return "override-change"
	case LocalDegraded:
		return "local-degraded"
	}
	return "invalid"
}

// MarshalText returns String, so that a kind reads the same in JSON and in logs.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Event is something that happened in the pool.
type Event struct {
	// Seq counts the events of a pool from 1.
	Seq uint64
	// Dropped is how many events before this one were lost to the receiver because it was too slow.
	Dropped uint64
	// Time is when it happened.
	Time time.Time
	Kind EventKind

	// From and Status belong to a Transition, and Status to an Ejection.
	From   State
	Status Status

	// Zone belongs to a ZoneChange, and to a FailOpenChange together with FailOpen.
	Zone     ZoneStatus
	FailOpen bool

	// Why belongs to a ZonalShift, beside Zone.
	Why string
	// Local belongs to LocalDegraded.
	Local Local
}

// Events yields what happens in the pool from this call on, in order, for one range loop. It ends when ctx does, when the
// loop breaks, or when Run has ended and everything before that has been yielded.
//
// The pool never waits for the loop: it keeps the latest Options.EventBuffer events, drops the oldest beyond that and
// counts them in the next Event.Dropped. The buffer is freed when the iteration ends or ctx does, so give it a context
// that does.
func (p *Pool) Events(ctx context.Context) iter.Seq[Event] {
	q := &queue{limit: p.opts.EventBuffer, wake: make(chan struct{}, 1)}
	p.mu.Lock()
	if !p.stopped {
		p.queues = append(p.queues, q)
	}
	p.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { p.unsubscribe(q) })

	return func(yield func(Event) bool) {
		defer p.unsubscribe(q)
		defer stop()
		for ctx.Err() == nil {
			p.mu.Lock()
			e, ok := q.pop()
			more := slices.Contains(p.queues, q)
			p.mu.Unlock()
			switch {
			case ok:
				if !yield(e) {
					return
				}
			case !more:
				return
			default:
				select {
				case <-q.wake:
				case <-ctx.Done():
				}
			}
		}
	}
}

func (p *Pool) unsubscribe(q *queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues = slices.DeleteFunc(p.queues, func(other *queue) bool { return other == q })
	q.events, q.head, q.size = nil, 0, 0
}

// publishLocked numbers an event and gives it to every receiver. The hook and the logger get it from deliver, once the
// lock is released.
func (p *Pool) publishLocked(e Event) {
	p.seq++
	e.Seq = p.seq
	for _, q := range p.queues {
		q.push(e)
	}
	if p.hooked() {
		p.hook.limit = p.opts.EventBuffer
		if !p.delivering { // nobody is slow: this call has not come to deliver yet
			p.hook.limit = max(p.hook.limit, p.hook.size+1)
		}
		p.hook.push(e)
	}
}

func (p *Pool) hooked() bool { return p.opts.OnEvent != nil || p.opts.Logger != nil }

func (p *Pool) undelivered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hook.size > 0 && !p.delivering
}

// deliver hands what has been published to the hook and to the logger, one event at a time and in order, on the goroutine
// of whoever published first. A hook that calls the pool, and so publishes, does not recurse.
func (p *Pool) deliver() {
	if !p.hooked() {
		return
	}
	for {
		p.mu.Lock()
		if p.delivering {
			p.mu.Unlock()
			return
		}
		e, ok := p.hook.pop()
		p.delivering = ok
		ctx := p.hookCtx
		p.mu.Unlock()
		if !ok {
			return
		}
		p.observe(ctx, e)
	}
}

func (p *Pool) observe(ctx context.Context, e Event) {
	defer func() {
		// Deferred, because a hook may also end its goroutine, as t.FailNow does.
		p.mu.Lock()
		p.delivering = false
		p.mu.Unlock()
	}()
	p.logEvent(ctx, e)
	if p.opts.OnEvent != nil {
		defer p.recovered(ctx, "Options.OnEvent")
		p.opts.OnEvent(ctx, e)
	}
}

func (p *Pool) logEvent(ctx context.Context, e Event) {
	if p.opts.Logger == nil {
		return
	}
	if e.Dropped > 0 {
		p.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "events lost", slog.Uint64("dropped", e.Dropped))
	}
	text, bad, attrs := e.record()
	level := slog.LevelInfo
	if bad {
		level = slog.LevelWarn
	}
	p.opts.Logger.LogAttrs(ctx, level, text, attrs...)
}

// record returns an event as one of a log.
func (e *Event) record() (text string, bad bool, attrs []slog.Attr) {
	s := &e.Status
	target := []slog.Attr{
		slog.String("target", s.Target.ID), slog.String("zone", s.Target.Zone), slog.String("addr", s.Target.Addr),
	}
	zone := []slog.Attr{
		slog.String("zone", e.Zone.Zone), slog.Int("healthy", e.Zone.Healthy), slog.Int("registered", e.Zone.Registered()),
	}
	switch e.Kind {
	case Transition:
		attrs = slices.Concat(target, []slog.Attr{slog.String("from", e.From.String()), slog.String("to", s.State.String())})
		if s.Reason != "" {
			attrs = append(attrs, slog.String("reason", string(s.Reason)), slog.String("detail", s.Detail))
		}
		if s.State == Unhealthy && s.Last.Err != nil {
			attrs = append(attrs, slog.String("error", s.Last.Err.Error()))
		}
		return "target changed state", s.State == Unhealthy, attrs
	case ZoneChange:
		return "zone changed", !e.Zone.Up(), slices.Insert(zone, 1, slog.Bool("up", e.Zone.Up()))
	case FailOpenChange:
		return "fail-open changed", e.FailOpen, slices.Insert(zone, 1, slog.Bool("fail_open", e.FailOpen))
	case Ejection:
		if s.Ejected {
			return "target ejected", true, target
		}
		return "target is back", false, target
	case ZonalShift:
		return "zonal shift changed", e.Zone.Shifted,
			append(slices.Insert(zone, 1, slog.Bool("shifted", e.Zone.Shifted)), slog.String("why", e.Why))
	case OverrideChange:
		return "override changed", s.Override != NoOverride, append(target, slog.String("override", s.Override.String()))
	case LocalDegraded:
		return "schedule changed", e.Local.Degraded(), []slog.Attr{
			slog.Bool("degraded", e.Local.Degraded()), slog.Int("stretch", e.Local.Stretch),
			slog.Bool("exhausted", e.Local.Exhausted), slog.Duration("lag", e.Local.Lag),
		}
	}
	return "event", false, nil
}

// recovered keeps a panic in code that the pool was given from ending the process. It must be deferred directly.
func (p *Pool) recovered(ctx context.Context, where string) {
	if v := recover(); v != nil && p.opts.Logger != nil {
		p.opts.Logger.LogAttrs(ctx, slog.LevelError, "panic recovered", slog.String("in", where),
			slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	}
}

// queue is the bounded ring of one receiver of events, guarded by Pool.mu. It grows up to its limit, then overwrites the
// oldest.
type queue struct {
	events  []Event
	head    int // the oldest
	size    int
	limit   int
	dropped uint64
	wake    chan struct{} // nil for the hook, which is not waited for
}

// maxIdleEvents is for how many events an empty queue has room.
const maxIdleEvents = 64

func (q *queue) push(e Event) {
	if q.size == len(q.events) && q.size < q.limit {
		grown := make([]Event, max(2*q.size, 8))
		n := copy(grown, q.events[q.head:])
		copy(grown[n:], q.events[:q.head])
		q.events, q.head = grown, 0
	}
	if q.size >= q.limit {
		q.dropped++
		q.head = (q.head + 1) % len(q.events)
		q.size--
	}
	q.events[(q.head+q.size)%len(q.events)] = e
	q.size++
	q.signal()
}

func (q *queue) pop() (Event, bool) {
	if q.size == 0 {
		return Event{}, false
	}
	e := q.events[q.head]
	q.events[q.head] = Event{} // let go of what it points to
	q.head = (q.head + 1) % len(q.events)
	q.size--
	if q.size == 0 && len(q.events) > maxIdleEvents {
		q.events, q.head = nil, 0 // a burst, as of a large Register
	}
	e.Dropped, q.dropped = q.dropped, 0
	return e, true
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
