package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/kmssvc"
	"github.com/awsha/awsha/snapshot"
)

// world is AWS in memory.
type world struct {
	cloud   *awstest.Cloud
	volumes []string // in the policy's region
}

// newWorld makes a cloud that has the keys of the policy's copies.
func newWorld(ctx context.Context, p *snapshot.Policy, optFns ...func(*ec2svc.Options)) (*world, error) {
	cloud, err := awstest.New([]awstest.Service{kmssvc.New(), ec2svc.New(optFns...)}, func(o *awstest.Options) { o.CallLog = 1 })
	if err != nil {
		return nil, err
	}
	w := &world{cloud: cloud}
	for i := range p.Copies {
		if err := w.key(ctx, &p.Copies[i]); err != nil {
			return nil, errors.Join(err, cloud.Close())
		}
	}
	return w, nil
}

// key makes the key that a rule names by alias.
func (w *world) key(ctx context.Context, rule *snapshot.CopyRule) error {
	if rule.KMSKeyID == "" {
		return nil
	}
	client := kms.NewFromConfig(w.cloud.Config(rule.Region))
	key, err := client.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		return err
	}
	_, err = client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &rule.KMSKeyID, TargetKeyId: key.KeyMetadata.KeyId})
	return err
}

// clients is what a manager asks for the clients of a region.
func (w *world) clients(region string) snapshot.Clients {
	cfg := w.cloud.Config(region)
	return snapshot.Clients{EC2: ec2.NewFromConfig(cfg), KMS: kms.NewFromConfig(cfg)}
}

// launch makes instances that have so many volumes each, and what the policy finds them by.
func (w *world) launch(ctx context.Context, p *snapshot.Policy, instances, volumes int) error {
	tags := maps.Clone(p.Targets.Instances.Tags)
	if tags == nil {
		tags = make(map[string]string)
	}
	maps.Copy(tags, p.Targets.Images.Tags)
	client := ec2.NewFromConfig(w.cloud.Config(p.Region))
	in := &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceTypeT3Small, MinCount: aws.Int32(int32(instances)), MaxCount: aws.Int32(int32(instances)),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: tagList(tags)}},
	}
	for i := range volumes - 1 { // and the root volume
		in.BlockDeviceMappings = append(in.BlockDeviceMappings, types.BlockDeviceMapping{
			DeviceName: aws.String(fmt.Sprintf("/dev/sd%c", 'f'+i)), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(20)},
		})
	}
	if _, err := client.RunInstances(ctx, in); err != nil {
		return err
	}
	return w.settle(ctx, client)
}

func tagList(tags map[string]string) (list []types.Tag) {
	for key, value := range tags {
		list = append(list, types.Tag{Key: &key, Value: &value})
	}
	return list
}

// create makes volumes that are in no instance.
func (w *world) create(ctx context.Context, p *snapshot.Policy, volumes int) error {
	client := ec2.NewFromConfig(w.cloud.Config(p.Region))
	for range volumes {
		if _, err := client.CreateVolume(ctx, &ec2.CreateVolumeInput{
			AvailabilityZone: aws.String(p.Region + "a"), Size: aws.Int32(50), VolumeType: types.VolumeTypeGp3,
			TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeVolume, Tags: tagList(p.Targets.Volumes.Tags)}},
		}); err != nil {
			return err
		}
	}
	return w.settle(ctx, client)
}

// settle waits until all is there, and notes which volumes there are.
func (w *world) settle(ctx context.Context, client *ec2.Client) error {
	time.Sleep(time.Minute)
	out, err := client.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
	if err != nil {
		return err
	}
	w.volumes = w.volumes[:0]
	for i := range out.Volumes {
		w.volumes = append(w.volumes, *out.Volumes[i].VolumeId)
	}
	return nil
}

// write puts the day on all volumes.
func (w *world) write(region string, day int) error {
	var errs []error
	for _, id := range w.volumes {
		errs = append(errs, ec2svc.WriteVolume(w.cloud, region, id, fmt.Sprintf("day %d", day)))
	}
	return errors.Join(errs...)
}
