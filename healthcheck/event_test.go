package healthcheck_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

// brief is an event as one word or two.
func brief(e healthcheck.Event) string {
	if e.Kind == healthcheck.ZoneChange {
		return fmt.Sprintf("%s up=%t", e.Zone.Zone, e.Zone.Up())
	}
	if e.Kind == healthcheck.FailOpenChange {
		return strings.TrimSpace(fmt.Sprintf("%s fail open=%t", e.Zone.Zone, e.FailOpen))
	}
	return fmt.Sprintf("%s %v>%v", e.Status.Target.ID, e.From, e.Status.State)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) { o.MaxStartSpread = healthcheck.None })
		events := pool.Events(t.Context())
		register(t, pool, healthcheck.Target{ID: "a", Zone: "z1", Addr: "10.0.0.1:80"})
		stop := run(t, pool)
		waitFor(t, pool, "a", healthcheck.Healthy)
		f.set("a", refuse)
		waitFor(t, pool, "a", healthcheck.Unhealthy)
		register(t, pool, healthcheck.Target{ID: "a", Zone: "z2", Addr: "10.0.0.2:80"})
		f.set("a", nil)
		waitFor(t, pool, "a", healthcheck.Healthy)
		_ = pool.Deregister("a")
		waitFor(t, pool, "a", healthcheck.Unused)
		_ = stop()

		var got []string
		for e := range events { // ends, because the pool has
			got = append(got, brief(e))
			if e.Seq != uint64(len(got)) || e.Dropped != 0 || e.Time.IsZero() {
				t.Errorf("event %d is numbered %d, %d dropped, at %v", len(got), e.Seq, e.Dropped, e.Time)
			}
		}
		want := []string{
			"a unused>initial", "a initial>healthy", "z1 up=true", "fail open=false",
			"a healthy>unhealthy", "z1 up=false", "fail open=true",
			"a unhealthy>unused", "a unused>initial", "a initial>healthy", "z2 up=true", "fail open=false",
			"a healthy>draining", "z2 up=false", "fail open=true", "a draining>unused",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if seq := pool.View().Seq(); seq != uint64(len(want)) {
			t.Errorf("the view is at event %d", seq)
		}
	})
}

func TestSlowReceiverLosesTheOldestAndIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass(), func(o *healthcheck.Options) { o.EventBuffer = 10 })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		slow := pool.Events(ctx)
		for i := range 25 {
			register(t, pool, healthcheck.Target{ID: fmt.Sprint(i)})
		}
		var seqs, dropped []uint64
		for e := range slow {
			seqs, dropped = append(seqs, e.Seq), append(dropped, e.Dropped)
			if e.Seq == 18 {
				register(t, pool, healthcheck.Target{ID: "while reading"})
			}
			if e.Seq == 26 {
				cancel()
			}
		}
		if diff := cmp.Diff([]uint64{16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26}, seqs); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]uint64{15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, dropped); diff != "" {
			t.Errorf("dropped (-want +got):\n%s", diff)
		}
	})
}

func TestReceiverThatPausesGetsAllInOrder(t *testing.T) {
	t.Parallel()
	pool := newPool(t, pass())
	registerSome := func(from, to int) {
		for i := from; i < to; i++ {
			register(t, pool, healthcheck.Target{ID: fmt.Sprint(i)})
		}
	}
	events := pool.Events(t.Context())
	registerSome(0, 6)
	var next uint64 = 1
	for e := range events {
		if e.Seq != next || e.Dropped != 0 {
			t.Fatalf("event %d, %d dropped, want event %d", e.Seq, e.Dropped, next)
		}
		if next++; e.Seq == 4 {
			registerSome(6, 40)
		}
		if e.Seq == 40 {
			break
		}
	}
}

func TestEventsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := newPool(t, pass())
		run(t, pool)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		for range pool.Events(ctx) {
			t.Error("an event out of nothing")
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestOnEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var (
			pool     *healthcheck.Pool
			got      []string
			inside   bool
			values   []any
			log      bytes.Buffer
			finished = make(chan struct{})
		)
		pool = newPool(t, pass(), func(o *healthcheck.Options) {
			o.DeregistrationDelay = healthcheck.None
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			o.OnEvent = func(ctx context.Context, e healthcheck.Event) {
				if inside {
					t.Error("called while a call is running")
				}
				inside = true
				defer func() { inside = false }()
				got, values = append(got, brief(e)), append(values, ctx.Value(key{}))
				switch {
				case e.Kind == healthcheck.ZoneChange && e.Zone.Up():
					_ = pool.Deregister("a") // publishes from inside
					panic("a hook with a bug")
				case e.From != healthcheck.Unused && e.Status.State == healthcheck.Unused:
					close(finished)
				}
			}
		})
		register(t, pool, healthcheck.Target{ID: "a", Zone: "z1"})
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "run"))
		ended := make(chan error)
		go func() { ended <- pool.Run(ctx) }()
		<-finished
		cancel()
		<-ended

		want := []string{
			"a unused>initial", "a initial>healthy", "z1 up=true", "fail open=false", "a healthy>unused", "z1 up=false", "fail open=true",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]any{nil, "run", "run", "run", "run", "run", "run"}, values); diff != "" {
			t.Errorf("context of Run (-want +got):\n%s", diff)
		}
		for _, want := range []string{
			`level=INFO msg="target changed state" target=a zone=z1 addr="" from=initial to=healthy`,
			`level=ERROR msg="panic recovered" in=Options.OnEvent panic="a hook with a bug"`,
			`level=WARN msg="zone changed" zone=z1 up=false healthy=0 registered=0`,
		} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, &log)
			}
		}
	})
}

