package rdsmodel

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// Overrides is what a restored instance is to be like, where not like the
// source. Zero means like the source, or the usual.
type Overrides struct {
	ID        string
	Class     string
	ZoneName  string
	MultiAZ   bool
	Retention *int32
	CopyTags  bool
	Protected bool
	Tags      []Tag
}

func (o *Overrides) spec(shape Shape, key string, retention int32) Spec {
	if o.Class != "" {
		shape.Class = o.Class
	}
	if o.Retention != nil {
		retention = *o.Retention
	}
	return Spec{
		Shape: shape, ID: o.ID, ZoneName: o.ZoneName, MultiAZ: o.MultiAZ, Encrypted: key != "", Key: key,
		Retention: retention, CopyTags: o.CopyTags, Protected: o.Protected, Tags: o.Tags,
	}
}

// restore launches an instance that holds what a backup holds.
func (r *Region) restore(tx *awstest.Tx, spec Spec, writes int64) (Instance, error) {
	if !r.unlocks(tx, spec.Key) {
		_, err := r.key(tx, spec.Key)
		return Instance{}, err
	}
	return r.launch(tx, spec, contains(tx.Now(), writes), r.model.opts.Restoring)
}

// RestoreSnapshot makes an instance from a snapshot.
func (r *Region) RestoreSnapshot(tx *awstest.Tx, ref string, o Overrides) (Instance, error) {
	s, err := r.snapshots.Get(tx.Now(), ref)
	switch {
	case err != nil:
		return Instance{}, err
	case s.Status != Available:
		return Instance{}, instanceShelf.wrongState(s.ID, s.Status, "restored")
	}
	return r.restore(tx, o.spec(s.Shape, s.Key, s.Retention), s.Writes)
}

// logInterval is how often transaction logs are uploaded.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html (read 2026-11)
const logInterval = 5 * time.Minute

// Restorable returns the moments between which an instance can be restored as
// of a moment; it is not ok if it cannot be restored to any. An instance that
// is out of reach uploads no logs.
func (i *Instance) Restorable(tx *awstest.Tx, at time.Time) (earliest, latest time.Time, ok bool) {
	if i.Retention == 0 || i.from.IsZero() {
		return earliest, latest, false
	}
	earliest = i.from
	if kept := at.Add(-time.Duration(i.Retention) * day); kept.After(earliest) {
		earliest = kept
	}
	up := at
	if reach := tx.Reachable(i.nodes.primary); !reach.OK && reach.Since.Before(up) {
		up = reach.Since
	}
	if latest = up.Add(-logInterval); latest.Before(earliest) {
		latest = earliest
	}
	return earliest, latest, true
}

// RestorePoint makes an instance that holds what another held at a moment; the
// zero time is the latest that can be had.
func (r *Region) RestorePoint(tx *awstest.Tx, ref string, when time.Time, o Overrides) (Instance, error) {
	i, err := r.Instance(tx.Now(), ref)
	if err != nil {
		return i, err
	}
	if i.Retention == 0 {
		return i, awstest.Errorf("PointInTimeRestoreNotEnabled", "Point in time restore is not enabled for %s: its backup retention period is 0.", i.ID)
	}
	earliest, latest, ok := i.Restorable(tx, tx.Now())
	if when.IsZero() {
		when = latest
	}
	switch {
	case !ok:
		return Instance{}, i.wrongState("be restored: it has no backup yet")
	// AWS documents no code for it.
	case when.After(latest):
		return i, Invalid("The specified instance can not be restored to a time later than %s because its backups are not complete.", latest.Format(time.RFC3339))
	case when.Before(earliest):
		return i, Invalid("The specified instance can not be restored to a time earlier than %s.", earliest.Format(time.RFC3339))
	}
	return r.restore(tx, o.spec(i.Shape, i.Key, i.Retention), i.content.at(when))
}
