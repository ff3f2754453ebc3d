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

func (s *service) addAlarms(e *awstest.Endpoint) {
	awstest.Handle(e, s.putMetricAlarm, "AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions",
		"Namespace", "MetricName", "Dimensions", "Unit", "Statistic", "ExtendedStatistic", "EvaluateLowSampleCountPercentile",
		"Period", "EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData", "Tags")
	awstest.Handle(e, s.describeAlarms, "AlarmNames", "AlarmNamePrefix", "AlarmTypes", "ActionPrefix", "StateValue", "MaxRecords", "NextToken")
	awstest.Handle(e, s.describeAlarmsForMetric, "Namespace", "MetricName", "Dimensions", "Unit", "Statistic", "ExtendedStatistic", "Period")
	awstest.Handle(e, s.deleteAlarms, "AlarmNames")
}

func (s *service) putMetricAlarm(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	switch {
	case in.Threshold == nil:
		return nil, invalid("Threshold is required")
	case in.DatapointsToAlarm != nil && *in.DatapointsToAlarm < 1:
		return nil, invalid("DatapointsToAlarm must be from 1 to EvaluationPeriods")
	}
	switch low := aws.ToString(in.EvaluateLowSampleCountPercentile); low {
	case "", "evaluate":
	default:
		return nil, call.NotModelled("EvaluateLowSampleCountPercentile %q", low)
	}
	switch in.ComparisonOperator {
	case types.ComparisonOperatorLessThanLowerOrGreaterThanUpperThreshold, types.ComparisonOperatorLessThanLowerThreshold, types.ComparisonOperatorGreaterThanUpperThreshold:
		return nil, call.NotModelled("comparison operator %s", in.ComparisonOperator)
	}
	q, err := readAlarmQuery(call, in)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	_, err = s.region(call).PutAlarm(tx, cwmodel.AlarmSpec{
		Name: aws.ToString(in.AlarmName), Description: aws.ToString(in.AlarmDescription), Query: q,
		Period: time.Duration(aws.ToInt32(in.Period)) * time.Second, Periods: int(aws.ToInt32(in.EvaluationPeriods)), ToAlarm: int(aws.ToInt32(in.DatapointsToAlarm)),
		Operator: cwmodel.Operator(in.ComparisonOperator), Threshold: *in.Threshold, Missing: cwmodel.Missing(aws.ToString(in.TreatMissingData)),
		LowSamples:      aws.ToString(in.EvaluateLowSampleCountPercentile),
		ActionsDisabled: in.ActionsEnabled != nil && !*in.ActionsEnabled,
		AlarmActions:    slices.Clone(in.AlarmActions), OKActions: slices.Clone(in.OKActions), InsufficientDataActions: slices.Clone(in.InsufficientDataActions),
	}, tags)
	if err != nil {
		return nil, err
	}
	return &cloudwatch.PutMetricAlarmOutput{}, nil
}

// readAlarmQuery returns what an alarm looks at. One statistic must be given;
// the model sees to it that one is.
func readAlarmQuery(call *awstest.Call, in *cloudwatch.PutMetricAlarmInput) (q cwmodel.Query, err error) {
	if q.Metric, err = readMetric(in.Namespace, in.MetricName, in.Dimensions); err != nil {
		return q, err
	}
	if err := oneOf("Unit", in.Unit, in.Unit.Values()); err != nil {
		return q, err
	}
	q.Unit = string(in.Unit)
	switch {
	case in.Statistic != "" && in.ExtendedStatistic != nil:
		return q, invalid("Exactly one of Statistic and ExtendedStatistic is required")
	case in.ExtendedStatistic != nil:
		q.Statistic, err = readExtended(call, *in.ExtendedStatistic)
	case in.Statistic != "":
		var ok bool
		if q.Statistic, ok = cwmodel.ParseStatistic(string(in.Statistic)); !ok || q.Statistic.Percentile() {
			err = invalid("The value %q for Statistic is invalid", in.Statistic)
		}
	}
	return q, err
}

func showAlarm(a *cwmodel.Alarm) types.MetricAlarm {
	shown := types.MetricAlarm{
		AlarmName: aws.String(a.Name), AlarmArn: aws.String(a.ARN),
		ActionsEnabled: aws.Bool(!a.ActionsDisabled),
		AlarmActions:   slices.Clone(a.AlarmActions), OKActions: slices.Clone(a.OKActions), InsufficientDataActions: slices.Clone(a.InsufficientDataActions),
		Namespace: aws.String(a.Query.Metric.Namespace), MetricName: aws.String(a.Query.Metric.Name), Dimensions: showDimensions(a.Query.Metric.Dimensions),
		Unit: types.StandardUnit(a.Query.Unit), Period: aws.Int32(int32(a.Period / time.Second)), EvaluationPeriods: aws.Int32(int32(a.Periods)),
		ComparisonOperator: types.ComparisonOperator(a.Operator), Threshold: aws.Float64(a.Threshold),
		StateValue: types.StateValue(a.State), StateReason: aws.String(a.Reason),
		StateUpdatedTimestamp: aws.Time(a.StateUpdated), StateTransitionedTimestamp: aws.Time(a.StateChanged), AlarmConfigurationUpdatedTimestamp: aws.Time(a.ConfigUpdated),
	}
	if s := a.Query.Statistic; s.Percentile() {
		shown.ExtendedStatistic = aws.String(s.String())
	} else {
		shown.Statistic = types.Statistic(s.String())
	}
	if a.Description != "" {
		shown.AlarmDescription = aws.String(a.Description)
	}
	if a.ToAlarm != 0 {
		shown.DatapointsToAlarm = aws.Int32(int32(a.ToAlarm))
	}
	if a.Missing != "" {
		shown.TreatMissingData = aws.String(string(a.Missing))
	}
	if a.LowSamples != "" {
		shown.EvaluateLowSampleCountPercentile = aws.String(a.LowSamples)
	}
	if a.ReasonData != "" {
		shown.StateReasonData = aws.String(a.ReasonData)
	}
	return shown
}

func (s *service) deleteAlarms(tx *awstest.Tx, call *awstest.Call, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	if err := checkNames(in.AlarmNames); err != nil {
		return nil, err
	}
	s.region(call).DeleteAlarms(tx, in.AlarmNames...)
	return &cloudwatch.DeleteAlarmsOutput{}, nil
}

// maxAlarms is how many alarms an operation names.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html (read 2026-11)
const maxAlarms = 100

func checkNames(names []string) error {
	if len(names) > maxAlarms {
		return invalid("AlarmNames must have at most %d members", maxAlarms)
	}
	return nil
}
