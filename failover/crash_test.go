package failover_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/failovermock"
)

var errEnded = errors.New("process ended")

// process is a controller that ends at its nth boundary: before or after a record is stored, before or after an effect.
// A crashed one does nothing any more: its calls, renewals and release reach nobody. A cancelled one is told to stop.
type process struct {
	crash  bool // rather than cancel
	endAt  int  // 0 = never
	cancel context.CancelCauseFunc
	cut    func()

	mu    sync.Mutex
	count int
	ended bool
}

// boundary reports whether the process lives on.
func (p *process) boundary() bool {
	p.mu.Lock()
	p.count++
	now := p.count == p.endAt
	p.ended = p.ended || now
	dead := p.ended && p.crash
	p.mu.Unlock()
	if now {
		if p.crash {
			p.cut()
		}
		p.cancel(errEnded)
	}
	return !dead
}

func (p *process) Open(ctx context.Context, j failover.Journal, incident string, token uint64) (failover.Log, error) {
	log, err := j.Open(ctx, "orders", incident, token)
	return &failovermock.LogMock{
		ReplayFunc: log.Replay,
		AppendFunc: func(ctx context.Context, r failover.Record) error {
			if !p.boundary() {
				return errEnded
			}
			if err := log.Append(ctx, r); err != nil {
				return err
			}
			if !p.boundary() {
				return errEnded
			}
			return nil
		},
	}, err
}

// step makes a step whose effect happens once per call, puts an output, and demands the outputs of its needs.
// An async one answers before the effect is there.
func (p *process) step(t *testing.T, w *world, id string, async bool, needs ...string) failover.Step {
	t.Helper()
	f := step(id, time.Second, needs...)
	f.Check = func(_ context.Context, env *failover.Env) (failover.State, error) {
		state := w.see(id)
		if state == failover.Done {
			env.Put("made by", id)
		}
		return state, nil
	}
	f.Do = func(ctx context.Context, env *failover.Env) error {
		for _, need := range needs {
			if env.Inputs[need]["made by"] != need {
				t.Errorf("%s is done without the output of %s", id, need)
			}
			if len(w.times(need)) == 0 {
				t.Errorf("%s is done before %s", id, need)
			}
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
		if err := env.Valid(); err != nil {
			return err
		}
		if !p.boundary() {
			return errEnded
		}
		w.apply(id)
		if !p.boundary() {
			return errEnded
		}
		if async {
			return failover.ErrInProgress
		}
		env.Put("made by", id)
		return nil
	}
	return failover.NewStep(f)
}

// live executes the incident in a process and reports whether the process came to its end before the plan did.
func (p *process) live(t *testing.T, w *world, locker *linkedLocker, j failover.Journal) bool {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	p.cancel = cancel
	p.cut = func() { locker.Cut("orders") }
	journal := &failovermock.JournalMock{OpenFunc: func(ctx context.Context, _, incident string, token uint64) (failover.Log, error) {
		return p.Open(ctx, j, incident, token)
	}}
	e := newEngine(t, locker, journal)
	_, err := e.Execute(ctx, "i", failover.Plan{Service: "orders", Steps: []failover.Step{
		p.step(t, w, "verify", false, "address", "dns"),
		p.step(t, w, "address", false, "launch"),
		p.step(t, w, "dns", true, "launch"),
		p.step(t, w, "launch", false),
	}})
	if err != nil && !errors.Is(err, errEnded) {
		t.Fatalf("ended at %d: %v", p.endAt, err)
	}
	return p.ended
}

// TestEveryEffectHappensOnceWhereverTheControllerEnds ends a first controller at every boundary, and a second one at every
// boundary of what was left; a third completes the incident. Reads lag behind effects by three quarters of ReadLag.
func TestEveryEffectHappensOnceWhereverTheControllerEnds(t *testing.T) {
	t.Parallel()
	for _, crash := range []bool{true, false} {
		t.Run(map[bool]string{true: "crashed", false: "cancelled"}[crash], func(t *testing.T) {
			t.Parallel()
			runs := 0
			for first, more := 1, true; more; first++ {
				for second, ended := 1, true; ended && more; second++ {
					synctest.Test(t, func(t *testing.T) {
						runs++
						w := world{lag: 1500 * time.Millisecond}
						var j failover.MemoryJournal
						locker := newLocker(t)
						more = (&process{crash: crash, endAt: first}).live(t, &w, locker, &j)
						ended = (&process{crash: crash, endAt: second}).live(t, &w, locker, &j)
						(&process{}).live(t, &w, locker, &j)
						for _, id := range []string{"launch", "address", "dns", "verify"} {
							if n := len(w.times(id)); n != 1 {
								t.Errorf("ended at %d, then at %d: %s has %d effects", first, second, id, n)
							}
						}
						settled := map[string]int{}
						for _, r := range records(t, &j, "i") {
							if r.Phase == failover.PhaseDone {
								settled[r.Step]++
							}
							if r.Phase == failover.PhaseSkipped {
								t.Errorf("ended at %d, then at %d: %s is recorded as somebody else's", first, second, r.Step)
							}
						}
						if len(settled) != 4 {
							t.Errorf("ended at %d, then at %d: the journal has %v as done", first, second, settled)
						}
					})
				}
			}
			if runs < 100 {
				t.Errorf("only %d runs: the boundaries were not all tried", runs)
			}
		})
	}
}

func TestTwoControllersExecuteAnIncidentOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		var j failover.MemoryJournal
		locker := newLocker(t)
		p := plan(w.step("a", 10*time.Second), w.step("b", 10*time.Second, "a"))
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := newEngine(t, locker, &j).Execute(t.Context(), "i", p); err != nil {
					t.Error(err)
				}
			})
		}
		began := time.Now()
		wg.Wait()
		if took := time.Since(began); took < 20*time.Second || took > 20*time.Second+4*retry || len(w.times("a")) != 1 || len(w.times("b")) != 1 {
			t.Errorf("took %s, effects: a %d, b %d", took, len(w.times("a")), len(w.times("b")))
		}
	})
}

