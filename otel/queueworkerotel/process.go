package queueworkerotel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/awsha/awsha/queueworker"
)

// Middleware makes a process span and a duration of each call of a handler. Configure adds it; use it directly where it should not
// be the outermost.
func (i *Instrumentation) Middleware(next queueworker.Handler) queueworker.Handler {
	return queueworker.HandlerFunc(func(ctx context.Context, m *queueworker.Message) (err error) {
		ctx, span := i.startProcess(ctx, m)
		began := time.Now()
		result := "panic" // or runtime.Goexit
		defer func() { i.endProcess(ctx, span, time.Since(began), result, err) }()
		err = next.Handle(ctx, m)
		result = outcome(err).String()
		return err
	})
}

// startProcess starts the span of a message.
func (i *Instrumentation) startProcess(ctx context.Context, m *queueworker.Message) (context.Context, trace.Span) {
	opts := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(i.process.attrs...),
		trace.WithAttributes(semconv.MessagingMessageID(m.ID), attribute.Int("awsha.attempt", m.Attempt)),
	}
	ctx, creation := i.extract(ctx, m.Attributes, m.TraceHeader)
	if creation.IsValid() {
		opts = append(opts, trace.WithLinks(trace.Link{SpanContext: creation}))
	}
	if i.opts.Parent && creation.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, creation)
	} else {
		opts = append(opts, trace.WithNewRoot()) // a worker that runs in a span is not a part of what it handles
	}
	return i.tracer.Start(ctx, i.process.name, opts...)
}

func (i *Instrumentation) endProcess(ctx context.Context, span trace.Span, took time.Duration, result string, err error) {
	metrics := i.process.about
	span.SetAttributes(attribute.String("awsha.outcome", result))
	switch {
	case result == "panic":
		kind := semconv.ErrorTypeKey.String("panic")
		span.SetAttributes(kind)
		span.SetStatus(codes.Error, "the handler panicked")
		metrics = with(metrics, kind)
	case err != nil && !instruction(err):
		kind := errorType(err)
		span.SetAttributes(kind)
		span.SetStatus(codes.Error, fmt.Sprint(err)) // not Error, which panics if err is a nil pointer
		metrics = with(metrics, kind)
	}
	i.processDuration.RecordSet(ctx, took.Seconds(), metrics)
	span.End()
}

// outcome is what the worker makes of what a handler returned.
func outcome(err error) queueworker.Outcome {
	if err == nil {
		return queueworker.Completed
	}
	if e := (*queueworker.OutcomeError)(nil); errors.As(err, &e) {
		return e.Outcome
	}
	return queueworker.Retried
}

// instruction reports whether an error says what to do, and nothing went wrong.
func instruction(err error) bool {
	e, ok := err.(*queueworker.OutcomeError) //nolint:errorlint // what wraps it has a reason
	return ok && e.Err == nil
}

// with returns attributes and one more.
func with(attrs attribute.Set, more attribute.KeyValue) attribute.Set {
	return attribute.NewSet(append(attrs.ToSlice(), more)...)
}
