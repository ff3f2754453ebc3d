package sqsscale

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

// ProtectAPI is what a Protector calls of Auto Scaling; *autoscaling.Client is one. Implementations are safe for concurrent use, end a
// call when its context ends, and return errors in the SDK's form.
type ProtectAPI interface {
	// SetInstanceProtection needs autoscaling:SetInstanceProtection on the group. It is called for one instance, to change what is set
	// or not known, and may be repeated. ProtectOptions.HookOnly does without it.
	SetInstanceProtection(ctx context.Context, params *autoscaling.SetInstanceProtectionInput, optFns ...func(*autoscaling.Options)) (*autoscaling.SetInstanceProtectionOutput, error)

	// DescribeAutoScalingInstances needs autoscaling:DescribeAutoScalingInstances, which takes no resource: allow it on "*". It is called
	// for one instance, if there is a hook: every PollInterval without ProtectOptions.Metadata, and with it when that does not answer
	// or does not say enough.
	DescribeAutoScalingInstances(ctx context.Context, params *autoscaling.DescribeAutoScalingInstancesInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingInstancesOutput, error)

	// DescribeLifecycleHooks needs autoscaling:DescribeLifecycleHooks, which takes no resource. It is called when Run begins and when a
	// termination has been noticed, if there is a hook.
	DescribeLifecycleHooks(ctx context.Context, params *autoscaling.DescribeLifecycleHooksInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribeLifecycleHooksOutput, error)

	// RecordLifecycleActionHeartbeat needs autoscaling:RecordLifecycleActionHeartbeat on the group. It is called during a drain, and may
	// be repeated.
	RecordLifecycleActionHeartbeat(ctx context.Context, params *autoscaling.RecordLifecycleActionHeartbeatInput, optFns ...func(*autoscaling.Options)) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error)

	// CompleteLifecycleAction needs autoscaling:CompleteLifecycleAction on the group. It is called after a drain, always with CONTINUE.
	// A repetition is refused, and then known to be one.
	CompleteLifecycleAction(ctx context.Context, params *autoscaling.CompleteLifecycleActionInput, optFns ...func(*autoscaling.Options)) (*autoscaling.CompleteLifecycleActionOutput, error)
}

var _ ProtectAPI = (*autoscaling.Client)(nil)

// MetadataAPI is what a Protector asks of the metadata service of its instance; *imds.Client is one. It is called every PollInterval, by one
// goroutine, with the path "autoscaling/target-lifecycle-state". Nobody is charged for that, and no IAM action is needed.
type MetadataAPI interface {
	GetMetadata(ctx context.Context, params *imds.GetMetadataInput, optFns ...func(*imds.Options)) (*imds.GetMetadataOutput, error)
}

var _ MetadataAPI = (*imds.Client)(nil)
