package healthcheck_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

func TestSlowHookHoldsUpNoCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFleet()
		pool := newPool(t, healthcheck.Func(f.check), func(o *healthcheck.Options) {
			o.Interval, o.Timeout, o.DeregistrationDelay = 10*time.Second, 3*time.Second, time.Second
			o.OnEvent = func(_ context.Context, e healthcheck.Event) {
				if e.Status.Target.ID == "gone" && e.From == healthcheck.Draining {
					time.Sleep(10 * time.Minute)
				}
			}
		})
		register(t, pool, healthcheck.Target{ID: "a"}, healthcheck.Target{ID: "gone"})
		run(t, pool)
		time.Sleep(time.Minute + time.Millisecond)
		_ = pool.Deregister("gone")
		time.Sleep(2 * time.Second)
		f.set("a", refuse)
		before := len(f.startsOf("a"))
		time.Sleep(5 * time.Minute)
		s, _ := pool.Status("a")
		if n := len(f.startsOf("a")) - before; n < 20 || s.State != healthcheck.Unhealthy {
			t.Errorf("checks of a in 5 min: %d; a is %v (bound 23.005s)", n, s.State)
		}
	})
}

func TestPromptHookLosesNoEventOfALargeRegister(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got, dropped atomic.Uint64
		pool := newPool(t, healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }), func(o *healthcheck.Options) {
			o.OnEvent = func(_ context.Context, e healthcheck.Event) { got.Add(1); dropped.Add(e.Dropped) }
		})
		var ts []healthcheck.Target
		for i := range 3000 {
			ts = append(ts, healthcheck.Target{ID: fmt.Sprint(i)})
		}
		register(t, pool, ts...)
		if got.Load() != 3000 {
			t.Errorf("hook got %d of 3000, dropped %d", got.Load(), dropped.Load())
		}
	})
}

// TestBurstOfEventsIsNotKept is not parallel: it counts what the whole process has.
func TestBurstOfEventsIsNotKept(t *testing.T) { //nolint:paralleltest // see above
	const targets, maxBytes = 20_000, 512
	pool := newPool(t, pass(), func(o *healthcheck.Options) { o.OnEvent = func(context.Context, healthcheck.Event) {} })
	ts := idle(targets)
	heap := heapInUse()
	register(t, pool, ts...)
	if bytes := (int64(heapInUse()) - int64(heap)) / targets; bytes > maxBytes {
		t.Errorf("%d bytes a target after a large Register with a hook, want at most %d", bytes, maxBytes)
	}
	runtime.KeepAlive(ts)
	runtime.KeepAlive(pool)
}

func TestCheckNowThatGivesUpLeavesNothing(t *testing.T) {
	t.Parallel()
	pool := newPool(t, pass())
	register(t, pool, healthcheck.Target{ID: "a"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if _, err := pool.CheckNow(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if n := pool.Asking(); n != 0 {
		t.Errorf("%d who have given up are kept", n)
	}
}

func TestCheckThatReturnsLateCountsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		var died atomic.Bool
		o := healthcheck.Options{Interval: 10 * time.Second, Timeout: 6 * time.Second, UnhealthyThreshold: 2, MaxStartSpread: healthcheck.None}
		passed := make(chan time.Time, 100)
		pool := newPool(t, healthcheck.Func(func(ctx context.Context, _ healthcheck.Target) error {
			n := calls.Add(1)
			if n < 20 {
				passed <- time.Now()
				return nil
			}
			died.Store(true)
			if n == 20 { // ignores its context, once
				time.Sleep(15*time.Second + 900*time.Millisecond)
				return errRefused
			}
			<-ctx.Done()
			return ctx.Err()
		}), func(p *healthcheck.Options) { *p = o })
		register(t, pool, healthcheck.Target{ID: "a"})
		run(t, pool)
		var last time.Time
		for range 19 {
			last = <-passed
		}
		waitFor(t, pool, "a", healthcheck.Unhealthy)
		if took := time.Since(last); took > o.DetectionBound() {
			s, _ := pool.Status("a")
			t.Errorf("detected %v after last pass, bound %v; lag %v", took, o.DetectionBound(), s.Last.Lag)
		}
	})
}

func TestFuncWithoutAFunctionIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool, err := healthcheck.New(healthcheck.Func(nil))
		if err != nil {
			return
		}
		if err := pool.Register(healthcheck.Target{ID: "a"}); err != nil {
			return
		}
		run(t, pool)
		time.Sleep(time.Hour)
		s, _ := pool.Status("a")
		t.Errorf("nil accepted; after an hour %v %v %v", s.State, s.Reason, s.Last.Err)
	})
}

func TestResolverThatFailsIsNotTheTargetsFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  *net.DNSError
		want healthcheck.Outcome
	}{
		{&net.DNSError{Err: "socket: too many open files", Name: "db.example", IsTemporary: true}, healthcheck.Unknown},
		{&net.DNSError{Err: "no such host", Name: "db.example", IsNotFound: true}, healthcheck.Fail},
	} {
		checker, err := healthcheck.TCP(func(o *healthcheck.TCPOptions) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: c.err}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		probe, err := checker.Open(healthcheck.Target{ID: "a", Addr: "db.example:5432"})
		if err != nil {
			t.Fatal(err)
		}
		if r := probe.Check(t.Context()); r.Outcome != c.want {
			t.Errorf("%v: %v, want %v", c.err, r.Outcome, c.want)
		}
		if err := probe.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestIntervalMustExceedTheTimeoutAfterRounding(t *testing.T) {
	t.Parallel()
	_, err := healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil }), func(o *healthcheck.Options) {
		o.Interval, o.Timeout = 14*time.Millisecond, 13*time.Millisecond // which is 10 ms
	})
	var wrong *healthcheck.FieldError
	if !errors.As(err, &wrong) || wrong.Field != "Options.Interval" {
		t.Errorf("got %v", err)
	}
}

func TestChurnBesideAProbeThatNeverReturnsKeepsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		pool := newPool(t, healthcheck.Func(func(_ context.Context, x healthcheck.Target) error {
			if x.ID == "stuck" {
				<-release
			}
			return nil
		}), func(o *healthcheck.Options) {
			o.MaxInFlight, o.MaxStartSpread, o.DeregistrationDelay = 1, healthcheck.None, healthcheck.None
		})
		run(t, pool)
		register(t, pool, healthcheck.Target{ID: "stuck"})
		time.Sleep(time.Second)
		for range 1000 {
			register(t, pool, healthcheck.Target{ID: "b"})
			time.Sleep(10 * time.Millisecond)
			if err := pool.Deregister("b"); err != nil {
				t.Fatal(err)
			}
		}
		if n := pool.Waiting(); n > 10 {
			t.Errorf("%d checks wait, for one target", n)
		}
		close(release)
	})
}
