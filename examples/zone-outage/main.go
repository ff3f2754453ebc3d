// Zone-outage lets an Availability Zone die under a service and brings the
// service back: an Elastic IP and a target registration move to the instance
// in another zone, and later home again.
//
// Without flags it runs on AWS in memory, in real time, in about ten seconds:
// a client sends requests all the while, a health pool notices the outage, a
// failover plan is executed, and a timeline tells what happened when.
//
//	go run ./examples/zone-outage
//	go run ./examples/zone-outage -json
//
// With -endpoint the same moves, there and back, are made on an emulator,
// and with -aws on a real account: there on resources that you name, and only
// if -apply is given.
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
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "zone-outage:", err)
		os.Exit(1)
	}
}

// flags of the program.
type flags struct {
	json     bool
	endpoint string
	aws      bool
	region   string
	apply    bool
	named    named
}

// named are the resources of a real account.
type named struct{ allocation, from, to, targetGroup string }

// usageError is a flag that is wrong, with the rule that it breaks.
type usageError struct{ Flag, Rule string }

func (e *usageError) Error() string { return "-" + e.Flag + ": " + e.Rule }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parse(args, stderr)
	if err != nil {
		return err
	}
	show := newScreen(stdout)
	if f.json {
		show = newScreen(io.Discard)
	}
	var report *report
	if f.endpoint != "" || f.aws {
		cfg, configErr := configure(ctx, f)
		if configErr != nil {
			return configErr
		}
		report, err = makeMoves(ctx, cfg, f, show)
	} else {
		report, err = surviveOutage(ctx, defaults, show)
	}
	switch {
	case report == nil:
	case f.json:
		err = errors.Join(err, json.NewEncoder(stdout).Encode(report))
	default:
		show.print(report.String())
	}
	return err
}

func parse(args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("zone-outage", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.StringVar(&f.endpoint, "endpoint", "", "make the moves on the emulator at this `URL`, on resources made for it")
	set.BoolVar(&f.aws, "aws", false, "make the moves on AWS, with the default credentials")
	set.StringVar(&f.region, "region", "us-east-1", "`region` for -endpoint and -aws")
	set.BoolVar(&f.apply, "apply", false, "with -aws: really move; otherwise only show the plan")
	set.StringVar(&f.named.allocation, "allocation", "", "with -aws: `ID` of the Elastic IP's allocation")
	set.StringVar(&f.named.from, "from", "", "with -aws: `ID` of the instance that holds it")
	set.StringVar(&f.named.to, "to", "", "with -aws: `ID` of the instance that takes it over")
	set.StringVar(&f.named.targetGroup, "target-group", "", "with -aws: `ARN` of the target group whose registration moves too; optional")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	err := f.validate(set)
	return f, err
}

// validate reports every mistake at once.
func (f *flags) validate(set *flag.FlagSet) error {
	var errs []error
	bad := func(name, rule string) { errs = append(errs, &usageError{name, rule}) }
	given := map[string]bool{}
	set.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	if set.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q", set.Arg(0)))
	}
	if f.aws && given["endpoint"] {
		bad("endpoint", "must not be given with -aws")
	}
	if given["endpoint"] && !strings.HasPrefix(f.endpoint, "http://") && !strings.HasPrefix(f.endpoint, "https://") {
		bad("endpoint", "must be a URL that begins with http:// or https://")
	}
	if given["region"] && !f.aws && !given["endpoint"] {
		bad("region", "needs -endpoint or -aws")
	}
	for _, id := range []struct{ flag, value, prefix string }{
		{"allocation", f.named.allocation, "eipalloc-"},
		{"from", f.named.from, "i-"},
		{"to", f.named.to, "i-"},
		{"target-group", f.named.targetGroup, "arn:"},
	} {
		switch {
		case !f.aws && given[id.flag]:
			bad(id.flag, "needs -aws")
		case f.aws && id.value == "" && id.flag != "target-group":
			bad(id.flag, "must be given with -aws")
		case id.value != "" && !strings.HasPrefix(id.value, id.prefix):
			bad(id.flag, fmt.Sprintf("must begin with %q, not be %q", id.prefix, id.value))
		}
	}
	if f.aws && f.named.from != "" && f.named.from == f.named.to {
		bad("to", "must be another instance than -from")
	}
	if f.apply && !f.aws {
		bad("apply", "needs -aws")
	}
	return errors.Join(errs...)
}
