package snapshot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Policy says what is backed up, when, where copies go, and for how long what is kept. It is a plain value: in JSON it is what
// [ParsePolicy] reads, and MarshalJSON writes.
type Policy struct {
	// Name is part of the identity of each snapshot, as a tag: a policy of another name knows nothing of them. From 1 to 64 of a-z, 0-9 and
	// hyphens.
	Name string

	// Region is where the targets are, and the snapshots of them.
	Region string

	Targets Targets

	// Schedule says when; the zero value never.
	Schedule Schedule

	// CatchUp is for how long after its time a slot is still taken that was missed, because nothing ran. Of several only the newest is.
	// Zero is none.
	CatchUp time.Duration

	// Retain says which points are kept in Region.
	Retain Retention

	// Copies are made of each point, once it is completed.
	Copies []CopyRule

	// Tags are given to each snapshot, image and copy, beside those that say whose it is. At most 30; none begins with "aws:", "rds:" or "awsha:".
	Tags map[string]string

	// CopyTags are the keys of tags that are taken over from the volume, the instance or the database. A key that ends in * stands for all that begin
	// so. Those of AWS are left out. Where a resource has so many that AWS's limit of 50 would be passed, the last ones by key are.
	CopyTags []string
}

// Targets are what a policy is about. What is named and what has the tags are both taken, each once.
type Targets struct {
	// Volumes are EBS volumes, each by itself.
	Volumes Selector
	// Instances are EC2 instances: all volumes of each are taken at one instant, so that what is restored is as after a crash.
	Instances Selector
	// Images are EC2 instances of which an image is made, with the snapshots that it consists of.
	Images Selector
	// Databases are DB instances of RDS that belong to no cluster.
	Databases Selector
	// Clusters are DB clusters of RDS, Aurora's for the most part.
	Clusters Selector

	// Exclude are volumes that are left out, of instances and images too.
	Exclude Selector
	// ExcludeBoot leaves the root volumes of Instances out.
	ExcludeBoot bool
	// Reboot shuts each of Images down and starts it again, for an image whose file systems are clean.
	Reboot bool
	// DeprecateAfter has each image be deprecated so long after its data were taken. Zero is never.
	DeprecateAfter time.Duration
}

// Selector finds resources: those with the IDs, and those that have all of the tags.
type Selector struct {
	IDs  []string
	Tags map[string]string
}

// IsZero reports whether it finds nothing.
func (s *Selector) IsZero() bool { return len(s.IDs) == 0 && len(s.Tags) == 0 }

// CopyRule says where copies go.
type CopyRule struct {
	// Region is where the copies are. Two rules are never for the same.
	Region string

	// KMSKeyID is the key there, by ID, alias or ARN. Empty is the default key of that region if the source is encrypted, or that region
	// encrypts by default.
	KMSKeyID string

	// Retain says which copies are kept. The zero value keeps all.
	Retain Retention

	// Completion asks AWS to complete each copy in that time, which costs by the GiB: 15 minutes to 48 hours, in steps of 15 minutes. Zero
	// leaves it to AWS. It is for volumes, instances and images.
	Completion time.Duration

	// LatestOnly makes copies of the newest point only: what is older and has none when a newer one is completed gets none.
	LatestOnly bool
}

