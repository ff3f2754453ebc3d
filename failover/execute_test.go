package failover_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/failovermock"
)

func TestExecuteTakesExactlyTheCriticalPath(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			var w world
			p := randomPlan(rand.New(rand.NewPCG(seed, 2)), 1+int(seed), w.step)
			want := longest(p)
			e := newEngine(t, newLocker(t), new(failover.MemoryJournal))

			began := time.Now()
			if _, err := e.Execute(t.Context(), "i", p); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if took := time.Since(began); took != want {
				t.Fatalf("seed %d: took %s, the critical path is %s", seed, took, want)
			}
			for _, s := range p.Steps {
				if n := len(w.times(s.ID())); n != 1 {
					t.Fatalf("seed %d: %s has %d effects", seed, s.ID(), n)
				}
			}
		})
	}
}

// records returns the journal of an incident without times.
func records(t *testing.T, j failover.Journal, incident string) []failover.Record {
	t.Helper()
	log, err := j.Open(t.Context(), "orders", incident, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := log.Replay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rs = slices.DeleteFunc(rs, func(r failover.Record) bool { return r.Step == "" })
	for i := range rs {
		if rs[i].Time.IsZero() {
			t.Errorf("record %d has no time", i)
		}
		rs[i].Time = time.Time{}
	}
	return rs
}

func record(phase failover.Phase, attempt int, detail string) failover.Record {
	return failover.Record{Version: 1, Service: "orders", Incident: "i", Step: "a", Attempt: attempt, Phase: phase, Token: 1, Detail: detail}
}

// TestStep runs a plan of one step.
func TestStep(t *testing.T) {
	t.Parallel()
	errLost := errors.New("reply lost")
	type call = func(n int, w *world) error
	type look = func(n int, w *world) (failover.State, error)
	seen := func(_ int, w *world) (failover.State, error) { return w.see("a"), nil }

	tests := []struct {
		name    string
		check   look
		do      call
		opts    failover.Options
		err     error // which the error must match; nil for success
		effects int
		checks  int // 0 = not looked at
		took    time.Duration
		journal []failover.Record
	}{
		{
			name: "is done", check: seen,
			do:      func(_ int, w *world) error { w.apply("a"); return nil },
			effects: 1, checks: 1,
			journal: []failover.Record{record(failover.PhaseIntent, 1, ""), record(failover.PhaseDone, 1, "")},
		},
		{
			name:    "is skipped if Check says done",
			check:   func(int, *world) (failover.State, error) { return failover.Done, nil },
			journal: []failover.Record{record(failover.PhaseSkipped, 0, "")},
			checks:  1,
		},
		{
			name:    "fails at once if Check says impossible",
			check:   func(int, *world) (failover.State, error) { return failover.Impossible, nil },
			err:     failover.ErrImpossible,
			checks:  1,
			journal: []failover.Record{record(failover.PhaseFailed, 0, "check: impossible in the present state")},
		},
		{
			name:    "fails at once if Check forgets to answer",
			check:   func(int, *world) (failover.State, error) { return 0, nil },
			err:     textError("check: State(0) is not an answer"),
			checks:  1,
			journal: []failover.Record{record(failover.PhaseFailed, 0, "check: State(0) is not an answer")},
		},
		{
			name: "is polled, not done, while somebody else's effect is in progress",
			check: func(n int, _ *world) (failover.State, error) {
				if n <= 5 {
					return failover.InProgress, nil
				}
				return failover.Done, nil
			},
			checks:  6,
			journal: []failover.Record{record(failover.PhaseDone, 0, "")},
		},
		{
			name: "is polled, not repeated, after Do says in progress",
			check: func(n int, w *world) (failover.State, error) {
				if n > 1 && n <= 5 {
					return failover.InProgress, nil
				}
				return w.see("a"), nil
			},
			do:      func(_ int, w *world) error { w.apply("a"); return failover.ErrInProgress },
			effects: 1, checks: 6,
			journal: []failover.Record{record(failover.PhaseIntent, 1, ""), record(failover.PhaseDone, 1, "")},
		},
		{
			name: "whose reply is lost is found by Check", check: seen,
			do:      func(_ int, w *world) error { w.apply("a"); return errLost },
			effects: 1,
			journal: []failover.Record{record(failover.PhaseIntent, 1, ""), record(failover.PhaseDone, 1, "")},
		},
		{
			name: "is repeated if it really did not happen", check: seen,
			do: func(n int, w *world) error {
				if n < 3 {
					return errLost
				}
				w.apply("a")
				return nil
			},
			effects: 1,
			journal: []failover.Record{
				record(failover.PhaseIntent, 1, ""), record(failover.PhaseIntent, 2, ""), record(failover.PhaseIntent, 3, ""),
				record(failover.PhaseDone, 3, ""),
			},
		},
		{
			name: "is not repeated after a permanent error", check: seen,
			do:     func(int, *world) error { return failover.Permanent(errLost) },
			err:    errLost,
			checks: 1,
			journal: []failover.Record{
				record(failover.PhaseIntent, 1, ""), record(failover.PhaseFailed, 1, "do: reply lost"),
			},
		},
		{
			name: "is given up after MaxAttempts, and only when Check has said so", check: seen,
			do:   func(int, *world) error { return errLost },
			opts: failover.Options{MaxAttempts: 2},
			err:  errLost,
			journal: []failover.Record{
				record(failover.PhaseIntent, 1, ""), record(failover.PhaseIntent, 2, ""),
				record(failover.PhaseFailed, 2, "not done after 2 tries: do: reply lost"),
			},
		},
		{
			name: "whose last try was applied is done in spite of MaxAttempts", check: seen,
			do: func(n int, w *world) error {
				if n == 2 {
					w.apply("a")
				}
				return errLost
			},
			opts:    failover.Options{MaxAttempts: 2},
			effects: 1,
			journal: []failover.Record{
				record(failover.PhaseIntent, 1, ""), record(failover.PhaseIntent, 2, ""), record(failover.PhaseDone, 2, ""),
			},
		},
		{
			name: "runs into its timeout with its last error at hand",
			check: func(int, *world) (failover.State, error) {
				return 0, errLost
			},
			opts: failover.Options{StepTimeout: time.Minute},
			err:  failover.ErrStepTimeout, took: time.Minute,
			journal: []failover.Record{record(failover.PhaseFailed, 0, "step timeout after 1m0s")},
		},
		{
			name: "turns a panic into an error", check: seen,
			do:     func(int, *world) error { panic("boom") },
			err:    textError("panic: boom"),
			checks: 1,
			journal: []failover.Record{
				record(failover.PhaseIntent, 1, ""), record(failover.PhaseFailed, 1, "do: panic: boom"),
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var (
					w           = world{lag: time.Second} // within the default ReadLag
					checks, dos int
					j           failover.MemoryJournal
				)
				s := step("a", 0)
				s.Check = func(context.Context, *failover.Env) (failover.State, error) { checks++; return tt.check(checks, &w) }
				s.Do = func(_ context.Context, env *failover.Env) error {
					dos++
					if env.Attempt != dos {
						t.Errorf("call %d of Do is attempt %d", dos, env.Attempt)
					}
					if tt.do == nil {
						t.Error("Do was called")
						return nil
					}
					return tt.do(dos, &w)
				}
				e := newEngine(t, newLocker(t), &j, func(o *failover.Options) { *o = tt.opts })
				began := time.Now()
				tl, err := e.Execute(t.Context(), "i", plan(s))
				if (err == nil) != (tt.err == nil) || tt.err != nil && !matches(err, tt.err) {
					t.Fatalf("error is %v, want %v", err, tt.err)
				}
				if tt.took != 0 && time.Since(began) != tt.took {
					t.Errorf("took %s, want %s", time.Since(began), tt.took)
				}
				if n := len(w.times("a")); n != tt.effects {
					t.Errorf("%d effects, want %d", n, tt.effects)
				}
				if tt.checks != 0 && checks != tt.checks {
					t.Errorf("%d checks, want %d", checks, tt.checks)
				}
				if diff := cmp.Diff(tt.journal, records(t, &j, "i")); diff != "" {
					t.Errorf("journal (-want +got):\n%s", diff)
				}
				var se *failover.StepError
				if err != nil && (!errors.As(err, &se) || se.Step != "a" || se.Incident != "i") {
					t.Errorf("no StepError of step a of incident i in %v", err)
				}
				if len(tl.Steps()) != 1 {
					t.Errorf("timeline reports steps %v", tl.Steps())
				}
			})
		})
	}
}

