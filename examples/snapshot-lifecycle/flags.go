package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/awsha/awsha/snapshot"
)

// errUsage is matched by every mistake in the flags.
var errUsage = errors.New("wrong usage; -h shows the flags")

// usageError is a flag that is wrong, with the rule that it breaks.
type usageError struct{ Flag, Rule string }

func (e *usageError) Error() string { return "-" + e.Flag + ": " + e.Rule }
func (e *usageError) Unwrap() error { return errUsage }

// flags of the program.
type flags struct {
	json     bool
	html     string
	volumes  int
	days     int
	faults   bool
	policy   *snapshot.Policy
	aws      bool
	endpoint string
	apply    bool
}

func parse(args []string, stderr io.Writer) (*flags, error) {
	f := &flags{}
	var file string
	var dryRun bool
	set := flag.NewFlagSet("snapshot-lifecycle", flag.ContinueOnError)
	set.SetOutput(io.Discard) // main prints the error, once
	set.Usage = func() {}
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.StringVar(&f.html, "html", "", "write a calendar of what is kept to this `file`")
	set.IntVar(&f.volumes, "volumes", 0, "run one slot of so many `volumes`, four on an instance, instead of two years")
	set.IntVar(&f.days, "days", 730, "how many `days` to run")
	set.BoolVar(&f.faults, "faults", true, "let calls fail, a region be down for a night and the program for a week")
	set.StringVar(&file, "policy", "", "JSON `file` with the policy (default that of the story)")
	set.BoolVar(&f.aws, "aws", false, "look at the policy on AWS, with the default credentials")
	set.StringVar(&f.endpoint, "endpoint", "", "look at the policy on the emulator at this `URL`")
	set.BoolVar(&dryRun, "dry-run", true, "with -aws or -endpoint: print what would be done, and do nothing")
	set.BoolVar(&f.apply, "apply", false, "with -aws or -endpoint: run the newest slot of the schedule")
	if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
		set.SetOutput(stderr)
		fmt.Fprintln(stderr, "Usage of snapshot-lifecycle:")
		set.PrintDefaults()
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%w: %w", err, errUsage)
	}
	given := map[string]bool{}
	set.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	var errs []error
	bad := func(wrong bool, name, rule string) {
		if wrong {
			errs = append(errs, &usageError{name, rule})
		}
	}
	elsewhere := f.aws || given["endpoint"]
	if set.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unexpected argument %q: %w", set.Arg(0), errUsage))
	}
	bad(given["volumes"] && (f.volumes < 4 || f.volumes > 4000 || f.volumes%4 != 0), "volumes", "must be a multiple of 4, from 4 to 4000")
	bad(f.days < 1 || f.days > 3660, "days", "must be from 1 to 3660")
	bad(given["days"] && given["volumes"], "days", "must not be given with -volumes")
	bad(f.aws && given["endpoint"], "endpoint", "must not be given with -aws")
	bad(given["endpoint"] && !validURL(f.endpoint), "endpoint", "must be a URL that begins with http:// or https://")
	bad(elsewhere && file == "", "policy", "must be given with -aws and -endpoint")
	bad(given["apply"] && !elsewhere, "apply", "needs -aws or -endpoint")
	bad(given["dry-run"] && !elsewhere, "dry-run", "needs -aws or -endpoint")
	bad(f.apply && given["dry-run"] && dryRun, "apply", "must not be given with -dry-run")
	bad(!dryRun && !f.apply, "dry-run", "is off only with -apply")
	for _, name := range []string{"volumes", "days", "faults", "html"} {
		bad(elsewhere && given[name], name, "must not be given with -aws and -endpoint")
	}
	bad(given["html"] && f.volumes > 0, "html", "must not be given with -volumes")
	policy := policyOfStory
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("-policy: %w: %w", err, errUsage))
		}
		policy = data
	}
	if len(errs) == 0 {
		var err error
		if f.policy, err = snapshot.ParsePolicy(policy); err != nil {
			errs = append(errs, fmt.Errorf("-policy: %w: %w", err, errUsage))
		} else if !elsewhere {
			f.checkStory(bad)
		}
	}
	return f, errors.Join(errs...)
}

// checkStory refuses policies that nothing of the story can be for: its resources are made to have their tags.
func (f *flags) checkStory(bad func(wrong bool, name, rule string)) {
	t := &f.policy.Targets
	for _, s := range []*snapshot.Selector{&t.Volumes, &t.Instances, &t.Images} {
		bad(len(s.IDs) > 0, "policy", "must select by tags, and not by IDs, but with -aws and -endpoint")
	}
	bad(!t.Databases.IsZero() || !t.Clusters.IsZero(), "policy", "must be without databases and clusters, but with -aws and -endpoint")
	bad(f.policy.Schedule.IsZero(), "policy", "must have a schedule, but with -aws and -endpoint")
	bad(f.volumes > 0 && len(t.Instances.Tags) == 0, "policy", "must select instances for -volumes")
}

func validURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