var (
	policyName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
	zoneID     = regexp.MustCompile(`^[a-z0-9]+-az[0-9]+$`)
	regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html: a hyphen, and 8 or 17 hexadecimal digits (read 2026-11)
	volumeID   = regexp.MustCompile(`^vol-([0-9a-f]{8}|[0-9a-f]{17})$`)
	instanceID = regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`)
	// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (read 2026-11)
	databaseID = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)
)

// Limits of AWS on tags: 50 for a resource, keys of 128 and values of 256 characters.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions (read 2026-11)
const (
	maxTags     = 50
	maxOwnTags  = 30
	maxTagKey   = 128
	maxTagValue = 256
)

// Validate returns every mistake as a [*FieldError], joined. Fields are named by their paths in JSON, such as "copies[1].region".
func (p *Policy) Validate() error {
	var m mistakes
	p.check(&m)
	return m.err()
}

func (p *Policy) check(m *mistakes) {
	if m.require(p != nil, "policy", nil, "must not be nil"); p == nil {
		return
	}
	m.require(policyName.MatchString(p.Name), "name", p.Name, "must be 1 to 64 characters of a-z, 0-9 and -")
	m.require(regionName.MatchString(p.Region), "region", p.Region, "must be the name of a region, such as eu-west-1")
	p.Targets.check(m, "targets")
	p.Schedule.check(m, "schedule")
	m.require(p.CatchUp >= 0, "catch_up", p.CatchUp, "must not be negative")
	p.Retain.check(m, "retain")
	for i := range p.Copies {
		p.Copies[i].check(m, fmt.Sprintf("copies[%d]", i))
		m.require(p.Copies[i].Region != p.Region, fmt.Sprintf("copies[%d].region", i), p.Copies[i].Region, "is where the snapshots are made")
		first := slices.IndexFunc(p.Copies, func(c CopyRule) bool { return c.Region == p.Copies[i].Region })
		m.require(first == i, fmt.Sprintf("copies[%d].region", i), p.Copies[i].Region, fmt.Sprintf("is that of copies[%d]", first))
	}
	m.require(len(p.Tags) <= maxOwnTags, "tags", len(p.Tags), "are more than 30")
	for key, value := range p.Tags {
		path := join("tags", key)
		m.require(key != "" && len([]rune(key)) <= maxTagKey, path, nil, "must have a key of 1 to 128 characters")
		m.require(len([]rune(value)) <= maxTagValue, path, nil, "must have at most 256 characters")
		m.require(!reserved(key), path, nil, `must not begin with "aws:", "rds:" or "awsha:"`)
	}
	for i, key := range p.CopyTags {
		m.require(key != "" && !strings.Contains(strings.TrimSuffix(key, "*"), "*"), fmt.Sprintf("copy_tags[%d]", i), key,
			"must be a key, or the begin of keys with a * at its end")
		m.require(!reserved(key), fmt.Sprintf("copy_tags[%d]", i), key, `must not begin with "aws:", "rds:" or "awsha:"`)
	}
}

// reserved reports whether a tag belongs to AWS or to this package. AWS does not mind case.
func reserved(key string) bool {
	key = strings.ToLower(key)
	return strings.HasPrefix(key, "aws:") || strings.HasPrefix(key, "rds:") || strings.HasPrefix(key, tagPrefix)
}

// regions are the policy's own and those of its copies.
func (p *Policy) regions() []string {
	list := []string{p.Region}
	for i := range p.Copies {
		list = append(list, p.Copies[i].Region)
	}
	return list
}

func (t *Targets) check(m *mistakes, path string) {
	t.Volumes.check(m, join(path, "volumes"), volumeID.MatchString, "must be the ID of a volume, such as vol-0123456789abcdef0")
	t.Instances.check(m, join(path, "instances"), instanceID.MatchString, "must be the ID of an instance, such as i-0123456789abcdef0")
	t.Images.check(m, join(path, "images"), instanceID.MatchString, "must be the ID of an instance, such as i-0123456789abcdef0")
	t.Databases.check(m, join(path, "databases"), isDatabase, "must be the identifier of a DB instance, in lower case")
	t.Clusters.check(m, join(path, "clusters"), isDatabase, "must be the identifier of a DB cluster, in lower case")
	t.Exclude.check(m, join(path, "exclude"), volumeID.MatchString, "must be the ID of a volume, such as vol-0123456789abcdef0")
	some := false
	for _, s := range []*Selector{&t.Volumes, &t.Instances, &t.Images, &t.Databases, &t.Clusters} {
		some = some || !s.IsZero()
	}
	m.require(some, path, nil, "must select something")
	m.require(t.DeprecateAfter == 0 || t.DeprecateAfter >= time.Hour && t.DeprecateAfter <= maxDeprecation, join(path, "deprecate_after"), t.DeprecateAfter,
		"must be an hour to 3650 days")
}

// isDatabase tells an identifier of RDS, as it lists them: in lower case, and of 63 characters at most.
func isDatabase(id string) bool { return len(id) <= 63 && databaseID.MatchString(id) }

func (s *Selector) check(m *mistakes, path string, is func(id string) bool, rule string) {
	for i, one := range s.IDs {
		m.require(is(one), fmt.Sprintf("%s.ids[%d]", path, i), one, rule)
	}
	for key, value := range s.Tags {
		m.require(key != "" && len([]rune(key)) <= maxTagKey && len([]rune(value)) <= maxTagValue, join(path+".tags", key), value,
			"must have a key of 1 to 128 characters, and a value of at most 256")
	}
}

// maxDeprecation is short of ten years, which is AWS's limit.
// Source: EnableImageDeprecationInput.DeprecateAt of the SDK (read 2026-11)
const maxDeprecation = 3650 * 24 * time.Hour

// Bounds of time-based copies: 15 minutes to 48 hours, in steps of 15 minutes.
// Source: https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html (read 2026-11)
const completionStep, maxCompletion = 15 * time.Minute, 48 * time.Hour

func (c *CopyRule) check(m *mistakes, path string) {
	m.require(regionName.MatchString(c.Region), path+".region", c.Region, "must be the name of a region, such as eu-west-1")
	c.Retain.check(m, path+".retain")
	m.require(c.Completion >= 0 && c.Completion <= maxCompletion && c.Completion%completionStep == 0, path+".completion", c.Completion,
		"must be 15 minutes to 48 hours, in steps of 15 minutes")
}
