package failover_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
)

// reversible is a step of the world whose effect can be taken back, which takes d.
func (w *world) reversible(id string, d time.Duration, needs ...string) failover.StepFuncs {
	f := w.step(id, d, needs...)
	f.Undo = func(ctx context.Context, env *failover.Env) error {
		if err := sleep(ctx, d); err != nil {
			return err
		}
		if err := env.Valid(); err != nil {
			return err
		}
		w.remove(id)
		return nil
	}
	return f
}

// remove takes all effects of a name back.
func (w *world) remove(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.applied, name)
	w.removed = append(w.removed, name)
}

func (w *world) left() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range w.applied {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func incident(t *testing.T, j failover.Journal) failover.Incident {
	t.Helper()
	list, err := j.Incidents(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("incidents: %v, %v", list, err)
	}
	return list[0]
}

func TestRollbackGoesBackwardsThroughTheNeeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		e := newEngine(t, newLocker(t), &j)
		p := plan(w.reversible("a", time.Second), w.reversible("b", time.Second, "a"), w.reversible("c", 3*time.Second, "a"), w.reversible("d", time.Second, "b", "c"))
		if _, err := e.Execute(t.Context(), "i", p); err != nil {
			t.Fatal(err)
		}
		if in := incident(t, &j); in.State != failover.IncidentDone || in.Closed.IsZero() {
			t.Errorf("after the execution: %+v", in)
		}
		began := time.Now()
		tl, err := e.Rollback(t.Context(), "i", p)
		if err != nil || len(w.left()) > 0 {
			t.Fatalf("%v; left: %v", err, w.left())
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %v, want the critical path backwards", took)
		}
		if diff := cmp.Diff([]string{"d", "b", "c", "a"}, w.removed); diff != "" {
			t.Error(diff)
		}
		if in := incident(t, &j); in.State != failover.IncidentRolledBack {
			t.Errorf("after the rollback: %+v", in)
		}
		if text := tl.String(); strings.Count(text, "step undone") != 4 {
			t.Error(text)
		}
		if _, err := e.Execute(t.Context(), "i", p); !errors.Is(err, failover.ErrRolledBack) {
			t.Errorf("executed again: %v", err)
		}
		if _, err := e.Rollback(t.Context(), "i", p); err != nil || len(w.removed) != 4 {
			t.Errorf("rolled back again: %v, %v", err, w.removed)
		}
	})
}

// What is irreversible stays, and so does what it rests on; the rest is taken back.
func TestWhatRestsUnderAnIrreversibleStepStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		e := newEngine(t, newLocker(t), &j)
		promote := w.step("promote", time.Second, "fence")
		p := plan(w.reversible("fence", 0), promote, w.reversible("dns", 0, "promote"), w.reversible("address", 0))
		if _, err := e.Execute(t.Context(), "i", p); err != nil {
			t.Fatal(err)
		}
		for range 2 { // once more: it is the same
			_, err := e.Rollback(t.Context(), "i", p)
			var kept *failover.KeptError
			if !errors.As(err, &kept) || !errors.Is(err, failover.ErrIrreversible) {
				t.Fatal(err)
			}
			want := []failover.KeptStep{{Step: "fence", Why: "step promote needs it and stays"}, {Step: "promote", Why: "irreversible"}}
			if diff := cmp.Diff(want, kept.Steps); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"fence", "promote"}, w.left()); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// A step that was in doubt is looked at: what did not happen is not taken back, and keeps nothing.
func TestRollbackOfAStepInDoubt(t *testing.T) {
	t.Parallel()
	for name, happened := range map[string]bool{"that happened": true, "that did not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := world{lag: time.Second}
				var j failover.MemoryJournal
				e := newEngine(t, newLocker(t), &j)
				ctx, cancel := context.WithCancel(t.Context())
				promote := w.step("promote", 0, "fence")
				promote.Do = func(ctx context.Context, _ *failover.Env) error {
					if happened {
						w.apply("promote")
					}
					cancel() // before it is known what came of it
					return context.Cause(ctx)
				}
				p := plan(w.reversible("fence", 0), promote)
				if _, err := e.Execute(ctx, "i", p); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				_, err := e.Rollback(t.Context(), "i", p)
				if errors.Is(err, failover.ErrIrreversible) != happened || (err == nil) == happened {
					t.Error(err)
				}
				if want := map[bool]int{true: 2, false: 0}[happened]; len(w.left()) != want {
					t.Errorf("left: %v", w.left())
				}
			})
		})
	}
}