// textError stands for any error whose text contains it.
type textError string

func (e textError) Error() string { return string(e) }

func matches(err, want error) bool {
	var text textError
	return errors.Is(err, want) || errors.As(want, &text) && strings.Contains(err.Error(), string(text))
}

func TestPanicKeepsItsStackAndItsError(t *testing.T) {
	t.Parallel()
	errBug := errors.New("bug")
	s := step("a", 0)
	s.Do = func(context.Context, *failover.Env) error { panic(errBug) }
	_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(s))
	var pe *failover.PanicError
	if !errors.As(err, &pe) || !errors.Is(err, errBug) || !bytes.Contains(pe.Stack, []byte("execute_test.go")) {
		t.Errorf("error %v has no PanicError with the stack of the step", err)
	}
}

func TestStepThatEndsItsGoroutineFails(t *testing.T) {
	t.Parallel()
	s := step("a", 0)
	s.Do = func(context.Context, *failover.Env) error { runtime.Goexit(); return nil }
	tl, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(s))
	if err == nil || !matches(err, textError("step a: attempt 1: the step ended its goroutine")) || tl.Steps()[0].Outcome != failover.KindStepFailed {
		t.Errorf("error is %v, timeline\n%v", err, tl)
	}
}

func TestFailureStopsOnlyWhatNeedsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		errNo := errors.New("no capacity")
		launch := step("launch", 0)
		launch.Do = func(context.Context, *failover.Env) error { return failover.Permanent(errNo) }
		p := plan(launch, w.step("attach", time.Second, "launch"), w.step("verify", time.Second, "attach"),
			w.step("dns", time.Minute), w.step("drain", time.Minute, "dns"))

		tl, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", p)

		var ee *failover.ExecuteError
		if !errors.As(err, &ee) || !errors.Is(err, errNo) {
			t.Fatalf("error is %v, want an ExecuteError that matches the step's", err)
		}
		if ee.Cause != nil || len(ee.Steps) != 1 || ee.Steps[0].Step != "launch" || !cmp.Equal(ee.NotRun, []string{"attach", "verify"}) {
			t.Errorf("error is %v", err)
		}
		if want := "failover: incident i of orders: step launch: attempt 1: do: no capacity; not run: attach, verify"; err.Error() != want {
			t.Errorf("error reads %q, want %q", err, want)
		}
		if len(w.times("drain")) != 1 {
			t.Error("a step that does not depend on the failed one was not done")
		}
		outcomes := map[string]failover.Kind{}
		for _, s := range tl.Steps() {
			outcomes[s.ID] = s.Outcome
		}
		if diff := cmp.Diff(map[string]failover.Kind{
			"launch": failover.KindStepFailed, "attach": failover.KindStepNotRun, "verify": failover.KindStepNotRun,
			"dns": failover.KindStepDone, "drain": failover.KindStepDone,
		}, outcomes); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
	})
}

func TestFailedIncidentResumesWithWhatIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		broken := true
		b := w.step("b", time.Second, "a")
		do := b.Do
		b.Do = func(ctx context.Context, env *failover.Env) error {
			if broken {
				return failover.Permanent(errors.New("denied"))
			}
			return do(ctx, env)
		}
		p := plan(w.step("a", time.Second), b, w.step("c", time.Second, "b"))
		e := newEngine(t, newLocker(t), &j)
		if _, err := e.Execute(t.Context(), "i", p); err == nil {
			t.Fatal("no error")
		}
		broken = false
		tl, err := e.Execute(t.Context(), "i", p)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"a", "b", "c"} {
			if n := len(w.times(id)); n != 1 {
				t.Errorf("%s has %d effects", id, n)
			}
		}
		got := map[string]int{}
		for _, s := range tl.Steps() {
			got[s.ID+" "+string(s.Outcome)] = s.Attempt
		}
		if diff := cmp.Diff(map[string]int{"a step skipped": 1, "b step done": 2, "c step done": 1}, got); diff != "" {
			t.Errorf("steps and attempts (-want +got):\n%s", diff)
		}
	})
}

func TestBudgetStopsThePlan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		p := plan(w.step("a", 20*time.Second), w.step("b", 20*time.Second, "a"), w.step("c", time.Second, "b"))
		p.Budget = 30 * time.Second
		began := time.Now()
		_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", p)
		if took := time.Since(began); took != p.Budget {
			t.Errorf("took %s, want %s", took, p.Budget)
		}
		const want = "failover: incident i of orders: plan budget spent after 30s; step b: attempt 1: plan budget spent after 30s; not run: c"
		if !errors.Is(err, failover.ErrBudgetSpent) || err.Error() != want {
			t.Errorf("error is %q, want %q", err, want)
		}
		if len(w.times("a")) != 1 || len(w.times("b")) != 0 {
			t.Error("a was not done or b was")
		}
	})
}

func TestBudgetCoversTheWaitForTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locker := newLocker(t)
		lease, err := locker.Acquire(t.Context(), "orders", failover.LeaseOptions{Holder: "somebody"})
		if err != nil {
			t.Fatal(err)
		}
		defer lease.Release(t.Context())
		p := plan(step("a", 0))
		p.Budget = time.Minute
		_, err = newEngine(t, locker, new(failover.MemoryJournal)).Execute(t.Context(), "i", p)
		const want = `failover: incident i of orders: acquire lease: lease orders: held by "somebody": plan budget spent after 1m0s; not run: a`
		if !errors.Is(err, failover.ErrBudgetSpent) || err.Error() != want {
			t.Errorf("error is %q, want %q", err, want)
		}
	})
}

