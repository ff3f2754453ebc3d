package elbstep

import (
	"context"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../stepmock/elbstep.go -pkg stepmock . HealthAPI:TargetHealthAPIMock API:TargetAPIMock

// HealthAPI is what [WaitHealthy] calls of Elastic Load Balancing; *elbv2.Client is one. Implementations are safe for concurrent use, end a call when its
// context ends, and return errors in the SDK's form.
type HealthAPI interface {
	// DescribeTargetHealth needs elasticloadbalancing:DescribeTargetHealth, which takes no resource in a policy. It is called for a
	// whole group, which has no pages, and once for all steps that look at it at the same time.
	DescribeTargetHealth(ctx context.Context, params *elbv2.DescribeTargetHealthInput, optFns ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error)
}

// API is what [Register] and [Deregister] call.
type API interface {
	HealthAPI

	// RegisterTargets needs elasticloadbalancing:RegisterTargets on the target group. It may be repeated.
	RegisterTargets(ctx context.Context, params *elbv2.RegisterTargetsInput, optFns ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error)

	// DeregisterTargets needs elasticloadbalancing:DeregisterTargets on the target group. It may be repeated.
	DeregisterTargets(ctx context.Context, params *elbv2.DeregisterTargetsInput, optFns ...func(*elbv2.Options)) (*elbv2.DeregisterTargetsOutput, error)
}

var (
	_ HealthAPI = (*elbv2.Client)(nil)
	_ API       = (*elbv2.Client)(nil)
)
