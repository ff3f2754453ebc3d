package ec2model

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// Status is what a status check says.
type Status string

// The results of status checks.
const (
	StatusOK            Status = "ok"
	StatusImpaired      Status = "impaired"
	StatusInitializing  Status = "initializing"
	StatusNotApplicable Status = "not-applicable"

	StatusInsufficientData Status = "insufficient-data" // of volumes
)

// Status returns the results of the system check, which looks at the zone, and
// of the instance check, which looks at the machine. They look at how long it
// has been as it is: a failure shows after the time that a check takes, and
// goes on showing for that time after its end. One that was shorter never shows.
func (r *Region) Status(tx *awstest.Tx, i Instance) (system, instance Status) {
	if i.State != Running {
		return StatusNotApplicable, StatusNotApplicable
	}
	machine, zone := tx.Reachable(i.Machine), tx.ZoneReachable(i.Zone)
	delay := r.model.opts.StatusCheck
	if !machine.OK && machine.Since.Before(i.BootedAt) {
		machine.Since = i.BootedAt // before that nobody looked
	}
	failed := seen(tx, machine, delay)
	switch {
	case tx.Now().Sub(i.BootedAt) < delay, !machine.OK && !failed && machine.Since.Sub(i.BootedAt) < delay:
		return StatusInitializing, StatusInitializing // no check has passed yet
	case !failed:
		return StatusOK, StatusOK
	case seen(tx, zone, delay):
		return StatusImpaired, StatusImpaired
	}
	return StatusOK, StatusImpaired
}

// seen tells whether a check says that something has failed: it has been so
// for the time that a check takes, or has not been mended for that time.
func seen(tx *awstest.Tx, reach awstest.Reachability, delay time.Duration) bool {
	settled := tx.Now().Sub(reach.Since) >= delay
	if reach.OK {
		return !settled && reach.Before >= delay
	}
	return settled
}

// VolumeStatus returns the result of the checks of a volume. They look at its
// zone, in the way of those of instances. AWS does not say when they have
// data of a new volume; here it is after the time that a check takes.
func (r *Region) VolumeStatus(tx *awstest.Tx, v Volume) Status {
	delay := r.model.opts.VolumeCheck
	switch {
	case tx.Now().Sub(v.CreatedAt) < delay: // what ails the zone was before it
		return StatusInsufficientData
	case seen(tx, tx.ZoneReachable(v.Zone), delay):
		return StatusImpaired
	}
	return StatusOK
}
