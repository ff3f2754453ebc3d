package queueworkerotel_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/otel/queueworkerotel"
	"github.com/awsha/awsha/queueworker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an SQS with one queue, and an SDK of OpenTelemetry that keeps what it gets.
type world struct {
	*testing.T
	cloud   *awstest.Cloud
	client  *sqs.Client
	url     string
	spans   *tracetest.InMemoryExporter
	tracers *sdktrace.TracerProvider
	meters  *sdkmetric.MeterProvider
	reader  *sdkmetric.ManualReader
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{sqssvc.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, cloud: cloud, client: sqs.NewFromConfig(cloud.Config("us-east-1")), spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	w.tracers = sdktrace.NewTracerProvider(sdktrace.WithSyncer(w.spans))
	w.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(w.reader))
	w.url = w.queue("work", nil)
	return w
}

func (w *world) queue(name string, attributes map[string]string) string {
	w.Helper()
	out, err := w.client.CreateQueue(w.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		w.Fatal(err)
	}
	return *out.QueueUrl
}

func (w *world) telemetry(optFns ...func(*queueworkerotel.Options)) *queueworkerotel.Instrumentation {
	w.Helper()
	i, err := queueworkerotel.New(w.url, append([]func(*queueworkerotel.Options){func(o *queueworkerotel.Options) {
		o.TracerProvider, o.MeterProvider = w.tracers, w.meters
	}}, optFns...)...)
	if err != nil {
		w.Fatal(err)
	}
	return i
}

// send sends a message within a span of its own, which it returns.
func (w *world) send(i *queueworkerotel.Instrumentation, body string) trace.SpanContext {
	w.Helper()
	ctx, span := w.tracers.Tracer("sender").Start(w.Context(), "send")
	defer span.End()
	_, err := w.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: &body, MessageAttributes: i.Inject(ctx, nil)})
	if err != nil {
		w.Fatal(err)
	}
	return span.SpanContext()
}

// sendXRay sends a message with an X-Ray header.
func (w *world) sendXRay(header string) {
	w.Helper()
	body := "xray"
	kind := "String"
	_, err := w.client.SendMessage(w.Context(), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: &body, MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
		"AWSTraceHeader": {DataType: &kind, StringValue: &header},
	}})
	if err != nil {
		w.Fatal(err)
	}
}

// work runs a worker for a while, and returns the spans of it by their names, oldest first.
func (w *world) work(ctx context.Context, i *queueworkerotel.Instrumentation, h queueworker.HandlerFunc, optFns ...func(*queueworker.Options)) map[string][]tracetest.SpanStub {
	w.Helper()
	w.spans.Reset()
	worker, err := queueworker.New(i.API(w.client), w.url, h, append(optFns, i.Configure)...)
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(5*time.Second, cancel)
	if err := worker.Run(ctx); err != nil {
		w.Error(err)
	}
	spans := map[string][]tracetest.SpanStub{}
	for _, s := range w.spans.GetSpans() {
		spans[s.Name] = append(spans[s.Name], s)
	}
	return spans
}

// one returns the one span of a name.
func (w *world) one(spans map[string][]tracetest.SpanStub, name string) tracetest.SpanStub {
	w.Helper()
	if len(spans[name]) != 1 {
		w.Fatalf("%d spans %q", len(spans[name]), name)
	}
	return spans[name][0]
}

// values are attributes by their names.
func values(attrs []attribute.KeyValue) map[string]any {
	m := map[string]any{}
	for _, a := range attrs {
		m[string(a.Key)] = a.Value.AsInterface()
	}
	return m
}

// metrics returns the data of each metric by its name.
func (w *world) metrics() map[string]metricdata.Aggregation {
	w.Helper()
	var data metricdata.ResourceMetrics
	if err := w.reader.Collect(w.Context(), &data); err != nil {
		w.Fatal(err)
	}
	m := map[string]metricdata.Aggregation{}
	for _, s := range data.ScopeMetrics {
		for _, metric := range s.Metrics {
			m[metric.Name] = metric.Data
		}
	}
	return m
}

// point is one point of a histogram or counter.
type point struct {
	Count uint64
	Sum   float64
	Error string
}

// points returns the points of a metric by messaging.operation.name.
func (w *world) points(name string) map[string][]point {
	w.Helper()
	m := map[string][]point{}
	add := func(attrs attribute.Set, p point) {
		operation, _ := attrs.Value("messaging.operation.name")
		kind, _ := attrs.Value("error.type")
		p.Error = kind.AsString()
		m[operation.AsString()] = append(m[operation.AsString()], p)
	}
	switch data := w.metrics()[name].(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, point{Count: p.Count, Sum: p.Sum})
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, point{Count: uint64(p.Value)})
		}
	default:
		w.Fatalf("no metric %s", name)
	}
	return m
}
