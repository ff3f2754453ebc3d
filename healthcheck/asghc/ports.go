package asghc

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../healthcheckmock/asghc.go -pkg healthcheckmock . API:AutoScalingAPIMock

// API is what the package calls of Auto Scaling; *autoscaling.Client is one. Implementations are safe for concurrent use,
// end a call when its context ends, and return errors in the SDK's form. One Replacer makes one call at a time.
type API interface {
	// DescribeAutoScalingGroups needs autoscaling:DescribeAutoScalingGroups, which takes no resource: allow it on "*".
	// It is called with names, never for all groups.
	DescribeAutoScalingGroups(ctx context.Context, params *autoscaling.DescribeAutoScalingGroupsInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)

	// DescribeAutoScalingInstances needs autoscaling:DescribeAutoScalingInstances, which takes no resource. It is called
	// with at most 50 IDs, and only if Options.Groups is empty.
	DescribeAutoScalingInstances(ctx context.Context, params *autoscaling.DescribeAutoScalingInstancesInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingInstancesOutput, error)

	// SetInstanceHealth needs autoscaling:SetInstanceHealth on the group. It may be repeated. A dry run does not call it.
	SetInstanceHealth(ctx context.Context, params *autoscaling.SetInstanceHealthInput, optFns ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error)
}

var _ API = (*autoscaling.Client)(nil)
