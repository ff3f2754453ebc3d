package snapshot

import (
	"context"
	"log/slog"
	"time"
)

// Options configure a [Manager]. Every zero value means the default that its comment names.
type Options struct {
	// Owner is part of the identity of every snapshot, as a tag. A manager reads, copies and deletes only what has its own. Default "awsha".
	Owner string

	// Before is called before a target is taken: to freeze file systems, or to flush a database. What it returns an error for is not
	// taken. Its context ends after HookTimeout, which is when it counts as failed. Calls are concurrent, one for each target.
	Before func(context.Context, Target) error
	// After is called after each Before, whatever came of it, with the error that the target met: to thaw. Nothing comes between the two but Fence and the
	// call that takes the target, since the data are those of the instant at which AWS answers. Its context ends after HookTimeout, and not before
	// when the manager stops.
	After func(context.Context, Target, error)
	// HookTimeout is how long each hook may take. Default 30 s.
	HookTimeout time.Duration

	// Fence is asked right before every call that changes something; an error ends the operation. So one of several managers works at a
	// time: two of them do no harm but for duplicates, which the next Prune removes. Nil is no fence.
	Fence func(context.Context) error

	// Rates are how many calls are made in a second.
	Rates Rates

	// Workers is how many calls that change something each Create, and each Apply in each region, has under way at a time. Copies have slots of their own. Default 8.
	Workers int

	// CopySlots is how many copies to one region are under way at a time. AWS's limit is 20 for an account, all of its tools together, and is not adjustable; what AWS says
	// when it refuses one is taken as the limit from then on. Default 20.
	// Source: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html (read 2026-11)
	CopySlots int

	// RDSCopySlots is the same for snapshots of databases and clusters, from other regions. AWS's limit is 20. Default 20.
	// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html#USER_CopySnapshot.Considerations (read 2026-11)
	RDSCopySlots int

	// VolumeGap is how long after one snapshot of a volume the next is asked for. Default 15 s, which is AWS's limit.
	// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, SnapshotCreationPerVolumeRateExceeded (read 2026-11)
	VolumeGap time.Duration

	// BusyTimeout is how long a target is tried again that AWS refuses because of other snapshots of it that are being made. Default 10 minutes.
	BusyTimeout time.Duration

	// PollInterval is the pause between two looks at what is waited for, at first; it grows by half, to MaxPollInterval. Both are jittered by a fifth. Defaults 15 s and 50 s.
	PollInterval, MaxPollInterval time.Duration

	// ReadLag is for how long reads may not show what has just been made. Default 5 minutes, which AWS advises.
	// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/query-api-troubleshooting.html#eventual-consistency (read 2026-11)
	ReadLag time.Duration

	// CallTimeout bounds each call. Default 30 s.
	CallTimeout time.Duration
	// RetryTimeout is how long a call is repeated that is throttled, or that reads and fails. Default 5 minutes.
	RetryTimeout time.Duration

	// Logger receives every event. Nil is silent.
	Logger *slog.Logger
	// OnEvent is called synchronously with every event, concurrently if there is more than one target, and must return at once. A panic in it is recovered and logged.
	OnEvent func(context.Context, Event)
}

// Rates are how many calls a manager makes in a second in one region. AWS refills the buckets of an account by 5 creates and 5 deletes of
// snapshots in a second, 5 of other calls that change something, 1 CopyImage, and 20 reads; the defaults leave room for others.
// Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html (read 2026-11)
type Rates struct {
	Create    float64 // default 4
	Copy      float64 // default 2
	CopyImage float64 // default 0.8
	Delete    float64 // default 4
	Read      float64 // default 5
	RDS       float64 // of RDS, once for what reads and once for what changes: default 2; AWS publishes no figure
}

func (o *Options) complete(m *mistakes) {
	orDefault(&o.Owner, "awsha")
	orDefault(&o.HookTimeout, 30*time.Second)
	orDefault(&o.Rates.Create, 4)
	orDefault(&o.Rates.Copy, 2)
	orDefault(&o.Rates.CopyImage, 0.8)
	orDefault(&o.Rates.Delete, 4)
	orDefault(&o.Rates.Read, 5)
	orDefault(&o.Rates.RDS, 2)
	orDefault(&o.Workers, 8)
	orDefault(&o.CopySlots, 20)
	orDefault(&o.RDSCopySlots, 20)
	orDefault(&o.VolumeGap, 15*time.Second)
	orDefault(&o.BusyTimeout, 10*time.Minute)
	orDefault(&o.PollInterval, 15*time.Second)
	orDefault(&o.MaxPollInterval, max(50*time.Second, o.PollInterval))
	orDefault(&o.ReadLag, 5*time.Minute)
	orDefault(&o.CallTimeout, 30*time.Second)
	orDefault(&o.RetryTimeout, 5*time.Minute)
	orDefault(&o.Logger, slog.New(slog.DiscardHandler))

	m.require(len([]rune(o.Owner)) <= maxTagValue, "Options.Owner", nil, "must have at most 256 characters")
	for name, d := range map[string]time.Duration{
		"HookTimeout": o.HookTimeout, "VolumeGap": o.VolumeGap, "BusyTimeout": o.BusyTimeout, "PollInterval": o.PollInterval,
		"ReadLag": o.ReadLag, "CallTimeout": o.CallTimeout, "RetryTimeout": o.RetryTimeout,
	} {
		m.require(d > 0, "Options."+name, d, "must be positive")
	}
	m.require(o.MaxPollInterval >= o.PollInterval, "Options.MaxPollInterval", o.MaxPollInterval, "must not be less than PollInterval")
	m.require(o.Workers > 0 && o.Workers <= maxWorkers, "Options.Workers", o.Workers, "must be 1 to 1000")
	m.require(o.CopySlots > 0, "Options.CopySlots", o.CopySlots, "must be positive")
	m.require(o.RDSCopySlots > 0, "Options.RDSCopySlots", o.RDSCopySlots, "must be positive")
	for name, rate := range map[string]float64{
		"Create": o.Rates.Create, "Copy": o.Rates.Copy, "CopyImage": o.Rates.CopyImage, "Delete": o.Rates.Delete, "Read": o.Rates.Read,
		"RDS": o.Rates.RDS,
	} {
		m.require(rate > 0 && rate <= maxRate, "Options.Rates."+name, rate, "must be more than 0, and at most 10000")
	}
}

const maxWorkers, maxRate = 1000, 10_000

func orDefault[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}
