package cloudwatchsvc

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html (read 2026-11)
const (
	metricsPage    = 500
	recentlyActive = 3 * time.Hour
)

func (s *service) listMetrics(_ *awstest.Tx, call *awstest.Call, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	if in.RecentlyActive != "" && in.RecentlyActive != types.RecentlyActivePt3h {
		return nil, badValue("The parameter RecentlyActive must be a value in the set [PT3H].")
	}
	var found []types.Metric
	for m := range s.region(call).Metrics(call.At) {
		switch {
		case in.Namespace != nil && m.Namespace != *in.Namespace:
		case in.MetricName != nil && m.Name != *in.MetricName:
		case in.RecentlyActive != "" && m.Last.Before(call.At.Add(-recentlyActive)):
		case !hasDimensions(m.Dimensions, in.Dimensions):
		default:
			found = append(found, types.Metric{
				Namespace: aws.String(m.Namespace), MetricName: aws.String(m.Name), Dimensions: showDimensions(m.Dimensions),
			})
		}
	}
	part, next, err := page(found, in.NextToken, nil, metricsPage, metricsPage)
	if err != nil {
		return nil, err
	}
	return &cloudwatch.ListMetricsOutput{Metrics: part, NextToken: next}, nil
}

// hasDimensions tells whether a metric has all that is asked for. It may have
// others.
func hasDimensions(has []cwmodel.Dimension, asked []types.DimensionFilter) bool {
	for _, f := range asked {
		if !slices.ContainsFunc(has, func(d cwmodel.Dimension) bool {
			return d.Name == aws.ToString(f.Name) && (f.Value == nil || d.Value == *f.Value)
		}) {
			return false
		}
	}
	return true
}
