package conformance_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
var snapshotScenarios = []scenario{
	{
		name: "a snapshot is made, restored and deleted",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			volume := s.volume("the volume", zone, func(in *ec2.CreateVolumeInput) { in.Size = aws.Int32(2) })
			out := must(s.createSnapshot(volume, tag("role", "backup")))(s)
			id := *out.SnapshotId
			s.call(id, "the snapshot")
			s.is("state in the answer", string(out.State), "pending")
			s.shows("state", "completed", func() string { return s.snapshotState(s.ec2, id) })
			shown := must(s.describeSnapshot(s.ec2, id))(s)
			s.is("volume and size", fmt.Sprintf("%s, %d GiB", *shown.VolumeId, *shown.VolumeSize), "the volume, 2 GiB")
			s.is("progress", told(shown.Progress), "100%")
			s.is("encryption", fmt.Sprint(aws.ToBool(shown.Encrypted)), "false")
			s.call(s.mark, "MARK")
			s.is("tags", tagsOf(shown.Tags), markKey+"=MARK role=backup")
			restored, err := s.createVolume(zone, func(in *ec2.CreateVolumeInput) { in.Size, in.SnapshotId = nil, &id })
			if s.accepted("a volume of it", err) {
				s.is("its size and snapshot", fmt.Sprintf("%d GiB of %s", aws.ToInt32(restored.Size), told(restored.SnapshotId)), "2 GiB of the snapshot")
			}
			_, err = s.createVolume(zone, func(in *ec2.CreateVolumeInput) { in.SnapshotId = &id })
			s.refused("a smaller volume of it", err, "InvalidParameterValue")
			_, err = s.ec2.DeleteSnapshot(s.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &id})
			s.accepted("deletion", err)
			s.shows("deleted", "InvalidSnapshot.NotFound", func() string { return s.snapshotState(s.ec2, id) })
			_, err = s.ec2.DeleteSnapshot(s.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &id})
			s.refused("deletion again", err, "InvalidSnapshot.NotFound")
		},
		differs: []difference{
			{on: motoName, at: "state in the answer", does: "completed"},
			{on: motoName, at: "a smaller volume of it", does: "accepted"},
		},
	},
	{
		name: "snapshots are refused",
		run: func(s *session) {
			unknownVolume, unknownSnapshot := "vol"+unknown, "snap"+unknown
			_, err := s.ec2.CreateSnapshot(s.Context(), &ec2.CreateSnapshotInput{VolumeId: &unknownVolume})
			s.refused("of an unknown volume", err, "InvalidVolume.NotFound")
			_, err = s.ec2.CreateSnapshot(s.Context(), &ec2.CreateSnapshotInput{VolumeId: &unknownVolume, DryRun: aws.Bool(true)})
			s.refused("no more than a trial", err, "DryRunOperation")
			_, err = s.ec2.CreateSnapshots(s.Context(), &ec2.CreateSnapshotsInput{InstanceSpecification: &types.InstanceSpecification{InstanceId: aws.String("i" + unknown)}})
			s.refused("of an unknown instance", err, "InvalidInstanceID.NotFound")
			_, err = s.ec2.DeleteSnapshot(s.Context(), &ec2.DeleteSnapshotInput{SnapshotId: &unknownSnapshot})
			s.refused("deletion of an unknown one", err, "InvalidSnapshot.NotFound")
			_, err = s.createVolume(*s.subnets()[0].AvailabilityZone, func(in *ec2.CreateVolumeInput) { in.SnapshotId = &unknownSnapshot })
			s.refused("a volume of an unknown one", err, "InvalidSnapshot.NotFound")
			s.is("an unknown one", s.snapshotState(s.ec2, unknownSnapshot), "InvalidSnapshot.NotFound")
			s.is("what is none", s.snapshotState(s.ec2, "snapshot"), "InvalidSnapshotID.Malformed")
			_, err = s.ec2.DescribeSnapshots(s.Context(), &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, MaxResults: aws.Int32(4)})
			s.refused("small pages", err, "InvalidParameterValue")
			_, err = s.elsewhere.CopySnapshot(s.Context(), &ec2.CopySnapshotInput{SourceRegion: &s.regions[0], SourceSnapshotId: &unknownSnapshot})
			s.refused("a copy of an unknown one", err, "InvalidSnapshot.NotFound")
		},
		differs: []difference{
			{on: motoName, at: "what is none", does: "InvalidSnapshot.NotFound"},
			{on: motoName, at: "small pages", does: "accepted"},
		},
	},
	{
		// Source: errors-overview.html, SnapshotCreationPerVolumeRateExceeded
		name: "a volume rests between two snapshots",
		run: func(s *session) {
			volume := s.volume("the volume", *s.subnets()[0].AvailabilityZone)
			must(s.createSnapshot(volume))(s)
			_, err := s.createSnapshot(volume)
			s.refused("another one at once", err, "SnapshotCreationPerVolumeRateExceeded")
		},
		differs: []difference{
			{on: motoName, at: "another one at once", does: "accepted"},
		},
	},
	{
		name: "snapshots are found by filters",
		run: func(s *session) {
			zone := *s.subnets()[0].AvailabilityZone
			one, two := s.volume("the first volume", zone), s.volume("the second volume", zone)
			a := s.snapshot("the first", one, tag("role", "a"))
			b := s.snapshot("the second", two, tag("role", "b"))
			mine := "tag:" + markKey
			for what, c := range map[string]struct {
				filters []types.Filter
				want    string
			}{
				"all of them":     {filters(mine, s.mark), s.set([]string{a, b})},
				"of one volume":   {filters("volume-id", one), s.told(a)},
				"of a role":       {filters(mine, s.mark, "tag:role", "b"), s.told(b)},
				"by ID":           {filters("snapshot-id", b), s.told(b)},
				"completed ones":  {filters(mine, s.mark, "status", "completed"), s.set([]string{a, b})},
				"failed ones":     {filters(mine, s.mark, "status", "error"), "nothing"},
				"of the account":  {filters(mine, s.mark, "encrypted", "false"), s.set([]string{a, b})},
				"larger than one": {filters(mine, s.mark, "volume-size", "2"), "nothing"},
			} {
				s.shows(what, c.want, func() string {
					out, err := s.ec2.DescribeSnapshots(s.Context(), &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, Filters: c.filters})
					if err != nil {
						return outcome(err)
					}
					var ids []string
					for i := range out.Snapshots {
						ids = append(ids, *out.Snapshots[i].SnapshotId)
					}
					return s.set(ids)
				})
			}
		},
	},
	{
		name: "the volumes of an instance are snapshotted together",
		run: func(s *session) {
			instance := s.launch("the instance").id
			out, err := s.ec2.CreateSnapshots(s.Context(), &ec2.CreateSnapshotsInput{
				InstanceSpecification: &types.InstanceSpecification{InstanceId: &instance}, TagSpecifications: s.tagged(types.ResourceTypeSnapshot),
			})
			if !s.accepted("the call", err) {
				return
			}
			s.is("how many", fmt.Sprint(len(out.Snapshots)), "1")
			for _, one := range out.Snapshots {
				id := *one.SnapshotId
				s.cleanly(id, func(ctx context.Context) error { return s.deleteSnapshot(ctx, s.ec2, id) })
				s.shows("state", "completed", func() string { return s.snapshotState(s.ec2, id) })
			}
			_, err = s.ec2.CreateSnapshots(s.Context(), &ec2.CreateSnapshotsInput{InstanceSpecification: &types.InstanceSpecification{
				InstanceId: &instance, ExcludeBootVolume: aws.Bool(true),
			}})
			s.is("without the only volume", fmt.Sprint(err != nil), "true")
		},
		differs: []difference{
			{on: motoName, at: "without the only volume", does: "false"},
		},
	},
	{
		name: "a snapshot is copied to another region",
		run: func(s *session) {
			volume := s.volume("the volume", *s.subnets()[0].AvailabilityZone)
			id := s.snapshot("the snapshot", volume, tag("role", "source"))
			out, err := s.elsewhere.CopySnapshot(s.Context(), &ec2.CopySnapshotInput{
				SourceRegion: &s.regions[0], SourceSnapshotId: &id, Encrypted: aws.Bool(true), TagSpecifications: s.tagged(types.ResourceTypeSnapshot),
			})
			if !s.accepted("the call", err) {
				return
			}
			made := *out.SnapshotId
			s.cleanly(made, func(ctx context.Context) error { return s.deleteSnapshot(ctx, s.elsewhere, made) })
			s.shows("state", "completed", func() string { return s.snapshotState(s.elsewhere, made) })
			shown := must(s.describeSnapshot(s.elsewhere, made))(s)
			s.is("its volume", same(*shown.VolumeId, volume), "another")
			s.is("encryption", fmt.Sprint(aws.ToBool(shown.Encrypted)), "true")
			s.call(s.mark, "MARK")
			s.is("tags", tagsOf(shown.Tags), markKey+"=MARK")
			_, err = s.elsewhere.CopySnapshot(s.Context(), &ec2.CopySnapshotInput{
				SourceRegion: &s.regions[0], SourceSnapshotId: &id, KmsKeyId: aws.String("alias/aws/ebs"),
			})
			s.refused("a key, unencrypted", err, "InvalidParameterDependency", "InvalidParameterCombination")
		},
		differs: []difference{
			{on: motoName, at: "its volume", does: "the same"},
			{on: motoName, at: "encryption", does: "false"},
			{on: motoName, at: "a key, unencrypted", does: "accepted"},
		},
	},
}

