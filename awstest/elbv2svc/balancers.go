package elbv2svc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

func (s *service) addBalancers(e *awstest.Endpoint) {
	awstest.Handle(e, s.createLoadBalancer, "Name", "Subnets", "SubnetMappings", "Type", "Scheme", "SecurityGroups", "IpAddressType",
		// Accepted and without effect here:
		"Tags")
	awstest.Handle(e, s.describeLoadBalancers, "LoadBalancerArns", "Names", "PageSize", "Marker")
	awstest.Handle(e, s.deleteLoadBalancer, "LoadBalancerArn")
}

func (s *service) createLoadBalancer(tx *awstest.Tx, call *awstest.Call, in *elbv2.CreateLoadBalancerInput) (*elbv2.CreateLoadBalancerOutput, error) {
	spec := elbmodel.BalancerSpec{
		Name: aws.ToString(in.Name), Type: string(in.Type), Scheme: string(in.Scheme),
		SubnetIDs: slices.Clone(in.Subnets), SecurityGroups: slices.Clone(in.SecurityGroups),
	}
	switch in.Type {
	case "":
		spec.Type = elbmodel.Application
	case types.LoadBalancerTypeEnumApplication, types.LoadBalancerTypeEnumNetwork:
	default:
		return nil, call.NotModelled("load balancer type %s", in.Type)
	}
	switch in.Scheme {
	case "":
		spec.Scheme = string(types.LoadBalancerSchemeEnumInternetFacing)
	case types.LoadBalancerSchemeEnumInternetFacing, types.LoadBalancerSchemeEnumInternal:
	default:
		return nil, invalid("Load balancer scheme '%s' must be one of 'internal, internet-facing'", in.Scheme)
	}
	switch {
	case in.IpAddressType != "" && in.IpAddressType != types.IpAddressTypeIpv4:
		return nil, call.NotModelled("IP address type %s", in.IpAddressType)
	case len(in.Subnets) > 0 && len(in.SubnetMappings) > 0:
		return nil, invalid("You must specify either subnets or subnet mappings, but not both")
	}
	for _, m := range in.SubnetMappings {
		if m.AllocationId != nil || m.PrivateIPv4Address != nil || m.IPv6Address != nil || m.SourceNatIpv6Prefix != nil {
			return nil, call.NotModelled("an address of a subnet mapping")
		}
		spec.SubnetIDs = append(spec.SubnetIDs, aws.ToString(m.SubnetId))
	}
	b, err := s.region(call).CreateBalancer(tx, spec)
	if err != nil {
		return nil, err
	}
	return &elbv2.CreateLoadBalancerOutput{LoadBalancers: []types.LoadBalancer{s.showBalancer(present(tx, call), b)}}, nil
}

func (s *service) describeLoadBalancers(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeLoadBalancersInput) (out *elbv2.DescribeLoadBalancersOutput, err error) {
	if len(in.LoadBalancerArns) > 0 && len(in.Names) > 0 {
		return nil, invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	}
	region := s.region(call)
	for _, arn := range in.LoadBalancerArns {
		if _, err := region.Balancer(call.At, arn); err != nil {
			return nil, err
		}
	}
	var all []types.LoadBalancer
	for b := range region.Balancers(call.At) {
		if wanted(in.LoadBalancerArns, b.ARN) && wanted(in.Names, b.Name) {
			all = append(all, s.showBalancer(call, b))
		}
	}
	if name, missing := firstMissing(in.Names, all, func(b types.LoadBalancer) *string { return b.LoadBalancerName }); missing {
		return nil, awstest.Errorf("LoadBalancerNotFound", "Load balancers '[%s]' not found", name)
	}
	out = &elbv2.DescribeLoadBalancersOutput{}
	out.LoadBalancers, out.NextMarker, err = page(all, in.Marker, in.PageSize)
	return out, err
}

func (s *service) deleteLoadBalancer(tx *awstest.Tx, call *awstest.Call, in *elbv2.DeleteLoadBalancerInput) (*elbv2.DeleteLoadBalancerOutput, error) {
	return &elbv2.DeleteLoadBalancerOutput{}, s.region(call).DeleteBalancer(tx, aws.ToString(in.LoadBalancerArn))
}

func (s *service) showBalancer(call *awstest.Call, b *elbmodel.LoadBalancer) types.LoadBalancer {
	out := types.LoadBalancer{
		LoadBalancerArn: aws.String(b.ARN), LoadBalancerName: aws.String(b.Name), DNSName: aws.String(b.DNSName),
		Type: types.LoadBalancerTypeEnum(b.Type), Scheme: types.LoadBalancerSchemeEnum(b.Scheme), CreatedTime: aws.Time(b.Created),
		IpAddressType: types.IpAddressTypeIpv4, VpcId: aws.String(b.Subnets[0].VPC), SecurityGroups: slices.Clone(b.SecurityGroups),
		State: &types.LoadBalancerState{Code: types.LoadBalancerStateEnumProvisioning},
	}
	if s.region(call).Active(b, call.At) {
		out.State.Code = types.LoadBalancerStateEnumActive
	}
	for _, sub := range b.Subnets {
		out.AvailabilityZones = append(out.AvailabilityZones, types.AvailabilityZone{SubnetId: aws.String(sub.ID), ZoneName: aws.String(sub.Zone.Name())})
	}
	return out
}
