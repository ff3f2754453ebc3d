package rehearsal_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/failover"
)

// tenSteps is a plan with every kind of effect: with a client token and without, at once and later.
//
//	stop ------\
//	volume ---- launch -- attach -- snapshot --\
//	address --------\---- associate ------------ terminate
//	interface        \--- label ---------------/
type tenSteps struct {
	api     *ec2.Client
	primary string
}

// stepTag names the step that has made a resource.
const stepTag = "step"

func (p *tenSteps) tags(kind types.ResourceType, env *failover.Env) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: []types.Tag{{Key: aws.String(stepTag), Value: aws.String(env.ClientToken())}}}}
}

func (p *tenSteps) made(env *failover.Env) []types.Filter {
	return []types.Filter{{Name: aws.String("tag:" + stepTag), Values: []string{env.ClientToken()}}}
}

// found answers a Check for something that was made: its ID is put, and it is done when it is in the state that is wanted.
func found[S ~string](env *failover.Env, ids []*string, states []S, want ...S) (failover.State, error) {
	switch {
	case len(ids) == 0:
		return failover.NotDone, nil
	case len(ids) > 1:
		return 0, failover.Permanent(fmt.Errorf("%d of %s", len(ids), env.Step))
	}
	env.Put("id", *ids[0])
	if slices.Contains(want, states[0]) {
		return failover.Done, nil
	}
	return failover.InProgress, nil
}

func (p *tenSteps) plan() failover.Plan {
	step := func(
		id string, needs []string, check func(context.Context, *failover.Env) (failover.State, error), do func(context.Context, *failover.Env) error,
	) failover.Step {
		return failover.NewStep(failover.StepFuncs{
			ID: id, Needs: needs, Plane: failover.PlaneCreate, Estimate: time.Second, API: "ec2", Check: check,
			Do: func(ctx context.Context, env *failover.Env) error {
				if err := env.Valid(); err != nil {
					return err
				}
				if err := do(ctx, env); err != nil {
					return err
				}
				return failover.ErrInProgress
			},
		})
	}
	return failover.Plan{Service: "orders", Steps: []failover.Step{
		step("stop", nil, p.state(func(*failover.Env) string { return p.primary }, "stopped", "shutting-down", "terminated"), func(ctx context.Context, _ *failover.Env) error {
			_, err := p.api.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{p.primary}, Force: aws.Bool(true)})
			return err
		}),
		step("volume", nil, p.volume, func(ctx context.Context, env *failover.Env) error {
			_, err := p.api.CreateVolume(ctx, &ec2.CreateVolumeInput{
				AvailabilityZone: aws.String(otherZone), Size: aws.Int32(1), VolumeType: types.VolumeTypeGp3,
				ClientToken: aws.String(env.ClientToken()), TagSpecifications: p.tags(types.ResourceTypeVolume, env),
			})
			return err
		}),
		step("address", nil, p.address, func(ctx context.Context, env *failover.Env) error {
			_, err := p.api.AllocateAddress(ctx, &ec2.AllocateAddressInput{TagSpecifications: p.tags(types.ResourceTypeElasticIp, env)})
			return err
		}),
		step("interface", nil, p.networkInterface, func(ctx context.Context, env *failover.Env) error {
			subnets, err := p.api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{
				Filters: []types.Filter{{Name: aws.String("availability-zone"), Values: []string{otherZone}}},
			})
			if err != nil {
				return err
			}
			_, err = p.api.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{
				SubnetId: subnets.Subnets[0].SubnetId, ClientToken: aws.String(env.ClientToken()), TagSpecifications: p.tags(types.ResourceTypeNetworkInterface, env),
			})
			return err
		}),
		step("launch", []string{"stop", "volume"}, p.launched, func(ctx context.Context, env *failover.Env) error {
			_, err := p.api.RunInstances(ctx, &ec2.RunInstancesInput{
				ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
				Placement:   &types.Placement{AvailabilityZone: aws.String(otherZone)},
				ClientToken: aws.String(env.ClientToken()), TagSpecifications: p.tags(types.ResourceTypeInstance, env),
			})
			return err
		}),
		step("attach", []string{"launch", "volume"}, p.attached, func(ctx context.Context, env *failover.Env) error {
			_, err := p.api.AttachVolume(ctx, &ec2.AttachVolumeInput{
				InstanceId: aws.String(env.Inputs["launch"]["id"]), VolumeId: aws.String(env.Inputs["volume"]["id"]), Device: aws.String("/dev/sdf"),
			})
			return err
		}),
		step("associate", []string{"launch", "address"}, p.associated, func(ctx context.Context, env *failover.Env) error {
			_, err := p.api.AssociateAddress(ctx, &ec2.AssociateAddressInput{
				AllocationId: aws.String(env.Inputs["address"]["id"]), InstanceId: aws.String(env.Inputs["launch"]["id"]), AllowReassociation: aws.Bool(false),
			})
			return err
		}),
		step("label", []string{"launch"}, p.labelled, func(ctx context.Context, env *failover.Env) error {
			_, err := p.api.CreateTags(ctx, &ec2.CreateTagsInput{
				Resources: []string{env.Inputs["launch"]["id"]}, Tags: []types.Tag{{Key: aws.String("role"), Value: aws.String("primary")}},
			})
			return err
		}),
		step("snapshot", []string{"attach", "volume"}, p.snapshot, func(ctx context.Context, env *failover.Env) error {
			_, err := p.api.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{
				VolumeId: aws.String(env.Inputs["volume"]["id"]), TagSpecifications: p.tags(types.ResourceTypeSnapshot, env),
			})
			return err
		}),
		step("terminate", []string{"snapshot", "associate", "label", "interface"}, p.state(func(*failover.Env) string { return p.primary }, "terminated"),
			func(ctx context.Context, _ *failover.Env) error {
				_, err := p.api.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{p.primary}})
				return err
			}),
	}}
}

