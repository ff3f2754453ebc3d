package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The story as the example tells it, with its own plan and its own durations,
// in virtual time. Where in its interval the pool's checks fall is drawn anew
// each time.
func TestOutageIsSurvived(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			r, err := surviveOutage(t.Context(), defaults, newScreen(io.Discard))
			if err != nil {
				t.Fatal(err)
			}
			if *r.DetectionMS > *r.DetectionBoundMS {
				t.Errorf("detected after %v ms, the bound is %v", *r.DetectionMS, *r.DetectionBoundMS)
			}
			// Two failed checks take an interval, which a young target has up to an eighth shorter, and a timeout.
			if least := *ms(defaults.interval*7/8 + defaults.timeout); *r.DetectionMS < least {
				t.Errorf("detected after %v ms; two failed checks take %v", *r.DetectionMS, least)
			}
			want := *r.DetectionMS + *r.CriticalPathMS
			if got := *r.DowntimeMS; got < 0.95*want || got > 1.05*want {
				t.Errorf("downtime %v ms; detection and critical path are %v", got, want)
			}
			if *r.Failed == 0 || *r.FailedAfterRecovery != 0 {
				t.Errorf("failed %d, after the recovery %d; want some, 0", *r.Failed, *r.FailedAfterRecovery)
			}
			// A move cuts off what is under way at that very instant, and nothing else.
			if *r.FailbackFailed > 1 {
				t.Errorf("%d requests failed in the failback", *r.FailbackFailed)
			}
			if diff := cmp.Diff([]int{1, 1, 2}, []int{r.AssociateCalls, r.DisassociateCalls, r.DescribeCalls}); diff != "" {
				t.Errorf("associate, disassociate, describe calls (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONIsOneObjectWithEveryMeasure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-json"}, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(&out)
		var object map[string]float64
		if err := dec.Decode(&object); err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(new(any)); err != io.EOF {
			t.Errorf("more than one object: %v", err)
		}
		for _, name := range []string{
			"downtime_ms", "detection_ms", "detection_bound_ms", "plan_ms", "requests", "failed", "failed_after_recovery",
			"associate_calls", "disassociate_calls", "describe_calls", "failback_ms", "failback_failed",
		} {
			if _, ok := object[name]; !ok {
				t.Errorf("%s is missing", name)
			}
		}
	})
}

func TestProgressIsInPlainLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		start := time.Now()
		if err := run(t.Context(), nil, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		for _, line := range []string{"loses power", "the standby serves", "the primary serves", "first good reply, from the standby", "remap-address", "downtime"} {
			if !strings.Contains(out.String(), line) {
				t.Errorf("no line says %q", line)
			}
		}
		if strings.ContainsRune(out.String(), '\x1b') {
			t.Error("terminal escapes in what is no terminal")
		}
	})
}

func TestWrongFlagsAreNamedAllAtOnce(t *testing.T) {
	t.Parallel()
	for args, want := range map[string][]string{
		"-apply":                  {"apply"},
		"-region eu-west-1":       {"region"},
		"-endpoint localhost":     {"endpoint"},
		"-allocation eipalloc-1":  {"allocation"},
		"-aws -endpoint http://x": {"endpoint", "allocation", "from", "to"},
		"-aws -allocation 203.0.113.10 -from i-1 -to i-1 -target-group web": {"allocation", "target-group", "to"},
	} {
		var got []string
		err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Errorf("%s: got %v", args, err)
			continue
		}
		for _, err := range joined.Unwrap() {
			var usage *usageError
			if errors.As(err, &usage) {
				got = append(got, usage.Flag)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", args, diff)
		}
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: got %v", err)
	}
}
