package ec2model

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// CopySpec is what a copy of a snapshot is to be like.
type CopySpec struct {
	SnapshotSpec
	Encrypted bool
	Key       string        // ID, alias or ARN
	Within    time.Duration // of a time-based copy
	Misplaced bool          // the presigned request is for another source
}

// CopySnapshot begins a copy, into this region, of a snapshot of a region. Whether its key can be used shows in the end.
func (r *Region) CopySnapshot(tx *awstest.Tx, from *Region, id string, spec CopySpec) (Snapshot, error) {
	source, err := from.Snapshot(tx.Now(), id)
	switch {
	case err != nil:
		return Snapshot{}, err
	case source.State != SnapshotCompleted:
		return Snapshot{}, awstest.Errorf("IncorrectState", "Snapshot '%s' is not in the 'completed' state.", id)
	case spec.Key != "" && !spec.Encrypted:
		return Snapshot{}, awstest.Errorf("InvalidParameterDependency", "The parameter [KmsKeyId] requires the parameter Encrypted to be set.")
	case r.copying >= r.model.opts.ConcurrentCopies:
		// As accounts answer: https://github.com/aws-samples/copy-encrypted-ami/issues/3 (read 2026-11)
		return Snapshot{}, awstest.Errorf("ResourceLimitExceeded", "Too many snapshot copies in progress. The limit is %d for this destination region.", r.model.opts.ConcurrentCopies)
	}
	if err := r.roomForSnapshots(1); err != nil {
		return Snapshot{}, err
	}
	r.copying++
	return r.Snapshot(tx.Now(), r.beginCopy(tx, from, source, spec, false))
}

// beginCopy begins a copy that there is room for, by itself or for an image, and returns its ID.
func (r *Region) beginCopy(tx *awstest.Tx, from *Region, source Snapshot, spec CopySpec, ofImage bool) string {
	s := Snapshot{
		ID: tx.NewID("snap"), Volume: copiedVolume, SizeGiB: source.SizeGiB, Encrypted: source.Encrypted || spec.Encrypted,
		Description: spec.Description, StartedAt: tx.Now(), State: SnapshotPending, Tags: spec.Tags, Lineage: source.Lineage, Content: source.Content,
		Within: spec.Within,
	}
	if s.Encrypted {
		s.Key = r.keyOf(tx, spec.Key)
	}
	r.snapshots.Put(tx.Now(), s.ID, s)
	r.heldSnapshots++
	job := &copyJob{from: from, source: source, id: s.ID, base: baseOf{s.Lineage, s.Key, true}, within: spec.Within, misplaced: spec.Misplaced, ofImage: ofImage}
	r.copyJobs[s.ID] = job
	r.copies[s.Lineage] = append(r.copies[s.Lineage], job)
	if len(r.copies[s.Lineage]) == 1 {
		r.transfer(tx, job)
	}
	return s.ID
}

// copyJob is a copy that is under way, or waits for another one of the same data.
type copyJob struct {
	from      *Region
	source    Snapshot
	id        string
	base      baseOf
	within    time.Duration
	misplaced bool
	ofImage   bool
}

// transfer begins the copy that is the first of its lineage. One that has been deleted takes its time, too: AWS does not say when its
// place is free.
func (r *Region) transfer(tx *awstest.Tx, job *copyJob) {
	took := r.model.opts.SnapshotCopy
	full := r.full(tx, job.base)
	if full {
		took = r.model.opts.FullSnapshotCopy
	}
	if job.within > 0 {
		took = min(took, job.within)
	}
	if _, err := r.Snapshot(tx.Now(), job.id); err == nil {
		change(tx, r.snapshots, job.id, func(s *Snapshot) { s.Full, s.begun, s.took = full, tx.Now(), took })
	}
	tx.Schedule(tx.Now().Add(took), func(tx *awstest.Tx) {
		tx.WhenFree(nil, job.id, func(tx *awstest.Tx) { r.endCopy(tx, job, r.copyFails(tx, job)) })
	})
}

// endCopy ends a copy, failed if there is a message, and begins the next one of its lineage.
func (r *Region) endCopy(tx *awstest.Tx, job *copyJob, message string) {
	if r.copyJobs[job.id] != job {
		return // it has failed before its time
	}
	delete(r.copyJobs, job.id)
	if !job.ofImage {
		r.copying--
	}
	if _, err := r.Snapshot(tx.Now(), job.id); err == nil {
		state := SnapshotError
		if message == "" {
			state = SnapshotCompleted
			r.bases[job.base] = job.id
		}
		r.endSnapshot(tx, job.id, state, message)
	}
	line := r.copies[job.base.lineage]
	first := line[0] == job
	line = slices.DeleteFunc(line, func(other *copyJob) bool { return other == job })
	r.copies[job.base.lineage] = line
	switch {
	case len(line) == 0:
		delete(r.copies, job.base.lineage)
	case first:
		r.transfer(tx, line[0])
	}
}

// copyFails says why a copy cannot be completed; empty if it can. AWS documents that it fails, and not in which words.
func (r *Region) copyFails(tx *awstest.Tx, job *copyJob) string {
	s, err := r.Snapshot(tx.Now(), job.id)
	if err != nil {
		return "" // deleted
	}
	_, err = job.from.Snapshot(tx.Now(), job.source.ID)
	switch {
	case job.misplaced:
		return "The presigned URL is not valid for the source snapshot"
	case err != nil:
		return "The source snapshot does not exist"
	case !r.unlocksSnapshot(tx, s), !job.from.unlocksSnapshot(tx, job.source):
		return unusableKey
	}
	return ""
}
