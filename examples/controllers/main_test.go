package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The story in virtual time: the leader's zone dies whenever, and another controller finishes.
func TestAnotherControllerFinishes(t *testing.T) {
	t.Parallel()
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			r, err := tell(t.Context(), inMemory, newScreen(&out))
			if err != nil {
				t.Fatal(err, out.String())
			}
			if len(r.Leaders) != 2 || r.Leaders[0] == r.Leaders[1] || r.Incidents != 1 || r.Resumed != 1 {
				t.Errorf("%+v\n%s", r, out.String())
			}
			for _, step := range []string{stepStop, stepRemap, stepLabel} {
				if r.Effects[step] != 1 {
					t.Errorf("%s has %d effects", step, r.Effects[step])
				}
			}
			if limit := ms(ttl + renew/2 + 200*time.Millisecond); r.TakeoverMS > limit {
				t.Errorf("takeover after %v ms, want at most %v", r.TakeoverMS, limit)
			}
			if r.DetectionMS > 5000 || r.RTOMS > r.DetectionMS+r.PlanMS+1000 || r.Failed == 0 || r.Failed == r.Requests {
				t.Errorf("%+v", r)
			}
			if text := r.String(); !strings.Contains(text, "controller-1, then controller-") {
				t.Error(text)
			}
			data, err := json.Marshal(r)
			var fields map[string]any
			if err != nil || json.Unmarshal(data, &fields) != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"leaders", "incidents", "effects_per_step", "resumed", "detection_ms", "rto_ms", "critical_path_ms"} {
				if _, ok := fields[name]; !ok {
					t.Errorf("no %s in %s", name, data)
				}
			}
		})
	}
}

func TestTheStoryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, time.Second, 5 * time.Second, 8 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			if _, err := tell(ctx, inMemory, newScreen(io.Discard)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %v: %v", after, err)
			}
		})
	}
}

func TestWrongFlagsAreAllTold(t *testing.T) {
	t.Parallel()
	for args, want := range map[string][]string{
		"-endpoint ftp://x -region":        {"needs an argument"},
		"-endpoint localhost:5000":         {"-endpoint must be a URL"},
		"-region eu-west-1 please":         {"-region needs -endpoint", `"please" is an argument`},
		"-region= -endpoint http://x":      {"-region must not be empty"},
		"-aws":                             {"not defined"},
		"-endpoint x -region eu-west-1 go": {"-endpoint must be", `"go" is an argument`},
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		var usage *usageError
		if !errors.As(err, &usage) || slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(err.Error(), w) }) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
