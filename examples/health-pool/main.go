// Health-pool checks nine local HTTP servers in three zones, kills one zone
// and brings it back, while a client sends requests through the pool.
//
// Without flags it tells that story in about eight seconds: on a terminal as
// a live table of the pool, elsewhere as lines.
//
//	go run ./examples/health-pool
//	go run ./examples/health-pool -json
//
// With -targets it is a load test of the checker: that many targets on servers
// in a process of their own, checked for a while, and what that costs.
//
//	go run ./examples/health-pool -targets 15000 -interval 3s -for 30s -json
//
// It calls nothing outside of this machine: every server listens on 127.0.0.1.
//
// Exit status: 0 done, 1 error or a signal, 2 wrong flags.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if os.Getenv(serveVariable) != "" {
		err = serve(ctx, os.Stdin, os.Stdout) // this is the servers' process of a load test
	} else {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	}
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "health-pool:", err)
	}
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	}
	return 1
}

// flags of the program.
type flags struct {
	json bool
	load load
}

// errUsage is matched by every mistake in the flags.
var errUsage = errors.New("wrong usage; -h shows the flags")

// usageError is a flag that is wrong, with the rule that it breaks.
type usageError struct{ Flag, Rule string }

func (e *usageError) Error() string { return "-" + e.Flag + ": " + e.Rule }
func (e *usageError) Unwrap() error { return errUsage }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parse(args, stderr)
	if err != nil {
		return err
	}
	show := stdout
	if f.json {
		show = io.Discard
	}
	var report fmt.Stringer
	if f.load.targets > 0 {
		report, err = f.load.run(ctx, show)
	} else {
		report, err = tell(ctx, defaults, show)
	}
	switch {
	case err != nil:
		return err
	case f.json:
		return json.NewEncoder(stdout).Encode(report)
	default:
		_, err = fmt.Fprint(stdout, report)
		return err
	}
}

// The largest load that -targets allows: beyond it, a machine runs out of ports or descriptors before it says so.
const maxTargets = 200_000

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("health-pool", flag.ContinueOnError)
	set.SetOutput(io.Discard) // main prints the error, once
	set.Usage = func() {}
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.IntVar(&f.load.targets, "targets", 0, "run a load test with this many `targets`")
	set.DurationVar(&f.load.interval, "interval", 3*time.Second, "with -targets: from one check of a target to the next")
	set.DurationVar(&f.load.length, "for", 15*time.Second, "with -targets: how long to measure, after two intervals to warm up")
	set.IntVar(&f.load.reuse, "reuse", 1000, "with -targets: reconnect at every `k`-th check; 0 makes a new connection for each")
	if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
		set.SetOutput(stderr)
		fmt.Fprintln(stderr, "Usage of health-pool:")
		set.PrintDefaults()
		return f, err
	} else if err != nil {
		return f, fmt.Errorf("%w: %w", err, errUsage)
	}

	var errs []error
	bad := func(name, rule string) { errs = append(errs, &usageError{name, rule}) }
	given := map[string]bool{}
	set.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	if set.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q: %w", set.Arg(0), errUsage))
	}
	for _, name := range []string{"interval", "for", "reuse"} {
		if given[name] && !given["targets"] {
			bad(name, "needs -targets")
		}
	}
	if given["targets"] && (f.load.targets < 1 || f.load.targets > maxTargets) {
		bad("targets", fmt.Sprintf("must be from 1 to %d", maxTargets))
	}
	if f.load.interval < minInterval || f.load.interval > time.Hour {
		bad("interval", fmt.Sprintf("must be from %v to 1h", minInterval))
	}
	if f.load.length < f.load.interval || f.load.length > 24*time.Hour {
		bad("for", "must be at least one interval and at most 24h")
	}
	if f.load.reuse < 0 {
		bad("reuse", "must not be negative")
	}
	return f, errors.Join(errs...)
}
