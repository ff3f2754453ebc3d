package elbv2hc

import (
	"context"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../healthcheckmock/elbv2hc.go -pkg healthcheckmock . HealthAPI ImportAPI SyncAPI

// The ports below are what the package calls of Elastic Load Balancing; *elasticloadbalancingv2.Client is each of them.
// Implementations are safe for concurrent use, end a call when its context ends, and return errors in the SDK's form: the
// code in a smithy.APIError decides what happens next. All calls may be repeated.

// HealthAPI is what [Follow], [WaitInService] and [WaitDrained] call.
type HealthAPI interface {
	// DescribeTargetHealth needs elasticloadbalancing:DescribeTargetHealth, which takes no resource in a policy. It is
	// always called for a whole group: it has no pages.
	DescribeTargetHealth(ctx context.Context, params *elbv2.DescribeTargetHealthInput, optFns ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error)
}

// ImportAPI is what [Import] calls. None of its actions takes a resource in a policy.
type ImportAPI interface {
	// DescribeTargetGroups needs elasticloadbalancing:DescribeTargetGroups.
	DescribeTargetGroups(ctx context.Context, params *elbv2.DescribeTargetGroupsInput, optFns ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupsOutput, error)

	// DescribeTargetGroupAttributes needs elasticloadbalancing:DescribeTargetGroupAttributes.
	DescribeTargetGroupAttributes(ctx context.Context, params *elbv2.DescribeTargetGroupAttributesInput, optFns ...func(*elbv2.Options)) (*elbv2.DescribeTargetGroupAttributesOutput, error)

	// DescribeLoadBalancerAttributes needs elasticloadbalancing:DescribeLoadBalancerAttributes. It is called for groups that
	// take the configuration of their load balancer for cross-zone load balancing, unless that is an Application Load
	// Balancer, for which it is always on.
	DescribeLoadBalancerAttributes(ctx context.Context, params *elbv2.DescribeLoadBalancerAttributesInput, optFns ...func(*elbv2.Options)) (*elbv2.DescribeLoadBalancerAttributesOutput, error)
}

// SyncAPI is what a [Syncer] calls.
type SyncAPI interface {
	// DescribeTargetHealth needs elasticloadbalancing:DescribeTargetHealth; see [HealthAPI].
	DescribeTargetHealth(ctx context.Context, params *elbv2.DescribeTargetHealthInput, optFns ...func(*elbv2.Options)) (*elbv2.DescribeTargetHealthOutput, error)

	// RegisterTargets needs elasticloadbalancing:RegisterTargets on the target group.
	RegisterTargets(ctx context.Context, params *elbv2.RegisterTargetsInput, optFns ...func(*elbv2.Options)) (*elbv2.RegisterTargetsOutput, error)

	// DeregisterTargets needs elasticloadbalancing:DeregisterTargets on the target group. Targets that are not registered
	// are no error.
	DeregisterTargets(ctx context.Context, params *elbv2.DeregisterTargetsInput, optFns ...func(*elbv2.Options)) (*elbv2.DeregisterTargetsOutput, error)
}

var (
	_ HealthAPI = (*elbv2.Client)(nil)
	_ ImportAPI = (*elbv2.Client)(nil)
	_ SyncAPI   = (*elbv2.Client)(nil)
)
