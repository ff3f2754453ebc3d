package conformance_test

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LockSnapshot.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
var imageScenarios = []scenario{
	{
		name: "an image is made of an instance",
		run: func(s *session) {
			instance := s.launch("the instance").id
			name := "awsha-" + s.mark
			out, err := s.createImage(instance, name)
			if !s.accepted("the call", err) {
				return
			}
			id := *out.ImageId
			s.call(id, "the image")
			s.shows("state", "available", func() string { return s.imageState(s.ec2, id) })
			shown := must(s.describeImage(s.ec2, id))(s)
			s.is("its name", told(shown.Name), name)
			s.is("what it is made of", s.told(told(shown.SourceInstanceId)), "the instance")
			s.is("its volumes", fmt.Sprint(len(shown.BlockDeviceMappings)), "1")
			s.is("protection", told(shown.DeregistrationProtection), "disabled")
			part := *shown.BlockDeviceMappings[0].Ebs.SnapshotId
			s.shows("found by its snapshot", "the image", func() string {
				return s.imagesBy(filters("block-device-mapping.snapshot-id", part))
			})
			s.shows("found by a tag", "the image", func() string { return s.imagesBy(filters("tag:"+markKey, s.mark)) })
			_, err = s.createImage(instance, name)
			s.refused("the name again", err, "InvalidAMIName.Duplicate")
			_, err = s.ec2.DeleteSnapshot(s.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &part})
			s.refused("deletion of its snapshot", err, "InvalidSnapshot.InUse")
			_, err = s.ec2.DeregisterImage(s.Context(), &ec2.DeregisterImageInput{ImageId: &id, DeleteAssociatedSnapshots: aws.Bool(true)})
			s.accepted("deregistration", err)
			s.shows("the image then", "InvalidAMIID.NotFound", func() string { return s.imageState(s.ec2, id) })
			s.shows("the snapshot then", "InvalidSnapshot.NotFound", func() string { return s.snapshotState(s.ec2, part) })
			_, err = s.ec2.DeregisterImage(s.Context(), &ec2.DeregisterImageInput{ImageId: &id})
			s.refused("deregistration again", err, "InvalidAMIID.Unavailable", "InvalidAMIID.NotFound")
		},
		differs: []difference{
			{on: motoName, at: "protection", does: "none"},
			{on: motoName, at: "found by its snapshot", does: "not implemented"},
			{on: motoName, at: "the name again", does: "accepted"},
			{on: motoName, at: "the image then", does: "not there"},
			{on: motoName, at: "the snapshot then", does: "completed"},
		},
	},
	{
		name: "an image is disabled, deprecated and protected",
		run: func(s *session) {
			id := s.imageOf("the image", s.launch("the instance").id)
			at := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Minute)
			_, err := s.ec2.EnableImageDeprecation(s.Context(), &ec2.EnableImageDeprecationInput{ImageId: &id, DeprecateAt: &at})
			if s.accepted("deprecation", err) {
				s.shows("its time", at.Format("2006-01-02T15:04:05.000Z"), func() string { return s.imageShows(id, func(i *types.Image) *string { return i.DeprecationTime }) })
			}
			_, err = s.ec2.EnableImageDeprecation(s.Context(), &ec2.EnableImageDeprecationInput{ImageId: &id, DeprecateAt: aws.Time(time.Now().Add(-time.Hour))})
			s.is("one that is past", fmt.Sprint(err != nil), "true")
			_, err = s.ec2.DisableImageDeprecation(s.Context(), &ec2.DisableImageDeprecationInput{ImageId: &id})
			s.accepted("no deprecation", err)
			_, err = s.ec2.DisableImage(s.Context(), &ec2.DisableImageInput{ImageId: &id})
			if s.accepted("disabling", err) {
				s.shows("state", "disabled", func() string { return s.imageState(s.ec2, id) })
			}
			_, err = s.ec2.EnableImage(s.Context(), &ec2.EnableImageInput{ImageId: &id})
			s.accepted("enabling", err)
			_, err = s.ec2.EnableImageDeregistrationProtection(s.Context(), &ec2.EnableImageDeregistrationProtectionInput{ImageId: &id})
			if s.accepted("protection", err) {
				_, err = s.ec2.DeregisterImage(s.Context(), &ec2.DeregisterImageInput{ImageId: &id})
				s.is("deregistration", fmt.Sprint(err != nil), "true")
			}
			_, err = s.ec2.DisableImageDeregistrationProtection(s.Context(), &ec2.DisableImageDeregistrationProtectionInput{ImageId: &id})
			s.accepted("no protection", err)
		},
		differs: []difference{
			{on: motoName, at: "deprecation", does: "not implemented"},
			{on: motoName, at: "no deprecation", does: "not implemented"},
			{on: motoName, at: "disabling", does: "not implemented"},
			{on: motoName, at: "enabling", does: "not implemented"},
			{on: motoName, at: "protection", does: "not implemented"},
			{on: motoName, at: "no protection", does: "not implemented"},
		},
	},
	{
		name: "an image is copied to another region",
		run: func(s *session) {
			id := s.imageOf("the image", s.launch("the instance").id)
			name := "awsha-" + s.mark + "-copy"
			ask := func() *ec2.CopyImageInput {
				return &ec2.CopyImageInput{
					SourceRegion: &s.regions[0], SourceImageId: &id, Name: &name, ClientToken: aws.String(s.mark),
					TagSpecifications: s.tagged(types.ResourceTypeImage),
				}
			}
			out, err := s.elsewhere.CopyImage(s.Context(), ask())
			if !s.accepted("the call", err) {
				return
			}
			made := *out.ImageId
			s.call(made, "the copy")
			s.takesAway(s.elsewhere, made)
			s.shows("state", "available", func() string { return s.imageState(s.elsewhere, made) })
			again, err := s.elsewhere.CopyImage(s.Context(), ask())
			if s.accepted("the token again", err) {
				if *again.ImageId != made {
					s.takesAway(s.elsewhere, *again.ImageId)
				}
				s.is("what it made", same(*again.ImageId, made), "the same")
			}
			shown := must(s.describeImage(s.elsewhere, made))(s)
			s.is("its source", s.told(told(shown.SourceImageId)), "the image")
			s.is("the region of that", fmt.Sprint(told(shown.SourceImageRegion) == s.regions[0]), "true")
		},
		differs: []difference{
			{on: motoName, at: "what it made", does: "another"},
			{on: motoName, at: "its source", does: "none"},
			{on: motoName, at: "the region of that", does: "false"},
		},
	},
	{
		name: "a snapshot is locked",
		run: func(s *session) {
			id := s.snapshot("the snapshot", s.volume("the volume", *s.subnets()[0].AvailabilityZone))
			_, err := s.ec2.LockSnapshot(s.Context(), &ec2.LockSnapshotInput{SnapshotId: &id, LockMode: types.LockModeGovernance, LockDuration: aws.Int32(1)})
			if !s.accepted("the lock", err) {
				return
			}
			s.shows("its state", "governance", func() string {
				out, err := s.ec2.DescribeLockedSnapshots(s.Context(), &ec2.DescribeLockedSnapshotsInput{SnapshotIds: []string{id}})
				if err != nil || len(out.Snapshots) == 0 {
					return outcome(err)
				}
				return string(out.Snapshots[0].LockState)
			})
			_, err = s.ec2.DeleteSnapshot(s.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &id})
			s.is("deletion", fmt.Sprint(err != nil), "true")
			_, err = s.ec2.UnlockSnapshot(s.Context(), &ec2.UnlockSnapshotInput{SnapshotId: &id})
			s.accepted("unlocking", err)
			_, err = s.ec2.DeleteSnapshot(s.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &id})
			s.accepted("deletion then", err)
		},
		differs: []difference{
			{on: motoName, at: "the lock", does: "not implemented"},
		},
	},
}

