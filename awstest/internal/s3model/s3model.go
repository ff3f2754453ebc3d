// Package s3model is Amazon S3 of awstest without its SDK client: buckets with
// versions of objects in them, conditional writes, multipart uploads, and
// replication that takes time. Its errors are the service's own.
//
// Every function that changes something takes the cloud's lock in the form of
// a *awstest.Tx. Objects are read as of now, always: S3 is strongly
// consistent. Settings of buckets name the moment as of which they are read.
package s3model

import (
	"fmt"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// ServiceID is the SDK's service ID of Amazon S3.
const ServiceID = "S3"

// Options are the durations of Amazon S3.
type Options struct {
	// ReplicationLag is from a write to its replica.
	ReplicationLag time.Duration
}

// Model is Amazon S3 in every region of a cloud: the names of buckets are
// global.
type Model struct {
	cloud   *awstest.Cloud
	opts    Options
	buckets *history.Table[string, *Bucket]
	seq     uint64 // of versions
	uploads uint64
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		return &Model{
			cloud: c,
			// Most objects replicate within 15 seconds, some take hours.
			// Source: https://aws.amazon.com/s3/features/replication/ (read 2026-11)
			opts:    Options{ReplicationLag: 15 * time.Second},
			buckets: history.NewTable[string, *Bucket](awstest.Memory),
		}
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// AccountID returns the account that owns everything.
func (m *Model) AccountID() string { return m.cloud.AccountID() }

// OwnerID returns the canonical user ID of that account.
func (m *Model) OwnerID() string { return fmt.Sprintf("%064s", m.cloud.AccountID()) }

// Null is the ID of the one version of an object that was written while
// versioning was not enabled.
const Null = "null"

// versionID makes the ID of the version with a number. All replicas of a
// version have the same.
func versionID(seq uint64) string { return fmt.Sprintf("%032x", seq) }

// checkVersionID refuses what no version can be called.
func checkVersionID(id string) error {
	if id == Null {
		return nil
	}
	ok := len(id) == len(versionID(0))
	for _, c := range id {
		ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'f')
	}
	if !ok {
		return awstest.Errorf("InvalidArgument", "Invalid version id specified")
	}
	return nil
}
