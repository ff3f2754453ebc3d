package failover

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// leaseGroup is the group of a Store in which leases are.
const leaseGroup = "lease"

// StoreLocker is a [Locker] on a [Store]. It is safe for concurrent use; make one with [NewLocker].
//
// A lease is an entry that its holder writes anew every RenewInterval. Nobody compares clocks: a rival waits until it has seen the same
// version for the TTL that the entry names, by its own monotonic clock; the holder stops a Margin before its own TTL, counted from
// the moment it sent the last renewal of which it knows that it succeeded. So jumps of wall clocks do nothing, and clocks may run
// faster or slower by Margin/TTL, which is a third by default. A reply that does not say what happened is settled by reading.
//
// The token counts the grants of the name and never starts again: a lease that is given back leaves its entry.
//
// Cost: an Acquire of a free lease reads once and writes once; one that waits reads once per RetryInterval; a holder writes once per
// RenewInterval; Release writes once.
type StoreLocker struct {
	store Store
	opts  LockerOptions
}

// LockerOptions are the clock of leases: when the holder renews, when it stops and when a rival may take over. All that
// compete for a name should have the same. Every zero value means the default that its comment names.
type LockerOptions struct {
	// TTL is how long a rival waits after the last renewal. Default 15 s.
	TTL time.Duration

	// Margin is how long before that the holder stops, counted from the moment it sent its last successful renewal.
	// It must exceed the longest time that a request may be under way after its fence was checked. Default 5 s.
	Margin time.Duration

	// RenewInterval is the time between renewals. One may take half of it, and is repeated half of it after it brought no
	// answer. TTL must exceed Margin by more than RenewInterval; by three times as much, to outlive a lost renewal. Default 3 s.
	RenewInterval time.Duration

	// RetryInterval is the time between looks at a lease that somebody else has, less up to 10 % of jitter. Default 2 s.
	RetryInterval time.Duration

	// Epoch is the number of the store, and the 16 highest bits of every token. When the leases move to another store, everybody who uses the
	// new one gets a higher epoch, so that its tokens are newer than all of the old one. See [StoreLocker.Retire].
	Epoch uint16

	// Logger hears of stores that do not answer. Nil is silent.
	Logger *slog.Logger
}

// NewLocker returns a locker whose leases are in store. It does no I/O and reports every mistake at once, each as a [*FieldError].
func NewLocker(store Store, optFns ...func(*LockerOptions)) (*StoreLocker, error) {
	var o LockerOptions
	for _, fn := range optFns {
		fn(&o)
	}
	err := o.complete()
	if store == nil {
		err = errors.Join(&FieldError{"store", store, "must not be nil"}, err)
	}
	if err != nil {
		return nil, err
	}
	return &StoreLocker{store, o}, nil
}