func TestCancellationReturnsPromptlyAndLeavesAJournalToResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		locker := newLocker(t)
		p := plan(w.step("a", 10*time.Second), w.step("b", 10*time.Second, "a"))
		errStop := errors.New("operator said stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(15*time.Second, func() { cancel(errStop) })
		began := time.Now()
		_, err := newEngine(t, locker, &j).Execute(ctx, "i", p)
		if took := time.Since(began); took != 15*time.Second || !errors.Is(err, errStop) {
			t.Fatalf("took %s, error %v", took, err)
		}
		if _, err := newEngine(t, locker, &j).Execute(t.Context(), "i", p); err != nil {
			t.Fatal(err)
		}
		if len(w.times("a")) != 1 || len(w.times("b")) != 1 {
			t.Errorf("effects: a %d, b %d, want 1 each", len(w.times("a")), len(w.times("b")))
		}
		for _, r := range records(t, &j, "i") {
			if r.Phase == failover.PhaseFailed {
				t.Errorf("a cancelled step is recorded as failed: %+v", r)
			}
		}
	})
}

func TestOutcomeIsRecordedThoughCancelledMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j failover.MemoryJournal
		ctx, cancel := context.WithCancel(t.Context())
		a, b := step("a", 0), step("b", 0, "a")
		a.Do = func(context.Context, *failover.Env) error { cancel(); return nil }
		b.Check = func(context.Context, *failover.Env) (failover.State, error) {
			t.Error("a step began after the cancellation")
			return failover.NotDone, nil
		}
		_, err := newEngine(t, newLocker(t), &j).Execute(ctx, "i", plan(a, b))
		var ee *failover.ExecuteError
		if !errors.As(err, &ee) || !errors.Is(err, context.Canceled) || len(ee.Steps) != 0 || !cmp.Equal(ee.NotRun, []string{"b"}) {
			t.Errorf("error is %v", err)
		}
		want := []failover.Record{record(failover.PhaseIntent, 1, ""), record(failover.PhaseDone, 1, "")}
		if diff := cmp.Diff(want, records(t, &j, "i")); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

func TestOutputsReachStepsThatNeedThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j failover.MemoryJournal
		locker := newLocker(t)
		launch := step("launch", 0)
		launch.Do = func(_ context.Context, env *failover.Env) error { env.Put("instance", "i-1"); return nil }
		broken := true
		var got []map[string]map[string]string
		attach := step("attach", 0, "launch")
		attach.Do = func(_ context.Context, env *failover.Env) error {
			got = append(got, env.Inputs)
			if broken {
				return failover.Permanent(errors.New("denied"))
			}
			return nil
		}
		stranger := step("stranger", 0)
		stranger.Do = func(_ context.Context, env *failover.Env) error {
			if len(env.Inputs) != 0 {
				t.Errorf("a step that needs nothing has inputs %v", env.Inputs)
			}
			return nil
		}
		p := plan(launch, attach, stranger)
		if _, err := newEngine(t, locker, &j).Execute(t.Context(), "i", p); err == nil {
			t.Fatal("no error")
		}
		broken = false
		if _, err := newEngine(t, locker, &j).Execute(t.Context(), "i", p); err != nil {
			t.Fatal(err)
		}
		in := map[string]map[string]string{"launch": {"instance": "i-1"}}
		if diff := cmp.Diff([]map[string]map[string]string{in, in}, got); diff != "" {
			t.Errorf("inputs of both executions (-want +got):\n%s", diff)
		}
	})
}

func TestOutputsOfAnEffectThatWasFoundByCheckAreKept(t *testing.T) {
	t.Parallel()
	launch := step("launch", 0)
	launch.Check = func(_ context.Context, env *failover.Env) (failover.State, error) {
		env.Put("instance", "i-1")
		return failover.Done, nil
	}
	wantInput(t, launch)
}

func TestOutputsOfAnEffectThatIsInProgressAreKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked bool
		launch := step("launch", 0)
		launch.Check = func(context.Context, *failover.Env) (failover.State, error) {
			if asked {
				return failover.Done, nil
			}
			return failover.NotDone, nil
		}
		launch.Do = func(_ context.Context, env *failover.Env) error {
			asked = true
			env.Put("instance", "i-1")
			return failover.ErrInProgress
		}
		wantInput(t, launch)
	})
}

