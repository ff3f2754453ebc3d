package failover_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
)

func TestTimelineReadsAsATable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		tl := new(failover.Timeline)
		tl.Mark("killed", time.Now())
		time.Sleep(1500 * time.Millisecond)
		remap := w.step("remap", 2*time.Second, "launch")
		do := remap.Do
		remap.Do = func(ctx context.Context, env *failover.Env) error {
			env.Note("request %s", "8c3f")
			return do(ctx, env)
		}
		dns := w.step("dns\x1b[2J\u202e", time.Second)
		dns.Do = func(context.Context, *failover.Env) error {
			return failover.Permanent(errors.New("denied\r\nAccess granted"))
		}
		e := newEngine(t, newLocker(t), new(failover.MemoryJournal))
		if _, err := e.Execute(t.Context(), "i", plan(w.step("launch", time.Minute), remap), func(o *failover.ExecOptions) {
			o.Timeline = tl
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Execute(t.Context(), "j", plan(dns), func(o *failover.ExecOptions) { o.Timeline = tl }); err == nil {
			t.Fatal("no error")
		}
		tl.Mark("first good reply", time.Time{})
		const want = `from 2000-01-01T00:00:00Z
AT       EVENT         STEP              ATTEMPT  TOOK  DETAIL
+0s      mark                                           killed
+1.5s    started
+1.5s    leased                                         token 1
+1.5s    step started  launch
+1.5s    step do       launch            1
+1m1.5s  step done     launch            1        1m0s
+1m1.5s  step started  remap
+1m1.5s  step do       remap             1
+1m1.5s  note          remap             1              request 8c3f
+1m3.5s  step done     remap             1        2s
+1m3.5s  ended                                    1m2s
+1m3.5s  started
+1m3.5s  leased                                         token 2
+1m3.5s  step started  dns\x1b[2J\u202e
+1m3.5s  step do       dns\x1b[2J\u202e  1
+1m3.5s  step failed   dns\x1b[2J\u202e  1              do: denied\r\nAccess granted
+1m3.5s  ended                                          failover: incident j of orders: step dns\x1b[2J\u202e: attempt 1: do: denied\r\nAccess granted
+1m3.5s  mark                                           first good reply
`
		if diff := cmp.Diff(want, tl.String()); diff != "" {
			t.Errorf("text (-want +got):\n%s", diff)
		}
	})
}

func TestTimelineAsJSON(t *testing.T) {
	t.Parallel()
	tl := new(failover.Timeline)
	killed := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	tl.Mark("detected", killed.Add(12*time.Second+345678*time.Microsecond))
	tl.Mark("killed", killed) // marked later, happened before
	got, err := json.Marshal(tl)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"events":[` +
		`{"time":"2026-01-02T15:04:05Z","offset_ms":0,"kind":"mark","detail":"killed"},` +
		`{"time":"2026-01-02T15:04:17.345678Z","offset_ms":12345.678,"kind":"mark","detail":"detected"}]}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if got, err := json.Marshal(new(failover.Timeline)); err != nil || string(got) != `{"events":[]}` {
		t.Errorf("empty timeline: %s, %v", got, err)
	}
}

func TestTimelineJSONHasErrorsAndDurations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := step("a", 0)
		a.Do = func(ctx context.Context, _ *failover.Env) error {
			_ = sleep(ctx, time.Second)
			return failover.Permanent(errors.New("denied"))
		}
		tl, _ := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(a))
		got, err := json.Marshal(tl)
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"time":"2000-01-01T00:00:01Z","offset_ms":1000,"kind":"step failed","incident":"i","service":"orders",` +
			`"step":"a","attempt":1,"took_ms":1000,"error":"failover: step a: attempt 1: do: denied"}`
		if !strings.Contains(string(got), want) {
			t.Errorf("%s\nhas no\n%s", got, want)
		}
	})
}

func TestTimelineReportsSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		tl, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).
			Execute(t.Context(), "i", plan(w.step("a", time.Second), w.step("b", time.Minute, "a")))
		if err != nil {
			t.Fatal(err)
		}
		start := tl.Events()[0].Time
		want := []failover.StepReport{
			{ID: "a", Outcome: failover.KindStepDone, Started: start, Took: time.Second, Attempt: 1},
			{ID: "b", Outcome: failover.KindStepDone, Started: start.Add(time.Second), Took: time.Minute, Attempt: 1},
		}
		if diff := cmp.Diff(want, tl.Steps()); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
	})
}

func TestTimelineCanBeReadWhileItIsWritten(t *testing.T) {
	t.Parallel()
	tl := new(failover.Timeline)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				tl.Mark("m", time.Time{})
			}
		})
		wg.Go(func() {
			for range 10 {
				_, _ = tl.String(), tl.Steps()
			}
		})
	}
	wg.Wait()
	if n := len(tl.Events()); n != 400 {
		t.Errorf("%d events, want 400", n)
	}
}

func TestEventsCanBeAdded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tl failover.Timeline
		tl.Add(failover.Event{Kind: failover.KindDetected, Service: "orders", Took: time.Second})
		tl.Add(failover.Event{Kind: failover.KindLeading, Time: time.Now().Add(-time.Minute)})
		events := tl.Events()
		if len(events) != 2 || events[0].Kind != failover.KindLeading || !events[1].Time.Equal(time.Now()) || events[1].Service != "orders" {
			t.Errorf("%+v", events)
		}
	})
}
