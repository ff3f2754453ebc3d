package cloudwatchsvc_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// epoch is some time.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a cloud with CloudWatch. The clock of a bubble starts with a full
// minute.
type world struct {
	*testing.T
	*cloudwatch.Client
	cloud *awstest.Cloud
	start time.Time
}

func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	inBubbleWith(t, func(*cloudwatchsvc.Options) {}, test, optFns...)
}

func inBubbleWith(t *testing.T, options func(*cloudwatchsvc.Options), test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	svctest.InBubble(t, []awstest.Service{cloudwatchsvc.New(options)}, func(t *testing.T, cloud *awstest.Cloud) {
		test(&world{T: t, Client: cloudwatch.NewFromConfig(cloud.Config("us-east-1")), cloud: cloud, start: time.Now()})
	}, optFns...)
}

// until lets time pass until an offset from the start.
func (w *world) until(d time.Duration) { time.Sleep(time.Until(w.start.Add(d))) }

func datum(changes ...func(*types.MetricDatum)) types.MetricDatum {
	d := types.MetricDatum{MetricName: aws.String("backlog"), Value: aws.Float64(1)}
	for _, change := range changes {
		change(&d)
	}
	return d
}

func value(v float64) func(*types.MetricDatum) {
	return func(d *types.MetricDatum) { d.Value = &v }
}

func at(t time.Time) func(*types.MetricDatum) {
	return func(d *types.MetricDatum) { d.Timestamp = &t }
}

func (w *world) put(data ...types.MetricDatum) error {
	_, err := w.PutMetricData(w.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("app"), MetricData: data})
	return err
}

func (w *world) mustPut(data ...types.MetricDatum) {
	w.Helper()
	if err := w.put(data...); err != nil {
		w.Fatal(err)
	}
}

// statisticsInput asks for the sums of the minutes since the start.
func (w *world) statisticsInput(changes ...func(*cloudwatch.GetMetricStatisticsInput)) *cloudwatch.GetMetricStatisticsInput {
	in := &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("app"), MetricName: aws.String("backlog"), Period: aws.Int32(60),
		StartTime: &w.start, EndTime: aws.Time(w.start.Add(time.Hour)), Statistics: []types.Statistic{types.StatisticSum},
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

// statistics tells data points in the order of time: when they are, after the
// start, and what they say.
func (w *world) statistics(changes ...func(*cloudwatch.GetMetricStatisticsInput)) string {
	w.Helper()
	points := svctest.Must(w.GetMetricStatistics(w.Context(), w.statisticsInput(changes...)))(w).Datapoints
	slices.SortStableFunc(points, func(a, b types.Datapoint) int {
		return cmp.Or(a.Timestamp.Compare(*b.Timestamp), strings.Compare(string(a.Unit), string(b.Unit)))
	})
	var told []string
	for i := range points {
		p := &points[i]
		var text strings.Builder
		text.WriteString(p.Timestamp.Sub(w.start).String())
		for _, v := range []*float64{p.SampleCount, p.Average, p.Sum, p.Minimum, p.Maximum} {
			if v != nil {
				fmt.Fprintf(&text, " %v", *v)
			}
		}
		if p.ExtendedStatistics != nil {
			fmt.Fprintf(&text, " %v", p.ExtendedStatistics)
		}
		if p.Unit != types.StandardUnitNone {
			text.WriteString(" " + string(p.Unit))
		}
		told = append(told, text.String())
	}
	return strings.Join(told, ", ")
}

// alarmInput describes an alarm of one period of a minute whose sum is above
// ten.
func alarmInput(changes ...func(*cloudwatch.PutMetricAlarmInput)) *cloudwatch.PutMetricAlarmInput {
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("high"), Namespace: aws.String("app"), MetricName: aws.String("backlog"), Statistic: types.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(10), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

func (w *world) alarm(changes ...func(*cloudwatch.PutMetricAlarmInput)) {
	w.Helper()
	svctest.Must(w.PutMetricAlarm(w.Context(), alarmInput(changes...)))(w)
}

func (w *world) describe(name string) types.MetricAlarm {
	w.Helper()
	out := svctest.Must(w.DescribeAlarms(w.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}}))(w)
	if len(out.MetricAlarms) != 1 {
		w.Fatalf("%d alarms are named %s", len(out.MetricAlarms), name)
	}
	return out.MetricAlarms[0]
}

func (w *world) expect(state types.StateValue) {
	w.Helper()
	if a := w.describe("high"); a.StateValue != state {
		w.Errorf("after %v the alarm is %s (%s), want %s", time.Since(w.start), a.StateValue, *a.StateReason, state)
	}
}