func TestLoggerTellsWhyATargetIsUnhealthy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := newFleet()
		f.set("a", refuse)
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		register(t, pool, healthcheck.Target{ID: "a", Zone: "z1"})
		stop := run(t, pool)
		waitFor(t, pool, "a", healthcheck.Unhealthy)
		_ = stop()
		const want = `level=WARN msg="target changed state" target=a zone=z1 addr="" from=initial to=unhealthy ` +
			`reason=Target.FailedHealthChecks detail="Health checks failed" error=refused`
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &log)
		}
	})
}

func TestWait(t *testing.T) {
	t.Parallel()
	t.Run("returns when the condition holds", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			run(t, pool)
			time.AfterFunc(time.Minute, func() {
				_ = pool.Register(healthcheck.Target{ID: "b", Zone: "z2"}, healthcheck.Target{ID: "a", Zone: "z1"})
			})
			err := pool.Wait(t.Context(), func(v *healthcheck.View) bool { return v.Count(healthcheck.Healthy) == 2 })
			if err != nil {
				t.Fatal(err)
			}
			want := []healthcheck.ZoneStatus{{Zone: "z1", Healthy: 1}, {Zone: "z2", Healthy: 1}}
			if diff := cmp.Diff(want, pool.Zones()); diff != "" {
				t.Errorf("zones (-want +got):\n%s", diff)
			}
			var ids []string
			for id, s := range pool.All() {
				ids = append(ids, id+" "+s.State.String())
			}
			if diff := cmp.Diff([]string{"a healthy", "b healthy"}, ids); diff != "" {
				t.Errorf("targets (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("returns the cause of its context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Minute, func() { cancel(errRefused) })
			if err := pool.Wait(ctx, func(*healthcheck.View) bool { return false }); !errors.Is(err, errRefused) {
				t.Errorf("Wait returned %v, want %v", err, errRefused)
			}
		})
	})
	t.Run("looks again only after a change", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			register(t, pool, healthcheck.Target{ID: "a"})
			run(t, pool)
			waitFor(t, pool, "a", healthcheck.Healthy)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			looked := 0
			_ = pool.Wait(ctx, func(*healthcheck.View) bool {
				looked++
				return false
			})
			if looked != 1 {
				t.Errorf("looked %d times in an hour in which nothing changed", looked)
			}
		})
	})
	t.Run("ends with the pool", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			stop := run(t, pool)
			time.AfterFunc(time.Minute, func() { _ = stop() })
			if err := pool.Wait(t.Context(), func(*healthcheck.View) bool { return false }); !errors.Is(err, healthcheck.ErrStopped) {
				t.Errorf("Wait returned %v", err)
			}
		})
	})
}

func TestViewOfStatuses(t *testing.T) {
	t.Parallel()
	v := healthcheck.NewView(
		healthcheck.Status{Target: healthcheck.Target{ID: "b", Zone: "z1"}, State: healthcheck.Draining},
		healthcheck.Status{Target: healthcheck.Target{ID: "a", Zone: "z1"}, State: healthcheck.Healthy},
		healthcheck.Status{Target: healthcheck.Target{ID: "c"}, State: healthcheck.Unhealthy},
	)
	if s, ok := v.Status("b"); !ok || s.State != healthcheck.Draining {
		t.Errorf("b is %+v, %t", s, ok)
	}
	if s, ok := v.Status("d"); ok || s.State != healthcheck.Unused || s.Reason != healthcheck.ReasonNotRegistered {
		t.Errorf("d is %+v, %t", s, ok)
	}
	want := []healthcheck.ZoneStatus{{Unhealthy: 1, Down: true}, {Zone: "z1", Healthy: 1, Draining: 1}}
	if diff := cmp.Diff(want, v.Zones()); diff != "" || v.Registered() != 2 {
		t.Errorf("%d registered, zones (-want +got):\n%s", v.Registered(), diff)
	}
}
