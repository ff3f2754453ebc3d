// Queue-workers fills an SQS queue and has it worked off, while calls are
// throttled, replies are lost, batches fail in part, and one of the workers
// is killed in the middle of its messages.
//
// Without flags it runs on AWS in memory, in real time, in about ten seconds:
// on a terminal with a live line of progress and rate, elsewhere as lines.
//
//	go run ./examples/queue-workers
//	go run ./examples/queue-workers -json
//	go run ./examples/queue-workers -messages 20000 -concurrency 50 -handler 5ms -workers 2 -faults=false -json
//
// What it counts, it counts outside of the workers: the calls of theirs that
// reach SQS, each delivery to a handler, and what the queue says at the end.
//
// With -endpoint it runs on an emulator, in a queue that it makes and
// removes, and with -aws on a queue of yours that must be empty; of the faults,
// there is only the kill there.
//
// Exit status: 0 done, 1 error, lost messages or a signal, 2 wrong flags.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "queue-workers:", err)
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
	show := newScreen(stdout)
	if f.json {
		show = newScreen(io.Discard)
	}
	report, err := tell(ctx, f, show)
	switch {
	case report == nil:
	case f.json:
		err = errors.Join(err, json.NewEncoder(stdout).Encode(report))
	default:
		show.print(report.String())
	}
	return err
}

// flags of the program.
type flags struct {
	json     bool
	work     work
	endpoint string
	aws      bool
	queue    string
	region   string
}

// work is what is to be done, and by whom.
type work struct {
	messages    int
	workers     int
	concurrency int // of each worker
	handler     time.Duration
	visibility  time.Duration
	faults      bool
}

// An emulator may take time in proportion to what is in its queue, and calls to AWS cost money.
const (
	messagesInMemory  = 8000
	messagesElsewhere = 100
)

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("queue-workers", flag.ContinueOnError)
	set.SetOutput(io.Discard) // main prints the error, once
	set.Usage = func() {}
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.IntVar(&f.work.messages, "messages", 0, fmt.Sprintf("how many `messages` are sent (default %d; %d with -endpoint or -aws)", messagesInMemory, messagesElsewhere))
	set.IntVar(&f.work.workers, "workers", 3, "how many `workers` there are")
	set.IntVar(&f.work.concurrency, "concurrency", 25, "how many `handlers` each worker runs at a time")
	set.DurationVar(&f.work.handler, "handler", 50*time.Millisecond, "how long a handler takes")
	set.DurationVar(&f.work.visibility, "visibility", 3*time.Second, "how long a lease of a message lasts")
	set.BoolVar(&f.work.faults, "faults", true, "let calls fail, and kill a worker")
	set.StringVar(&f.endpoint, "endpoint", "", "run on the emulator at this `URL`, in a queue made for it")
	set.BoolVar(&f.aws, "aws", false, "run on AWS, with the default credentials, on the queue of -queue")
	set.StringVar(&f.queue, "queue", "", "with -aws: `URL` of a standard queue that is empty and used by nobody else")
	set.StringVar(&f.region, "region", "", "with -endpoint or -aws: `region` (default that of the queue, or us-east-1)")
	if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
		set.SetOutput(stderr)
		fmt.Fprintln(stderr, "Usage of queue-workers:")
		set.PrintDefaults()
		return f, err
	} else if err != nil {
		return f, fmt.Errorf("%w: %w", err, errUsage)
	}
	err := f.validate(set)
	return f, err
}

// validate reports every mistake at once, and sets what the other flags decide.
func (f *flags) validate(set *flag.FlagSet) error {
	var errs []error
	bad := func(wrong bool, name, rule string) {
		if wrong {
			errs = append(errs, &usageError{name, rule})
		}
	}
	given := map[string]bool{}
	set.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	if set.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q: %w", set.Arg(0), errUsage))
	}
	w := &f.work
	if !given["messages"] {
		if w.messages = messagesInMemory; f.aws || given["endpoint"] {
			w.messages = messagesElsewhere
		}
	}
	bad(w.messages < 1 || w.messages > 1_000_000, "messages", "must be from 1 to 1000000")
	bad(w.workers < 1 || w.workers > 100, "workers", "must be from 1 to 100")
	bad(w.concurrency < 1 || w.concurrency > 10_000, "concurrency", "must be from 1 to 10000")
	bad(w.handler < 0 || w.handler > time.Hour, "handler", "must be from 0s to 1h")
	bad(w.visibility%time.Second != 0 || w.visibility < 2*time.Second || w.visibility > time.Hour, "visibility", "must be whole seconds from 2s to 1h")
	bad(given["endpoint"] && f.aws, "endpoint", "must not be given with -aws")
	bad(given["endpoint"] && !validURL(f.endpoint), "endpoint", "must be a URL that begins with http:// or https://")
	bad(f.aws && f.queue == "", "queue", "must be given with -aws")
	bad(given["queue"] && !f.aws, "queue", "needs -aws")
	bad(f.queue != "" && (!validURL(f.queue) || strings.HasSuffix(f.queue, ".fifo")), "queue", "must be the URL of a standard queue")
	bad(given["region"] && !f.aws && !given["endpoint"], "region", "needs -endpoint or -aws")
	bad(given["region"] && f.region == "", "region", "must not be empty")
	return errors.Join(errs...)
}

func validURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
