package sqsscale

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/queueworker"
)

// PublisherOptions are the options of NewPublisher. The zero value of each field means its default.
type PublisherOptions struct {
	// Interval is the time between data points, and so between calls, from a second to a minute: the alarms of a policy look at whole
	// minutes. Default 30 seconds, with which one call may fail before a minute is without data.
	Interval time.Duration
	// LossName is the name of the metric of how long the oldest message has left, see Publisher. Default "TimeToLoss".
	LossName string
	// Timeout bounds the hint, and then the call with the SDK's retries inside it. Default 10 seconds.
	Timeout time.Duration
	// OnEvent is called with each event, one at a time, by Run, which waits for it. A panic in it is recovered and logged.
	OnEvent func(context.Context, PublisherEvent)
	// Logger gets what fails at Warn, and what is published at Debug. Nil is silent.
	Logger *slog.Logger
}

// PublisherEvent is what came of one interval.
type PublisherEvent struct {
	Time time.Time
	// Hint is what was published. It is zero if Err is the Hinter's.
	Hint queueworker.ScaleHint
	// Points is the number of data points that CloudWatch has got; more than two if calls had failed before.
	Points int
	// Err is a *CallError: of "Hint", then nothing was said, or of "PutMetricData", whose data points go with the next call.
	Err error
}

// Publisher publishes the backlog per instance of a queue as a metric of CloudWatch: the one that target tracking is to keep at
// ScaleHint.AcceptableBacklog. Make one with [NewPublisher].
//
// With it goes a second metric, if the age of the oldest message is known: the seconds that are left until SQS throws that message away,
// to make an alarm of. Its name is PublisherOptions.LossName, its dimensions are those of the first.
//
// One Publisher suffices, among however many workers. Several do no harm, as each publishes the same quantity and not a share of it: read
// the metric as Average, Minimum or Maximum, never as Sum, which counts publishers. The policy of a [TargetTracking] reads the
// Average. A publisher that runs on the instances it scales says nothing when there are none: let one run elsewhere if the group can be empty.
type Publisher struct {
	api    MetricsAPI
	hints  Hinter
	metric Metric
	opts   PublisherOptions
	ran    atomic.Bool

	kept []types.MetricDatum // not put yet, oldest first; belongs to Run
}

// NewPublisher returns a Publisher of what hints says. It makes no call and starts nothing. Every mistake is a *queueworker.FieldError of
// the error.
func NewPublisher(api MetricsAPI, hints Hinter, metric Metric, optFns ...func(*PublisherOptions)) (*Publisher, error) {
	var o PublisherOptions
	for _, fn := range optFns {
		fn(&o)
	}
	orDefault(&o.Interval, 30*time.Second)
	orDefault(&o.LossName, "TimeToLoss")
	orDefault(&o.Timeout, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var m mistakes
	m.require(api != nil, "api", nil, "must not be nil")
	m.require(hints != nil, "hints", nil, "must not be nil")
	metric.complete(&m)
	m.require(time.Second <= o.Interval && o.Interval <= time.Minute, "PublisherOptions.Interval", o.Interval, "must be from a second to a minute")
	m.require(printable(o.LossName, maxText) && o.LossName != metric.Name, "PublisherOptions.LossName", o.LossName,
		"must have at most 255 characters of ASCII, and must not be Metric.Name")
	m.require(o.Timeout > 0, "PublisherOptions.Timeout", o.Timeout, "must be greater than zero")
	if err := m.err(); err != nil {
		return nil, err
	}
	return &Publisher{api: api, hints: hints, metric: metric, opts: o}, nil
}

// Run publishes now and every Interval until ctx ends, and returns the cause of that. While there is no hint nothing is published: a queue
// that cannot be read is no empty queue, and target tracking does not scale on data that is missing. What AWS refuses does not end it. It
// leaves nothing running. A second call is refused with [ErrAlreadyRun].
//
// Each Interval costs a hint and one PutMetricData, whatever the number of metrics.
func (p *Publisher) Run(ctx context.Context) error {
	if p.ran.Swap(true) {
		return ErrAlreadyRun
	}
	ticker := time.NewTicker(p.opts.Interval)
	defer ticker.Stop()
	for {
		e := p.publish(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx) // what was called off is no news
		}
		p.emit(ctx, e)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// publish puts the values of a hint, and what could not be put before.
func (p *Publisher) publish(ctx context.Context) PublisherEvent {
	hint, err := askHint(ctx, p.hints, p.metric.QueueName, p.opts.Timeout)
	if err != nil {
		return PublisherEvent{Err: err}
	}
	p.remember(hint)
	e := PublisherEvent{Hint: hint}
	call, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	if _, err := p.api.PutMetricData(call, &cloudwatch.PutMetricDataInput{Namespace: &p.metric.Namespace, MetricData: p.kept}); err != nil {
		e.Err = &CallError{Op: "PutMetricData", Of: p.metric.Namespace, Err: err}
		return e
	}
	e.Points = len(p.kept)
	p.kept = nil
	return e
}

// keepFor is how long data points that could not be put are of use: target tracking scales out by the last three minutes.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html (read 2026-11)
const keepFor = 3 * time.Minute

// remember appends the data points of a hint, and forgets those that are of no use any more. With an Interval of a second that leaves
// 362, where a call has room for 1000.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html (read 2026-11)
func (p *Publisher) remember(hint queueworker.ScaleHint) {
	now := time.Now()
	var kept []types.MetricDatum // anew: who has got the old ones may hold them yet
	for _, d := range p.kept {
		if now.Sub(*d.Timestamp) <= keepFor {
			kept = append(kept, d)
		}
	}
	add := func(name string, unit types.StandardUnit, v float64) {
		kept = append(kept, types.MetricDatum{
			MetricName: aws.String(name), Unit: unit, Value: aws.Float64(v), Timestamp: aws.Time(now), Dimensions: p.metric.cloudWatch(),
		})
	}
	add(p.metric.Name, unit, hint.BacklogPerInstance)
	if hint.OldestAge > 0 { // else it is not known
		add(p.opts.LossName, types.StandardUnitSeconds, hint.LossIn.Seconds())
	}
	p.kept = kept
}

// askHint returns a hint that can be believed to be one.
func askHint(ctx context.Context, hints Hinter, queue string, timeout time.Duration) (queueworker.ScaleHint, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	hint, err := hints.Hint(ctx)
	if b := hint.BacklogPerInstance; err == nil && (!(b >= 0) || math.IsInf(b, 1)) { // NaN is neither
		err = &queueworker.FieldError{Field: "ScaleHint.BacklogPerInstance", Value: b, Rule: "must be a number, and not negative"}
	}
	if err != nil {
		return queueworker.ScaleHint{}, &CallError{Op: "Hint", Of: queue, Err: err}
	}
	return hint, nil
}

// emit gives an event to the logger and to the hook.
func (p *Publisher) emit(ctx context.Context, e PublisherEvent) {
	e.Time = time.Now()
	if e.Err != nil {
		p.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "sqsscale: nothing is published", slog.String("queue", p.metric.QueueName), slog.Any("error", e.Err))
	} else {
		p.opts.Logger.LogAttrs(ctx, slog.LevelDebug, "sqsscale: published", slog.String("queue", p.metric.QueueName),
			slog.Float64("backlog_per_instance", e.Hint.BacklogPerInstance), slog.Int("points", e.Points))
	}
	tell(ctx, p.opts.Logger, p.opts.OnEvent, e)
}
