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

// stall is what holds up the I/O of a volume, and since when.
type stall struct {
	count int
	reach awstest.Reachability
}

// Stall holds up the I/O of a volume until the function that it returns is called.
func (r *Region) Stall(tx *awstest.Tx, volume string) (end func(*awstest.Tx)) {
	s := r.stalls[volume]
	if s == nil {
		s = &stall{reach: awstest.Reachability{OK: true}}
		r.stalls[volume] = s
	}
	turn := func(tx *awstest.Tx, by int) {
		s.count += by
		if ok := s.count == 0; ok != s.reach.OK {
			s.reach = awstest.Reachability{OK: ok, Since: tx.Now(), Before: tx.Now().Sub(s.reach.Since)}
		}
	}
	turn(tx, 1)
	ended := false
	return func(tx *awstest.Tx) {
		if !ended {
			ended = true
			turn(tx, -1)
		}
	}
}

// EBSStatus returns the result of the check of the volumes of an instance: whether their I/O gets through, which a dead zone and a stall prevent. It looks
// at them as [Region.Status] looks at machines, from the attachment of a volume and from the start of the instance on.
func (r *Region) EBSStatus(tx *awstest.Tx, i Instance) Status {
	delay := r.model.opts.StatusCheck
	switch {
	case i.State != Running:
		return StatusNotApplicable
	case tx.Now().Sub(i.BootedAt) < delay:
		return StatusInitializing
	case seenFrom(tx, tx.ZoneReachable(i.Zone), i.BootedAt, delay):
		return StatusImpaired
	}
	for _, v := range r.AttachedVolumes(tx.Now(), i) {
		from := i.BootedAt
		if v.Attachment.Since.After(from) {
			from = v.Attachment.Since
		}
		if s := r.stalls[v.ID]; s != nil && seenFrom(tx, s.reach, from, delay) {
			return StatusImpaired
		}
	}
	return StatusOK
}

// seenFrom is seen by a check that has looked since then.
func seenFrom(tx *awstest.Tx, reach awstest.Reachability, from time.Time, delay time.Duration) bool {
	if late := from.Sub(reach.Since); late > 0 {
		if reach.OK {
			return false
		}
		reach.Since = from
	} else if reach.OK {
		reach.Before = min(reach.Before, reach.Since.Sub(from))
	}
	return seen(tx, reach, delay)
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
