package sqsscale

import (
	"context"
	"log/slog"
	"time"
)

// Limits of lifecycle hooks. A heartbeat starts the timeout of the hook again, but an instance waits for 48 hours or 100 timeouts at most,
// whichever is smaller.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutLifecycleHook.html and
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html (read 2026-11)
const (
	minHookTimeout = 30 * time.Second
	maxHookTimeout = 7200 * time.Second
)

// maxDeregistration is how long an instance can be kept Terminating by its target groups, before its hooks.
//
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html (read 2026-11)
const maxDeregistration = 3600 * time.Second

const (
	defaultProtectAfter   = 10 * time.Second
	defaultUnprotectAfter = time.Minute
	pollMetadata          = 5 * time.Second
	pollAPI               = 15 * time.Second
	maxPoll               = 20 * time.Second // leaves a third of the shortest timeout of a hook for the first heartbeat
)

// ProtectOptions are the options of NewProtector. The zero value of each field means its default.
type ProtectOptions struct {
	// Hook is the name of a lifecycle hook of the group, for the transition autoscaling:EC2_INSTANCE_TERMINATING. Default none: then
	// the instance is protected from being chosen while it is busy, and nothing waits once it has been chosen.
	Hook string
	// HookOnly leaves the protection of the instance alone.
	HookOnly bool
	// Metadata is the metadata service of the instance, such as imds.NewFromConfig(cfg): the cheapest and quickest way to notice a
	// termination. Nil, and while it does not answer: DescribeAutoScalingInstances.
	Metadata MetadataAPI

	// ProtectAfter is how long handlers must have run, without a pause that was seen, for the instance to be protected, and
	// UnprotectAfter how long none must have run for it not to be any more. Together they are the least time between two calls for
	// the same thing. From a second to an hour. Default 10 seconds and a minute.
	ProtectAfter, UnprotectAfter time.Duration
	// PollInterval is the time between two looks for a termination, from a second to 20, scattered by a tenth. Default 5 seconds
	// with Metadata, 15 without.
	PollInterval time.Duration
	// Timeout bounds a call with the SDK's retries inside it. Default 10 seconds.
	Timeout time.Duration
	// FinishTimeout bounds what is left to do after the context of Run and the work have both ended. Default 15 seconds.
	FinishTimeout time.Duration

	// OnEvent is called with each event, by several goroutines, which wait for it. A panic in it is recovered and logged.
	OnEvent func(context.Context, ProtectEvent)
	// Logger gets what fails at Warn, and what happens to the instance at Info. Nil is silent.
	Logger *slog.Logger
}

// complete sets the defaults, and collects the mistakes.
func (o *ProtectOptions) complete(m *mistakes) {
	poll := pollAPI
	if o.Metadata != nil {
		poll = pollMetadata
	}
	orDefault(&o.ProtectAfter, defaultProtectAfter)
	orDefault(&o.UnprotectAfter, defaultUnprotectAfter)
	orDefault(&o.PollInterval, poll)
	orDefault(&o.Timeout, 10*time.Second)
	orDefault(&o.FinishTimeout, 15*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m.require(!o.HookOnly || o.Hook != "", "ProtectOptions.HookOnly", nil, "needs a Hook")
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"ProtectAfter", o.ProtectAfter}, {"UnprotectAfter", o.UnprotectAfter}} {
		m.require(time.Second <= f.d && f.d <= time.Hour, "ProtectOptions."+f.name, f.d, "must be from a second to an hour")
	}
	m.require(time.Second <= o.PollInterval && o.PollInterval <= maxPoll, "ProtectOptions.PollInterval", o.PollInterval, "must be from a second to 20 seconds")
	m.require(o.Timeout > 0, "ProtectOptions.Timeout", o.Timeout, "must be greater than zero")
	m.require(o.FinishTimeout > 0, "ProtectOptions.FinishTimeout", o.FinishTimeout, "must be greater than zero")
}
