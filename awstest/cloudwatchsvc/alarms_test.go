package cloudwatchsvc_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

type alarmIn = cloudwatch.PutMetricAlarmInput

const (
	ok           = types.StateValueOk
	alarm        = types.StateValueAlarm
	insufficient = types.StateValueInsufficientData
)

// The tables of the guide: the data of five periods, the newest at the right,
// and what it comes to when missing data is missing, ignored, breaching and
// not breaching. An alarm that retains its state is in none of the others.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html (read 2026-11)
func TestMissingDataIsAsTheGuideHasIt(t *testing.T) {
	t.Parallel()
	const retains types.StateValue = "retains"
	for _, c := range []struct {
		data    string
		toAlarm int32
		want    [4]types.StateValue
	}{
		{"0 - X - X", 3, [4]types.StateValue{ok, ok, ok, ok}},
		{"0 - - - -", 3, [4]types.StateValue{ok, ok, ok, ok}},
		{"- - - - -", 3, [4]types.StateValue{insufficient, retains, alarm, ok}},
		{"0 X X - X", 3, [4]types.StateValue{alarm, alarm, alarm, alarm}},
		{"- - X - -", 3, [4]types.StateValue{alarm, retains, alarm, ok}},

		{"0 - X - X", 2, [4]types.StateValue{alarm, alarm, alarm, alarm}},
		{"0 0 X 0 X", 2, [4]types.StateValue{alarm, alarm, alarm, alarm}},
		{"0 - X - -", 2, [4]types.StateValue{ok, ok, alarm, ok}},
		{"- - - - 0", 2, [4]types.StateValue{ok, ok, alarm, ok}},
		{"- - - X -", 2, [4]types.StateValue{alarm, retains, alarm, ok}},

		// Below the tables: not yet an alarm. What it is instead is not said.
		{"- - - - X", 3, [4]types.StateValue{retains, retains, alarm, ok}},
		{"- - - X -", 3, [4]types.StateValue{retains, retains, alarm, ok}},
		// What is older than the range does not count.
		{"X - - - - -", 3, [4]types.StateValue{insufficient, retains, alarm, ok}},
	} {
		for i, treat := range []string{"missing", "ignore", "breaching", "notBreaching"} {
			t.Run(fmt.Sprintf("%s, %d of 3, %s", c.data, c.toAlarm, treat), func(t *testing.T) {
				t.Parallel()
				for _, before := range []types.StateValue{ok, alarm, insufficient} {
					inBubble(t, func(w *world) {
						marks := strings.Fields(c.data)
						now := time.Duration(len(marks)) * time.Minute
						for n, mark := range marks {
							when := at(w.start.Add(time.Duration(n) * time.Minute))
							switch mark {
							case "X":
								w.mustPut(datum(value(11), when))
							case "0":
								w.mustPut(datum(value(10), when))
							}
						}
						w.until(now - 30*time.Second)
						w.alarm(func(in *alarmIn) {
							in.EvaluationPeriods, in.DatapointsToAlarm, in.TreatMissingData = aws.Int32(3), &c.toAlarm, &treat
						})
						w.set(before)
						w.expect(before)
						w.until(now)
						want := c.want[i]
						if want == retains {
							want = before
						}
						w.expect(want)
					})
				}
			})
		}
	}
}

func (w *world) set(state types.StateValue) {
	w.Helper()
	svctest.Must(w.SetAlarmState(w.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("high"), StateValue: state, StateReason: aws.String("test")}))(w)
}

func TestThresholds(t *testing.T) {
	t.Parallel()
	for operator, breaching := range map[types.ComparisonOperator][3]bool{ // by 9, 10 and 11, of 10
		types.ComparisonOperatorGreaterThanThreshold:          {false, false, true},
		types.ComparisonOperatorGreaterThanOrEqualToThreshold: {false, true, true},
		types.ComparisonOperatorLessThanThreshold:             {true, false, false},
		types.ComparisonOperatorLessThanOrEqualToThreshold:    {true, true, false},
	} {
		inBubble(t, func(w *world) {
			w.alarm(func(in *alarmIn) { in.ComparisonOperator = operator })
			for i, breach := range breaching {
				w.mustPut(datum(value(float64(9 + i))))
				w.until(time.Duration(i+1) * time.Minute)
				want := ok
				if breach {
					want = alarm
				}
				w.expect(want)
			}
		})
	}
}

