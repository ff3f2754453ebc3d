package failover_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/awsha/awsha/failover"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newEngine(tb testing.TB, locker failover.Locker, journal failover.Journal, optFns ...func(*failover.Options)) *failover.Engine {
	tb.Helper()
	e, err := failover.New(locker, journal, optFns...)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// sleep waits for d or until ctx ends, like a well-behaved call.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// world holds effects that are not idempotent: it counts how often each was applied, and shows them after a lag.
type world struct {
	lag time.Duration

	mu      sync.Mutex
	applied map[string][]time.Time
	removed []string
}

func (w *world) apply(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.applied == nil {
		w.applied = make(map[string][]time.Time)
	}
	w.applied[name] = append(w.applied[name], time.Now())
}

func (w *world) times(name string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.applied[name]...)
}

func (w *world) see(name string) failover.State {
	times := w.times(name)
	if len(times) == 0 || time.Since(times[0]) < w.lag {
		return failover.NotDone
	}
	return failover.Done
}

// step is a step of the world that takes d.
func (w *world) step(id string, d time.Duration, needs ...string) failover.StepFuncs {
	return failover.StepFuncs{
		ID: id, Needs: needs, Plane: failover.PlaneMutate, Estimate: d,
		Check: func(context.Context, *failover.Env) (failover.State, error) { return w.see(id), nil },
		Do: func(ctx context.Context, env *failover.Env) error {
			if err := sleep(ctx, d); err != nil {
				return err
			}
			if err := env.Valid(); err != nil {
				return err
			}
			w.apply(id)
			return nil
		},
	}
}

func steps(fs ...failover.StepFuncs) []failover.Step {
	out := make([]failover.Step, len(fs))
	for i, f := range fs {
		out[i] = failover.NewStep(f)
	}
	return out
}
