package ec2model

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
)

// SnapshotState is the state of a snapshot, by EC2's name.
type SnapshotState string

// The states of a snapshot.
const (
	SnapshotPending   SnapshotState = "pending"
	SnapshotCompleted SnapshotState = "completed"
	SnapshotError     SnapshotState = "error"
)

// Snapshot is an EBS snapshot.
type Snapshot struct {
	ID          string
	Volume      string // as it is shown: made up for a copy
	SizeGiB     int32
	Encrypted   bool
	Key         string
	Description string
	StartedAt   time.Time
	EndedAt     time.Time // completed or failed
	State       SnapshotState
	Message     string // why it failed
	Tags        Tags

	// Lineage is the volume whose data it has: that of the source, for a copy.
	Lineage string
	// Content is what had been written to the volume at the instant of the snapshot.
	Content string
	// Full tells whether all of the volume had to be stored, and not only what has changed since another snapshot.
	Full bool

	Lock   Lock
	Owner  string // the account; empty for that of the cloud
	Backup bool   // AWS Backup made it, and only that deletes it

	// Within is how long a time-based copy may take; 0 if it is none.
	Within time.Duration

	begun time.Time     // when its data began to be stored: a copy may have to wait
	took  time.Duration // how long that takes
	set   []string      // those that CreateSnapshots made with it, itself included
}

// Progress returns how much of a snapshot has been stored, in percent. It grows evenly, and AWS's need not.
func (s *Snapshot) Progress(at time.Time) int {
	switch {
	case s.State == SnapshotCompleted:
		return 100
	case s.State == SnapshotError || s.begun.IsZero() || s.took <= 0:
		return 0
	}
	return int(min(99, max(0, 100*at.Sub(s.begun)/s.took)))
}

// copiedVolume is the volume of a copy.
// Source: CopySnapshot of the SDK: "Snapshots copies have an arbitrary source volume ID." The one that accounts show.
const copiedVolume = "vol-ffffffff"

// Snapshot returns a snapshot as of a moment.
func (r *Region) Snapshot(at time.Time, id string) (Snapshot, error) {
	if s, ok := r.snapshots.Get(at, id); ok {
		return s, nil
	}
	return Snapshot{}, awstest.Errorf("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", id)
}

// Snapshots yields the snapshots as of a moment.
func (r *Region) Snapshots(at time.Time) iter.Seq2[string, Snapshot] { return r.snapshots.All(at) }

// SetSnapshotTags replaces the tags of a snapshot.
func (r *Region) SetSnapshotTags(tx *awstest.Tx, id string, tags Tags) {
	change(tx, r.snapshots, id, func(s *Snapshot) { s.Tags = tags })
}

// SnapshotSpec is what a snapshot is to be like.
type SnapshotSpec struct {
	Description string
	Tags        Tags
}

// CreateSnapshot begins a snapshot of a volume, with what is on it now.
func (r *Region) CreateSnapshot(tx *awstest.Tx, volume string, spec SnapshotSpec) (Snapshot, error) {
	v, err := r.Volume(tx.Now(), volume)
	if err != nil {
		return Snapshot{}, err
	}
	if err := r.snapshotable(tx, v); err != nil {
		return Snapshot{}, err
	}
	if err := r.roomForPending(1); err != nil {
		return Snapshot{}, err
	}
	return r.newSnapshots(tx, []Volume{v}, []SnapshotSpec{spec})[0], nil
}

// snapshotGap is how long a volume must rest between two snapshots.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, SnapshotCreationPerVolumeRateExceeded (read 2026-11)
const snapshotGap = 15 * time.Second

// concurrentSnapshots is how many snapshots of a volume may be pending.
// Source: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html (read 2026-11)
func concurrentSnapshots(volumeType string) int {
	if volumeType == "st1" || volumeType == "sc1" {
		return 1
	}
	return 5
}