// createImage begins an image, which goes at the end with its snapshots.
func (s *session) createImage(instance, name string) (*ec2.CreateImageOutput, error) {
	out, err := s.ec2.CreateImage(s.Context(), &ec2.CreateImageInput{
		InstanceId: &instance, Name: &name, NoReboot: aws.Bool(true),
		TagSpecifications: s.tagged(types.ResourceTypeImage),
	})
	if err != nil {
		return nil, err
	}
	s.takesAway(s.ec2, *out.ImageId)
	return out, nil
}

// takesAway takes an image and its snapshots away at the end.
func (s *session) takesAway(client *ec2.Client, id string) {
	s.cleanly(id, func(ctx context.Context) error {
		shown, err := client.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{id}, IncludeDisabled: aws.Bool(true)})
		if err != nil || len(shown.Images) == 0 {
			return unless(err, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")
		}
		_, err = client.DeregisterImage(ctx, &ec2.DeregisterImageInput{ImageId: &id})
		if err := unless(err, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"); err != nil {
			return err
		}
		for _, d := range shown.Images[0].BlockDeviceMappings {
			if d.Ebs != nil && d.Ebs.SnapshotId != nil {
				if err := s.deleteSnapshot(ctx, client, *d.Ebs.SnapshotId); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// imageOf returns an image that is available.
func (s *session) imageOf(name, instance string) string {
	s.Helper()
	id := *must(s.createImage(instance, "awsha-"+s.mark))(s).ImageId
	s.call(id, name)
	if got := s.await("", "available", func() string { return s.imageState(s.ec2, id) }); got != "available" {
		s.Fatalf("%s (%s) is %s and not available", name, id, got)
	}
	return id
}

func (s *session) describeImage(client *ec2.Client, id string) (*types.Image, error) {
	out, err := client.DescribeImages(s.Context(), &ec2.DescribeImagesInput{ImageIds: []string{id}, IncludeDisabled: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	if len(out.Images) == 0 {
		return &types.Image{State: "not there"}, nil
	}
	return &out.Images[0], nil
}

func (s *session) imageState(client *ec2.Client, id string) string {
	return shownImage(s, client, id, func(i *types.Image) string { return string(i.State) })
}

func (s *session) imageShows(id string, of func(*types.Image) *string) string {
	return shownImage(s, s.ec2, id, func(i *types.Image) string { return told(of(i)) })
}

func shownImage(s *session, client *ec2.Client, id string, of func(*types.Image) string) string {
	shown, err := s.describeImage(client, id)
	if err != nil {
		return outcome(err)
	}
	return of(shown)
}

func (s *session) imagesBy(by []types.Filter) string {
	out, err := s.ec2.DescribeImages(s.Context(), &ec2.DescribeImagesInput{Owners: []string{"self"}, Filters: by})
	if err != nil {
		return outcome(err)
	}
	var ids []string
	for i := range out.Images {
		ids = append(ids, *out.Images[i].ImageId)
	}
	return s.set(ids)
}
