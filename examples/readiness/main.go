// Readiness asks, before the day, whether a service would survive the loss of a
// zone: which zones could carry the load of each other zone on what is reserved
// today, and whether a plan to replace its single instance would work now.
//
// It changes nothing: it reads, and asks EC2 by dry runs. Without flags it
// describes a site on AWS in memory:
//
//	go run ./examples/readiness
//	go run ./examples/readiness -json
//
// With -site FILE and -aws, or -endpoint, it looks at an account, whose site the
// file describes; -describe prints one to begin with. The exit status is 1 if the
// plan would not work.
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

	"github.com/awsha/awsha/failover"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.As(err, new(*usageError)):
		fmt.Fprintln(os.Stderr, "readiness:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "readiness:", err)
		os.Exit(1)
	}
}

// flags of the program.
type flags struct {
	json, aws, describe  bool
	endpoint, site, html string
}

// usageError is a flag or a field of the site that is wrong, with the rule that it breaks.
type usageError struct{ What, Rule string }

func (e *usageError) Error() string { return e.What + " " + e.Rule }

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("readiness", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.BoolVar(&f.describe, "describe", false, "print a description of a site, to begin with, and end")
	set.StringVar(&f.site, "site", "", "read the description of the site from this `file`")
	set.BoolVar(&f.aws, "aws", false, "look at the account of the default credentials")
	set.StringVar(&f.endpoint, "endpoint", "", "look at the emulator at this `URL`")
	set.StringVar(&f.html, "html", "", "write the forecast of the plan as a page to this `file`")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return f, err
		}
		return f, &usageError{"flags:", err.Error()}
	}
	var errs []error
	bad := func(what, rule string) { errs = append(errs, &usageError{what, rule}) }
	if set.NArg() > 0 {
		bad(fmt.Sprintf("%q", set.Arg(0)), "is an argument, and there are none")
	}
	if u, err := url.Parse(f.endpoint); f.endpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		bad("-endpoint", "must be a URL that begins with http:// or https://")
	}
	if f.aws && f.endpoint != "" {
		bad("-aws", "does not go with -endpoint")
	}
	if elsewhere := f.aws || f.endpoint != ""; elsewhere != (f.site != "") {
		bad("-site", "goes with -aws or -endpoint, and they need it")
	}
	return f, errors.Join(errs...)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if f.describe {
		_, err := fmt.Fprintln(stdout, describe())
		return err
	}
	var p *place
	if f.site == "" {
		p, err = inMemory(ctx)
	} else {
		p, err = elsewhere(ctx, f)
	}
	if err != nil {
		return err
	}
	defer p.end()
	report, err := p.look(ctx)
	if err != nil {
		return err
	}
	if f.html != "" {
		if err := report.page(f.html); err != nil {
			return err
		}
	}
	if f.json {
		err = json.NewEncoder(stdout).Encode(report)
	} else {
		_, err = fmt.Fprint(stdout, report)
	}
	if err == nil && report.Level == failover.LevelFail {
		return errNotReady
	}
	return err
}

// errNotReady makes the exit status 1, after the report.
var errNotReady = errors.New("the plan would not work")