func TestWhatIsSavedOutlivesAnErrorAndACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j failover.MemoryJournal
		locker := newLocker(t)
		var tries, sent []string
		dying, die := context.WithCancel(t.Context())
		launch := step("launch", 0)
		launch.Check = func(ctx context.Context, env *failover.Env) (failover.State, error) {
			if err := env.Save(ctx); err == nil {
				t.Error("a check has saved")
			}
			return failover.NotDone, nil
		}
		launch.Do = func(ctx context.Context, env *failover.Env) error {
			last := env.Outputs()["candidate"]
			tries = append(tries, last)
			next := map[string]string{"": "zone 1", "zone 1": "zone 2", "zone 2": "zone 3"}[last]
			env.Put("candidate", next)
			if err := env.Save(ctx); err != nil {
				return err
			}
			env.Put("candidate", "never saved")
			sent = append(sent, next)
			switch next {
			case "zone 1":
				return errors.New("no capacity")
			case "zone 2":
				die()
				return ctx.Err()
			}
			return nil
		}
		p := plan(launch)
		if _, err := newEngine(t, locker, &j).Execute(dying, "i", p); err == nil {
			t.Fatal("no error")
		}
		if _, err := newEngine(t, locker, &j).Execute(t.Context(), "i", p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"", "zone 1", "zone 2"}, tries); diff != "" {
			t.Errorf("what Do found (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"zone 1", "zone 2", "zone 3"}, sent); diff != "" {
			t.Errorf("what was sent (-want +got):\n%s", diff)
		}
	})
}

func TestNothingIsSavedUnderANewerToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j failover.MemoryJournal
		launch := step("launch", 0)
		launch.Do = func(ctx context.Context, env *failover.Env) error {
			if _, err := j.Open(ctx, env.Service, env.Incident, env.Fence.Token()+1); err != nil {
				t.Error(err)
			}
			env.Put("candidate", "zone 1")
			err := env.Save(ctx)
			if !errors.Is(err, failover.ErrFenced) {
				t.Errorf("save: %v", err)
			}
			return err
		}
		if _, err := newEngine(t, newLocker(t), &j).Execute(t.Context(), "i", plan(launch)); !errors.Is(err, failover.ErrFenced) {
			t.Error(err)
		}
	})
}

// wantInput executes launch and two steps that need it, and what one of them does to its inputs is nothing to the other.
func wantInput(t *testing.T, launch failover.StepFuncs) {
	t.Helper()
	uses := func(id string) failover.StepFuncs {
		f := step(id, 0, "launch")
		f.Do = func(_ context.Context, env *failover.Env) error {
			if got := env.Inputs["launch"]["instance"]; got != "i-1" {
				t.Errorf("%s has the input %q, want i-1", id, got)
			}
			delete(env.Inputs["launch"], "instance")
			return nil
		}
		return f
	}
	_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(launch, uses("attach"), uses("tag")))
	if err != nil {
		t.Error(err)
	}
}

func TestStepWithoutDoWaitsForItsCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j failover.MemoryJournal
		began := time.Now()
		a := step("a", 0)
		a.Check = func(context.Context, *failover.Env) (failover.State, error) {
			if time.Since(began) < time.Minute {
				return failover.NotDone, nil
			}
			return failover.Done, nil
		}
		if _, err := newEngine(t, newLocker(t), &j).Execute(t.Context(), "i", plan(a)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < time.Minute || took > time.Minute+2*time.Second {
			t.Errorf("took %s, want a minute and a poll", took)
		}
		if diff := cmp.Diff([]failover.Record{record(failover.PhaseDone, 0, "")}, records(t, &j, "i")); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
	})
}

func TestStepHasATimeoutOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		a := w.step("a", time.Hour)
		a.Timeout = time.Minute
		began := time.Now()
		_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(a))
		const want = "failover: incident i of orders: step a: attempt 1: step timeout after 1m0s"
		if !errors.Is(err, failover.ErrStepTimeout) || err.Error() != want || time.Since(began) != time.Minute {
			t.Errorf("after %s: error is %q, want %q", time.Since(began), err, want)
		}
	})
}

func TestRepetitionWaitsForTheReadLagAndNoLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Time
		a := step("a", 0)
		a.Do = func(context.Context, *failover.Env) error {
			calls = append(calls, time.Now())
			if len(calls) < 3 {
				return failover.ErrInProgress
			}
			return nil
		}
		e := newEngine(t, newLocker(t), new(failover.MemoryJournal), func(o *failover.Options) {
			o.ReadLag, o.PollInterval = 7*time.Second, time.Minute
		})
		if _, err := e.Execute(t.Context(), "i", plan(a)); err != nil {
			t.Fatal(err)
		}
		for i := range calls[1:] {
			if pause := calls[i+1].Sub(calls[i]); pause != 7*time.Second {
				t.Errorf("Do was repeated after %s, want 7s", pause)
			}
		}
	})
}

func TestRetriesBackOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Duration
		began := time.Now()
		a := step("a", 0)
		a.Timeout = 10 * time.Minute
		a.Check = func(context.Context, *failover.Env) (failover.State, error) {
			calls = append(calls, time.Since(began))
			return 0, errors.New("throttled")
		}
		e := newEngine(t, newLocker(t), new(failover.MemoryJournal), func(o *failover.Options) {
			o.RetryBase, o.RetryMax = time.Second, 8*time.Second
		})
		if _, err := e.Execute(t.Context(), "i", plan(a)); err == nil {
			t.Fatal("no error")
		}
		for i, limit := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second} {
			if pause := calls[i+1] - calls[i]; pause > limit+1 {
				t.Errorf("pause %d is %s, want at most %s", i, pause, limit)
			}
		}
		var longest time.Duration
		for i := range calls[1:] {
			longest = max(longest, calls[i+1]-calls[i])
		}
		// About 150 pauses drawn evenly from 0 to 8 s: that none exceeds 6 s has a chance of 1 in 10^18.
		if n := len(calls); longest > 8*time.Second+1 || longest < 6*time.Second || n < 100 || n > 250 {
			t.Errorf("%d calls in 10 minutes, longest pause %s", n, longest)
		}
	})
}

func TestLeaseIsReleasedAfterTheLastStepWhateverBecameOfTheContext(t *testing.T) {
	t.Parallel()
	errDown := errors.New("table is down")
	var running atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	lease := &failovermock.LeaseMock{
		TokenFunc:   func() uint64 { return 1 },
		ValidFunc:   func() error { return nil },
		ContextFunc: context.Background,
		ReleaseFunc: func(ctx context.Context) error {
			if _, bounded := ctx.Deadline(); ctx.Err() != nil || !bounded || running.Load() {
				t.Errorf("released with the context %v while a step runs: %v", ctx.Err(), running.Load())
			}
			return errDown
		},
	}
	locker := &failovermock.LockerMock{AcquireFunc: func(context.Context, string, failover.LeaseOptions) (failover.Lease, error) {
		return lease, nil
	}}
	a := step("a", 0)
	a.Do = func(context.Context, *failover.Env) error {
		running.Store(true)
		defer running.Store(false)
		cancel()
		return nil
	}
	tl, err := newEngine(t, locker, new(failover.MemoryJournal)).Execute(ctx, "i", plan(a))
	if err != nil || len(lease.ReleaseCalls()) != 1 || len(locker.AcquireCalls()) != 1 {
		t.Errorf("error %v, acquired %d times, released %d times", err, len(locker.AcquireCalls()), len(lease.ReleaseCalls()))
	}
	if call := locker.AcquireCalls()[0]; call.Name != "orders" || call.O.Holder != "i" {
		t.Errorf("acquired %q for %q", call.Name, call.O.Holder)
	}
	events := tl.Events()
	if ev := events[len(events)-2]; ev.Kind != failover.KindReleaseError || !errors.Is(ev.Err, errDown) {
		t.Errorf("the event before the end is %q with %v", ev.Kind, ev.Err)
	}
}

func TestClientTokenIsStableAndDistinct(t *testing.T) {
	t.Parallel()
	token := func(incident, step string, parts ...string) string {
		return (&failover.Env{Incident: incident, Step: step, Attempt: len(parts)}).ClientToken(parts...)
	}
	// Pinned: a controller of another version that resumes an incident must send the same token.
	if got, want := token("i", "launch"), "10808763bb6f1fcb7afcdd3770760092c49252bc"; got != want {
		t.Errorf("token is %s, want %s", got, want)
	}
	seen := map[string]bool{}
	for _, tok := range []string{
		token("i", "launch"), token("i", "launc", "h"), token("il", "aunch"), token("i", "launch", ""), token("i", "launch", "a", "b"),
		token("i", "launch", "ab"), token("i", "launch", "b", "a"), token("i", "launch", "1:a,"),
	} {
		if seen[tok] || len(tok) > 64 || strings.Trim(tok, "0123456789abcdef") != "" {
			t.Errorf("token %q is repeated, too long or not hexadecimal", tok)
		}
		seen[tok] = true
	}
}

func TestEnvWithoutAFenceAllowsNothing(t *testing.T) {
	t.Parallel()
	if err := new(failover.Env).Valid(); !errors.Is(err, failover.ErrFenced) {
		t.Errorf("Valid returns %v", err)
	}
}

func TestFenceAsksTheLeaseItself(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool // the lease knows before its context has ended
	lease := &failovermock.LeaseMock{
		TokenFunc:   func() uint64 { return 1 },
		ContextFunc: context.Background,
		ReleaseFunc: func(context.Context) error { return nil },
		ValidFunc: func() error {
			if gone.Load() {
				return failover.ErrLeaseLost
			}
			return nil
		},
	}
	locker := &failovermock.LockerMock{AcquireFunc: func(context.Context, string, failover.LeaseOptions) (failover.Lease, error) {
		return lease, nil
	}}
	a := step("a", 0)
	a.Do = func(_ context.Context, env *failover.Env) error { gone.Store(true); return env.Valid() }
	if _, err := newEngine(t, locker, new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(a)); !errors.Is(err, failover.ErrLeaseLost) {
		t.Errorf("error is %v", err)
	}
}

