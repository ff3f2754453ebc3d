package route53svc

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/r53model"
)

// show returns a health check as the SDK has it.
func show(hc *r53model.HealthCheck) *types.HealthCheck {
	return &types.HealthCheck{
		Id: aws.String(hc.ID), CallerReference: aws.String(hc.Reference), HealthCheckVersion: aws.Int64(hc.Version),
		HealthCheckConfig: showConfig(&hc.Config), CloudWatchAlarmConfiguration: showAlarm(hc.Alarm),
	}
}

func showConfig(c *r53model.Config) *types.HealthCheckConfig {
	out := &types.HealthCheckConfig{Type: types.HealthCheckType(c.Type), Inverted: aws.Bool(c.Inverted), Disabled: aws.Bool(c.Disabled)}
	switch c.Type {
	case r53model.Calculated:
		out.ChildHealthChecks, out.HealthThreshold = slices.Clone(c.Children), aws.Int32(c.Needed)
		return out
	case r53model.Metric:
		out.AlarmIdentifier = &types.AlarmIdentifier{Name: aws.String(c.AlarmName), Region: types.CloudWatchRegion(c.AlarmRegion)}
		out.InsufficientDataHealthStatus = types.InsufficientDataHealthStatus(c.Insufficient)
		return out
	}
	out.IPAddress, out.FullyQualifiedDomainName = given(c.Address), given(c.Name)
	out.ResourcePath, out.SearchString = given(c.Path), given(c.Search)
	out.Port, out.FailureThreshold = aws.Int32(c.Port), aws.Int32(c.Threshold)
	out.RequestInterval = aws.Int32(int32(c.Interval / time.Second))
	out.EnableSNI, out.MeasureLatency = aws.Bool(c.SNI), aws.Bool(c.MeasureLatency)
	for _, r := range c.Regions {
		out.Regions = append(out.Regions, types.HealthCheckRegion(r))
	}
	return out
}

func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// showAlarm returns the alarm as Route 53 has copied it.
func showAlarm(a *cwmodel.AlarmSpec) *types.CloudWatchAlarmConfiguration {
	if a == nil {
		return nil
	}
	out := &types.CloudWatchAlarmConfiguration{
		ComparisonOperator: types.ComparisonOperator(a.Operator), EvaluationPeriods: aws.Int32(int32(a.Periods)),
		MetricName: aws.String(a.Query.Metric.Name), Namespace: aws.String(a.Query.Metric.Namespace),
		Period: aws.Int32(int32(a.Period / time.Second)), Statistic: types.Statistic(a.Query.Statistic.String()), Threshold: aws.Float64(a.Threshold),
	}
	for _, d := range a.Query.Metric.Dimensions {
		out.Dimensions = append(out.Dimensions, types.Dimension{Name: aws.String(d.Name), Value: aws.String(d.Value)})
	}
	return out
}
