package healthcheck_test

import (
	"encoding/json"
	"testing"

	"github.com/awsha/awsha/healthcheck"
)

func TestStateMachine(t *testing.T) {
	t.Parallel()
	const healthyThreshold, unhealthyThreshold = 3, 2
	tests := []struct {
		name    string
		from    healthcheck.State
		results string // p, f and u
		want    healthcheck.State
	}{
		{"initial is healthy after one pass", healthcheck.Initial, "p", healthcheck.Healthy},
		{"initial stays so below the threshold", healthcheck.Initial, "f", healthcheck.Initial},
		{"initial is unhealthy at the threshold", healthcheck.Initial, "ff", healthcheck.Unhealthy},
		{"initial is healthy after a failure and a pass", healthcheck.Initial, "fp", healthcheck.Healthy},
		{"healthy bears one failure", healthcheck.Healthy, "f", healthcheck.Healthy},
		{"healthy is unhealthy at the threshold", healthcheck.Healthy, "ff", healthcheck.Unhealthy},
		{"flapping does not add up to unhealthy", healthcheck.Healthy, "fpfpfpfpfpfp", healthcheck.Healthy},
		{"flapping does not add up to healthy", healthcheck.Unhealthy, "ppfppfppfppf", healthcheck.Unhealthy},
		{"unhealthy stays so below the threshold", healthcheck.Unhealthy, "pp", healthcheck.Unhealthy},
		{"unhealthy is healthy at the threshold", healthcheck.Unhealthy, "ppp", healthcheck.Healthy},
		{"unknown moves nothing", healthcheck.Initial, "uuuuuu", healthcheck.Initial},
		{"unknown does not break a row of failures", healthcheck.Healthy, "fuf", healthcheck.Unhealthy},
		{"unknown does not break a row of passes", healthcheck.Unhealthy, "pupup", healthcheck.Healthy},
		{"draining has no health", healthcheck.Draining, "ppppfff", healthcheck.Draining},
		{"unused has no health", healthcheck.Unused, "ppppfff", healthcheck.Unused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := healthcheck.NewHealth(tt.from)
			for _, r := range tt.results {
				outcome := map[rune]healthcheck.Outcome{'p': healthcheck.Pass, 'f': healthcheck.Fail}[r]
				h = h.Observe(outcome, healthyThreshold, unhealthyThreshold)
			}
			if got, _, _ := h.Counts(); got != tt.want {
				t.Errorf("after %q from %v: %v, want %v", tt.results, tt.from, got, tt.want)
			}
		})
	}
}

// FuzzStateMachine compares the state after any results with what the rules say about the history.
func FuzzStateMachine(f *testing.F) {
	f.Add([]byte{1, 2, 2, 0, 1, 1, 1}, uint8(3), uint8(2))
	f.Add([]byte{2, 2, 2, 1, 2, 1, 1}, uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, outcomes []byte, up, down uint8) {
		healthy, unhealthy := 1+int(up%10), 1+int(down%10)
		h := healthcheck.NewHealth(healthcheck.Initial)
		var known []healthcheck.Outcome
		for _, b := range outcomes {
			o := healthcheck.Outcome(b % 3)
			before, _, _ := h.Counts()
			h = h.Observe(o, healthy, unhealthy)
			if o != healthcheck.Unknown {
				known = append(known, o)
			}
			passes, fails := trailing(known, healthcheck.Pass), trailing(known, healthcheck.Fail)

			want := before
			switch {
			case o == healthcheck.Unknown:
			case fails >= unhealthy:
				want = healthcheck.Unhealthy
			case passes >= healthy, passes > 0 && before == healthcheck.Initial:
				want = healthcheck.Healthy
			}
			state, gotPasses, gotFails := h.Counts()
			if state != want || gotPasses != passes || gotFails != fails {
				t.Fatalf("%v after %v: %v with %d passes and %d fails in a row, want %v, %d, %d",
					o, before, state, gotPasses, gotFails, want, passes, fails)
			}
		}
	})
}

func trailing(history []healthcheck.Outcome, o healthcheck.Outcome) (n int) {
	for n < len(history) && history[len(history)-1-n] == o {
		n++
	}
	return n
}

func TestNamesAreThoseOfElasticLoadBalancing(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal([]any{
		healthcheck.Unused, healthcheck.Initial, healthcheck.Healthy, healthcheck.Unhealthy, healthcheck.Draining,
		healthcheck.Unknown, healthcheck.Pass, healthcheck.Fail, healthcheck.Transition, healthcheck.ZoneChange,
		healthcheck.State(99), healthcheck.Outcome(99), healthcheck.EventKind(99),
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `["unused","initial","healthy","unhealthy","draining","unknown","pass","fail","transition","zone-change",` +
		`"invalid","invalid","invalid"]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
