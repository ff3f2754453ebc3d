package snapshot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/internal/awserr"
)

var (
	opCreateImage            = operation{name: "CreateImage", pace: paceCreate, repeat: true}  // its name is taken the second time
	opCopyImage              = operation{name: "CopyImage", pace: paceCopyImage, repeat: true} // it has a name and a token
	opDeregisterImage        = operation{name: "DeregisterImage", pace: paceDelete, repeat: true}
	opEnableImageDeprecation = operation{name: "EnableImageDeprecation", pace: paceDelete, repeat: true}
)

// maxImageCopies is how many copies of images to a region may be under way.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/CopyingAMIs.html (read 2026-11)
const maxImageCopies = 100

// images are instances of which there are images.
type images struct {
	region *region
	slots  slots
}

// targets returns instances, with those of their volumes that are taken. The root volume is in every image.
func (s *images) targets(ctx context.Context, p *Policy) (targets []Target, missing []error, err error) {
	left, err := s.region.excluded(ctx, &p.Targets.Exclude)
	if err != nil {
		return nil, nil, err
	}
	found, err := selected(ctx, &p.Targets.Images, "instance-id", s.region.describeInstances, instanceOf)
	if err != nil {
		return nil, nil, err
	}
	missing = s.region.absent(p.Targets.Images.IDs, opDescribeInstances, func(id string) bool { return found[id] != nil })
	for _, id := range slices.Sorted(maps.Keys(found)) {
		i := found[id]
		t := Target{Series: Series{Kind: KindImage, ID: id}, Region: p.Region, Tags: tagMap(i.Tags), reboot: p.Targets.Reboot}
		for volume, device := range volumesOf(i) {
			if left[volume] && device != aws.ToString(i.RootDeviceName) {
				t.exclude = append(t.exclude, device)
			} else {
				t.Volumes = append(t.Volumes, volume)
			}
		}
		slices.Sort(t.Volumes)
		slices.Sort(t.exclude)
		targets = append(targets, t)
	}
	return targets, missing, nil
}

func (s *images) points(ctx context.Context, policy string, tags ...string) ([]*Point, error) {
	return s.describe(ctx, s.region.ownFilters(policy, tags))
}

// describe returns the images of this owner that match the filters.
func (s *images) describe(ctx context.Context, filters []types.Filter) (points []*Point, err error) {
	images, err := s.region.describeImages(ctx, filters)
	for i := range images {
		if p, ok := s.point(&images[i]); ok {
			points = append(points, p)
		}
	}
	return points, err
}

// point reads an image; ok is false for what is not of this owner.
func (s *images) point(i *types.Image) (p *Point, ok bool) {
	tags := tagMap(i.Tags)
	id, ok := identify(tags, s.region.manager.opts.Owner)
	if !ok || id.series.Kind != KindImage || !id.named(aws.ToString(i.Name)) {
		return nil, false
	}
	p = id.point(s.region.name, aws.ToString(i.ImageId))
	p.Tags, p.State, p.Snapshots = tags, imageState(i.State), snapshotsOf(i)
	p.Begun, p.Deprecated = imageTime(i.CreationDate), imageTime(i.DeprecationTime)
	if p.protected = aws.ToString(i.DeregistrationProtection); p.protected == "disabled" {
		p.protected = ""
	}
	if i.StateReason != nil {
		p.Message = aws.ToString(i.StateReason.Message)
	}
	for k := range i.BlockDeviceMappings {
		if e := i.BlockDeviceMappings[k].Ebs; e != nil {
			p.SizeGiB += int64(aws.ToInt32(e.VolumeSize))
			if aws.ToBool(e.Encrypted) && p.KMSKeyID == "" {
				p.KMSKeyID = aws.ToString(e.KmsKeyId)
			}
		}
	}
	if p.Time.IsZero() {
		p.Time = p.Begun
	}
	return p, true
}

