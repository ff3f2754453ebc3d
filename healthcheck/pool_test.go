package healthcheck_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

var errRefused = errors.New("refused")

// pass is a checker for which every target passes at once.
func pass() healthcheck.Checker {
	return healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil })
}

func newPool(t *testing.T, checker healthcheck.Checker, optFns ...func(*healthcheck.Options)) *healthcheck.Pool {
	t.Helper()
	pool, err := healthcheck.New(checker, optFns...)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

// run runs a pool until the test ends or stop is called, which returns what Run returned.
func run(t *testing.T, pool *healthcheck.Pool) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

func register(t *testing.T, pool *healthcheck.Pool, targets ...healthcheck.Target) {
	t.Helper()
	if err := pool.Register(targets...); err != nil {
		t.Fatal(err)
	}
}

// waitFor waits until a target is in a state.
func waitFor(t *testing.T, pool *healthcheck.Pool, id string, state healthcheck.State) {
	t.Helper()
	err := pool.Wait(t.Context(), func(v *healthcheck.View) bool {
		s, _ := v.Status(id)
		return s.State == state
	})
	if err != nil {
		t.Fatal(err)
	}
}

func wantStatus(t *testing.T, pool *healthcheck.Pool, id string, state healthcheck.State, reason healthcheck.Reason) {
	t.Helper()
	s, ok := pool.Status(id)
	if s.State != state || s.Reason != reason || ok != (state != healthcheck.Unused) {
		t.Errorf("%s is %v for %q, want %v for %q", id, s.State, s.Reason, state, reason)
	}
}

func TestLifeOfATarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		pool := newPool(t, healthcheck.Func(func(context.Context, healthcheck.Target) error {
			time.Sleep(time.Second)
			if down.Load() {
				return errRefused
			}
			return nil
		}))
		wantStatus(t, pool, "a", healthcheck.Unused, healthcheck.ReasonNotRegistered)
		register(t, pool, healthcheck.Target{ID: "a", Zone: "z1"})
		wantStatus(t, pool, "a", healthcheck.Initial, healthcheck.ReasonRegistrationInProgress)

		run(t, pool)
		time.Sleep(2*time.Second + healthcheck.Tick) // the start spread, at most
		synctest.Wait()
		if s, _ := pool.Status("a"); s.Reason == healthcheck.ReasonRegistrationInProgress {
			t.Errorf("not checked within the start spread: %+v", s)
		}
		waitFor(t, pool, "a", healthcheck.Healthy)
		wantStatus(t, pool, "a", healthcheck.Healthy, "")

		down.Store(true)
		waitFor(t, pool, "a", healthcheck.Unhealthy)
		s, _ := pool.Status("a")
		if s.Reason != healthcheck.ReasonFailedHealthChecks || s.Detail != "Health checks failed" || s.Fails != 2 ||
			!errors.Is(s.Last.Err, errRefused) || s.Last.Total != time.Second || !s.Since.Equal(time.Now()) {
			t.Errorf("unhealthy as %+v", s)
		}

		down.Store(false)
		waitFor(t, pool, "a", healthcheck.Healthy)
		if s, _ := pool.Status("a"); s.Passes != 5 {
			t.Errorf("healthy again after %d passes, want 5", s.Passes)
		}

		begin := time.Now()
		if err := pool.Deregister("a", "never registered"); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, pool, "a", healthcheck.Draining, healthcheck.ReasonDeregistrationInProgress)
		waitFor(t, pool, "a", healthcheck.Unused)
		if took := time.Since(begin); took < 300*time.Second || took > 300*time.Second+healthcheck.Tick {
			t.Errorf("draining took %v, want 5m0s", took)
		}
		wantStatus(t, pool, "a", healthcheck.Unused, healthcheck.ReasonNotRegistered)
	})
}