// createSnapshot begins a snapshot, which goes at the end.
func (s *session) createSnapshot(volume string, tags ...types.Tag) (*ec2.CreateSnapshotOutput, error) {
	out, err := s.ec2.CreateSnapshot(s.Context(), &ec2.CreateSnapshotInput{VolumeId: &volume, TagSpecifications: s.tagged(types.ResourceTypeSnapshot, tags...)})
	if err != nil {
		return nil, err
	}
	id := *out.SnapshotId
	s.cleanly(id, func(ctx context.Context) error { return s.deleteSnapshot(ctx, s.ec2, id) })
	return out, nil
}

func (s *session) deleteSnapshot(ctx context.Context, client *ec2.Client, id string) error {
	_, err := client.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &id})
	return unless(err, "InvalidSnapshot.NotFound")
}

// snapshot returns a snapshot that is completed.
func (s *session) snapshot(name, volume string, tags ...types.Tag) string {
	s.Helper()
	id := *must(s.createSnapshot(volume, tags...))(s).SnapshotId
	s.call(id, name)
	if got := s.await("", "completed", func() string { return s.snapshotState(s.ec2, id) }); got != "completed" {
		s.Fatalf("%s (%s) is %s and not completed", name, id, got)
	}
	return id
}

func (s *session) describeSnapshot(client *ec2.Client, id string) (*types.Snapshot, error) {
	out, err := client.DescribeSnapshots(s.Context(), &ec2.DescribeSnapshotsInput{SnapshotIds: []string{id}})
	if err != nil {
		return nil, err
	}
	return &out.Snapshots[0], nil
}

func (s *session) snapshotState(client *ec2.Client, id string) string {
	shown, err := s.describeSnapshot(client, id)
	if err != nil {
		return outcome(err)
	}
	return string(shown.State)
}