// Somebody else's effects are left alone, and so are steps that never began.
func TestRollbackLeavesAloneWhatTheIncidentDidNotDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		w.apply("there")
		e := newEngine(t, newLocker(t), &j)
		never := w.reversible("never", 0, "fails")
		fails := w.reversible("fails", 0, "there")
		fails.Do = func(context.Context, *failover.Env) error { return failover.Permanent(errors.New("no")) }
		undone := false
		never.Undo = func(context.Context, *failover.Env) error { undone = true; return nil }
		p := plan(w.reversible("there", 0), fails, never)
		if _, err := e.Execute(t.Context(), "i", p); err == nil {
			t.Fatal("no error")
		}
		if _, err := e.Rollback(t.Context(), "i", p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"there"}, w.left()); diff != "" || undone || len(w.removed) > 0 {
			t.Error(diff, undone, w.removed)
		}
	})
}

// A rollback that asks for something and waits polls Check; one that fails is repeated, and goes on in another process.
func TestRollbackIsResumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		e := newEngine(t, newLocker(t), &j)
		tries := 0
		slow := w.step("slow", 0, "base")
		slow.Undo = func(context.Context, *failover.Env) error {
			if tries++; tries < 3 {
				return errors.New("not yet")
			}
			time.AfterFunc(time.Minute, func() { w.remove("slow") })
			return failover.ErrInProgress
		}
		p := plan(w.reversible("base", 0), slow)
		if _, err := e.Execute(t.Context(), "i", p); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := e.Rollback(ctx, "i", p); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if in := incident(t, &j); in.State != failover.IncidentRollingBack {
			t.Errorf("%+v", in)
		}
		if _, err := e.Execute(t.Context(), "i", p); !errors.Is(err, failover.ErrRolledBack) {
			t.Errorf("executed in the middle of a rollback: %v", err)
		}
		if _, err := e.Rollback(t.Context(), "i", p); err != nil || len(w.left()) > 0 {
			t.Errorf("%v; left: %v", err, w.left())
		}
	})
}