func TestUnknownMovesNothing(t *testing.T) {
	t.Parallel()
	broken := map[string]healthcheck.Checker{
		"outcome": &healthcheckmock.CheckerMock{OpenFunc: func(healthcheck.Target) (healthcheck.Probe, error) {
			return &healthcheckmock.ProbeMock{
				CheckFunc: func(context.Context) healthcheck.Result { return healthcheck.Result{} },
				CloseFunc: func() error { return nil },
			}, nil
		}},
		"goexit": healthcheck.Func(func(context.Context, healthcheck.Target) error {
			runtime.Goexit()
			return nil
		}),
		"panic":     healthcheck.Func(func(context.Context, healthcheck.Target) error { panic("bug") }),
		"own fault": healthcheck.Func(func(context.Context, healthcheck.Target) error { return fmt.Errorf("dial: %w", syscall.EMFILE) }),
	}
	for name, checker := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pool := newPool(t, checker)
				register(t, pool, healthcheck.Target{ID: "a"})
				run(t, pool)
				time.Sleep(time.Hour)
				wantStatus(t, pool, "a", healthcheck.Initial, healthcheck.ReasonInitialHealthChecking)
				s, _ := pool.Status("a")
				if s.Last.Outcome != healthcheck.Unknown || s.Last.Start.IsZero() || s.Passes != 0 || s.Fails != 0 {
					t.Errorf("status %+v", s)
				}
			})
		})
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	a := healthcheck.Target{ID: "a", Zone: "z1", Addr: "10.0.0.1:80"}
	moved := healthcheck.Target{ID: "a", Zone: "z2", Addr: "10.0.0.2:80"}

	t.Run("again as it is keeps its health", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			run(t, pool)
			register(t, pool, a)
			waitFor(t, pool, "a", healthcheck.Healthy)
			register(t, pool, a)
			wantStatus(t, pool, "a", healthcheck.Healthy, "")
		})
	})
	t.Run("while the pool rests is checked within the start spread", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			run(t, pool)
			time.Sleep(time.Hour)
			register(t, pool, a)
			time.Sleep(2*time.Second + healthcheck.Tick)
			synctest.Wait()
			wantStatus(t, pool, "a", healthcheck.Healthy, "")
		})
	})
	t.Run("at the same time as somebody else keeps the first", func(t *testing.T) {
		t.Parallel()
		var pool *healthcheck.Pool
		var probes []*healthcheckmock.ProbeMock
		checker := &healthcheckmock.CheckerMock{OpenFunc: func(target healthcheck.Target) (healthcheck.Probe, error) {
			probe := &healthcheckmock.ProbeMock{CloseFunc: func() error { return nil }}
			probes = append(probes, probe)
			if len(probes) == 1 {
				register(t, pool, target) // between the first Register's look and its leap
			}
			return probe, nil
		}}
		pool = newPool(t, checker)
		register(t, pool, a)
		if len(probes) != 2 || len(probes[0].CloseCalls()) != 1 || len(probes[1].CloseCalls()) != 0 {
			t.Errorf("%d probes opened; want two, of which the one that came late is closed", len(probes))
		}
	})
	t.Run("with a new address begins anew", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			run(t, pool)
			register(t, pool, a)
			waitFor(t, pool, "a", healthcheck.Healthy)
			register(t, pool, moved)
			wantStatus(t, pool, "a", healthcheck.Initial, healthcheck.ReasonRegistrationInProgress)
			if diff := cmp.Diff([]healthcheck.ZoneStatus{{Zone: "z2", Initial: 1, FailOpen: true, Down: true}}, pool.Zones()); diff != "" {
				t.Errorf("zones (-want +got):\n%s", diff)
			}
			waitFor(t, pool, "a", healthcheck.Healthy)
			if s, _ := pool.Status("a"); s.Target != moved {
				t.Errorf("target %+v, want %+v", s.Target, moved)
			}
		})
	})
	t.Run("while draining begins anew", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			run(t, pool)
			register(t, pool, a)
			waitFor(t, pool, "a", healthcheck.Healthy)
			_ = pool.Deregister("a")
			time.Sleep(time.Minute)
			register(t, pool, a)
			wantStatus(t, pool, "a", healthcheck.Initial, healthcheck.ReasonRegistrationInProgress)
			time.Sleep(time.Hour)
			wantStatus(t, pool, "a", healthcheck.Healthy, "")
		})
	})
	t.Run("reports every mistake and changes nothing", func(t *testing.T) {
		t.Parallel()
		pool := newPool(t, pass())
		err := pool.Register(
			a, healthcheck.Target{Addr: "10.0.0.1:80"}, moved, healthcheck.Target{ID: "b", Addr: "10.0.0.1"},
			healthcheck.Target{ID: "c", Addr: "10.0.0.1:0"}, healthcheck.Target{ID: "d", Addr: "a b:80"},
			healthcheck.Target{ID: "e", Addr: ":80"}, healthcheck.Target{ID: "f", Addr: "h:http"},
			healthcheck.Target{ID: "g", Addr: "[::1]:80"}, healthcheck.Target{ID: "h", Addr: "db.internal:5432"},
		)
		const addr = "must be host:port with a port from 1 to 65535"
		wantFieldErrors(t, err,
			`healthcheck: Target[1].ID: "" must not be empty`,
			`healthcheck: Target[2].ID: "a" is that of Target[0] too`,
			`healthcheck: Target[3].Addr: "10.0.0.1" `+addr,
			`healthcheck: Target[4].Addr: "10.0.0.1:0" `+addr,
			`healthcheck: Target[5].Addr: "a b:80" `+addr,
			`healthcheck: Target[6].Addr: ":80" `+addr,
			`healthcheck: Target[7].Addr: "h:http" `+addr,
		)
		if n := pool.View().Registered(); n != 0 {
			t.Errorf("%d targets registered", n)
		}
	})
	t.Run("refuses a target without a probe", func(t *testing.T) {
		t.Parallel()
		pool := newPool(t, &healthcheckmock.CheckerMock{OpenFunc: func(healthcheck.Target) (healthcheck.Probe, error) { return nil, nil }})
		if e, ok := errors.AsType[*healthcheck.RegisterError](pool.Register(a)); !ok || e.Target != a {
			t.Errorf("error %v", e)
		}
	})
	t.Run("tells which target the checker refuses", func(t *testing.T) {
		t.Parallel()
		checker, err := healthcheck.TCP()
		if err != nil {
			t.Fatal(err)
		}
		pool := newPool(t, checker)
		err = pool.Register(a, healthcheck.Target{ID: "b"})
		if e, ok := errors.AsType[*healthcheck.RegisterError](err); !ok || e.Target.ID != "b" {
			t.Errorf("error %v", err)
		}
		if e, ok := errors.AsType[*healthcheck.FieldError](err); !ok || e.Field != "Target.Addr" {
			t.Errorf("error %v", err)
		}
		if want := `healthcheck: register "b": Target.Addr: "" must not be empty`; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		if n := pool.View().Registered(); n != 0 {
			t.Errorf("%d targets registered", n)
		}
	})
}

