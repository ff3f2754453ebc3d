package queueworkerotel

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.opentelemetry.io/otel/trace"
)

// Inject returns the attributes of a message that is about to be sent, with the creation context: that of the span in ctx, or what
// else the propagator takes from it. It changes attributes, which may be nil. A message has room for ten; for one that has a creation
// context already, nothing is to be done.
func (i *Instrumentation) Inject(ctx context.Context, attributes map[string]types.MessageAttributeValue) map[string]types.MessageAttributeValue {
	if attributes == nil {
		attributes = map[string]types.MessageAttributeValue{}
	}
	i.opts.Propagator.Inject(ctx, carrier(attributes))
	return attributes
}

// extract returns ctx with what a message carries, but for its creation context, which is returned beside it. The propagator's has
// precedence over that of X-Ray.
func (i *Instrumentation) extract(ctx context.Context, attributes map[string]types.MessageAttributeValue, xray string) (context.Context, trace.SpanContext) {
	local := trace.SpanFromContext(ctx)
	ctx = i.opts.Propagator.Extract(trace.ContextWithSpanContext(ctx, trace.SpanContext{}), carrier(attributes))
	creation := trace.SpanContextFromContext(ctx)
	if !creation.IsValid() {
		creation = parseXRay(xray)
	}
	return trace.ContextWithSpan(ctx, local), creation
}

// carrier is message attributes as the carrier of a context.
type carrier map[string]types.MessageAttributeValue

// Get implements propagation.TextMapCarrier.
func (c carrier) Get(key string) string { return aws.ToString(c[key].StringValue) }

// Set implements propagation.TextMapCarrier. SQS takes no empty values.
func (c carrier) Set(key, value string) {
	if value != "" {
		c[key] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
}

// Keys implements propagation.TextMapCarrier.
func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}

// parseXRay parses an X-Ray trace header, such as
//
//	Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
//
// What is none, or names no parent, is a context that is not valid.
// Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader (read 2026-11).
func parseXRay(header string) trace.SpanContext {
	var c trace.SpanContextConfig
	for part := range strings.SplitSeq(header, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var err error
		switch key {
		case "Root":
			c.TraceID, err = xrayTraceID(value)
		case "Parent":
			c.SpanID, err = trace.SpanIDFromHex(value)
		case "Sampled":
			c.TraceFlags = c.TraceFlags.WithSampled(value == "1")
		}
		if err != nil {
			return trace.SpanContext{}
		}
	}
	c.Remote = true
	if sc := trace.NewSpanContext(c); sc.IsValid() {
		return sc
	}
	return trace.SpanContext{}
}

// xrayTraceID parses a version, the second of its origin and an identifier.
func xrayTraceID(s string) (trace.TraceID, error) {
	const epoch, unique = 8, 24
	parts := strings.Split(s, "-")
	if len(parts) != 3 || parts[0] != "1" || len(parts[1]) != epoch || len(parts[2]) != unique {
		return trace.TraceID{}, errTraceID
	}
	return trace.TraceIDFromHex(parts[1] + parts[2])
}

var errTraceID = errors.New("not an X-Ray trace ID")
