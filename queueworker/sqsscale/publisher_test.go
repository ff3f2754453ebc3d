package sqsscale_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/queueworkermock"
	"github.com/awsha/awsha/queueworker/sqsscale"
)

// metrics is a CloudWatch, and a queue of which a test says the hint.
type metrics struct {
	*testing.T
	cloud  *awstest.Cloud
	client *cloudwatch.Client
	events []sqsscale.PublisherEvent

	mu   sync.Mutex
	hint queueworker.ScaleHint
	err  error
}

var work = sqsscale.Metric{QueueName: "work", GroupName: "workers"}

func newMetrics(t *testing.T) *metrics {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{cloudwatchsvc.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return &metrics{T: t, cloud: cloud, client: cloudwatch.NewFromConfig(cloud.Config("us-east-1"))}
}

func (m *metrics) Hint(context.Context) (queueworker.ScaleHint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hint, m.err
}

func (m *metrics) set(hint queueworker.ScaleHint, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hint, m.err = hint, err
}

// publish runs n publishers for d.
func (m *metrics) publish(n int, d time.Duration, during func()) {
	m.Helper()
	ctx, cancel := context.WithCancel(m.Context())
	var wg sync.WaitGroup
	for range n {
		p, err := sqsscale.NewPublisher(m.client, m, work, func(o *sqsscale.PublisherOptions) {
			o.OnEvent = func(_ context.Context, e sqsscale.PublisherEvent) {
				m.mu.Lock()
				defer m.mu.Unlock()
				m.events = append(m.events, e)
			}
		})
		if err != nil {
			m.Fatal(err)
		}
		wg.Go(func() {
			if err := p.Run(ctx); !errors.Is(err, context.Canceled) {
				m.Errorf("Run returned %v", err)
			}
		})
	}
	if during != nil {
		during()
	}
	time.Sleep(d)
	cancel()
	wg.Wait()
}

// statistics returns a statistic of each minute that has data, from the oldest.
func (m *metrics) statistics(name string, statistic types.Statistic) (values []float64) {
	m.Helper()
	out, err := m.client.GetMetricStatistics(m.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("awsha/queueworker"), MetricName: &name, Statistics: []types.Statistic{statistic},
		Dimensions: []types.Dimension{
			{Name: aws.String("QueueName"), Value: aws.String("work")}, {Name: aws.String("AutoScalingGroupName"), Value: aws.String("workers")},
		},
		StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Minute)), Period: aws.Int32(60),
	})
	if err != nil {
		m.Fatal(err)
	}
	slices.SortFunc(out.Datapoints, func(a, b types.Datapoint) int { return a.Timestamp.Compare(*b.Timestamp) })
	for _, d := range out.Datapoints {
		if statistic == types.StatisticSum {
			values = append(values, *d.Sum)
		} else {
			values = append(values, *d.Average)
		}
	}
	return values
}

func (m *metrics) puts() int { return m.cloud.Count(cloudwatch.ServiceID, "PutMetricData") }

func TestTheBacklogIsPublishedWithTheTimeToLossInOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		m.set(queueworker.ScaleHint{BacklogPerInstance: 12.5, OldestAge: time.Minute, LossIn: time.Hour}, nil)
		m.publish(1, 170*time.Second, nil)
		if diff := cmp.Diff([]float64{12.5, 12.5, 12.5}, m.statistics("BacklogPerInstance", types.StatisticAverage)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]float64{3600, 3600, 3600}, m.statistics("TimeToLoss", types.StatisticAverage)); diff != "" {
			t.Error(diff)
		}
		if got := m.puts(); got != 6 {
			t.Errorf("%d calls, want two a minute", got)
		}
	})
}

