package cloudwatchsvc_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// watchActions returns a function that tells the actions since it was asked
// last, with the seconds since the start.
func (w *world) watchActions() func() string {
	w.Helper()
	var mu sync.Mutex
	var seen []string
	err := cloudwatchsvc.OnAction(w.cloud, "arn:aws:", func(e cloudwatchsvc.ActionEvent) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf("%.0f %s %s %s %s", e.Time.Sub(w.start).Seconds(), e.Region, e.Alarm, e.State, e.Action))
	})
	if err != nil {
		w.Fatal(err)
	}
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { seen = nil }()
		return strings.Join(seen, ", ")
	}
}

func withActions(in *alarmIn) {
	in.AlarmActions, in.OKActions, in.InsufficientDataActions = []string{"arn:aws:sns:a"}, []string{"arn:aws:sns:o"}, []string{"arn:aws:sns:i", "arn:other:i"}
}

func TestActionsAreCarriedOutOnceAState(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		actions := w.watchActions()
		w.alarm(withActions)
		w.mustPut(datum(value(11)))
		w.until(3 * time.Minute) // an evaluation that changes nothing, and another
		w.mustPut(datum(value(1)))
		w.until(20 * time.Minute)
		want := "60 us-east-1 high ALARM arn:aws:sns:a, 240 us-east-1 high OK arn:aws:sns:o, 420 us-east-1 high INSUFFICIENT_DATA arn:aws:sns:i"
		if got := actions(); got != want {
			w.Errorf("got %s, want %s", got, want)
		}
	})
}

// Auto Scaling's actions are repeated every minute, so that a policy goes on.
func TestActionsOfAutoScalingAreRepeated(t *testing.T) {
	t.Parallel()
	for _, period := range []int32{60, 10} {
		inBubble(t, func(w *world) {
			actions := w.watchActions()
			w.alarm(func(in *alarmIn) {
				in.Period, in.AlarmActions, in.TreatMissingData = &period, []string{"arn:aws:sns:a", "arn:aws:autoscaling:a"}, aws.String("breaching")
			})
			w.until(4*time.Minute - time.Second)
			first := int(period)
			var want strings.Builder
			fmt.Fprintf(&want, "%d us-east-1 high ALARM arn:aws:sns:a", first)
			for n := range 3 {
				fmt.Fprintf(&want, ", %d us-east-1 high ALARM arn:aws:autoscaling:a", first+60*n)
			}
			if period == 10 {
				want.WriteString(", 190 us-east-1 high ALARM arn:aws:autoscaling:a")
			}
			if got := actions(); got != want.String() {
				w.Errorf("period %d: got %s, want %s", period, got, want.String())
			}
		})
	}
}

func TestActionsAreSwitchedOffAndOn(t *testing.T) {
	t.Parallel()
	names := []string{"none", "high"}
	inBubble(t, func(w *world) {
		actions := w.watchActions()
		w.alarm(withActions)
		svctest.Must(w.DisableAlarmActions(w.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: names}))(w)
		if *w.describe("high").ActionsEnabled {
			w.Error("actions are enabled")
		}
		w.set(alarm)
		if got := actions(); got != "" {
			w.Errorf("actions that are disabled: %s", got)
		}
		svctest.Must(w.EnableAlarmActions(w.Context(), &cloudwatch.EnableAlarmActionsInput{AlarmNames: names}))(w)
		if !*w.describe("high").ActionsEnabled {
			w.Error("actions are disabled")
		}
		w.set(ok)
		if got := actions(); got != "0 us-east-1 high OK arn:aws:sns:o" {
			w.Errorf("actions that are enabled: %s", got)
		}
		for _, call := range []func([]string) error{
			func(names []string) error {
				_, err := w.EnableAlarmActions(w.Context(), &cloudwatch.EnableAlarmActionsInput{AlarmNames: names})
				return err
			},
			func(names []string) error {
				_, err := w.DisableAlarmActions(w.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: names})
				return err
			},
		} {
			svctest.WantCode(w, call(slicesOf(101, "a")), "ValidationError")
		}
	})
}

