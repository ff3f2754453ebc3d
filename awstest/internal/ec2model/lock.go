package ec2model

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// Lock keeps a snapshot from being deleted; the zero value does not.
type Lock struct {
	Compliance   bool // else in governance mode
	Days         int32
	CreatedAt    time.Time
	StartedAt    time.Time // of the period
	ExpiresAt    time.Time
	CoolOff      int32     // in hours
	CoolOffUntil time.Time // zero if there is none
}

// The states of a lock, by EC2's names.
const (
	LockGovernance = "governance"
	LockCoolingOff = "compliance-cooloff"
	LockCompliance = "compliance"
	LockExpired    = "expired"
)

// State returns the state of a lock as of a moment; empty if there is none.
func (l *Lock) State(at time.Time) string {
	switch {
	case l.CreatedAt.IsZero():
		return ""
	case !at.Before(l.ExpiresAt):
		return LockExpired
	case !l.Compliance:
		return LockGovernance
	case at.Before(l.CoolOffUntil):
		return LockCoolingOff
	}
	return LockCompliance
}

// Holds tells whether a lock keeps the snapshot from being deleted.
func (l *Lock) Holds(at time.Time) bool {
	state := l.State(at)
	return state != "" && state != LockExpired
}

// LockSnapshot locks a snapshot, or changes its lock. What a lock in compliance mode does not allow is refused; AWS documents no code for it.
func (r *Region) LockSnapshot(tx *awstest.Tx, id string, lock Lock) (Snapshot, error) {
	s, err := r.Snapshot(tx.Now(), id)
	if err != nil {
		return Snapshot{}, err
	}
	if s.Owner != "" {
		return Snapshot{}, denied()
	}
	if s.State == SnapshotError {
		return Snapshot{}, awstest.Errorf("IncorrectState", "The snapshot '%s' is in the '%s' state.", id, s.State)
	}
	if s.Lock.State(tx.Now()) == LockCompliance && (!lock.Compliance || lock.CoolOff > 0 || lock.ExpiresAt.Before(s.Lock.ExpiresAt)) {
		return Snapshot{}, notPermitted(id, "is locked in compliance mode: its lock can only be made longer")
	}
	lock.CreatedAt, lock.StartedAt = tx.Now(), tx.Now()
	if s.Lock.Holds(tx.Now()) {
		lock.CreatedAt = s.Lock.CreatedAt
	}
	if lock.CoolOff > 0 {
		lock.CoolOffUntil = tx.Now().Add(time.Duration(lock.CoolOff) * time.Hour)
	}
	return change(tx, r.snapshots, id, func(s *Snapshot) { s.Lock = lock }), nil
}

// UnlockSnapshot takes the lock of a snapshot away.
func (r *Region) UnlockSnapshot(tx *awstest.Tx, id string) error {
	s, err := r.Snapshot(tx.Now(), id)
	switch {
	case err != nil:
		return err
	case s.Lock.State(tx.Now()) == LockCompliance:
		return notPermitted(id, "is locked in compliance mode")
	}
	change(tx, r.snapshots, id, func(s *Snapshot) { s.Lock = Lock{} })
	return nil
}

func notPermitted(id, why string) error {
	return awstest.Errorf("OperationNotPermitted", "'%s' %s.", id, why)
}
