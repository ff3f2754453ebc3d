package ec2svc

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addImages(e *awstest.Endpoint) {
	handle(e, s.createImage, "InstanceId", "Name", "Description", "NoReboot", "BlockDeviceMappings", "TagSpecifications")
	handle(e, s.copyImage, "SourceRegion", "SourceImageId", "Name", "Description", "ClientToken", "Encrypted", "KmsKeyId", "CopyImageTags", "TagSpecifications",
		"SnapshotCopyCompletionDurationMinutes")
	handle(e, s.deregisterImage, "ImageId", "DeleteAssociatedSnapshots")
	handle(e, s.enableImageDeprecation, "ImageId", "DeprecateAt")
	handle(e, s.disableImageDeprecation, "ImageId")
	handle(e, s.enableImage, "ImageId")
	handle(e, s.disableImage, "ImageId")
	handle(e, s.enableImageDeregistrationProtection, "ImageId", "WithCooldown")
	handle(e, s.disableImageDeregistrationProtection, "ImageId")
	handle(e, s.describeImages, "ImageIds", "Owners", "Filters", "IncludeDeprecated", "IncludeDisabled", "MaxResults", "NextToken")
}

// imageName is what an image can be called.
// Source: CreateImageInput.Name of the SDK (read 2026-11)
var imageName = regexp.MustCompile(`^[A-Za-z0-9()\[\] ./\-'@_]{3,128}$`)

func checkImageName(name string) error {
	if !imageName.MatchString(name) {
		return awstest.Errorf("InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'")
	}
	return nil
}

// imageTags reads the tags of an image and those of its snapshots.
func imageTags(call *awstest.Call, specs []types.TagSpecification) (image, snapshots ec2model.Tags, err error) {
	const onImage, onSnapshots = types.ResourceTypeImage, types.ResourceTypeSnapshot
	if image, err = tagsFor(call, specs, onImage, onSnapshots); err != nil {
		return nil, nil, err
	}
	snapshots, err = tagsFor(call, specs, onSnapshots, onImage)
	return image, snapshots, err
}

func (s *service) createImage(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateImageInput) (*ec2.CreateImageOutput, error) {
	if err := instanceKind.check(aws.ToString(in.InstanceId)); err != nil {
		return nil, err
	}
	if err := checkImageName(aws.ToString(in.Name)); err != nil {
		return nil, err
	}
	spec := ec2model.ImageSpec{Name: *in.Name, Description: aws.ToString(in.Description), Reboot: !aws.ToBool(in.NoReboot)}
	for _, m := range in.BlockDeviceMappings {
		if field := unread(m, "DeviceName", "NoDevice"); field != "" || m.NoDevice == nil {
			return nil, call.NotModelled("a block device mapping of an image but NoDevice")
		}
		spec.Without = append(spec.Without, aws.ToString(m.DeviceName))
	}
	var err error
	if spec.Tags, spec.SnapshotTags, err = imageTags(call, in.TagSpecifications); err != nil {
		return nil, err
	}
	made, err := s.region(tx, call).CreateImage(tx, *in.InstanceId, spec)
	if err != nil {
		return nil, err
	}
	return &ec2.CreateImageOutput{ImageId: aws.String(made.ID)}, nil
}