func TestStateThatIsSetLastsUntilTheNextEvaluation(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		actions := w.watchActions()
		w.alarm(withActions, func(in *alarmIn) { in.TreatMissingData = aws.String("notBreaching") })
		w.until(time.Minute + 10*time.Second)
		w.expect(ok)
		actions()
		svctest.Must(w.SetAlarmState(w.Context(), &cloudwatch.SetAlarmStateInput{
			AlarmName: aws.String("high"), StateValue: alarm, StateReason: aws.String("a drill"), StateReasonData: aws.String(`{"drill": true}`),
		}))(w)
		a := w.describe("high")
		if a.StateValue != alarm || *a.StateReason != "a drill" || *a.StateReasonData != `{"drill": true}` || a.StateTransitionedTimestamp.Sub(w.start) != 70*time.Second+2*time.Millisecond {
			w.Errorf("got %s %s %s %v", a.StateValue, *a.StateReason, *a.StateReasonData, a.StateTransitionedTimestamp)
		}
		w.set(alarm) // the same once more: nothing is carried out, but the reason is another
		if a := w.describe("high"); *a.StateReason != "test" || a.StateReasonData != nil || !a.StateUpdatedTimestamp.After(*a.StateTransitionedTimestamp) {
			w.Errorf("got %+v", a)
		}
		w.until(2 * time.Minute)
		w.expect(ok)
		if got := actions(); got != "70 us-east-1 high ALARM arn:aws:sns:a, 120 us-east-1 high OK arn:aws:sns:o" {
			w.Errorf("got %s", got)
		}
	})
}

func TestSetAlarmStateIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.alarm()
		for name, c := range map[string]struct {
			change func(*cloudwatch.SetAlarmStateInput)
			code   string
			status int
		}{
			"an unknown alarm":         {func(in *cloudwatch.SetAlarmStateInput) { in.AlarmName = aws.String("none") }, "ResourceNotFound", 404},
			"no state that there is":   {func(in *cloudwatch.SetAlarmStateInput) { in.StateValue = "RED" }, "ValidationError", 400},
			"a reason that is long":    {func(in *cloudwatch.SetAlarmStateInput) { in.StateReason = aws.String(strings.Repeat("a", 1024)) }, "ValidationError", 400},
			"data that is long":        {func(in *cloudwatch.SetAlarmStateInput) { in.StateReasonData = aws.String(strings.Repeat("1", 4001)) }, "ValidationError", 400},
			"data that is not in JSON": {func(in *cloudwatch.SetAlarmStateInput) { in.StateReasonData = aws.String("{") }, "InvalidFormat", 400},
		} {
			w.Log(name)
			in := &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("high"), StateValue: alarm, StateReason: aws.String("test")}
			c.change(in)
			_, err := w.SetAlarmState(w.Context(), in)
			svctest.WantCode(w, err, c.code)
			svctest.WantStatus(w, err, c.status)
		}
		w.expect(insufficient)
		if _, err := w.SetAlarmState(w.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("high"), StateValue: alarm, StateReason: aws.String(strings.Repeat("α", 1023))}); err != nil {
			w.Errorf("a reason in Greek: %v", err)
		}
	})
}

func (w *world) history(change func(*cloudwatch.DescribeAlarmHistoryInput)) string {
	w.Helper()
	in := &cloudwatch.DescribeAlarmHistoryInput{}
	change(in)
	var told []string
	pages := cloudwatch.NewDescribeAlarmHistoryPaginator(w, in)
	for pages.HasMorePages() {
		for _, item := range svctest.Must(pages.NextPage(w.Context()))(w).AlarmHistoryItems {
			told = append(told, fmt.Sprintf("%.0f %s %s %s", item.Timestamp.Sub(w.start).Seconds(), *item.AlarmName, item.HistoryItemType, *item.HistorySummary))
		}
	}
	return strings.Join(told, "\n")
}

