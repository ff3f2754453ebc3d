package queueworkerotel_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/awsha/awsha/otel/queueworkerotel"
	"github.com/awsha/awsha/queueworker"
)

// BenchmarkMiddleware is what a message costs: with spans and metrics off, with spans that are not sampled, and with all of it.
func BenchmarkMiddleware(b *testing.B) {
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	for name, on := range map[string]struct {
		tracers trace.TracerProvider
		meters  metric.MeterProvider
	}{
		"off":         {tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider()},
		"not sampled": {sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())), metrics},
		"sampled":     {sdktrace.NewTracerProvider(), metrics},
	} {
		b.Run(name, func(b *testing.B) {
			i, err := queueworkerotel.New("https://sqs.us-east-1.amazonaws.com/123456789012/work", func(o *queueworkerotel.Options) {
				o.TracerProvider, o.MeterProvider = on.tracers, on.meters
			})
			if err != nil {
				b.Fatal(err)
			}
			ctx, span := sdktrace.NewTracerProvider().Tracer("sender").Start(b.Context(), "send")
			span.End()
			m := &queueworker.Message{ID: "id", Attempt: 1, Attributes: i.Inject(ctx, nil)}
			h := i.Middleware(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error { return nil }))
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Handle(b.Context(), m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
