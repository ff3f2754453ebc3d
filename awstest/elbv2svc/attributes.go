package elbv2svc

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

func (s *service) addAttributes(e *awstest.Endpoint) {
	awstest.Handle(e, s.describeTargetGroupAttributes, "TargetGroupArn")
	awstest.Handle(e, s.modifyTargetGroupAttributes, "TargetGroupArn", "Attributes")
}

// deregistrationDelay is the one attribute that is modelled.
const deregistrationDelay = "deregistration_delay.timeout_seconds"

func (s *service) describeTargetGroupAttributes(_ *awstest.Tx, call *awstest.Call, in *elbv2.DescribeTargetGroupAttributesInput) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
	g, err := s.region(call).Group(call.At, aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeTargetGroupAttributesOutput{Attributes: showAttributes(g)}, nil
}

func (s *service) modifyTargetGroupAttributes(tx *awstest.Tx, call *awstest.Call, in *elbv2.ModifyTargetGroupAttributesInput) (*elbv2.ModifyTargetGroupAttributesOutput, error) {
	region := s.region(call)
	g, err := region.Group(tx.Now(), aws.ToString(in.TargetGroupArn))
	if err != nil {
		return nil, err
	}
	delay := g.DeregistrationDelay
	for _, a := range in.Attributes {
		if key := aws.ToString(a.Key); key != deregistrationDelay {
			return nil, call.NotModelled("attribute %q", key)
		}
		seconds, err := strconv.ParseUint(aws.ToString(a.Value), 10, 16)
		if err != nil {
			return nil, invalid("'%s' of '%s' is not a number of seconds", aws.ToString(a.Value), deregistrationDelay)
		}
		delay = time.Duration(seconds) * time.Second
	}
	if g, err = region.SetDeregistrationDelay(tx, g, delay); err != nil {
		return nil, err
	}
	return &elbv2.ModifyTargetGroupAttributesOutput{Attributes: showAttributes(g)}, nil
}

func showAttributes(g *elbmodel.Group) []types.TargetGroupAttribute {
	seconds := strconv.Itoa(int(g.DeregistrationDelay / time.Second))
	return []types.TargetGroupAttribute{{Key: aws.String(deregistrationDelay), Value: aws.String(seconds)}}
}
