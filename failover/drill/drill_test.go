package drill_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/drill"
	"github.com/awsha/awsha/failover/failovermock"
)

// within tells whether a measured time is that of the configuration, within 2 % and the bound of the probe.
func within(got, want, bound time.Duration) bool {
	return got >= want && got <= want+want/50+bound
}

func TestAPassingDrillMeasures(t *testing.T) {
	bubble(t, func(w *world) {
		back := w.plan(w.primary, 0)
		r := w.byHand()
		r.Failback, r.HomeReady = &back, after(20*time.Second)
		report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{w.probe()}, func(o *drill.Options) {
			o.Targets = drill.Targets{RTO: time.Minute, Detection: detect, MaxFailed: new(200)}
		})
		w.must(err)
		p := &report.Probes[0]
		_, critical := r.Plan.CriticalPath()
		if report.Verdict != drill.Pass || report.Err() != nil || len(report.Misses) > 0 {
			t.Errorf("%v", report)
		}
		if report.Detection != detect {
			t.Errorf("detection %v", report.Detection)
		}
		if want := detect + critical; !within(p.RTO, want, p.Bound) || report.RTO != p.RTO || !p.Recovered {
			t.Errorf("RTO %v, want %v and at most the bound of %v", p.RTO, want, p.Bound)
		}
		if !within(report.Plan, critical, time.Second+time.Second/10) { // an interval of the engine's, with jitter
			t.Errorf("plan %v, want %v", report.Plan, critical)
		}
		if len(p.Downtimes) != 1 || p.Downtimes[0].To != p.RecoveredAt || p.Downtime > p.RTO || p.RTO-p.Downtime > p.Bound {
			t.Errorf("%+v", p)
		}
		if p.FirstFailure != p.Downtimes[0].From || !p.LastFailure.Before(p.RecoveredAt) || p.FailedAfterRecovery != 0 || p.FailbackFailed > 1 {
			t.Errorf("%+v", p)
		}
		// A request takes its timeout, which is its interval.
		if want := int(p.Downtime / p.Interval); p.Failed < want-1 || p.Failed > want || p.Failed != report.Failed || p.LastError == nil {
			t.Errorf("%d failed, want %d", p.Failed, want)
		}
		order := []time.Time{report.Began, report.Injected, report.Detected, report.PlanEnded, report.FaultEnded, report.Failback, report.Ended}
		if !slices.IsSortedFunc(order, time.Time.Compare) || order[0].IsZero() || report.Struck != report.Injected {
			t.Errorf("%v", order)
		}
		w.wantKinds(report.Timeline, failover.KindDowntime, failover.KindEnded, failover.KindEnded)
		w.wantHolder(w.primary)
	})
}

// However a probe asks, what it measures is what was configured, within its own bound.
func TestWhatIsMeasuredIsWithinTheBound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ interval, timeout, detect, warm time.Duration }{
		{100 * time.Millisecond, 2 * time.Second, 3 * time.Second, 10 * time.Second},
		{time.Second, 3 * time.Second, 17 * time.Second, 2 * time.Minute},
		{5 * time.Second, time.Second, 40 * time.Second, 5 * time.Minute},
		{700 * time.Millisecond, 900 * time.Millisecond, time.Minute, 0},
	} {
		t.Run(test.interval.String(), func(t *testing.T) {
			bubble(t, func(w *world) {
				p := w.probe()
				p.Interval, p.Timeout = test.interval, test.timeout
				r := drill.Response{Plan: w.plan(w.standby, test.warm), Engine: w.engine, Detect: after(test.detect)}
				report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{p})
				w.must(err)
				_, critical := r.Plan.CriticalPath()
				got, bound := report.Probes[0].RTO, test.interval+test.timeout
				if want := test.detect + critical; got < want || got > want+want/50+bound || report.Probes[0].Bound != bound {
					t.Errorf("RTO %v, want %v and at most %v more", got, want, bound)
				}
				t.Logf("configured %v, measured %v, bound %v", test.detect+critical, got, bound)
				if d := report.Probes[0].Downtimes; len(d) != 1 || d[0].To.Sub(d[0].From) < got-bound || d[0].To.Sub(d[0].From) > got {
					t.Errorf("%v", d)
				}
			})
		})
	}
}