func TestDeregister(t *testing.T) {
	t.Parallel()
	t.Run("before Run is done at once", func(t *testing.T) {
		t.Parallel()
		pool := newPool(t, pass())
		register(t, pool, healthcheck.Target{ID: "a"})
		_ = pool.Deregister("a")
		wantStatus(t, pool, "a", healthcheck.Unused, healthcheck.ReasonNotRegistered)
	})
	t.Run("without a delay is done at once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass(), func(o *healthcheck.Options) { o.DeregistrationDelay = healthcheck.None })
			register(t, pool, healthcheck.Target{ID: "a"})
			run(t, pool)
			waitFor(t, pool, "a", healthcheck.Healthy)
			_ = pool.Deregister("a")
			wantStatus(t, pool, "a", healthcheck.Unused, healthcheck.ReasonNotRegistered)
		})
	})
	t.Run("twice does not prolong draining", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			register(t, pool, healthcheck.Target{ID: "a"})
			run(t, pool)
			waitFor(t, pool, "a", healthcheck.Healthy)
			_ = pool.Deregister("a")
			time.Sleep(299 * time.Second)
			_ = pool.Deregister("a")
			time.Sleep(2 * time.Second)
			wantStatus(t, pool, "a", healthcheck.Unused, healthcheck.ReasonNotRegistered)
		})
	})
	t.Run("calls off a running check and stops checking", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var checks, calledOff atomic.Int32
			pool := newPool(t, healthcheck.Func(func(ctx context.Context, _ healthcheck.Target) error {
				checks.Add(1)
				<-ctx.Done()
				if errors.Is(ctx.Err(), context.Canceled) {
					calledOff.Add(1)
				}
				return ctx.Err()
			}), func(o *healthcheck.Options) { o.MaxStartSpread = healthcheck.None })
			register(t, pool, healthcheck.Target{ID: "a"})
			run(t, pool)
			time.Sleep(time.Second)
			_ = pool.Deregister("a")
			time.Sleep(200 * time.Second)
			if checks.Load() != 1 || calledOff.Load() != 1 {
				t.Errorf("%d checks, %d of them called off; want one of each", checks.Load(), calledOff.Load())
			}
			s, _ := pool.Status("a")
			if s.State != healthcheck.Draining || s.Last.Outcome != healthcheck.Unknown {
				t.Errorf("status %+v", s)
			}
		})
	})
}

