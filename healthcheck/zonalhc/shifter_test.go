package zonalhc_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/zonalhc"
)

func TestAZoneFailsAndComesBack(t *testing.T) {
	t.Parallel()
	// Cloud, load balancer and pool see a power loss; only the pool sees a gray failure.
	faults := map[string]func(*world) (heal func()){
		"gray failure": func(w *world) func() { w.set(0, true); return func() { w.set(0, false) } },
		"power loss":   func(w *world) func() { return w.zones[0].Fail(awstest.PowerLoss) },
		"network loss": func(w *world) func() { return w.zones[0].Fail(awstest.NetworkLoss) },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.follow(func(o *zonalhc.Options) { o.Cancel = true })
				time.Sleep(20 * time.Minute)
				if n := w.cloud.Count(service, "GetManagedResource"); n != 1 {
					w.Errorf("%d reads while all is well", n)
				}
				if got := w.traffic(); got != "0 1 2" {
					w.Errorf("before: traffic goes to %s", got)
				}
				heal := fault(w)
				took := w.until("a shift", func() bool { return w.shifts() != "" })
				if took < 70*time.Second || took > 2*time.Minute { // 10-25 s to detect, a minute to confirm, a round
					w.Errorf("it took %v", took)
				}
				if got := w.shifts(); got != "0 for 4h0m0s, web: zone is bad" {
					w.Errorf("the shift is %q", got)
				}
				if got := w.traffic(); got != "1 2" {
					w.Errorf("shifted: traffic goes to %s", got)
				}
				time.Sleep(30 * time.Minute)
				heal()
				took = w.until("the end of the shift", func() bool { return w.shifts() == "" })
				if took < 15*time.Minute || took > 20*time.Minute {
					w.Errorf("it took %v back", took)
				}
				if got := w.traffic(); got != "0 1 2" {
					w.Errorf("after: traffic goes to %s", got)
				}
				time.Sleep(20 * time.Minute)
				w.expect("in the end", "started us-east-1a, cancelled us-east-1a")
			})
		})
	}
}

func TestWhatIsNotAZonesFault(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.follow()
		steps := []struct {
			what   string
			zones  []int
			reason zonalhc.Reason
		}{
			{"two zones", []int{0, 1}, zonalhc.SeveralBad},
			{"all zones", []int{0, 1, 2}, zonalhc.SeveralBad},
		}
		for _, step := range steps {
			for _, z := range step.zones {
				w.set(z, true)
			}
			time.Sleep(20 * time.Minute)
			if got := w.shifts(); got != "" || !slices.Contains(w.reasons(), step.reason) {
				w.Errorf("%s: shifts %q, decisions %q", step.what, got, w.reasons())
			}
			for _, z := range step.zones {
				w.set(z, false)
			}
			time.Sleep(10 * time.Minute)
			w.expect(step.what, "")
		}
		// For half a minute only.
		w.set(0, true)
		time.Sleep(50 * time.Second)
		w.set(0, false)
		time.Sleep(20 * time.Minute)
		w.expect("a short failure", "")
	})
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		option func(*zonalhc.Options)
		lasts  time.Duration // the zone is bad for longer
		log    string
	}{
		{"as it was started", func(*zonalhc.Options) {}, time.Hour, "started us-east-1a, expired us-east-1a"},
		{
			"extended, up to the maximum", func(o *zonalhc.Options) { o.Extend, o.MaxDuration = true, 150*time.Minute }, 150 * time.Minute,
			"started us-east-1a, extended us-east-1a, extended us-east-1a, expired us-east-1a",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.follow(func(o *zonalhc.Options) { o.Expiry = time.Hour }, test.option)
				w.set(0, true)
				w.until("a shift", func() bool { return w.shifts() != "" })
				took := w.until("its end", func() bool { return w.shifts() == "" })
				if took > test.lasts+10*time.Second || took < test.lasts-5*time.Minute {
					w.Errorf("it lasts %v", took)
				}
				time.Sleep(2 * time.Hour)
				w.expect("long after", test.log)
				w.set(0, false)
				time.Sleep(time.Hour)
				w.set(0, true)
				w.until("another one, as the zone has been well", func() bool { return w.shifts() != "" })
			})
		})
	}
}

