// Controllers lets three controllers, one in each Availability Zone, watch a
// service over one DynamoDB table. The service's instance dies, and in the
// middle of the failover so does the zone of the controller that leads it:
// another one finishes what it has begun.
//
// Without flags it runs on AWS in memory, in real time, in about 20 seconds:
//
//	go run ./examples/controllers
//	go run ./examples/controllers -json
//
// With -endpoint the same is done on an emulator, where the leader is cut off
// from it instead of its zone.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.As(err, new(*usageError)):
		fmt.Fprintln(os.Stderr, "controllers:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "controllers:", err)
		os.Exit(1)
	}
}

// flags of the program.
type flags struct {
	json     bool
	endpoint string
	region   string
}

// usageError is a flag that is wrong, with the rule that it breaks.
type usageError struct{ Flag, Rule string }

func (e *usageError) Error() string { return e.Flag + " " + e.Rule }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parse(args, stderr)
	if err != nil {
		return err
	}
	show := newScreen(stdout)
	if f.json {
		show = newScreen(io.Discard)
	}
	place := inMemory
	if f.endpoint != "" {
		place = func(ctx context.Context) (*site, error) { return onEndpoint(ctx, f) }
	}
	report, err := tell(ctx, place, show)
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(stdout).Encode(report)
	}
	show.print(report.String())
	return nil
}

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("controllers", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.StringVar(&f.endpoint, "endpoint", "", "run on the emulator at this `URL`, on resources made for it")
	set.StringVar(&f.region, "region", "us-east-1", "`region` for -endpoint")
	if err := set.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return f, err
		}
		return f, &usageError{"flags:", err.Error()}
	}
	var errs []error
	bad := func(name, rule string) { errs = append(errs, &usageError{name, rule}) }
	given := map[string]bool{}
	set.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	if set.NArg() > 0 {
		bad(fmt.Sprintf("%q", set.Arg(0)), "is an argument, and there are none")
	}
	if u, err := url.Parse(f.endpoint); given["endpoint"] && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		bad("-endpoint", "must be a URL that begins with http:// or https://")
	}
	switch {
	case given["region"] && !given["endpoint"]:
		bad("-region", "needs -endpoint")
	case f.region == "":
		bad("-region", "must not be empty")
	}
	return f, errors.Join(errs...)
}