// FuzzReplay feeds the engine a journal of any records, as a store would decode them: it must refuse it or execute the plan, and
// never do what the journal has as done.
func FuzzReplay(f *testing.F) {
	good, err := json.Marshal([]failover.Record{record(failover.PhaseIntent, 1, ""), record(failover.PhaseDone, 1, "x")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`[{"version":1,"service":"orders","incident":"i","step":"a","attempt":-5,"phase":"intent","token":3,"outputs":{"k":"v"}}]`))
	f.Add([]byte(`[{"version":1,"service":"orders","incident":"i","step":"b","phase":"skipped"},{"version":9,"incident":"i"}]`))
	f.Add([]byte(`[{"version":1,"service":"orders","incident":"i","phase":"intent"}]`))
	f.Add([]byte(`[{"version":1,"service":"orders","incident":"i","step":"c","phase":"intent"}]`))
	f.Add([]byte(`[{"version":1,"service":"orders","incident":"i","phase":"opened"},{"version":1,"service":"orders","incident":"i","step":"a","phase":"undo"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var rs []failover.Record
		if json.Unmarshal(data, &rs) != nil {
			return
		}
		journal := &failovermock.JournalMock{OpenFunc: func(context.Context, string, string, uint64) (failover.Log, error) {
			return &failovermock.LogMock{
				ReplayFunc: func(context.Context) ([]failover.Record, error) { return rs, nil },
				AppendFunc: func(context.Context, failover.Record) error { return nil },
			}, nil
		}}
		settled := map[string]bool{}
		readable, plain := true, true // plain: of steps that were executed, and of nothing else
		for _, r := range rs {
			settled[r.Step] = settled[r.Step] || r.Phase == failover.PhaseDone || r.Phase == failover.PhaseSkipped
			switch r.Phase {
			case failover.PhaseIntent, failover.PhaseFailed, failover.PhaseDone, failover.PhaseSkipped:
				readable = readable && (r.Step == "a" || r.Step == "b")
			case failover.PhaseOpened, failover.PhaseClosed, failover.PhaseRollback, failover.PhaseUndo, failover.PhaseUndone, failover.PhaseKept:
				plain = false
			default:
				readable = false
			}
			readable = readable && r.Version == 1 && r.Service == "orders" && r.Incident == "i"
		}
		var w world
		e := newEngine(t, newLocker(t), journal, func(o *failover.Options) { o.ReadLag = 1 })
		_, err := e.Execute(t.Context(), "i", plan(w.step("a", 0), w.step("b", 0, "a")))
		if !plain { // how incidents and rollbacks go on is tested by name
			if !readable && err == nil || len(w.times("a")) > 1 || len(w.times("b")) > 1 {
				t.Fatalf("error: %v, effects: a %d, b %d", err, len(w.times("a")), len(w.times("b")))
			}
			return
		}
		if readable != (err == nil) {
			t.Fatalf("records readable: %v, error: %v", readable, err)
		}
		for _, id := range []string{"a", "b"} {
			if want := map[bool]int{true: 1}[readable && !settled[id]]; len(w.times(id)) != want {
				t.Fatalf("%s has %d effects, want %d", id, len(w.times(id)), want)
			}
		}
	})
}