// What a human does stands.
func TestHumans(t *testing.T) {
	t.Parallel()
	t.Run("a shift by hand is left alone", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.follow(func(o *zonalhc.Options) { o.Cancel, o.Extend = true, true })
			w.shift(1)
			w.set(0, true)
			time.Sleep(2 * time.Hour)
			if got := w.shifts(); got != "0 for 3h0m0s, web: zone is bad" && got != "0 for 4h0m0s, web: zone is bad" {
				w.Errorf("after it has expired: %q", got) // and the own one was extended, or is about to be
			}
			if log := w.log(); log != "started us-east-1a" {
				w.Error(log)
			}
		})
	})
	t.Run("a shift that is taken back is not started again", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.follow()
			w.set(0, true)
			w.until("a shift", func() bool { return w.shifts() != "" })
			time.Sleep(10 * time.Minute)
			w.cancel()
			time.Sleep(2 * time.Hour)
			w.expect("cancelled by hand", "started us-east-1a, taken-back us-east-1a")
			if got := w.shifts(); got != "" {
				w.Error(got)
			}
			w.set(0, false)
			time.Sleep(time.Hour)
			w.set(0, true)
			w.until("another one", func() bool { return w.shifts() != "" })
		})
	})
	t.Run("AWS was there before", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.follow()
			end := must(arczonalshiftsvc.StartAutoshift(w.cloud, w.zones[0].ID()))(w)
			w.set(0, true)
			time.Sleep(time.Hour)
			if got := w.reasons(); w.started() != 0 || !slices.Contains(got, zonalhc.Autoshifted) {
				w.Errorf("%d shifts, %q", w.started(), got)
			}
			end()
			w.until("a shift", func() bool { return w.shifts() != "" })
		})
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	start := awstest.Match{Service: service, Operation: "StartZonalShift"}
	get := awstest.Match{Service: service, Operation: "GetManagedResource"}
	tests := []struct {
		name  string
		fault func(*world) (heal func(), err error)
		heal  time.Duration // after
		log   string        // in the end, without what comes again and again
		tries int           // of StartZonalShift, at most
	}{
		{
			"the reply of the start is lost", func(w *world) (func(), error) { return w.cloud.LoseReply(service, "StartZonalShift", 1) }, 0,
			"failed StartZonalShift, adopted us-east-1a, cancelled us-east-1a", 1,
		},
		{
			"the start is throttled", func(w *world) (func(), error) { return w.cloud.Inject(start, awstest.Throttle()) }, 10 * time.Minute,
			"failed StartZonalShift, started us-east-1a, cancelled us-east-1a", 60,
		},
		{
			"not permitted", func(w *world) (func(), error) { return w.cloud.Inject(start, awstest.Deny()) }, 10 * time.Minute,
			"failed StartZonalShift, started us-east-1a, cancelled us-east-1a", 60,
		},
		{
			"reads are behind", func(w *world) (func(), error) { return w.cloud.Inject(get, awstest.Stale(45*time.Second)) }, 0,
			"started us-east-1a, cancelled us-east-1a", 1,
		},
		{
			"reads are behind, and the reply of the start is lost", func(w *world) (func(), error) {
				heal := must(w.cloud.Inject(get, awstest.Stale(45*time.Second)))(w)
				lost, err := w.cloud.LoseReply(service, "StartZonalShift", 1)
				return func() { heal(); lost() }, err
			}, 0,
			"failed StartZonalShift, adopted us-east-1a, cancelled us-east-1a", 5,
		},
		{
			"the reply of the cancellation is lost", func(w *world) (func(), error) { return w.cloud.LoseReply(service, "CancelZonalShift", 3) }, 0,
			"started us-east-1a, failed CancelZonalShift, cancelled us-east-1a", 1,
		},
		{
			"zonal shift is down", func(w *world) (func(), error) { return w.cloud.FailService(service, "us-east-1") }, time.Hour,
			"failed GetManagedResource, started us-east-1a, cancelled us-east-1a", 1,
		},
		{
			"the start hangs", func(w *world) (func(), error) { return w.cloud.Inject(start, awstest.Hang()) }, 10 * time.Minute,
			"failed StartZonalShift, started us-east-1a, cancelled us-east-1a", 60,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.follow(func(o *zonalhc.Options) { o.Cancel = true })
				w.set(0, true)
				heal := must(test.fault(w))(w)
				defer heal()
				if test.heal > 0 {
					time.Sleep(test.heal)
					heal()
				}
				w.until("traffic is elsewhere", func() bool { return w.traffic() == "1 2" })
				time.Sleep(time.Hour)
				if got := w.traffic(); got != "1 2" {
					w.Errorf("traffic goes to %s", got)
				}
				w.set(0, false)
				time.Sleep(time.Hour)
				if got := w.traffic(); got != "0 1 2" {
					w.Errorf("after: traffic goes to %s", got)
				}
				if n := w.started(); n != 1 {
					w.Errorf("%d shifts", n)
				}
				if n := w.cloud.Count(service, "StartZonalShift"); n > test.tries {
					w.Errorf("%d tries", n)
				}
				if diff := cmp.Diff(test.log, squeeze(w.log())); diff != "" {
					w.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Two Shifters see the same. Those with one comment share the shift; of two with comments of their own one waits.
func TestTwoShifters(t *testing.T) {
	t.Parallel()
	for name, comment := range map[string]string{"one comment": "web: zone is bad", "two comments": "other"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.follow(func(o *zonalhc.Options) { o.Cancel = true })
				w.follow(func(o *zonalhc.Options) { o.Cancel, o.Comment = true, comment })
				w.set(0, true)
				w.until("a shift", func() bool { return w.shifts() != "" })
				time.Sleep(time.Hour)
				w.set(0, false)
				time.Sleep(time.Hour)
				if n := w.started(); n != 1 || w.shifts() != "" {
					w.Errorf("%d shifts, and in the end %q", n, w.shifts())
				}
			})
		})
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		stop := w.follow()
		w.set(0, true)
		w.until("a shift", func() bool { return w.shifts() != "" })
		stop()
		w.set(0, false)
		time.Sleep(time.Hour)
		w.log()
		w.follow(func(o *zonalhc.Options) { o.Cancel = true })
		w.until("the shift is known by its comment, and ended", func() bool { return w.shifts() == "" })
		time.Sleep(time.Minute)
		w.expect("after a restart", "adopted us-east-1a, cancelled us-east-1a")
	})
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	advised := func(w *world) {
		w.set(0, true)
		time.Sleep(20 * time.Minute)
		w.expect("a bad zone", "advised us-east-1a")
		w.set(0, false)
		time.Sleep(20 * time.Minute)
		w.set(0, true)
		time.Sleep(20 * time.Minute)
		w.expect("again", "advised us-east-1a")
		if n := w.cloud.Count(service, "StartZonalShift"); n > 0 {
			w.Errorf("%d shifts", n)
		}
	}
	t.Run("an Adviser", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.run(must(zonalhc.NewAdviser(w.Client, w.pool, w.lb, func(o *zonalhc.Options) { o.ZoneIDs, o.OnEvent = w.ids(), w.note }))(w))
			advised(w)
		})
	})
	t.Run("a dry run", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(w *world) {
			w.follow(func(o *zonalhc.Options) { o.DryRun = true })
			advised(w)
		})
	})
}

