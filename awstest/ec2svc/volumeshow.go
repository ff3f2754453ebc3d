package ec2svc

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// ofAttachment is a filter on the attachment of a volume, if it has one.
func ofAttachment(value func(ec2model.Attachment) string) func(ec2model.Volume) []string {
	return func(v ec2model.Volume) []string {
		if v.Attachment.Instance == "" {
			return nil
		}
		return []string{value(v.Attachment)}
	}
}

var volumeFilters = filterable[ec2model.Volume]{
	"volume-id":            one(func(v ec2model.Volume) string { return v.ID }),
	"availability-zone":    one(func(v ec2model.Volume) string { return v.Zone.Name() }),
	"availability-zone-id": one(func(v ec2model.Volume) string { return v.Zone.ID() }),
	"create-time":          one(func(v ec2model.Volume) string { return showTime(v.CreatedAt) }),
	"encrypted":            one(func(v ec2model.Volume) string { return strconv.FormatBool(v.Encrypted) }),
	"size":                 one(func(v ec2model.Volume) string { return strconv.Itoa(int(v.SizeGiB)) }),
	"snapshot-id":          ifAny(func(v ec2model.Volume) string { return v.Snapshot }),
	"status":               one(func(v ec2model.Volume) string { return string(v.State) }),
	"volume-type":          one(func(v ec2model.Volume) string { return v.Type }),

	"attachment.attach-time":           ofAttachment(func(a ec2model.Attachment) string { return showTime(a.Since) }),
	"attachment.delete-on-termination": ofAttachment(func(a ec2model.Attachment) string { return strconv.FormatBool(a.DeleteOnTermination) }),
	"attachment.device":                ofAttachment(func(a ec2model.Attachment) string { return a.Device }),
	"attachment.instance-id":           ofAttachment(func(a ec2model.Attachment) string { return a.Instance }),
	"attachment.status":                ofAttachment(func(a ec2model.Attachment) string { return string(a.Show()) }),
}

func (s *service) describeVolumes(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeVolumesInput) (*ec2.DescribeVolumesOutput, error) {
	match, err := volumeFilters.matcher(call, in.Filters, func(v ec2model.Volume) ec2model.Tags { return v.Tags })
	if err != nil {
		return nil, err
	}
	found, err := s.findVolumes(tx, call, in.VolumeIds)
	if err != nil {
		return nil, err
	}
	found, next, err := page(only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVolumesOutput{NextToken: next}
	for _, v := range found {
		out.Volumes = append(out.Volumes, showVolume(v))
	}
	return out, nil
}

func (s *service) findVolumes(tx *awstest.Tx, call *awstest.Call, ids []string) ([]ec2model.Volume, error) {
	region := s.region(tx, call)
	get := func(id string) (ec2model.Volume, error) { return region.Volume(call.At, id) }
	return find(volumeKind, ids, get, region.Volumes(call.At))
}

func showVolume(v ec2model.Volume) types.Volume {
	out := types.Volume{
		VolumeId: aws.String(v.ID), AvailabilityZone: aws.String(v.Zone.Name()), AvailabilityZoneId: aws.String(v.Zone.ID()),
		CreateTime: aws.Time(v.CreatedAt), State: types.VolumeState(v.State), VolumeType: types.VolumeType(v.Type), Size: aws.Int32(v.SizeGiB),
		Encrypted: aws.Bool(v.Encrypted), MultiAttachEnabled: aws.Bool(false), SnapshotId: aws.String(v.Snapshot), Tags: showTags(v.Tags),
	}
	if v.IOPS > 0 {
		out.Iops = aws.Int32(v.IOPS)
	}
	if v.Throughput > 0 {
		out.Throughput = aws.Int32(v.Throughput)
	}
	if v.Rate > 0 {
		out.VolumeInitializationRate = aws.Int32(v.Rate)
	}
	if v.Encrypted {
		out.KmsKeyId = aws.String(v.Key)
	}
	if v.Attachment.Instance != "" {
		out.Attachments = []types.VolumeAttachment{showAttachment(v)}
	}
	return out
}

func showAttachment(v ec2model.Volume) types.VolumeAttachment {
	a := v.Attachment
	return types.VolumeAttachment{
		VolumeId: aws.String(v.ID), InstanceId: aws.String(a.Instance), Device: aws.String(a.Device), State: types.VolumeAttachmentState(a.Show()),
		AttachTime: aws.Time(a.Since), DeleteOnTermination: aws.Bool(a.DeleteOnTermination),
	}
}

// showDevices is what DescribeInstances has of the volumes of an instance.
func showDevices(call *awstest.Call, region *ec2model.Region, i ec2model.Instance) (list []types.InstanceBlockDeviceMapping) {
	for _, v := range region.AttachedVolumes(call.At, i) {
		a := v.Attachment
		list = append(list, types.InstanceBlockDeviceMapping{DeviceName: aws.String(a.Device), Ebs: &types.EbsInstanceBlockDevice{
			VolumeId: aws.String(v.ID), AttachTime: aws.Time(a.Since), DeleteOnTermination: aws.Bool(a.DeleteOnTermination),
			Status: types.AttachmentStatus(a.State), // which has no busy
		}})
	}
	return list
}
