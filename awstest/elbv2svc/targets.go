package elbv2svc

import (
	"strconv"

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
	region := s.region(call)
	g, err := region.Group(tx.Now(), aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	keys, err := targets(call, g, in.Targets, true)
	if err != nil {
		return nil, err
	}
	list := make([]elbmodel.Registration, len(keys))
	for i, k := range keys {
		list[i] = elbmodel.Registration{TargetKey: k, Zone: aws.ToString(in.Targets[i].AvailabilityZone)}
	}
	return &elbv2.RegisterTargetsOutput{}, region.Register(tx, g, list)
}

func (s *service) deregisterTargets(tx *awstest.Tx, call *awstest.Call, in *elbv2.DeregisterTargetsInput) (*elbv2.DeregisterTargetsOutput, error) {
	g, err := s.region(call).Group(tx.Now(), aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	keys, err := targets(call, g, in.Targets, true)
	if err != nil {
		return nil, err
	}
	g.Deregister(tx, keys)
	return &elbv2.DeregisterTargetsOutput{}, nil
}

func (s *service) describeTargetHealth(tx *awstest.Tx, call *awstest.Call, in *elbv2.DescribeTargetHealthInput) (*elbv2.DescribeTargetHealthOutput, error) {
	region := s.region(call)
	g, err := region.Group(call.At, aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	keys, err := targets(call, g, in.Targets, false)
	if err != nil {
		return nil, err
	}
	out := &elbv2.DescribeTargetHealthOutput{}
	for _, t := range region.Health(tx, g, call.At, keys) {
		shown := types.TargetHealthDescription{
			Target:          &types.TargetDescription{Id: aws.String(t.ID), Port: aws.Int32(int32(t.Port))},
			HealthCheckPort: aws.String(strconv.Itoa(int(g.CheckPort(t.TargetKey)))),
			TargetHealth:    &types.TargetHealth{State: types.TargetHealthStateEnum(t.State)},
		}
		if t.Reason != "" {
			shown.TargetHealth.Reason = types.TargetHealthReasonEnum(t.Reason)
			shown.TargetHealth.Description = aws.String(t.Description)
		}
		if overridden, inUse := region.Overridden(tx, g, call.At, t.TargetKey); inUse {
			shown.AdministrativeOverride = override(overridden)
		}
		out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, shown)
	}
	return out, nil
}

// override tells whether a zonal shift keeps new traffic from a target. The
// texts are those of the guide.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/zonal-shift.html#admin-override (read 2026-11)
func override(zonalShift bool) *types.AdministrativeOverride {
	if zonalShift {
		return &types.AdministrativeOverride{
			State: types.TargetAdministrativeOverrideStateEnumZonalShiftActive, Reason: types.TargetAdministrativeOverrideReasonEnumZonalShiftEngaged,
			Description: aws.String("Zonal shift is active in target Availability Zone"),
		}
	}
	return &types.AdministrativeOverride{
		State: types.TargetAdministrativeOverrideStateEnumNoOverride, Reason: types.TargetAdministrativeOverrideReasonEnumNoOverrideEngaged,
		Description: aws.String("No override is currently active on target"),
	}
}

// targets reads the targets of a request; the port is the group's where it is
// left out.
func targets(call *awstest.Call, g *elbmodel.Group, list []types.TargetDescription, required bool) ([]elbmodel.TargetKey, error) {
	if required && len(list) == 0 {
		return nil, invalid("At least one target must be specified")
	}
	var keys []elbmodel.TargetKey
	for _, t := range list {
		if t.QuicServerId != nil {
			return nil, call.NotModelled("a QUIC server ID of a target")
		}
		key := elbmodel.TargetKey{ID: aws.ToString(t.Id), Port: g.Port}
		if t.Port != nil {
			if err := elbmodel.CheckPort(*t.Port); err != nil {
				return nil, err
			}
			key.Port = uint16(*t.Port)
		}
		keys = append(keys, key)
	}
	return keys, nil
}
