package sqsscale

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// OldestAge returns a function that asks CloudWatch for the age of the oldest message of a queue, for ScalerOptions.OldestAge: SQS tells it no
// other way. It is the metric ApproximateAgeOfOldestMessage, which has news each minute; the function asks as often at the most, however often it
// is called, and gives the last answer meanwhile. Zero means that there are no data of the last ten minutes, as of a queue that is empty,
// or that nobody has used for hours.
//
// In a standard queue a message that has been received three times or more and not deleted does not count, as SQS moves it to the back:
// what cannot be handled ages unseen. A dead-letter queue bounds how often it is tried.
//
// The function may be called concurrently. Each call that asks costs one GetMetricStatistics. Its error is a *CallError.
//
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html (read 2026-11)
func OldestAge(api StatisticsAPI, queueName string) func(context.Context) (time.Duration, error) {
	a := &age{api: api, queue: queueName}
	return a.ask
}

const (
	ageEvery  = time.Minute      // how often the metric has news
	ageWithin = 10 * time.Minute // how old news may be
)

type age struct {
	api   StatisticsAPI
	queue string

	mu    sync.Mutex
	asked time.Time // zero: never, or in vain
	last  time.Duration
}

func (a *age) ask(ctx context.Context) (time.Duration, error) {
	a.mu.Lock()
	asked, last := a.asked, a.last
	a.mu.Unlock()
	now := time.Now()
	if !asked.IsZero() && now.Sub(asked) < ageEvery {
		return last, nil
	}
	out, err := a.api.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateAgeOfOldestMessage"),
		Dimensions: []types.Dimension{{Name: aws.String(dimensionQueue), Value: &a.queue}},
		Statistics: []types.Statistic{types.StatisticMaximum}, Period: aws.Int32(60), StartTime: aws.Time(now.Add(-ageWithin)), EndTime: &now,
	})
	if err != nil {
		return 0, &CallError{Op: "GetMetricStatistics", Of: a.queue, Err: err}
	}
	last = latest(out.Datapoints)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked, a.last = now, last
	return last, nil
}

// latest returns the maximum of the latest data point: they come in no order.
func latest(points []types.Datapoint) (age time.Duration) {
	var at time.Time
	for i := range points {
		if p := &points[i]; p.Timestamp != nil && p.Maximum != nil && p.Timestamp.After(at) && *p.Maximum >= 0 {
			at, age = *p.Timestamp, time.Duration(*p.Maximum*float64(time.Second))
		}
	}
	return age
}
