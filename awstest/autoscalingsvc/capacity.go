package autoscalingsvc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
)

func (s *service) addCapacity(e *awstest.Endpoint) {
	awstest.Handle(e, s.setDesiredCapacity, "AutoScalingGroupName", "DesiredCapacity", "HonorCooldown")
	awstest.Handle(e, s.terminateInstanceInAutoScalingGroup, "ShouldDecrementDesiredCapacity", "AutoScalingGroupName", "InstanceId", "InstanceIds")
	awstest.Handle(e, s.launchInstances, "AutoScalingGroupName", "ClientToken", "RequestedCapacity", "AvailabilityZones", "AvailabilityZoneIds", "SubnetIds", "RetryStrategy")
}

func (s *service) setDesiredCapacity(tx *awstest.Tx, call *awstest.Call, in *autoscaling.SetDesiredCapacityInput) (*autoscaling.SetDesiredCapacityOutput, error) {
	err := s.region(call).SetDesired(tx, aws.ToString(in.AutoScalingGroupName), int(aws.ToInt32(in.DesiredCapacity)), aws.ToBool(in.HonorCooldown))
	if err != nil {
		return nil, err
	}
	return &autoscaling.SetDesiredCapacityOutput{}, nil
}

// maxTerminated of one request.
// Source: TerminateInstanceInAutoScalingGroupInput of the SDK (read 2026-11)
const maxTerminated = 100

func (s *service) terminateInstanceInAutoScalingGroup(tx *awstest.Tx, call *awstest.Call, in *autoscaling.TerminateInstanceInAutoScalingGroupInput) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
	one, group := aws.ToString(in.InstanceId), aws.ToString(in.AutoScalingGroupName)
	ids := in.InstanceIds
	switch {
	case (one == "") == (len(ids) == 0):
		return nil, invalid("Either an InstanceId or InstanceIds must be specified")
	case one != "":
		ids = []string{one}
	case group == "":
		return nil, invalid("An AutoScalingGroupName must be specified with InstanceIds")
	case len(ids) > maxTerminated:
		return nil, invalid("At most %d instance IDs can be specified", maxTerminated)
	}
	list, err := s.region(call).Terminate(tx, group, ids, aws.ToBool(in.ShouldDecrementDesiredCapacity))
	if err != nil {
		return nil, err
	}
	if one == "" {
		return &autoscaling.TerminateInstanceInAutoScalingGroupOutput{Activities: showActivities(list)}, nil
	}
	shown := showActivity(list[0])
	return &autoscaling.TerminateInstanceInAutoScalingGroupOutput{Activity: &shown}, nil
}

// onDemand is the market of all instances here.
const onDemand = "OnDemand"

func (s *service) launchInstances(tx *awstest.Tx, call *awstest.Call, in *autoscaling.LaunchInstancesInput) (*autoscaling.LaunchInstancesOutput, error) {
	ask := asgmodel.LaunchRequest{Group: aws.ToString(in.AutoScalingGroupName), Token: aws.ToString(in.ClientToken), Count: int(aws.ToInt32(in.RequestedCapacity))}
	for _, one := range []struct {
		name string
		list []string
		to   *string
	}{
		{"AvailabilityZones", in.AvailabilityZones, &ask.Zone},
		{"AvailabilityZoneIds", in.AvailabilityZoneIds, &ask.ZoneID},
		{"SubnetIds", in.SubnetIds, &ask.Subnet},
	} {
		if len(one.list) > 1 {
			return nil, invalid("%s must have at most one item", one.name)
		}
		if len(one.list) == 1 {
			*one.to = one.list[0]
		}
	}
	switch in.RetryStrategy {
	case "", types.RetryStrategyNone:
	case types.RetryStrategyRetryWithGroupConfiguration:
		ask.Retry = true
	default:
		return nil, invalid("Invalid RetryStrategy '%s'", in.RetryStrategy)
	}
	result, err := s.region(call).Launch(tx, ask)
	if err != nil {
		return nil, err
	}
	out := &autoscaling.LaunchInstancesOutput{AutoScalingGroupName: &ask.Group, ClientToken: &ask.Token}
	var subnet *string
	if result.Subnet != nil {
		subnet = aws.String(result.Subnet.ID)
	}
	if len(result.IDs) > 0 {
		out.Instances = []types.InstanceCollection{{
			InstanceIds: slices.Clone(result.IDs), InstanceType: &result.Type, MarketType: aws.String(onDemand),
			AvailabilityZone: aws.String(result.Zone.Name()), AvailabilityZoneId: aws.String(result.Zone.ID()), SubnetId: subnet,
		}}
	}
	if e := result.Failed; e != nil {
		out.Errors = []types.LaunchInstancesError{{
			ErrorCode: aws.String(e.Code), ErrorMessage: aws.String(e.Message), InstanceType: &result.Type, MarketType: aws.String(onDemand),
			AvailabilityZone: aws.String(result.Zone.Name()), AvailabilityZoneId: aws.String(result.Zone.ID()), SubnetId: subnet,
		}}
	}
	return out, nil
}