// wantKinds are the kinds of some events, in order.
func (w *world) wantKinds(tl *failover.Timeline, want ...failover.Kind) {
	w.Helper()
	var got []failover.Kind
	for _, ev := range tl.Events() {
		if slices.Contains(want, ev.Kind) {
			got = append(got, ev.Kind)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func (w *world) wantHolder(n *node) {
	w.Helper()
	holder, err := w.holder(context.WithoutCancel(w.Context()))
	w.must(err)
	if holder != n.id {
		w.Errorf("the address is on %s", holder)
	}
}

// healed tells whether the zone of the primary is well: its instance can be reached by a new connection.
func (w *world) wantHealed() {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Context()), time.Second)
	defer cancel()
	instance, _ := w.cloud.Instance(w.primary.id)
	conn, err := instance.Zone().Dial(ctx, "tcp", instance.PrivateIP().String()+":80")
	if err != nil {
		w.Errorf("the zone is not healed: %v", err)
		return
	}
	_ = conn.Close()
}

func TestDrillsInARowLeaveNothingBehind(t *testing.T) {
	bubble(t, func(w *world) {
		ids := map[string]bool{}
		for range 2 {
			r, back := w.byHand(), w.plan(w.primary, 0)
			r.Failback = &back
			report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{w.probe(), w.data()})
			w.must(err)
			if report.Verdict != drill.Pass {
				t.Errorf("%v", report)
			}
			ids[report.ID] = true
			w.wantHealed()
			w.wantHolder(w.primary)
		}
		if len(ids) != 2 {
			t.Errorf("%v", ids)
		}
	})
}

// A controller notices and acts; the drill watches it.
func TestAControllerIsWatched(t *testing.T) {
	bubble(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.Context())
		stopped := w.control(ctx)
		back := w.plan(w.primary, 0)
		report, err := w.drill(ctx, w.injector, drill.Response{
			Plan: w.plan(w.standby, warm), Engine: w.engine, Watch: w.events, Failback: &back, HomeReady: after(time.Minute),
		}, []drill.Probe{w.probe()}, func(o *drill.Options) { o.Targets = drill.Targets{Detection: 15 * time.Second, RTO: time.Minute} })
		cancel()
		<-stopped
		w.must(err)
		if report.Verdict != drill.Pass {
			t.Fatalf("%v", report)
		}
		// Three looks in a row, the first of them within the interval, the others within the interval of what is suspect; each takes the
		// observer's patience.
		if report.Detection < 2*time.Second || report.Detection > 5*time.Second+2*time.Second+3*time.Second {
			t.Errorf("detection %v", report.Detection)
		}
		_, critical := w.plan(w.standby, warm).CriticalPath()
		p := &report.Probes[0]
		if want := report.Detection + critical; !within(p.RTO, want, p.Bound+time.Second) {
			t.Errorf("RTO %v, want %v", p.RTO, want)
		}
		if !strings.HasPrefix(report.Incident, "orders-2000") {
			t.Errorf("incident %q", report.Incident)
		}
		w.wantKinds(report.Timeline, failover.KindDetected, failover.KindDowntime, failover.KindEnded, failover.KindEnded)
		w.wantHealed()
		w.wantHolder(w.primary)
	})
}

// control runs a controller until ctx ends.
func (w *world) control(ctx context.Context, optFns ...func(*failover.ControllerOptions)) (stopped chan struct{}) {
	w.Helper()
	board, err := failover.NewBoard(w.store)
	w.must(err)
	client := w.probe().Client
	c, err := failover.NewController(w.engine, board, []failover.Service{{
		Name: "orders", Quorum: failover.Quorum{Of: 1},
		Observers: []failover.Observer{failover.NewObserver("canary", "use1-az6", func(ctx context.Context) failover.Observation {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if err := client.Ask(ctx); err != nil {
				return failover.Observation{Verdict: failover.Failed, Evidence: err.Error()}
			}
			return failover.Observation{Verdict: failover.Healthy}
		})},
		Plan: func(failover.Incident) (failover.Plan, error) { return w.plan(w.standby, warm), nil },
	}}, append([]func(*failover.ControllerOptions){func(o *failover.ControllerOptions) {
		o.Name, o.OnEvent, o.WarmUp = "controller", w.events.OnEvent, time.Second
	}}, optFns...)...)
	w.must(err)
	stopped = make(chan struct{})
	go func() {
		defer close(stopped)
		_ = c.Run(ctx)
	}()
	return stopped
}

