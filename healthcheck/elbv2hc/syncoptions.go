package elbv2hc

import (
	"context"
	"log/slog"
	"time"

	"github.com/awsha/awsha/healthcheck"
)

const (
	// AWS documents no limit of targets for each call. Large calls are known to be rejected now and then, which is why
	// Kubernetes went from one call to chunks of 100.
	// Source: https://github.com/kubernetes/kubernetes/pull/101592 (read 2026-11)
	defaultChunk = 100

	defaultMaxRemove = 50
)

// SyncOptions configure a [Syncer]. The zero value of each field means its default.
type SyncOptions struct {
	// Port stands in for that of wanted targets which have none: the port of the group, as [Group.Port] has it. Zero refuses
	// such targets.
	Port uint16

	// Owns says which registrations are the Syncer's to deregister; others are left alone, also if they are not wanted. It is
	// called with what is registered. Default: all of them.
	Owns func(Target) bool

	// MaxRemovePercent is how many of the registered targets one Sync may deregister, from 1 to 100, rounded down; those that
	// are stopped or terminated do not count, neither here nor there. One target is always allowed. A Sync that would
	// deregister more is refused as a whole, with [ErrTooMany]. Default 50.
	MaxRemovePercent int

	// AllowEmpty allows a Sync to deregister the last targets of the group.
	AllowEmpty bool

	// InService makes a Sync that deregisters wait before that, for so long, until the new targets are healthy: those that it
	// registers, those that earlier Syncs of this Syncer have registered and no read has shown as healthy since, and wanted
	// ones that are initial; see [WaitInService]. If they are not by then, nothing is deregistered, nor by the next Sync,
	// which waits again. Zero does not wait.
	InService time.Duration

	// ChunkSize is how many targets one call registers or deregisters. Default 100.
	ChunkSize int

	// CallTimeout bounds each call, with the retries of the SDK inside it. Default 10 s.
	CallTimeout time.Duration

	// RetryTimeout is how long one call is tried again while it is throttled or fails. Default 1 minute.
	RetryTimeout time.Duration

	// RegistrationLag is for how long the Syncer's own changes are believed against reads, which may show the past. Default
	// 30 s; None believes reads.
	RegistrationLag time.Duration

	// DryRun makes Sync read and say what it would do.
	DryRun bool

	// TargetOf says, for Run, which registration a target of the pool is. Default TargetOf.
	TargetOf func(healthcheck.Target) Target

	// Settle is how long Run waits after a change of the pool for the next one, at most ten times in a row, so that targets which
	// come one by one go into one call. Default 1 s; None does not wait.
	Settle time.Duration

	// Resync is how long Run leaves the group alone while the pool does not change, with 10 % of jitter; then it looks
	// whether somebody else has changed it. At least 1 ms. Default 5 minutes.
	Resync time.Duration

	// OnSync is called by Run after each Sync. It must return at once: Run waits for it. A panic in it is logged.
	OnSync func(context.Context, SyncEvent)

	// Logger gets what Run changes at Info, what fails at Warn, and a panic in OnSync at Error. Its handler must not panic. Nil is silent.
	Logger *slog.Logger
}

func syncOptions(optFns []func(*SyncOptions)) (SyncOptions, []error) {
	var o SyncOptions
	for _, fn := range optFns {
		fn(&o)
	}
	var errs []error
	number := func(field string, n *int, def, most int, rule string) {
		switch {
		case *n == 0:
			*n = def
		case *n < 0 || *n > most:
			errs = append(errs, &FieldError{field, *n, rule})
		}
	}
	number("SyncOptions.MaxRemovePercent", &o.MaxRemovePercent, defaultMaxRemove, 100, "must be from 1 to 100")
	number("SyncOptions.ChunkSize", &o.ChunkSize, defaultChunk, 1000, "must be from 1 to 1000")
	duration(&errs, "SyncOptions.InService", &o.InService, 0)
	duration(&errs, "SyncOptions.CallTimeout", &o.CallTimeout, 10*time.Second)
	duration(&errs, "SyncOptions.RetryTimeout", &o.RetryTimeout, time.Minute)
	optional(&errs, "SyncOptions.RegistrationLag", &o.RegistrationLag, 30*time.Second)
	optional(&errs, "SyncOptions.Settle", &o.Settle, time.Second)
	duration(&errs, "SyncOptions.Resync", &o.Resync, 5*time.Minute)
	atLeastTick(&errs, "SyncOptions.Resync", o.Resync)
	if o.Owns == nil {
		o.Owns = func(Target) bool { return true }
	}
	if o.TargetOf == nil {
		o.TargetOf = TargetOf
	}
	if o.OnSync == nil {
		o.OnSync = func(context.Context, SyncEvent) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, errs
}