// A final step cleans up after what failed, also in another execution, and is no part of a rollback.
func TestFinalStepsCleanUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		breaks string // the step that fails for good
		want   []string
	}{
		{"after success", "", []string{"suspend", "work", "resume", "last"}},
		{"after a failure in between", "work", []string{"suspend", "resume"}},
		{"not when nothing began that it cleans up", "first", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var w world
				var mu sync.Mutex
				var did []string
				made := func(id string, needs ...string) failover.StepFuncs {
					f := w.step(id, 0, needs...)
					f.Do = func(context.Context, *failover.Env) error {
						if id == tt.breaks {
							return failover.Permanent(errors.New("broken"))
						}
						mu.Lock()
						defer mu.Unlock()
						did = append(did, id)
						return nil
					}
					return f
				}
				resume := made("resume", "suspend", "work")
				resume.Final = true
				first := made("first")
				first.Do = func(context.Context, *failover.Env) error {
					if tt.breaks == "first" {
						return failover.Permanent(errors.New("broken"))
					}
					return nil
				}
				p := plan(first, made("suspend", "first"), made("work", "suspend"), resume, made("last", "resume", "work"))
				_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", p)
				if (err != nil) != (tt.breaks != "") {
					t.Error(err)
				}
				if diff := cmp.Diff(tt.want, did); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestAPlanThatLacksStepsOfTheJournalIsRefused(t *testing.T) {
	t.Parallel()
	var j failover.MemoryJournal
	e := newEngine(t, newLocker(t), &j)
	if _, err := e.Execute(t.Context(), "i", plan(step("a", 0), step("b", 0))); err != nil {
		t.Fatal(err)
	}
	_, err := e.Execute(t.Context(), "i", plan(step("a", 0), step("c", 0)))
	var changed *failover.PlanChangedError
	if !errors.As(err, &changed) || !slices.Equal(changed.Steps, []string{"b"}) {
		t.Error(err)
	}
}

func TestFactsAreThoseOfTheOpening(t *testing.T) {
	t.Parallel()
	var j failover.MemoryJournal
	e := newEngine(t, newLocker(t), &j)
	var saw []string
	a := step("a", 0)
	a.Do = func(_ context.Context, env *failover.Env) error {
		saw = append(saw, env.Facts["target"])
		if len(saw) == 1 {
			return failover.Permanent(errors.New("no"))
		}
		return nil
	}
	for _, target := range []string{"i-1", "i-2"} {
		_, _ = e.Execute(t.Context(), "i", plan(a), func(o *failover.ExecOptions) {
			o.Facts, o.Cause = map[string]string{"target": target}, "zone a is down"
		})
	}
	if diff := cmp.Diff([]string{"i-1", "i-1"}, saw); diff != "" {
		t.Error(diff)
	}
	if in := incident(t, &j); in.Facts["target"] != "i-1" || in.State != failover.IncidentDone || in.Service != "orders" || in.ID != "i" {
		t.Errorf("%+v", in)
	}
}

// What is abandoned is closed, and opened again by whoever executes it.
func TestAnAbandonedIncidentCanBeOpenedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		e := newEngine(t, newLocker(t), &j)
		mended := false
		move := w.step("move", 0, "fence")
		do := move.Do
		move.Do = func(ctx context.Context, env *failover.Env) error {
			if !mended {
				return failover.Permanent(errors.New("denied"))
			}
			return do(ctx, env)
		}
		p := plan(w.step("fence", 0), move)
		if _, err := e.Execute(t.Context(), "i", p); err == nil {
			t.Fatal("no error")
		}
		if err := e.Abandon(t.Context(), "orders", "i", "looked after"); err != nil {
			t.Fatal(err)
		}
		if in := incident(t, &j); in.State != failover.IncidentAbandoned || in.Closed.IsZero() || in.Detail != "looked after" {
			t.Errorf("%+v", in)
		}
		mended = true
		if _, err := e.Execute(t.Context(), "i", p); err != nil || len(w.times("fence")) != 1 || len(w.times("move")) != 1 {
			t.Errorf("%v: %v", err, w.left())
		}
		if in := incident(t, &j); in.State != failover.IncidentDone {
			t.Errorf("%+v", in)
		}
		var field *failover.FieldError
		if err := e.Abandon(t.Context(), "", "i", ""); !errors.As(err, &field) || field.Field != "service" {
			t.Error(err)
		}
	})
}

// Cancelling an execution ends it at once, whatever its steps wait for, and leaves it to be resumed.
func TestCancellingReturnsAtOnceAndLeavesAResumableJournal(t *testing.T) {
	t.Parallel()
	for after := time.Duration(0); after < 12*time.Second; after += 333 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			w := world{lag: time.Second}
			journal, err := failover.NewJournal(&slowStore{Store: new(failover.MemoryStore)})
			if err != nil {
				t.Fatal(err)
			}
			e := newEngine(t, newLocker(t), journal)
			slow := w.step("slow", 0, "a")
			do := slow.Do
			slow.Do = func(ctx context.Context, env *failover.Env) error { // done, and seen a while later
				if err := do(ctx, env); err != nil {
					return err
				}
				return failover.ErrInProgress
			}
			p := plan(w.step("a", 3*time.Second), slow, w.step("b", 3*time.Second, "slow"), w.step("c", 5*time.Second))
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			began := time.Now()
			_, err = e.Execute(ctx, "i", p)
			if took := time.Since(began); took > after+100*time.Millisecond || err == nil != (took < after) {
				t.Errorf("cancelled after %v: it returned after %v: %v", after, took, err)
			}
			if _, err := e.Execute(t.Context(), "i", p); err != nil {
				t.Errorf("cancelled after %v: %v", after, err)
			}
			for _, id := range []string{"a", "slow", "b", "c"} {
				if n := len(w.times(id)); n != 1 {
					t.Errorf("cancelled after %v: %s has %d effects", after, id, n)
				}
			}
		})
	}
}
