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
	awstest.Handle(e, s.createLoadBalancer, "Name", "Subnets", "SubnetMappings", "Type", "Scheme",
		// Accepted and without effect here:
		"SecurityGroups", "IpAddressType", "Tags")
	awstest.Handle(e, s.describeLoadBalancers, "LoadBalancerArns", "Names", "PageSize", "Marker")
	awstest.Handle(e, s.deleteLoadBalancer, "LoadBalancerArn")
	awstest.Handle(e, s.createListener, "LoadBalancerArn", "DefaultActions", "Port", "Protocol",
		// Accepted and without effect here:
		"Certificates", "SslPolicy", "Tags")
	awstest.Handle(e, s.describeListeners, "LoadBalancerArn", "ListenerArns", "PageSize", "Marker")
	awstest.Handle(e, s.deleteListener, "ListenerArn")
}

func (s *service) createLoadBalancer(tx *awstest.Tx, call *awstest.Call, in *elbv2.CreateLoadBalancerInput) (*elbv2.CreateLoadBalancerOutput, error) {
	kind := in.Type
	switch kind {
	case "":
		kind = types.LoadBalancerTypeEnumApplication
	case types.LoadBalancerTypeEnumApplication, types.LoadBalancerTypeEnumNetwork:
	default:
		return nil, call.NotModelled("load balancers of type %s", kind)
	}
	scheme := in.Scheme
	if scheme == "" {
		scheme = types.LoadBalancerSchemeEnumInternetFacing
	}
	subnets := slices.Clone(in.Subnets)
	for _, m := range in.SubnetMappings {
		if m.AllocationId != nil || m.PrivateIPv4Address != nil || m.IPv6Address != nil {
			return nil, call.NotModelled("addresses in subnet mappings")
		}
		subnets = append(subnets, aws.ToString(m.SubnetId))
	}
	b, err := s.region(call).CreateBalancer(tx, aws.ToString(in.Name), string(kind), string(scheme), subnets)
	if err != nil {
		return nil, err
	}
	return &elbv2.CreateLoadBalancerOutput{LoadBalancers: []types.LoadBalancer{s.showBalancer(call, b)}}, nil
}

func (s *service) describeLoadBalancers(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeLoadBalancersInput) (*elbv2.DescribeLoadBalancersOutput, error) {
	if err := listing(call, in.Marker); err != nil {
		return nil, err
	}
	region := s.region(call)
	for _, arn := range in.LoadBalancerArns {
		if _, err := region.Balancer(arn); err != nil {
			return nil, err
		}
	}
	out := &elbv2.DescribeLoadBalancersOutput{}
	for b := range region.Balancers() {
		if wanted(in.LoadBalancerArns, b.ARN) && wanted(in.Names, b.Name) {
			out.LoadBalancers = append(out.LoadBalancers, s.showBalancer(call, b))
		}
	}
	if len(in.Names) > 0 && len(out.LoadBalancers) < len(in.Names) {
		return nil, awstest.Errorf("LoadBalancerNotFound", "Load balancers '%v' not found", in.Names)
	}
	return out, nil
}

func (s *service) deleteLoadBalancer(tx *awstest.Tx, call *awstest.Call, in *elbv2.DeleteLoadBalancerInput) (*elbv2.DeleteLoadBalancerOutput, error) {
	s.region(call).DeleteBalancer(tx, aws.ToString(in.LoadBalancerArn))
	return &elbv2.DeleteLoadBalancerOutput{}, nil
}

func (s *service) createListener(tx *awstest.Tx, call *awstest.Call, in *elbv2.CreateListenerInput) (*elbv2.CreateListenerOutput, error) {
	if in.Port == nil || *in.Port < 1 || *in.Port > 65535 {
		return nil, required("A port from 1 to 65535")
	}
	if len(in.DefaultActions) != 1 || in.DefaultActions[0].Type != types.ActionTypeEnumForward || in.DefaultActions[0].TargetGroupArn == nil {
		return nil, call.NotModelled("listener actions other than to forward to one target group")
	}
	l, err := s.region(call).CreateListener(tx, aws.ToString(in.LoadBalancerArn), string(in.Protocol), uint16(*in.Port), *in.DefaultActions[0].TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &elbv2.CreateListenerOutput{Listeners: []types.Listener{showListener(l)}}, nil
}

func (s *service) describeListeners(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeListenersInput) (*elbv2.DescribeListenersOutput, error) {
	if err := listing(call, in.Marker); err != nil {
		return nil, err
	}
	region := s.region(call)
	if arn := aws.ToString(in.LoadBalancerArn); arn != "" {
		if _, err := region.Balancer(arn); err != nil {
			return nil, err
		}
	}
	for _, arn := range in.ListenerArns {
		if _, err := region.Listener(arn); err != nil {
			return nil, err
		}
	}
	out := &elbv2.DescribeListenersOutput{}
	for l := range region.Listeners() {
		if wanted(in.ListenerArns, l.ARN) && (in.LoadBalancerArn == nil || l.Balancer.ARN == *in.LoadBalancerArn) {
			out.Listeners = append(out.Listeners, showListener(l))
		}
	}
	return out, nil
}

func (s *service) deleteListener(_ *awstest.Tx, call *awstest.Call, in *elbv2.DeleteListenerInput) (*elbv2.DeleteListenerOutput, error) {
	return &elbv2.DeleteListenerOutput{}, s.region(call).DeleteListener(aws.ToString(in.ListenerArn))
}

func (s *service) showBalancer(call *awstest.Call, b *elbmodel.LoadBalancer) types.LoadBalancer {
	out := types.LoadBalancer{
		LoadBalancerArn: aws.String(b.ARN), LoadBalancerName: aws.String(b.Name), DNSName: aws.String(b.DNSName),
		Type: types.LoadBalancerTypeEnum(b.Type), Scheme: types.LoadBalancerSchemeEnum(b.Scheme), CreatedTime: aws.Time(b.Created),
		IpAddressType: types.IpAddressTypeIpv4, VpcId: aws.String(b.Subnets[0].VPC),
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

func showListener(l *elbmodel.Listener) types.Listener {
	return types.Listener{
		ListenerArn: aws.String(l.ARN), LoadBalancerArn: aws.String(l.Balancer.ARN), Port: aws.Int32(int32(l.Port)), Protocol: types.ProtocolEnum(l.Protocol),
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: aws.String(l.Group.ARN)}},
	}
}

// wanted tells whether a value is asked for; no values ask for everything.
func wanted(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }
