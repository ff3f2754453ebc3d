package eip_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/eip/eipmock"
)

func TestWrongOptionsAreReportedAllAtOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		api  eip.API
		set  func(*eip.Options)
		want []string
	}{
		{"negative", nil, func(o *eip.Options) {
			*o = eip.Options{CallTimeout: -1, RetryTimeout: -2, ReadLag: -3, VerifyTimeout: -time.Second, PollInterval: -4, MaxPollInterval: -5}
		}, []string{
			`eip: api: "nil" must be an EC2 client`,
			"eip: Options.CallTimeout: -1ns must not be negative",
			"eip: Options.RetryTimeout: -2ns must not be negative",
			"eip: Options.VerifyTimeout: -1s must not be negative",
			"eip: Options.ReadLag: -3ns must not be negative",
			"eip: Options.PollInterval: -4ns must not be negative",
			"eip: Options.MaxPollInterval: -5ns must not be negative",
		}},
		{"in contradiction", &eipmock.APIMock{}, func(o *eip.Options) {
			*o = eip.Options{ReadLag: time.Minute, VerifyTimeout: time.Second, PollInterval: time.Hour, MaxPollInterval: time.Minute}
		}, []string{
			"eip: Options.ReadLag: 1m0s must not exceed VerifyTimeout, which is 1s",
			"eip: Options.MaxPollInterval: 1m0s must not be less than PollInterval, which is 1h0m0s",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := eip.New(test.api, test.set)
			var field *eip.FieldError
			if !errors.As(err, &field) {
				t.Fatalf("error %v, want FieldErrors", err)
			}
			if got, want := err.Error(), strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A single option makes no other default a mistake.
func TestOptionsAgreeWithDefaults(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*eip.Options){
		"short verification": func(o *eip.Options) { o.VerifyTimeout = time.Second },
		"rare reads":         func(o *eip.Options) { o.PollInterval = time.Minute },
		"frequent reads":     func(o *eip.Options) { o.PollInterval = time.Millisecond },
	} {
		if _, err := eip.New(&eipmock.APIMock{}, set); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyTimeoutAndPollIntervalBoundTheReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "DescribeAddresses", awstest.Match{}, awstest.Stale(time.Minute))
		res, err := newRemapper(t, w.client, func(o *eip.Options) {
			o.VerifyTimeout, o.PollInterval, o.MaxPollInterval = 10*time.Second, time.Second, time.Second
		}).Remap(t.Context(), w.request(1))
		failure(t, err, eip.ErrUnverified)
		if res.Took < 10*time.Second || res.Took > 10*time.Second+10*time.Millisecond || res.Calls.Describe < 9 || res.Calls.Describe > 14 {
			t.Errorf("took %v and %d reads", res.Took, res.Calls.Describe)
		}
	})
}

func TestEventsTellTheStory(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		to     int
		inject func(t *testing.T, w *world)
		want   []eip.Kind
	}{
		{"there already", 0, nil, []eip.Kind{eip.KindUnchanged}},
		{"moved", 1, nil, []eip.Kind{eip.KindDisassociated, eip.KindAssociated, eip.KindHeld}},
		{"throttled", 1, func(t *testing.T, w *world) {
			t.Helper()
			w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Throttle())
		}, []eip.Kind{eip.KindDisassociated, eip.KindRetry, eip.KindAssociated, eip.KindHeld}},
		{"lagging", 1, func(t *testing.T, w *world) {
			t.Helper()
			w.inject(t, "DescribeAddresses", awstest.Match{Skip: 1, Times: 1}, awstest.Stale(time.Minute))
		}, []eip.Kind{eip.KindDisassociated, eip.KindAssociated, eip.KindLagging, eip.KindHeld}},
		{"denied", 1, func(t *testing.T, w *world) {
			t.Helper()
			w.inject(t, "AssociateAddress", awstest.Match{}, awstest.Deny())
		}, []eip.Kind{eip.KindDisassociated, eip.KindFailed}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := settled(t)
				if test.inject != nil {
					test.inject(t, w)
				}
				var events []eip.Event
				r := newRemapper(t, w.client, func(o *eip.Options) {
					o.OnEvent = func(_ context.Context, e eip.Event) { events = append(events, e) }
				})
				req := w.request(test.to)
				req.Expect = eip.Expect{}
				res, err := r.Remap(t.Context(), req)
				var kinds []eip.Kind
				for _, e := range events {
					kinds = append(kinds, e.Kind)
					if e.AllocationID != w.allocation || e.Target != req.Target || e.Time.IsZero() {
						t.Errorf("event %+v is not about the move", e)
					}
				}
				if !slices.Equal(kinds, test.want) {
					t.Errorf("events %q, want %q", kinds, test.want)
				}
				last := events[len(events)-1]
				if !errors.Is(last.Err, err) || last.Association != res.After {
					t.Errorf("the last event has %v and %v, the caller got %v and %v", last.Association, last.Err, res.After, err)
				}
			})
		})
	}
}

func TestPanicInAHookIsLoggedAndSurvived(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		var log bytes.Buffer
		r := newRemapper(t, w.client, func(o *eip.Options) {
			o.OnEvent = func(context.Context, eip.Event) { panic("hook") }
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		if _, err := r.Remap(t.Context(), w.request(1)); err != nil {
			t.Error(err)
		}
		if text := log.String(); strings.Count(text, "panic=hook") != 3 || !strings.Contains(text, "options_test.go") {
			t.Errorf("three events panicked; the log says %s", text)
		}
	})
}

func TestLoggerGetsEveryEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := settled(t)
		w.inject(t, "AssociateAddress", awstest.Match{Times: 1}, awstest.Throttle())
		w.inject(t, "DescribeAddresses", awstest.Match{Times: 1}, awstest.Stale(time.Minute))
		var log bytes.Buffer
		r := newRemapper(t, w.client, func(o *eip.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		res, err := r.Remap(t.Context(), w.request(1))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		want := [][]string{
			{"level=INFO", "disassociated", w.first.ID},
			{"level=WARN", "retry", "pause=", "RequestLimitExceeded"},
			{"level=INFO", "associated", res.After.ID},
			{"level=DEBUG", "lagging", w.first.ID},
			{"level=INFO", "held", res.After.ID},
		}
		if len(lines) != len(want) {
			t.Fatalf("%d lines, want %d:\n%s", len(lines), len(want), log.String())
		}
		for i, parts := range want {
			for _, part := range append(parts, w.allocation, w.eni[1]) {
				if !strings.Contains(lines[i], part) {
					t.Errorf("line %d has no %s: %s", i, part, lines[i])
				}
			}
		}
	})
}
