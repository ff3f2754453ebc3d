package snapshot

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/internal/awserr"
)

// rdsStore is DB instances or DB clusters, of which there are manual snapshots.
type rdsStore struct {
	region *region
	kind   Kind
	api    rdsCalls
	ops    *rdsOps
}

// rdsCalls are the calls of RDS, each once. Lists are in pages, with the marker of the next.
type rdsCalls interface {
	targets(ctx context.Context, marker *string) (tags map[string][]types.Tag, next *string, err error)
	snapshots(ctx context.Context, marker *string) (list []record, next *string, err error)
	create(ctx context.Context, of, name string, tags []types.Tag) (record, error)
	copy(ctx context.Context, source *Point, key *string, name string, tags []types.Tag) (record, error)
	delete(ctx context.Context, name string) error
}

// rdsOps are the operations behind them.
type rdsOps struct{ targets, snapshots, create, copy, delete operation }

// record is a snapshot, as far as DB instances and clusters have the same.
type record struct {
	id, arn, state, key, engine *string
	begun                       *time.Time
	percent, sizeGiB            *int32
	tags                        []types.Tag
}

// maxRecords is the size of RDS's pages. Source: DescribeDBSnapshotsInput.MaxRecords of the SDK (read 2026-11)
const maxRecords = 100

// manual is the type of snapshots that are not RDS's own.
const manual = "manual"

// onceRDS keeps the SDK's client for RDS from repeating calls.
func onceRDS(o *rds.Options) { o.Retryer = aws.NopRetryer{} }

// targets reads all there is: RDS has no filter by tag, and knows no empty answer for a name.
func (s *rdsStore) targets(ctx context.Context, p *Policy) (targets []Target, missing []error, err error) {
	all := make(map[string]map[string]string)
	if err := pages(ctx, s.region, s.ops.targets, func(ctx context.Context, marker *string) (*string, error) {
		list, next, err := s.api.targets(ctx, marker)
		for id, tags := range list {
			all[id] = rdsTagMap(tags)
		}
		return next, err
	}); err != nil {
		return nil, nil, err
	}
	selector := &p.Targets.Databases
	if s.kind == KindCluster {
		selector = &p.Targets.Clusters
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(selector.IDs, id) || len(selector.Tags) > 0 && has(all[id], selector.Tags) {
			targets = append(targets, Target{Series: Series{Kind: s.kind, ID: id}, Region: p.Region, Tags: all[id]})
		}
	}
	return targets, s.region.absent(selector.IDs, s.ops.targets, func(id string) bool { return all[id] != nil }), nil
}

// has reports whether all of some tags are among others.
func has(tags, all map[string]string) bool {
	for key, value := range all {
		if v, ok := tags[key]; !ok || v != value {
			return false
		}
	}
	return true
}

func (s *rdsStore) points(ctx context.Context, policy string, tags ...string) (points []*Point, err error) {
	want := map[string]string{tagPolicy: policy}
	for i := 0; i < len(tags); i += 2 {
		want[tags[i]] = tags[i+1]
	}
	return s.read(ctx, want)
}

// read returns the snapshots of this owner that have all of the tags.
func (s *rdsStore) read(ctx context.Context, tags map[string]string) (points []*Point, err error) {
	err = pages(ctx, s.region, s.ops.snapshots, func(ctx context.Context, marker *string) (*string, error) {
		list, next, err := s.api.snapshots(ctx, marker)
		for i := range list {
			if p, ok := s.point(&list[i]); ok && has(p.Tags, tags) {
				points = append(points, p)
			}
		}
		return next, err
	})
	return points, err
}

