package ec2svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// devices reads the volumes of a launch.
func devices(call *awstest.Call, mappings []types.BlockDeviceMapping) (list []ec2model.Device, err error) {
	for _, m := range mappings {
		if field := unread(m, "DeviceName", "Ebs"); field != "" {
			return nil, call.NotModelled("%s of a block device mapping", field)
		}
		var ebs types.EbsBlockDevice
		if m.Ebs != nil {
			ebs = *m.Ebs
		}
		if field := unread(ebs, "DeleteOnTermination", "Encrypted", "Iops", "KmsKeyId", "Throughput", "VolumeSize", "VolumeType"); field != "" {
			return nil, call.NotModelled("%s of a block device mapping", field)
		}
		list = append(list, ec2model.Device{
			Name: aws.ToString(m.DeviceName),
			// Volumes that come with the instance go with it, unless they are
			// to stay.
			// Source: TerminateInstances of the SDK (read 2026-11)
			Keep: ebs.DeleteOnTermination != nil && !*ebs.DeleteOnTermination,
			VolumeSpec: ec2model.VolumeSpec{
				VolumeShape: ec2model.VolumeShape{
					Type: string(ebs.VolumeType), SizeGiB: aws.ToInt32(ebs.VolumeSize), IOPS: aws.ToInt32(ebs.Iops), Throughput: aws.ToInt32(ebs.Throughput),
				},
				Encrypted: aws.ToBool(ebs.Encrypted), Key: aws.ToString(ebs.KmsKeyId),
			},
		})
	}
	return list, nil
}
