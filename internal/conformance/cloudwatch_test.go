package conformance_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// noCloudWatch is the one difference of a place that has no CloudWatch behind the SDK's protocol: moto's answers HTTP 404.
// A scenario ends there, see session.there.
var noCloudWatch = []difference{{on: motoName, at: "the service is there", does: "not implemented"}}

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html (read 2026-11)
var cloudWatchScenarios = []scenario{
	{
		name: "data points come back as statistics",
		run: func(s *session) {
			from := time.Now().Add(-10 * time.Minute).Truncate(time.Minute)
			if !s.there(s.put(s.datum("size", from, 2), s.datum("size", from, 4), s.datum("size", from.Add(time.Minute), 5))) {
				return
			}
			statistics := &cloudwatch.GetMetricStatisticsInput{
				Namespace: s.namespace(), MetricName: aws.String("size"), StartTime: &from, EndTime: aws.Time(from.Add(5 * time.Minute)), Period: aws.Int32(60),
				Statistics: []types.Statistic{types.StatisticSampleCount, types.StatisticSum, types.StatisticMinimum, types.StatisticMaximum, types.StatisticAverage},
			}
			s.shows("statistics", "0: 2 of 6 from 2 to 4 mean 3, 1: 1 of 5 from 5 to 5 mean 5", func() string {
				out := must(s.cloudwatch.GetMetricStatistics(s.Context(), statistics))(s)
				// Data points are in no order.
				slices.SortFunc(out.Datapoints, func(a, b types.Datapoint) int { return a.Timestamp.Compare(*b.Timestamp) })
				var told []string
				for _, d := range out.Datapoints {
					told = append(told, fmt.Sprintf("%.0f: %v of %v from %v to %v mean %v", d.Timestamp.Sub(from).Minutes(), *d.SampleCount, *d.Sum, *d.Minimum, *d.Maximum, *d.Average))
				}
				return strings.Join(told, ", ")
			})
			data := func(order types.ScanBy) string {
				out := must(s.cloudwatch.GetMetricData(s.Context(), &cloudwatch.GetMetricDataInput{
					StartTime: &from, EndTime: aws.Time(from.Add(5 * time.Minute)), ScanBy: order,
					MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("a"), MetricStat: &types.MetricStat{
						Metric: &types.Metric{Namespace: s.namespace(), MetricName: aws.String("size")}, Period: aws.Int32(60), Stat: aws.String("Sum"),
					}}},
				}))(s)
				r := out.MetricDataResults[0]
				return fmt.Sprintf("%s %s %v", *r.Id, r.StatusCode, r.Values)
			}
			s.shows("data", "a Complete [5 6]", func() string { return data("") })
			s.is("data, oldest first", data(types.ScanByTimestampAscending), "a Complete [6 5]")
			s.shows("the list", "size", func() string {
				out := must(s.cloudwatch.ListMetrics(s.Context(), &cloudwatch.ListMetricsInput{Namespace: s.namespace()}))(s)
				var names []string
				for _, m := range out.Metrics {
					names = append(names, *m.MetricName)
				}
				return strings.Join(names, ", ")
			})
		},
		differs: noCloudWatch,
	},
	{
		name: "data points are refused",
		run: func(s *session) {
			now := time.Now()
			if !s.there(s.put(s.datum("size", now, 1))) {
				return
			}
			for _, c := range []struct {
				at   string
				data types.MetricDatum
				code string
			}{
				{"no value", types.MetricDatum{MetricName: aws.String("size")}, "MissingParameter"},
				{"a value and a statistic", types.MetricDatum{
					MetricName: aws.String("size"), Value: aws.Float64(1),
					StatisticValues: &types.StatisticSet{SampleCount: aws.Float64(1), Sum: aws.Float64(1), Minimum: aws.Float64(1), Maximum: aws.Float64(1)},
				}, "InvalidParameterCombination"},
				{"a value that is no number", s.datum("size", now, math.NaN()), "InvalidParameterValue"},
				{"more than two weeks ago", s.datum("size", now.Add(-15*24*time.Hour), 1), "InvalidParameterValue"},
				{"in more than two hours", s.datum("size", now.Add(3*time.Hour), 1), "InvalidParameterValue"},
			} {
				s.refused(c.at, s.put(c.data), c.code)
			}
			_, err := s.cloudwatch.GetMetricStatistics(s.Context(), &cloudwatch.GetMetricStatisticsInput{
				Namespace: s.namespace(), MetricName: aws.String("size"), StartTime: aws.Time(now.Add(-25 * time.Hour)), EndTime: &now, Period: aws.Int32(60),
				Statistics: []types.Statistic{types.StatisticSum},
			})
			s.refused("more than 1,440 data points", err, "InvalidParameterCombination")
		},
		differs: noCloudWatch,
	},
}

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html (read 2026-11)
var alarmScenarios = []scenario{
	{
		name: "an alarm follows the data",
		run: func(s *session) {
			if !s.there(s.alarm("a")) {
				return
			}
			s.is("a new alarm", s.alarmState("a"), "INSUFFICIENT_DATA")
			s.accepted("data above the threshold", s.put(s.datum("size", time.Now(), 11)))
			s.shows("above the threshold", "ALARM", func() string { return s.alarmState("a") })
			s.accepted("an update", s.alarm("a", func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmDescription = aws.String("too much") }))
			s.is("an update leaves the state", s.alarmState("a"), "ALARM")
			s.shows("no data any more", "INSUFFICIENT_DATA", func() string { return s.alarmState("a") })
			s.shows("history", "INSUFFICIENT_DATA to ALARM, ALARM to INSUFFICIENT_DATA", func() string {
				out := must(s.cloudwatch.DescribeAlarmHistory(s.Context(), &cloudwatch.DescribeAlarmHistoryInput{
					AlarmName: s.alarmName("a"), HistoryItemType: types.HistoryItemTypeStateUpdate, ScanBy: types.ScanByTimestampAscending,
				}))(s)
				var told []string
				for _, item := range out.AlarmHistoryItems {
					told = append(told, strings.TrimPrefix(*item.HistorySummary, "Alarm updated from "))
				}
				return strings.Join(told, ", ")
			})
		},
		differs: noCloudWatch,
	},
	{
		name: "the state of an alarm is set",
		run: func(s *session) {
			set := func(name *string, data *string) error {
				_, err := s.cloudwatch.SetAlarmState(s.Context(), &cloudwatch.SetAlarmStateInput{
					AlarmName: name, StateValue: types.StateValueAlarm, StateReason: aws.String("a drill"), StateReasonData: data,
				})
				return err
			}
			// Without data the next evaluation leaves the state as it is.
			if !s.there(s.alarm("a", func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("ignore") })) {
				return
			}
			s.accepted("setting", set(s.alarmName("a"), nil))
			s.shows("after setting", "ALARM", func() string { return s.alarmState("a") })
			s.refused("data that is not in JSON", set(s.alarmName("a"), aws.String("{")), "InvalidFormat")
			s.refused("an unknown alarm", set(s.alarmName("none"), nil), "ResourceNotFound")
		},
		differs: noCloudWatch,
	},
	{
		name: "alarms are found, switched and deleted",
		run: func(s *session) {
			if !s.there(s.alarm("a")) {
				return
			}
			s.accepted("another", s.alarm("b", func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = aws.String("age") }))
			prefix := func() string {
				out := must(s.cloudwatch.DescribeAlarms(s.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("awsha-" + s.mark + "-")}))(s)
				return s.alarmNames(out.MetricAlarms)
			}
			s.shows("by prefix", "a, b", prefix)
			s.shows("by metric", "b", func() string {
				out := must(s.cloudwatch.DescribeAlarmsForMetric(s.Context(), &cloudwatch.DescribeAlarmsForMetricInput{Namespace: s.namespace(), MetricName: aws.String("age")}))(s)
				return s.alarmNames(out.MetricAlarms)
			})
			names := []string{*s.alarmName("a")}
			_, err := s.cloudwatch.DisableAlarmActions(s.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: names})
			s.accepted("disabling actions", err)
			enabled := func() string { return fmt.Sprint(*s.describeAlarm("a").ActionsEnabled) }
			s.shows("disabled", "false", enabled)
			_, err = s.cloudwatch.EnableAlarmActions(s.Context(), &cloudwatch.EnableAlarmActionsInput{AlarmNames: names})
			s.accepted("enabling actions", err)
			s.shows("enabled", "true", enabled)

			arn := s.describeAlarm("a").AlarmArn
			_, err = s.cloudwatch.TagResource(s.Context(), &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}})
			s.accepted("tagging", err)
			_, err = s.cloudwatch.UntagResource(s.Context(), &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: []string{markKey}})
			s.accepted("untagging", err)
			s.shows("tags", "team=web", func() string {
				out := must(s.cloudwatch.ListTagsForResource(s.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: arn}))(s)
				var told []string
				for _, t := range out.Tags {
					told = append(told, *t.Key+"="+*t.Value)
				}
				return strings.Join(told, ", ")
			})
			_, err = s.cloudwatch.ListTagsForResource(s.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String(*arn + "-none")})
			s.refused("tags of an unknown alarm", err, "ResourceNotFoundException")

			_, err = s.cloudwatch.DeleteAlarms(s.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: names})
			s.accepted("deleting", err)
			s.shows("after deleting", "b", prefix)
		},
		differs: noCloudWatch,
	},
	{
		name: "an alarm is refused",
		run: func(s *session) {
			if !s.there(s.alarm("a")) {
				return
			}
			for _, c := range []struct {
				at     string
				change func(*cloudwatch.PutMetricAlarmInput)
			}{
				{"a period of 45 seconds", func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(45) }},
				{"no period", func(in *cloudwatch.PutMetricAlarmInput) { in.Period = nil }},
				{"no operator", func(in *cloudwatch.PutMetricAlarmInput) { in.ComparisonOperator = "" }},
				{"more data points than periods", func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) }},
				{"more than a day of minutes", func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) }},
				{"no way to treat missing data", func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("lost") }},
			} {
				s.refused(c.at, s.alarm("b", c.change), "ValidationError")
			}
		},
		differs: noCloudWatch,
	},
}

