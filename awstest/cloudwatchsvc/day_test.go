package cloudwatchsvc_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

// day lets a virtual day pass with 100 alarms, and a data point every hour.
func day(t *testing.T) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := svctest.Must(awstest.New([]awstest.Service{cloudwatchsvc.New()}))(t)
		w := &world{T: t, Client: cloudwatch.NewFromConfig(cloud.Config("us-east-1")), cloud: cloud, start: time.Now()}
		defer func() {
			if err := cloud.Close(); err != nil {
				t.Error(err)
			}
		}()
		for n := range 100 {
			w.alarm(func(in *alarmIn) { in.AlarmName = aws.String(fmt.Sprint(n)) })
		}
		for range 24 {
			w.mustPut(datum(value(11)))
			time.Sleep(time.Hour)
		}
		in := &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("99"), HistoryItemType: "StateUpdate"}
		// Into alarm and, three minutes later, into insufficient data again.
		if n := len(svctest.Must(w.DescribeAlarmHistory(w.Context(), in))(w).AlarmHistoryItems); n != 48 {
			t.Errorf("%d changes of state", n)
		}
	})
}

func TestDayOfAlarms(t *testing.T) {
	t.Parallel()
	day(t)
}

// BenchmarkDay is to take well under a second. A bubble needs a *testing.T, so
// that the day runs as a test of its own.
func BenchmarkDay(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "Day", F: day}}) {
			b.Fatal("the day failed")
		}
	}
}
