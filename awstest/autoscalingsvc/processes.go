package autoscalingsvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addProcesses(e *awstest.Endpoint) {
	awstest.Handle(e, s.suspendProcesses, "AutoScalingGroupName", "ScalingProcesses")
	awstest.Handle(e, s.resumeProcesses, "AutoScalingGroupName", "ScalingProcesses")
}

func (s *service) suspendProcesses(tx *awstest.Tx, call *awstest.Call, in *autoscaling.SuspendProcessesInput) (*autoscaling.SuspendProcessesOutput, error) {
	if err := s.region(call).Suspend(tx, aws.ToString(in.AutoScalingGroupName), in.ScalingProcesses); err != nil {
		return nil, err
	}
	return &autoscaling.SuspendProcessesOutput{}, nil
}

func (s *service) resumeProcesses(tx *awstest.Tx, call *awstest.Call, in *autoscaling.ResumeProcessesInput) (*autoscaling.ResumeProcessesOutput, error) {
	if err := s.region(call).Resume(tx, aws.ToString(in.AutoScalingGroupName), in.ScalingProcesses); err != nil {
		return nil, err
	}
	return &autoscaling.ResumeProcessesOutput{}, nil
}