// A controller whose brakes hold does nothing, and the limit ends the fault.
func TestAHeldControllerMisses(t *testing.T) {
	bubble(t, func(w *world) {
		ctx, cancel := context.WithCancel(w.Context())
		stopped := w.control(ctx, func(o *failover.ControllerOptions) { o.Brakes.Approval = failover.BlastInstance })
		report, err := w.drill(ctx, w.injector, drill.Response{Plan: w.plan(w.standby, warm), Watch: w.events}, []drill.Probe{w.probe()},
			func(o *drill.Options) { o.Limit = 2 * time.Minute })
		cancel()
		<-stopped
		w.must(err)
		if diff := cmp.Diff([]string{drill.TargetLimit, drill.TargetPlan, drill.TargetRTO}, misses(report)); diff != "" {
			t.Errorf("%v\n%s", report, diff)
		}
		if text := report.Err().Error(); !strings.Contains(text, "a person has to approve it") {
			t.Errorf("%s", text)
		}
		w.wantHealed()
	})
}

func TestEachTargetCanBeMissed(t *testing.T) {
	t.Parallel()
	for target, test := range map[string]struct {
		targets drill.Targets
		lag     time.Duration
	}{
		drill.TargetRTO:        {drill.Targets{RTO: detect + warm}, 0},
		drill.TargetDetection:  {drill.Targets{Detection: detect - 1}, 0},
		drill.TargetFailed:     {drill.Targets{MaxFailed: new(10)}, 0},
		drill.TargetRPO:        {drill.Targets{RPO: new(3 * time.Second), MaxLostWrites: new(100)}, 6 * time.Second},
		drill.TargetLostWrites: {drill.Targets{RPO: new(time.Minute), MaxLostWrites: new(0)}, 6 * time.Second},
	} {
		t.Run(target, func(t *testing.T) {
			bubble(t, func(w *world) {
				ctx, cancel := context.WithCancel(w.Context())
				var struck atomic.Bool
				done := make(chan struct{})
				go func() { defer close(done); w.replicate(ctx, test.lag, func() bool { return !struck.Load() }) }()
				report, err := w.drill(ctx, w.injector, w.byHand(), []drill.Probe{w.probe(), w.data()}, func(o *drill.Options) {
					o.Targets = test.targets
					o.OnEvent = func(_ context.Context, ev failover.Event) {
						if strings.HasPrefix(ev.Detail, "inject ") {
							struck.Store(true)
						}
					}
				})
				cancel()
				<-done
				w.must(err)
				got := misses(report)
				slices.Sort(got)
				if got = slices.Compact(got); report.Verdict != drill.Fail || !cmp.Equal(got, []string{target}) {
					t.Errorf("missed %q in\n%v", got, report)
				}
				if err := report.Err(); !errors.Is(err, drill.ErrFailed) || !errors.As(err, new(*drill.FailedError)) {
					t.Errorf("%v", err)
				}
				// What was acknowledged in the lag is gone: a write each second and what a request takes.
				if test.lag > 0 {
					l := report.Probes[1].Loss
					if l.Writes < 4 || l.Writes > 7 || l.Span < 4*time.Second || l.Span > test.lag+2*time.Second || !report.RPOKnown {
						t.Errorf("%+v", l)
					}
				}
			})
		})
	}
}

func TestAProbeThatNeverRecoversFailsTheDrill(t *testing.T) {
	bubble(t, func(w *world) {
		r := w.byHand()
		r.Plan = w.plan(w.primary, time.Second) // the address stays where nobody is
		back := w.plan(w.primary, 0)
		r.Failback = &back
		report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{w.probe(), w.data()}, func(o *drill.Options) {
			o.Limit, o.Targets = 3*time.Minute, drill.Targets{RPO: new(time.Duration(0))}
		})
		w.must(err)
		// Once the zone is well, the data is read again: nothing is lost.
		if diff := cmp.Diff([]string{drill.TargetLimit, drill.TargetRTO, drill.TargetRTO, drill.TargetFailback}, misses(report)); diff != "" {
			t.Errorf("%s\n%v", diff, report)
		}
		if !report.RTOOpen || report.RTO != 3*time.Minute || report.Probes[0].Recovered || !report.RPOKnown || !report.Recovered.IsZero() {
			t.Errorf("%v", report)
		}
		if took := report.FaultEnded.Sub(report.Struck); took != 3*time.Minute {
			t.Errorf("in force for %v", took)
		}
		w.wantHealed()
	})
}