// TestProbesAreClosedOnce registers, replaces, drains and stops, with checks running, and counts.
func TestProbesAreClosedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var opened, closed int
		checker := &healthcheckmock.CheckerMock{OpenFunc: func(target healthcheck.Target) (healthcheck.Probe, error) {
			if strings.HasPrefix(target.ID, "bad") {
				return nil, errRefused
			}
			mu.Lock()
			defer mu.Unlock()
			opened++
			var checking, isClosed atomic.Bool
			return &healthcheckmock.ProbeMock{
				CheckFunc: func(ctx context.Context) healthcheck.Result {
					if isClosed.Load() {
						t.Error("checked after Close")
					}
					checking.Store(true)
					defer checking.Store(false)
					<-ctx.Done()
					return healthcheck.Result{Outcome: healthcheck.Fail}
				},
				CloseFunc: func() error {
					if checking.Load() || isClosed.Swap(true) {
						t.Error("closed while checking, or twice")
					}
					mu.Lock()
					defer mu.Unlock()
					closed++
					return errRefused
				},
			}, nil
		}}
		var log bytes.Buffer
		pool := newPool(t, checker, func(o *healthcheck.Options) {
			o.MaxInFlight, o.Logger = 20, slog.New(slog.NewTextHandler(&log, nil))
		})
		targets := func(addr string) (ts []healthcheck.Target) {
			for i := range 30 {
				ts = append(ts, healthcheck.Target{ID: fmt.Sprint(i), Addr: addr})
			}
			return ts
		}
		stop := run(t, pool)
		register(t, pool, targets("10.0.0.1:80")...)
		time.Sleep(3 * time.Second)
		register(t, pool, targets("10.0.0.2:80")[:20]...)
		if err := pool.Register(healthcheck.Target{ID: "good"}, healthcheck.Target{ID: "bad"}); err == nil {
			t.Error("no error for a target that the checker refuses")
		}
		time.Sleep(3 * time.Second)
		_ = pool.Deregister("1", "2", "28", "29")
		time.Sleep(time.Second)
		register(t, pool, targets("10.0.0.2:80")[2:4]...)
		time.Sleep(time.Second)
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
		if err := pool.Register(targets("10.0.0.3:80")...); !errors.Is(err, healthcheck.ErrStopped) {
			t.Errorf("Register after Run returned %v", err)
		}
		if strings.Contains(log.String(), "panic") || !strings.Contains(log.String(), `level=WARN msg="close probe" error=refused`) {
			t.Errorf("log:\n%s", &log)
		}
		if opened != closed || opened != 30+20+1+1+30 {
			t.Errorf("%d probes opened, %d closed", opened, closed)
		}
	})
}

func TestRun(t *testing.T) {
	t.Parallel()
	t.Run("a second time is refused", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			pool := newPool(t, pass())
			stop := run(t, pool)
			synctest.Wait()
			if err := pool.Run(t.Context()); !errors.Is(err, healthcheck.ErrAlreadyRun) {
				t.Errorf("while it runs: %v", err)
			}
			_ = stop()
			if err := pool.Run(t.Context()); !errors.Is(err, healthcheck.ErrAlreadyRun) {
				t.Errorf("after it has run: %v", err)
			}
		})
	})
	t.Run("returns the cause", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errRefused)
			if err := newPool(t, pass()).Run(ctx); !errors.Is(err, errRefused) {
				t.Errorf("Run returned %v, want %v", err, errRefused)
			}
		})
	})
	t.Run("does not hold its end against the targets", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			failing := &healthcheckmock.ProbeMock{
				CheckFunc: func(ctx context.Context) healthcheck.Result {
					<-ctx.Done()
					return healthcheck.Result{Outcome: healthcheck.Fail}
				},
				CloseFunc: func() error { return nil },
			}
			pool := newPool(t, &healthcheckmock.CheckerMock{
				OpenFunc: func(healthcheck.Target) (healthcheck.Probe, error) { return failing, nil },
			}, func(o *healthcheck.Options) { o.MaxStartSpread, o.UnhealthyThreshold = healthcheck.None, 1 })
			register(t, pool, healthcheck.Target{ID: "a"})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := pool.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Run returned %v", err)
			}
			wantStatus(t, pool, "a", healthcheck.Initial, healthcheck.ReasonInitialHealthChecking)
			if err := pool.Deregister("a"); !errors.Is(err, healthcheck.ErrStopped) {
				t.Errorf("Deregister after Run returned %v", err)
			}
			if err := pool.Wait(t.Context(), func(*healthcheck.View) bool { return false }); !errors.Is(err, healthcheck.ErrStopped) {
				t.Errorf("Wait after Run returned %v", err)
			}
		})
	})
}

// TestConcurrentUse is for the race detector, and for deadlocks.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pool *healthcheck.Pool
		pool = newPool(t, pass(), func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.DeregistrationDelay = time.Second, 100*time.Millisecond, time.Second
			o.OnEvent = func(context.Context, healthcheck.Event) { pool.Zones() }
		})
		stop := run(t, pool)
		var users sync.WaitGroup
		for user := range 8 {
			users.Go(func() {
				for i := range 200 {
					target := healthcheck.Target{ID: fmt.Sprint((user + i) % 20), Zone: fmt.Sprint(i % 3)}
					switch i % 4 {
					case 0, 1:
						_ = pool.Register(target)
					case 2:
						_ = pool.Deregister(target.ID)
					case 3:
						for range pool.All() {
						}
					}
					time.Sleep(50 * time.Millisecond)
				}
			})
		}
		users.Wait()
		if view := pool.View(); view.Registered() == 0 || view.Registered() > 20 {
			t.Errorf("%d targets left", view.Registered())
		}
		_ = stop()
	})
}