func TestAlarmsLookAtWhatTheyAreAskedTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data   []types.MetricDatum
		change func(*alarmIn)
		want   types.StateValue
	}{
		"the sum":             {[]types.MetricDatum{datum(value(6)), datum(value(5))}, func(*alarmIn) {}, alarm},
		"the maximum":         {[]types.MetricDatum{datum(value(6)), datum(value(5))}, func(in *alarmIn) { in.Statistic = types.StatisticMaximum }, ok},
		"a percentile":        {[]types.MetricDatum{datum(value(99)), datum(value(5))}, func(in *alarmIn) { in.Statistic, in.ExtendedStatistic = "", aws.String("p50") }, ok},
		"a percentile above":  {[]types.MetricDatum{datum(value(99)), datum(value(5))}, func(in *alarmIn) { in.Statistic, in.ExtendedStatistic = "", aws.String("p51") }, alarm},
		"a unit":              {[]types.MetricDatum{datum(value(99)), datum(func(d *types.MetricDatum) { d.Unit = types.StandardUnitCount })}, func(in *alarmIn) { in.Unit = types.StandardUnitCount }, ok},
		"a unit not there":    {[]types.MetricDatum{datum(value(99))}, func(in *alarmIn) { in.Unit = types.StandardUnitCount }, insufficient},
		"dimensions":          {[]types.MetricDatum{datum(value(99))}, func(in *alarmIn) { in.Dimensions = dimensions(1) }, insufficient},
		"DynamoDB's, missing": {nil, func(in *alarmIn) { in.Namespace = aws.String("AWS/DynamoDB") }, insufficient},
		"DynamoDB's, breaches": {nil, func(in *alarmIn) {
			in.Namespace, in.TreatMissingData = aws.String("AWS/DynamoDB"), aws.String("breaching")
		}, alarm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if c.data != nil {
					w.mustPut(c.data...)
				}
				w.alarm(c.change)
				w.until(time.Minute)
				w.expect(c.want)
			})
		})
	}
}

// An alarm of DynamoDB's metrics keeps its state when data is missing.
func TestMissingDataOfDynamoDBIsIgnored(t *testing.T) {
	t.Parallel()
	for namespace, want := range map[string]types.StateValue{"AWS/DynamoDB": alarm, "AWS/SQS": insufficient} {
		inBubble(t, func(w *world) {
			w.alarm(func(in *alarmIn) { in.Namespace = &namespace })
			w.set(alarm)
			w.until(time.Minute)
			w.expect(want)
		})
	}
}

// An alarm of five minutes is evaluated every minute, over the five minutes
// before; one of ten seconds every ten seconds.
func TestWindowsSlide(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.alarm(func(in *alarmIn) { in.Period = aws.Int32(300) })
		w.until(2*time.Minute + 30*time.Second)
		w.mustPut(datum(value(11)))
		for minute := 3; minute <= 7; minute++ {
			w.until(time.Duration(minute) * time.Minute)
			w.expect(alarm)
		}
	})
	inBubble(t, func(w *world) {
		w.alarm(func(in *alarmIn) { in.Period = aws.Int32(10) })
		w.until(12 * time.Second)
		w.mustPut(datum(value(11), func(d *types.MetricDatum) { d.StorageResolution = aws.Int32(1) }))
		w.until(19 * time.Second)
		w.expect(insufficient)
		w.until(20 * time.Second)
		w.expect(alarm)
	})
}

func TestAlarmIsUpdated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.mustPut(datum(value(11)))
		w.alarm(func(in *alarmIn) { in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}} })
		w.expect(insufficient)
		w.until(time.Minute)
		w.expect(alarm)
		w.alarm(func(in *alarmIn) {
			in.Threshold, in.EvaluationPeriods, in.Tags = aws.Float64(20), aws.Int32(2), []types.Tag{{Key: aws.String("team"), Value: aws.String("b")}}
		})
		w.expect(alarm) // an update leaves the state as it is
		if got := w.tags(); got != "team=a" {
			w.Errorf("an update changes the tags: %s", got)
		}
		w.until(2 * time.Minute)
		w.expect(ok)
	})
}

