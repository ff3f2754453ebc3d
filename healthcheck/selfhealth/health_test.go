package selfhealth_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/awsha/awsha/healthcheck/selfhealth"
)

// TestKinds: what a failure does depends on its kind alone.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		kinds  []selfhealth.Kind // that fail; one of each passes beside them
		guards []error           // what Guards say
		live   bool
		status selfhealth.Status
	}{
		{name: "all pass", live: true, status: selfhealth.OK},
		{name: "live", kinds: []selfhealth.Kind{selfhealth.Live}, status: selfhealth.Failing},
		{name: "local", kinds: []selfhealth.Kind{selfhealth.Local}, live: true, status: selfhealth.Failing},
		{name: "soft", kinds: []selfhealth.Kind{selfhealth.Soft}, live: true, status: selfhealth.Degraded},
		{name: "hard", kinds: []selfhealth.Kind{selfhealth.Hard}, live: true, status: selfhealth.Failing},
		{
			name: "hard, and the fleet can spare it", kinds: []selfhealth.Kind{selfhealth.Hard}, guards: []error{nil},
			live: true, status: selfhealth.Failing,
		},
		{
			name: "hard, and the fleet cannot spare it", kinds: []selfhealth.Kind{selfhealth.Hard}, guards: []error{nil, errDown},
			live: true, status: selfhealth.Degraded,
		},
		{
			name: "local, which no guard stops", kinds: []selfhealth.Kind{selfhealth.Local, selfhealth.Hard},
			guards: []error{errDown}, live: true, status: selfhealth.Failing,
		},
		{name: "a guard alone", guards: []error{errDown}, live: true, status: selfhealth.OK},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				good, bad := newThing(), newThing()
				bad.down.Store(true)
				checks := []selfhealth.Check{
					{Name: "good live", Kind: selfhealth.Live, Func: good.check},
					{Name: "good local", Kind: selfhealth.Local, Func: good.check},
					{Name: "good soft", Kind: selfhealth.Soft, Func: good.check},
					{Name: "good hard", Kind: selfhealth.Hard, Func: good.check},
				}
				for _, k := range tc.kinds {
					checks = append(checks, selfhealth.Check{Name: "bad " + k.String(), Kind: k, Func: bad.check})
				}
				for i, err := range tc.guards {
					checks = append(checks, selfhealth.Check{
						Name: "guard" + string(rune('0'+i)), Kind: selfhealth.Guard,
						Func: func(context.Context) error { return err },
					})
				}
				h := newHealth(t, checks)
				wantStatus(t, h, true, selfhealth.Starting)
				run(t, h)
				wantStatus(t, h, tc.live, tc.status)
			})
		})
	}
}

// TestSharedOutage: a dependency that fails for the whole fleet does not take the fleet out (rubygems.org#1898,
// code-dot-org#25578).
func TestSharedOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const size = 20
		db := newThing()
		fleet := make([]*selfhealth.Health, size)
		ready := func() (n int) {
			for _, h := range fleet {
				if h.Status().Ready() {
					n++
				}
			}
			return n
		}
		for i := range fleet {
			fleet[i] = newHealth(t, []selfhealth.Check{
				{Name: "db", Kind: selfhealth.Hard, Func: db.check},
				{Name: "fleet", Kind: selfhealth.Guard, Interval: time.Second, Func: func(context.Context) error {
					if ready() <= size/2 {
						return errors.New("half of the fleet is out")
					}
					return nil
				}},
			})
		}
		for _, h := range fleet {
			run(t, h)
		}
		pass(time.Minute)
		if n := ready(); n != size {
			t.Fatalf("%d of %d are ready while the database is up", n, size)
		}
		db.down.Store(true)
		// Up to half of the instances stay out, as they can be spared. When more leave, their Guards call them back, and they stay
		// for GuardHold. A load balancer with an unhealthy threshold of 2 checks that are 5 s apart sees none of that.
		was, left, short := make([]bool, size), make([]int, size), 0
		for range 1200 {
			for i, h := range fleet {
				is := h.Status().Ready()
				if was[i] && !is {
					left[i]++
				}
				was[i] = is
			}
			if ready() >= size/2 {
				short = 0
			} else if short++; short > 3 {
				t.Fatalf("%d of %d are ready for %d s", ready(), size, short)
			}
			pass(time.Second)
		}
		for i, n := range left {
			if n > 20/5+1 {
				t.Errorf("instance %d left %d times in 20 min, want about once in 5 min", i, n)
			}
		}
		db.down.Store(false)
		pass(time.Minute)
		if n := ready(); n != size {
			t.Errorf("%d of %d are ready once the database is up again", n, size)
		}
	})
}