// imageTime reads a time of an image, such as 2026-11-23T03:00:00.000Z; zero if there is none.
func imageTime(text *string) time.Time {
	t, err := time.Parse(time.RFC3339, aws.ToString(text))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// imageState returns how far an image has come. A disabled one can be enabled again, and counts.
func imageState(s types.ImageState) State {
	switch s {
	case types.ImageStateAvailable, types.ImageStateDisabled:
		return Completed
	case types.ImageStateFailed, types.ImageStateError, types.ImageStateInvalid, types.ImageStateDeregistered:
		return Failed
	}
	return Pending
}

// leftoverAge is how old a snapshot is at least whose image counts as gone: reads of images may be behind those of snapshots.
const leftoverAge = time.Hour

// leftovers returns the snapshots whose image is gone: those that were not deleted with it. They count as failed.
func (s *images) leftovers(ctx context.Context, policy string, points []*Point) (left []*Point, err error) {
	used, making := make(map[string]bool), make(map[string]bool)
	for _, p := range points {
		for _, id := range p.Snapshots {
			used[id] = true
		}
		if p.State == Pending { // it does not name its snapshots yet
			making[p.Set+p.Source.ID] = true
		}
	}
	filters := append(s.region.ownFilters(policy, nil), types.Filter{Name: aws.String("tag:" + tagSeries), Values: []string{string(KindImage) + "/*"}})
	snapshots, err := s.region.describeSnapshots(ctx, filters)
	for i := range snapshots {
		p, ok := s.region.point(&snapshots[i])
		if ok && p.Kind == KindImage && !used[p.ID] && !making[p.Set+p.Source.ID] && time.Since(p.Begun) > leftoverAge {
			p.State, p.Message = Failed, "its image is gone"
			p.Set, p.Time = p.ID, p.Begun // it stands alone, and is as old as it is
			left = append(left, p)
		}
	}
	return left, err
}

func (s *images) readings(points []*Point) (list []reading) {
	for of := range slices.Chunk(points, maxFilterValues) {
		filters := []types.Filter{{Name: aws.String("image-id"), Values: idsOf(of)}}
		list = append(list, reading{want: of, read: func(ctx context.Context) ([]*Point, error) { return s.describe(ctx, filters) }})
	}
	return list
}

// holds looks which images are protected, and what keeps snapshots that were left over.
func (s *images) holds(ctx context.Context, points []*Point, hold func(string, Hold)) error {
	var left []*Point
	for _, p := range points {
		switch {
		case isSnapshot(p.ID):
			left = append(left, p)
		case p.protected != "":
			hold(p.ID, Hold{Kind: HeldByProtection, Detail: p.protected})
		}
	}
	if len(left) == 0 {
		return nil
	}
	return s.region.snapshotHolds(ctx, left, hold)
}

func isSnapshot(id string) bool { return strings.HasPrefix(id, "snap-") }

func (s *images) creates(Kind) operation { return opCreateImage }

func (s *images) create(ctx context.Context, t *Target, id *identity, tags map[string]string) ([]*Point, error) {
	in := &ec2.CreateImageInput{
		InstanceId: &t.ID, Name: aws.String(id.name(s.region.manager.opts.Owner)), Description: aws.String(id.description()),
		NoReboot: aws.Bool(!t.reboot), TagSpecifications: specify(tags, types.ResourceTypeImage, types.ResourceTypeSnapshot),
	}
	for _, device := range t.exclude {
		in.BlockDeviceMappings = append(in.BlockDeviceMappings, types.BlockDeviceMapping{DeviceName: &device, NoDevice: aws.String("")})
	}
	out, err := s.region.clients.EC2.CreateImage(ctx, in, once)
	if err != nil {
		return nil, err
	}
	p := id.point(s.region.name, aws.ToString(out.ImageId))
	p.Begun, p.Tags = time.Now(), tags
	p.Time = p.Begun
	return []*Point{p}, nil
}

func (s *images) copies() (operation, *slots) { return opCopyImage, &s.slots }

func (s *images) copy(ctx context.Context, source *Point, rule *CopyRule, id *identity, tags map[string]string) (*Point, error) {
	in := &ec2.CopyImageInput{
		SourceRegion: &source.Region, SourceImageId: &source.ID, Name: aws.String(id.name(s.region.manager.opts.Owner)), ClientToken: &id.token,
		Description: aws.String(id.description()), TagSpecifications: specify(tags, types.ResourceTypeImage, types.ResourceTypeSnapshot),
	}
	if rule.KMSKeyID != "" {
		in.Encrypted, in.KmsKeyId = aws.Bool(true), &rule.KMSKeyID
	}
	if rule.Completion > 0 {
		in.SnapshotCopyCompletionDurationMinutes = aws.Int64(int64(rule.Completion / time.Minute))
	}
	out, err := s.region.clients.EC2.CopyImage(ctx, in, once)
	if err != nil {
		return nil, err
	}
	p := id.point(s.region.name, aws.ToString(out.ImageId))
	p.Begun, p.SizeGiB, p.Tags = time.Now(), source.SizeGiB, tags
	return p, nil
}

func (s *images) deletes(id string) operation {
	if isSnapshot(id) {
		return opDeleteSnapshot
	}
	return opDeregisterImage
}

// delete deregisters an image and deletes its snapshots. Those that AWS leaves are deleted as what is left over, later.
func (s *images) delete(ctx context.Context, id string) error {
	if isSnapshot(id) {
		return s.region.deleteSnapshot(ctx, id)
	}
	_, err := s.region.clients.EC2.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &id, DeleteAssociatedSnapshots: aws.Bool(true)}, once)
	switch awserr.Of(err) {
	case awserr.NotFound, awserr.Gone:
		return nil
	}
	return err
}

// Deprecate has the images of a policy, and the copies of them, be deprecated Targets.DeprecateAfter after their data were taken. An image that is deprecated is not
// found by others any more, and can be launched all the same. It takes a read, and a call for each image that has another time.
func (m *Manager) Deprecate(ctx context.Context, p *Policy) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Targets.DeprecateAfter == 0 || p.Targets.Images.IsZero() {
		return nil
	}
	var errs []error
	for _, name := range p.regions() {
		s := &m.region(name).images
		points, err := s.points(ctx, p.Name)
		errs = append(errs, err)
		for _, point := range points {
			if point.State == Completed {
				errs = append(errs, s.deprecate(ctx, point, point.Time.Add(p.Targets.DeprecateAfter)))
			}
		}
	}
	return errors.Join(errs...)
}

// deprecate gives an image its time, to the minute as EC2 has it, and not one that is past, which EC2 refuses.
func (s *images) deprecate(ctx context.Context, p *Point, at time.Time) error {
	at = at.Truncate(time.Minute)
	if p.Deprecated.Equal(at) || !p.Deprecated.IsZero() && p.Deprecated.Before(time.Now()) {
		return nil
	}
	if soon := time.Now().Add(2 * time.Minute).Truncate(time.Minute); at.Before(soon) {
		at = soon
	}
	return s.region.do(ctx, opEnableImageDeprecation, p.ID, func(ctx context.Context) error {
		_, err := s.region.clients.EC2.EnableImageDeprecation(ctx, &ec2.EnableImageDeprecationInput{ImageId: &p.ID, DeprecateAt: aws.Time(at.UTC())}, once)
		return err
	})
}