func TestAlarmShowsWhatItIs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		in := alarmInput(func(in *alarmIn) {
			in.AlarmDescription, in.DatapointsToAlarm, in.EvaluationPeriods, in.TreatMissingData = aws.String("too much"), aws.Int32(2), aws.Int32(3), aws.String("breaching")
			in.Dimensions, in.Unit, in.ActionsEnabled = dimensions(2), types.StandardUnitCount, aws.Bool(false)
			in.EvaluateLowSampleCountPercentile = aws.String("evaluate")
			in.AlarmActions, in.OKActions, in.InsufficientDataActions = []string{"arn:a"}, []string{"arn:b"}, []string{"arn:c"}
		})
		svctest.Must(w.PutMetricAlarm(w.Context(), in))(w)
		created := aws.Time(w.start.Add(time.Millisecond))
		want := types.MetricAlarm{
			AlarmName: in.AlarmName, AlarmArn: aws.String("arn:aws:cloudwatch:us-east-1:123456789012:alarm:high"), AlarmDescription: in.AlarmDescription,
			Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions, Unit: in.Unit, Statistic: in.Statistic, Period: in.Period,
			EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm, ComparisonOperator: in.ComparisonOperator, Threshold: in.Threshold,
			EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile,
			TreatMissingData:                 in.TreatMissingData, ActionsEnabled: in.ActionsEnabled, AlarmActions: in.AlarmActions, OKActions: in.OKActions, InsufficientDataActions: in.InsufficientDataActions,
			StateValue: insufficient, StateReason: aws.String("Unchecked: Initial alarm creation"),
			StateUpdatedTimestamp: created, StateTransitionedTimestamp: created, AlarmConfigurationUpdatedTimestamp: created,
		}
		if diff := cmp.Diff(want, w.describe("high"), cmpopts.IgnoreUnexported(types.MetricAlarm{}, types.Dimension{})); diff != "" {
			w.Error(diff)
		}
	})
}

func TestPutMetricAlarmIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for name, c := range map[string]struct {
			change func(*alarmIn)
			code   string // empty is accepted
		}{
			"no name":                       {func(in *alarmIn) { in.AlarmName = aws.String("") }, "ValidationError"},
			"a name that is too long":       {func(in *alarmIn) { in.AlarmName = aws.String(strings.Repeat("a", 256)) }, "ValidationError"},
			"a name in Greek":               {func(in *alarmIn) { in.AlarmName = aws.String(strings.Repeat("α", 255)) }, ""},
			"a name in two lines":           {func(in *alarmIn) { in.AlarmName = aws.String("a\nb") }, "ValidationError"},
			"a long description":            {func(in *alarmIn) { in.AlarmDescription = aws.String(strings.Repeat("α", 1024)) }, ""},
			"a description too long":        {func(in *alarmIn) { in.AlarmDescription = aws.String(strings.Repeat("a", 1025)) }, "ValidationError"},
			"no unit that there is":         {func(in *alarmIn) { in.Unit = "Apples" }, "ValidationError"},
			"a metric that cannot be":       {func(in *alarmIn) { in.MetricName = aws.String("a\x00b\x01c") }, "InvalidParameterValue"},
			"no metric":                     {func(in *alarmIn) { in.MetricName = nil }, "ValidationError"},
			"no namespace":                  {func(in *alarmIn) { in.Namespace = nil }, "ValidationError"},
			"no statistic":                  {func(in *alarmIn) { in.Statistic = "" }, "ValidationError"},
			"two statistics":                {func(in *alarmIn) { in.ExtendedStatistic = aws.String("p50") }, "ValidationError"},
			"a percentile as a plain one":   {func(in *alarmIn) { in.Statistic = "p50" }, "ValidationError"},
			"no threshold":                  {func(in *alarmIn) { in.Threshold = nil }, "ValidationError"},
			"no operator":                   {func(in *alarmIn) { in.ComparisonOperator = "" }, "ValidationError"},
			"no period":                     {func(in *alarmIn) { in.Period = nil }, "ValidationError"},
			"a period of 5 s":               {func(in *alarmIn) { in.Period = aws.Int32(5) }, "ValidationError"},
			"a period of 20 s":              {func(in *alarmIn) { in.Period = aws.Int32(20) }, ""},
			"a period of 90 s":              {func(in *alarmIn) { in.Period = aws.Int32(90) }, "ValidationError"},
			"no periods":                    {func(in *alarmIn) { in.EvaluationPeriods = aws.Int32(0) }, "ValidationError"},
			"a day of minutes":              {func(in *alarmIn) { in.EvaluationPeriods = aws.Int32(1440) }, ""},
			"more than a day of minutes":    {func(in *alarmIn) { in.EvaluationPeriods = aws.Int32(1441) }, "ValidationError"},
			"a week of hours":               {func(in *alarmIn) { in.Period, in.EvaluationPeriods = aws.Int32(3600), aws.Int32(168) }, ""},
			"more than a week of hours":     {func(in *alarmIn) { in.Period, in.EvaluationPeriods = aws.Int32(3600), aws.Int32(169) }, "ValidationError"},
			"more than there is time":       {func(in *alarmIn) { in.Period, in.EvaluationPeriods = aws.Int32(1<<31-8), aws.Int32(1<<31-1) }, "ValidationError"},
			"no data points to alarm":       {func(in *alarmIn) { in.DatapointsToAlarm = aws.Int32(0) }, "ValidationError"},
			"more than there are":           {func(in *alarmIn) { in.DatapointsToAlarm = aws.Int32(2) }, "ValidationError"},
			"missing data is ignored":       {func(in *alarmIn) { in.TreatMissingData = aws.String("ignore") }, ""},
			"missing data is nothing known": {func(in *alarmIn) { in.TreatMissingData = aws.String("lost") }, "ValidationError"},
			"low counts are evaluated":      {func(in *alarmIn) { in.EvaluateLowSampleCountPercentile = aws.String("evaluate") }, ""},
			"five actions":                  {func(in *alarmIn) { in.OKActions = slicesOf(5, "arn:a") }, ""},
			"six actions":                   {func(in *alarmIn) { in.OKActions = slicesOf(6, "arn:a") }, "ValidationError"},
			"an action that is no ARN":      {func(in *alarmIn) { in.AlarmActions = []string{"topic"} }, "ValidationError"},
			"31 dimensions":                 {func(in *alarmIn) { in.Dimensions = dimensions(31) }, "InvalidParameterValue"},
			"a reserved tag":                {func(in *alarmIn) { in.Tags = []types.Tag{{Key: aws.String("aws:a"), Value: aws.String("")}} }, "InvalidParameterValue"},
		} {
			_, err := w.PutMetricAlarm(w.Context(), alarmInput(c.change))
			switch {
			case c.code != "":
				w.Log(name)
				svctest.WantCode(w, err, c.code)
			case err != nil:
				w.Errorf("%s: %v", name, err)
			}
		}
	})
}

func slicesOf(n int, text string) (all []string) {
	for range n {
		all = append(all, text)
	}
	return all
}

