// Package rdsmodel is Amazon RDS without its client: DB instances with the
// machines that they run on, their automated backups, and DB snapshots, with
// what each of them holds. Its errors are those of RDS.
//
// Reads name the moment as of which they are served; changes look at the
// present.
package rdsmodel

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
)

// Model is RDS in every region of a cloud.
type Model struct {
	cloud   *awstest.Cloud
	keys    *kmsmodel.Model
	opts    Options
	regions map[*awstest.Region]*Region
	onEvent []func(*awstest.Tx, *awstest.Region, Event)
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	keys := kmsmodel.Of(r)
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		return &Model{cloud: c, keys: keys, opts: defaults(), regions: map[*awstest.Region]*Region{}}
	})
}

// Configure changes the options. It is for the time before the first use.
func (m *Model) Configure(fn func(*Options)) { fn(&m.opts) }

// Region is RDS in a region.
type Region struct {
	model     *Model
	region    *awstest.Region
	instances *history.Table[string, Instance] // by identifier
	clusters  *history.Table[string, Cluster]  // by identifier
	hosts     int                              // how many machines there have been

	snapshots, clusterSnapshots *Shelf
}

// shelf returns the one that has snapshots of a kind.
func (r *Region) shelf(of *shelfKind) *Shelf {
	if of == clusterShelf {
		return r.clusterSnapshots
	}
	return r.snapshots
}

// Region returns RDS in a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, region: r,
		instances: history.NewTable[string, Instance](awstest.Memory),
		clusters:  history.NewTable[string, Cluster](awstest.Memory),
	}
	region.snapshots, region.clusterSnapshots = newShelf(region, instanceShelf), newShelf(region, clusterShelf)
	m.regions[r] = region
	return region
}

// The resources that an ARN can name.
const (
	aDatabase = "db"
)

func (r *Region) arn(kind, id string) string {
	return fmt.Sprintf("arn:aws:rds:%s:%s:%s:%s", r.region.Name(), r.model.cloud.AccountID(), kind, id)
}

// parseARN returns the parts of an ARN of RDS.
func parseARN(text string) (region, account, kind, id string, ok bool) {
	parts := strings.SplitN(text, ":", 7)
	if len(parts) < 7 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "rds" {
		return "", "", "", "", false
	}
	return parts[3], parts[4], parts[5], strings.ToLower(parts[6]), true
}

// identifier is what a reference names: an identifier, which is not
// case-sensitive, or an ARN of this account and region.
func (r *Region) identifier(kind, ref string) string {
	if region, account, k, id, ok := parseARN(ref); ok {
		if region == r.region.Name() && account == r.model.cloud.AccountID() && k == kind {
			return id
		}
		return ref // which nothing is named
	}
	return strings.ToLower(ref)
}

// Identifiers begin with a letter, do not end with a hyphen and have no two in
// a row.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html (read 2026-11)
var identifier = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)

const (
	maxInstanceID = 63
	maxSnapshotID = 255
)

func checkID(parameter, id string, most int) error {
	if len(id) > most || !identifier.MatchString(id) {
		return Invalid("The parameter %s is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.", parameter)
	}
	return nil
}

// Invalid is the error of a parameter that breaks a rule.
func Invalid(format string, args ...any) *awstest.APIError {
	return awstest.Errorf("InvalidParameterValue", format, args...)
}

func combination(format string, args ...any) *awstest.APIError {
	return awstest.Errorf("InvalidParameterCombination", format, args...)
}

// missing gives an error the status of what is not found.
func missing(e *awstest.APIError) *awstest.APIError {
	e.Status = http.StatusNotFound
	return e
}

// Tag is a tag.
type Tag struct{ Key, Value string }

// maxTags is how many tags a resource may have.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html (read 2026-11)
const maxTags = 50

// merge returns the tags with others set over them.
func merge(tags, over []Tag) ([]Tag, error) {
	out := append([]Tag(nil), tags...)
next:
	for _, t := range over {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, Invalid("Tag keys cannot start with the reserved prefix aws:")
		}
		for n := range out {
			if out[n].Key == t.Key {
				out[n].Value = t.Value
				continue next
			}
		}
		out = append(out, t)
	}
	if len(out) > maxTags {
		return nil, Invalid("A resource cannot have more than %d tags", maxTags)
	}
	return out, nil
}

// Tags returns the tags of a resource as of a moment, by its ARN.
func (r *Region) Tags(at time.Time, arn string) ([]Tag, error) {
	kind, id, err := r.tagged(arn)
	if err != nil {
		return nil, err
	}
	switch kind {
	case instanceShelf.resource:
		s, err := r.snapshots.Get(at, id)
		return s.Tags, err
	case clusterShelf.resource:
		s, err := r.clusterSnapshots.Get(at, id)
		return s.Tags, err
	case aCluster:
		c, err := r.Cluster(at, id)
		return c.Tags, err
	}
	i, err := r.Instance(at, id)
	return i.Tags, err
}

func (r *Region) tagged(arn string) (kind, id string, err error) {
	region, account, kind, id, ok := parseARN(arn)
	if !ok || region != r.region.Name() || account != r.model.cloud.AccountID() || !slices.Contains([]string{aDatabase, aCluster, instanceShelf.resource, clusterShelf.resource}, kind) {
		return "", "", Invalid("The specified resource name does not match an RDS resource in this region: %s", arn)
	}
	return kind, id, nil
}

// SetTags changes the tags of a resource, by its ARN, to what edit makes of
// them.
func (r *Region) SetTags(tx *awstest.Tx, arn string, edit func([]Tag) ([]Tag, error)) error {
	tags, err := r.Tags(tx.Now(), arn)
	if err != nil {
		return err
	}
	if tags, err = edit(tags); err != nil {
		return err
	}
	switch kind, id, _ := r.tagged(arn); kind {
	case instanceShelf.resource:
		r.snapshots.change(tx, id, func(s *Snapshot) { s.Tags = tags })
	case clusterShelf.resource:
		r.clusterSnapshots.change(tx, id, func(s *Snapshot) { s.Tags = tags })
	case aCluster:
		r.changeCluster(tx, id, func(c *Cluster) { c.Tags = tags })
	default:
		r.change(tx, id, func(i *Instance) { i.Tags = tags })
	}
	return nil
}

// AddTags returns what sets tags over others, for [Region.SetTags].
func AddTags(over []Tag) func([]Tag) ([]Tag, error) {
	return func(tags []Tag) ([]Tag, error) { return merge(tags, over) }
}

// key returns the ARN of the key that a resource is to be encrypted with, or
// the error of RDS for one that cannot be used.
func (r *Region) key(tx *awstest.Tx, ref string) (string, error) {
	k, err := r.model.keys.Region(r.region).Use(tx, ref)
	if err != nil {
		return "", awstest.Errorf("KMSKeyNotAccessibleFault", "The target KMS key [%s] does not exist, is not enabled or you do not have permissions to access it.", ref)
	}
	return k.ARN, nil
}

// unlocks tells whether a key, if there is one, can be used now.
func (r *Region) unlocks(tx *awstest.Tx, key string) bool {
	return key == "" || r.model.keys.Region(r.region).Usable(tx, key) == nil
}
