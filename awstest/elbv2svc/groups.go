package elbv2svc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

func (s *service) addGroups(e *awstest.Endpoint) {
	awstest.Handle(e, s.createTargetGroup, "Name", "Protocol", "ProtocolVersion", "Port", "TargetType", "VpcId", "IpAddressType", "HealthCheckEnabled",
		"HealthCheckProtocol", "HealthCheckPort", "HealthCheckPath", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds",
		"HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher",
		// Accepted and without effect here:
		"Tags")
	awstest.Handle(e, s.modifyTargetGroup, "TargetGroupArn", "HealthCheckEnabled", "HealthCheckProtocol", "HealthCheckPort", "HealthCheckPath",
		"HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher")
	awstest.Handle(e, s.describeTargetGroups, "TargetGroupArns", "Names", "LoadBalancerArn", "PageSize", "Marker")
	awstest.Handle(e, s.deleteTargetGroup, "TargetGroupArn")
}

func (s *service) createTargetGroup(tx *awstest.Tx, call *awstest.Call, in *elbv2.CreateTargetGroupInput) (*elbv2.CreateTargetGroupOutput, error) {
	spec := elbmodel.GroupSpec{
		Name: aws.ToString(in.Name), Protocol: string(in.Protocol), TargetType: string(in.TargetType), VPC: aws.ToString(in.VpcId),
	}
	switch in.TargetType {
	case "":
		spec.TargetType = elbmodel.Instances
	case types.TargetTypeEnumInstance, types.TargetTypeEnumIp:
	default:
		return nil, call.NotModelled("target type %s", in.TargetType)
	}
	if in.IpAddressType != "" && in.IpAddressType != types.TargetGroupIpAddressTypeEnumIpv4 {
		return nil, call.NotModelled("IP address type %s", in.IpAddressType)
	}
	var err error
	if spec.Version, err = version(call, in); err != nil {
		return nil, err
	}
	if spec.Port, err = port("a target group", in.Port); err != nil {
		return nil, err
	}
	if in.VpcId == nil {
		return nil, invalid("A VPC ID must be specified")
	}
	settings := elbv2.ModifyTargetGroupInput{
		HealthCheckEnabled: in.HealthCheckEnabled, HealthCheckPort: in.HealthCheckPort, HealthCheckPath: in.HealthCheckPath,
		HealthCheckIntervalSeconds: in.HealthCheckIntervalSeconds, HealthCheckTimeoutSeconds: in.HealthCheckTimeoutSeconds,
		HealthyThresholdCount: in.HealthyThresholdCount, UnhealthyThresholdCount: in.UnhealthyThresholdCount, Matcher: in.Matcher,
	}
	if err := checkable(call, &settings); err != nil {
		return nil, err
	}
	spec.Check = elbmodel.DefaultCheck(spec.Protocol, string(in.HealthCheckProtocol))
	changeCheck(&spec.Check, &settings)
	g, err := s.region(call).CreateGroup(tx, spec)
	if err != nil {
		return nil, err
	}
	return &elbv2.CreateTargetGroupOutput{TargetGroups: []types.TargetGroup{s.showGroup(present(tx, call), g)}}, nil
}

// version checks the protocol of a group and returns its version, which
// HTTP and HTTPS have.
func version(call *awstest.Call, in *elbv2.CreateTargetGroupInput) (string, error) {
	v := aws.ToString(in.ProtocolVersion)
	switch in.Protocol {
	case "":
		return "", invalid("A protocol must be specified for a target group")
	case types.ProtocolEnumTcp, types.ProtocolEnumTls:
		if v != "" {
			return "", invalid("A protocol version cannot be specified for target groups with the '%s' protocol", in.Protocol)
		}
		return "", nil
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps:
	default:
		return "", call.NotModelled("protocol %s", in.Protocol)
	}
	switch v {
	case "", "HTTP1":
		return "HTTP1", nil
	case "HTTP2", "GRPC":
		return "", call.NotModelled("protocol version %s", v)
	}
	return "", invalid("Protocol version '%s' must be one of 'GRPC, HTTP1, HTTP2'", v)
}

// checkable refuses settings of a check that no group of ours has.
func checkable(call *awstest.Call, in *elbv2.ModifyTargetGroupInput) error {
	switch {
	case in.HealthCheckEnabled != nil && !*in.HealthCheckEnabled:
		return invalid("Health checks are always enabled for target groups of targets by instance ID or by IP address")
	case in.Matcher != nil && in.Matcher.GrpcCode != nil:
		return call.NotModelled("a matcher of gRPC codes")
	}
	return nil
}

