package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// TestMain is the servers' process as well, when a load test starts this binary.
func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		if err := serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// quick is the story on real sockets, in about a second.
var quick = settings{
	zones: []string{"zone-a", "zone-b"}, perZone: 2, victim: "zone-a",
	interval: 120 * time.Millisecond, timeout: 60 * time.Millisecond, calm: 150 * time.Millisecond, pace: 2 * time.Millisecond,
}

func TestZoneDiesAndComesBack(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r, err := tell(t.Context(), quick, &out)
	if err != nil {
		t.Fatal(err)
	}
	if r.Targets != 4 || r.Requests == 0 {
		t.Errorf("%+v; want 4 targets and requests", r)
	}
	if r.Failed > 0 || r.ToVictim > 0 {
		t.Errorf("%d requests failed and %d were answered by the dead zone, want none: a refused one goes to another target", r.Failed, r.ToVictim)
	}
	// Two failures in a row take at least most of an interval. There is no upper bound in a test on real time.
	if least := ms(quick.interval / 2); r.DetectionMS < least {
		t.Errorf("detected after %v ms, two failed checks take longer than %v", r.DetectionMS, least)
	}
	for _, want := range []string{"zone-a loses its power", "zone-a comes back", "all targets are healthy again"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not told:\n%s", want, out.String())
		}
	}
}

func TestStoryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	if _, err := tell(ctx, defaults, io.Discard); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
}

func TestLoadIsOneJSONObject(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	args := []string{"-targets", "30", "-interval", "500ms", "-for", "1s", "-json"}
	if err := run(t.Context(), args, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&out)
	var got map[string]float64
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if err := dec.Decode(new(any)); err != io.EOF {
		t.Errorf("more than one object: %v", err)
	}
	for _, name := range []string{"checks_per_s", "cpu_us_per_check", "rss_bytes_per_target", "start_lag_p99_ms", "goroutines"} {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing in %v", name, got)
		}
	}
	if got["healthy"] == 0 || got["checks_per_s"] < 30 { // a busy machine may be too slow for some
		t.Errorf("got %v, want 30 healthy targets and about 60 checks a second", got)
	}
}

func TestWrongFlagsAreAllNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"an argument":              {[]string{"x"}, []string{`unexpected argument "x": wrong usage; -h shows the flags`}},
		"an unknown flag":          {[]string{"-x"}, []string{"flag provided but not defined: -x: wrong usage; -h shows the flags"}},
		"too few targets":          {[]string{"-targets", "0"}, []string{"-targets: must be from 1 to 200000"}},
		"flags of the load alone":  {[]string{"-interval", "1s", "-reuse", "3"}, []string{"-interval: needs -targets", "-reuse: needs -targets"}},
		"too short":                {[]string{"-targets", "1", "-interval", "1ms"}, []string{"-interval: must be from 50ms to 1h"}},
		"measured for no interval": {[]string{"-targets", "1", "-interval", "1m", "-for", "1s"}, []string{"-for: must be at least one interval and at most 24h"}},
		"everything": {
			[]string{"-targets", "-1", "-interval", "2h", "-for", "0s", "-reuse", "-1"},
			[]string{
				"-targets: must be from 1 to 200000", "-interval: must be from 50ms to 1h",
				"-for: must be at least one interval and at most 24h", "-reuse: must not be negative",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(c.args, io.Discard)
			if exitCode(err) != 2 {
				t.Fatalf("exit status %d of %v, want 2", exitCode(err), err)
			}
			if diff := cmp.Diff(c.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestHelp: -h is no mistake, and what is one is not printed twice.
func TestHelp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if _, err := parse([]string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) || exitCode(err) != 0 || !strings.Contains(out.String(), "-targets") {
		t.Errorf("-h: %v, exit status %d: %q", err, exitCode(err), out.String())
	}
	out.Reset()
	if _, err := parse([]string{"-x"}, &out); err == nil || out.Len() > 0 {
		t.Errorf("-x: %v; main prints that, and parse printed %q", err, out.String())
	}
}

// TestLoadEndsWithItsContext: why it ended is all that is said; the servers' process has ended by then, and is no news.
func TestLoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	why := errors.New("enough")
	for _, after := range []time.Duration{0, 5 * time.Millisecond, 500 * time.Millisecond} {
		ctx, cancel := context.WithCancelCause(t.Context())
		if after > 0 {
			time.AfterFunc(after, func() { cancel(why) })
		} else {
			cancel(why)
		}
		err := run(ctx, []string{"-targets", "10", "-interval", "1s", "-for", "1h"}, io.Discard, io.Discard)
		if !errors.Is(err, why) || strings.Contains(err.Error(), "killed") || exitCode(err) != 1 {
			t.Errorf("after %v: got %q, want %q", after, err, why)
		}
	}
}

// TestLoadThatDoesNotFit: a limit of open files that is too low is said before, not in a flood of failed checks.
func TestLoadThatDoesNotFit(t *testing.T) {
	t.Parallel()
	if err := (load{targets: 1000, reuse: 1000}).fits(1063); err == nil || !strings.Contains(err.Error(), "1000 need 1064 open files") {
		t.Errorf("got %v", err)
	}
	for l, limit := range map[load]uint64{{targets: 1000, reuse: 1000}: 1064, {targets: 1000}: 256} {
		if err := l.fits(limit); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
	}
}
