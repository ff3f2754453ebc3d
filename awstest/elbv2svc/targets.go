package elbv2svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

func (s *service) addTargets(e *awstest.Endpoint) {
	awstest.Handle(e, s.registerTargets, "TargetGroupArn", "Targets")
	awstest.Handle(e, s.deregisterTargets, "TargetGroupArn", "Targets")
	awstest.Handle(e, s.describeTargetHealth, "TargetGroupArn", "Targets")
}

func (s *service) registerTargets(tx *awstest.Tx, call *awstest.Call, in *elbv2.RegisterTargetsInput) (*elbv2.RegisterTargetsOutput, error) {
	g, keys, err := s.targets(call, in.TargetGroupArn, in.Targets)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, required("A target")
	}
	return &elbv2.RegisterTargetsOutput{}, s.region(call).Register(tx, g, keys)
}

func (s *service) deregisterTargets(tx *awstest.Tx, call *awstest.Call, in *elbv2.DeregisterTargetsInput) (*elbv2.DeregisterTargetsOutput, error) {
	g, keys, err := s.targets(call, in.TargetGroupArn, in.Targets)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, required("A target")
	}
	s.region(call).Deregister(tx, g, keys)
	return &elbv2.DeregisterTargetsOutput{}, nil
}

func (s *service) describeTargetHealth(tx *awstest.Tx, call *awstest.Call, in *elbv2.DescribeTargetHealthInput) (*elbv2.DescribeTargetHealthOutput, error) {
	g, keys, err := s.targets(call, in.TargetGroupArn, in.Targets)
	if err != nil {
		return nil, err
	}
	out := &elbv2.DescribeTargetHealthOutput{}
	for _, t := range s.region(call).Health(tx, g, call.At, keys) {
		shown := types.TargetHealthDescription{
			Target:          &types.TargetDescription{Id: aws.String(t.Key.ID), Port: aws.Int32(int32(t.Key.Port))},
			HealthCheckPort: aws.String(g.CheckPort(t.Key)),
			TargetHealth:    &types.TargetHealth{State: types.TargetHealthStateEnum(t.State)},
		}
		if t.Reason != "" {
			shown.TargetHealth.Reason = types.TargetHealthReasonEnum(t.Reason)
			shown.TargetHealth.Description = aws.String(t.Description)
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, shown)
	}
	return out, nil
}

// targets reads the targets of a request; the port is the group's where it is
// left out.
func (s *service) targets(call *awstest.Call, arn *string, list []types.TargetDescription) (*elbmodel.Group, []elbmodel.TargetKey, error) {
	g, err := s.region(call).Group(aws.ToString(arn))
	if err != nil {
		return nil, nil, err
	}
	var keys []elbmodel.TargetKey
	for _, t := range list {
		key := elbmodel.TargetKey{ID: aws.ToString(t.Id), Port: g.Port}
		if t.Port != nil {
			if *t.Port < 1 || *t.Port > 65535 {
				return nil, nil, awstest.Errorf("ValidationError", "Port '%d' must be from 1 to 65535", *t.Port)
			}
			key.Port = uint16(*t.Port)
		}
		keys = append(keys, key)
	}
	return g, keys, nil
}
