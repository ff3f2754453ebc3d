package ec2model

import "github.com/awsha/awsha/awstest"

// Status is what a status check says.
type Status string

// The results of status checks.
const (
	StatusOK            Status = "ok"
	StatusImpaired      Status = "impaired"
	StatusInitializing  Status = "initializing"
	StatusNotApplicable Status = "not-applicable"
)

// Status returns the results of the system check and of the instance check.
// They look at how long the machine has been as it is: a failure shows after
// the time that a check takes, and goes on showing for that time after its
// end. One that was shorter never shows.
func (r *Region) Status(tx *awstest.Tx, i Instance) (system, instance Status) {
	if i.State != Running {
		return StatusNotApplicable, StatusNotApplicable
	}
	reach := tx.Reachable(i.Machine)
	delay := r.model.opts.StatusCheck
	settled := tx.Now().Sub(reach.Since) >= delay
	switch {
	case reach.OK && tx.Now().Sub(i.BootedAt) < delay:
		return StatusInitializing, StatusInitializing
	case reach.OK && (settled || reach.Before < delay):
		return StatusOK, StatusOK
	case reach.OK:
		return StatusImpaired, StatusImpaired // not yet seen to have come back
	case !settled:
		return StatusOK, StatusOK // not yet seen to have failed
	case tx.Down(i.Zone):
		return StatusImpaired, StatusImpaired
	}
	return StatusOK, StatusImpaired
}