// TestGuardHangs: who cannot tell whether the fleet can spare the process stays.
func TestGuardHangs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db, guard := newThing(), newThing()
		h := newHealth(t, []selfhealth.Check{
			{Name: "db", Kind: selfhealth.Hard, Func: db.check},
			{Name: "fleet", Kind: selfhealth.Guard, Func: guard.check},
		})
		run(t, h)
		db.down.Store(true)
		pass(11 * time.Second)
		wantStatus(t, h, true, selfhealth.Failing)
		guard.hangs.Store(true)
		pass(13 * time.Second)
		wantStatus(t, h, true, selfhealth.Degraded)
		for _, c := range h.Report().Checks {
			if want := c.Name == "db"; c.FailOpen != want {
				t.Errorf("%s: FailOpen is %t, want %t", c.Name, c.FailOpen, want)
			}
		}
		close(guard.free)
	})
}

// TestGuardAtStart: an instance that has never had traffic waits for its Guard before it joins without its dependency.
func TestGuardAtStart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db, guard := newThing(), newThing()
		db.down.Store(true)
		guard.hangs.Store(true)
		h := newHealth(t, []selfhealth.Check{
			{Name: "db", Kind: selfhealth.Hard, Func: db.check},
			{Name: "fleet", Kind: selfhealth.Guard, Func: guard.check},
		})
		run(t, h)
		pass(time.Second)
		wantStatus(t, h, true, selfhealth.Starting)
		pass(time.Second) // the timeout of the Guard
		wantStatus(t, h, true, selfhealth.Degraded)
		close(guard.free)
	})
}

// TestGuardHold: who was called back stays for as long, and leaves then if its dependency is still down.
func TestGuardHold(t *testing.T) {
	t.Parallel()
	for hold, held := range map[time.Duration]time.Duration{0: 5 * time.Minute, time.Minute: time.Minute, -1: 0} {
		synctest.Test(t, func(t *testing.T) {
			var told diary
			db, guard := newThing(), newThing()
			db.down.Store(true)
			guard.down.Store(true)
			h := newHealth(t, []selfhealth.Check{
				{Name: "db", Kind: selfhealth.Hard, Func: db.check, Interval: 40 * time.Second},
				{Name: "fleet", Kind: selfhealth.Guard, Func: guard.check, Interval: 40 * time.Second},
			}, func(o *selfhealth.Options) { o.GuardHold, o.OnEvent = hold, told.add })
			run(t, h)
			wantStatus(t, h, true, selfhealth.Degraded)
			guard.down.Store(false)
			pass(41 * time.Second) // the Guard has passed, not more than 5 s ago
			if hold >= 0 {
				pass(held - 6*time.Second)
				wantStatus(t, h, true, selfhealth.Degraded)
				pass(6 * time.Second)
			}
			wantStatus(t, h, true, selfhealth.Failing)
			if got := told.read(); len(got) == 0 || got[len(got)-1] != "degraded -> failing, live true -> true" {
				t.Errorf("hold %v: told was %q", hold, got)
			}
		})
	}
}

// TestGuardThreshold: failures of a Guard that are fewer than its threshold keep nobody in traffic.
func TestGuardThreshold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db, guard := newThing(), newThing()
		h := newHealth(t, []selfhealth.Check{
			{Name: "db", Kind: selfhealth.Hard, Func: db.check},
			{Name: "fleet", Kind: selfhealth.Guard, Func: guard.check, FailureThreshold: 2},
		})
		run(t, h)
		guard.down.Store(true)
		pass(10 * time.Second)
		guard.down.Store(false)
		pass(10 * time.Second)
		db.down.Store(true)
		pass(10 * time.Second)
		wantStatus(t, h, true, selfhealth.Failing)
		db.down.Store(false)
		guard.down.Store(true)
		pass(20 * time.Second)
		db.down.Store(true)
		pass(10 * time.Second)
		wantStatus(t, h, true, selfhealth.Degraded)
	})
}

// nilError is the classic typed nil, with methods that do not expect it.
type nilError struct{ cause error }

func (e *nilError) Error() string { return e.cause.Error() }
func (e *nilError) Unwrap() error { return e.cause }