func (o *LockerOptions) complete() error {
	var errs []error
	notNegative(&errs, "LockerOptions.TTL", o.TTL)
	notNegative(&errs, "LockerOptions.Margin", o.Margin)
	notNegative(&errs, "LockerOptions.RenewInterval", o.RenewInterval)
	notNegative(&errs, "LockerOptions.RetryInterval", o.RetryInterval)
	orDefault(&o.TTL, 15*time.Second)
	orDefault(&o.Margin, 5*time.Second)
	orDefault(&o.RenewInterval, 3*time.Second)
	orDefault(&o.RetryInterval, 2*time.Second)
	if len(errs) == 0 && o.TTL-o.Margin <= o.RenewInterval {
		errs = append(errs, &FieldError{"LockerOptions.TTL", o.TTL,
			"must exceed Margin + RenewInterval, which is " + (o.Margin + o.RenewInterval).String()})
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return errors.Join(errs...)
}

// leaseRow is the value of a lease's entry.
type leaseRow struct {
	V        int           `json:"v"`
	Token    uint64        `json:"token"`
	Grant    string        `json:"grant"` // unique to one Acquire: by it a caller whose reply was lost knows its own
	Renewals uint64        `json:"renewals"`
	Holder   string        `json:"holder,omitempty"`
	TTL      time.Duration `json:"ttl_ns"`
	Free     bool          `json:"free,omitempty"`
	Retired  bool          `json:"retired,omitempty"`
	Written  time.Time     `json:"written"` // wall clock of the holder: for people
}

const (
	leaseVersion = 1
	epochShift   = 48
)

func (r *leaseRow) epoch() uint16 { return uint16(r.Token >> epochShift) }

// put writes the row over what is there, with a value that no other write of the name has.
func (r leaseRow) put(ctx context.Context, store Store, name string, over Version) (Entry, error) {
	r.V, r.Written = leaseVersion, time.Now().UTC()
	value, err := json.Marshal(r)
	if err != nil {
		return Entry{}, Permanent(err)
	}
	return put(ctx, store, leaseGroup, name, value, over)
}

func parseLease(name string, e Entry) (leaseRow, error) {
	var r leaseRow
	if e.Version == "" {
		return r, nil
	}
	if err := json.Unmarshal(e.Value, &r); err != nil || r.V < 1 {
		return r, Permanent(fmt.Errorf("the entry of lease %s is no lease: %w", name, errors.Join(err, fmt.Errorf("version %d", r.V))))
	}
	if r.V > leaseVersion {
		return r, Permanent(fmt.Errorf("the entry of lease %s is of version %d: %w", name, r.V, ErrNewer))
	}
	return r, nil
}

// Acquire implements [Locker]. Errors of the store are logged and outwaited; with the cause of ctx comes the last of them, or the name of
// the holder. What waiting does not mend is returned at once: [ErrRetired], and an entry that is no lease or one of a newer version of this
// package ([ErrNewer]).
func (l *StoreLocker) Acquire(ctx context.Context, name string, o LeaseOptions) (Lease, error) {
	if name == "" {
		return nil, &FieldError{"name", name, "must not be empty"}
	}
	a := acquisition{locker: l, name: name, want: o, grant: rand.Text()}
	for {
		lease, pause, err := a.try(ctx)
		if lease != nil {
			return lease, nil
		}
		if errors.As(err, new(*backoff.PermanentError)) {
			return nil, fmt.Errorf("lease %s: %w", name, err)
		}
		if cause := sleep(ctx, pause); cause != nil {
			return nil, fmt.Errorf("lease %s: %w", name, a.why(cause, err))
		}
		if err != nil {
			l.opts.Logger.WarnContext(ctx, "failover: lease store does not answer", "lease", name, "error", err)
		}
	}
}

// Retire waits for the lease of a name, and leaves an entry that lets nobody acquire it any more whose epoch is not higher: for the day on which leases
// move to another store while the old one still works. Where it does not, only the epoch protects: every locker must have the higher one.
func (l *StoreLocker) Retire(ctx context.Context, name string, o LeaseOptions) error {
	lease, err := l.Acquire(ctx, name, o)
	if err != nil {
		return err
	}
	return lease.(*heldLease).end(ctx, func(row *leaseRow) { row.Free, row.Retired = true, true })
}

// acquisition is one call of Acquire.
type acquisition struct {
	locker *StoreLocker
	name   string
	want   LeaseOptions
	grant  string

	rival leaseRow  // as last seen
	seen  Version   // of the rival's entry
	since time.Time // when it was first seen
}

func (a *acquisition) why(cause, err error) error {
	switch {
	case err != nil && !errors.Is(err, cause):
		return fmt.Errorf("%w: %w", cause, err)
	case a.seen != "" && !a.rival.Free:
		return fmt.Errorf("held by %q: %w", a.rival.Holder, cause)
	default:
		return cause
	}
}

// try looks once, and takes the lease if it may. Else it says when to look again.
func (a *acquisition) try(ctx context.Context) (lease Lease, pause time.Duration, err error) {
	pause = time.Duration(float64(a.locker.opts.RetryInterval) * (1 - 0.1*mathrand.Float64()))
	entry, row, err := a.look(ctx)
	if err != nil {
		return nil, pause, err
	}
	if epoch := a.locker.opts.Epoch; row.epoch() > epoch || row.Retired && row.epoch() == epoch {
		return nil, pause, Permanent(fmt.Errorf("%w by %q: it is of epoch %d, and this locker of %d", ErrRetired, row.Holder, row.epoch(), epoch))
	}
	if a.since.IsZero() || entry.Version != a.seen {
		a.rival, a.seen, a.since = row, entry.Version, time.Now() // after the reply: it was written before that
	}
	left := row.TTL - time.Since(a.since)
	// A grant of our own is an earlier write of ours, whose reply was lost.
	if free := entry.Version == "" || row.Free || row.Grant == a.grant || left <= 0; !free && !a.dead(ctx) {
		return nil, min(pause, left), nil
	}
	switch held, err := a.take(ctx, entry.Version); {
	case err == nil:
		return held, 0, nil
	case errors.Is(err, ErrChanged): // somebody was faster, or an earlier write of ours came late: look again
		return nil, 0, nil
	default:
		return nil, pause, err
	}
}

func (a *acquisition) look(ctx context.Context) (Entry, leaseRow, error) {
	ctx, cancel := context.WithTimeout(ctx, a.locker.opts.RenewInterval)
	defer cancel()
	entry, err := a.locker.store.Get(ctx, leaseGroup, a.name)
	if err != nil {
		return entry, leaseRow{}, err
	}
	row, err := parseLease(a.name, entry)
	return entry, row, err
}

// dead asks the caller for a proof that the holder makes no effects any more.
func (a *acquisition) dead(ctx context.Context) bool {
	if a.want.Dead == nil {
		return false
	}
	proven := false
	if err := guard(func() error {
		proven = a.want.Dead(ctx, LeaseHolder{Name: a.rival.Holder, Token: a.rival.Token, Unchanged: time.Since(a.since)})
		return nil
	}); err != nil {
		a.locker.opts.Logger.ErrorContext(ctx, "failover: LeaseOptions.Dead panicked", "lease", a.name, "error", err)
		return false
	}
	return proven
}

// take writes the grant over what has been seen, and over nothing else.
func (a *acquisition) take(values context.Context, over Version) (*heldLease, error) {
	ctx, cancel := context.WithTimeout(values, a.locker.opts.RenewInterval)
	defer cancel()
	row := leaseRow{
		Token: a.rival.Token&(1<<epochShift-1) + 1 | uint64(a.locker.opts.Epoch)<<epochShift,
		Grant: a.grant, Holder: a.want.Holder, TTL: a.locker.opts.TTL,
	}
	sent := time.Now()
	entry, err := row.put(ctx, a.locker.store, a.name, over)
	if err != nil {
		return nil, err
	}
	return a.locker.hold(values, a.name, row, entry.Version, sent), nil
}
