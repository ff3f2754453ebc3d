// Database-failover lets the zone of a Multi-AZ database die under a client that writes all the time, and measures how long nobody could write, and
// whether a write that was acknowledged is gone.
//
// Without flags it runs on AWS in memory, in virtual time, at a pace at which it can be followed. RDS fails over by itself; the plan waits for that,
// makes sure of it by a write of its own, and would ask for it if it did not come. With -planned nothing fails, and RDS is asked.
//
//	go run ./examples/database-failover
//	go run ./examples/database-failover -json
//	go run ./examples/database-failover -planned -html /tmp/database.html
//
// With -aws or -endpoint, and -database NAME, it asks whether the plan would work for a database of yours. Only with -apply, and its name once more, RDS is
// asked to fail over, as for -planned.
//
// The exit status is 1 if the failover fails, misses a target or would not work, and 2 for wrong flags.
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
			fmt.Fprintln(os.Stderr, "database-failover:", err)
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
	json, aws, planned     bool
	endpoint, region, html string
	database, apply, away  string
	speed                  float64
}

// usageError is a flag that is wrong, with the rule that it breaks.
type usageError struct{ What, Rule string }

func (e *usageError) Error() string { return e.What + " " + e.Rule }

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("database-failover", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.BoolVar(&f.planned, "planned", false, "in memory: nothing fails, and RDS is asked to fail over")
	set.StringVar(&f.html, "html", "", "write the report as a page to this `file`")
	set.Float64Var(&f.speed, "speed", 20, "how many `times` as fast as in life the story in memory goes; 0 is as fast as it can, as with -json")
	set.BoolVar(&f.aws, "aws", false, "look at a database in the account of the default credentials")
	set.StringVar(&f.endpoint, "endpoint", "", "look at a database on the emulator at this `URL`")
	set.StringVar(&f.region, "region", "us-east-1", "`region` for -aws and -endpoint")
	set.StringVar(&f.database, "database", "", "with -aws or -endpoint: `identifier` of the DB instance")
	set.StringVar(&f.away, "away", "", "with -database: the `zone` to leave, by name or ID")
	set.StringVar(&f.apply, "apply", "", "ask RDS to fail over; the `identifier` once more, to make sure")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return f, err
		}
		return f, &usageError{"flags:", err.Error()}
	}
	given := map[string]bool{}
	set.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	elsewhere := f.aws || given["endpoint"]
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
	rule(elsewhere == (f.database != ""), "-database", "goes with -aws or -endpoint, which need it")
	rule((f.away != "") == (f.database != ""), "-away", "goes with -database, which needs it")
	rule(!given["apply"] || f.apply == f.database && elsewhere, "-apply", "must be the -database")
	rule(!given["region"] || elsewhere, "-region", "needs -aws or -endpoint")
	rule(f.region != "", "-region", "must not be empty")
	rule(!given["speed"] && !f.planned || !elsewhere, "-speed and -planned", "are of the story in memory")
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
	show := stdout
	if f.json {
		show = io.Discard
	}
	var r *report
	if f.database != "" {
		r, err = elsewhere(ctx, f, newScreen(show))
	} else {
		pacer, stop := virtual.NewPacer(f.speed)
		defer stop()
		in(func() { r, err = story(pacer, func() error { return context.Cause(ctx) }, newScreen(show), f.planned) })
	}
	if r == nil {
		return err
	}
	if f.html != "" {
		err = errors.Join(err, r.page(f.html))
	}
	if f.json {
		return errors.Join(err, json.NewEncoder(stdout).Encode(r), r.miss)
	}
	_, werr := fmt.Fprint(stdout, r)
	return errors.Join(err, werr, r.miss)
}
