package rdssvc

import (
	"errors"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

// Options are the durations of RDS. A zero field means its default;
// [Immediately] asks for none. AWS promises none of them, and documents only
// that of a failover; the others are typical of small databases.
type Options struct {
	// Creating is from the creation of a DB instance, or of a read replica,
	// until it is available. Default 5 minutes.
	Creating time.Duration

	// Restoring is the same of an instance that is restored. Default 10
	// minutes.
	Restoring time.Duration

	// BackingUp is how long a snapshot takes. Default 2 minutes.
	BackingUp time.Duration

	// Copying is how long a copy of a snapshot takes. Default 10 minutes.
	Copying time.Duration

	// CopyPending is how long a copy from another region waits, besides,
	// before it starts. Default 30 s.
	CopyPending time.Duration

	// Modifying is how long a modification takes that is more than a setting.
	// Default 3 minutes.
	Modifying time.Duration

	// Rebooting is how long a reboot without failover takes. Default 30 s.
	Rebooting time.Duration

	// Deleting is from the deletion of an instance until it is gone; a final
	// snapshot comes on top. Default 2 minutes.
	Deleting time.Duration

	// Failover is from the loss of the primary until the endpoint leads to
	// the standby. Default 90 s; AWS names 60 to 120 s.
	Failover time.Duration

	// Lag is how far a read replica is behind its source. Default 1 s.
	Lag time.Duration

	// Promoting is how long a promotion takes before the reboot at its end.
	// Default 5 minutes.
	Promoting time.Duration
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// apply checks the options and hands them to the model. It reports every
// mistake at once.
func (o *Options) apply(to *rdsmodel.Options) error {
	var errs []error
	set := func(field string, d time.Duration, to *time.Duration) {
		switch {
		case d == Immediately:
			*to = 0
		case d < 0:
			errs = append(errs, &awstest.FieldError{Field: "rdssvc.Options." + field, Value: d, Rule: "must not be negative; Immediately asks for none"})
		case d > 0:
			*to = d
		}
	}
	set("Creating", o.Creating, &to.Creating)
	set("Restoring", o.Restoring, &to.Restoring)
	set("BackingUp", o.BackingUp, &to.BackingUp)
	set("Copying", o.Copying, &to.Copying)
	set("CopyPending", o.CopyPending, &to.CopyPending)
	set("Modifying", o.Modifying, &to.Modifying)
	set("Rebooting", o.Rebooting, &to.Rebooting)
	set("Deleting", o.Deleting, &to.Deleting)
	set("Failover", o.Failover, &to.Failover)
	set("Lag", o.Lag, &to.Lag)
	set("Promoting", o.Promoting, &to.Promoting)
	return errors.Join(errs...)
}