func TestAMessageThatIsBeingLostHasNoTimeLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		m.set(queueworker.ScaleHint{OldestAge: 96 * time.Hour, AtRisk: true}, nil)
		m.publish(1, 20*time.Second, nil)
		if diff := cmp.Diff([]float64{0}, m.statistics("TimeToLoss", types.StatisticAverage)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnAgeThatIsNotKnownIsNotPublished(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		m.publish(1, time.Minute, nil)
		if got := m.statistics("BacklogPerInstance", types.StatisticAverage); len(got) == 0 || got[0] != 0 {
			t.Errorf("an empty queue was published as %v", got)
		}
		if got := m.statistics("TimeToLoss", types.StatisticAverage); got != nil {
			t.Errorf("%v was published of an age that is not known", got)
		}
	})
}

func TestWithoutAHintNothingIsPublished(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hint queueworker.ScaleHint
		err  error
	}{
		"the queue cannot be read":   {err: errors.New("no")},
		"the backlog is no number":   {hint: queueworker.ScaleHint{BacklogPerInstance: math.NaN()}},
		"the backlog is infinite":    {hint: queueworker.ScaleHint{BacklogPerInstance: math.Inf(1)}},
		"the backlog is below zero":  {hint: queueworker.ScaleHint{BacklogPerInstance: -1}},
		"the error comes with zeros": {hint: queueworker.ScaleHint{BacklogPerInstance: 5}, err: queueworker.ErrAccessDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMetrics(t)
				m.set(c.hint, c.err)
				m.publish(1, 299*time.Second, nil)
				if n := m.puts(); n != 0 {
					t.Errorf("%d calls were made", n)
				}
				if len(m.events) != 10 {
					t.Errorf("%d events, want 10", len(m.events))
				}
				for _, e := range m.events {
					if call, ok := errors.AsType[*sqsscale.CallError](e.Err); !ok || call.Op != "Hint" || call.Of != "work" {
						t.Errorf("got %v", e.Err)
					}
				}
			})
		})
	}
}

// Several publishers are one to whoever reads the average; the sum counts them.
func TestSeveralPublishersDoNoHarmToTheAverage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		m.set(queueworker.ScaleHint{BacklogPerInstance: 100}, nil)
		m.publish(5, 50*time.Second, nil)
		if diff := cmp.Diff([]float64{100}, m.statistics("BacklogPerInstance", types.StatisticAverage)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]float64{1000}, m.statistics("BacklogPerInstance", types.StatisticSum)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestALostReplyChangesNoAverage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		inject(t, m.cloud, awstest.Match{Service: cloudwatch.ServiceID, Operation: "PutMetricData", Times: 1}, awstest.LoseReply())
		m.set(queueworker.ScaleHint{BacklogPerInstance: 100}, nil)
		m.publish(1, 20*time.Second, nil)
		if diff := cmp.Diff([]float64{100}, m.statistics("BacklogPerInstance", types.StatisticAverage)); diff != "" {
			t.Error(diff)
		}
		if m.statistics("BacklogPerInstance", types.StatisticSum)[0] < 200 {
			t.Error("the call was not repeated, so that this test tells nothing")
		}
	})
}

// What could not be put goes with the next call, under its own time, as long as target tracking looks at it.
func TestDataPointsOutliveACloudWatchThatIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		heal := inject(t, m.cloud, awstest.Match{Service: cloudwatch.ServiceID, Operation: "PutMetricData"}, awstest.Throttle())
		m.set(queueworker.ScaleHint{BacklogPerInstance: 7}, nil)
		m.publish(1, time.Minute, func() {
			time.Sleep(10*time.Minute - 15*time.Second)
			heal()
		})
		got := m.statistics("BacklogPerInstance", types.StatisticAverage)
		if len(got) < 4 || len(got) > 5 {
			t.Errorf("there are %d minutes, want those of the last three and of the one after them: %v", len(got), got)
		}
		failed := 0
		for _, e := range m.events {
			if e.Err != nil {
				failed++
				if e.Hint.BacklogPerInstance != 7 {
					t.Errorf("an event of a call has no hint: %+v", e)
				}
			}
		}
		if last := m.events[len(m.events)-1]; failed < 15 || last.Err != nil || last.Points != 1 {
			t.Errorf("%d calls failed, and the last event is %+v", failed, last)
		}
	})
}

func TestAPublisherThatIsDeniedSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		inject(t, m.cloud, awstest.Match{Service: cloudwatch.ServiceID, Operation: "PutMetricData"}, awstest.Deny())
		m.publish(1, 20*time.Second, nil)
		if len(m.events) != 1 || !errors.Is(m.events[0].Err, sqsscale.ErrDenied) {
			t.Fatalf("got %+v", m.events)
		}
		if text := m.events[0].Err.Error(); !strings.HasPrefix(text, "sqsscale: PutMetricData awsha/queueworker: operation error CloudWatch") {
			t.Error(text)
		}
	})
}

func TestAPublisherRunsOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the program ends")
	api := &queueworkermock.MetricsAPIMock{PutMetricDataFunc: func(context.Context, *cloudwatch.PutMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.PutMetricDataOutput, error) {
		cancel(cause)
		return &cloudwatch.PutMetricDataOutput{}, nil
	}}
	hints := sqsscale.HinterFunc(func(context.Context) (queueworker.ScaleHint, error) { return queueworker.ScaleHint{}, nil })
	p, err := sqsscale.NewPublisher(api, hints, work, func(o *sqsscale.PublisherOptions) {
		o.OnEvent = func(context.Context, sqsscale.PublisherEvent) { t.Error("an event of a call that was called off") }
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(ctx); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	if err := p.Run(ctx); !errors.Is(err, sqsscale.ErrAlreadyRun) {
		t.Errorf("got %v", err)
	}
}

func TestAPanicInAHookEndsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
		defer cancel()
		p, err := sqsscale.NewPublisher(m.client, m, work, func(o *sqsscale.PublisherOptions) {
			o.OnEvent = func(context.Context, sqsscale.PublisherEvent) { panic("hook") }
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || m.puts() != 4 {
			t.Errorf("got %v after %d calls", err, m.puts())
		}
	})
}

func TestAHintThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var events []sqsscale.PublisherEvent
		p, err := sqsscale.NewPublisher(&queueworkermock.MetricsAPIMock{}, sqsscale.HinterFunc(func(ctx context.Context) (queueworker.ScaleHint, error) {
			<-ctx.Done()
			return queueworker.ScaleHint{}, ctx.Err()
		}), work, func(o *sqsscale.PublisherOptions) {
			o.OnEvent = func(_ context.Context, e sqsscale.PublisherEvent) { events = append(events, e) }
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = p.Run(ctx)
		if len(events) != 2 || !errors.Is(events[0].Err, context.DeadlineExceeded) {
			t.Errorf("got %+v", events)
		}
	})
}

func TestAllMistakesOfAPublisherAreReported(t *testing.T) {
	t.Parallel()
	_, err := sqsscale.NewPublisher(nil, nil, sqsscale.Metric{
		Namespace: "AWS/SQS", Name: "é", QueueName: "https://sqs.us-east-1.amazonaws.com/1/work", GroupName: " ",
	}, func(o *sqsscale.PublisherOptions) { o.Interval, o.LossName, o.Timeout = time.Hour, "é", -1 })
	want := []string{
		"api", "hints", "Metric.Namespace", "Metric.Name", "Metric.QueueName", "Metric.GroupName",
		"PublisherOptions.Interval", "PublisherOptions.LossName", "PublisherOptions.Timeout",
	}
	if diff := cmp.Diff(want, fields(err)); diff != "" {
		t.Error(diff)
	}
}

// fields are those of the mistakes in an error.
func fields(err error) (names []string) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		if f, ok := errors.AsType[*queueworker.FieldError](err); ok {
			names = append(names, f.Field)
		}
	}
	return names
}

func inject(t testing.TB, cloud *awstest.Cloud, m awstest.Match, e awstest.Effect) (heal func()) {
	t.Helper()
	heal, err := cloud.Inject(m, e)
	if err != nil {
		t.Fatal(err)
	}
	return heal
}
