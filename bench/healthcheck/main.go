// Healthcheck compares three checkers on the same pool of local servers:
// HAProxy, the design that many checkers in Go have (a goroutine and a ticker
// for each target, on net/http), and package healthcheck.
//
// Every checker has a process of its own and so have the servers. What is
// compared is seen from outside, in the same way for all: the CPU time of the
// process, how late requests arrive at the servers, and how long after the
// death of a server the checker says that it is down. Each run is made
// without and with a fifth of the targets blackholed: they answer no
// connection request.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// roleVariable in the environment makes this program one of the processes of a run.
const roleVariable = "AWSHA_BENCH_ROLE"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	case "servers":
		err = serve(ctx, os.Stdin, os.Stdout)
	default:
		err = check(ctx, role, os.Stdin, os.Stdout)
	}
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "healthcheck:", err)
		os.Exit(1)
	}
}

// settings are the same for all checkers.
type settings struct {
	Targets   int
	Interval  time.Duration
	Timeout   time.Duration
	Fall      int // failures in a row that make a target unhealthy
	Length    time.Duration
	Kills     int
	Blackhole int // every k-th target answers no connection request; 0: none
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s := settings{Fall: 2}
	var asJSON, withoutHAProxy bool
	set := flag.NewFlagSet("healthcheck", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.IntVar(&s.Targets, "targets", 2000, "`number` of targets")
	set.DurationVar(&s.Interval, "interval", time.Second, "from one check of a target to the next")
	set.DurationVar(&s.Timeout, "timeout", 500*time.Millisecond, "of a check")
	set.DurationVar(&s.Length, "for", 10*time.Second, "how long each checker is measured")
	set.IntVar(&s.Kills, "kills", 10, "how many servers are killed in each run")
	set.BoolVar(&withoutHAProxy, "without-haproxy", false, "compare with the design in Go alone")
	set.BoolVar(&asJSON, "json", false, "print one JSON object and nothing else")
	if err := set.Parse(args); err != nil {
		return err
	}
	if err := s.validate(set); err != nil {
		return err
	}
	if _, err := exec.LookPath("haproxy"); err != nil && !withoutHAProxy {
		return fmt.Errorf("%w; install it, or give -without-haproxy", err)
	}

	progress := stdout
	if asJSON {
		progress = io.Discard
	}
	var all results
	for _, blackhole := range []int{0, 5} {
		s.Blackhole = blackhole
		for _, d := range designs {
			if d == haproxyNew && withoutHAProxy || d == floorKept && blackhole > 0 {
				continue
			}
			fmt.Fprintf(progress, "%s, %s\n", d, s.about())
			r, err := measure(ctx, s, d)
			if err != nil {
				return fmt.Errorf("%s: %w", d, err)
			}
			all.Runs = append(all.Runs, r)
		}
	}
	all.compare()
	if asJSON {
		return json.NewEncoder(stdout).Encode(&all)
	}
	_, err := io.WriteString(stdout, all.String())
	return err
}

func (s *settings) about() string {
	if s.Blackhole == 0 {
		return "all targets answer"
	}
	return "a fifth of the targets is blackholed"
}

// validate reports every mistake at once.
func (s *settings) validate(set *flag.FlagSet) error {
	var errs []error
	require := func(ok bool, name, rule string) {
		if !ok {
			errs = append(errs, fmt.Errorf("-%s: %s", name, rule))
		}
	}
	require(set.NArg() == 0, "targets", "is a flag; there are no other arguments")
	require(10 <= s.Targets && s.Targets <= 20_000, "targets", "must be from 10 to 20000")
	require(s.Interval >= 100*time.Millisecond && s.Interval <= time.Minute, "interval", "must be from 100ms to 1m")
	require(s.Timeout >= 10*time.Millisecond && s.Timeout < s.Interval,
		"timeout", "must be at least 10ms and less than the interval")
	require(s.Length >= 3*s.Interval, "for", "must be at least three intervals")
	require(1 <= s.Kills && s.Kills <= s.Targets/2, "kills", "must be at least 1, and at most half of the targets")
	return errors.Join(errs...)
}
