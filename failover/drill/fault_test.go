package drill_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/failover/drill"
	"github.com/awsha/awsha/failover/failovermock"
)

// deaf blocks for an hour, whatever its context says.
func deaf() { time.Sleep(time.Hour) }

// inState returns a State that always answers the same.
func inState(s drill.FaultState) func(context.Context) (drill.FaultState, error) {
	return func(context.Context) (drill.FaultState, error) { return s, nil }
}

func ended(context.Context) error { return nil }

// injection answers Active until it is ended, unless the functions say otherwise.
func injection(state func(context.Context) (drill.FaultState, error), end func(context.Context) error) *failovermock.InjectionMock {
	m := &failovermock.InjectionMock{EndFunc: end}
	m.StateFunc = func(ctx context.Context) (drill.FaultState, error) {
		switch {
		case state != nil:
			return state(ctx)
		case len(m.EndCalls()) > 0:
			return drill.FaultEnded, nil
		}
		return drill.FaultActive, nil
	}
	return m
}

func injecting(i drill.Injection, err error) *failovermock.InjectorMock {
	return &failovermock.InjectorMock{InjectFunc: func(context.Context, string, drill.Fault) (drill.Injection, error) { return i, err }}
}

// faulty runs a drill of a service that is always well on an injector that is not: what happens to the fault is all that counts.
func faulty(ctx context.Context, t *testing.T, injector drill.Injector, optFns ...func(*drill.Options)) (*drill.Report, error) {
	t.Helper()
	d, err := drill.New(injector, drill.Fault{Kind: "experiment", Target: "EXT1"},
		drill.Response{Engine: newEngine(t), Plan: nothing()},
		[]drill.Probe{{Name: "fn", Client: drill.NewClient(func(context.Context) error { return nil })}},
		append([]func(*drill.Options){func(o *drill.Options) { o.Confirm = "orders" }}, optFns...)...)
	if err != nil {
		t.Fatal(err)
	}
	return d.Run(ctx)
}

func TestInjectorsThatFail(t *testing.T) {
	t.Parallel()
	type outcome struct {
		err     error  // that the drill's matches; nil: it has a verdict
		text    string // in the error, or in that of the verdict
		unended bool
		ends    int // calls of End
	}
	panics := func(context.Context) error { panic(errOops) }
	for name, test := range map[string]struct {
		inject func(ctx context.Context) (drill.Injection, error) // nil: the injection
		state  func(context.Context) (drill.FaultState, error)
		end    func(context.Context) error
		want   outcome
	}{
		"refused": {
			inject: func(context.Context) (drill.Injection, error) { return nil, errOops },
			want:   outcome{err: errOops},
		},
		"hangs": {
			inject: func(ctx context.Context) (drill.Injection, error) { <-ctx.Done(); return nil, ctx.Err() },
			want:   outcome{err: context.DeadlineExceeded, text: "not in force after 2m0s", unended: true},
		},
		"ignores its context": {
			inject: func(context.Context) (drill.Injection, error) { deaf(); return nil, errOops },
			want:   outcome{err: context.DeadlineExceeded, text: "did not return", unended: true},
		},
		"panics": {
			inject: func(context.Context) (drill.Injection, error) { panic(errOops) },
			want:   outcome{err: errOops, unended: true},
		},
		"ends its goroutine": {
			inject: func(context.Context) (drill.Injection, error) { runtime.Goexit(); return nil, nil },
			want:   outcome{err: drill.ErrUnended, unended: true},
		},
		"returns nothing at all": {
			inject: func(context.Context) (drill.Injection, error) { return nil, nil },
			want:   outcome{err: drill.ErrUnended, text: "neither", unended: true},
		},
		"cannot tell": {
			inject: func(context.Context) (drill.Injection, error) { return injection(nil, ended), errOops },
			want:   outcome{err: errOops},
		},
		"is never in force": {
			state: inState(drill.FaultPending), end: ended,
			want: outcome{err: context.DeadlineExceeded, text: "the fault is pending", unended: true, ends: 1},
		},
		"fails before it is in force": {
			state: inState(drill.FaultFailed), end: ended,
			want: outcome{err: drill.ErrUnended, text: "is failed before it was seen in force", unended: true, ends: 1},
		},
		"is over before it is seen in force": {
			state: inState(drill.FaultEnded), end: ended,
			want: outcome{text: "is ended before", err: errAny, ends: 1},
		},
		"cannot be read": {
			state: func(context.Context) (drill.FaultState, error) { return 0, errOops }, end: ended,
			want: outcome{err: errOops, unended: true, ends: 1},
		},
		"is read by a panic": {
			state: func(context.Context) (drill.FaultState, error) { panic(errOops) }, end: ended,
			want: outcome{err: errOops, unended: true, ends: 1},
		},
		"cannot be ended": {
			end:  func(context.Context) error { return errOops },
			want: outcome{err: errOops, text: "not ended after 2m0s", unended: true, ends: 120}, // or once more, at the very end
		},
		"panics as it is ended": {
			end:  panics,
			want: outcome{err: errOops, unended: true, ends: 120}, // or once more, at the very end
		},
		"hangs as it is ended": {
			end:  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			want: outcome{err: context.DeadlineExceeded, unended: true, ends: 1},
		},
		"ignores its context as it is ended": {
			end:  func(context.Context) error { deaf(); return nil },
			want: outcome{err: context.DeadlineExceeded, text: "did not return", unended: true, ends: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := injection(test.state, test.end)
				if name == "cannot be ended" || name == "panics as it is ended" {
					one = injection(inState(drill.FaultActive), test.end)
				}
				injector := injecting(one, nil)
				if test.inject != nil {
					injector.InjectFunc = func(ctx context.Context, _ string, _ drill.Fault) (drill.Injection, error) { return test.inject(ctx) }
				}
				var log bytes.Buffer
				report, err := faulty(t.Context(), t, injector, func(o *drill.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
				time.Sleep(2 * time.Hour) // what was left behind comes back
				if test.want.err != errAny && !errors.Is(err, test.want.err) || err == nil || !strings.Contains(err.Error(), test.want.text) {
					t.Errorf("%v", err)
				}
				if got := errors.Is(err, drill.ErrUnended); got != test.want.unended || errors.As(err, new(*drill.UnendedError)) != got {
					t.Errorf("unended %t: %v", got, err)
				}
				if test.want.unended {
					if !strings.HasPrefix(err.Error(), "drill: THE FAULT MAY STILL BE IN FORCE: experiment of EXT1: ") {
						t.Errorf("it is not told first: %v", err)
					}
					if !strings.Contains(log.String(), "level=ERROR") || len(report.Misses) != 1 || report.Misses[0].Target != drill.TargetFault || !report.FaultEnded.IsZero() {
						t.Errorf("%s\n%v", &log, report)
					}
				}
				if report.Verdict != drill.NoVerdict {
					t.Errorf("%v", report)
				}
				if n := len(one.EndCalls()); n != test.want.ends && (n < 120 || n > 121) {
					t.Errorf("ended %d times", n)
				}
			})
		})
	}
}

