package cloudwatchsvc_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*cloudwatch.Client](t, cloudwatchsvc.New(), cloudwatch.ServiceID))
}

func codes(t *testing.T) map[string]bool {
	t.Helper()
	return svctest.Codes(t, "*.go", "../internal/cwmodel/*.go")
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

// A code that the SDK has a type for reaches the caller in a type of the SDK.
func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	generic := map[string]bool{"AccessDenied": true, "ServiceUnavailable": true, "Throttling": true}
	inBubble(t, func(w *world) {
		for code := range codes(w.T) {
			heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: cloudwatch.ServiceID}, awstest.Reject(awstest.APIError{Code: code, Message: "no"})))(w)
			_, err := w.DescribeAlarms(w.Context(), nil)
			heal()
			svctest.WantCode(w, err, code)
			modelled := false
			for ; err != nil; err = errors.Unwrap(err) {
				modelled = modelled || strings.HasPrefix(reflect.TypeOf(err).String(), "*types.")
			}
			if modelled == generic[code] {
				w.Errorf("%s is of the SDK's type: %v", code, modelled)
			}
		}
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: cloudwatch.ServiceID, Operation: "PutMetricData"}, func() error { return w.put(datum()) },
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "Throttling", Status: 400, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "ServiceUnavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDenied", Status: 403, Attempts: 1},
		)
	})
}

// A reply that is lost makes the SDK put the data point twice: PutMetricData
// has no token.
func TestLostReplyCountsTwice(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.Must(w.cloud.Inject(awstest.Match{Service: cloudwatch.ServiceID, Operation: "PutMetricData", Times: 1}, awstest.LoseReply()))(w)
		w.mustPut(datum())
		if got := w.statistics(func(in *statisticsInput) { in.Statistics = []types.Statistic{types.StatisticSampleCount} }); got != "0s 2" {
			w.Errorf("got %s", got)
		}
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	alarm := func(change func(*alarmIn)) any { return alarmInput(change) }
	data := func(change func(*types.MetricDataQuery)) any {
		return &cloudwatch.GetMetricDataInput{StartTime: aws.Time(epoch), EndTime: aws.Time(epoch), MetricDataQueries: []types.MetricDataQuery{query("a", change)}}
	}
	for name, c := range map[string]struct {
		input any
		says  string
	}{
		"an operation":   {&cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String("a"), AlarmRule: aws.String("TRUE")}, ".PutCompositeAlarm"},
		"entities":       {&cloudwatch.PutMetricDataInput{Namespace: aws.String("app"), EntityMetricData: []types.EntityMetricData{{}}}, ".PutMetricData: parameter EntityMetricData"},
		"metric math":    {alarm(func(in *alarmIn) { in.Metrics = []types.MetricDataQuery{query("a")} }), ".PutMetricAlarm: parameter Metrics"},
		"low samples":    {alarm(func(in *alarmIn) { in.EvaluateLowSampleCountPercentile = aws.String("ignore") }), `.PutMetricAlarm: EvaluateLowSampleCountPercentile "ignore"`},
		"anomalies":      {alarm(func(in *alarmIn) { in.ComparisonOperator = types.ComparisonOperatorLessThanLowerThreshold }), ".PutMetricAlarm: comparison operator LessThanLowerThreshold"},
		"a trimmed mean": {alarm(func(in *alarmIn) { in.Statistic, in.ExtendedStatistic = "", aws.String("tm90") }), `.PutMetricAlarm: statistic "tm90"`},
		"a mean of statistics": {&cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("app"), MetricName: aws.String("m"), StartTime: aws.Time(epoch), EndTime: aws.Time(epoch), Period: aws.Int32(60), ExtendedStatistics: []string{"IQM"},
		}, `.GetMetricStatistics: statistic "IQM"`},
		"an expression":       {data(func(q *types.MetricDataQuery) { q.MetricStat, q.Expression = nil, aws.String("1") }), ".GetMetricData: an expression of a query"},
		"another account":     {data(func(q *types.MetricDataQuery) { q.AccountId = aws.String("210987654321") }), ".GetMetricData: an account of a query"},
		"a period":            {data(func(q *types.MetricDataQuery) { q.Period = aws.Int32(60) }), ".GetMetricData: a period of a query, beside that of its metric"},
		"a dynamic label":     {data(func(q *types.MetricDataQuery) { q.Label = aws.String("${MAX}") }), ".GetMetricData: a dynamic label"},
		"a mean of a query":   {data(func(q *types.MetricDataQuery) { q.MetricStat.Stat = aws.String("wm95") }), `.GetMetricData: statistic "wm95"`},
		"parents of an alarm": {&cloudwatch.DescribeAlarmsInput{ParentsOfAlarmName: aws.String("a")}, ".DescribeAlarms: parameter ParentsOfAlarmName"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			svctest.NotModelled(t, cloudwatchsvc.New(), func(cloud *awstest.Cloud) error {
				_, err := svctest.Call(t.Context(), cloudwatch.NewFromConfig(cloud.Config("us-east-1")), c.input)
				return err
			}, "awstest: CloudWatch"+c.says+" is not modelled")
		})
	}
}
