package awstest

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// NoLatency asks for calls that take no time at all. It is meant for
// benchmarks: under testing/synctest a caller that polls without a pause of
// its own, as the SDK's waiters do at their deadline, then spins for ever.
const NoLatency time.Duration = -1

// Options are the settings of a [Cloud]. A zero field means its default.
type Options struct {
	// Regions that exist in this cloud. Default: every region that the
	// package knows. Each costs nothing until it is used.
	Regions []string

	// AccountID is the twelve digits that ARNs and GetCallerIdentity show.
	// Default "123456789012".
	AccountID string

	// Latency of every call to AWS, spent before the call takes effect.
	// Default 1 ms; [NoLatency] for none.
	Latency time.Duration

	// VisibilityLag is how far describes stand behind mutations, in all
	// services. Default 0: reads see everything. For a lag on some calls, or
	// for a while, inject [Stale].
	VisibilityLag time.Duration

	// Seed of everything that is drawn by chance, which is the faults with a
	// probability. Default 1.
	Seed uint64

	// CallLog is how many calls [Cloud.Calls] remembers, with their inputs and
	// outputs; older ones are forgotten, but still counted. Default 10,000.
	CallLog int

	// OnBoot is called whenever a machine has booted, be it launched by your
	// test, by Auto Scaling or again after a loss of power: the place to start
	// what runs on it, see [Instance.Serve] and [Instance.Program]. n counts
	// its boots from 1. What was given to Serve is served again by itself. It
	// must return at once, and may call the cloud.
	OnBoot func(i *Instance, n int)

	// Logger gets a debug line for each call and a warning for each call that
	// is not modelled. Nil is silent.
	Logger *slog.Logger
}

// FieldError is bad input to this package: the field, what was given and the
// rule that it breaks.
type FieldError struct {
	Field string // "Options.Latency"
	Value any
	Rule  string // "must not be negative"
}

// Error names the field, the value and the rule.
func (e *FieldError) Error() string {
	return fmt.Sprintf("awstest: %s: %v %s", e.Field, e.Value, e.Rule)
}

func (o *Options) setDefaults() {
	if o.Regions == nil {
		o.Regions = knownRegionNames()
	}
	if o.AccountID == "" {
		o.AccountID = "123456789012"
	}
	switch o.Latency {
	case 0:
		o.Latency = time.Millisecond
	case NoLatency:
		o.Latency = 0
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.CallLog == 0 {
		o.CallLog = 10_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// validate reports every mistake at once. It runs before the defaults are set.
func (o *Options) validate() error {
	var errs []error
	bad := func(field string, value any, rule string) {
		errs = append(errs, &FieldError{Field: "Options." + field, Value: value, Rule: rule})
	}
	seen := map[string]bool{}
	for i, name := range o.Regions {
		field := fmt.Sprintf("Regions[%d]", i)
		switch {
		case !slices.Contains(knownRegionNames(), name):
			bad(field, fmt.Sprintf("%q", name), fmt.Sprintf("is not one of %v", knownRegionNames()))
		case seen[name]:
			bad(field, fmt.Sprintf("%q", name), "is named twice")
		}
		seen[name] = true
	}
	if o.AccountID != "" && !isAccountID(o.AccountID) {
		bad("AccountID", fmt.Sprintf("%q", o.AccountID), "must be twelve digits")
	}
	if o.Latency < 0 && o.Latency != NoLatency {
		bad("Latency", o.Latency, "must not be negative; NoLatency asks for none")
	}
	if o.VisibilityLag < 0 || o.VisibilityLag > Memory {
		bad("VisibilityLag", o.VisibilityLag, fmt.Sprintf("must be from 0 to Memory (%v)", Memory))
	}
	if o.CallLog < 0 {
		bad("CallLog", o.CallLog, "must not be negative")
	}
	return errors.Join(errs...)
}

func isAccountID(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