// changeCheck applies what a request sets, except for the protocol.
func changeCheck(c *elbmodel.Check, in *elbv2.ModifyTargetGroupInput) {
	set(&c.Port, in.HealthCheckPort)
	set(&c.Path, in.HealthCheckPath)
	if in.Matcher != nil {
		set(&c.Matcher, in.Matcher.HttpCode)
	}
	if in.HealthCheckIntervalSeconds != nil {
		c.Interval = time.Duration(*in.HealthCheckIntervalSeconds) * time.Second
	}
	if in.HealthCheckTimeoutSeconds != nil {
		c.Timeout = time.Duration(*in.HealthCheckTimeoutSeconds) * time.Second
	}
	if in.HealthyThresholdCount != nil {
		c.Rise = int(*in.HealthyThresholdCount)
	}
	if in.UnhealthyThresholdCount != nil {
		c.Fall = int(*in.UnhealthyThresholdCount)
	}
}

func set(to *string, from *string) {
	if from != nil {
		*to = *from
	}
}

func (s *service) modifyTargetGroup(tx *awstest.Tx, call *awstest.Call, in *elbv2.ModifyTargetGroupInput) (*elbv2.ModifyTargetGroupOutput, error) {
	if err := checkable(call, in); err != nil {
		return nil, err
	}
	region := s.region(call)
	old, err := region.Group(tx.Now(), aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	g, err := region.ModifyCheck(tx, old, func(c *elbmodel.Check) {
		if in.HealthCheckProtocol != "" {
			c.SetProtocol(old.Protocol, string(in.HealthCheckProtocol))
		}
		changeCheck(c, in)
	})
	if err != nil {
		return nil, err
	}
	return &elbv2.ModifyTargetGroupOutput{TargetGroups: []types.TargetGroup{s.showGroup(present(tx, call), g)}}, nil
}

func (s *service) describeTargetGroups(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeTargetGroupsInput) (out *elbv2.DescribeTargetGroupsOutput, err error) {
	ways := 0
	for _, used := range []bool{in.LoadBalancerArn != nil, len(in.Names) > 0, len(in.TargetGroupArns) > 0} {
		if used {
			ways++
		}
	}
	if ways > 1 {
		return nil, invalid("Only one of a load balancer ARN, target group names and target group ARNs can be specified")
	}
	region := s.region(call)
	for _, arn := range in.TargetGroupArns {
		if _, err := region.Group(call.At, arn); err != nil {
			return nil, err
		}
	}
	if in.LoadBalancerArn != nil {
		if _, err := region.Balancer(call.At, *in.LoadBalancerArn); err != nil {
			return nil, err
		}
	}
	var all []types.TargetGroup
	for g := range region.Groups(call.At) {
		if !wanted(in.TargetGroupArns, g.ARN) || !wanted(in.Names, g.Name) {
			continue
		}
		shown := s.showGroup(call, g)
		if in.LoadBalancerArn == nil || len(shown.LoadBalancerArns) == 1 && shown.LoadBalancerArns[0] == *in.LoadBalancerArn {
			all = append(all, shown)
		}
	}
	if name, missing := firstMissing(in.Names, all, func(g types.TargetGroup) *string { return g.TargetGroupName }); missing {
		return nil, awstest.Errorf("TargetGroupNotFound", "One or more target groups not found: '%s'", name)
	}
	out = &elbv2.DescribeTargetGroupsOutput{}
	out.TargetGroups, out.NextMarker, err = page(all, in.Marker, in.PageSize)
	return out, err
}

func (s *service) deleteTargetGroup(tx *awstest.Tx, call *awstest.Call, in *elbv2.DeleteTargetGroupInput) (*elbv2.DeleteTargetGroupOutput, error) {
	return &elbv2.DeleteTargetGroupOutput{}, s.region(call).DeleteGroup(tx, aws.ToString(in.TargetGroupArn))
}

func (s *service) showGroup(call *awstest.Call, g *elbmodel.Group) types.TargetGroup {
	c := g.Check
	out := types.TargetGroup{
		TargetGroupArn: aws.String(g.ARN), TargetGroupName: aws.String(g.Name), Protocol: types.ProtocolEnum(g.Protocol), Port: aws.Int32(int32(g.Port)),
		TargetType: types.TargetTypeEnum(g.TargetType), VpcId: aws.String(g.VPC), IpAddressType: types.TargetGroupIpAddressTypeEnumIpv4,
		HealthCheckEnabled: aws.Bool(true), HealthCheckProtocol: types.ProtocolEnum(c.Protocol), HealthCheckPort: aws.String(c.Port),
		HealthCheckIntervalSeconds: aws.Int32(int32(c.Interval / time.Second)), HealthCheckTimeoutSeconds: aws.Int32(int32(c.Timeout / time.Second)),
		HealthyThresholdCount: aws.Int32(int32(c.Rise)), UnhealthyThresholdCount: aws.Int32(int32(c.Fall)),
	}
	if g.Version != "" {
		out.ProtocolVersion = aws.String(g.Version)
	}
	if c.Path != "" {
		out.HealthCheckPath = aws.String(c.Path)
		out.Matcher = &types.Matcher{HttpCode: aws.String(c.Matcher)}
	}
	if b, ok := s.region(call).BalancerOf(call.At, g.ARN); ok {
		out.LoadBalancerArns = []string{b.ARN}
	}
	return out
}