// snapshotable tells by its error why a snapshot of a volume cannot be begun now.
func (r *Region) snapshotable(tx *awstest.Tx, v Volume) error {
	if v.State != VolumeAvailable && v.State != VolumeInUse {
		return awstest.Errorf("IncorrectState", "The volume '%s' is in the '%s' state.", v.ID, v.State)
	}
	if at, ok := r.snapped[v.ID]; ok && tx.Now().Sub(at) < snapshotGap {
		return awstest.Errorf("SnapshotCreationPerVolumeRateExceeded", "The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep interval between requests.")
	}
	if r.snapping[v.ID] >= concurrentSnapshots(v.Type) {
		return awstest.Errorf("ConcurrentSnapshotLimitExceeded", "Maximum allowed in-progress snapshots for a single volume exceeded.")
	}
	return nil
}

// roomForPending tells by its error why n snapshots of volumes cannot be begun in the region.
func (r *Region) roomForPending(n int) error {
	if r.pending+n > r.model.opts.PendingSnapshots {
		return awstest.Errorf("PendingSnapshotLimitExceeded", "Maximum allowed active snapshots has been exceeded: %d.", r.model.opts.PendingSnapshots)
	}
	return r.roomForSnapshots(n)
}

func (r *Region) roomForSnapshots(n int) error {
	if r.heldSnapshots+n > r.model.opts.SnapshotQuota {
		return awstest.Errorf("SnapshotLimitExceeded", "The maximum number of snapshots of this account has been reached: %d.", r.model.opts.SnapshotQuota)
	}
	return nil
}

// newSnapshots begins snapshots of volumes that allow it, of one instant. They end together: as long as the slowest of them takes, and
// all failed if one fails.
func (r *Region) newSnapshots(tx *awstest.Tx, volumes []Volume, specs []SnapshotSpec) []Snapshot {
	list := make([]Snapshot, 0, len(volumes))
	set := make([]string, 0, len(volumes))
	var took time.Duration
	for n, v := range volumes {
		s := Snapshot{
			ID: tx.NewID("snap"), Volume: v.ID, SizeGiB: v.SizeGiB, Encrypted: v.Encrypted, Key: v.Key, Description: specs[n].Description,
			StartedAt: tx.Now(), State: SnapshotPending, Tags: specs[n].Tags, Lineage: v.ID, Content: v.Content, begun: tx.Now(),
		}
		own := r.model.opts.Snapshot
		if s.Full = r.full(tx, baseOf{s.Lineage, s.Key, false}); s.Full {
			own = r.model.opts.FullSnapshot
		}
		took = max(took, own)
		list, set = append(list, s), append(set, s.ID)
	}
	for n := range list {
		s := &list[n]
		s.set, s.took = set, took
		r.snapshots.Put(tx.Now(), s.ID, *s)
		r.snapped[s.Lineage] = tx.Now()
		r.snapping[s.Lineage]++
		r.making[s.ID] = s.Lineage
	}
	r.pending += len(set)
	r.heldSnapshots += len(set)
	zone := volumes[0].Zone // that of their instance
	tx.Schedule(tx.Now().Add(took), func(tx *awstest.Tx) {
		whenAllFree(tx, zone, set, func(tx *awstest.Tx) { r.finishSet(tx, set) })
	})
	return list
}

// whenAllFree runs fn when neither the zone nor any of the resources is held up.
func whenAllFree(tx *awstest.Tx, zone *awstest.Zone, resources []string, fn func(*awstest.Tx)) {
	tx.WhenFree(zone, resources[0], func(tx *awstest.Tx) {
		if len(resources) == 1 {
			fn(tx)
			return
		}
		whenAllFree(tx, zone, resources[1:], fn)
	})
}

// finishSet ends snapshots that were begun together.
func (r *Region) finishSet(tx *awstest.Tx, set []string) {
	for _, id := range set {
		if s, err := r.Snapshot(tx.Now(), id); err == nil && !r.unlocksSnapshot(tx, s) {
			r.endSet(tx, set, SnapshotError, unusableKey)
			return
		}
	}
	r.endSet(tx, set, SnapshotCompleted, "")
}

