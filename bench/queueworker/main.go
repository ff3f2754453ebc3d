// Queueworker compares workers of SQS queues on the same endpoint: package
// queueworker, a bare loop over the SDK with 80 pollers that deletes by ten,
// watermill-aws, and gocloud.dev's awssnssqs.
//
// The endpoint and every worker have processes of their own, and each
// scenario begins with a fresh endpoint and a full queue. Calls, rates and
// what was deleted are counted by the endpoint, CPU time and memory by the
// kernel, and what was handled by the handlers. Rates are medians of several
// rounds in which the workers take turns, since machines are noisy.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// roleVariable in the environment makes this program one of the processes of a run.
const roleVariable = "AWSHA_BENCH_ROLE"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if role := os.Getenv(roleVariable); role == "" {
		err = run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	} else {
		err = play(ctx, role)
	}
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "queueworker:", err)
		os.Exit(1)
	}
}

func play(ctx context.Context, role string) error {
	if role == "endpoint" {
		return serveQueue(ctx, os.Stdin, os.Stdout)
	}
	return work(ctx, role, os.Stdin, os.Stdout)
}

// settings are what the flags say.
type settings struct {
	Peers, Scenarios       []string
	Messages, SlowMessages int
	Rounds                 int
	Delay, Slow, Patience  time.Duration
	Profile                string
}

// scenario is what all peers go through.
type scenario struct {
	messages, slots int
	handler         time.Duration
	visibility      time.Duration
	stopAfter       time.Duration // terminates while handlers run; zero: when all is deleted
}

const (
	slowHandlers = "slow"
	termination  = "termination"
)

func (s *settings) scenarios() map[string]scenario {
	const lease = 30 * time.Second
	return map[string]scenario{
		"50x5ms":     {s.Messages, 50, 5 * time.Millisecond, lease, 0},
		"50x0":       {s.Messages, 50, 0, lease, 0},
		"200x5ms":    {s.Messages, 200, 5 * time.Millisecond, lease, 0},
		slowHandlers: {s.SlowMessages, max(s.SlowMessages/5, 1), s.Slow, 2 * time.Second, 0},
		termination:  {2000, 50, 500 * time.Millisecond, lease, 1200 * time.Millisecond},
	}
}

var (
	peerOrder     = []string{bare, ours, gocloud, mill}
	scenarioOrder = []string{"50x5ms", "50x0", "200x5ms", slowHandlers, termination}
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var s settings
	var asJSON bool
	var peerNames, scenarioNames string
	set := flag.NewFlagSet("queueworker", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&peerNames, "peers", strings.Join(peerOrder, ","), "`names` of the workers to compare")
	set.StringVar(&scenarioNames, "scenarios", strings.Join(scenarioOrder, ","), "`names`: slots x handler time, slow handlers, termination")
	set.IntVar(&s.Messages, "messages", 40_000, "`number` in the queue; slow handlers and termination have their own")
	set.IntVar(&s.SlowMessages, "slow-messages", 500, "`number` for slow handlers, five for each slot")
	set.IntVar(&s.Rounds, "rounds", 3, "`number` of runs of each rate scenario, of which the medians count")
	set.DurationVar(&s.Slow, "slow-handler", 5*time.Second, "how long slow handlers take; their visibility timeout is 2s")
	set.DurationVar(&s.Delay, "delay", 20*time.Millisecond, "round trip of each call")
	set.DurationVar(&s.Patience, "patience", time.Minute, "how long a worker may take at most for a scenario")
	set.StringVar(&s.Profile, "profile", "", "`prefix` of files for CPU profiles of the workers")
	set.BoolVar(&asJSON, "json", false, "print one JSON object and nothing else")
	if err := set.Parse(args); err != nil {
		return err
	}
	s.Peers, s.Scenarios = strings.Split(peerNames, ","), strings.Split(scenarioNames, ",")
	if err := s.validate(set); err != nil {
		return err
	}
	progress := stdout
	if asJSON {
		progress = io.Discard
	}
	var all results
	for _, name := range s.Scenarios {
		runs, err := s.compare(ctx, name, progress)
		if err != nil {
			return err
		}
		all.Runs = append(all.Runs, runs...)
	}
	if asJSON {
		return json.NewEncoder(stdout).Encode(&all)
	}
	_, err := io.WriteString(stdout, all.String())
	return err
}

// compare lets all peers go through a scenario, in turns.
func (s *settings) compare(ctx context.Context, name string, progress io.Writer) ([]result, error) {
	rounds := s.Rounds
	if name == slowHandlers || name == termination {
		rounds = 1 // they count, and do not measure rates
	}
	runs := make([][]result, len(s.Peers))
	for round := range rounds {
		for i, peer := range s.Peers {
			fmt.Fprintf(progress, "%s, %s, %d of %d\n", name, peer, round+1, rounds)
			r, err := measure(ctx, s, name, peer)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", name, peer, err)
			}
			runs[i] = append(runs[i], r)
		}
	}
	medians := make([]result, len(runs))
	for i := range runs {
		medians[i] = median(runs[i])
	}
	return medians, nil
}

// validate reports every mistake at once.
func (s *settings) validate(set *flag.FlagSet) error {
	var errs []error
	require := func(ok bool, name, rule string) {
		if !ok {
			errs = append(errs, fmt.Errorf("-%s: %s", name, rule))
		}
	}
	known := func(names, all []string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(all, name) })
	}
	require(set.NArg() == 0, "messages", "is a flag; there are no other arguments")
	require(known(s.Peers, slices.Sorted(maps.Keys(peers))), "peers", "must be of "+strings.Join(peerOrder, ","))
	require(known(s.Scenarios, scenarioOrder), "scenarios", "must be of "+strings.Join(scenarioOrder, ","))
	require(10 <= s.Messages && s.Messages <= 1_000_000, "messages", "must be from 10 to 1000000")
	require(1 <= s.Rounds && s.Rounds <= 100, "rounds", "must be from 1 to 100")
	require(1 <= s.SlowMessages && s.SlowMessages <= 10_000, "slow-messages", "must be from 1 to 10000")
	require(0 < s.Slow && s.Slow <= time.Minute, "slow-handler", "must be more than 0 and at most 1m")
	require(0 <= s.Delay && s.Delay <= time.Second, "delay", "must be from 0 to 1s")
	require(s.Patience > 0, "patience", "must be more than 0")
	return errors.Join(errs...)
}
