package cloudwatchsvc

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// alarmsPage is how many alarms a page has unless MaxRecords says otherwise.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html (read 2026-11)
const alarmsPage = 50

func (s *service) describeAlarms(_ *awstest.Tx, call *awstest.Call, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if in.AlarmNamePrefix != nil && len(in.AlarmNames) > 0 {
		return nil, badCombination("AlarmNames and AlarmNamePrefix are mutually exclusive.")
	}
	if err := checkNames(in.AlarmNames); err != nil {
		return nil, err
	}
	if err := oneOf("StateValue", in.StateValue, in.StateValue.Values()); err != nil {
		return nil, err
	}
	if err := checkTypes(in.AlarmTypes); err != nil {
		return nil, err
	}
	var found []types.MetricAlarm
	for a := range s.region(call).Alarms(call.At) {
		switch {
		case !ofMetrics(in.AlarmTypes):
		case len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.Name):
		case !strings.HasPrefix(a.Name, aws.ToString(in.AlarmNamePrefix)):
		case in.StateValue != "" && string(in.StateValue) != string(a.State):
		case in.ActionPrefix != nil && !hasAction(&a, *in.ActionPrefix):
		default:
			found = append(found, showAlarm(&a))
		}
	}
	part, next, err := page(found, in.NextToken, in.MaxRecords, alarmsPage, maxAlarms)
	if err != nil {
		return nil, err
	}
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: part, NextToken: next}, nil
}

func checkTypes(asked []types.AlarmType) error {
	for _, t := range asked {
		if err := oneOf("AlarmTypes", t, t.Values()); err != nil {
			return err
		}
	}
	return nil
}

// ofMetrics tells whether metric alarms are asked for: there are no others.
func ofMetrics(asked []types.AlarmType) bool {
	return len(asked) == 0 || slices.Contains(asked, types.AlarmTypeMetricAlarm)
}

func hasAction(a *cwmodel.Alarm, prefix string) bool {
	return slices.ContainsFunc(slices.Concat(a.AlarmActions, a.OKActions, a.InsufficientDataActions), func(arn string) bool {
		return strings.HasPrefix(arn, prefix)
	})
}

func (s *service) describeAlarmsForMetric(_ *awstest.Tx, call *awstest.Call, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	m, err := readMetric(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(oneOf("Unit", in.Unit, in.Unit.Values()), oneOf("Statistic", in.Statistic, in.Statistic.Values())); err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsForMetricOutput{}
	for a := range s.region(call).Alarms(call.At) {
		shown := showAlarm(&a)
		switch {
		case !a.Watches(m):
		case in.Unit != "" && in.Unit != shown.Unit:
		case in.Statistic != "" && in.Statistic != shown.Statistic:
		case in.ExtendedStatistic != nil && *in.ExtendedStatistic != aws.ToString(shown.ExtendedStatistic):
		case in.Period != nil && *in.Period != *shown.Period:
		default:
			out.MetricAlarms = append(out.MetricAlarms, shown)
		}
	}
	return out, nil
}