// moment is when something happened, for several goroutines.
type moment struct{ at atomic.Int64 }

func (m *moment) now()           { m.at.Store(time.Now().UnixNano()) }
func (m *moment) get() time.Time { return time.Unix(0, m.at.Load()) }
func (m *moment) is() bool       { return m.at.Load() != 0 }

// since is how long ago it was; 0 if it did not happen.
func (m *moment) since() time.Duration {
	if !m.is() {
		return 0
	}
	return time.Since(m.get())
}

// errAny stands for any error.
var errAny = errors.New("any")

// What comes late, after nobody waits for it any more, must not stay.
func TestALateInjectionIsEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := injection(nil, ended)
		injector := &failovermock.InjectorMock{InjectFunc: func(context.Context, string, drill.Fault) (drill.Injection, error) { deaf(); return one, nil }}
		began := time.Now()
		_, err := faulty(t.Context(), t, injector)
		if took := time.Since(began); !errors.Is(err, drill.ErrUnended) || took > 3*time.Minute {
			t.Errorf("%v after %v", err, took)
		}
		time.Sleep(2 * time.Hour)
		if n := len(one.EndCalls()); n != 1 {
			t.Errorf("ended %d times", n)
		}
	})
}

// An experiment takes time to start and to stop, and its first readings fail, like that of AWS FIS.
func TestASlowExperiment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked, stopping moment
		var reads, ends atomic.Int32
		one := &failovermock.InjectionMock{
			StateFunc: func(context.Context) (drill.FaultState, error) {
				switch {
				case reads.Add(1)%2 == 1:
					return 0, errOops // throttled
				case asked.since() < 30*time.Second:
					return drill.FaultPending, nil
				case !stopping.is():
					return drill.FaultActive, nil
				case stopping.since() < 20*time.Second:
					return drill.FaultEnding, nil
				}
				return drill.FaultEnded, nil
			},
			EndFunc: func(context.Context) error {
				if ends.Add(1) == 1 {
					return errOops
				}
				stopping.now()
				return nil
			},
		}
		injector := &failovermock.InjectorMock{InjectFunc: func(_ context.Context, id string, f drill.Fault) (drill.Injection, error) {
			asked.now()
			if id != "monday" || f.Target != "EXT1" {
				t.Errorf("%s %v", id, f)
			}
			return one, nil
		}}
		report, err := faulty(t.Context(), t, injector, func(o *drill.Options) { o.ID = "monday" })
		if err != nil || report.Verdict != drill.Pass || ends.Load() != 2 || report.FaultEnded.Sub(stopping.get()) < 20*time.Second || report.Struck.Sub(asked.get()) < 30*time.Second {
			t.Errorf("%v\n%v", err, report)
		}
	})
}

func TestAFaultThatEndsByItselfProvesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		one := injection(func(context.Context) (drill.FaultState, error) {
			if time.Since(began) > 15*time.Second {
				return drill.FaultEnded, nil
			}
			return drill.FaultActive, nil
		}, ended)
		report, err := faulty(t.Context(), t, injecting(one, nil))
		if err != nil || report.Verdict != drill.Fail || len(report.Misses) != 1 || report.Misses[0].Target != drill.TargetFault {
			t.Errorf("%v\n%v", err, report)
		}
	})
}

func TestFaultsAreOneLine(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]drill.Fault{
		"power loss":                         {Kind: "power loss"},
		"service down of EC2 (a=1, region=)": {Kind: "service down", Target: "EC2", Params: map[string]string{"region": "", "a": "1"}},
	} {
		if got := f.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := drill.FaultState(0).String() + drill.FaultEnding.String(); got != "FaultState(0)ending" {
		t.Errorf("%q", got)
	}
}

// The end of a fault takes its time, and needs a context that lives, also when Run's is cancelled. A second of the drill is in each phase.
func TestCancellationLeavesTheEndItsTime(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]time.Duration{"pending": 12 * time.Second, "in force": 22 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var stopping moment
				one := &failovermock.InjectionMock{
					StateFunc: func(ctx context.Context) (drill.FaultState, error) {
						switch {
						case ctx.Err() != nil:
							return 0, ctx.Err()
						case !stopping.is() && time.Since(began) < 15*time.Second:
							return drill.FaultPending, nil
						case !stopping.is():
							return drill.FaultActive, nil
						case stopping.since() < 20*time.Second:
							return drill.FaultEnding, nil
						}
						return drill.FaultEnded, nil
					},
					EndFunc: func(ctx context.Context) error {
						if ctx.Err() == nil {
							stopping.now()
						}
						return ctx.Err()
					},
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				time.AfterFunc(at, func() { cancel(errCause) })
				report, err := faulty(ctx, t, injecting(one, nil))
				if !errors.Is(err, errCause) || errors.Is(err, drill.ErrUnended) || len(one.EndCalls()) != 1 || report.FaultEnded.Sub(began) < at+20*time.Second {
					t.Errorf("%v\n%v", err, report)
				}
			})
		})
	}
}

// An injector may be slower to say that a fault is in force than the service is to notice: the RTO counts from what was seen first.
func TestTheFaultCountsFromItsFirstSign(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked moment
		one := &failovermock.InjectionMock{EndFunc: ended}
		one.StateFunc = func(context.Context) (drill.FaultState, error) {
			switch {
			case len(one.EndCalls()) > 0:
				return drill.FaultEnded, nil
			case asked.since() < 30*time.Second:
				return drill.FaultPending, nil
			}
			return drill.FaultActive, nil
		}
		injector := &failovermock.InjectorMock{InjectFunc: func(context.Context, string, drill.Fault) (drill.Injection, error) {
			asked.now()
			return one, nil
		}}
		client := drill.NewClient(func(context.Context) error {
			if since := asked.since(); since > 10*time.Second && since < 60*time.Second {
				return errOops
			}
			return nil
		})
		d, err := drill.New(injector, drill.Fault{Kind: "experiment"}, drill.Response{Engine: newEngine(t), Plan: nothing(), Detect: after(20 * time.Second)},
			[]drill.Probe{{Name: "fn", Client: client}}, func(o *drill.Options) { o.Confirm = "orders" })
		if err != nil {
			t.Fatal(err)
		}
		report, err := d.Run(t.Context())
		if err != nil || report.Verdict != drill.Pass {
			t.Fatalf("%v\n%v", err, report)
		}
		p := &report.Probes[0]
		if report.Struck != p.FirstFailure || p.RTO < 48*time.Second || p.RTO > 50*time.Second || report.Detection < 38*time.Second || report.Detection > 40*time.Second {
			t.Errorf("%v", report)
		}
	})
}
