package elbv2svc

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

func (s *service) addBalancerAttributes(e *awstest.Endpoint) {
	awstest.Handle(e, s.describeLoadBalancerAttributes, "LoadBalancerArn")
	awstest.Handle(e, s.modifyLoadBalancerAttributes, "LoadBalancerArn", "Attributes")
}

// The attributes of load balancers that are modelled.
const (
	crossZone  = "load_balancing.cross_zone.enabled"
	zonalShift = "zonal_shift.config.enabled"
)

func (s *service) describeLoadBalancerAttributes(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeLoadBalancerAttributesInput) (*elbv2.DescribeLoadBalancerAttributesOutput, error) {
	b, err := s.region(call).Balancer(call.At, aws.ToString(in.LoadBalancerArn))
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeLoadBalancerAttributesOutput{Attributes: showSettings(s.region(call).Settings(call.At, b))}, nil
}

func (s *service) modifyLoadBalancerAttributes(tx *awstest.Tx, call *awstest.Call, in *elbv2.ModifyLoadBalancerAttributesInput) (*elbv2.ModifyLoadBalancerAttributesOutput, error) {
	region := s.region(call)
	b, err := region.Balancer(tx.Now(), aws.ToString(in.LoadBalancerArn))
	if err != nil {
		return nil, err
	}
	settings := region.Settings(tx.Now(), b)
	fields := map[string]*bool{crossZone: &settings.CrossZone, zonalShift: &settings.ZonalShift}
	for _, a := range in.Attributes {
		field, ok := fields[aws.ToString(a.Key)]
		if !ok {
			return nil, call.NotModelled("attribute %q", aws.ToString(a.Key))
		}
		switch aws.ToString(a.Value) {
		case "true":
			*field = true
		case "false":
			*field = false
		default:
			return nil, invalid("'%s' of '%s' must be 'true' or 'false'", aws.ToString(a.Value), *a.Key)
		}
	}
	if err := region.ModifySettings(tx, b, settings); err != nil {
		return nil, err
	}
	return &elbv2.ModifyLoadBalancerAttributesOutput{Attributes: showSettings(settings)}, nil
}

func showSettings(s elbmodel.Settings) []types.LoadBalancerAttribute {
	return []types.LoadBalancerAttribute{
		{Key: aws.String(crossZone), Value: aws.String(strconv.FormatBool(s.CrossZone))},
		{Key: aws.String(zonalShift), Value: aws.String(strconv.FormatBool(s.ZonalShift))},
	}
}
