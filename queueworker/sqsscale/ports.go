package sqsscale

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/awsha/awsha/queueworker"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../queueworkermock/sqsscale.go -pkg queueworkermock . Hinter MetricsAPI StatisticsAPI PoliciesAPI GroupsAPI DriverAPI ProtectAPI MetadataAPI

// Hinter says how many instances a queue needs; *queueworker.Scaler is one. It must end when its context does. An error is an answer that
// is not known: nothing is published or scaled by it.
type Hinter interface {
	Hint(ctx context.Context) (queueworker.ScaleHint, error)
}

// HinterFunc is a function that is a Hinter.
type HinterFunc func(ctx context.Context) (queueworker.ScaleHint, error)

// Hint calls f.
func (f HinterFunc) Hint(ctx context.Context) (queueworker.ScaleHint, error) { return f(ctx) }

// MetricsAPI is what a Publisher calls of CloudWatch; *cloudwatch.Client is one. Implementations end a call when its context ends, and
// return errors in the SDK's form. One Publisher makes one call at a time.
type MetricsAPI interface {
	// PutMetricData needs cloudwatch:PutMetricData, which takes no resource but a condition on cloudwatch:namespace. A repetition adds
	// the same values once more, which changes an average only by their weight.
	PutMetricData(ctx context.Context, params *cloudwatch.PutMetricDataInput, optFns ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
}

// StatisticsAPI is what OldestAge calls of CloudWatch; *cloudwatch.Client is one.
type StatisticsAPI interface {
	// GetMetricStatistics needs cloudwatch:GetMetricStatistics, which takes no resource: allow it on "*".
	GetMetricStatistics(ctx context.Context, params *cloudwatch.GetMetricStatisticsInput, optFns ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricStatisticsOutput, error)
}

// PoliciesAPI is what a TargetTracking calls of Auto Scaling; *autoscaling.Client is one. Implementations end a call when its context ends,
// and return errors in the SDK's form.
type PoliciesAPI interface {
	// DescribePolicies needs autoscaling:DescribePolicies, which takes no resource: allow it on "*". It is called with one group and one name.
	DescribePolicies(ctx context.Context, params *autoscaling.DescribePoliciesInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribePoliciesOutput, error)

	// PutScalingPolicy needs autoscaling:PutScalingPolicy on the group. It may be repeated. Check does not call it.
	PutScalingPolicy(ctx context.Context, params *autoscaling.PutScalingPolicyInput, optFns ...func(*autoscaling.Options)) (*autoscaling.PutScalingPolicyOutput, error)

	// DescribeAutoScalingGroups needs autoscaling:DescribeAutoScalingGroups, which takes no resource. It is called for
	// TargetTracking.MetricMath only.
	DescribeAutoScalingGroups(ctx context.Context, params *autoscaling.DescribeAutoScalingGroupsInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
}

// GroupsAPI is what InService calls of Auto Scaling; *autoscaling.Client is one. Implementations end a call when its context ends, and
// return errors in the SDK's form.
type GroupsAPI interface {
	// DescribeAutoScalingGroups needs autoscaling:DescribeAutoScalingGroups, which takes no resource: allow it on "*". It is called with
	// one name.
	DescribeAutoScalingGroups(ctx context.Context, params *autoscaling.DescribeAutoScalingGroupsInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
}

// DriverAPI is what a Driver calls of Auto Scaling; *autoscaling.Client is one. One Driver makes one call at a time.
type DriverAPI interface {
	GroupsAPI

	// DescribeInstanceRefreshes needs autoscaling:DescribeInstanceRefreshes, which takes no resource. It is called before the capacity is
	// changed.
	DescribeInstanceRefreshes(ctx context.Context, params *autoscaling.DescribeInstanceRefreshesInput, optFns ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error)

	// SetDesiredCapacity needs autoscaling:SetDesiredCapacity on the group. It may be repeated: the capacity is a number, and no
	// difference. A dry run does not call it.
	SetDesiredCapacity(ctx context.Context, params *autoscaling.SetDesiredCapacityInput, optFns ...func(*autoscaling.Options)) (*autoscaling.SetDesiredCapacityOutput, error)
}

var (
	_ MetricsAPI    = (*cloudwatch.Client)(nil)
	_ StatisticsAPI = (*cloudwatch.Client)(nil)
	_ PoliciesAPI   = (*autoscaling.Client)(nil)
	_ DriverAPI     = (*autoscaling.Client)(nil)
)
