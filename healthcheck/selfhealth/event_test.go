package selfhealth_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck/selfhealth"
)

// diary writes events down.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(_ context.Context, e selfhealth.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.Check.Name != "" {
		d.lines = append(d.lines, fmt.Sprintf("%s: %v -> %v, %v", e.Check.Name, e.WasCheck, e.Check.State, e.Check.Err))
		return
	}
	d.lines = append(d.lines, fmt.Sprintf("%v -> %v, live %t -> %t", e.Was, e.Status, e.WasLive, e.Live))
}

// read returns what was written since the last time.
func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}

// TestEvents: every change is told once, also one that comes by nothing but time.
func TestEvents(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var told diary
		loop, db := newThing(), newThing()
		h := newHealth(t, []selfhealth.Check{
			{Name: "db", Kind: selfhealth.Soft, Func: db.check},
			{Name: "loop", Kind: selfhealth.Live, Func: loop.check},
		}, func(o *selfhealth.Options) { o.OnEvent = told.add })
		want := func(when string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, told.read()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		stop := run(t, h)
		synctest.Wait()
		events := told.read()
		if !strings.Contains(strings.Join(events, "\n"), "starting -> ok, live true -> true") {
			t.Errorf("at the start: %q", events)
		}
		pass(time.Hour)
		want("while nothing changes")
		db.down.Store(true)
		pass(11 * time.Second)
		want("db fails", "db: passing -> failing, down", "ok -> degraded, live true -> true")
		loop.hangs.Store(true)
		pass(12 * time.Second)
		want("loop hangs", "loop: passing -> failing, "+selfhealth.ErrTimeout.Error(), "degraded -> failing, live true -> false")
		loop.hangs.Store(false)
		close(loop.free)
		db.down.Store(false)
		pass(11 * time.Second)
		if got := told.read(); len(got) < 3 || got[len(got)-1] != "degraded -> ok, live true -> true" &&
			got[len(got)-1] != "failing -> ok, live false -> true" {
			t.Errorf("all is well again: %q", got)
		}
		_ = h.Drain(t.Context(), 0)
		synctest.Wait()
		want("draining", "ok -> draining, live true -> true")
		loop.down.Store(true)
		pass(11 * time.Second)
		want("loop fails while draining", "loop: passing -> failing, down", "draining -> draining, live true -> false")
		stop()
		want("the end")
	})
}

// TestEventInTime: what hangs is told of at its timeout and not at the next occasion.
func TestEventInTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db := newThing()
		db.hangs.Store(true)
		var at []time.Duration
		start := time.Now()
		h := newHealth(t, []selfhealth.Check{
			{Name: "db", Kind: selfhealth.Local, Func: db.check, Timeout: 3 * time.Second, FailureThreshold: 2},
		}, func(o *selfhealth.Options) {
			o.OnEvent = func(context.Context, selfhealth.Event) { at = append(at, time.Since(start)) }
		})
		stop := run(t, h)
		pass(time.Hour)
		if diff := cmp.Diff([]time.Duration{13 * time.Second, 13 * time.Second}, at); diff != "" {
			t.Errorf("events of the check and of the process (-want +got):\n%s", diff)
		}
		close(db.free)
		stop()
	})
}

// TestHookBreaks: a hook that panics is logged and called again; one that hangs holds up no answer.
func TestHookBreaks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var log bytes.Buffer
		var calls int
		db := newThing()
		hang := make(chan struct{})
		h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Local, Func: db.check}}, func(o *selfhealth.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			o.OnEvent = func(context.Context, selfhealth.Event) {
				if calls++; calls == 1 {
					panic("oops")
				}
				<-hang
			}
		})
		stop := run(t, h)
		pass(time.Hour)
		if calls != 2 || db.calls.Load() < 300 {
			t.Errorf("the hook was called %d times, and the check %d times in an hour", calls, db.calls.Load())
		}
		wantStatus(t, h, true, selfhealth.OK)
		db.down.Store(true)
		pass(11 * time.Second)
		wantStatus(t, h, true, selfhealth.Failing)
		close(hang)
		synctest.Wait()
		stop()
		for _, want := range []string{
			`level=ERROR msg="panic recovered" in=Options.OnEvent panic=oops`,
			`level=WARN msg="own check changed" check=db kind=local from=passing to=failing error=down`,
			`level=WARN msg="own health changed" live=true from=ok to=failing`,
		} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log has no %q:\n%s", want, log.String())
			}
		}
	})
}

// TestEndOfRunIsTold: that the process drains because Run ends is an event like any other.
func TestEndOfRunIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var told diary
		h := newHealth(t, nil, func(o *selfhealth.Options) { o.OnEvent = told.add })
		stop := run(t, h)
		told.read()
		stop()
		if diff := cmp.Diff([]string{"ok -> draining, live true -> true"}, told.read()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
