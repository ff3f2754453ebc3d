package ec2svc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// checkedVolume is a volume with the result of its status checks.
type checkedVolume struct {
	ec2model.Volume
	status ec2model.Status
}

// ioEnabled is the detail behind the status of a volume.
// Source: https://docs.aws.amazon.com/ebs/latest/userguide/monitoring-volume-checks.html (read 2026-11)
var ioEnabled = map[ec2model.Status]string{
	ec2model.StatusOK:               "passed",
	ec2model.StatusImpaired:         "failed",
	ec2model.StatusInsufficientData: "insufficient-data",
}

var volumeStatusFilters = filterable[checkedVolume]{
	"availability-zone":            one(func(c checkedVolume) string { return c.Zone.Name() }),
	"volume-status.status":         one(func(c checkedVolume) string { return string(c.status) }),
	"volume-status.details-name":   one(func(checkedVolume) string { return string(types.VolumeStatusNameIoEnabled) }),
	"volume-status.details-status": one(func(c checkedVolume) string { return ioEnabled[c.status] }),
}

func (s *service) describeVolumeStatus(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeVolumeStatusInput) (*ec2.DescribeVolumeStatusOutput, error) {
	match, err := volumeStatusFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	found, err := s.findVolumes(tx, call, in.VolumeIds)
	if err != nil {
		return nil, err
	}
	var list []checkedVolume
	for _, v := range found {
		list = append(list, checkedVolume{v, s.region(tx, call).VolumeStatus(tx, v)})
	}
	list, next, err := page(only(list, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVolumeStatusOutput{NextToken: next}
	for _, c := range list {
		item := types.VolumeStatusItem{
			VolumeId: aws.String(c.ID), AvailabilityZone: aws.String(c.Zone.Name()), AvailabilityZoneId: aws.String(c.Zone.ID()),
			VolumeStatus: &types.VolumeStatusInfo{
				Status:  types.VolumeStatusInfoStatus(c.status),
				Details: []types.VolumeStatusDetails{{Name: types.VolumeStatusNameIoEnabled, Status: aws.String(ioEnabled[c.status])}},
			},
		}
		if percent, left, ok := c.Initialized(tx.Now()); ok {
			item.InitializationStatusDetails = &types.InitializationStatusDetails{
				InitializationType: types.InitializationTypeDefault, Progress: aws.Int64(percent),
			}
			if c.Rate > 0 {
				item.InitializationStatusDetails.InitializationType = types.InitializationTypeProvisionedRate
				item.InitializationStatusDetails.EstimatedTimeToCompleteInSeconds = aws.Int64(int64(left / time.Second))
			}
		}
		if c.Attachment.Instance != "" {
			item.AttachmentStatuses = []types.VolumeStatusAttachmentStatus{{InstanceId: aws.String(c.Attachment.Instance)}}
		}
		out.VolumeStatuses = append(out.VolumeStatuses, item)
	}
	return out, nil
}
