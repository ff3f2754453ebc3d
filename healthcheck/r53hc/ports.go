package r53hc

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/route53"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../healthcheckmock/r53hc.go -pkg healthcheckmock . MetricsAPI AlarmsAPI HealthChecksAPI

// MetricsAPI is what a Publisher calls of CloudWatch; *cloudwatch.Client is one. Implementations end a call when its
// context ends. One Publisher makes one call at a time.
type MetricsAPI interface {
	// PutMetricData needs cloudwatch:PutMetricData, which takes no resource but a condition on cloudwatch:namespace. A
	// repetition adds the same values once more, which changes no extreme, and an average only by their weight.
	PutMetricData(ctx context.Context, params *cloudwatch.PutMetricDataInput, optFns ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error)
}

// AlarmsAPI is what Ensure calls of CloudWatch, in the region of the metric; *cloudwatch.Client is one.
type AlarmsAPI interface {
	// PutMetricAlarm needs cloudwatch:PutMetricAlarm on the alarm. It may be repeated.
	PutMetricAlarm(ctx context.Context, params *cloudwatch.PutMetricAlarmInput, optFns ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricAlarmOutput, error)

	// DescribeAlarms needs cloudwatch:DescribeAlarms. It is called with the one name.
	DescribeAlarms(ctx context.Context, params *cloudwatch.DescribeAlarmsInput, optFns ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
}

// HealthChecksAPI is what Ensure calls of Route 53; *route53.Client is one, of whatever region.
type HealthChecksAPI interface {
	// CreateHealthCheck needs route53:CreateHealthCheck. It may be repeated: the caller reference sees to that.
	CreateHealthCheck(ctx context.Context, params *route53.CreateHealthCheckInput, optFns ...func(*route53.Options)) (*route53.CreateHealthCheckOutput, error)

	// GetHealthCheck needs route53:GetHealthCheck on the health check.
	GetHealthCheck(ctx context.Context, params *route53.GetHealthCheckInput, optFns ...func(*route53.Options)) (*route53.GetHealthCheckOutput, error)

	// UpdateHealthCheck needs route53:UpdateHealthCheck on the health check. It is called with the version that was read.
	UpdateHealthCheck(ctx context.Context, params *route53.UpdateHealthCheckInput, optFns ...func(*route53.Options)) (*route53.UpdateHealthCheckOutput, error)
}

var (
	_ MetricsAPI      = (*cloudwatch.Client)(nil)
	_ AlarmsAPI       = (*cloudwatch.Client)(nil)
	_ HealthChecksAPI = (*route53.Client)(nil)
)
