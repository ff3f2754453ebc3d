package elbv2svc

import (
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

func (s *service) addGroups(e *awstest.Endpoint) {
	awstest.Handle(e, s.createTargetGroup, "Name", "Protocol", "Port", "TargetType", "VpcId", "HealthCheckEnabled", "HealthCheckProtocol",
		"HealthCheckPort", "HealthCheckPath", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds", "HealthyThresholdCount",
		"UnhealthyThresholdCount", "Matcher",
		// Accepted and without effect here:
		"ProtocolVersion", "IpAddressType", "Tags")
	awstest.Handle(e, s.modifyTargetGroup, "TargetGroupArn", "HealthCheckEnabled", "HealthCheckProtocol", "HealthCheckPort", "HealthCheckPath",
		"HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher")
	awstest.Handle(e, s.describeTargetGroups, "TargetGroupArns", "Names", "LoadBalancerArn", "PageSize", "Marker")
	awstest.Handle(e, s.deleteTargetGroup, "TargetGroupArn")
	awstest.Handle(e, s.describeTargetGroupAttributes, "TargetGroupArn")
	awstest.Handle(e, s.modifyTargetGroupAttributes, "TargetGroupArn", "Attributes")
}

func (s *service) createTargetGroup(tx *awstest.Tx, call *awstest.Call, in *elbv2.CreateTargetGroupInput) (*elbv2.CreateTargetGroupOutput, error) {
	kind := in.TargetType
	switch kind {
	case "":
		kind = types.TargetTypeEnumInstance
	case types.TargetTypeEnumInstance, types.TargetTypeEnumIp:
	default:
		return nil, call.NotModelled("target type %s", kind)
	}
	switch {
	case in.Protocol == "":
		return nil, required("A protocol")
	case in.Port == nil || *in.Port < 1 || *in.Port > 65535:
		return nil, required("A port from 1 to 65535")
	case in.VpcId == nil:
		return nil, required("A VPC ID")
	case in.HealthCheckEnabled != nil && !*in.HealthCheckEnabled:
		return nil, awstest.Errorf("ValidationError", "Health check enabled must be true for target groups with target type '%s'", kind)
	}
	check := elbmodel.DefaultCheck(string(in.Protocol), string(in.HealthCheckProtocol))
	changeCheck(&check, elbv2.ModifyTargetGroupInput{
		HealthCheckPort: in.HealthCheckPort, HealthCheckPath: in.HealthCheckPath, HealthCheckIntervalSeconds: in.HealthCheckIntervalSeconds,
		HealthCheckTimeoutSeconds: in.HealthCheckTimeoutSeconds, HealthyThresholdCount: in.HealthyThresholdCount,
		UnhealthyThresholdCount: in.UnhealthyThresholdCount, Matcher: in.Matcher,
	})
	g, err := s.region(call).CreateGroup(tx, elbmodel.Group{
		Name: aws.ToString(in.Name), Protocol: string(in.Protocol), Port: uint16(*in.Port), TargetType: string(kind), VPC: *in.VpcId, Check: check,
	})
	if err != nil {
		return nil, err
	}
	return &elbv2.CreateTargetGroupOutput{TargetGroups: []types.TargetGroup{s.showGroup(call, g)}}, nil
}

// changeCheck applies what a request sets.
func changeCheck(c *elbmodel.Check, in elbv2.ModifyTargetGroupInput) {
	if in.HealthCheckProtocol != "" && string(in.HealthCheckProtocol) != c.Protocol {
		c.Protocol = string(in.HealthCheckProtocol)
		c.Path, c.Matcher = "", ""
		if c.Protocol != "TCP" {
			c.Path, c.Matcher = "/", "200-399"
		}
	}
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

func (s *service) modifyTargetGroup(_ *awstest.Tx, call *awstest.Call, in *elbv2.ModifyTargetGroupInput) (*elbv2.ModifyTargetGroupOutput, error) {
	region := s.region(call)
	g, err := region.Group(aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	check := g.Check
	changeCheck(&check, *in)
	if err := region.ModifyCheck(g, check); err != nil {
		return nil, err
	}
	return &elbv2.ModifyTargetGroupOutput{TargetGroups: []types.TargetGroup{s.showGroup(call, g)}}, nil
}

func (s *service) describeTargetGroups(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeTargetGroupsInput) (*elbv2.DescribeTargetGroupsOutput, error) {
	if err := listing(call, in.Marker); err != nil {
		return nil, err
	}
	region := s.region(call)
	for _, arn := range in.TargetGroupArns {
		if _, err := region.Group(arn); err != nil {
			return nil, err
		}
	}
	out := &elbv2.DescribeTargetGroupsOutput{}
	for g := range region.Groups() {
		shown := s.showGroup(call, g)
		if wanted(in.TargetGroupArns, g.ARN) && wanted(in.Names, g.Name) &&
			(in.LoadBalancerArn == nil || slices.Contains(shown.LoadBalancerArns, *in.LoadBalancerArn)) {
			out.TargetGroups = append(out.TargetGroups, shown)
		}
	}
	if len(in.Names) > 0 && len(out.TargetGroups) < len(in.Names) {
		return nil, awstest.Errorf("TargetGroupNotFound", "One or more target groups not found")
	}
	return out, nil
}

func (s *service) deleteTargetGroup(tx *awstest.Tx, call *awstest.Call, in *elbv2.DeleteTargetGroupInput) (*elbv2.DeleteTargetGroupOutput, error) {
	return &elbv2.DeleteTargetGroupOutput{}, s.region(call).DeleteGroup(tx, aws.ToString(in.TargetGroupArn))
}

func (s *service) describeTargetGroupAttributes(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeTargetGroupAttributesInput) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
	g, err := s.region(call).Group(aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeTargetGroupAttributesOutput{Attributes: showAttributes(g)}, nil
}

func (s *service) modifyTargetGroupAttributes(_ *awstest.Tx, call *awstest.Call, in *elbv2.ModifyTargetGroupAttributesInput) (*elbv2.ModifyTargetGroupAttributesOutput, error) {
	g, err := s.region(call).Group(aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	changes := map[string]string{}
	for _, a := range in.Attributes {
		if !elbmodel.KnownAttribute(aws.ToString(a.Key)) {
			return nil, call.NotModelled("attribute %s", aws.ToString(a.Key))
		}
		changes[*a.Key] = aws.ToString(a.Value)
	}
	if err := g.SetAttributes(changes); err != nil {
		return nil, err
	}
	return &elbv2.ModifyTargetGroupAttributesOutput{Attributes: showAttributes(g)}, nil
}

func showAttributes(g *elbmodel.Group) []types.TargetGroupAttribute {
	var out []types.TargetGroupAttribute
	attributes := g.Attributes()
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		out = append(out, types.TargetGroupAttribute{Key: aws.String(key), Value: aws.String(attributes[key])})
	}
	return out
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
	if c.Path != "" {
		out.HealthCheckPath = aws.String(c.Path)
		out.Matcher = &types.Matcher{HttpCode: aws.String(c.Matcher)}
	}
	for _, b := range s.region(call).BalancersOf(g) {
		out.LoadBalancerArns = append(out.LoadBalancerArns, b.ARN)
	}
	return out
}
