package s3model

import "time"

// A Condition is on the current version of a key, for a request that writes.
// Empty strings are no condition.
//
// The later of two writers meets PreconditionFailed: requests come one after
// the other here. What S3 answers besides when they overlap,
// ConditionalRequestConflict, is an effect of the adapter.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html (read 2026-11)
type Condition struct{ IfMatch, IfNoneMatch string }

// Any tells whether there is a condition.
func (c Condition) Any() bool { return c != Condition{} }

// Check holds the condition against what is there now. A delete marker counts
// as nothing.
func (b *Bucket) Check(key string, c Condition) error {
	if c.IfNoneMatch != "" && (c.IfNoneMatch != "*" || c.IfMatch != "") || c.IfMatch == "*" {
		return notImplemented("A header you provided implies functionality that is not implemented")
	}
	current, exists := b.current.Get(key)
	switch {
	case c.IfNoneMatch != "" && exists:
		return preconditionFailed()
	case c.IfMatch != "" && !exists:
		return noSuchKey()
	case c.IfMatch != "" && !sameETag(c.IfMatch, current.Object.ETag):
		return preconditionFailed()
	}
	return nil
}

// checkDelete holds the condition of a delete against what is there now; "*"
// is met by any object. It is on the current version, also where another one
// is to be deleted. AWS does not say what a condition on nothing meets; it is
// what a write meets here.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html (read 2026-11)
func (b *Bucket) checkDelete(key, ifMatch string) error {
	if ifMatch == "" {
		return nil
	}
	current, exists := b.current.Get(key)
	switch {
	case !exists:
		return noSuchKey()
	case ifMatch != "*" && !sameETag(ifMatch, current.Object.ETag):
		return preconditionFailed()
	}
	return nil
}

// A ReadCondition is on the version that is read. Empty strings and zero
// times are no condition.
type ReadCondition struct {
	IfMatch, IfNoneMatch           string
	ModifiedSince, UnmodifiedSince time.Time
}

// Check holds the condition against a version: PreconditionFailed or
// NotModified. Entity tags outweigh times.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (read 2026-11)
func (c ReadCondition) Check(v *Version) error {
	tag := v.Object.ETag
	switch {
	case c.IfMatch != "" && c.IfMatch != "*" && !sameETag(c.IfMatch, tag):
		return preconditionFailed()
	case c.IfMatch == "" && !c.UnmodifiedSince.IsZero() && v.Modified.After(c.UnmodifiedSince):
		return preconditionFailed()
	case c.IfNoneMatch != "":
		if c.IfNoneMatch == "*" || sameETag(c.IfNoneMatch, tag) {
			return notModified()
		}
	case !c.ModifiedSince.IsZero() && !v.Modified.After(c.ModifiedSince):
		return notModified()
	}
	return nil
}
