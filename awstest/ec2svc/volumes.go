package ec2svc

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addVolumes(e *awstest.Endpoint) {
	handle(e, s.createVolume, "AvailabilityZone", "AvailabilityZoneId", "Size", "VolumeType", "Iops", "Throughput", "Encrypted", "KmsKeyId",
		"MultiAttachEnabled", "ClientToken", "TagSpecifications", "SnapshotId", "VolumeInitializationRate")
	handle(e, s.deleteVolume, "VolumeId")
	handle(e, s.attachVolume, "VolumeId", "InstanceId", "Device")
	handle(e, s.detachVolume, "VolumeId", "InstanceId", "Device", "Force")
	handle(e, s.describeVolumes, "VolumeIds", "Filters", "MaxResults", "NextToken")
	handle(e, s.describeVolumeStatus, "VolumeIds", "Filters", "MaxResults", "NextToken")
}

func (s *service) createVolume(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateVolumeInput) (*ec2.CreateVolumeOutput, error) {
	if aws.ToBool(in.MultiAttachEnabled) {
		return nil, call.NotModelled("Multi-Attach")
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeVolume)
	if err != nil {
		return nil, err
	}
	request, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	if in.SnapshotId != nil {
		if err := snapshotKind.check(*in.SnapshotId); err != nil {
			return nil, err
		}
	}
	region := s.region(tx, call)
	v, err := region.CreateVolume(tx, aws.ToString(in.AvailabilityZoneId), aws.ToString(in.AvailabilityZone), ec2model.VolumeSpec{
		VolumeShape: ec2model.VolumeShape{
			Type: string(in.VolumeType), SizeGiB: aws.ToInt32(in.Size), IOPS: aws.ToInt32(in.Iops), Throughput: aws.ToInt32(in.Throughput),
		},
		Encrypted: aws.ToBool(in.Encrypted), Key: aws.ToString(in.KmsKeyId), Tags: tags,
		Snapshot: aws.ToString(in.SnapshotId), Rate: aws.ToInt32(in.VolumeInitializationRate),
	}, aws.ToString(in.ClientToken), string(request))
	if err != nil {
		return nil, err
	}
	shown := showVolume(v)
	return &ec2.CreateVolumeOutput{
		VolumeId: shown.VolumeId, AvailabilityZone: shown.AvailabilityZone, AvailabilityZoneId: shown.AvailabilityZoneId,
		CreateTime: shown.CreateTime, State: shown.State, VolumeType: shown.VolumeType, Size: shown.Size, Iops: shown.Iops,
		Throughput: shown.Throughput, Encrypted: shown.Encrypted, KmsKeyId: shown.KmsKeyId, MultiAttachEnabled: shown.MultiAttachEnabled,
		SnapshotId: shown.SnapshotId, Tags: shown.Tags, VolumeInitializationRate: shown.VolumeInitializationRate,
	}, nil
}

func (s *service) deleteVolume(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteVolumeInput) (*ec2.DeleteVolumeOutput, error) {
	if err := volumeKind.check(aws.ToString(in.VolumeId)); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).DeleteVolume(tx, *in.VolumeId); err != nil {
		return nil, err
	}
	return &ec2.DeleteVolumeOutput{}, nil
}

func (s *service) attachVolume(tx *awstest.Tx, call *awstest.Call, in *ec2.AttachVolumeInput) (*ec2.AttachVolumeOutput, error) {
	if err := volumeKind.check(aws.ToString(in.VolumeId)); err != nil {
		return nil, err
	}
	if err := instanceKind.check(aws.ToString(in.InstanceId)); err != nil {
		return nil, err
	}
	v, err := s.region(tx, call).AttachVolume(tx, *in.VolumeId, *in.InstanceId, aws.ToString(in.Device))
	if err != nil {
		return nil, err
	}
	a := showAttachment(v)
	return &ec2.AttachVolumeOutput{
		VolumeId: a.VolumeId, InstanceId: a.InstanceId, Device: a.Device, State: a.State, AttachTime: a.AttachTime, DeleteOnTermination: a.DeleteOnTermination,
	}, nil
}

func (s *service) detachVolume(tx *awstest.Tx, call *awstest.Call, in *ec2.DetachVolumeInput) (*ec2.DetachVolumeOutput, error) {
	if err := volumeKind.check(aws.ToString(in.VolumeId)); err != nil {
		return nil, err
	}
	if in.InstanceId != nil {
		if err := instanceKind.check(*in.InstanceId); err != nil {
			return nil, err
		}
	}
	v, err := s.region(tx, call).DetachVolume(tx, *in.VolumeId, aws.ToString(in.InstanceId), aws.ToString(in.Device), aws.ToBool(in.Force))
	if err != nil {
		return nil, err
	}
	a := showAttachment(v)
	return &ec2.DetachVolumeOutput{
		VolumeId: a.VolumeId, InstanceId: a.InstanceId, Device: a.Device, State: a.State, AttachTime: a.AttachTime, DeleteOnTermination: a.DeleteOnTermination,
	}, nil
}
