package autoscalingsvc

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addInstances(e *awstest.Endpoint) {
	awstest.Handle(e, s.setInstanceHealth, "InstanceId", "HealthStatus", "ShouldRespectGracePeriod")
	awstest.Handle(e, s.setInstanceProtection, "AutoScalingGroupName", "InstanceIds", "ProtectedFromScaleIn")
}

func (s *service) setInstanceHealth(tx *awstest.Tx, call *awstest.Call, in *autoscaling.SetInstanceHealthInput) (*autoscaling.SetInstanceHealthOutput, error) {
	status := aws.ToString(in.HealthStatus)
	if !strings.EqualFold(status, healthy) && !strings.EqualFold(status, unhealthy) {
		return nil, invalid("Valid instance health states are: [Healthy, Unhealthy]")
	}
	respect := in.ShouldRespectGracePeriod == nil || *in.ShouldRespectGracePeriod
	if err := s.region(call).SetHealth(tx, aws.ToString(in.InstanceId), strings.EqualFold(status, healthy), respect); err != nil {
		return nil, err
	}
	return &autoscaling.SetInstanceHealthOutput{}, nil
}

// maxProtected of one request.
// Source: SetInstanceProtectionInput of the SDK (read 2026-11)
const maxProtected = 50

func (s *service) setInstanceProtection(tx *awstest.Tx, call *awstest.Call, in *autoscaling.SetInstanceProtectionInput) (*autoscaling.SetInstanceProtectionOutput, error) {
	if len(in.InstanceIds) == 0 || len(in.InstanceIds) > maxProtected {
		return nil, invalid("From 1 to %d instance IDs must be specified", maxProtected)
	}
	if err := s.region(call).Protect(tx, aws.ToString(in.AutoScalingGroupName), in.InstanceIds, aws.ToBool(in.ProtectedFromScaleIn)); err != nil {
		return nil, err
	}
	return &autoscaling.SetInstanceProtectionOutput{}, nil
}
