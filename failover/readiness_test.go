package failover_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
)

func readiness(t *testing.T, p failover.Plan) *failover.Readiness {
	t.Helper()
	r, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Readiness(t.Context(), p, map[string]string{"zone": "a"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func finds(fs ...failover.Finding) func(context.Context, *failover.Env) ([]failover.Finding, error) {
	return func(context.Context, *failover.Env) ([]failover.Finding, error) { return fs, nil }
}

func TestReadinessAsksAllStepsAndForecasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		w.apply("fence")
		fence, launch := w.step("fence", 3*time.Second), w.step("launch", time.Minute, "fence")
		attach, dns := w.step("attach", 10*time.Second, "launch"), w.step("dns", 90*time.Second)
		launch.Ready = finds(failover.Finding{Text: "capacity is reserved", Estimate: 40 * time.Second})
		attach.Ready = finds(
			failover.Finding{Level: failover.LevelWarn, Text: "the newest snapshot is old", RPO: 20 * time.Minute},
			failover.Finding{Level: failover.LevelPass, Text: "ec2:AttachVolume is allowed", RPO: time.Minute},
		)
		dns.Plane, dns.Blast = failover.PlaneGlobal, failover.BlastRegion
		p := plan(fence, launch, attach, dns)
		began := time.Now()
		r := readiness(t, p)
		if r.Level != failover.LevelWarn || r.RTO != 90*time.Second || r.RPO != 20*time.Minute || r.Plane != failover.PlaneGlobal || r.Blast != failover.BlastRegion {
			t.Errorf("%+v", r)
		}
		if diff := cmp.Diff([]string{"dns"}, r.CriticalPath); diff != "" {
			t.Error(diff)
		}
		states := []failover.State{failover.Done, failover.NotDone, 0, failover.NotDone}
		for i, s := range r.Steps {
			if s.State != states[i] {
				t.Errorf("%s is %v", s.ID, s.State)
			}
		}
		if len(w.left()) != 1 || time.Since(began) != 0 {
			t.Errorf("effects %v, took %v", w.left(), time.Since(began))
		}
		// The forecast has the shape of the real thing.
		tl, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", p)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(shape(tl), shape(r.Forecast)); diff != "" {
			t.Errorf("real (-) and forecast (+):\n%s", diff)
		}
		text, data := r.String(), new(map[string]any)
		for _, want := range []string{"WARN orders: RTO 1m30s, RPO 20m0s, worst plane global, blast radius region", "not asked", "the newest snapshot is old"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		js, err := json.Marshal(r)
		if err != nil || json.Unmarshal(js, data) != nil || (*data)["rto_ms"] != 90000.0 || (*data)["level"] != "WARN" {
			t.Errorf("%s, %v", js, err)
		}
	})
}

// shape is which events a timeline has for each step, in order.
func shape(tl *failover.Timeline) map[string][]failover.Kind {
	m := make(map[string][]failover.Kind)
	for _, ev := range tl.Events() {
		m[ev.Step] = append(m[ev.Step], ev.Kind)
	}
	return m
}

func TestReadinessMakesNoEffects(t *testing.T) {
	t.Parallel()
	var w world
	a := w.step("a", 0)
	a.Ready = func(_ context.Context, env *failover.Env) ([]failover.Finding, error) {
		if env.Facts["zone"] != "a" {
			t.Errorf("facts %v", env.Facts)
		}
		if err := env.Valid(); err == nil {
			w.apply("a")
		}
		return nil, nil
	}
	if r := readiness(t, plan(a)); len(w.left()) > 0 || r.Level != failover.LevelPass {
		t.Errorf("%v; %v", w.left(), r)
	}
}

func TestWhatCannotBeAskedFails(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*failover.StepFuncs){
		"check: denied": func(f *failover.StepFuncs) {
			f.Check = func(context.Context, *failover.Env) (failover.State, error) { return 0, errors.New("denied") }
		},
		"check: imposs": func(f *failover.StepFuncs) {
			f.Check = func(context.Context, *failover.Env) (failover.State, error) { return failover.Impossible, nil }
		},
		"ready: denied": func(f *failover.StepFuncs) {
			f.Ready = func(context.Context, *failover.Env) ([]failover.Finding, error) { return nil, errors.New("denied") }
		},
		"ready: panic": func(f *failover.StepFuncs) {
			f.Ready = func(context.Context, *failover.Env) ([]failover.Finding, error) { panic("oops") }
		},
		"no such volume": func(f *failover.StepFuncs) {
			f.Ready = finds(failover.Finding{Level: failover.LevelFail, Text: "no such volume"})
		},
	}
	for want, change := range tests {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			a := step("a", 0)
			change(&a)
			r := readiness(t, plan(a, step("b", 0)))
			if r.Level != failover.LevelFail || !slices.ContainsFunc(r.Steps[0].Findings, func(f failover.Finding) bool { return strings.Contains(f.Text, want) }) {
				t.Errorf("%v", r)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := newEngine(t, newLocker(t), new(failover.MemoryJournal))
	if _, err := e.Readiness(ctx, plan(step("a", 0)), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := e.Readiness(t.Context(), failover.Plan{}, nil); !errors.Is(err, failover.ErrInvalidPlan) {
		t.Error(err)
	}
}
