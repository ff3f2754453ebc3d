package rdsmodel

import (
	"time"

	"github.com/awsha/awsha/awstest"
)

// The types of snapshots.
const (
	Manual    = "manual"
	Automated = "automated"
)

// Snapshot is a DB snapshot.
type Snapshot struct {
	Shape
	ID, ARN         string
	Instance        string // identifier of the instance that it was made of
	InstanceARN     string
	ResourceID      string // of that instance
	Zone            *awstest.Zone
	InstanceCreated time.Time
	Retention       int32
	Type            string
	Status          Status
	Key             string    // ARN; empty if it is not encrypted
	Created         time.Time // zero until it is there
	Original        time.Time // of the first of a line of copies
	Source          string    // ARN, of a copy
	SourceRegion    string    // of a copy from another region
	Tags            []Tag
	Writes          int64 // what it holds

	began, ends time.Time
	turn        int // tells it from another of its name
}

// Percent is how far a snapshot has come as of a moment.
func (s *Snapshot) Percent(at time.Time) int32 {
	switch {
	case s.Status == Available:
		return 100
	case s.Status != Creating || !at.After(s.began) || !s.ends.After(s.began):
		return 0
	}
	return min(99, int32(100*at.Sub(s.began)/s.ends.Sub(s.began)))
}

// Snapshots are those of the instances of the region.
func (r *Region) Snapshots() *Shelf { return r.snapshots }

// CreateSnapshot makes a manual snapshot of an instance. It holds what the
// instance holds now.
func (r *Region) CreateSnapshot(tx *awstest.Tx, id, instance string, tags []Tag) (Snapshot, error) {
	i, err := r.Instance(tx.Now(), instance)
	if err != nil {
		return Snapshot{}, err
	}
	if err := r.snapshots.checkNew(tx, id); err != nil {
		return Snapshot{}, err
	}
	if i.Cluster != "" { // AWS documents no code for it
		return Snapshot{}, Invalid("The instance %s is a member of a cluster, of which CreateDBClusterSnapshot makes snapshots.", i.ID)
	}
	if i.Status != Available {
		return Snapshot{}, awstest.Errorf("InvalidDBInstanceState", "Cannot create a snapshot because the database instance %s is not currently in the available state.", i.ID)
	}
	if tags, err = merge(i.snapshotTags(), tags); err != nil {
		return Snapshot{}, err
	}
	return r.backUp(tx, i, id, Manual, tags), nil
}

// snapshotTags are the tags that an instance gives its snapshots.
func (i *Instance) snapshotTags() []Tag {
	if i.CopyTags {
		return i.Tags
	}
	return nil
}

// backUp makes a snapshot of an instance that is backing up meanwhile.
func (r *Region) backUp(tx *awstest.Tx, i Instance, id, kind string, tags []Tag) Snapshot {
	s := r.snapshot(tx, i, id, kind, tags)
	i = r.turn(tx, i.ID, func(i *Instance) { i.Status = BackingUp })
	r.later(tx, i, r.model.opts.BackingUp, r.settle)
	return s
}

// snapshot makes a snapshot of what an instance holds now.
func (r *Region) snapshot(tx *awstest.Tx, i Instance, id, kind string, tags []Tag) Snapshot {
	if kind == Manual {
		id = r.identifier(instanceShelf.resource, id)
	}
	s := Snapshot{
		Shape: i.Shape, ID: id, ARN: r.arn(instanceShelf.resource, id), Instance: i.ID, InstanceARN: i.ARN, ResourceID: i.ResourceID, Zone: i.Zone,
		InstanceCreated: i.Created, Retention: i.Retention, Type: kind, Status: Creating, Key: i.Key, Tags: tags,
		Writes: i.content.at(tx.Now()), Original: tx.Now(),
	}
	var zone *awstest.Zone
	if !i.MultiAZ { // else the standby is backed up
		zone = i.Zone
	}
	return r.snapshots.fill(tx, s, zone, r.model.opts.BackingUp, func(tx *awstest.Tx, s Snapshot) bool { return r.unlocks(tx, s.Key) })
}

// beginBackups makes the first automated snapshot of an instance, and from
// then on one each day.
func (r *Region) beginBackups(tx *awstest.Tx, i Instance) {
	from := tx.Now()
	r.change(tx, i.ID, func(i *Instance) { i.from = from })
	r.daily(tx, i.ID, from)
}

// day is from one automated snapshot to the next.
const day = 24 * time.Hour

// daily makes an automated snapshot, if backups have gone on since a moment,
// and comes again. An instance that is busy is passed over for the day.
func (r *Region) daily(tx *awstest.Tx, id string, from time.Time) {
	i, ok := r.instances.Get(tx.Now(), id)
	if !ok || !i.from.Equal(from) || i.Status == Deleting {
		return
	}
	tx.Schedule(tx.Now().Add(day), func(tx *awstest.Tx) { r.daily(tx, id, from) })
	r.dropAutomated(tx, i, i.Retention)
	name := "rds:" + i.ID + tx.Now().Format("-2006-01-02-15-04")
	if _, taken := r.snapshots.list.Get(tx.Now(), name); i.Status == Available && !taken {
		r.backUp(tx, i, name, Automated, i.snapshotTags())
	}
}

// dropAutomated deletes the automated snapshots of an instance that are older
// than some days.
func (r *Region) dropAutomated(tx *awstest.Tx, i Instance, days int32) {
	for _, s := range r.snapshots.list.All(tx.Now()) {
		if s.Type == Automated && s.ResourceID == i.ResourceID && (days == 0 || tx.Now().Sub(s.began) > time.Duration(days)*day) {
			r.snapshots.list.Delete(tx.Now(), s.ID)
		}
	}
}
