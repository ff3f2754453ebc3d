package failover_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
)

// delayStore takes a while for a write, and obeys the context.
type delayStore struct {
	failover.Store

	delay func(n int) time.Duration // of the n-th write
	puts  atomic.Int64
}

func (s *delayStore) Put(ctx context.Context, group, name string, value []byte, old failover.Version) (failover.Version, error) {
	if err := sleep(ctx, s.delay(int(s.puts.Add(1)))); err != nil {
		return "", err
	}
	return s.Store.Put(ctx, group, name, value, old)
}

func aSecond(int) time.Duration { return time.Second }

// timed are steps of which each ends Check and Do at times of its own, counted from now.
func timed() func(id string, check, do time.Duration) failover.StepFuncs {
	start := time.Now()
	until := func(ctx context.Context, at time.Duration) error { return sleep(ctx, at-time.Since(start)) }
	return func(id string, check, do time.Duration) failover.StepFuncs {
		return failover.StepFuncs{
			ID: id, Plane: failover.PlaneMutate,
			Check: func(ctx context.Context, _ *failover.Env) (failover.State, error) {
				return failover.NotDone, until(ctx, check)
			},
			Do: func(ctx context.Context, env *failover.Env) error {
				env.Put("made", id)
				return until(ctx, do)
			},
		}
	}
}

// Records that are written together are written for all, also if the one who writes is cancelled.
func TestAnOutcomeIsRecordedThoughItsWriterIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(failover.MemoryStore)
		j, err := failover.NewJournal(&delayStore{Store: store, delay: aSecond})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		step := timed()
		made := 0
		b := step("b", 0, 0)
		do := step("b", 0, 20500*time.Millisecond).Do
		b.Check, b.Do = nil, func(ctx context.Context, env *failover.Env) error { made++; return do(ctx, env) }
		p := plan(step("c", 0, 20*time.Second), step("a", 20200*time.Millisecond, 30*time.Second), b)
		time.AfterFunc(21500*time.Millisecond, cancel) // c writes; a's intent and b's outcome wait for it
		e := newEngine(t, newLocker(t), j)
		if _, err := e.Execute(ctx, "i", p); err == nil {
			t.Fatal("no error")
		}
		if _, err := e.Execute(t.Context(), "i", p); err != nil || made != 1 {
			t.Errorf("%v; b was done %d times", err, made)
		}
		known := false
		for _, r := range records(t, j, "i") {
			known = known || r.Step == "b" && r.Phase == failover.PhaseDone && r.Token == 1 && r.Outputs["made"] == "b"
		}
		if !known {
			t.Error("b was done a second before the cancellation, and the journal does not know")
		}
	})
}

func TestARecordThatIsTooLongFailsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, err := failover.NewJournal(&delayStore{Store: new(failover.MemoryStore), delay: aSecond})
		if err != nil {
			t.Fatal(err)
		}
		step := timed()
		big := step("big", 0, 20200*time.Millisecond)
		do := big.Do
		big.Do = func(ctx context.Context, env *failover.Env) error {
			env.Put("text", strings.Repeat("x", failover.MaxValue-512))
			return do(ctx, env)
		}
		_, err = newEngine(t, newLocker(t), j).Execute(t.Context(), "i", plan(step("c", 0, 20*time.Second), big, step("innocent", 0, 20500*time.Millisecond)))
		var ee *failover.ExecuteError
		if !errors.As(err, &ee) || len(ee.Steps) != 1 || ee.Steps[0].Step != "big" || !errors.As(err, new(*failover.FieldError)) {
			t.Errorf("%.300v", err)
		}
	})
}

func TestRollbackWaitsForTheReadsAfterTheEndOfProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var began time.Time
		undone := false
		ctx, cancel := context.WithCancel(t.Context())
		f := failover.StepFuncs{
			ID: "a", Plane: failover.PlaneCreate,
			Check: func(context.Context, *failover.Env) (failover.State, error) {
				switch d := time.Since(began); {
				case began.IsZero():
					return failover.NotDone, nil
				case d < 10*time.Second:
					return failover.InProgress, nil
				case d < 11500*time.Millisecond: // less than Options.ReadLag behind
					return failover.NotDone, nil
				}
				return failover.Done, nil
			},
			Do: func(context.Context, *failover.Env) error {
				began = time.Now()
				cancel()
				return failover.ErrInProgress
			},
			Undo: func(context.Context, *failover.Env) error { undone = true; return nil },
		}
		var j failover.MemoryJournal
		e := newEngine(t, newLocker(t), &j)
		if _, err := e.Execute(ctx, "i", plan(f)); err == nil {
			t.Fatal("no error")
		}
		if _, err := e.Rollback(t.Context(), "i", plan(f)); err != nil || !undone {
			t.Errorf("%v, and the incident is %s; Undo was called: %v", err, incident(t, &j).State, undone)
		}
	})
}

