package snapshot

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
)

var (
	opCreateSnapshot  = operation{name: "CreateSnapshot", pace: paceCreate}
	opCreateSnapshots = operation{name: "CreateSnapshots", pace: paceCreate}
	opCopySnapshot    = operation{name: "CopySnapshot", pace: paceCopy}
	opDeleteSnapshot  = operation{name: "DeleteSnapshot", pace: paceDelete, repeat: true}
)

// volumes are volumes and instances, of which there are snapshots of EBS.
type volumes struct {
	region *region
	slots  slots
}

func (v *volumes) points(ctx context.Context, policy string, tags ...string) ([]*Point, error) {
	return v.describe(ctx, v.region.ownFilters(policy, tags))
}

// describe returns the snapshots of this owner that match the filters, but for those that images consist of.
func (v *volumes) describe(ctx context.Context, filters []types.Filter) (points []*Point, err error) {
	snapshots, err := v.region.describeSnapshots(ctx, filters)
	for i := range snapshots {
		if p, ok := v.region.point(&snapshots[i]); ok && p.Kind != KindImage {
			points = append(points, p)
		}
	}
	return points, err
}

// point reads a snapshot; ok is false for what is not of this owner.
func (r *region) point(s *types.Snapshot) (p *Point, ok bool) {
	tags := tagMap(s.Tags)
	id, ok := identify(tags, r.manager.opts.Owner)
	if !ok {
		return nil, false
	}
	p = id.point(r.name, aws.ToString(s.SnapshotId))
	p.Begun, p.Message, p.Progress, p.Tags = aws.ToTime(s.StartTime), aws.ToString(s.StateMessage), aws.ToString(s.Progress), tags
	p.State, p.SizeGiB = stateOf(s.State), int64(aws.ToInt32(s.VolumeSize))
	p.archived = s.StorageTier == types.StorageTierArchive
	if id.source.ID == "" { // a copy has one that is made up
		p.VolumeID = aws.ToString(s.VolumeId)
	}
	if aws.ToBool(s.Encrypted) {
		p.KMSKeyID = aws.ToString(s.KmsKeyId)
	}
	if p.Time.IsZero() {
		p.Time = p.Begun
	}
	return p, true
}

// stateOf returns how far a snapshot of EBS has come. One in the Recycle Bin is not listed.
func stateOf(s types.SnapshotState) State {
	switch s {
	case types.SnapshotStateCompleted:
		return Completed
	case types.SnapshotStateError:
		return Failed
	}
	return Pending
}

// readings asks for the snapshots of a slot by their tags if there are many, and else by their IDs.
func (v *volumes) readings(points []*Point) (list []reading) {
	type slot struct {
		policy string
		at     time.Time
	}
	bySlot := make(map[slot][]*Point)
	for _, p := range points {
		key := slot{p.Policy, p.Slot}
		bySlot[key] = append(bySlot[key], p)
	}
	var single []*Point
	for key, of := range bySlot {
		if len(of) <= maxFilterValues {
			single = append(single, of...)
			continue
		}
		list = append(list, v.reading(of, v.region.ownFilters(key.policy, []string{tagSlot, key.at.Format(slotFormat)})))
	}
	slices.SortFunc(single, func(a, b *Point) int { return cmp.Compare(a.ID, b.ID) })
	for of := range slices.Chunk(single, maxFilterValues) {
		list = append(list, v.reading(of, []types.Filter{{Name: aws.String("snapshot-id"), Values: idsOf(of)}}))
	}
	return list
}

func (v *volumes) reading(want []*Point, filters []types.Filter) reading {
	return reading{want: want, read: func(ctx context.Context) ([]*Point, error) { return v.describe(ctx, filters) }}
}

func idsOf(points []*Point) []string {
	ids := make([]string, len(points))
	for i, p := range points {
		ids[i] = p.ID
	}
	return ids
}

func (v *volumes) creates(k Kind) operation {
	if k == KindVolume {
		return opCreateSnapshot
	}
	return opCreateSnapshots
}

func (v *volumes) create(ctx context.Context, t *Target, id *identity, tags map[string]string) (points []*Point, err error) {
	specification, description := specify(tags, types.ResourceTypeSnapshot), aws.String(id.description())
	made := func(snapshot, volume *string, begun *time.Time, state types.SnapshotState, size *int32) *Point {
		p := id.point(v.region.name, aws.ToString(snapshot))
		p.Begun, p.Time, p.State = aws.ToTime(begun), aws.ToTime(begun), stateOf(state)
		p.VolumeID, p.SizeGiB, p.Tags = aws.ToString(volume), int64(aws.ToInt32(size)), tags
		return p
	}
	if t.Kind == KindVolume {
		s, err := v.region.clients.EC2.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{
			VolumeId: &t.ID, Description: description, TagSpecifications: specification,
		}, once)
		if err != nil {
			return nil, err
		}
		return []*Point{made(s.SnapshotId, s.VolumeId, s.StartTime, s.State, s.VolumeSize)}, nil
	}
	out, err := v.region.clients.EC2.CreateSnapshots(ctx, &ec2.CreateSnapshotsInput{
		Description: description, TagSpecifications: specification,
		InstanceSpecification: &types.InstanceSpecification{
			InstanceId: &t.ID, ExcludeBootVolume: aws.Bool(t.excludeBoot), ExcludeDataVolumeIds: t.exclude,
		},
	}, once)
	if err != nil {
		return nil, err
	}
	for i := range out.Snapshots {
		s := &out.Snapshots[i]
		points = append(points, made(s.SnapshotId, s.VolumeId, s.StartTime, s.State, s.VolumeSize))
	}
	return points, nil
}

func (v *volumes) copies() (operation, *slots) { return opCopySnapshot, &v.slots }

// copy asks EC2 with an input of its own: the SDK keeps the presigned request for the source in it.
func (v *volumes) copy(ctx context.Context, source *Point, rule *CopyRule, id *identity, tags map[string]string) (*Point, error) {
	in := &ec2.CopySnapshotInput{
		SourceRegion: &source.Region, SourceSnapshotId: &source.ID,
		Description: aws.String(id.description()), TagSpecifications: specify(tags, types.ResourceTypeSnapshot),
	}
	if rule.KMSKeyID != "" {
		in.Encrypted, in.KmsKeyId = aws.Bool(true), &rule.KMSKeyID
	}
	if rule.Completion > 0 {
		in.CompletionDurationMinutes = aws.Int32(int32(rule.Completion / time.Minute))
	}
	out, err := v.region.clients.EC2.CopySnapshot(ctx, in, once)
	if err != nil {
		return nil, err
	}
	p := id.point(v.region.name, aws.ToString(out.SnapshotId))
	p.Begun, p.SizeGiB, p.Tags = time.Now(), source.SizeGiB, tags
	return p, nil
}

func (v *volumes) deletes(string) operation { return opDeleteSnapshot }

func (v *volumes) delete(ctx context.Context, id string) error {
	return v.region.deleteSnapshot(ctx, id)
}

func (r *region) deleteSnapshot(ctx context.Context, id string) error {
	_, err := r.clients.EC2.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &id}, once)
	if awserr.Of(err) == awserr.NotFound {
		return nil
	}
	return err
}
