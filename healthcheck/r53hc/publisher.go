package r53hc

import (
	"context"
	"errors"
	"math"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/healthcheck"
)

// Publisher publishes the health of a pool as metrics of CloudWatch. Make one with [New].
type Publisher struct {
	api    MetricsAPI
	source healthcheck.Source
	opts   Options
	ran    atomic.Bool

	// These belong to Run.
	backlog []types.MetricDatum // not put yet, oldest first
	doubted time.Time           // since when checks tell nothing; zero if they do
}

// New returns a Publisher of what source says, mostly a *healthcheck.Pool. It makes no call and starts nothing. Mistakes
// are reported all at once, each a [*FieldError].
func New(api MetricsAPI, source healthcheck.Source, optFns ...func(*Options)) (*Publisher, error) {
	p := &Publisher{api: api, source: source}
	for _, fn := range optFns {
		fn(&p.opts)
	}
	var errs []error
	if api == nil {
		errs = append(errs, &FieldError{"api", nil, "must be a CloudWatch client"})
	}
	if source == nil {
		errs = append(errs, &FieldError{"source", nil, "must be a pool"})
	}
	if err := errors.Join(append(errs, p.opts.complete())...); err != nil {
		return nil, err
	}
	return p, nil
}

// Run publishes now and every Interval until ctx ends, and returns the cause of that, or [healthcheck.ErrStopped] when the
// pool has stopped, whose health is not known any more. What AWS refuses does not end it: it is told in events, and the
// data points go with the next call. Nothing is left running when it returns. A second call is refused with
// [ErrAlreadyRun].
//
// Each Interval costs one PutMetricData, whatever the number of targets and metrics, and none without anything to say.
func (p *Publisher) Run(ctx context.Context) error {
	if p.ran.Swap(true) {
		return ErrAlreadyRun
	}
	ticker := time.NewTicker(p.opts.Interval)
	defer ticker.Stop()
	for {
		view, err := look(p.source)
		if err != nil {
			return err
		}
		p.publish(ctx, view)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look returns the view of a source, or that the source has stopped, without waiting.
func look(source healthcheck.Source) (view *healthcheck.View, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = source.Wait(ctx, func(v *healthcheck.View) bool {
		view = v
		return false // so that a source that has stopped says so
	})
	if errors.Is(err, healthcheck.ErrStopped) {
		return nil, healthcheck.ErrStopped
	}
	return view, nil
}

// publish puts the values of a view, and what could not be put before.
func (p *Publisher) publish(ctx context.Context, view *healthcheck.View) {
	values := p.values(ctx, view)
	if p.silent(ctx, view, values) {
		return
	}
	p.remember(values)
	err := p.put(ctx)
	e := Event{Kind: KindPublished, Values: values, Points: len(p.backlog)}
	switch {
	case err == nil:
		p.backlog = p.backlog[:0]
	case ctx.Err() != nil:
		return // called off, which is no news
	default:
		e.Kind, e.Err = KindFailed, err
	}
	p.emit(ctx, e)
}

// values reads the metrics off a view.
func (p *Publisher) values(ctx context.Context, view *healthcheck.View) map[string]float64 {
	values := make(map[string]float64, len(p.opts.Metrics))
	for i := range p.opts.Metrics {
		if v, ok := p.value(ctx, &p.opts.Metrics[i], view); ok {
			values[p.opts.Metrics[i].Name] = v
		}
	}
	return values
}

// value reads a metric off a view. CloudWatch would refuse a number that is none, and all that is put with it, so that one
// metric would silence the others.
func (p *Publisher) value(ctx context.Context, m *Metric, view *healthcheck.View) (v float64, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			p.opts.Logger.ErrorContext(ctx, "r53hc: panic in the value of a metric", "metric", m.Name, "panic", r, "stack", string(debug.Stack()))
			ok = false
		}
	}()
	v, ok = m.Value(view)
	if ok && !valid(v) {
		p.opts.Logger.ErrorContext(ctx, "r53hc: CloudWatch does not take the value of a metric", "metric", m.Name, "value", v)
		return 0, false
	}
	return v, ok
}

// valid tells whether CloudWatch takes a number.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html (read 2026-11)
func valid(v float64) bool { return math.Abs(v) <= math.Ldexp(1, 360) } // false of NaN

// silent tells whether there is nothing to say.
func (p *Publisher) silent(ctx context.Context, view *healthcheck.View, values map[string]float64) bool {
	doubtful, outdated := doubt(view, p.opts.MaxDoubt)
	switch {
	case !doubtful:
		p.doubted = time.Time{}
	case p.doubted.IsZero():
		p.doubted = time.Now()
	}
	switch {
	case len(values) == 0:
		p.emit(ctx, Event{Kind: KindSilent, Why: Unchecked})
	case outdated, doubtful && time.Since(p.doubted) >= p.opts.MaxDoubt:
		p.emit(ctx, Event{Kind: KindSilent, Why: Doubtful})
	default:
		return false
	}
	return true
}

// remember appends data points, and forgets the oldest of those that nobody wanted for long.
func (p *Publisher) remember(values map[string]float64) {
	resolution := int32(60)
	if p.opts.HighResolution {
		resolution = 1
	}
	now := time.Now()
	for _, m := range p.opts.Metrics {
		if v, ok := values[m.Name]; ok {
			p.backlog = append(p.backlog, types.MetricDatum{
				MetricName: aws.String(m.Name), Unit: m.Unit, Value: aws.Float64(v), Timestamp: aws.Time(now),
				Dimensions: p.opts.dimensions(), StorageResolution: aws.Int32(resolution),
			})
		}
	}
	if excess := len(p.backlog) - (p.opts.Backlog+1)*len(p.opts.Metrics); excess > 0 {
		p.backlog = append(p.backlog[:0], p.backlog[excess:]...)
	}
}

func (p *Publisher) put(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.opts.CallTimeout)
	defer cancel()
	_, err := p.api.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String(p.opts.Namespace), MetricData: p.backlog})
	if err != nil {
		return &CallError{Op: "PutMetricData", Of: p.opts.Namespace, Err: err}
	}
	return nil
}
