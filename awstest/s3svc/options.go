package s3svc

import (
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

// Options are the durations of Amazon S3. A zero field means its default;
// [Immediately] asks for none.
type Options struct {
	// ReplicationLag is from a write until its replica is there, in buckets
	// with replication. Default 15 s, the time that AWS names for most
	// objects; it promises none without Replication Time Control, and 15
	// minutes with it.
	ReplicationLag time.Duration
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// apply checks the options and hands them to the model.
func (o *Options) apply(to *s3model.Options) error {
	switch d := o.ReplicationLag; {
	case d == Immediately:
		to.ReplicationLag = 0
	case d < 0:
		return &awstest.FieldError{Field: "s3svc.Options.ReplicationLag", Value: d, Rule: "must not be negative; Immediately asks for none"}
	case d > 0:
		to.ReplicationLag = d
	}
	return nil
}
