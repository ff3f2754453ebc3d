package snapshot

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

var (
	opDescribeLockedSnapshots    = operation{name: "DescribeLockedSnapshots", pace: paceRead, repeat: true}
	opDescribeSnapshotTierStatus = operation{name: "DescribeSnapshotTierStatus", pace: paceRead, repeat: true}
)

// serviceHolds are those of what another service manages, which it shows by its tags.
func serviceHolds(tags map[string]string) []Hold {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if strings.HasPrefix(key, "aws:backup:") || strings.HasPrefix(key, "aws:dlm:") {
			return []Hold{{Kind: HeldByService, Detail: key}}
		}
	}
	return nil
}

// holds reads of which of the snapshots images are made, which are locked, and since when those in the archive are there.
func (v *volumes) holds(ctx context.Context, points []*Point, hold func(string, Hold)) error {
	return v.region.snapshotHolds(ctx, points, hold)
}

func (r *region) snapshotHolds(ctx context.Context, points []*Point, hold func(string, Hold)) error {
	want := make(map[string]bool, len(points))
	for _, p := range points {
		want[p.ID] = true
	}
	for some := range slices.Chunk(idsOf(points), maxFilterValues) {
		images, err := r.describeImages(ctx, []types.Filter{{Name: aws.String("block-device-mapping.snapshot-id"), Values: some}})
		if err != nil {
			return err
		}
		for i := range images {
			for _, id := range snapshotsOf(&images[i]) {
				if want[id] {
					hold(id, Hold{Kind: HeldByImage, Detail: aws.ToString(images[i].ImageId)})
				}
			}
		}
	}
	if err := r.readLocks(ctx, want, hold); err != nil {
		return err
	}
	return r.readArchived(ctx, points, hold)
}

// snapshotsOf returns what an image consists of.
func snapshotsOf(i *types.Image) (ids []string) {
	for k := range i.BlockDeviceMappings {
		if e := i.BlockDeviceMappings[k].Ebs; e != nil && e.SnapshotId != nil {
			ids = append(ids, *e.SnapshotId)
		}
	}
	return ids
}

func (r *region) readLocks(ctx context.Context, want map[string]bool, hold func(string, Hold)) error {
	return pages(ctx, r, opDescribeLockedSnapshots, func(ctx context.Context, next *string) (*string, error) {
		out, err := r.clients.EC2.DescribeLockedSnapshots(ctx, &ec2.DescribeLockedSnapshotsInput{MaxResults: aws.Int32(maxResults), NextToken: next}, once)
		if err != nil {
			return nil, err
		}
		for i := range out.Snapshots {
			lock := &out.Snapshots[i]
			if id := aws.ToString(lock.SnapshotId); want[id] && lock.LockState != types.LockStateExpired {
				hold(id, Hold{Kind: HeldByLock, Detail: string(lock.LockState)})
			}
		}
		return out.NextToken, nil
	})
}

// archivePeriod is for how long the archive is charged for, whenever a snapshot leaves it.
// Source: https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive.html#archive-considerations (read 2026-11)
const archivePeriod = 90 * 24 * time.Hour

func (r *region) readArchived(ctx context.Context, points []*Point, hold func(string, Hold)) error {
	archived := slices.DeleteFunc(slices.Clone(points), func(p *Point) bool { return !p.archived })
	for some := range slices.Chunk(idsOf(archived), maxFilterValues) {
		filters := []types.Filter{{Name: aws.String("snapshot-id"), Values: some}}
		if err := pages(ctx, r, opDescribeSnapshotTierStatus, func(ctx context.Context, next *string) (*string, error) {
			out, err := r.clients.EC2.DescribeSnapshotTierStatus(ctx, &ec2.DescribeSnapshotTierStatusInput{Filters: filters, MaxResults: aws.Int32(maxResults), NextToken: next}, once)
			if err != nil {
				return nil, err
			}
			for i := range out.SnapshotTierStatuses {
				s := &out.SnapshotTierStatuses[i]
				archived := time.Now() // or is being
				if s.ArchivalCompleteTime != nil {
					archived = *s.ArchivalCompleteTime
				}
				if until := archived.Add(archivePeriod); time.Now().Before(until) {
					hold(aws.ToString(s.SnapshotId), Hold{Kind: HeldByArchive, Detail: "until " + until.UTC().Format(time.DateOnly)})
				}
			}
			return out.NextToken, nil
		}); err != nil {
			return err
		}
	}
	return nil
}