func TestGoroutineThatOutlivesItsStepIsFenced(t *testing.T) {
	t.Parallel()
	var fence failover.Fence
	a, b := step("a", 0), step("b", 0, "a")
	a.Do = func(_ context.Context, env *failover.Env) error { fence = env.Fence; return fence.Valid() }
	b.Do = func(_ context.Context, env *failover.Env) error {
		if env.Valid() != nil || fence.Valid() == nil || fence.Token() != 1 {
			t.Errorf("fence of the running step: %v, of the ended one: %v", env.Valid(), fence.Valid())
		}
		return nil
	}
	if _, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(a, b)); err != nil {
		t.Error(err)
	}
}

func TestHookSeesEveryEventAndMayPanic(t *testing.T) {
	t.Parallel()
	var (
		mu     sync.Mutex
		kinds  []failover.Kind
		logged bytes.Buffer
	)
	a := step("a", 0)
	a.Do = func(_ context.Context, env *failover.Env) error { env.Note("request %s", "r-1"); return nil }
	e := newEngine(t, newLocker(t), new(failover.MemoryJournal), func(o *failover.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		o.OnEvent = func(_ context.Context, ev failover.Event) {
			mu.Lock()
			defer mu.Unlock()
			kinds = append(kinds, ev.Kind)
			if ev.Kind == failover.KindNote {
				panic("hook")
			}
		}
	})
	tl, err := e.Execute(t.Context(), "i", plan(a))
	if err != nil {
		t.Fatal(err)
	}
	want := []failover.Kind{
		failover.KindStarted, failover.KindLeased, failover.KindStepStarted, failover.KindStepDo, failover.KindNote,
		failover.KindStepDone, failover.KindEnded,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	var inTimeline []failover.Kind
	for _, ev := range tl.Events() {
		inTimeline = append(inTimeline, ev.Kind)
	}
	if diff := cmp.Diff(want, inTimeline); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	for _, want := range []string{"OnEvent panicked", "panic=hook", `detail="request r-1"`, "step=a"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log has no %s:\n%s", want, &logged)
		}
	}
}

func TestUnknownOutcomeOfAnAppendIsAppendedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		var lost atomic.Int32
		flaky := &failovermock.JournalMock{OpenFunc: func(ctx context.Context, _, incident string, token uint64) (failover.Log, error) {
			log, err := j.Open(ctx, "orders", incident, token)
			return &failovermock.LogMock{
				ReplayFunc: log.Replay,
				AppendFunc: func(ctx context.Context, r failover.Record) error {
					if err := log.Append(ctx, r); err != nil {
						return err
					}
					if lost.Add(1)%2 == 1 {
						return errors.New("reply lost")
					}
					return nil
				},
			}, err
		}}
		if _, err := newEngine(t, newLocker(t), flaky).Execute(t.Context(), "i", plan(w.step("a", time.Second))); err != nil {
			t.Fatal(err)
		}
		intent, done := record(failover.PhaseIntent, 1, ""), record(failover.PhaseDone, 1, "")
		if diff := cmp.Diff([]failover.Record{intent, intent, done, done}, records(t, &j, "i")); diff != "" {
			t.Errorf("journal (-want +got):\n%s", diff)
		}
		if len(w.times("a")) != 1 {
			t.Errorf("%d effects", len(w.times("a")))
		}
	})
}

func TestJournalThatCannotTakeTheIntentPreventsTheEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		errDown := errors.New("table is down")
		down := &failovermock.JournalMock{OpenFunc: func(context.Context, string, string, uint64) (failover.Log, error) {
			return &failovermock.LogMock{
				ReplayFunc: func(context.Context) ([]failover.Record, error) { return nil, nil },
				AppendFunc: func(_ context.Context, r failover.Record) error {
					if r.Step == "" {
						return nil
					}
					return errDown
				},
			}, nil
		}}
		_, err := newEngine(t, newLocker(t), down).Execute(t.Context(), "i", plan(w.step("a", time.Second)))
		if !errors.Is(err, failover.ErrStepTimeout) || !errors.Is(err, errDown) || len(w.times("a")) != 0 {
			t.Errorf("%d effects, error %v", len(w.times("a")), err)
		}
	})
}