func TestDescribeAlarms(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		named := func(name, action string) func(*alarmIn) {
			return func(in *alarmIn) { in.AlarmName, in.AlarmActions = &name, []string{action} }
		}
		w.alarm(named("high", "arn:aws:sns:a"))
		w.alarm(named("web-1", "arn:aws:sns:b"), func(in *alarmIn) { in.Dimensions = dimensions(1) })
		w.alarm(named("web-2", "arn:aws:lambda:a"), func(in *alarmIn) { in.Period = aws.Int32(300) })
		w.set(alarm)
		read := func(change func(*cloudwatch.DescribeAlarmsInput)) (names []string) {
			in := &cloudwatch.DescribeAlarmsInput{}
			change(in)
			pages := cloudwatch.NewDescribeAlarmsPaginator(w, in)
			for pages.HasMorePages() {
				for _, a := range svctest.Must(pages.NextPage(w.Context()))(w).MetricAlarms {
					names = append(names, *a.AlarmName)
				}
			}
			return names
		}
		for name, c := range map[string]struct {
			change func(*cloudwatch.DescribeAlarmsInput)
			want   string
		}{
			"all":       {func(*cloudwatch.DescribeAlarmsInput) {}, "[high web-1 web-2]"},
			"in pages":  {func(in *cloudwatch.DescribeAlarmsInput) { in.MaxRecords = aws.Int32(1) }, "[high web-1 web-2]"},
			"names":     {func(in *cloudwatch.DescribeAlarmsInput) { in.AlarmNames = []string{"web-2", "none"} }, "[web-2]"},
			"a prefix":  {func(in *cloudwatch.DescribeAlarmsInput) { in.AlarmNamePrefix = aws.String("web") }, "[web-1 web-2]"},
			"a state":   {func(in *cloudwatch.DescribeAlarmsInput) { in.StateValue = alarm }, "[high]"},
			"an action": {func(in *cloudwatch.DescribeAlarmsInput) { in.ActionPrefix = aws.String("arn:aws:sns:") }, "[high web-1]"},
			"metric alarms": {func(in *cloudwatch.DescribeAlarmsInput) {
				in.AlarmTypes = []types.AlarmType{"MetricAlarm", "CompositeAlarm"}
			}, "[high web-1 web-2]"},
			"composite alarms":  {func(in *cloudwatch.DescribeAlarmsInput) { in.AlarmTypes = []types.AlarmType{"CompositeAlarm"} }, "[]"},
			"a state and names": {func(in *cloudwatch.DescribeAlarmsInput) { in.StateValue, in.AlarmNames = alarm, []string{"web-1"} }, "[]"},
		} {
			if got := fmt.Sprint(read(c.change)); got != c.want {
				w.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
		for _, c := range []struct {
			code string
			in   cloudwatch.DescribeAlarmsInput
		}{
			{"InvalidParameterCombination", cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"a"}, AlarmNamePrefix: aws.String("a")}},
			{"ValidationError", cloudwatch.DescribeAlarmsInput{AlarmNames: slicesOf(101, "a")}},
			{"ValidationError", cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(101)}},
			{"ValidationError", cloudwatch.DescribeAlarmsInput{StateValue: "RED"}},
			{"ValidationError", cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{"Fire"}}},
			{"InvalidNextToken", cloudwatch.DescribeAlarmsInput{NextToken: aws.String("x")}},
		} {
			_, err := w.DescribeAlarms(w.Context(), &c.in)
			svctest.WantCode(w, err, c.code)
		}
	})
}

func TestDescribeAlarmsForMetric(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.alarm()
		w.alarm(func(in *alarmIn) {
			in.AlarmName, in.Dimensions, in.Unit = aws.String("web"), dimensions(1), types.StandardUnitCount
		})
		w.alarm(func(in *alarmIn) { in.AlarmName, in.Period = aws.String("slow"), aws.Int32(300) })
		w.alarm(func(in *alarmIn) {
			in.AlarmName, in.Statistic, in.ExtendedStatistic = aws.String("tail"), "", aws.String("p99")
		})
		for name, c := range map[string]struct {
			change func(*cloudwatch.DescribeAlarmsForMetricInput)
			want   string
		}{
			"of the metric":   {func(*cloudwatch.DescribeAlarmsForMetricInput) {}, "[high slow tail]"},
			"with dimensions": {func(in *cloudwatch.DescribeAlarmsForMetricInput) { in.Dimensions = dimensions(1) }, "[web]"},
			"with a unit":     {func(in *cloudwatch.DescribeAlarmsForMetricInput) { in.Unit = types.StandardUnitCount }, "[]"},
			"of a period":     {func(in *cloudwatch.DescribeAlarmsForMetricInput) { in.Period = aws.Int32(300) }, "[slow]"},
			"of a statistic":  {func(in *cloudwatch.DescribeAlarmsForMetricInput) { in.Statistic = types.StatisticSum }, "[high slow]"},
			"of a percentile": {func(in *cloudwatch.DescribeAlarmsForMetricInput) { in.ExtendedStatistic = aws.String("p99") }, "[tail]"},
			"of another name": {func(in *cloudwatch.DescribeAlarmsForMetricInput) { in.MetricName = aws.String("none") }, "[]"},
		} {
			in := &cloudwatch.DescribeAlarmsForMetricInput{Namespace: aws.String("app"), MetricName: aws.String("backlog")}
			c.change(in)
			names := []string{}
			for _, a := range svctest.Must(w.DescribeAlarmsForMetric(w.Context(), in))(w).MetricAlarms {
				names = append(names, *a.AlarmName)
			}
			if got := fmt.Sprint(names); got != c.want {
				w.Errorf("%s: got %s, want %s", name, got, c.want)
			}
		}
	})
}

