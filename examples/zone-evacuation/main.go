// Zone-evacuation lets an Availability Zone die under load and leaves it: a load balancer is shifted away, an Auto Scaling group launches what it
// has lost elsewhere, and a ledger, of which there is only one, comes back in another zone from its newest backup, with its address.
//
// Without flags it runs on AWS in memory, in virtual time: a quarter of an hour in seconds, at a pace at which it can be followed. Customers send
// orders, which workers take from a queue; a number is kept in the ledger and read back; what was lost is measured, and not inferred.
//
//	go run ./examples/zone-evacuation
//	go run ./examples/zone-evacuation -json
//	go run ./examples/zone-evacuation -html /tmp/evacuation.html
//
// With -endpoint the ledger is built and evacuated on an emulator. With -aws and -site FILE the site that the file describes is looked at, and the
// plan is forecast; only with -apply, and the name of the service, it is carried out. -describe prints a site to begin with.
//
// The exit status is 1 if the evacuation fails, misses a target or would not work, and 2 for wrong flags.
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
	"syscall"

	"github.com/awsha/awsha/examples/internal/virtual"
)

func main() {
	virtual.Main(func(in virtual.Bubble) int {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second signal ends the process at once
		err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, in)
		stop()
		if err != nil && !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "zone-evacuation:", err)
		}
		return exitCode(err)
	})
}

func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, new(*usageError)):
		return 2
	}
	return 1
}

// flags of the program.
type flags struct {
	json, aws, describe  bool
	endpoint, site, html string
	region               string
	table, apply         string
	incident             string
	speed                float64
}

// usageError is a flag or a field of the site that is wrong, with the rule that it breaks.
type usageError struct{ What, Rule string }

func (e *usageError) Error() string { return e.What + " " + e.Rule }

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("zone-evacuation", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.StringVar(&f.html, "html", "", "write the report as a page to this `file`")
	set.Float64Var(&f.speed, "speed", 20, "how many `times` as fast as in life the story in memory goes; 0 is as fast as it can, as with -json")
	set.StringVar(&f.endpoint, "endpoint", "", "build and evacuate the ledger on the emulator at this `URL`")
	set.StringVar(&f.region, "region", "us-east-1", "`region` for -endpoint")
	set.BoolVar(&f.describe, "describe", false, "print a description of a site, to begin with, and end")
	set.BoolVar(&f.aws, "aws", false, "look at the site of -site in the account of the default credentials")
	set.StringVar(&f.site, "site", "", "with -aws: read the description of the site from this `file`")
	set.StringVar(&f.table, "table", "", "with -apply: `name` of the DynamoDB table of leases and journals")
	set.StringVar(&f.apply, "apply", "", "with -aws: carry the plan out; `service` is the site's, to make sure")
	set.StringVar(&f.incident, "incident", "", "with -apply: go on with the evacuation of this `name`; default a new one")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return f, err
		}
		return f, &usageError{"flags:", err.Error()}
	}
	given := map[string]bool{}
	set.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	var errs []error
	rule := func(ok bool, what, text string) {
		if !ok {
			errs = append(errs, &usageError{what, text})
		}
	}
	if set.NArg() > 0 {
		rule(false, fmt.Sprintf("%q", set.Arg(0)), "is an argument, and there are none")
	}
	u, err := url.Parse(f.endpoint)
	rule(!given["endpoint"] || err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"), "-endpoint", "must be a URL that begins with http:// or https://")
	rule(!f.aws || !given["endpoint"], "-aws", "does not go with -endpoint")
	rule(f.aws == (f.site != ""), "-site", "goes with -aws, which needs it")
	rule(!given["apply"] || f.aws, "-apply", "needs -aws")
	rule(!given["apply"] || f.apply != "", "-apply", "must be the name of the service")
	rule(given["apply"] == given["table"], "-table", "goes with -apply, which needs it")
	rule(!given["incident"] || given["apply"], "-incident", "needs -apply")
	rule(!given["region"] || given["endpoint"], "-region", "needs -endpoint")
	rule(f.region != "", "-region", "must not be empty")
	rule(!given["speed"] || !f.aws && !given["endpoint"], "-speed", "is of the story in memory")
	rule(f.speed >= 0, "-speed", "must not be negative")
	if f.json && !given["speed"] {
		f.speed = 0
	}
	return f, errors.Join(errs...)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, in virtual.Bubble) error {
	f, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if f.describe {
		text, err := describe()
		if err == nil {
			_, err = fmt.Fprintf(stdout, "%s\n", text)
		}
		return err
	}
	show := stdout
	if f.json {
		show = io.Discard
	}
	var r *report
	switch {
	case f.aws:
		r, err = onAWS(ctx, f, show)
	case f.endpoint != "":
		r, err = onEndpoint(ctx, f, newScreen(show))
	default:
		r, err = inBubble(ctx, f.speed, show, in)
	}
	if r == nil {
		return err
	}
	if f.html != "" {
		err = errors.Join(err, r.page(f.html))
	}
	if f.json {
		return errors.Join(err, json.NewEncoder(stdout).Encode(r), r.verdict())
	}
	_, werr := fmt.Fprint(stdout, r)
	return errors.Join(err, werr, r.verdict())
}

// inBubble tells the story in virtual time. A signal ends it.
func inBubble(ctx context.Context, speed float64, show io.Writer, in virtual.Bubble) (r *report, err error) {
	pacer, stop := virtual.NewPacer(speed)
	defer stop()
	interrupted := func() error { return context.Cause(ctx) }
	in(func() { r, err = story(pacer, interrupted, newScreen(show)) })
	return r, err
}
