package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/awsha/awsha/internal/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errSoft = errors.New("soft")
	errHard = errors.New("hard")
)

func always(p retry.Policy) func(error, time.Duration) (retry.Policy, bool) {
	return func(err error, _ time.Duration) (retry.Policy, bool) { return p, !errors.Is(err, errHard) }
}

// fails returns a call that fails with err for the first n times.
func fails(n int, err error, calls *int) func(context.Context) error {
	return func(context.Context) error {
		if *calls++; *calls <= n {
			return err
		}
		return nil
	}
}

func TestDoRepeatsWhatIsWorthwhile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fails int
		err   error
		calls int
		want  error
	}{
		{"success at once", 0, nil, 1, nil},
		{"success at the third try", 2, errSoft, 3, nil},
		{"not worthwhile", 9, errHard, 1, errHard},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := retry.Do(t.Context(), time.Minute, fails(test.fails, test.err, &calls), always(retry.Transient()), nil)
				if !errors.Is(err, test.want) || calls != test.calls {
					t.Errorf("error %v after %d calls, want %v after %d", err, calls, test.want, test.calls)
				}
			})
		})
	}
}

func TestPausesGrowAreJitteredAndCapped(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]retry.Policy{"throttle": retry.Throttle(), "transient": retry.Transient(), "pending": retry.Pending()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				distinct := map[time.Duration]bool{}
				for range 50 {
					middle, calls := p.First, 0
					retry.Do(t.Context(), time.Hour, fails(8, errSoft, &calls), always(p), func(err error, pause time.Duration) {
						low, high := time.Duration(float64(middle)*(1-p.Jitter)), time.Duration(float64(middle)*(1+p.Jitter))
						if pause < low || pause > high+1 || !errors.Is(err, errSoft) {
							t.Errorf("pause %v after %v, want from %v to %v", pause, err, low, high)
						}
						distinct[pause] = true
						middle = min(time.Duration(float64(middle)*p.Growth), p.Max)
					})
				}
				if len(distinct) < 300 {
					t.Errorf("only %d of 400 pauses differ", len(distinct))
				}
			})
		})
	}
}

func TestLastTryIsAtTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, calls := time.Now(), 0
		if err := retry.Do(t.Context(), 10*time.Second, fails(1000, errSoft, &calls), always(retry.Throttle()), nil); !errors.Is(err, errSoft) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("Do took %v", took)
		}
		start = time.Now()
		if retry.Poll(t.Context(), 10*time.Second, retry.Throttle(), func(context.Context) bool { return false }) {
			t.Error("Poll reports success")
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("Poll took %v", took)
		}
	})
}

func TestPolicyFollowsTheError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := retry.Policy{First: time.Minute, Max: time.Hour, Growth: 2}
		fast := retry.Policy{First: time.Second, Max: time.Hour, Growth: 2}
		script := []error{errHard, errHard, errSoft, errSoft, errHard, nil}
		var pauses []time.Duration
		err := retry.Do(t.Context(), time.Hour, func(context.Context) error {
			err := script[0]
			script = script[1:]
			return err
		}, func(err error, _ time.Duration) (retry.Policy, bool) {
			if errors.Is(err, errHard) {
				return slow, true
			}
			return fast, true
		}, func(_ error, pause time.Duration) { pauses = append(pauses, pause) })
		if err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{time.Minute, 2 * time.Minute, time.Second, 2 * time.Second, time.Minute}
		for i := range want {
			if pauses[i] != want[i] {
				t.Fatalf("pauses %v, want %v", pauses, want)
			}
		}
	})
}

func TestAgainHearsTheElapsedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		even := retry.Policy{First: time.Second, Max: time.Second, Growth: 1}
		calls := 0
		retry.Do(t.Context(), time.Hour, fails(1000, errSoft, &calls), func(_ error, elapsed time.Duration) (retry.Policy, bool) {
			return even, elapsed < 3*time.Second
		}, nil)
		if calls != 4 {
			t.Errorf("%d calls, want those at 0, 1, 2 and 3 s", calls)
		}
	})
}

func TestEndOfTheContextEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		long := retry.Policy{First: time.Hour, Max: time.Hour, Growth: 1}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		calls := 0
		if err := retry.Do(ctx, 24*time.Hour, fails(9, errSoft, &calls), always(long), nil); !errors.Is(err, errSoft) || calls != 1 {
			t.Errorf("error %v after %d calls, want the call's own", err, calls)
		}
		start := time.Now()
		if err := retry.Do(ctx, 24*time.Hour, fails(9, errSoft, new(int)), always(long), nil); !errors.Is(err, errSoft) {
			t.Errorf("error %v", err)
		}
		polls := 0
		retry.Poll(ctx, 24*time.Hour, long, func(context.Context) bool { polls++; return false })
		if polls != 1 || time.Since(start) != 0 {
			t.Errorf("%d polls and %v after the context ended", polls, time.Since(start))
		}
	})
}

func TestPollStopsWhenDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, polls := time.Now(), 0
		even := retry.Policy{First: time.Second, Max: time.Second, Growth: 1}
		if !retry.Poll(t.Context(), time.Minute, even, func(context.Context) bool { polls++; return polls == 3 }) {
			t.Error("Poll reports failure")
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want two pauses", took)
		}
	})
}