// Zones that are not mapped are nobody's.
func TestZonesByName(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.follow(func(o *zonalhc.Options) { o.ZoneIDs = nil }) // the pool's are names
		w.set(0, true)
		time.Sleep(time.Hour)
		if got := w.reasons(); w.started() != 0 || !slices.Contains(got, zonalhc.NoCapacity) && !slices.Contains(got, zonalhc.UnknownZone) {
			w.Errorf("%d shifts, %q", w.started(), got)
		}
	})
}

func TestShiftedZones(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		want := func(when string, want ...string) {
			w.Helper()
			got := must(zonalhc.ShiftedZones(w.Context(), w.Client, w.lb))(w)
			if diff := cmp.Diff(want, got); diff != "" {
				w.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		want("at first")
		end := must(arczonalshiftsvc.StartAutoshift(w.cloud, w.zones[1].ID()))(w)
		want("by AWS", w.zones[1].ID())
		w.shift(2)
		want("by a customer, which comes first", w.zones[2].ID())
		w.cancel()
		end()
		want("none any more")
		if _, err := zonalhc.ShiftedZones(w.Context(), w.Client, w.lb+"x"); err == nil {
			w.Error("an unknown resource is shifted away from nothing")
		}
	})
}

func TestOptionsReportEveryMistake(t *testing.T) {
	t.Parallel()
	fields := func(err error) (all []string) {
		var walk func(error)
		walk = func(err error) {
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				for _, err := range joined.Unwrap() {
					walk(err)
				}
			} else if f, ok := errors.AsType[*zonalhc.FieldError](err); ok && f.Rule != "" {
				all = append(all, f.Field)
			}
		}
		walk(err)
		return all
	}
	_, err := zonalhc.New(nil, nil, "web", func(o *zonalhc.Options) {
		o.Expiry, o.ExtendBefore, o.MaxDuration = 90*time.Second, -1, time.Second
		o.BadPercent, o.WellPercent, o.MinTargets, o.MinHealthy, o.MinHealthyPercent = 101, 101, -1, -1, 101
		o.BadFor, o.WellFor, o.Interval, o.SettleTime, o.CallTimeout = -1, -1, time.Millisecond, -1, -1
		o.ZoneIDs = map[string]string{"a": "az1", "b": "az1", "c": ""}
	})
	want := []string{
		"api", "source", "resource", "Options.Expiry", "Options.Comment", "Options.ExtendBefore", "Options.MaxDuration",
		"Options.BadPercent", "Options.WellPercent", "Options.MinTargets", "Options.MinHealthy", "Options.MinHealthyPercent",
		"Options.BadFor", "Options.WellFor", "Options.Interval", "Options.SettleTime", "Options.CallTimeout", "Options.ZoneIDs", "Options.ZoneIDs",
	}
	if diff := cmp.Diff(want, fields(err)); diff != "" {
		t.Errorf("a Shifter (-want +got):\n%s", diff)
	}
	pool := must(healthcheck.New(healthcheck.Func(func(context.Context, healthcheck.Target) error { return nil })))(t)
	_, err = zonalhc.NewAdviser(nil, pool, "arn:x")
	if diff := cmp.Diff([]string{"api"}, fields(err)); diff != "" {
		t.Errorf("an Adviser (-want +got):\n%s", diff)
	}
}

func TestRunsOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		a := must(zonalhc.NewAdviser(w.Client, w.pool, w.lb))(w)
		ctx, cancel := context.WithCancelCause(w.Context())
		why := errors.New("enough")
		cancel(why)
		if err := a.Run(ctx); !errors.Is(err, why) {
			w.Errorf("got %v, want the cause", err)
		}
		if err := a.Run(w.Context()); !errors.Is(err, zonalhc.ErrAlreadyRun) {
			w.Errorf("got %v", err)
		}
	})
}