// TestLateErrorWithBrokenMethods: the error of a check that is late is asked what it is; that it panics is no end of the process.
func TestLateErrorWithBrokenMethods(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Local, Func: func(ctx context.Context) error {
			<-ctx.Done()
			return (*nilError)(nil)
		}}})
		run(t, h)
		pass(time.Minute)
		wantStatus(t, h, true, selfhealth.Failing)
		if c := h.Report().Checks[0]; c.Failures < 4 {
			t.Errorf("%d failures in a minute, want one each 12 s", c.Failures)
		}
	})
}

// reentrantError asks the Health from its methods.
type reentrantError struct{ h *selfhealth.Health }

func (e reentrantError) Error() string { return "late" }
func (e reentrantError) Is(error) bool { return !e.h.Live() }

// TestLateErrorThatAsksBack: no lock is held while methods of an error run.
func TestLateErrorThatAsksBack(t *testing.T) {
	t.Parallel()
	h := newHealth(t, nil)
	if _, err := h.Register(selfhealth.Check{
		Name: "db", Kind: selfhealth.Local, Timeout: time.Millisecond, Func: func(ctx context.Context) error {
			<-ctx.Done()
			return reentrantError{h}
		},
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	for {
		report := make(chan selfhealth.Report, 1)
		go func() { report <- h.Report() }()
		select {
		case r := <-report:
			if !r.Checks[0].Last.IsZero() {
				cancel()
				<-done
				return
			}
			time.Sleep(time.Millisecond) // real time: a lock that is held stops a bubble
		case <-time.After(30 * time.Second):
			t.Fatal("the lock is held while an error is asked")
		}
	}
}

// inThisBubble returns how many goroutines there are in the bubble of the caller, whatever runs beside it.
func inThisBubble(t *testing.T) int {
	t.Helper()
	stacks := make([]byte, 1<<24)
	stacks = stacks[:runtime.Stack(stacks, true)]
	bubble := regexp.MustCompile(`synctest bubble [0-9]+\]`)
	own := bubble.Find(stacks) // the caller comes first
	if own == nil {
		t.Fatalf("no bubble in %.100s", stacks)
	}
	return bytes.Count(stacks, own)
}

// TestHangingCheck: a check that ignores its context fails at its timeout, holds one goroutine for ever, and no answer waits
// for it (hellofresh/health-go#224, consul#3457).
func TestHangingCheck(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db := newThing()
		check := selfhealth.Check{Name: "db", Kind: selfhealth.Local, Func: db.check, FailureThreshold: 3}
		h := newHealth(t, []selfhealth.Check{check})
		stop := run(t, h)
		wantStatus(t, h, true, selfhealth.OK)
		db.hangs.Store(true)
		for db.now.Load() == 0 {
			pass(time.Millisecond)
		}
		hung := db.calls.Load()

		pass(2*time.Second - 2*time.Millisecond)
		if c := h.Report().Checks[0]; c.Failures != 0 {
			t.Errorf("it has failed %d times within its timeout", c.Failures)
		}
		pass(20 * time.Second) // two intervals, of which each is a failure
		wantStatus(t, h, true, selfhealth.OK)
		pass(2 * time.Millisecond)
		wantStatus(t, h, true, selfhealth.Failing)
		if c := h.Report().Checks[0]; c.Failures != 3 || !errors.Is(c.Err, selfhealth.ErrTimeout) {
			t.Errorf("it has failed %d times with %v, want one for each interval and a timeout", c.Failures, c.Err)
		}

		goroutines := inThisBubble(t)
		for range 100 { // neither time nor those that take the name over make more of them
			pass(time.Minute)
			if _, err := h.Register(check); err != nil {
				t.Fatal(err)
			}
		}
		wantStatus(t, h, true, selfhealth.Failing)
		if n := db.calls.Load(); n != hung {
			t.Errorf("it was called %d times more while it hung", n-hung)
		}
		if n := inThisBubble(t); n > goroutines {
			t.Errorf("%d goroutines, of which there were %d", n, goroutines)
		}
		db.hangs.Store(false)
		close(db.free)
		synctest.Wait()
		wantStatus(t, h, true, selfhealth.OK)
		if n := db.most.Load(); n != 1 {
			t.Errorf("it ran %d times at once", n)
		}
		stop()
	})
}

