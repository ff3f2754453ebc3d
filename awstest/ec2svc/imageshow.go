package ec2svc

import (
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// imageFilters are those on what an image has by itself.
func imageFilters(tx *awstest.Tx) filterable[ec2model.Image] {
	mapped := func(value func(ec2model.ImageDevice) string) func(ec2model.Image) []string {
		return func(i ec2model.Image) (values []string) {
			for _, d := range shownDevices(i) {
				values = append(values, value(d))
			}
			return values
		}
	}
	const mapping = "block-device-mapping."
	return filterable[ec2model.Image]{
		mapping + "delete-on-termination": mapped(func(d ec2model.ImageDevice) string { return strconv.FormatBool(!d.Keep) }),
		mapping + "device-name":           mapped(func(d ec2model.ImageDevice) string { return d.Name }),
		mapping + "encrypted":             mapped(func(d ec2model.ImageDevice) string { return strconv.FormatBool(d.Encrypted) }),
		mapping + "snapshot-id":           mapped(func(d ec2model.ImageDevice) string { return d.Snapshot }),
		mapping + "volume-size":           mapped(func(d ec2model.ImageDevice) string { return strconv.Itoa(int(d.SizeGiB)) }),
		mapping + "volume-type":           mapped(func(d ec2model.ImageDevice) string { return d.Type }),
		"creation-date":                   one(func(i ec2model.Image) string { return showTime(i.CreatedAt) }),
		"description":                     one(func(i ec2model.Image) string { return i.Description }),
		"image-id":                        one(func(i ec2model.Image) string { return i.ID }),
		"is-public":                       one(func(ec2model.Image) string { return "false" }),
		"name":                            one(func(i ec2model.Image) string { return i.Name }),
		"owner-id":                        one(func(ec2model.Image) string { return tx.Cloud().AccountID() }),
		"root-device-name":                one(func(i ec2model.Image) string { return i.RootDevice }),
		"root-device-type":                one(func(ec2model.Image) string { return string(types.DeviceTypeEbs) }),
		"source-image-id":                 ifAny(func(i ec2model.Image) string { return i.Source }),
		"source-image-region":             ifAny(func(i ec2model.Image) string { return i.SourceIn }),
		"source-instance-id":              ifAny(func(i ec2model.Image) string { return i.Instance }),
		"state":                           one(func(i ec2model.Image) string { return string(i.State) }),
	}
}

func (s *service) describeImages(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeImagesInput) (*ec2.DescribeImagesOutput, error) {
	match, err := imageFilters(tx).matcher(call, in.Filters, func(i ec2model.Image) ec2model.Tags { return i.Tags })
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	get := func(id string) (ec2model.Image, error) { return region.Image(call.At, id) }
	found, err := find(imageKind, in.ImageIds, get, region.Images(call.At))
	if err != nil {
		return nil, err
	}
	if len(in.Owners) > 0 && !slices.Contains(in.Owners, "self") && !slices.Contains(in.Owners, tx.Cloud().AccountID()) {
		found = nil // of others there are none
	}
	found = only(found, func(i ec2model.Image) bool {
		return match(i) && (i.State != ec2model.ImageDisabled || aws.ToBool(in.IncludeDisabled))
	})
	found, next, err := page(found, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeImagesOutput{NextToken: next}
	for _, one := range found {
		out.Images = append(out.Images, showImage(tx, call.At, one))
	}
	return out, nil
}

func showImage(tx *awstest.Tx, at time.Time, i ec2model.Image) types.Image {
	out := types.Image{
		ImageId: aws.String(i.ID), Name: aws.String(i.Name), State: types.ImageState(i.State), CreationDate: aws.String(showTime(i.CreatedAt)),
		OwnerId: aws.String(tx.Cloud().AccountID()), ImageLocation: aws.String(tx.Cloud().AccountID() + "/" + i.Name), Public: aws.Bool(false),
		ImageType: types.ImageTypeValuesMachine, RootDeviceName: aws.String(i.RootDevice), RootDeviceType: types.DeviceTypeEbs,
		DeregistrationProtection: aws.String(protection(i.Protection, at)), Tags: showTags(i.Tags),
	}
	for text, to := range map[string]**string{
		i.Description: &out.Description, i.Instance: &out.SourceInstanceId, i.Source: &out.SourceImageId, i.SourceIn: &out.SourceImageRegion,
	} {
		if text != "" {
			*to = aws.String(text)
		}
	}
	if !i.DeprecateAt.IsZero() {
		out.DeprecationTime = aws.String(showTime(i.DeprecateAt))
	}
	if i.Message != "" || i.State == ec2model.ImageFailed { // AWS documents neither codes nor texts
		out.StateReason = &types.StateReason{Code: aws.String("Client.SnapshotError"), Message: aws.String(i.Message)}
	}
	for _, d := range shownDevices(i) {
		out.BlockDeviceMappings = append(out.BlockDeviceMappings, types.BlockDeviceMapping{DeviceName: aws.String(d.Name), Ebs: &types.EbsBlockDevice{
			SnapshotId: aws.String(d.Snapshot), VolumeSize: aws.Int32(d.SizeGiB), VolumeType: types.VolumeType(d.Type), Encrypted: aws.Bool(d.Encrypted),
			DeleteOnTermination: aws.Bool(!d.Keep),
		}})
	}
	return out
}

// shownDevices are the mappings of an image. One that is pending shows none, for which there is no documentation: it is what keeps a program from
// relying on them.
func shownDevices(i ec2model.Image) []ec2model.ImageDevice {
	if i.State == ec2model.ImagePending {
		return nil
	}
	return i.Devices
}

// protection says how an image is protected.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-deregistration-protection.html (read 2026-11)
func protection(p ec2model.Protection, at time.Time) string {
	switch {
	case p.On && p.Cooldown:
		return "enabled-with-cooldown"
	case p.On:
		return "enabled-without-cooldown"
	case at.Before(p.Until):
		return "disabled-with-cooldown until " + showTime(p.Until)
	}
	return "disabled"
}
