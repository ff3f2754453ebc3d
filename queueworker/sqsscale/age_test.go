package sqsscale_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

func TestTheOldestAgeIsThatOfTheLatestMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		publish := func(ago time.Duration, queue string, seconds float64) {
			err := cloudwatchsvc.Publish(m.cloud, "us-east-1", "AWS/SQS", types.MetricDatum{
				MetricName: aws.String("ApproximateAgeOfOldestMessage"), Unit: types.StandardUnitSeconds, Value: &seconds,
				Timestamp: aws.Time(time.Now().Add(-ago)), Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: &queue}},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		publish(5*time.Minute, "work", 100)
		publish(4*time.Minute, "work", 700)
		publish(3*time.Minute, "work", 200.5)
		publish(3*time.Minute, "work", 150)
		publish(2*time.Minute, "more-work", 900)
		calls := func() int { return m.cloud.Count(cloudwatch.ServiceID, "GetMetricStatistics") }
		age := sqsscale.OldestAge(m.client, "work")
		for range 4 {
			if d, err := age(t.Context()); err != nil || d != 200500*time.Millisecond {
				t.Errorf("got %v, %v", d, err)
			}
			time.Sleep(14 * time.Second)
		}
		if n := calls(); n != 1 {
			t.Errorf("%d calls in a minute", n)
		}
		time.Sleep(time.Minute)
		heal := inject(t, m.cloud, awstest.Match{Service: cloudwatch.ServiceID, Operation: "GetMetricStatistics"}, awstest.Deny())
		if _, err := age(t.Context()); !errors.Is(err, sqsscale.ErrDenied) {
			t.Errorf("got %v", err)
		}
		heal()
		publish(0, "work", 300)
		if d, err := age(t.Context()); err != nil || d != 300*time.Second {
			t.Errorf("got %v, %v after an error", d, err)
		}
		time.Sleep(20 * time.Minute)
		if d, err := age(t.Context()); err != nil || d != 0 {
			t.Errorf("got %v, %v of old data", d, err)
		}
	})
}

func TestTheOldestAgeOfAQueueWithoutMetricsIsNotKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		if d, err := sqsscale.OldestAge(m.client, "work")(t.Context()); err != nil || d != 0 {
			t.Errorf("got %v, %v", d, err)
		}
	})
}