// TestLateAnswer: what comes after the timeout is a failure, whatever it says.
func TestLateAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		late := func(context.Context) error {
			time.Sleep(3 * time.Second)
			return nil
		}
		h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Local, Func: late}})
		run(t, h)
		wantStatus(t, h, true, selfhealth.Starting)
		pass(4 * time.Second)
		wantStatus(t, h, true, selfhealth.Failing)
		if c := h.Report().Checks[0]; !errors.Is(c.Err, selfhealth.ErrTimeout) || c.Failures != 1 || c.Took != 3*time.Second {
			t.Errorf("got %+v, want one timeout after 3 s", c)
		}
		pass(time.Hour)
	})
}

// TestLateAnswerCountsOn: the failures of a call that hung are not forgotten when it returns.
func TestLateAnswerCountsOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		late := func(context.Context) error {
			time.Sleep(25 * time.Second)
			return errDown
		}
		h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Local, Func: late, FailureThreshold: 3}})
		run(t, h)
		for _, at := range []struct {
			time     time.Duration
			failures int
		}{{2*time.Second - 1, 0}, {1, 1}, {10*time.Second - 1, 1}, {1, 2}, {10 * time.Second, 3}, {3*time.Second + 1, 3}} {
			pass(at.time)
			if c := h.Report().Checks[0]; c.Failures != at.failures {
				t.Errorf("after %v more: %d failures, want %d", at.time, c.Failures, at.failures)
			}
		}
		if c := h.Report().Checks[0]; !errors.Is(c.Err, errDown) {
			t.Errorf("it says %v, want what the check said", c.Err)
		}
		pass(time.Minute)
	})
}

// TestEndOfRun: Run waits for the checks, and what it calls off counts for nothing.
func TestEndOfRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var ended atomic.Bool
		h := newHealth(t, []selfhealth.Check{{Name: "loop", Kind: selfhealth.Live, Timeout: time.Minute,
			Func: func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(5 * time.Second)
				ended.Store(true)
				return ctx.Err()
			},
		}})
		stop := run(t, h)
		stop()
		if !ended.Load() {
			t.Error("Run returned before the check")
		}
		wantStatus(t, h, true, selfhealth.Draining)
		if c := h.Report().Checks[0]; c.Failures != 0 || !c.Last.IsZero() {
			t.Errorf("got %+v, want that nothing is known", c)
		}
	})
}

// TestNothingIsKept: a check that was removed is not held on to.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	for name, running := range map[string]bool{"before Run": false, "while Run runs": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHealth(t, nil)
				if running {
					run(t, h)
				}
				big := new([1 << 16]byte)
				held := weak.Make(big)
				remove, err := h.Register(selfhealth.Check{Name: "big", Kind: selfhealth.Local, Func: func(context.Context) error {
					big[0]++
					return nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				pass(time.Minute)
				remove()
				pass(time.Minute)
				runtime.GC()
				if held.Value() != nil {
					t.Error("what the check used is still held")
				}
				_ = h.Report()
			})
		})
	}
}

// TestStale: without Run nothing is known for long, and a process that forgot it is restarted.
func TestStale(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		loop := newThing()
		h := newHealth(t, []selfhealth.Check{{Name: "loop", Kind: selfhealth.Live, Func: loop.check, MaxAge: time.Minute}})
		pass(time.Minute)
		wantStatus(t, h, true, selfhealth.Starting)
		pass(time.Nanosecond)
		wantStatus(t, h, false, selfhealth.Failing)
		if c := h.Report().Checks[0]; !errors.Is(c.Err, selfhealth.ErrStale) {
			t.Errorf("got %v, want ErrStale", c.Err)
		}
		stop := run(t, h)
		wantStatus(t, h, true, selfhealth.OK)
		pass(time.Hour)
		wantStatus(t, h, true, selfhealth.OK)
		stop()
		wantStatus(t, h, true, selfhealth.Draining)
		pass(time.Minute + 1)
		wantStatus(t, h, false, selfhealth.Draining)
	})
}

