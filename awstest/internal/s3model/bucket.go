package s3model

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Bucket is a bucket. It lives in one region, whoever calls.
type Bucket struct {
	Name       string
	Region     *awstest.Region
	Constraint string    // as it was created; empty in the global region
	Created    time.Time // in whole seconds

	model    *Model
	settings *history.Table[struct{}, Settings]

	keys    Ordered[*stack]   // every key that has a version
	current Ordered[*Version] // those whose current version is an object
	pending Ordered[[]*Upload]
}

// Settings are what is set on a bucket. They are values: a change makes new
// ones.
type Settings struct {
	Versioning  Versioning
	Replication *Replication
}

// Versioning is the versioning state of a bucket.
type Versioning string

// The states; a bucket that never had versioning enabled has none.
const (
	Unversioned Versioning = ""
	Enabled     Versioning = "Enabled"
	Suspended   Versioning = "Suspended"
)

// home is the region that the global endpoint leads to, and where a bucket
// is made if nothing else is said.
const home = "us-east-1"

// CreateBucket makes a bucket, in the region that the constraint names. The
// request goes to the endpoint of another region or the same: of the global
// region it may name any, elsewhere its own only.
func (m *Model) CreateBucket(tx *awstest.Tx, endpoint *awstest.Region, name, constraint string) (*Bucket, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	region, err := m.locate(endpoint, constraint)
	if err != nil {
		return nil, err
	}
	if old, taken := m.buckets.Get(tx.Now(), name); taken {
		// One account owns everything here, so nobody else has the name.
		if old.Region.Name() == home && region.Name() == home {
			return old, nil // for legacy compatibility
		}
		return nil, &awstest.APIError{
			Code: "BucketAlreadyOwnedByYou", Message: "Your previous request to create the named bucket succeeded and you already own it.", Status: http.StatusConflict,
		}
	}
	b := &Bucket{
		Name: name, Region: region, Constraint: constraint, Created: tx.Now().UTC().Truncate(time.Second),
		model: m, settings: history.NewTable[struct{}, Settings](awstest.Memory),
	}
	b.settings.Put(tx.Now(), struct{}{}, Settings{})
	m.buckets.Put(tx.Now(), name, b)
	return b, nil
}

// locate returns the region that a location constraint means.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html (read 2026-11)
func (m *Model) locate(endpoint *awstest.Region, constraint string) (*awstest.Region, error) {
	illegal := func(format string, args ...any) (*awstest.Region, error) {
		return nil, awstest.Errorf("IllegalLocationConstraintException", format, args...)
	}
	if constraint == "EU" {
		constraint = "eu-west-1"
	}
	switch {
	case constraint == "" && endpoint.Name() == home:
		return endpoint, nil
	case constraint == "":
		return illegal("The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	case constraint == home:
		return nil, awstest.Errorf("InvalidLocationConstraint", "The specified location-constraint is not valid")
	case constraint == endpoint.Name():
		return endpoint, nil
	case endpoint.Name() != home:
		return illegal("The %s location constraint is incompatible for the region specific endpoint this request was sent to.", constraint)
	}
	region, err := m.cloud.Region(constraint)
	if err != nil {
		return nil, awstest.Errorf("InvalidLocationConstraint", "The specified location-constraint is not valid")
	}
	return region, nil
}

// Bucket returns a bucket as of a moment.
func (m *Model) Bucket(at time.Time, name string) (*Bucket, error) {
	if b, ok := m.buckets.Get(at, name); ok {
		return b, nil
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	return nil, noSuchBucket()
}

// Buckets returns all buckets as of a moment, in the order of their names.
func (m *Model) Buckets(at time.Time) (all []*Bucket) {
	for _, b := range m.buckets.All(at) {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *Bucket) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Delete deletes a bucket that has neither versions nor delete markers. Uploads
// that are under way go with it.
func (b *Bucket) Delete(tx *awstest.Tx) error {
	if b.keys.Len() > 0 {
		return &awstest.APIError{Code: "BucketNotEmpty", Message: "The bucket you tried to delete is not empty", Status: http.StatusConflict}
	}
	b.model.buckets.Delete(tx.Now(), b.Name)
	return nil
}

// Settings returns what is set on the bucket as of a moment.
func (b *Bucket) Settings(at time.Time) Settings {
	s, _ := b.settings.Get(at, struct{}{})
	return s
}

func (b *Bucket) change(tx *awstest.Tx, fn func(*Settings)) {
	s := b.Settings(tx.Now())
	fn(&s)
	b.settings.Put(tx.Now(), struct{}{}, s)
}

// SetVersioning enables versioning or suspends it; a bucket never returns to
// the state of before.
func (b *Bucket) SetVersioning(tx *awstest.Tx, v Versioning) error {
	if v == Suspended && b.Settings(tx.Now()).Replication != nil {
		return &awstest.APIError{
			Code: "InvalidBucketState", Message: "A replication configuration is present on this bucket, so the versioning state cannot be changed.", Status: http.StatusConflict,
		}
	}
	b.change(tx, func(s *Settings) { s.Versioning = v })
	return nil
}