// unusableKey is the message of a snapshot whose key cannot be used.
// Source: CopySnapshot of the SDK names no text; this is the one that accounts show.
const unusableKey = "Given key ID is not accessible"

// unlocksSnapshot tells whether the key of a snapshot of this region, if it has one, can be used now.
func (r *Region) unlocksSnapshot(tx *awstest.Tx, s Snapshot) bool {
	return !s.Encrypted || r.model.keys.Region(r.region).Usable(tx, s.Key) == nil
}

// endSet takes in how snapshots came out that were begun together; those that have been deleted meanwhile end as well. Failed ones still
// count as being made, as AWS has it.
func (r *Region) endSet(tx *awstest.Tx, set []string, state SnapshotState, message string) {
	if r.ended[set[0]] { // it has failed before its time
		delete(r.ended, set[0])
		return
	}
	r.pending -= len(set)
	for _, id := range set {
		if s, err := r.Snapshot(tx.Now(), id); err != nil || state == SnapshotCompleted {
			r.unsnap(id)
			if err != nil {
				continue
			}
			r.bases[baseOf{s.Lineage, s.Key, false}] = id
		}
		r.endSnapshot(tx, id, state, message)
	}
}

func (r *Region) endSnapshot(tx *awstest.Tx, id string, state SnapshotState, message string) {
	change(tx, r.snapshots, id, func(s *Snapshot) { s.State, s.Message, s.EndedAt = state, message, tx.Now() })
	r.settle(tx, id)
}

// unsnap takes in that a snapshot of a volume does not count as being made any more.
func (r *Region) unsnap(id string) {
	volume, ok := r.making[id]
	if !ok {
		return
	}
	delete(r.making, id)
	if r.snapping[volume]--; r.snapping[volume] == 0 {
		delete(r.snapping, volume)
	}
}

// baseOf names what a snapshot can be stored as a change to: one of the same data under the same key, made or copied as it is.
type baseOf struct {
	lineage, key string
	copied       bool
}

// full tells whether the last snapshot that was completed under that name is gone, or there never was one.
func (r *Region) full(tx *awstest.Tx, base baseOf) bool {
	_, there := r.snapshots.Get(tx.Now(), r.bases[base])
	return !there
}

// FailSnapshot makes a pending snapshot fail, with those that were begun with it.
func (r *Region) FailSnapshot(tx *awstest.Tx, id, message string) {
	if job, ok := r.copyJobs[id]; ok {
		r.endCopy(tx, job, message)
		return
	}
	if s, err := r.Snapshot(tx.Now(), id); err == nil && s.State == SnapshotPending {
		r.endSet(tx, s.set, SnapshotError, message)
		r.ended[s.set[0]] = true
	}
}

// DeleteSnapshot deletes a snapshot that no image has. One that is pending still counts as being made until it would have been completed.
func (r *Region) DeleteSnapshot(tx *awstest.Tx, id string) error {
	s, err := r.Snapshot(tx.Now(), id)
	if err != nil {
		return err
	}
	switch {
	case s.Owner != "":
		// As accounts answer for images: https://github.com/cloudcaptainsh/cloudcaptain/issues/66 (read 2026-11)
		return awstest.Errorf("AuthFailure", "Not authorized for snapshot: %s", id)
	case s.Backup:
		// As accounts answer: https://github.com/openshift/installer/issues/9964 (read 2026-11)
		return awstest.Errorf("InvalidParameterValue", "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs. If you wish to delete this snapshot, please do so via the Backup console.")
	}
	if image := r.imageWith(tx, id); image != "" {
		return awstest.Errorf("InvalidSnapshot.InUse", "The snapshot %s is currently in use by %s", id, image)
	}
	if s.Lock.Holds(tx.Now()) { // AWS documents no code
		return notPermitted(id, "is locked")
	}
	if s.State == SnapshotError {
		r.unsnap(id)
	}
	r.heldSnapshots--
	r.snapshots.Delete(tx.Now(), id)
	return nil
}
