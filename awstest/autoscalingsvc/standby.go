package autoscalingsvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addStandby(e *awstest.Endpoint) {
	awstest.Handle(e, s.enterStandby, "AutoScalingGroupName", "InstanceIds", "ShouldDecrementDesiredCapacity")
	awstest.Handle(e, s.exitStandby, "AutoScalingGroupName", "InstanceIds")
	awstest.Handle(e, s.attachInstances, "AutoScalingGroupName", "InstanceIds")
	awstest.Handle(e, s.detachInstances, "AutoScalingGroupName", "InstanceIds", "ShouldDecrementDesiredCapacity")
}

func (s *service) enterStandby(tx *awstest.Tx, call *awstest.Call, in *autoscaling.EnterStandbyInput) (*autoscaling.EnterStandbyOutput, error) {
	list, err := s.region(call).EnterStandby(tx, aws.ToString(in.AutoScalingGroupName), in.InstanceIds, aws.ToBool(in.ShouldDecrementDesiredCapacity))
	if err != nil {
		return nil, err
	}
	return &autoscaling.EnterStandbyOutput{Activities: showActivities(list)}, nil
}

func (s *service) exitStandby(tx *awstest.Tx, call *awstest.Call, in *autoscaling.ExitStandbyInput) (*autoscaling.ExitStandbyOutput, error) {
	list, err := s.region(call).ExitStandby(tx, aws.ToString(in.AutoScalingGroupName), in.InstanceIds)
	if err != nil {
		return nil, err
	}
	return &autoscaling.ExitStandbyOutput{Activities: showActivities(list)}, nil
}

func (s *service) attachInstances(tx *awstest.Tx, call *awstest.Call, in *autoscaling.AttachInstancesInput) (*autoscaling.AttachInstancesOutput, error) {
	if err := s.region(call).Attach(tx, aws.ToString(in.AutoScalingGroupName), in.InstanceIds); err != nil {
		return nil, err
	}
	return &autoscaling.AttachInstancesOutput{}, nil
}

func (s *service) detachInstances(tx *awstest.Tx, call *awstest.Call, in *autoscaling.DetachInstancesInput) (*autoscaling.DetachInstancesOutput, error) {
	list, err := s.region(call).Detach(tx, aws.ToString(in.AutoScalingGroupName), in.InstanceIds, aws.ToBool(in.ShouldDecrementDesiredCapacity))
	if err != nil {
		return nil, err
	}
	return &autoscaling.DetachInstancesOutput{Activities: showActivities(list)}, nil
}
