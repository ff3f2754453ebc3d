package ec2svc

import (
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addSnapshots(e *awstest.Endpoint) {
	handle(e, s.createSnapshot, "VolumeId", "Description", "TagSpecifications")
	handle(e, s.createSnapshots, "InstanceSpecification", "Description", "TagSpecifications", "CopyTagsFromSource")
	handle(e, s.copySnapshot, "SourceRegion", "SourceSnapshotId", "Description", "Encrypted", "KmsKeyId", "PresignedUrl", "TagSpecifications",
		"CompletionDurationMinutes")
	handle(e, s.deleteSnapshot, "SnapshotId")
	handle(e, s.describeSnapshots, "SnapshotIds", "OwnerIds", "Filters", "MaxResults", "NextToken")
}

func (s *service) createSnapshot(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateSnapshotInput) (*ec2.CreateSnapshotOutput, error) {
	if err := volumeKind.check(aws.ToString(in.VolumeId)); err != nil {
		return nil, err
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	made, err := s.region(tx, call).CreateSnapshot(tx, *in.VolumeId, ec2model.SnapshotSpec{Description: aws.ToString(in.Description), Tags: tags})
	if err != nil {
		return nil, err
	}
	shown := showSnapshot(tx, tx.Now(), made)
	return &ec2.CreateSnapshotOutput{
		SnapshotId: shown.SnapshotId, VolumeId: shown.VolumeId, VolumeSize: shown.VolumeSize, StartTime: shown.StartTime, State: shown.State,
		Progress: shown.Progress, Encrypted: shown.Encrypted, KmsKeyId: shown.KmsKeyId, Description: shown.Description, OwnerId: shown.OwnerId, Tags: shown.Tags,
	}, nil
}

// maxExcluded is how many volumes CreateSnapshots leaves out at most.
// Source: InstanceSpecification.ExcludeDataVolumeIds of the SDK (read 2026-11)
const maxExcluded = 40

func (s *service) createSnapshots(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateSnapshotsInput) (*ec2.CreateSnapshotsOutput, error) {
	of := in.InstanceSpecification
	if err := instanceKind.check(aws.ToString(of.InstanceId)); err != nil {
		return nil, err
	}
	if err := volumeKind.check(of.ExcludeDataVolumeIds...); err != nil {
		return nil, err
	}
	if len(of.ExcludeDataVolumeIds) > maxExcluded {
		return nil, awstest.Errorf("InvalidParameterValue", "At most %d volumes can be excluded.", maxExcluded)
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	list, err := s.region(tx, call).CreateSnapshots(tx, *of.InstanceId, ec2model.SetSpec{
		SnapshotSpec: ec2model.SnapshotSpec{Description: aws.ToString(in.Description), Tags: tags},
		WithoutRoot:  aws.ToBool(of.ExcludeBootVolume), Without: of.ExcludeDataVolumeIds, CopyTags: in.CopyTagsFromSource == types.CopyTagsFromSourceVolume,
	})
	if err != nil {
		return nil, err
	}
	out := &ec2.CreateSnapshotsOutput{}
	for _, made := range list {
		shown := showSnapshot(tx, tx.Now(), made)
		out.Snapshots = append(out.Snapshots, types.SnapshotInfo{
			SnapshotId: shown.SnapshotId, VolumeId: shown.VolumeId, VolumeSize: shown.VolumeSize, StartTime: shown.StartTime, State: shown.State,
			Progress: shown.Progress, Encrypted: shown.Encrypted, Description: shown.Description, OwnerId: shown.OwnerId, Tags: shown.Tags,
		})
	}
	return out, nil
}

// Bounds of CompletionDurationMinutes.
// Source: https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html (read 2026-11)
const completionStep, maxCompletion = 15, 48 * 60

func (s *service) copySnapshot(tx *awstest.Tx, call *awstest.Call, in *ec2.CopySnapshotInput) (*ec2.CopySnapshotOutput, error) {
	if err := snapshotKind.check(aws.ToString(in.SourceSnapshotId)); err != nil {
		return nil, err
	}
	if d := in.CompletionDurationMinutes; d != nil && (*d < completionStep || *d > maxCompletion || *d%completionStep != 0) {
		return nil, awstest.Errorf("InvalidParameterValue", "The value %d for CompletionDurationMinutes is not valid.", *d)
	}
	if in.Encrypted != nil && !*in.Encrypted {
		return nil, awstest.Errorf("InvalidParameterValue", "The parameter Encrypted cannot be false.")
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeSnapshot)
	if err != nil {
		return nil, err
	}
	from, err := tx.Cloud().Region(aws.ToString(in.SourceRegion))
	if err != nil {
		return nil, awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter sourceRegion is invalid.", aws.ToString(in.SourceRegion))
	}
	made, err := s.region(tx, call).CopySnapshot(tx, s.model.Region(tx, from), *in.SourceSnapshotId, ec2model.CopySpec{
		SnapshotSpec: ec2model.SnapshotSpec{Description: aws.ToString(in.Description), Tags: tags},
		Encrypted:    aws.ToBool(in.Encrypted), Key: aws.ToString(in.KmsKeyId), Misplaced: misplaced(in),
		Within: time.Duration(aws.ToInt32(in.CompletionDurationMinutes)) * time.Minute,
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CopySnapshotOutput{SnapshotId: aws.String(made.ID), Tags: showTags(made.Tags)}, nil
}

// misplaced tells whether the presigned request is for another snapshot, as when an input is used again: the SDK keeps the request in it.
func misplaced(in *ec2.CopySnapshotInput) bool {
	if aws.ToString(in.PresignedUrl) == "" {
		return false
	}
	u, err := url.Parse(*in.PresignedUrl)
	if err != nil {
		return true
	}
	q := u.Query()
	return q.Get("SourceSnapshotId") != aws.ToString(in.SourceSnapshotId) || q.Get("SourceRegion") != aws.ToString(in.SourceRegion)
}

func (s *service) deleteSnapshot(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteSnapshotInput) (*ec2.DeleteSnapshotOutput, error) {
	if err := snapshotKind.check(aws.ToString(in.SnapshotId)); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).DeleteSnapshot(tx, *in.SnapshotId); err != nil {
		return nil, err
	}
	return &ec2.DeleteSnapshotOutput{}, nil
}