// point reads a snapshot; ok is false for what is not of this owner.
func (s *rdsStore) point(r *record) (p *Point, ok bool) {
	tags := rdsTagMap(r.tags)
	id, ok := identify(tags, s.region.manager.opts.Owner)
	if !ok || id.series.Kind != s.kind || !id.named(aws.ToString(r.id)) {
		return nil, false
	}
	p = id.point(s.region.name, aws.ToString(r.id))
	p.Tags, p.arn, p.engine, p.KMSKeyID = tags, aws.ToString(r.arn), aws.ToString(r.engine), aws.ToString(r.key)
	p.SizeGiB = int64(aws.ToInt32(r.sizeGiB))
	p.Begun, p.State = id.slot, rdsState(aws.ToString(r.state))
	if r.begun != nil { // which one that is not completed does not tell
		p.Begun = *r.begun
	}
	if r.percent != nil {
		p.Progress = strconv.Itoa(int(*r.percent)) + "%"
	}
	if p.State == Failed {
		p.Message = "its state is " + aws.ToString(r.state)
	}
	if p.Time.IsZero() {
		p.Time = p.Begun
	}
	return p, true
}

// rdsState returns how far a snapshot of RDS has come. The API lists no states, so what is not known is waited for: others have stumbled
// over "pending".
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ManagingManualBackups.html (read 2026-11), and
// https://github.com/hashicorp/terraform-provider-aws/issues/29399
func rdsState(state string) State {
	switch state {
	case "available":
		return Completed
	case "failed", "error", "incompatible-restore", "deleted", "deleting":
		return Failed
	}
	return Pending
}

// readings read all there is: 100 manual snapshots are the default limit of a region, which is one page.
func (s *rdsStore) readings(points []*Point) []reading {
	return []reading{{want: points, read: func(ctx context.Context) ([]*Point, error) { return s.read(ctx, nil) }}}
}

func (s *rdsStore) holds(context.Context, []*Point, func(string, Hold)) error { return nil }

func (s *rdsStore) creates(Kind) operation { return s.ops.create }

func (s *rdsStore) create(ctx context.Context, t *Target, id *identity, tags map[string]string) ([]*Point, error) {
	made, err := s.api.create(ctx, t.ID, id.name(s.region.manager.opts.Owner), rdsTags(tags))
	if err != nil {
		return nil, err
	}
	return []*Point{s.made(&made, id, tags)}, nil
}

// made is what a call has begun to make. RDS tells the time of the data only when it has them.
func (s *rdsStore) made(r *record, id *identity, tags map[string]string) *Point {
	p := id.point(s.region.name, aws.ToString(r.id))
	p.Begun, p.Tags, p.arn, p.State, p.SizeGiB = time.Now(), tags, aws.ToString(r.arn), rdsState(aws.ToString(r.state)), int64(aws.ToInt32(r.sizeGiB))
	if p.Time.IsZero() {
		p.Time = p.Begun
	}
	return p
}

func (s *rdsStore) copies() (operation, *slots) { return s.ops.copy, &s.region.rdsSlots }

// rdsDefaultKey is the key of an account for RDS: an encrypted copy from another region has to name one.
// Source: CopyDBSnapshotInput.KmsKeyId of the SDK, and
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html (read 2026-11)
const rdsDefaultKey = "alias/aws/rds"

func (s *rdsStore) copy(ctx context.Context, source *Point, rule *CopyRule, id *identity, tags map[string]string) (*Point, error) {
	var key *string
	switch {
	case source.KMSKeyID == "" && s.kind == KindCluster: // RDS refuses a key for it
	case rule.KMSKeyID != "":
		key = &rule.KMSKeyID
	case source.KMSKeyID != "":
		key = aws.String(rdsDefaultKey)
	}
	made, err := s.api.copy(ctx, source, key, id.name(s.region.manager.opts.Owner), rdsTags(tags))
	if err != nil {
		return nil, err
	}
	return s.made(&made, id, tags), nil
}

func (s *rdsStore) deletes(string) operation { return s.ops.delete }

func (s *rdsStore) delete(ctx context.Context, id string) error {
	err := s.api.delete(ctx, id)
	if awserr.Of(err) == awserr.NotFound {
		return nil
	}
	return err
}

func rdsTagMap(tags []types.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for i := range tags {
		m[aws.ToString(tags[i].Key)] = aws.ToString(tags[i].Value)
	}
	return m
}

func rdsTags(tags map[string]string) []types.Tag {
	list := make([]types.Tag, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}
