package elbv2hc_test

import (
	"context"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/healthcheck/healthcheckmock"
)

// describing is an API that always describes the same registrations.
func describing(all ...types.TargetHealthDescription) *healthcheckmock.HealthAPIMock {
	return &healthcheckmock.HealthAPIMock{DescribeTargetHealthFunc: func(
		context.Context, *elbv2.DescribeTargetHealthInput, ...func(*elbv2.Options),
	) (*elbv2.DescribeTargetHealthOutput, error) {
		return &elbv2.DescribeTargetHealthOutput{TargetHealthDescriptions: all}, nil
	}}
}

// saying is an API that always says the same of 10.0.0.1:80.
func saying(h *types.TargetHealth) *healthcheckmock.HealthAPIMock { return describing(description(h)) }
