package zonalhc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
	"github.com/awsha/awsha/healthcheck/healthcheckmock"
	"github.com/awsha/awsha/healthcheck/zonalhc"
)

// calm is a resource in three zones that has no shift. It tells of reads and of starts.
func calm(read, start func()) *healthcheckmock.ZonalShiftAPIMock {
	return &healthcheckmock.ZonalShiftAPIMock{
		GetManagedResourceFunc: func(context.Context, *arczonalshift.GetManagedResourceInput, ...func(*arczonalshift.Options)) (*arczonalshift.GetManagedResourceOutput, error) {
			read()
			return &arczonalshift.GetManagedResourceOutput{AppliedWeights: map[string]float32{"az1": 1, "az2": 1, "az3": 1}}, nil
		},
		StartZonalShiftFunc: func(context.Context, *arczonalshift.StartZonalShiftInput, ...func(*arczonalshift.Options)) (*arczonalshift.StartZonalShiftOutput, error) {
			start()
			return &arczonalshift.StartZonalShiftOutput{
				ZonalShiftId: aws.String("s"), StartTime: aws.Time(time.Now()), ExpiryTime: aws.Time(time.Now().Add(time.Hour)),
			}, nil
		},
	}
}

// A zone is judged by what the pool says all the time, and at the last moment.
func TestThePoolIsWatched(t *testing.T) {
	t.Parallel()
	all := func(zones ...string) map[string]bool {
		bad := map[string]bool{}
		for _, z := range zones {
			bad[z] = true
		}
		return bad
	}
	tests := []struct {
		name   string
		bad    func(at time.Duration, reads int) map[string]bool // zones; those that are not are new
		out    string                                            // the zone that the pool is shifted away from
		starts []string
	}{
		{
			name: "bad all the time", bad: func(time.Duration, int) map[string]bool { return all("az1") },
			starts: []string{"in minute 1"},
		},
		{
			name: "well between two rounds", // which come after 0, 100 to 120, and 200 to 240 s
			bad: func(at time.Duration, _ int) map[string]bool {
				if 70*time.Second < at && at < 95*time.Second {
					return nil
				}
				return all("az1")
			},
			starts: []string{"in minute 3"},
		},
		{
			name: "another zone fails between two rounds, for a while",
			bad: func(at time.Duration, _ int) map[string]bool {
				if 70*time.Second < at && at < 95*time.Second {
					return all("az1", "az2")
				}
				return all("az1")
			},
			starts: []string{"in minute 3"},
		},
		{
			name: "the others cannot carry the traffic between two rounds, for a while",
			bad: func(at time.Duration, _ int) map[string]bool {
				if 70*time.Second < at && at < 95*time.Second {
					return map[string]bool{"az1": true, "az2": false, "az3": false} // all new
				}
				return all("az1")
			},
			starts: []string{"in minute 3"},
		},
		{
			name: "another zone fails while the resource is read", // before the start; the first read is that of Run
			bad: func(_ time.Duration, reads int) map[string]bool {
				if reads > 1 {
					return all("az1", "az2")
				}
				return all("az1")
			},
		},
		{
			name: "a zone that the pool is shifted away from carries nothing", out: "az2",
			bad: func(time.Duration, int) map[string]bool { return all("az1") },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				from, reads := time.Now(), 0
				view := func() *healthcheck.View {
					bad := test.bad(time.Since(from), reads)
					var statuses []healthcheck.Status
					for k, zone := range []string{"az1", "az1", "az2", "az2", "az3", "az3"} {
						s := healthcheck.Status{Target: healthcheck.Target{ID: fmt.Sprint(k), Zone: zone}, State: healthcheck.Healthy, Shifted: zone == test.out}
						if unhealthy, ok := bad[zone]; unhealthy {
							s.State = healthcheck.Unhealthy
						} else if ok {
							s.State = healthcheck.Initial
						}
						statuses = append(statuses, s)
					}
					return healthcheck.NewView(statuses...)
				}
				source := &healthcheckmock.SourceMock{ViewFunc: view, WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
					for !cond(view()) {
						select {
						case <-time.After(time.Second):
						case <-ctx.Done():
							return context.Cause(ctx)
						}
					}
					return nil
				}}
				var starts []string
				api := calm(func() { reads++ }, func() { starts = append(starts, fmt.Sprint("in minute ", int(time.Since(from)/time.Minute))) })
				s := must(zonalhc.New(api, source, "arn:x", func(o *zonalhc.Options) {
					o.Expiry, o.Comment, o.BadFor, o.Interval, o.SettleTime = time.Hour, "why", 90*time.Second, 100*time.Second, time.Hour
				}))(t)
				ctx, cancel := context.WithTimeout(t.Context(), 245*time.Second)
				defer cancel()
				if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if diff := cmp.Diff(test.starts, starts); diff != "" {
					t.Errorf("shifts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// What a pool has said last is no news when it has stopped.
func TestThePoolStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pool := must(healthcheck.New(healthcheck.Func(func(_ context.Context, target healthcheck.Target) error {
			if target.Zone == "az1" {
				return errors.New("does not answer")
			}
			return nil
		})))(t)
		for k, zone := range []string{"az1", "az1", "az2", "az2", "az3", "az3"} {
			must(0, pool.Register(healthcheck.Target{ID: fmt.Sprint(k), Zone: zone}))(t)
		}
		s := must(zonalhc.New(calm(func() {}, func() { t.Error("a shift is started by what a pool said before it stopped") }), pool, "arn:x", func(o *zonalhc.Options) {
			o.Expiry, o.Comment = time.Hour, "why"
		}))(t)
		ctx, cancel := context.WithTimeout(t.Context(), 75*time.Second) // bad by then, and not for long
		defer cancel()
		done := make(chan error)
		running, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		go func() { done <- s.Run(running) }()
		_ = pool.Run(ctx)
		if pool.View().Count(healthcheck.Unhealthy) != 2 {
			t.Fatal("nothing is unhealthy: the test is about nothing")
		}
		if err := <-done; !errors.Is(err, healthcheck.ErrStopped) {
			t.Errorf("Run returned %v", err)
		}
	})
}

// While the own shift is active, nobody is told that nothing is the matter, only because the resource cannot be read.
func TestTheOwnShiftCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bad atomic.Bool
		bad.Store(true)
		started := false
		api := calm(func() {}, func() { started = true })
		read := api.GetManagedResourceFunc
		api.GetManagedResourceFunc = func(ctx context.Context, in *arczonalshift.GetManagedResourceInput, _ ...func(*arczonalshift.Options)) (*arczonalshift.GetManagedResourceOutput, error) {
			if started {
				bad.Store(false)
				return nil, errors.New("connection reset")
			}
			return read(ctx, in)
		}
		var got []string
		s := must(zonalhc.New(api, twoZones(&bad), "arn:x", func(o *zonalhc.Options) {
			o.Expiry, o.Comment = time.Hour, "why"
			o.OnEvent = func(_ context.Context, e zonalhc.Event) {
				got = append(got, fmt.Sprintf("%s %s %s %s", e.Kind, e.Decision.Reason, e.Decision.Zone, e.Decision.Shift))
			}
		}))(t)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		want := []string{"decided confirming az1 ", "started zone-bad az1 s", "decided unread az1 s", "failed unread az1 s"}
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// A zone whose shift somebody has ended may be shifted away from again once it has been well, however it got there.
func TestWellByDegrees(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from := time.Now()
		view := func() *healthcheck.View {
			at, unhealthy := time.Since(from), 4
			switch {
			case 20*time.Minute < at && at < 30*time.Minute:
				unhealthy = 1 // neither bad nor well
			case 30*time.Minute <= at && at < 31*time.Minute:
				unhealthy = 0
			case 31*time.Minute <= at && at < 40*time.Minute:
				unhealthy = 1
			}
			var statuses []healthcheck.Status
			for k := range 12 {
				s := healthcheck.Status{Target: healthcheck.Target{ID: fmt.Sprint(k), Zone: []string{"az1", "az2", "az3"}[k/4]}, State: healthcheck.Healthy}
				if k < unhealthy {
					s.State = healthcheck.Unhealthy
				}
				statuses = append(statuses, s)
			}
			return healthcheck.NewView(statuses...)
		}
		source := &healthcheckmock.SourceMock{ViewFunc: view, WaitFunc: func(ctx context.Context, cond func(*healthcheck.View) bool) error {
			for !cond(view()) {
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return nil
		}}
		var got []string
		s := must(zonalhc.New(calm(func() {}, func() {}), source, "arn:x", func(o *zonalhc.Options) { // which never shows the shift
			o.Expiry, o.Comment = 12*time.Hour, "why"
			o.OnEvent = func(_ context.Context, e zonalhc.Event) {
				if e.Kind != zonalhc.KindDecided {
					got = append(got, fmt.Sprint(e.Kind, " in minute ", int(time.Since(from)/time.Minute)/10*10))
				}
			}
		}))(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		want := []string{"started in minute 0", "taken-back in minute 0", "started in minute 40", "taken-back in minute 40"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestAskedLessAndLessOften(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var bad atomic.Bool
		reads := 0
		api := calm(nil, nil)
		api.GetManagedResourceFunc = func(context.Context, *arczonalshift.GetManagedResourceInput, ...func(*arczonalshift.Options)) (*arczonalshift.GetManagedResourceOutput, error) {
			reads++
			return nil, errors.New("connection reset")
		}
		s := must(zonalhc.New(api, twoZones(&bad), "arn:x", func(o *zonalhc.Options) { o.Expiry, o.Comment = time.Hour, "why" }))(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if reads < 20 || reads > 40 { // every eighth Interval
			t.Errorf("%d reads in an hour in which none succeeds", reads)
		}
	})
}
