package healthcheck_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/healthcheck"
)

// wantFieldErrors checks that err joins a FieldError for each text.
func wantFieldErrors(t *testing.T, err error, want ...string) {
	t.Helper()
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("%v joins nothing", err)
	}
	var got []string
	for _, err := range joined.Unwrap() {
		if _, ok := errors.AsType[*healthcheck.FieldError](err); !ok {
			t.Errorf("%v is not a FieldError", err)
		}
		got = append(got, err.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestNewReportsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := healthcheck.New(nil, func(o *healthcheck.Options) {
		o.Interval = 5 * time.Second
		o.HealthyThreshold = -1
		o.UnhealthyThreshold = 1001
		o.Jitter = time.Second
		o.MaxStartSpread = -2
		o.MaxInFlight = -1
		o.DeregistrationDelay = -time.Second
		o.EventBuffer = -1
	})
	wantFieldErrors(t, err,
		"healthcheck: Options.Interval: 5s must be greater than Timeout (5s)",
		"healthcheck: Options.HealthyThreshold: -1 must be from 1 to 1000",
		"healthcheck: Options.UnhealthyThreshold: 1001 must be from 1 to 1000",
		"healthcheck: Options.Jitter: 1s must be less than Interval - Timeout (0s)",
		"healthcheck: Options.MaxStartSpread: -2ns must not be negative, unless it is None",
		"healthcheck: Options.MaxInFlight: -1 must be at least 1",
		"healthcheck: Options.DeregistrationDelay: -1s must not be negative, unless it is None",
		"healthcheck: Options.EventBuffer: -1 must be at least 1",
		"healthcheck: checker: <nil> must not be nil",
	)
	_, err = healthcheck.New(pass(), func(o *healthcheck.Options) { o.FastInterval, o.Jitter = 7*time.Second, 2*time.Second })
	wantFieldErrors(t, err, "healthcheck: Options.Jitter: 2s must be less than FastInterval - Timeout (2s)")
	_, err = healthcheck.New(pass(), func(o *healthcheck.Options) {
		o.Interval, o.DeregistrationDelay = 25*time.Hour, 1<<63-1
		o.Timeout, o.Jitter = -time.Second, -time.Second
	})
	wantFieldErrors(t, err,
		"healthcheck: Options.Interval: 25h0m0s must be at most 24h0m0s",
		"healthcheck: Options.Timeout: -1s must be at least one Tick (10ms)",
		"healthcheck: Options.Jitter: -1s must not be negative",
		"healthcheck: Options.DeregistrationDelay: 2562047h47m16.854775807s must be at most 24h0m0s",
	)
}

func TestDetectionBound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    healthcheck.Options
		want time.Duration
	}{
		{"the defaults", healthcheck.Options{}, 65*time.Second + healthcheck.Tick},
		{
			"given options",
			healthcheck.Options{Interval: 10 * time.Second, Timeout: 2 * time.Second, UnhealthyThreshold: 3, Jitter: time.Second},
			33*time.Second + healthcheck.Tick,
		},
		{
			"a fast interval",
			healthcheck.Options{Interval: 30 * time.Second, FastInterval: 3 * time.Second, Timeout: 2 * time.Second, UnhealthyThreshold: 5},
			44*time.Second + healthcheck.Tick,
		},
	}
	for _, tt := range tests {
		if got := tt.o.DetectionBound(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