// A service that stays away even without the fault is told, too, and nobody knows what is lost.
func TestAServiceThatStaysAwayAfterTheFault(t *testing.T) {
	bubble(t, func(w *world) {
		var gone atomic.Bool
		client := drill.NewClient(func(context.Context) error {
			if gone.Load() {
				return errOops
			}
			return nil
		})
		r := w.byHand()
		r.Detect = func(context.Context) error { gone.Store(true); return nil }
		report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{
			{Name: "fn", Client: client},
			{Name: "data", Client: drill.WriteRead(drill.WriteReadSpec{
				Write: func(ctx context.Context, _ uint64) error { return client.Ask(ctx) },
				Read:  func(ctx context.Context) (uint64, error) { return 0, client.Ask(ctx) },
			})},
		}, func(o *drill.Options) {
			o.Limit, o.Targets = time.Minute, drill.Targets{MaxLostWrites: new(100)}
		})
		w.must(err)
		want := []string{drill.TargetLimit, drill.TargetRTO, drill.TargetRTO, drill.TargetLostWrites, drill.TargetAfter}
		if diff := cmp.Diff(want, misses(report)); diff != "" {
			t.Errorf("%s\n%v", diff, report)
		}
		if l := report.Probes[1].Loss; report.RPOKnown || l.Unverified == 0 {
			t.Errorf("%+v", l)
		}
		if !strings.Contains(report.String(), "fn, which goes on") {
			t.Errorf("%v", report)
		}
	})
}

func TestAFailedPlanEndsTheFaultAtOnce(t *testing.T) {
	bubble(t, func(w *world) {
		r := w.byHand()
		back := w.plan(w.primary, 0)
		r.Failback = &back
		r.Plan = failover.Plan{Service: "orders", Steps: []failover.Step{failover.NewStep(failover.StepFuncs{
			ID: "promote", Plane: failover.PlaneMutate, Do: func(context.Context, *failover.Env) error { return failover.Permanent(errOops) },
		})}}
		report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{w.probe()})
		w.must(err)
		if diff := cmp.Diff([]string{drill.TargetPlan, drill.TargetRTO, drill.TargetFailback}, misses(report)); diff != "" {
			t.Errorf("%s\n%v", diff, report)
		}
		if took := report.FaultEnded.Sub(report.Struck); took != detect {
			t.Errorf("in force for %v", took)
		}
		w.wantHealed()
	})
}

func TestADrillRefusesWhatIsNotSteady(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(w *world, r *drill.Response, p *drill.Probe){
		"a probe fails": func(_ *world, _ *drill.Response, p *drill.Probe) {
			p.Client = drill.NewClient(func(context.Context) error { return errOops })
		},
		"a step is not ready": func(_ *world, r *drill.Response, _ *drill.Probe) {
			r.Plan.Steps = append(r.Plan.Steps, failover.NewStep(failover.StepFuncs{ID: "unfit", Plane: failover.PlaneMutate,
				Ready: func(context.Context, *failover.Env) ([]failover.Finding, error) {
					return []failover.Finding{{Level: failover.LevelFail, Text: "oops"}}, nil
				}}))
		},
		"an incident has begun": func(w *world, r *drill.Response, _ *drill.Probe) {
			r.Detect, r.Watch = nil, w.events
			time.AfterFunc(time.Second, func() {
				w.events.OnEvent(w.Context(), failover.Event{Kind: failover.KindDetected, Service: "orders", Incident: "oops"})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				injector := &failovermock.InjectorMock{}
				r, p := w.byHand(), w.probe()
				spoil(w, &r, &p)
				report, err := w.drill(w.Context(), injector, r, []drill.Probe{p}, func(o *drill.Options) { o.Confirm = "orders" })
				if !errors.Is(err, drill.ErrNotSteady) || !strings.Contains(err.Error(), "oops") || report.Verdict != drill.NoVerdict || report.Err() != nil {
					t.Errorf("%v: %v", report, err)
				}
				if n := len(injector.InjectCalls()); n > 0 {
					t.Errorf("injected %d times", n)
				}
			})
		})
	}
}

// Told to, it begins all the same.
func TestADrillBeginsAnywayIfItMust(t *testing.T) {
	bubble(t, func(w *world) {
		var asked atomic.Int32
		flaky := drill.Probe{Name: "flaky", Client: drill.NewClient(func(context.Context) error {
			if asked.Add(1) < 3 {
				return errOops
			}
			return nil
		})}
		report, err := w.drill(w.Context(), w.injector, w.byHand(), []drill.Probe{flaky, w.probe()}, func(o *drill.Options) { o.BeginAnyway = true })
		w.must(err)
		if report.Verdict != drill.Pass || report.Probes[0].Failed != 0 || report.Probes[0].RTO != 0 {
			t.Errorf("%v", report)
		}
	})
}

