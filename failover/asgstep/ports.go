package asgstep

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../stepmock/asgstep.go -pkg stepmock . API:AutoScalingAPIMock

// API is what the steps call of Auto Scaling; *autoscaling.Client is one. Each step calls the reads and what its comment says. Implementations are safe
// for concurrent use, end a call when its context ends, and return errors in the SDK's form.
type API interface {
	// DescribeAutoScalingGroups needs autoscaling:DescribeAutoScalingGroups, which takes no resource in a policy. It is called with one name, and once
	// for all steps that look at the group at the same time.
	DescribeAutoScalingGroups(ctx context.Context, params *autoscaling.DescribeAutoScalingGroupsInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)

	// LaunchInstances needs autoscaling:LaunchInstances on the group. It is called with a derived ClientToken for one zone or subnet, and kept to
	// a single attempt.
	LaunchInstances(ctx context.Context, params *autoscaling.LaunchInstancesInput, optFns ...func(*autoscaling.Options)) (*autoscaling.LaunchInstancesOutput, error)

	// SetDesiredCapacity needs autoscaling:SetDesiredCapacity on the group. It may be repeated.
	SetDesiredCapacity(ctx context.Context, params *autoscaling.SetDesiredCapacityInput, optFns ...func(*autoscaling.Options)) (*autoscaling.SetDesiredCapacityOutput, error)

	// SetInstanceHealth needs autoscaling:SetInstanceHealth on the group. It may be repeated.
	SetInstanceHealth(ctx context.Context, params *autoscaling.SetInstanceHealthInput, optFns ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error)

	// TerminateInstanceInAutoScalingGroup needs autoscaling:TerminateInstanceInAutoScalingGroup on the group. It is called for one instance.
	TerminateInstanceInAutoScalingGroup(
		ctx context.Context, params *autoscaling.TerminateInstanceInAutoScalingGroupInput, optFns ...func(*autoscaling.Options),
	) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error)

	// EnterStandby needs autoscaling:EnterStandby on the group. It is kept to a single attempt.
	EnterStandby(ctx context.Context, params *autoscaling.EnterStandbyInput, optFns ...func(*autoscaling.Options)) (*autoscaling.EnterStandbyOutput, error)

	// ExitStandby needs autoscaling:ExitStandby on the group. It is kept to a single attempt.
	ExitStandby(ctx context.Context, params *autoscaling.ExitStandbyInput, optFns ...func(*autoscaling.Options)) (*autoscaling.ExitStandbyOutput, error)

	// SuspendProcesses needs autoscaling:SuspendProcesses on the group. It may be repeated.
	SuspendProcesses(ctx context.Context, params *autoscaling.SuspendProcessesInput, optFns ...func(*autoscaling.Options)) (*autoscaling.SuspendProcessesOutput, error)

	// ResumeProcesses needs autoscaling:ResumeProcesses on the group. It may be repeated, and is never called without names, which would resume all.
	ResumeProcesses(ctx context.Context, params *autoscaling.ResumeProcessesInput, optFns ...func(*autoscaling.Options)) (*autoscaling.ResumeProcessesOutput, error)

	// CompleteLifecycleAction needs autoscaling:CompleteLifecycleAction on the group.
	CompleteLifecycleAction(
		ctx context.Context, params *autoscaling.CompleteLifecycleActionInput, optFns ...func(*autoscaling.Options),
	) (*autoscaling.CompleteLifecycleActionOutput, error)
}

var _ API = (*autoscaling.Client)(nil)
