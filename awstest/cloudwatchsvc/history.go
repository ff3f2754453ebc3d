package cloudwatchsvc

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addHistory(e *awstest.Endpoint) {
	awstest.Handle(e, s.describeAlarmHistory, "AlarmName", "AlarmTypes", "HistoryItemType", "StartDate", "EndDate", "ScanBy", "MaxRecords", "NextToken")
}

func (s *service) describeAlarmHistory(_ *awstest.Tx, call *awstest.Call, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	if err := cmp.Or(
		checkTypes(in.AlarmTypes),
		oneOf("HistoryItemType", in.HistoryItemType, in.HistoryItemType.Values()),
		oneOf("ScanBy", in.ScanBy, in.ScanBy.Values()),
	); err != nil {
		return nil, err
	}
	var found []types.AlarmHistoryItem
	for item := range s.region(call).History(call.At) {
		switch {
		case !ofMetrics(in.AlarmTypes):
		case in.AlarmName != nil && item.Alarm != *in.AlarmName:
		case in.HistoryItemType != "" && string(in.HistoryItemType) != string(item.Type):
		case in.StartDate != nil && item.Time.Before(*in.StartDate):
		case in.EndDate != nil && item.Time.After(*in.EndDate):
		default:
			found = append(found, types.AlarmHistoryItem{
				AlarmName: aws.String(item.Alarm), AlarmType: types.AlarmTypeMetricAlarm, HistoryItemType: types.HistoryItemType(item.Type),
				HistorySummary: aws.String(item.Summary), Timestamp: aws.Time(item.Time),
			})
		}
	}
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(found)
	}
	part, next, err := page(found, in.NextToken, in.MaxRecords, maxAlarms, maxAlarms)
	if err != nil {
		return nil, err
	}
	return &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: part, NextToken: next}, nil
}