func (s *service) copyImage(tx *awstest.Tx, call *awstest.Call, in *ec2.CopyImageInput) (*ec2.CopyImageOutput, error) {
	if err := imageKind.check(aws.ToString(in.SourceImageId)); err != nil {
		return nil, err
	}
	if err := checkImageName(aws.ToString(in.Name)); err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	if d := in.SnapshotCopyCompletionDurationMinutes; d != nil && (*d < completionStep || *d > maxCompletion || *d%completionStep != 0) {
		return nil, awstest.Errorf("InvalidParameterValue", "The value %d for SnapshotCopyCompletionDurationMinutes is not valid.", *d)
	}
	from, err := tx.Cloud().Region(aws.ToString(in.SourceRegion))
	if err != nil {
		return nil, awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter sourceRegion is invalid.", aws.ToString(in.SourceRegion))
	}
	source := s.model.Region(tx, from)
	spec := ec2model.ImageSpec{Name: *in.Name, Description: aws.ToString(in.Description)}
	if spec.Tags, spec.SnapshotTags, err = imageTags(call, in.TagSpecifications); err != nil {
		return nil, err
	}
	if image, err := source.Image(tx.Now(), *in.SourceImageId); err == nil && aws.ToBool(in.CopyImageTags) { // what else is wrong shows below
		if spec.Tags, err = ec2model.Inherit(image.Tags, spec.Tags); err != nil {
			return nil, err
		}
	}
	request, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	made, err := s.region(tx, call).CopyImage(tx, source, *in.SourceImageId, aws.ToString(in.ClientToken), string(request), spec, ec2model.CopySpec{
		Encrypted: aws.ToBool(in.Encrypted), Key: aws.ToString(in.KmsKeyId),
		Within: time.Duration(aws.ToInt64(in.SnapshotCopyCompletionDurationMinutes)) * time.Minute,
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CopyImageOutput{ImageId: aws.String(made.ID)}, nil
}

func (s *service) deregisterImage(tx *awstest.Tx, call *awstest.Call, in *ec2.DeregisterImageInput) (*ec2.DeregisterImageOutput, error) {
	if err := imageKind.check(aws.ToString(in.ImageId)); err != nil {
		return nil, err
	}
	results, err := s.region(tx, call).Deregister(tx, *in.ImageId, aws.ToBool(in.DeleteAssociatedSnapshots))
	if err != nil {
		return nil, err
	}
	out := &ec2.DeregisterImageOutput{Return: aws.Bool(true)}
	for _, r := range results {
		out.DeleteSnapshotResults = append(out.DeleteSnapshotResults, types.DeleteSnapshotReturnCode{
			SnapshotId: aws.String(r.Snapshot), ReturnCode: types.SnapshotReturnCodes(r.Result),
		})
	}
	return out, nil
}

// changed is what the operations that change an image answer.
func changed[Out any](id *string, do func(id string) error, out *Out) (*Out, error) {
	if err := imageKind.check(aws.ToString(id)); err != nil {
		return nil, err
	}
	if err := do(*id); err != nil {
		return nil, err
	}
	return out, nil
}

// maxDeprecation is how far away the deprecation of an image can be.
// Source: EnableImageDeprecationInput.DeprecateAt of the SDK (read 2026-11)
const maxDeprecation = 10

func (s *service) enableImageDeprecation(tx *awstest.Tx, call *awstest.Call, in *ec2.EnableImageDeprecationInput) (*ec2.EnableImageDeprecationOutput, error) {
	at := aws.ToTime(in.DeprecateAt).Round(time.Minute)
	if at.Before(tx.Now()) || at.After(tx.Now().AddDate(maxDeprecation, 0, 0)) { // AWS documents no code
		return nil, awstest.Errorf("InvalidParameterValue", "The value %s for DeprecateAt is not valid: it must be in the next 10 years.", showTime(at))
	}
	region := s.region(tx, call)
	return changed(in.ImageId, func(id string) error { return region.Deprecate(tx, id, at) }, &ec2.EnableImageDeprecationOutput{Return: aws.Bool(true)})
}

func (s *service) disableImageDeprecation(tx *awstest.Tx, call *awstest.Call, in *ec2.DisableImageDeprecationInput) (*ec2.DisableImageDeprecationOutput, error) {
	region := s.region(tx, call)
	return changed(in.ImageId, func(id string) error { return region.Deprecate(tx, id, time.Time{}) },
		&ec2.DisableImageDeprecationOutput{Return: aws.Bool(true)})
}

func (s *service) enableImage(tx *awstest.Tx, call *awstest.Call, in *ec2.EnableImageInput) (*ec2.EnableImageOutput, error) {
	region := s.region(tx, call)
	return changed(in.ImageId, func(id string) error { return region.Enable(tx, id) }, &ec2.EnableImageOutput{Return: aws.Bool(true)})
}

func (s *service) disableImage(tx *awstest.Tx, call *awstest.Call, in *ec2.DisableImageInput) (*ec2.DisableImageOutput, error) {
	region := s.region(tx, call)
	return changed(in.ImageId, func(id string) error { return region.Disable(tx, id) }, &ec2.DisableImageOutput{Return: aws.Bool(true)})
}

func (s *service) enableImageDeregistrationProtection(
	tx *awstest.Tx, call *awstest.Call, in *ec2.EnableImageDeregistrationProtectionInput,
) (*ec2.EnableImageDeregistrationProtectionOutput, error) {
	text, err := s.protect(tx, call, in.ImageId, true, aws.ToBool(in.WithCooldown))
	return &ec2.EnableImageDeregistrationProtectionOutput{Return: text}, err
}

func (s *service) disableImageDeregistrationProtection(
	tx *awstest.Tx, call *awstest.Call, in *ec2.DisableImageDeregistrationProtectionInput,
) (*ec2.DisableImageDeregistrationProtectionOutput, error) {
	text, err := s.protect(tx, call, in.ImageId, false, false)
	return &ec2.DisableImageDeregistrationProtectionOutput{Return: text}, err
}

func (s *service) protect(tx *awstest.Tx, call *awstest.Call, id *string, on, cooldown bool) (*string, error) {
	if err := imageKind.check(aws.ToString(id)); err != nil {
		return nil, err
	}
	p, err := s.region(tx, call).Protect(tx, *id, on, cooldown)
	return aws.String(protection(p, tx.Now())), err
}
