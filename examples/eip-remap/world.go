package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/eip"
)

// world is an EC2 client that counts the changes of associations, and what was made with it.
type world struct {
	*ec2.Client
	changes atomic.Int32
	undo    []func(context.Context) error
}

func (w *world) AssociateAddress(ctx context.Context, in *ec2.AssociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.AssociateAddressOutput, error) {
	if !aws.ToBool(in.DryRun) {
		w.changes.Add(1)
	}
	return w.Client.AssociateAddress(ctx, in, optFns...)
}

func (w *world) DisassociateAddress(ctx context.Context, in *ec2.DisassociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.DisassociateAddressOutput, error) {
	if !aws.ToBool(in.DryRun) {
		w.changes.Add(1)
	}
	return w.Client.DisassociateAddress(ctx, in, optFns...)
}

// changed tells how many calls have changed an association since it was asked last.
func (w *world) changed() string { return fmt.Sprintf("%d changes", w.changes.Swap(0)) }

// build makes three instances and an address on the first of them. It returns the address, and their interfaces.
func (w *world) build(ctx context.Context) (allocation string, interfaces [3]string, err error) {
	instances, err := w.launch(ctx, len(interfaces))
	if err != nil {
		return "", interfaces, err
	}
	for i := range instances {
		interfaces[i] = *instances[i].NetworkInterfaces[0].NetworkInterfaceId
	}
	if err := w.connect(ctx, instances[0].VpcId); err != nil {
		return "", interfaces, err
	}
	if allocation, err = w.allocate(ctx, "of one"); err != nil {
		return "", interfaces, err
	}
	remapper, err := eip.New(w)
	if err != nil {
		return "", interfaces, err
	}
	target := eip.Target{NetworkInterfaceID: interfaces[0]} // pending still: Remap waits for it
	_, err = remapper.Remap(ctx, eip.Request{AllocationID: allocation, Target: target, Guard: eip.GuardFree})
	return allocation, interfaces, err
}

// remove takes away what was made, the latest first.
func (w *world) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var errs []error
	for _, undo := range slices.Backward(w.undo) {
		errs = append(errs, undo(ctx))
	}
	return errors.Join(errs...)
}

// launch makes instances, and returns them with their interfaces.
func (w *world) launch(ctx context.Context, n int) ([]types.Instance, error) {
	count := aws.Int32(int32(n))
	out, err := w.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0abcdef1234567890"), InstanceType: types.InstanceTypeT3Micro, MinCount: count, MaxCount: count,
	})
	if err != nil {
		return nil, err
	}
	w.undo = append(w.undo, func(ctx context.Context) error {
		var ids []string
		for i := range out.Instances {
			ids = append(ids, *out.Instances[i].InstanceId)
		}
		_, err := w.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
		return err
	})
	return out.Instances, nil
}

// allocate makes an address, tagged as one of a pool if that has a name.
func (w *world) allocate(ctx context.Context, pool string) (id string, err error) {
	made, err := w.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc, TagSpecifications: []types.TagSpecification{{
		ResourceType: types.ResourceTypeElasticIp, Tags: []types.Tag{{Key: aws.String("pool"), Value: &pool}},
	}}})
	if err != nil {
		return "", err
	}
	w.undo = append(w.undo, func(ctx context.Context) error {
		now, err := w.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{*made.AllocationId}})
		if err != nil {
			return err
		}
		if held := now.Addresses[0].AssociationId; aws.ToString(held) != "" {
			_, err = w.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: held})
		}
		_, released := w.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: made.AllocationId})
		return errors.Join(err, released)
	})
	return *made.AllocationId, nil
}

// connect gives the VPC an internet gateway if it has none, as on some emulators.
func (w *world) connect(ctx context.Context, vpc *string) error {
	there, err := w.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{
		Filters: []types.Filter{{Name: aws.String("attachment.vpc-id"), Values: []string{*vpc}}},
	})
	if err != nil || len(there.InternetGateways) > 0 {
		return err
	}
	made, err := w.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{})
	if err != nil {
		return err
	}
	id := made.InternetGateway.InternetGatewayId
	w.undo = append(w.undo, func(ctx context.Context) error {
		_, err := w.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: id, VpcId: vpc})
		_, deleted := w.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: id})
		return errors.Join(err, deleted)
	})
	_, err = w.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: id, VpcId: vpc})
	return err
}
