package selfhealth

import (
	"context"
	"log/slog"
	"time"
)

// Event is a change of the process or of one check. Changes that undo each other before Run has looked are not seen.
type Event struct {
	// Time is when Run saw the change: at once, unless OnEvent held it up.
	Time time.Time

	// Check is the check that changed, as it is now; its Name is empty if the change is of the process.
	Check CheckStatus
	// WasCheck is the state of the check before.
	WasCheck State

	// Live and Status are those of the process now, WasLive and Was those before the event.
	Live, WasLive bool
	Status, Was   Status
}

// watch remembers what was last reported, on the goroutine of Run.
type watch struct {
	h      *Health
	live   bool
	status Status
	checks map[string]State
}

func (h *Health) newWatch() *watch { return &watch{h: h, live: true, checks: make(map[string]State)} }

// look reports what has changed and returns how long nothing will by time alone.
func (w *watch) look(ctx context.Context) time.Duration {
	r := w.h.Report()
	wait := w.h.quiet(r.Time)
	seen := make(map[string]State, len(r.Checks))
	for _, c := range r.Checks {
		was := w.checks[c.Name]
		seen[c.Name] = c.State
		if was != c.State {
			w.h.publish(ctx, Event{
				Time: r.Time, Check: c, WasCheck: was, Live: w.live, WasLive: w.live, Status: w.status, Was: w.status,
			})
		}
	}
	if r.Live != w.live || r.Status != w.status {
		w.h.publish(ctx, Event{Time: r.Time, Live: r.Live, WasLive: w.live, Status: r.Status, Was: w.status})
	}
	w.live, w.status, w.checks = r.Live, r.Status, seen
	return wait
}

// quiet is how long no verdict changes by time alone.
func (h *Health) quiet(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	wait := maxInterval
	for _, s := range h.slots {
		if s.owner != nil {
			wait = min(wait, s.next(now, h.opts.GuardHold).Sub(now))
		}
	}
	return wait
}

// publish gives an event to the logger and to the hook.
func (h *Health) publish(ctx context.Context, e Event) {
	h.log(ctx, e)
	if h.opts.OnEvent == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			h.logPanic(ctx, "Options.OnEvent", v)
		}
	}()
	h.opts.OnEvent(ctx, e)
}

func (h *Health) log(ctx context.Context, e Event) {
	if h.opts.Logger == nil {
		return
	}
	level := slog.LevelInfo
	if e.Check.Name != "" {
		attrs := []slog.Attr{
			slog.String("check", e.Check.Name), slog.String("kind", e.Check.Kind.String()),
			slog.String("from", e.WasCheck.String()), slog.String("to", e.Check.State.String()),
		}
		if e.Check.State == CheckFailing {
			level = slog.LevelWarn
			attrs = append(attrs, slog.String("error", errorText(e.Check.Err)))
		}
		h.opts.Logger.LogAttrs(ctx, level, "own check changed", attrs...)
		return
	}
	if !e.Live || e.Status == Failing || e.Status == Degraded {
		level = slog.LevelWarn
	}
	h.opts.Logger.LogAttrs(ctx, level, "own health changed", slog.Bool("live", e.Live),
		slog.String("from", e.Was.String()), slog.String("to", e.Status.String()))
}