func TestHistory(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.alarm(withActions)
		w.mustPut(datum(value(11)))
		w.until(time.Minute + time.Second)
		w.alarm(withActions)
		w.alarm(func(in *alarmIn) { in.AlarmName = aws.String("other") })
		w.until(2*time.Minute + time.Second)
		svctest.Must(w.DeleteAlarms(w.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"high"}}))(w)
		items := []string{
			`0 high ConfigurationUpdate Alarm "high" created`,
			"60 high StateUpdate Alarm updated from INSUFFICIENT_DATA to ALARM",
			"60 high Action Successfully executed action arn:aws:sns:a",
			`61 high ConfigurationUpdate Alarm "high" updated`,
			`61 other ConfigurationUpdate Alarm "other" created`,
			"120 other StateUpdate Alarm updated from INSUFFICIENT_DATA to ALARM",
			`121 high ConfigurationUpdate Alarm "high" deleted`,
		}
		ascending := func(in *cloudwatch.DescribeAlarmHistoryInput) { in.ScanBy = types.ScanByTimestampAscending }
		for name, c := range map[string]struct {
			change func(*cloudwatch.DescribeAlarmHistoryInput)
			want   []int
		}{
			"oldest first": {func(*cloudwatch.DescribeAlarmHistoryInput) {}, []int{0, 1, 2, 3, 4, 5, 6}},
			"newest first": {func(in *cloudwatch.DescribeAlarmHistoryInput) { in.ScanBy = "" }, []int{6, 5, 4, 3, 2, 1, 0}},
			"in pages":     {func(in *cloudwatch.DescribeAlarmHistoryInput) { in.MaxRecords = aws.Int32(3) }, []int{0, 1, 2, 3, 4, 5, 6}},
			"of an alarm":  {func(in *cloudwatch.DescribeAlarmHistoryInput) { in.AlarmName = aws.String("other") }, []int{4, 5}},
			"of a type":    {func(in *cloudwatch.DescribeAlarmHistoryInput) { in.HistoryItemType = types.HistoryItemTypeStateUpdate }, []int{1, 5}},
			"of a time": {func(in *cloudwatch.DescribeAlarmHistoryInput) {
				in.StartDate, in.EndDate = aws.Time(w.start.Add(time.Minute)), aws.Time(w.start.Add(2*time.Minute))
			}, []int{1, 2, 3, 4, 5}},
			"of composite alarms": {func(in *cloudwatch.DescribeAlarmHistoryInput) { in.AlarmTypes = []types.AlarmType{"CompositeAlarm"} }, nil},
		} {
			var want []string
			for _, i := range c.want {
				want = append(want, items[i])
			}
			if got := w.history(func(in *cloudwatch.DescribeAlarmHistoryInput) { ascending(in); c.change(in) }); got != strings.Join(want, "\n") {
				w.Errorf("%s: got\n%s\nwant\n%s", name, got, strings.Join(want, "\n"))
			}
		}
		for _, c := range []struct {
			code string
			in   cloudwatch.DescribeAlarmHistoryInput
		}{
			{"ValidationError", cloudwatch.DescribeAlarmHistoryInput{HistoryItemType: "Weather"}},
			{"ValidationError", cloudwatch.DescribeAlarmHistoryInput{ScanBy: "Up"}},
			{"ValidationError", cloudwatch.DescribeAlarmHistoryInput{MaxRecords: aws.Int32(0)}},
			{"ValidationError", cloudwatch.DescribeAlarmHistoryInput{AlarmTypes: []types.AlarmType{"Fire"}}},
			{"InvalidNextToken", cloudwatch.DescribeAlarmHistoryInput{NextToken: aws.String("x")}},
		} {
			_, err := w.DescribeAlarmHistory(w.Context(), &c.in)
			svctest.WantCode(w, err, c.code)
		}
	})
}

func (w *world) tags() string {
	w.Helper()
	out := svctest.Must(w.ListTagsForResource(w.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: w.describe("high").AlarmArn}))(w)
	var told []string
	for _, t := range out.Tags {
		told = append(told, *t.Key+"="+*t.Value)
	}
	return strings.Join(told, ",")
}

func TestTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
		w.alarm(func(in *alarmIn) { in.Tags = []types.Tag{tag("b", "1"), tag("a", "1")} })
		arn := w.describe("high").AlarmArn
		svctest.Must(w.TagResource(w.Context(), &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{tag("c", "1"), tag("a", "2")}}))(w)
		svctest.Must(w.UntagResource(w.Context(), &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"b", "none"}}))(w)
		if got := w.tags(); got != "a=2,c=1" {
			w.Errorf("got %s", got)
		}
		var many []types.Tag
		for n := range 49 {
			many = append(many, tag(fmt.Sprint(n), ""))
		}
		for name, tags := range map[string][]types.Tag{
			"51 tags": many, "an empty key": {tag("", "")}, "a reserved key": {tag("aws:x", "")}, "a long key": {tag(strings.Repeat("k", 129), "")}, "a long value": {tag("k", strings.Repeat("v", 257))},
		} {
			w.Log(name)
			_, err := w.TagResource(w.Context(), &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: tags})
			svctest.WantCode(w, err, "InvalidParameterValue")
		}
		svctest.Must(w.TagResource(w.Context(), &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: many[:48]}))(w)
		for _, unknown := range []string{*arn + "x", "high", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:high"} {
			_, err := w.TagResource(w.Context(), &cloudwatch.TagResourceInput{ResourceARN: &unknown, Tags: many[:1]})
			svctest.WantCode(w, err, "ResourceNotFoundException")
			_, err = w.UntagResource(w.Context(), &cloudwatch.UntagResourceInput{ResourceARN: &unknown, TagKeys: []string{"a"}})
			svctest.WantCode(w, err, "ResourceNotFoundException")
			_, err = w.ListTagsForResource(w.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: &unknown})
			svctest.WantCode(w, err, "ResourceNotFoundException")
			svctest.WantStatus(w, err, 404)
		}
	})
}

func TestMistakesOfTheTest(t *testing.T) {
	t.Parallel()
	with := svctest.Must(awstest.New([]awstest.Service{cloudwatchsvc.New()}))(t)
	without := svctest.Must(awstest.New(nil))(t)
	for name, err := range map[string]error{
		"a cloud without it": cloudwatchsvc.OnAction(without, "", func(cloudwatchsvc.ActionEvent) {}),
		"no function":        cloudwatchsvc.OnAction(with, "", nil),
		"no region":          cloudwatchsvc.Publish(with, "mars-1", "app", datum()),
	} {
		if _, ok := errors.AsType[*awstest.FieldError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	var api *awstest.APIError
	if err := cloudwatchsvc.Publish(with, "us-east-1", "app"); !errors.As(err, &api) || api.Code != "MissingParameter" {
		t.Errorf("no data: %v", err)
	}
	_, err := awstest.New([]awstest.Service{cloudwatchsvc.New(func(o *cloudwatchsvc.Options) { o.Visible, o.Listed = -1, -1 })})
	for _, field := range []string{"cloudwatchsvc.Options.Visible", "cloudwatchsvc.Options.Listed"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v, want a word on %s", err, field)
		}
	}
}

// Actions belong to a change of the state: an alarm that is in its first state
// still has not changed.
func TestFirstStateActsForNobody(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		actions := w.watchActions()
		w.alarm(func(in *alarmIn) { in.InsufficientDataActions = []string{"arn:aws:autoscaling:i"} })
		w.until(10 * time.Minute)
		if got := actions(); got != "" {
			w.Errorf("got %s", got)
		}
	})
}

// An idle alarm of a policy acts every minute: what it leaves behind must not
// grow for ever.
func TestHistoryIsKeptForThirtyDays(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	inBubble(t, func(w *world) {
		w.alarm(func(in *alarmIn) { in.AlarmName = aws.String("old") })
		w.until(29 * day)
		w.alarm()
		w.until(30*day - time.Second)
		if got := w.history(func(in *cloudwatch.DescribeAlarmHistoryInput) { in.AlarmName = aws.String("old") }); got != `0 old ConfigurationUpdate Alarm "old" created` {
			w.Errorf("got %s", got)
		}
		w.until(30*day + time.Second)
		if got := w.history(func(*cloudwatch.DescribeAlarmHistoryInput) {}); got != `2505600 high ConfigurationUpdate Alarm "high" created` {
			w.Errorf("got %s", got)
		}
	})
}