// state answers for an instance that is there anyway: done in any of the states that are wanted, in progress on the way to them.
func (p *tenSteps) state(id func(*failover.Env) string, want ...types.InstanceStateName) func(context.Context, *failover.Env) (failover.State, error) {
	return func(ctx context.Context, env *failover.Env) (failover.State, error) {
		out, err := p.api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id(env)}})
		if err != nil {
			return 0, err
		}
		state := out.Reservations[0].Instances[0].State.Name
		if slices.Contains(want, state) {
			return failover.Done, nil
		}
		if state == types.InstanceStateNameStopping || state == types.InstanceStateNameShuttingDown {
			return failover.InProgress, nil
		}
		return failover.NotDone, nil
	}
}

func (p *tenSteps) launched(ctx context.Context, env *failover.Env) (failover.State, error) {
	out, err := p.api.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: p.made(env)})
	if err != nil {
		return 0, err
	}
	var ids []*string
	var states []types.InstanceStateName
	for _, r := range out.Reservations {
		for i := range r.Instances {
			ids, states = append(ids, r.Instances[i].InstanceId), append(states, r.Instances[i].State.Name)
		}
	}
	return found(env, ids, states, types.InstanceStateNameRunning)
}

func (p *tenSteps) volume(ctx context.Context, env *failover.Env) (failover.State, error) {
	out, err := p.api.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: p.made(env)})
	if err != nil {
		return 0, err
	}
	var ids []*string
	var states []types.VolumeState
	for i := range out.Volumes {
		ids, states = append(ids, out.Volumes[i].VolumeId), append(states, out.Volumes[i].State)
	}
	return found(env, ids, states, types.VolumeStateAvailable, types.VolumeStateInUse)
}

func (p *tenSteps) address(ctx context.Context, env *failover.Env) (failover.State, error) {
	out, err := p.api.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{Filters: p.made(env)})
	if err != nil {
		return 0, err
	}
	var ids []*string
	var states []string
	for i := range out.Addresses {
		ids, states = append(ids, out.Addresses[i].AllocationId), append(states, "")
	}
	return found(env, ids, states, "")
}

func (p *tenSteps) networkInterface(ctx context.Context, env *failover.Env) (failover.State, error) {
	out, err := p.api.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: p.made(env)})
	if err != nil {
		return 0, err
	}
	var ids []*string
	var states []types.NetworkInterfaceStatus
	for i := range out.NetworkInterfaces {
		ids, states = append(ids, out.NetworkInterfaces[i].NetworkInterfaceId), append(states, out.NetworkInterfaces[i].Status)
	}
	return found(env, ids, states, types.NetworkInterfaceStatusAvailable)
}

func (p *tenSteps) attached(ctx context.Context, env *failover.Env) (failover.State, error) {
	out, err := p.api.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{env.Inputs["volume"]["id"]}})
	if err != nil {
		return 0, err
	}
	attachments := out.Volumes[0].Attachments
	switch {
	case len(attachments) == 0:
		return failover.NotDone, nil
	case attachments[0].State == types.VolumeAttachmentStateAttached:
		return failover.Done, nil
	default:
		return failover.InProgress, nil
	}
}

func (p *tenSteps) associated(ctx context.Context, env *failover.Env) (failover.State, error) {
	out, err := p.api.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{env.Inputs["address"]["id"]}})
	if err != nil {
		return 0, err
	}
	if aws.ToString(out.Addresses[0].InstanceId) == env.Inputs["launch"]["id"] {
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (p *tenSteps) labelled(ctx context.Context, env *failover.Env) (failover.State, error) {
	out, err := p.api.DescribeTags(ctx, &ec2.DescribeTagsInput{Filters: []types.Filter{
		{Name: aws.String("resource-id"), Values: []string{env.Inputs["launch"]["id"]}}, {Name: aws.String("key"), Values: []string{"role"}},
	}})
	if err != nil {
		return 0, err
	}
	if len(out.Tags) > 0 {
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (p *tenSteps) snapshot(ctx context.Context, env *failover.Env) (failover.State, error) {
	out, err := p.api.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{Filters: p.made(env), OwnerIds: []string{"self"}})
	if err != nil {
		return 0, err
	}
	var ids []*string
	var states []types.SnapshotState
	for i := range out.Snapshots {
		ids, states = append(ids, out.Snapshots[i].SnapshotId), append(states, types.SnapshotStateCompleted)
	}
	return found(env, ids, states, types.SnapshotStateCompleted)
}