// TestInterval: a check rests for its interval, a little less by chance, from end to start: a dependency that is slow is asked
// less often (airbyte#25916).
func TestInterval(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var gaps []time.Duration
		var ended time.Time
		h := newHealth(t, []selfhealth.Check{{
			Name: "db", Kind: selfhealth.Soft, Interval: 10 * time.Second, Timeout: 5 * time.Second,
			Func: func(context.Context) error {
				if !ended.IsZero() {
					gaps = append(gaps, time.Since(ended))
				}
				time.Sleep(4 * time.Second)
				ended = time.Now()
				return nil
			},
		}})
		stop := run(t, h)
		pass(time.Hour)
		stop()
		if n := len(gaps); n < 3600/14 || n > 3600/13 {
			t.Errorf("%d calls in an hour, want one each 13 to 14 s", n)
		}
		different := make(map[time.Duration]bool)
		for _, gap := range gaps {
			different[gap] = true
			if gap < 9*time.Second || gap > 10*time.Second {
				t.Errorf("it rested for %v, want 9 to 10 s", gap)
			}
		}
		if len(different) < len(gaps)/2 {
			t.Errorf("%d different rests among %d: a fleet would ask in step", len(different), len(gaps))
		}
	})
}

// TestThreshold: failures count in a row, and one pass ends them.
func TestThreshold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		db := newThing()
		h := newHealth(t, []selfhealth.Check{{Name: "db", Kind: selfhealth.Local, Func: db.check, FailureThreshold: 2}})
		run(t, h)
		for range 10 { // now and then
			db.down.Store(true)
			for n := db.calls.Load(); db.calls.Load() == n; {
				pass(time.Second)
			}
			wantStatus(t, h, true, selfhealth.OK)
			db.down.Store(false)
			pass(11 * time.Second)
		}
		db.down.Store(true)
		pass(21 * time.Second)
		wantStatus(t, h, true, selfhealth.Failing)
		db.down.Store(false)
		pass(11 * time.Second)
		wantStatus(t, h, true, selfhealth.OK)
	})
}

// TestBrokenChecks: what breaks in a check is a failure of that check, and it runs again.
func TestBrokenChecks(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(){
		"panics":               func() { panic("the password is 1234") },
		"ends its goroutine":   runtime.Goexit,
		"panics with an error": func() { panic(errDown) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				breaks, other := newThing(), newThing()
				breaks.down.Store(true)
				h := newHealth(t, []selfhealth.Check{
					{Name: "broken", Kind: selfhealth.Local, Func: func(ctx context.Context) error {
						if breaks.check(ctx) != nil {
							broken()
						}
						return nil
					}},
					{Name: "other", Kind: selfhealth.Local, Func: other.check},
				})
				run(t, h)
				wantStatus(t, h, true, selfhealth.Failing)
				if c := h.Report().Checks[0]; !errors.Is(c.Err, selfhealth.ErrPanic) || strings.Contains(c.Err.Error(), "1234") {
					t.Errorf("got %v, want ErrPanic and nothing of what it panicked with", c.Err)
				}
				breaks.down.Store(false)
				pass(11 * time.Second)
				wantStatus(t, h, true, selfhealth.OK)
				if n := other.calls.Load(); n != 2 {
					t.Errorf("the other check ran %d times, want 2", n)
				}
			})
		})
	}
}

func TestManualStart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHealth(t, nil, func(o *selfhealth.Options) { o.ManualStart = true })
		run(t, h)
		pass(time.Hour)
		wantStatus(t, h, true, selfhealth.Starting)
		h.Started()
		wantStatus(t, h, true, selfhealth.OK)
	})
}

func TestRunOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHealth(t, nil)
		stop := run(t, h)
		if err := h.Run(t.Context()); !errors.Is(err, selfhealth.ErrAlreadyRun) {
			t.Errorf("a second Run returns %v", err)
		}
		stop()
		if err := h.Run(t.Context()); !errors.Is(err, selfhealth.ErrAlreadyRun) {
			t.Errorf("a Run after the end returns %v", err)
		}
		if _, err := h.Register(); !errors.Is(err, selfhealth.ErrStopped) {
			t.Errorf("Register after the end returns %v", err)
		}
	})
}

// TestHeartbeat: a loop that stops turning turns /livez.
func TestHeartbeat(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		loop := selfhealth.NewHeartbeat()
		h := newHealth(t, []selfhealth.Check{
			{Name: "loop", Kind: selfhealth.Live, Func: loop.Within(30 * time.Second), Interval: time.Second},
		})
		run(t, h)
		for range 10 {
			pass(29 * time.Second)
			wantStatus(t, h, true, selfhealth.OK)
			loop.Beat()
		}
		pass(32 * time.Second)
		wantStatus(t, h, false, selfhealth.Failing)
		loop.Beat()
		pass(time.Second)
		wantStatus(t, h, true, selfhealth.OK)
	})
}
