package s3model

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/awsha/awsha/awstest"
)

// Replication is a replication configuration. It is a value: a change makes
// another one.
type Replication struct {
	Role  string
	Rules []Rule
}

// Rule is a rule of a replication configuration.
type Rule struct {
	ID       string
	Enabled  bool
	Priority *int32
	Scope    Scope
	Prefix   string
	Tags     []Tag

	DeleteMarkers *bool  // nil if the rule does not say
	Destination   string // ARN of a bucket
	StorageClass  string // of the replicas; empty is that of the source
}

// Scope is the form in which a rule says what it is about.
type Scope uint8

// The forms; with the first a configuration is of the earlier version, V1.
const (
	ByPrefix Scope = iota
	ByFilter       // an empty filter: everything
	ByFilterPrefix
	ByFilterTag
	ByFilterAnd
)

// bucketARN is what the ARNs of buckets begin with.
const bucketARN = "arn:aws:s3:::"

func (r *Rule) bucket() string { return strings.TrimPrefix(r.Destination, bucketARN) }

// matches tells whether a rule is about a version.
func (r *Rule) matches(v *Version) bool {
	if !r.Enabled || !strings.HasPrefix(v.Key, r.Prefix) {
		return false
	}
	for _, t := range r.Tags {
		if !slices.Contains(v.Tags, t) {
			return false
		}
	}
	return true
}

// takesMarkers tells whether a rule replicates delete markers: V1 always did.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html (read 2026-11)
func (r *Rule) takesMarkers() bool {
	return r.Scope == ByPrefix || r.DeleteMarkers != nil && *r.DeleteMarkers
}

// targets returns the rule that counts for each destination of a version: of
// several with one destination, that of the highest priority.
func (c *Replication) targets(v *Version) (rules []Rule) {
	if c == nil {
		return nil
	}
	all := slices.Clone(c.Rules)
	slices.SortStableFunc(all, func(a, b Rule) int { return cmp.Compare(b.priority(), a.priority()) })
	seen := map[string]bool{}
	for _, r := range all {
		if !r.matches(v) || seen[r.Destination] {
			continue
		}
		seen[r.Destination] = true
		if !v.IsMarker() || r.takesMarkers() {
			rules = append(rules, r)
		}
	}
	return rules
}

func (r *Rule) priority() int32 {
	if r.Priority == nil {
		return 0
	}
	return *r.Priority
}

// SetReplication sets the replication of a bucket, which it then owns, or takes
// it away with nil. Rules without ID get one. What was written before is not
// replicated.
func (b *Bucket) SetReplication(tx *awstest.Tx, c *Replication) error {
	if c != nil {
		for i := range c.Rules {
			if c.Rules[i].ID == "" {
				c.Rules[i].ID = tx.NewID("rule")
			}
		}
		if err := b.checkReplication(tx, c); err != nil {
			return err
		}
	}
	b.change(tx, func(s *Settings) { s.Replication = c })
	return nil
}

// Configured returns the replication, or the error that there is none.
func (s Settings) Configured() (*Replication, error) {
	if s.Replication == nil {
		return nil, &awstest.APIError{
			Code: "ReplicationConfigurationNotFoundError", Message: "The replication configuration was not found", Status: http.StatusNotFound,
		}
	}
	return s.Replication, nil
}

// checkReplication holds a configuration against the rules.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ReplicationErrorCodeList (read 2026-11)
func (b *Bucket) checkReplication(tx *awstest.Tx, c *Replication) error {
	const mostRules, longestID = 1000, 255
	if b.Settings(tx.Now()).Versioning != Enabled {
		return Invalid("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
	}
	if len(c.Rules) == 0 || len(c.Rules) > mostRules {
		return Invalid("A replication configuration must have from 1 to %d rules", mostRules)
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		if len(r.ID) > longestID {
			return InvalidArgument("Rule ID must not be longer than %d characters", longestID)
		}
		if err := r.checkForm(); err != nil {
			return err
		}
		for j := range c.Rules[:i] {
			if err := r.checkBeside(&c.Rules[j]); err != nil {
				return err
			}
		}
		if err := b.checkDestination(tx, r); err != nil {
			return err
		}
	}
	return nil
}

// checkForm holds a rule against the version that its form is of.
func (r *Rule) checkForm() error {
	switch {
	case r.Scope == ByPrefix && r.DeleteMarkers != nil:
		return Invalid("DeleteMarkerReplication cannot be used for this version of the replication configuration schema")
	case r.Scope == ByPrefix:
	case r.Priority == nil:
		return Invalid("Priority must be specified for this version of the replication configuration schema")
	case r.DeleteMarkers == nil:
		return Invalid("DeleteMarkerReplication must be specified for this version of the replication configuration schema")
	case len(r.Tags) > 0 && *r.DeleteMarkers:
		return Invalid("Delete marker replication is not supported if any Tag filter is specified")
	}
	return nil
}

// checkBeside holds a rule against an earlier one of the configuration.
func (r *Rule) checkBeside(other *Rule) error {
	switch {
	case r.ID == other.ID:
		return InvalidArgument("Rule Id must be unique. Found same Id for more than one rule")
	case (r.Scope == ByPrefix) != (other.Scope == ByPrefix):
		return Invalid("Rules of two versions of the replication configuration schema cannot be combined")
	case r.Scope != ByPrefix && *r.Priority == *other.Priority:
		return Invalid("Found duplicate priority '%d' in Rules. Priority must be unique.", *r.Priority)
	case r.Scope == ByPrefix && (strings.HasPrefix(r.Prefix, other.Prefix) || strings.HasPrefix(other.Prefix, r.Prefix)):
		return Invalid("Found overlapping prefixes '%s' and '%s'", other.Prefix, r.Prefix)
	case r.Scope == ByPrefix && r.Destination != other.Destination:
		return Invalid("Rules of this version of the replication configuration schema must have one destination")
	}
	return nil
}

func (b *Bucket) checkDestination(tx *awstest.Tx, r *Rule) error {
	if !strings.HasPrefix(r.Destination, bucketARN) {
		return InvalidArgument("Invalid Bucket ARN")
	}
	to, ok := b.model.buckets.Get(tx.Now(), r.bucket())
	switch {
	case !ok:
		return Invalid("Destination bucket must exist.")
	case to == b:
		return Invalid("Destination bucket cannot be the same as the source bucket.")
	case to.Settings(tx.Now()).Versioning != Enabled:
		return Invalid("Destination bucket must have versioning enabled.")
	}
	return nil
}