// cleaning is a plan whose final step takes back what the first one did and clears away what the second one made.
type cleaning struct {
	suspended, made bool
	broken          bool // the second step fails for good
	unprotected     bool // the second step acted without the first
	did             []string
	do              func(id string) error // nil: nothing
}

func (c *cleaning) plan() failover.Plan {
	see := func(done func() bool) func(context.Context, *failover.Env) (failover.State, error) {
		return func(context.Context, *failover.Env) (failover.State, error) {
			if done() {
				return failover.Done, nil
			}
			return failover.NotDone, nil
		}
	}
	act := func(id string, effect func() error) func(context.Context, *failover.Env) error {
		return func(context.Context, *failover.Env) error {
			if err := effect(); err != nil {
				return err
			}
			c.did = append(c.did, id)
			if c.do != nil {
				return c.do(id)
			}
			return nil
		}
	}
	return plan(
		failover.StepFuncs{
			ID: "suspend", Plane: failover.PlaneMutate, Check: see(func() bool { return c.suspended }),
			Do: act("suspend", func() error { c.suspended = true; return nil }),
		},
		failover.StepFuncs{
			ID: "work", Needs: []string{"suspend"}, Plane: failover.PlaneMutate, Check: see(func() bool { return c.made }),
			Do: act("work", func() error {
				if c.broken {
					return failover.Permanent(errors.New("broken"))
				}
				c.unprotected = c.unprotected || !c.suspended
				c.made = true
				return nil
			}),
		},
		failover.StepFuncs{
			ID: "clean", Needs: []string{"suspend", "work"}, Plane: failover.PlaneMutate, Final: true, Check: see(func() bool { return !c.suspended }),
			Do: act("clean", func() error { c.suspended = false; return nil }),
		},
		failover.StepFuncs{
			ID: "after", Needs: []string{"clean"}, Plane: failover.PlaneMutate, Final: true, Check: see(func() bool { return false }),
			Do: act("after", func() error { return nil }),
		},
	)
}

// What a final step has taken back is made again before that on which it failed, and is taken back again after it, wherever the controller dies.
func TestAFinalStepRunsAgainWhenItsIncidentIsResumed(t *testing.T) {
	t.Parallel()
	for _, dies := range []string{"", "suspend", "work", "clean"} { // in the second execution, after this step's effect
		t.Run("dies after "+dies, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var j failover.MemoryJournal
				e := newEngine(t, newLocker(t), &j)
				c := &cleaning{broken: true}
				if _, err := e.Execute(t.Context(), "i", c.plan()); err == nil {
					t.Fatal("no error")
				}
				if diff := cmp.Diff([]string{"suspend", "clean", "after"}, c.did); diff != "" {
					t.Fatal(diff)
				}
				c.broken, c.did = false, nil
				want := []string{"suspend", "work", "clean", "after"}
				if dies != "" {
					ctx, cancel := context.WithCancel(t.Context())
					c.do = func(id string) error {
						if id == dies {
							cancel()
							return errors.New("it has died")
						}
						return nil
					}
					if _, err := e.Execute(ctx, "i", c.plan()); err == nil {
						t.Fatal("no error")
					}
					c.do = nil
				}
				if _, err := e.Execute(t.Context(), "i", c.plan()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, c.did); diff != "" {
					t.Error(diff)
				}
				if c.suspended || !c.made || c.unprotected {
					t.Errorf("%+v", c)
				}
				c.did = nil
				if _, err := e.Execute(t.Context(), "i", c.plan()); err != nil || len(c.did) > 0 {
					t.Errorf("%v, and once more %q", err, c.did)
				}
			})
		})
	}
}

func TestAStepSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refused, slow := errors.New("connection refused"), errors.New("no answer")
		start, looks := time.Now(), 0
		f := failover.StepFuncs{
			ID: "probe", Plane: failover.PlaneData,
			Check: func(context.Context, *failover.Env) (failover.State, error) {
				looks++
				if time.Since(start) < time.Minute {
					return failover.InProgress, fmt.Errorf("it does not serve: %w", refused)
				}
				return failover.InProgress, slow
			},
			Timeout: 2 * time.Minute,
		}
		timeline, err := newEngine(t, newLocker(t), new(failover.MemoryJournal)).Execute(t.Context(), "i", plan(f))
		var se *failover.StepError
		if !errors.As(err, &se) || !errors.Is(se.Err, failover.ErrStepTimeout) || !errors.Is(se.Last, slow) {
			t.Errorf("%v", err)
		}
		if looks < 110 { // a poll a second, and no growing pauses
			t.Errorf("%d looks", looks)
		}
		var waits []error
		for _, ev := range timeline.Events() {
			if ev.Kind == failover.KindStepWaiting {
				waits = append(waits, ev.Err)
			}
		}
		if len(waits) != 2 || !errors.Is(waits[0], refused) || !errors.Is(waits[1], slow) {
			t.Errorf("it told %v", waits)
		}
	})
}

