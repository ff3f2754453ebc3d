package autoscalingsvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/asgmodel"
)

func (s *service) addSources(e *awstest.Endpoint) {
	awstest.Handle(e, s.attachLoadBalancerTargetGroups, "AutoScalingGroupName", "TargetGroupARNs")
	awstest.Handle(e, s.detachLoadBalancerTargetGroups, "AutoScalingGroupName", "TargetGroupARNs")
	awstest.Handle(e, s.describeLoadBalancerTargetGroups, "AutoScalingGroupName", "MaxRecords", "NextToken")
	awstest.Handle(e, s.attachTrafficSources, "AutoScalingGroupName", "TrafficSources",
		// Accepted and without effect here:
		"SkipZonalShiftValidation")
	awstest.Handle(e, s.detachTrafficSources, "AutoScalingGroupName", "TrafficSources")
	awstest.Handle(e, s.describeTrafficSources, "AutoScalingGroupName", "TrafficSourceType", "MaxRecords", "NextToken")
}

// elbv2 is the one type of traffic source that is modelled.
const elbv2 = "elbv2"

// maxSources of one request.
// Source: AttachTrafficSourcesInput of the SDK (read 2026-11)
const maxSources = 10

func targetGroups(arns []string) (list []asgmodel.Source, err error) {
	for _, arn := range arns {
		list = append(list, asgmodel.Source{ARN: arn})
	}
	return list, checkCount(len(list))
}

func checkCount(n int) error {
	if n == 0 || n > maxSources {
		return invalid("From 1 to %d target groups must be specified", maxSources)
	}
	return nil
}

func trafficSources(call *awstest.Call, in []types.TrafficSourceIdentifier) (list []asgmodel.Source, err error) {
	for _, t := range in {
		if kind := aws.ToString(t.Type); kind != "" && kind != elbv2 {
			return nil, call.NotModelled("traffic source type %s", kind)
		}
		list = append(list, asgmodel.Source{ARN: aws.ToString(t.Identifier), Traffic: true})
	}
	return list, nil
}

func (s *service) attachLoadBalancerTargetGroups(tx *awstest.Tx, call *awstest.Call, in *autoscaling.AttachLoadBalancerTargetGroupsInput) (*autoscaling.AttachLoadBalancerTargetGroupsOutput, error) {
	list, err := targetGroups(in.TargetGroupARNs)
	if err != nil {
		return nil, err
	}
	if err := s.region(call).AttachSources(tx, aws.ToString(in.AutoScalingGroupName), list); err != nil {
		return nil, err
	}
	return &autoscaling.AttachLoadBalancerTargetGroupsOutput{}, nil
}

func (s *service) detachLoadBalancerTargetGroups(tx *awstest.Tx, call *awstest.Call, in *autoscaling.DetachLoadBalancerTargetGroupsInput) (*autoscaling.DetachLoadBalancerTargetGroupsOutput, error) {
	list, err := targetGroups(in.TargetGroupARNs)
	if err != nil {
		return nil, err
	}
	if err := s.region(call).DetachSources(tx, aws.ToString(in.AutoScalingGroupName), list); err != nil {
		return nil, err
	}
	return &autoscaling.DetachLoadBalancerTargetGroupsOutput{}, nil
}

func (s *service) describeLoadBalancerTargetGroups(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribeLoadBalancerTargetGroupsInput) (*autoscaling.DescribeLoadBalancerTargetGroupsOutput, error) {
	g, err := s.region(call).Group(call.At, aws.ToString(in.AutoScalingGroupName))
	if err != nil {
		return nil, err
	}
	var list []types.LoadBalancerTargetGroupState
	for _, source := range g.Sources {
		if !source.Traffic {
			list = append(list, types.LoadBalancerTargetGroupState{LoadBalancerTargetGroupARN: aws.String(source.ARN), State: aws.String(source.State)})
		}
	}
	list, next, err := page(pagesOfTargets, list, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &autoscaling.DescribeLoadBalancerTargetGroupsOutput{LoadBalancerTargetGroups: list, NextToken: next}, nil
}

func (s *service) attachTrafficSources(tx *awstest.Tx, call *awstest.Call, in *autoscaling.AttachTrafficSourcesInput) (*autoscaling.AttachTrafficSourcesOutput, error) {
	list, err := trafficSources(call, in.TrafficSources)
	if err != nil {
		return nil, err
	}
	if err := checkCount(len(list)); err != nil {
		return nil, err
	}
	if err := s.region(call).AttachSources(tx, aws.ToString(in.AutoScalingGroupName), list); err != nil {
		return nil, err
	}
	return &autoscaling.AttachTrafficSourcesOutput{}, nil
}

func (s *service) detachTrafficSources(tx *awstest.Tx, call *awstest.Call, in *autoscaling.DetachTrafficSourcesInput) (*autoscaling.DetachTrafficSourcesOutput, error) {
	list, err := trafficSources(call, in.TrafficSources)
	if err != nil {
		return nil, err
	}
	if err := checkCount(len(list)); err != nil {
		return nil, err
	}
	if err := s.region(call).DetachSources(tx, aws.ToString(in.AutoScalingGroupName), list); err != nil {
		return nil, err
	}
	return &autoscaling.DetachTrafficSourcesOutput{}, nil
}

func (s *service) describeTrafficSources(_ *awstest.Tx, call *awstest.Call, in *autoscaling.DescribeTrafficSourcesInput) (*autoscaling.DescribeTrafficSourcesOutput, error) {
	g, err := s.region(call).Group(call.At, aws.ToString(in.AutoScalingGroupName))
	if err != nil {
		return nil, err
	}
	var list []types.TrafficSourceState
	for _, source := range g.Sources {
		if kind := aws.ToString(in.TrafficSourceType); kind == "" || kind == elbv2 {
			list = append(list, types.TrafficSourceState{
				Identifier: aws.String(source.ARN), Type: aws.String(elbv2), State: aws.String(source.State),
			})
		}
	}
	list, next, err := page(pagesOfSources, list, in.NextToken, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &autoscaling.DescribeTrafficSourcesOutput{TrafficSources: list, NextToken: next}, nil
}