func TestADrillRunsOnce(t *testing.T) {
	bubble(t, func(w *world) {
		r := w.byHand()
		r.Detect, r.Watch = nil, w.events
		d, err := drill.New(w.injector, w.outage(), r, []drill.Probe{w.probe()})
		w.must(err)
		other, err := drill.New(w.injector, w.outage(), r, []drill.Probe{w.probe()})
		w.must(err)
		ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
		defer cancel()
		go func() {
			time.Sleep(time.Second)
			if _, err := other.Run(ctx); err == nil || !strings.Contains(err.Error(), "another drill watches") {
				t.Errorf("%v", err)
			}
		}()
		if _, err := d.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if report, err := d.Run(w.Context()); report != nil || !errors.Is(err, failover.ErrAlreadyRun) {
			t.Errorf("%v %v", report, err)
		}
	})
}

// cause is why a drill is cancelled.
var errCause = errors.New("somebody pressed a key")

func TestCancellationEndsTheFaultAtOnce(t *testing.T) {
	t.Parallel()
	for phase, at := range map[string]time.Duration{
		"steady state":    5 * time.Second,
		"detection":       15 * time.Second,
		"plan":            30 * time.Second,
		"recovery":        55 * time.Second,
		"after the fault": 68 * time.Second,
		"failback":        85 * time.Second,
	} {
		t.Run(phase, func(t *testing.T) {
			bubble(t, func(w *world) {
				ctx, cancel := context.WithCancelCause(w.Context())
				defer cancel(nil)
				r := w.byHand()
				back := w.plan(w.primary, 20*time.Second)
				r.Failback = &back
				time.AfterFunc(at, func() { cancel(errCause) })
				began := time.Now()
				report, err := w.drill(ctx, w.injector, r, []drill.Probe{w.probe(), w.data()})
				if !errors.Is(err, errCause) || !strings.Contains(err.Error(), phase) || report.Verdict != drill.NoVerdict || len(report.Misses) > 0 {
					t.Errorf("%v\n%v", err, report)
				}
				for _, p := range report.Probes { // that they were cut off is no failure of the service
					if errors.Is(p.LastError, context.Canceled) {
						t.Errorf("%s: %v", p.Name, p.LastError)
					}
				}
				if took := time.Since(began); took > at+call {
					t.Errorf("took %v", took)
				}
				time.Sleep(time.Second) // the machine boots
				w.wantHealed()
			})
		})
	}
}

// A step that is slow to stop does not hold up the end of the fault.
func TestTheFaultDoesNotWaitForASlowStep(t *testing.T) {
	bubble(t, func(w *world) {
		ctx, cancel := context.WithCancelCause(w.Context())
		defer cancel(nil)
		r := w.byHand()
		r.Plan.Steps = []failover.Step{failover.NewStep(failover.StepFuncs{ID: "deaf", Plane: failover.PlaneMutate,
			Do: func(context.Context, *failover.Env) error { time.Sleep(time.Hour); return nil }})}
		time.AfterFunc(40*time.Second, func() { cancel(errCause) })
		report, err := w.drill(ctx, w.injector, r, []drill.Probe{w.probe()})
		if !errors.Is(err, errCause) || report.FaultEnded.Sub(report.Began) != 40*time.Second || report.Ended.Sub(report.Began) < time.Hour {
			t.Errorf("%v\n%v", err, report)
		}
	})
}

func TestPanicsAreErrors(t *testing.T) {
	t.Parallel()
	for name, arm := range map[string]func(r *drill.Response, o *drill.Options){
		"Detect":    func(r *drill.Response, _ *drill.Options) { r.Detect = func(context.Context) error { panic("oops") } },
		"HomeReady": func(r *drill.Response, _ *drill.Options) { r.HomeReady = func(context.Context) error { panic("oops") } },
		"OnEvent": func(_ *drill.Response, o *drill.Options) {
			o.OnEvent = func(context.Context, failover.Event) { panic("oops") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(w *world) {
				r, back := w.byHand(), w.plan(w.primary, 0)
				r.Failback = &back
				var o drill.Options
				arm(&r, &o)
				report, err := w.drill(w.Context(), w.injector, r, []drill.Probe{w.probe()}, func(p *drill.Options) { *p = o })
				if _, ok := errors.AsType[*failover.PanicError](err); ok == (name == "OnEvent") || (report.Verdict == drill.Pass) != (name == "OnEvent") {
					t.Errorf("%v\n%v", err, report)
				}
				time.Sleep(time.Second)
				w.wantHealed()
			})
		})
	}
}

// A test that gives up in a hook must not leave the fault behind.
func TestAGoexitEndsTheFault(t *testing.T) {
	bubble(t, func(w *world) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			r := w.byHand()
			r.Detect = func(context.Context) error { runtime.Goexit(); return nil }
			_, _ = w.drill(w.Context(), w.injector, r, []drill.Probe{w.probe()})
		}()
		<-done
		synctest.Wait()
		time.Sleep(time.Second)
		w.wantHealed()
	})
}