func TestDeletedAlarmIsNotEvaluated(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		actions := w.watchActions()
		w.alarm(func(in *alarmIn) { in.AlarmActions = []string{"arn:aws:sns:a"} })
		w.mustPut(datum(value(11)))
		// A name that nothing has is passed over, and the others are deleted.
		svctest.Must(w.DeleteAlarms(w.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"none", "high", "high"}}))(w)
		w.until(time.Minute)
		if got := actions(); got != "" {
			w.Errorf("a deleted alarm acts: %s", got)
		}
		if n := len(svctest.Must(w.DescribeAlarms(w.Context(), nil))(w).MetricAlarms); n != 0 {
			w.Errorf("%d alarms are left", n)
		}
		_, err := w.DeleteAlarms(w.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: slicesOf(101, "a")})
		svctest.WantCode(w, err, "ValidationError")
	})
}

// While CloudWatch is down, or an alarm is stuck, alarms stay what they are.
func TestAlarmsStandStillWhileTheyAreHeldUp(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]func(*world) func(){
		"service": func(w *world) func() { return svctest.Must(w.cloud.FailService("CloudWatch", "us-east-1"))(w) },
		"alarm":   func(w *world) func() { return svctest.Must(w.cloud.Stick("high"))(w) },
	} {
		inBubble(t, func(w *world) {
			actions := w.watchActions()
			w.alarm(func(in *alarmIn) { in.AlarmActions = []string{"arn:aws:sns:a"} })
			w.mustPut(datum(value(11)))
			heal := hold(w)
			w.until(2*time.Minute + time.Second)
			if got := actions(); got != "" {
				w.Errorf("%s: %s", name, got)
			}
			heal()
			w.until(3 * time.Minute)
			w.expect(alarm)
		})
	}
}

// Alarms are of a region, not of a zone.
func TestAlarmsOutliveAZone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		zone := svctest.Must(w.cloud.Zone("use1-az1"))(w)
		for _, heal := range []func(){zone.Fail(awstest.PowerLoss), zone.Fail(awstest.NetworkLoss)} {
			w.Cleanup(heal)
		}
		w.alarm()
		w.mustPut(datum(value(11)))
		w.until(time.Minute)
		w.expect(alarm)
	})
}

func TestReasonSaysWhatWasCrossed(t *testing.T) {
	t.Parallel()
	for missing, want := range map[string]string{
		"missing":      "Insufficient Data: no datapoints were received for 1 periods and 1 missing datapoints were treated as [missing].",
		"breaching":    "Threshold Crossed: no datapoints were received for 1 periods and 1 missing datapoints were treated as [breaching].",
		"notBreaching": "Threshold Crossed: no datapoints were received for 1 periods and 1 missing datapoints were treated as [notBreaching].",
	} {
		inBubble(t, func(w *world) {
			w.alarm(func(in *alarmIn) { in.TreatMissingData = &missing })
			w.set(map[string]types.StateValue{"missing": ok, "breaching": ok, "notBreaching": alarm}[missing])
			w.until(time.Minute + time.Second)
			if got := *w.describe("high").StateReason; got != want {
				w.Errorf("got %s, want %s", got, want)
			}
		})
	}
	inBubble(t, func(w *world) { // as long as SetAlarmState lets one be, however many periods there are
		for i := range 1440 {
			w.mustPut(datum(at(w.start.Add(-time.Duration(i)*time.Minute)), value(11)))
		}
		w.alarm(func(in *alarmIn) { in.EvaluationPeriods = aws.Int32(1440) })
		w.until(time.Minute + time.Second)
		if a := w.describe("high"); a.StateValue != alarm || len(*a.StateReason) > 1023 {
			w.Errorf("the alarm is %s for a reason of %d characters", a.StateValue, len(*a.StateReason))
		}
	})
}
