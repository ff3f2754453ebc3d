package queueworker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/internal/awserr"
)

// ScalerAPI is what a Scaler calls of SQS; *sqs.Client is one. Implementations are safe for concurrent use, end a call when its context
// ends, and return errors in the SDK's form.
type ScalerAPI interface {
	// GetQueueAttributes needs sqs:GetQueueAttributes. It is called once for each hint that is not from the cache.
	GetQueueAttributes(ctx context.Context, params *sqs.GetQueueAttributesInput, optFns ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
}

var _ ScalerAPI = (*sqs.Client)(nil)

// ScalerOptions are the options of NewScaler.
type ScalerOptions struct {
	// TargetLatency is how long a message may wait for its handler. Default a minute.
	TargetLatency time.Duration
	// Min and Max bound the hints. Min is zero by default, which allows to scale in to nothing; Max is 10.
	Min, Max int

	// Instances returns how many instances run. Nil: one.
	Instances func(context.Context) (int, error)
	// OldestAge returns the age of the oldest message, which SQS itself does not tell: it is the metric
	// ApproximateAgeOfOldestMessage of CloudWatch. Zero is an age that is not known. Nil: never known.
	//
	// An error of it costs a warning and no hint: the age only holds back and warns.
	OldestAge func(context.Context) (time.Duration, error)
	// ArrivalRate returns the messages sent a second. Nil: an estimate, see Scaler.
	ArrivalRate func(context.Context) (float64, error)

	// CacheFor is how long a hint is given again. Default 15 seconds.
	CacheFor time.Duration
	// Timeout bounds all that is read for a hint. Default 10 seconds.
	Timeout time.Duration
	// Logger gets at Warn what could not be read, and that data is about to be lost, once until it no longer is. Nil is silent.
	Logger *slog.Logger
}

// A Scaler makes hints for a queue out of what SQS says and what a worker has seen. It is safe for concurrent use, has no goroutines,
// and reads only when it is asked: one GetQueueAttributes for each CacheFor, however many ask.
//
// The worker stands for all instances: MeanHandler, Slots and Rate are taken as those of each. Without ScalerOptions.ArrivalRate the
// arrivals are estimated as what the instances begin to handle, Rate × instances, and by how much the visible messages have grown since
// the hint before, at the least zero. Messages that are tried again count like new ones: they need a handler too.
//
// The age of the oldest message is held against the queue's own retention, its attribute MessageRetentionPeriod. What has used up half
// of that is told as data about to be lost: in the hint, in the log and in what ServeHTTP serves.
type Scaler struct {
	api      ScalerAPI
	queueURL string
	stats    func() Stats
	opts     ScalerOptions

	// turn holds what the last reading left; who has taken it out reads. A channel, so that waiting ends with a context.
	turn chan reading
}

// reading is what a Scaler has seen last.
type reading struct {
	at      time.Time // zero: none
	visible int
	hint    ScaleHint
}

// NewScaler returns a Scaler for the queue that a worker handles; stats is its Worker.Stats. It makes no call. Every mistake is a
// *FieldError of the error.
func NewScaler(api ScalerAPI, queueURL string, stats func() Stats, optFns ...func(*ScalerOptions)) (*Scaler, error) {
	var o ScalerOptions
	for _, fn := range optFns {
		fn(&o)
	}
	orDefault(&o.TargetLatency, time.Minute)
	orDefault(&o.Max, 10)
	orDefault(&o.CacheFor, 15*time.Second)
	orDefault(&o.Timeout, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var m mistakes
	m.require(api != nil, "api", nil, "must not be nil")
	m.require(validQueueURL(queueURL), "queueURL", queueURL, "must be the URL of a queue")
	m.require(stats != nil, "stats", nil, "must not be nil")
	m.require(o.TargetLatency > 0, "ScalerOptions.TargetLatency", o.TargetLatency, "must be greater than zero")
	m.require(1 <= o.Max && o.Max <= maxInstances, "ScalerOptions.Max", o.Max, "must be from 1 to 1000000")
	m.require(0 <= o.Min && o.Min <= max(o.Max, 0), "ScalerOptions.Min", o.Min, "must be from 0 to Max")
	m.require(o.CacheFor > 0, "ScalerOptions.CacheFor", o.CacheFor, "must be greater than zero")
	m.require(o.Timeout > 0, "ScalerOptions.Timeout", o.Timeout, "must be greater than zero")
	if err := m.err(); err != nil {
		return nil, err
	}
	s := &Scaler{api: api, queueURL: queueURL, stats: stats, opts: o, turn: make(chan reading, 1)}
	s.turn <- reading{}
	return s, nil
}

// Hint returns what Plan says of the queue now, or of ScalerOptions.CacheFor ago at most. Who asks during a reading waits for it, or
// for the end of its own context.
//
// An error is a *QueueError of GetQueueAttributes with ErrQueueNotFound, ErrAccessDenied or neither, one that wraps what Instances or
// ArrivalRate returned, a *FieldError of what they or stats returned, or the cause of the context. Errors are not cached, and no old
// hint takes their place: what scales should then stay as it is.
func (s *Scaler) Hint(ctx context.Context) (ScaleHint, error) {
	var last reading
	select {
	case last = <-s.turn:
	case <-ctx.Done():
		return ScaleHint{}, context.Cause(ctx)
	}
	defer func() { s.turn <- last }()
	if !last.at.IsZero() && time.Since(last.at) < s.opts.CacheFor {
		return last.hint, nil
	}
	reads, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	next, err := s.read(reads, last)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return ScaleHint{}, err
	}
	if next.hint.AtRisk && !last.hint.AtRisk {
		s.opts.Logger.WarnContext(ctx, "queueworker: data is about to be lost", "queue", s.queueURL,
			"oldest_age", next.hint.OldestAge, "loss_in", next.hint.LossIn, "expected_wait", next.hint.ExpectedWait)
	}
	last = next
	return next.hint, nil
}

func (s *Scaler) read(ctx context.Context, last reading) (reading, error) {
	in, err := s.queue(ctx)
	if err != nil {
		return reading{}, err
	}
	now, stats := time.Now(), s.stats()
	in.MeanHandler, in.Concurrency = stats.MeanHandler, stats.Slots
	in.TargetLatency, in.Min, in.Max = s.opts.TargetLatency, s.opts.Min, s.opts.Max
	in.Instances = 1
	if s.opts.Instances != nil {
		if in.Instances, err = s.opts.Instances(ctx); err != nil {
			return reading{}, fmt.Errorf("queueworker: count the instances: %w", err)
		}
	}
	if s.opts.OldestAge != nil {
		if in.OldestAge, err = s.opts.OldestAge(ctx); err != nil {
			s.opts.Logger.WarnContext(ctx, "queueworker: the age of the oldest message is not known", "queue", s.queueURL, "error", err)
			in.OldestAge = 0
		}
	}
	if s.opts.ArrivalRate != nil {
		if in.ArrivalRate, err = s.opts.ArrivalRate(ctx); err != nil {
			return reading{}, fmt.Errorf("queueworker: read the rate of arrivals: %w", err)
		}
	} else {
		in.ArrivalRate = stats.Rate * float64(in.Instances)
		if elapsed := now.Sub(last.at).Seconds(); !last.at.IsZero() && elapsed > 0 {
			in.ArrivalRate = max(0, in.ArrivalRate+float64(in.Visible-last.visible)/elapsed)
		}
	}
	hint, err := Plan(in)
	return reading{at: now, visible: in.Visible, hint: hint}, err
}

// queue reads the numbers of the queue.
func (s *Scaler) queue(ctx context.Context) (in ScaleInput, err error) {
	const op = "GetQueueAttributes"
	out, err := s.api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(s.queueURL), AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed, types.QueueAttributeNameMessageRetentionPeriod,
	}})
	if err != nil {
		e := &QueueError{Operation: op, QueueURL: s.queueURL, Err: err}
		switch {
		case awserr.Missing(err) == awserr.Queue:
			e.Condition = ErrQueueNotFound
		case awserr.Of(err) == awserr.Denied:
			e.Condition = ErrAccessDenied
		}
		return in, e
	}
	var bad []error
	retention := int(defaultRetention / time.Second)
	for name, field := range map[types.QueueAttributeName]*int{
		types.QueueAttributeNameApproximateNumberOfMessages:           &in.Visible,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible: &in.InFlight,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed:    &in.Delayed,
		types.QueueAttributeNameMessageRetentionPeriod:                &retention,
	} {
		text, ok := out.Attributes[string(name)]
		if !ok && name == types.QueueAttributeNameMessageRetentionPeriod {
			continue // an endpoint that is not quite SQS; the retention only warns
		}
		// A missing count is no zero: a queue that looks empty would lose its workers.
		if *field, err = strconv.Atoi(text); err != nil {
			bad = append(bad, &FieldError{Field: string(name), Value: strconv.Quote(text), Rule: "must be a number"})
		}
	}
	if len(bad) > 0 {
		return in, &QueueError{Operation: op, QueueURL: s.queueURL, Err: errors.Join(bad...)}
	}
	in.Retention = time.Duration(retention) * time.Second
	return in, nil
}
