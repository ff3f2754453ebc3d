package s3model

import (
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// replication is that of one version to one destination.
type replication struct {
	from    *Bucket
	version *Version
	rule    Rule
	waiting int // for so many deliveries: of the version, of changes of its tags
	failed  bool
}

// retryAfter is the least time between two attempts while S3 is down in one
// of the regions.
const retryAfter = time.Second

// The replication statuses of a version.
const (
	pendingStatus   = "PENDING"
	completedStatus = "COMPLETED"
	failedStatus    = "FAILED"
	replicaStatus   = "REPLICA"
)

// ReplicationStatus returns what the header x-amz-replication-status says of
// a version; empty if no rule is about it.
func (v *Version) ReplicationStatus() string {
	if v.replica {
		return replicaStatus
	}
	status := ""
	for _, r := range v.copies {
		switch {
		case r.failed:
			return failedStatus
		case r.waiting > 0:
			status = pendingStatus
		case status == "":
			status = completedStatus
		}
	}
	return status
}

// replicate sends a new version to where the rules of the moment say. Replicas
// go no further.
func (b *Bucket) replicate(tx *awstest.Tx, v *Version) {
	for _, rule := range b.Settings(tx.Now()).Replication.targets(v) {
		r := &replication{from: b, version: v, rule: rule}
		v.copies = append(v.copies, r)
		r.send(tx)
	}
}

// replicateTags sends the tags of a version after it.
func (b *Bucket) replicateTags(tx *awstest.Tx, v *Version) {
	for _, r := range v.copies {
		r.send(tx)
	}
}

func (r *replication) send(tx *awstest.Tx) {
	r.waiting++
	tx.Schedule(tx.Now().Add(r.from.model.opts.ReplicationLag), r.try)
}

// try delivers, unless something holds one of the buckets up.
func (r *replication) try(tx *awstest.Tx) {
	tx.WhenFree(nil, r.from.Name, func(tx *awstest.Tx) {
		tx.WhenFree(nil, r.rule.bucket(), r.deliver)
	})
}

// deliver makes the replica: the same version, with the same ID and date.
func (r *replication) deliver(tx *awstest.Tx) {
	m := r.from.model
	s, ok := r.from.keys.Get(r.version.Key)
	if !ok || !slices.Contains(s.versions, r.version) {
		r.waiting--
		return // deleted for good meanwhile
	}
	to, ok := m.buckets.Get(tx.Now(), r.rule.bucket())
	if !ok || to.Settings(tx.Now()).Versioning != Enabled {
		r.waiting--
		r.failed = true
		return
	}
	if tx.ServiceDown(ServiceID, r.from.Region) || tx.ServiceDown(ServiceID, to.Region) {
		tx.Schedule(tx.Now().Add(max(m.opts.ReplicationLag, retryAfter)), r.try)
		return
	}
	r.waiting--
	to.receive(r.version, r.rule.StorageClass)
}

// receive puts a replica into a bucket. One that is there already takes over
// the tags.
func (b *Bucket) receive(v *Version, storageClass string) {
	b.edit(v.Key, func(s *stack) {
		if i := s.index(v.ID); i >= 0 {
			s.versions[i].Tags = v.Tags
			return
		}
		o := v.Object
		if o != nil && storageClass != "" && !strings.EqualFold(storageClass, o.StorageClass) {
			other := *o
			other.StorageClass = storageClass
			o = &other
		}
		s.insert(&Version{Key: v.Key, ID: v.ID, Modified: v.Modified, Object: o, Tags: v.Tags, seq: v.seq, replica: true})
	})
}
