package queueworkerotel

import (
	"errors"
	"net/url"
	"path"
	"slices"
	"strconv"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/awsha/awsha/queueworker"
)

// scope is the name of the instrumentation.
const scope = "github.com/awsha/awsha/otel/queueworkerotel"

// Options are the options of an Instrumentation. The zero value of each field means its default.
type Options struct {
	// TracerProvider makes spans. Default: the global one, as it is at New.
	TracerProvider trace.TracerProvider

	// MeterProvider makes metrics. Default: the global one, as it is at New.
	MeterProvider metric.MeterProvider

	// Propagator reads the creation context from message attributes, and writes it into them. One that knows baggage hands it to
	// the handler; whoever can send to the queue decides what is in it. Default: W3C trace context.
	Propagator propagation.TextMapPropagator

	// Parent makes process spans children of the message's creation context, so that sender and handler are in one trace. They link
	// to it all the same. Traces may then last for as long as messages wait.
	Parent bool
}

// Instrumentation makes spans and metrics for the worker of one queue. Make one with New. It is safe for concurrent use.
type Instrumentation struct {
	opts     Options
	queueURL string
	queue    string // its name
	tracer   trace.Tracer
	meter    metric.Meter

	process         operation
	processDuration messagingconv.ProcessDuration
	callDuration    messagingconv.ClientOperationDuration
	consumed        messagingconv.ClientConsumedMessages
	sent            messagingconv.ClientSentMessages
}

// bounds are the buckets of durations in seconds, as the conventions ask for.
// Source: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/ (read 2026-11).
func bounds() metric.Float64HistogramOption {
	return metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
}

// New returns the instrumentation of the worker of a queue. A URL that is none is a *queueworker.FieldError; what the MeterProvider
// says against a metric is returned as it is.
func New(queueURL string, optFns ...func(*Options)) (*Instrumentation, error) {
	i := &Instrumentation{queueURL: queueURL}
	for _, fn := range optFns {
		fn(&i.opts)
	}
	if i.opts.TracerProvider == nil {
		i.opts.TracerProvider = otel.GetTracerProvider()
	}
	if i.opts.MeterProvider == nil {
		i.opts.MeterProvider = otel.GetMeterProvider()
	}
	if i.opts.Propagator == nil {
		i.opts.Propagator = propagation.TraceContext{}
	}
	u, err := url.Parse(queueURL)
	if err != nil || u.Host == "" || queueName(u) == "" {
		return nil, &queueworker.FieldError{Field: "queueURL", Value: queueURL, Rule: "must be the URL of a queue"}
	}
	i.queue = queueName(u)

	i.tracer = i.opts.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
	i.meter = i.opts.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	var errs [4]error
	i.processDuration, errs[0] = messagingconv.NewProcessDuration(i.meter, bounds())
	i.callDuration, errs[1] = messagingconv.NewClientOperationDuration(i.meter, bounds())
	i.consumed, errs[2] = messagingconv.NewClientConsumedMessages(i.meter)
	i.sent, errs[3] = messagingconv.NewClientSentMessages(i.meter)
	i.process = newOperation(queueURL, "process", semconv.MessagingOperationTypeProcess)
	return i, errors.Join(errs[:]...)
}

// Configure adds to the options of a worker what this needs: the middleware, outside of all others that are there, and the message
// attributes of the creation context. It is an option for queueworker.New, to be given after those that set Middleware or Attributes.
func (i *Instrumentation) Configure(o *queueworker.Options) {
	o.Middleware = append([]queueworker.Middleware{i.Middleware}, o.Middleware...)
	if o.Attributes == nil {
		return // all are received
	}
	for _, name := range i.opts.Propagator.Fields() {
		if !slices.Contains(o.Attributes, name) && !slices.Contains(o.Attributes, "All") {
			o.Attributes = append(slices.Clip(o.Attributes), name)
		}
	}
}

// operation is a kind of span on a queue.
type operation struct {
	name  string // of the span
	attrs []attribute.KeyValue
	about attribute.Set // of metrics, but for the type of the operation
	typed attribute.Set // of metrics
}

// newOperation returns an operation on a queue, with its type if there is one.
func newOperation(queueURL, name string, kind ...attribute.KeyValue) operation {
	about := []attribute.KeyValue{semconv.MessagingSystemAWSSQS, semconv.MessagingOperationName(name)}
	span := name
	if u, err := url.Parse(queueURL); err == nil {
		queue := queueName(u)
		span += " " + queue
		about = append(about, semconv.MessagingDestinationName(queue))
		about = append(about, server(u)...)
	}
	typed := slices.Concat(about, kind)
	return operation{
		name: span, attrs: slices.Concat(typed, []attribute.KeyValue{semconv.AWSSQSQueueURL(queueURL)}),
		about: attribute.NewSet(about...), typed: attribute.NewSet(typed...),
	}
}

func queueName(u *url.URL) string {
	if name := path.Base(u.Path); name != "." && name != "/" {
		return name
	}
	return ""
}

// server returns who answers at a URL.
func server(u *url.URL) []attribute.KeyValue {
	port, err := strconv.Atoi(u.Port())
	switch {
	case err == nil:
	case u.Scheme == "http":
		port = 80
	default:
		port = 443
	}
	return []attribute.KeyValue{semconv.ServerAddress(u.Hostname()), semconv.ServerPort(port)}
}