// there asserts that the first call of a scenario succeeds, and returns whether it did: where a service is missing there is
// nothing more to see, and that is the one difference to list.
func (s *session) there(err error) bool { return s.accepted("the service is there", err) }

func (s *session) namespace() *string { return aws.String("awsha-conformance/" + s.mark) }

func (s *session) datum(name string, at time.Time, value float64) types.MetricDatum {
	return types.MetricDatum{MetricName: &name, Timestamp: &at, Value: &value}
}

// put puts data points. Metrics cannot be deleted: they are forgotten in time.
func (s *session) put(data ...types.MetricDatum) error {
	_, err := s.cloudwatch.PutMetricData(s.Context(), &cloudwatch.PutMetricDataInput{Namespace: s.namespace(), MetricData: data})
	return err
}

func (s *session) alarmName(name string) *string { return aws.String("awsha-" + s.mark + "-" + name) }

// alarm puts an alarm that looks at the last minute.
func (s *session) alarm(name string, change ...func(*cloudwatch.PutMetricAlarmInput)) error {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: s.alarmName(name), Namespace: s.namespace(), MetricName: aws.String("size"), Statistic: types.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, Threshold: aws.Float64(10),
		Tags: []types.Tag{{Key: aws.String(markKey), Value: &s.mark}},
	}
	for _, fn := range change {
		fn(in)
	}
	_, err := s.cloudwatch.PutMetricAlarm(s.Context(), in)
	if err == nil {
		s.cleanly(*in.AlarmName, func(ctx context.Context) error {
			_, err := s.cloudwatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{*in.AlarmName}})
			return unless(err, "ResourceNotFound")
		})
	}
	return err
}

func (s *session) describeAlarm(name string) types.MetricAlarm {
	out := must(s.cloudwatch.DescribeAlarms(s.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{*s.alarmName(name)}}))(s)
	if len(out.MetricAlarms) != 1 {
		s.Fatalf("%d alarms are named %s", len(out.MetricAlarms), name)
	}
	return out.MetricAlarms[0]
}

func (s *session) alarmState(name string) string { return string(s.describeAlarm(name).StateValue) }

// alarmNames tells the names of alarms, less what makes them unique.
func (s *session) alarmNames(alarms []types.MetricAlarm) string {
	var names []string
	for _, a := range alarms {
		names = append(names, strings.TrimPrefix(*a.AlarmName, "awsha-"+s.mark+"-"))
	}
	slices.SortFunc(names, cmp.Compare[string])
	return strings.Join(names, ", ")
}
