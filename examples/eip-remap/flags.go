package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/awsha/awsha/eip"
)

type flags struct {
	json, aws, apply, dryRun bool
	endpoint, region         string
	timeout                  time.Duration
	req                      eip.Request // without an AllocationID it is the story that is asked for
}

// errUsage is matched by every mistake in the flags.
var errUsage = errors.New("wrong usage; -h shows the flags")

func parse(args []string, stderr io.Writer) (f flags, err error) {
	set := flag.NewFlagSet("eip-remap", flag.ContinueOnError)
	set.SetOutput(io.Discard) // main prints what is wrong, without a list of all flags
	set.BoolVar(&f.json, "json", false, "print one JSON object and nothing else")
	set.StringVar(&f.endpoint, "endpoint", "", "work on the emulator at this `URL`; without -allocation on resources made for it")
	set.BoolVar(&f.aws, "aws", false, "work on AWS, with the default credentials")
	set.StringVar(&f.region, "region", "", "`name`; by default the configured one with -aws, and us-east-1 with -endpoint")
	set.BoolVar(&f.apply, "apply", false, "with -aws: really move; without it -aws only checks, as with -dry-run")
	set.BoolVar(&f.dryRun, "dry-run", false, "only check, and say what the move would do")
	set.BoolVar(&f.dryRun, "n", false, "the same as -dry-run")
	set.DurationVar(&f.timeout, "timeout", 2*time.Minute, "of everything together")
	target, expect := &f.req.Target, &f.req.Expect.Association
	set.Func("allocation", "`ID` of the Elastic IP's allocation", id(map[string]*string{"eipalloc": &f.req.AllocationID}))
	set.Func("target", "`ID` of the interface or instance to move it to", id(map[string]*string{"eni": &target.NetworkInterfaceID, "i": &target.InstanceID}))
	set.TextVar(&target.PrivateIP, "private-ip", target.PrivateIP, "`address` of the target; by default the primary one")
	set.Func("expect", "`ID` of the association that may be ended; by default the one that the checks see", id(map[string]*string{"eipassoc": &expect.ID}))
	set.BoolVar(&f.req.Displace, "displace", false, "let another address leave the target")
	set.Func("guard", "`strict|free`: take the address from its expected owner, or only if nobody has it (default strict)", func(s string) error {
		var known bool
		f.req.Guard, known = map[string]eip.Guard{"strict": eip.GuardStrict, "free": eip.GuardFree}[s]
		return unless(known, "must be strict or free")
	})
	if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
		set.SetOutput(stderr)
		fmt.Fprintln(stderr, "Moves an Elastic IP address safely; without -allocation it tells a story about that.")
		set.PrintDefaults()
		fmt.Fprintln(stderr, "Exit status: 0 moved or there already, 1 error, 2 wrong flags, 3 somebody else has the address, or another one the target.")
		return f, err
	} else if err != nil {
		return f, fmt.Errorf("%w: %w", err, errUsage)
	}
	if err := f.validate(set); err != nil {
		return f, fmt.Errorf("%w: %w", err, errUsage)
	}
	return f, nil
}

// id returns what puts an ID where its prefix says.
func id(to map[string]*string) func(string) error {
	return func(s string) error {
		prefix, digits, _ := strings.Cut(s, "-")
		if to[prefix] == nil || digits == "" || strings.Trim(digits, "0123456789abcdef") != "" {
			return errors.New("must be " + strings.Join(slices.Sorted(maps.Keys(to)), "- or ") + "- and hexadecimal digits")
		}
		*to[prefix] = s
		return nil
	}
}

// validate reports every flag that does not go with the others.
func (f *flags) validate(set *flag.FlagSet) error {
	given := map[string]bool{}
	set.Visit(func(fl *flag.Flag) { given[fl.Name] = true })
	named, remote := given["allocation"], f.aws || given["endpoint"]
	errs := []error{
		unless(set.NArg() == 0, "unexpected argument %q", set.Arg(0)),
		unless(!f.aws || !given["endpoint"], "-endpoint: must not be given with -aws"),
		unless(!given["endpoint"] || strings.HasPrefix(f.endpoint, "http://") || strings.HasPrefix(f.endpoint, "https://"), "-endpoint: %q must begin with http:// or https://", f.endpoint),
		unless(!given["region"] || remote, "-region: needs -endpoint or -aws"),
		unless(!f.apply || f.aws && !f.dryRun, "-apply: needs -aws, and no -dry-run"),
		unless(f.timeout > 0, "-timeout: %v must be positive", f.timeout),
		unless(!named || remote, "-allocation: needs -endpoint or -aws"),
		unless(named || !f.aws, "-allocation: must be given with -aws"),
		unless(!named || given["target"], "-target: must be given with -allocation"),
		unless(!given["private-ip"] || f.req.Target.PrivateIP.Is4(), "-private-ip: %v must be an IPv4 address", f.req.Target.PrivateIP),
		unless(!given["expect"] || f.req.Guard == eip.GuardStrict, "-expect: must not be given with -guard free, which ends no association"),
	}
	for _, name := range []string{"target", "private-ip", "expect", "displace", "guard", "dry-run", "n"} {
		errs = append(errs, unless(named || !given[name], "-%s: needs -allocation", name))
	}
	return errors.Join(errs...)
}

func unless(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// configure returns the configuration of AWS, or of an emulator, where any credentials do.
func configure(ctx context.Context, f flags) (aws.Config, error) {
	if f.aws {
		return config.LoadDefaultConfig(ctx, config.WithRegion(f.region))
	}
	return aws.Config{
		Region: cmp.Or(f.region, "us-east-1"), BaseEndpoint: &f.endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}, nil
}
