package failover_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/failovermock"
)

func TestResultThatLagsBehindTheEndOfProgressIsNotRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var began time.Time
		dos := 0
		f := failover.StepFuncs{ID: "a", Plane: failover.PlaneCreate,
			Check: func(context.Context, *failover.Env) (failover.State, error) {
				if dos == 0 {
					return failover.NotDone, nil
				}
				switch d := time.Since(began); {
				case d < 10*time.Second:
					return failover.InProgress, nil
				case d < 11500*time.Millisecond:
					return failover.NotDone, nil
				}
				return failover.Done, nil
			},
			Do: func(context.Context, *failover.Env) error {
				if dos++; dos == 1 {
					began = time.Now()
				}
				return failover.ErrInProgress
			}}
		_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(f))
		if err != nil || dos != 1 {
			t.Errorf("err %v, Do called %d times", err, dos)
		}
	})
}

func TestIncidentOfTwoServicesIsDoneForEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, newLocker(t), new(failover.MemoryJournal))
		done := map[string]int{}
		tokens := map[string]string{}
		for _, svc := range []string{"orders", "billing"} {
			_, err := e.Execute(t.Context(), "use1-az1-down", failover.Plan{Service: svc, Steps: []failover.Step{failover.NewStep(failover.StepFuncs{
				ID: "launch", Plane: failover.PlaneCreate,
				Do: func(_ context.Context, env *failover.Env) error {
					done[svc]++
					tokens[svc] = env.ClientToken()
					return nil
				},
			})}})
			if err != nil {
				t.Error(svc, err)
			}
		}
		if done["orders"] != 1 || done["billing"] != 1 || tokens["orders"] == tokens["billing"] {
			t.Errorf("effects %v under the tokens %v", done, tokens)
		}
	})
}

func TestRecordOfAFailureIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mem failover.MemoryJournal
		j := &failovermock.JournalMock{OpenFunc: func(ctx context.Context, service, incident string, token uint64) (failover.Log, error) {
			log, err := mem.Open(ctx, service, incident, token)
			return &failovermock.LogMock{ReplayFunc: log.Replay, AppendFunc: func(ctx context.Context, r failover.Record) error {
				if r.Phase == failover.PhaseFailed {
					<-ctx.Done()
					return ctx.Err()
				}
				return log.Append(ctx, r)
			}}, err
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		began := time.Now()
		_, err := newEngine(t, newLocker(t), j).Execute(ctx, "i", plan(failover.StepFuncs{
			ID: "a", Plane: failover.PlaneData, Timeout: time.Minute, Do: func(context.Context, *failover.Env) error { return failover.Permanent(errors.New("no")) }}))
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("took %s: %v", took, err)
		}
	})
}

func TestEmptyIncidentHidesNoFaultOfThePlan(t *testing.T) {
	t.Parallel()
	_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "", failover.Plan{})
	if !errors.Is(err, failover.ErrInvalidPlan) {
		t.Error("the plan's faults are missing:", err)
	}
}

func TestLostLeaseIsTheCauseAtOnce(t *testing.T) {
	t.Parallel()
	nilCause, failedRecs, n := 0, 0, 500
	for range n {
		synctest.Test(t, func(t *testing.T) {
			locker := newLocker(t)
			var mem failover.MemoryJournal
			_, err := newEngine(t, locker, &mem).Execute(t.Context(), "i", plan(failover.StepFuncs{
				ID: "a", Plane: failover.PlaneData,
				Check: func(context.Context, *failover.Env) (failover.State, error) {
					locker.Cut("orders")
					locker.Cut("s")
					time.Sleep(10 * time.Second)
					return failover.NotDone, nil
				},
				Do: func(context.Context, *failover.Env) error { t.Error("acted"); return nil }}))
			var ee *failover.ExecuteError
			if !errors.As(err, &ee) {
				t.Fatal(err)
			}
			if ee.Cause == nil {
				nilCause++
			}
			for _, r := range records(t, &mem, "i") {
				if r.Phase == failover.PhaseFailed {
					failedRecs++
				}
			}
		})
	}
	if nilCause+failedRecs > 0 {
		t.Errorf("of %d: Cause nil %d, failed recorded %d", n, nilCause, failedRecs)
	}
}

func TestLeftoverOfACallHasNoEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w world
		n := 0
		_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(failover.StepFuncs{
			ID: "a", Plane: failover.PlaneData,
			Do: func(_ context.Context, env *failover.Env) error {
				if n++; n == 1 {
					go func() {
						time.Sleep(5 * time.Second)
						if env.Valid() == nil {
							w.apply("a")
						}
					}()
					return errors.New("timeout")
				}
				time.Sleep(10 * time.Second)
				w.apply("a")
				return nil
			}}))
		time.Sleep(time.Minute)
		if err != nil || len(w.times("a")) != 1 {
			t.Errorf("%v, effects %d", err, len(w.times("a")))
		}
	})
}

func TestWhatACheckPutsBesideNotDoneIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tl := ""
		_, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(
			failover.StepFuncs{ID: "a", Plane: failover.PlaneData,
				Check: func(_ context.Context, env *failover.Env) (failover.State, error) {
					env.Put("old", "i-dying")
					return failover.NotDone, nil
				},
				Do: func(context.Context, *failover.Env) error { return nil }},
			failover.StepFuncs{ID: "b", Plane: failover.PlaneData, Needs: []string{"a"},
				Do: func(_ context.Context, env *failover.Env) error { tl = env.Inputs["a"]["old"]; return nil }}))
		if err != nil || tl != "" {
			t.Error(err, tl)
		}
	})
}

func TestJobThatDoHasStartedIsKnownAfterACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j failover.MemoryJournal
		ctx, cancel := context.WithCancel(t.Context())
		asked := false
		f := failover.StepFuncs{ID: "a", Plane: failover.PlaneCreate,
			Check: func(_ context.Context, env *failover.Env) (failover.State, error) {
				if !asked {
					return failover.NotDone, nil
				}
				if env.Outputs()["job"] == "" {
					t.Error("Check after Do does not see what Do has put")
				}
				cancel()
				return failover.InProgress, nil
			},
			Do: func(_ context.Context, env *failover.Env) error {
				asked = true
				env.Put("job", "drs-1")
				return failover.ErrInProgress
			}}
		_, _ = newEngine(t, newLocker(t), &j).Execute(ctx, "i", plan(f))
		resumed := ""
		f.Check = func(_ context.Context, env *failover.Env) (failover.State, error) {
			resumed = env.Outputs()["job"]
			return failover.Done, nil
		}
		if _, err := newEngine(t, newLocker(t), &j).Execute(t.Context(), "i", plan(f)); err != nil || resumed != "drs-1" {
			t.Errorf("resumed with job %q, %v", resumed, err)
		}
	})
}
