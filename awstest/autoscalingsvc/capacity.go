package autoscalingsvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addCapacity(e *awstest.Endpoint) {
	awstest.Handle(e, s.setDesiredCapacity, "AutoScalingGroupName", "DesiredCapacity", "HonorCooldown")
	awstest.Handle(e, s.terminateInstanceInAutoScalingGroup, "ShouldDecrementDesiredCapacity", "AutoScalingGroupName", "InstanceId", "InstanceIds")
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