func TestStoresThatCannotBeOpenedEndTheExecution(t *testing.T) {
	t.Parallel()
	errDown := errors.New("table is down")
	downLocker := &failovermock.LockerMock{AcquireFunc: func(context.Context, string, failover.LeaseOptions) (failover.Lease, error) {
		return nil, errDown
	}}
	downJournal := &failovermock.JournalMock{OpenFunc: func(context.Context, string, string, uint64) (failover.Log, error) { return nil, errDown }}
	replaying := func(r failover.Record, err error) failover.Journal {
		return &failovermock.JournalMock{OpenFunc: func(context.Context, string, string, uint64) (failover.Log, error) {
			return &failovermock.LogMock{ReplayFunc: func(context.Context) ([]failover.Record, error) { return []failover.Record{r}, err }}, nil
		}}
	}
	past, future, foreign, odd := record(failover.PhaseDone, 1, ""), record(failover.PhaseDone, 1, ""), record(failover.PhaseDone, 1, ""), record("odd", 1, "")
	past.Version, future.Version, foreign.Incident = 0, 2, "j"
	for _, tt := range []struct {
		name    string
		locker  failover.Locker
		journal failover.Journal
		text    string
	}{
		{"locker down", downLocker, new(failover.MemoryJournal), "acquire lease: table is down"},
		{"journal down", newLocker(t), downJournal, "open journal: table is down"},
		{"replay fails", newLocker(t), replaying(failover.Record{}, errDown), "replay journal: table is down"},
		{"record without a version", newLocker(t), replaying(past, nil), "replay journal: record 1: version 0 is none"},
		{"record of a later version", newLocker(t), replaying(future, nil), "replay journal: record 1: version 2: written by a newer version"},
		{"record of another incident", newLocker(t), replaying(foreign, nil), `replay journal: record 1: belongs to incident "j" of service "orders"`},
		{"record of an unknown phase", newLocker(t), replaying(odd, nil), `replay journal: record 1: unknown phase "odd"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, tt.locker, tt.journal, func(o *failover.Options) { o.StepTimeout, o.RetryBase = time.Millisecond, time.Microsecond })
			_, err := e.Execute(t.Context(), "i", plan(step("a", 0), step("b", 0)))
			if want := "failover: incident i of orders: " + tt.text + "; not run: a, b"; err == nil || err.Error() != want {
				t.Errorf("error is %q, want %q", err, want)
			}
		})
	}
}

func TestLeaseLostWhileTheJournalOpensIsTheCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locker := newLocker(t)
		slow := &failovermock.JournalMock{OpenFunc: func(ctx context.Context, _, _ string, _ uint64) (failover.Log, error) {
			locker.Cut("orders")
			<-ctx.Done()
			return nil, errors.New("canceled") // as a client says it that knows no causes
		}}
		_, err := newEngine(t, locker, slow).Execute(t.Context(), "i", plan(step("a", 0)))
		if !errors.Is(err, failover.ErrLeaseLost) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestExecuteRefusesWhatIsInvalid(t *testing.T) {
	t.Parallel()
	locker := &failovermock.LockerMock{} // panics if it is called
	e := newEngine(t, locker, new(failover.MemoryJournal))
	if tl, err := e.Execute(t.Context(), "i", plan(step("a", 0, "a"))); !errors.Is(err, failover.ErrInvalidPlan) || tl == nil {
		t.Errorf("timeline %v, error %v", tl, err)
	}
	if _, err := e.Execute(t.Context(), "", plan(step("a", 0))); err == nil || err.Error() != `failover: incident: "" must not be empty` {
		t.Errorf("error is %v", err)
	}
}

func TestNewReportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := failover.New(nil, nil, func(o *failover.Options) {
		*o = failover.Options{
			StepTimeout: -1, PollInterval: -time.Millisecond, ReadLag: -time.Minute, RetryBase: time.Second, RetryMax: -time.Second, MaxAttempts: -2,
		}
	})
	const want = `failover: locker: <nil> must not be nil
failover: journal: <nil> must not be nil
failover: Options.StepTimeout: -1ns must not be negative
failover: Options.PollInterval: -1ms must not be negative
failover: Options.ReadLag: -1m0s must not be negative
failover: Options.RetryMax: -1s must not be negative
failover: Options.MaxAttempts: -2 must not be negative`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	_, err = failover.New(newLocker(t), new(failover.MemoryJournal), func(o *failover.Options) { o.RetryBase, o.RetryMax = time.Second, time.Millisecond })
	if want := "failover: Options.RetryMax: 1ms must not be less than RetryBase, which is 1s"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %v", err, want)
	}
	if _, err = failover.New(newLocker(t), new(failover.MemoryJournal), func(o *failover.Options) { o.RetryBase = time.Minute }); err != nil {
		t.Errorf("a RetryBase above the default of RetryMax: %v", err)
	}
	_, err = failover.NewLocker(new(failover.MemoryStore), func(o *failover.LockerOptions) { o.TTL = 8 * time.Second })
	if want := "failover: LockerOptions.TTL: 8s must exceed Margin + RenewInterval, which is 8s"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %v", err, want)
	}
}