// A rival takes the lease while the write that retires it hangs.
func TestRetireSaysThatItDidNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(failover.MemoryStore)
		operator := storeLocker(t, &delayStore{Store: store, delay: func(n int) time.Duration {
			if n == 2 {
				return 20 * time.Second
			}
			return 0
		}})
		rival := storeLocker(t, store)
		var other sync.WaitGroup
		defer other.Wait()
		other.Go(func() {
			time.Sleep(time.Second)
			lease := held(t, rival, failover.LeaseOptions{Holder: "rival"})
			time.Sleep(time.Minute)
			if err := lease.Release(context.Background()); err != nil {
				t.Error(err)
			}
		})
		if err := operator.Retire(t.Context(), "orders", failover.LeaseOptions{Holder: "operator"}); !errors.Is(err, failover.ErrLeaseLost) {
			t.Errorf("%v", err)
		}
	})
}

// expiredStore has one answer that a credential has expired.
type expiredStore struct {
	failover.Store

	asked atomic.Bool
}

func (s *expiredStore) Get(ctx context.Context, group, name string) (failover.Entry, error) {
	if !s.asked.Swap(true) {
		return failover.Entry{}, &smithy.GenericAPIError{Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}
	}
	return s.Store.Get(ctx, group, name)
}

func TestAcquireOutwaitsARefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lease, err := storeLocker(t, &expiredStore{Store: new(failover.MemoryStore)}).Acquire(t.Context(), "orders", failover.LeaseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAProofOfDeathThatPanicsProvesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := new(failover.MemoryStore)
		old := held(t, storeLocker(t, store), failover.LeaseOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := storeLocker(t, store).Acquire(ctx, "orders", failover.LeaseOptions{Dead: func(context.Context, failover.LeaseHolder) bool { panic("no") }})
		if !errors.Is(err, context.DeadlineExceeded) || old.Valid() != nil {
			t.Errorf("%v; the holder: %v", err, old.Valid())
		}
		if err := old.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// openLocker has leases that never end.
type openLocker struct{}

func (openLocker) Acquire(context.Context, string, failover.LeaseOptions) (failover.Lease, error) {
	return openLease{}, nil
}

type openLease struct{}

func (openLease) Token() uint64                 { return 1 }
func (openLease) Valid() error                  { return nil }
func (openLease) Context() context.Context      { return context.Background() }
func (openLease) Release(context.Context) error { return nil }

func TestNoSharedReadOutlivesItsExecution(t *testing.T) {
	t.Parallel()
	late := 0
	for i := range 3000 {
		var returned, began atomic.Bool
		ran := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		f := failover.StepFuncs{
			ID: "a", Plane: failover.PlaneMutate,
			Check: func(step context.Context, env *failover.Env) (failover.State, error) {
				cancel()
				_, err := failover.Share(step, env, "k", func(context.Context) (int, error) {
					began.Store(returned.Load())
					close(ran)
					return 0, nil
				})
				return failover.NotDone, err
			},
			Do: func(context.Context, *failover.Env) error { return nil },
		}
		_, _ = newEngine(t, openLocker{}, new(failover.MemoryJournal)).Execute(ctx, fmt.Sprint(i), plan(f))
		returned.Store(true)
		<-ran
		if began.Load() {
			late++
		}
	}
	if late > 0 {
		t.Errorf("%d of 3000 reads began after Execute had returned", late)
	}
}

func TestAStepThatWaitsIsReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waits := func(err error) failover.StepFuncs {
			return failover.StepFuncs{ID: "probe", Plane: failover.PlaneData, Check: func(context.Context, *failover.Env) (failover.State, error) { return failover.InProgress, err }}
		}
		e := newEngine(t, newLocker(t), new(failover.MemoryJournal))
		for _, tt := range []struct {
			err  error
			want failover.Level
		}{{errors.New("connection refused"), failover.LevelPass}, {failover.Permanent(errors.New("no such host")), failover.LevelFail}} {
			r, err := e.Readiness(t.Context(), plan(waits(tt.err)), nil)
			if err != nil || r.Level != tt.want || !strings.Contains(r.String(), tt.err.Error()) {
				t.Errorf("%v: %v\n%s", tt.err, err, r)
			}
		}
	})
}
