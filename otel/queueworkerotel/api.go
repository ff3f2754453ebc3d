package queueworkerotel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/awsha/awsha/queueworker"
)

// API returns api with a span and metrics around each call that receives, settles or sends messages.
func (i *Instrumentation) API(api queueworker.API) queueworker.API {
	w := &wrapper{API: api, Instrumentation: i}
	w.receive = newOperation(i.queueURL, "receive", semconv.MessagingOperationTypeReceive)
	w.delete = newOperation(i.queueURL, "delete", semconv.MessagingOperationTypeSettle)
	w.release = newOperation(i.queueURL, "release", semconv.MessagingOperationTypeSettle)
	w.change = newOperation(i.queueURL, "change_visibility")
	return w
}

type wrapper struct {
	queueworker.API
	*Instrumentation

	receive, delete, release, change operation
}

// ReceiveMessage implements queueworker.API.
func (w *wrapper) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, optFns ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	c := w.begin(ctx, &w.receive)
	out, err := w.API.ReceiveMessage(c.ctx, in, optFns...)
	if err != nil {
		c.end(nil, nil, err)
		return out, err
	}
	c.span.SetAttributes(semconv.MessagingBatchMessageCount(len(out.Messages)))
	for n := range out.Messages {
		w.link(c, &out.Messages[n])
	}
	if n := len(out.Messages); n > 0 {
		w.consumed.AddSet(ctx, int64(n), w.receive.about)
	}
	c.end(&out.ResultMetadata, nil, nil)
	return out, nil
}

// link links a receive to the creation context of a message.
func (w *wrapper) link(c *call, m *types.Message) {
	_, creation := w.extract(context.Background(), m.MessageAttributes, m.Attributes[string(types.MessageSystemAttributeNameAWSTraceHeader)])
	if creation.IsValid() {
		c.span.AddLink(trace.Link{SpanContext: creation, Attributes: []attribute.KeyValue{semconv.MessagingMessageID(aws.ToString(m.MessageId))}})
	}
}

// DeleteMessageBatch implements queueworker.API.
func (w *wrapper) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, optFns ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	c := w.begin(ctx, &w.delete, semconv.MessagingBatchMessageCount(len(in.Entries)))
	out, err := w.API.DeleteMessageBatch(c.ctx, in, optFns...)
	if err != nil {
		c.end(nil, nil, err)
		return out, err
	}
	c.end(&out.ResultMetadata, out.Failed, nil)
	return out, nil
}

// ChangeMessageVisibilityBatch implements queueworker.API.
func (w *wrapper) ChangeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput, optFns ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	op := &w.release
	for n := range in.Entries {
		if in.Entries[n].VisibilityTimeout != 0 {
			op = &w.change
		}
	}
	c := w.begin(ctx, op, semconv.MessagingBatchMessageCount(len(in.Entries)))
	out, err := w.API.ChangeMessageVisibilityBatch(c.ctx, in, optFns...)
	if err != nil {
		c.end(nil, nil, err)
		return out, err
	}
	c.end(&out.ResultMetadata, out.Failed, nil)
	return out, nil
}

// SendMessageBatch implements queueworker.API. It is to another queue.
func (w *wrapper) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, optFns ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	op := newOperation(aws.ToString(in.QueueUrl), "send", semconv.MessagingOperationTypeSend)
	c := w.begin(ctx, &op, semconv.MessagingBatchMessageCount(len(in.Entries)))
	out, err := w.API.SendMessageBatch(c.ctx, in, optFns...)
	if err != nil {
		c.end(nil, nil, err)
		return out, err
	}
	if n := len(out.Successful); n > 0 {
		w.sent.AddSet(ctx, int64(n), op.about)
	}
	c.end(&out.ResultMetadata, out.Failed, nil)
	return out, nil
}

// call is a call that is under way.
type call struct {
	inst  *Instrumentation
	op    *operation
	ctx   context.Context // with the span
	span  trace.Span
	began time.Time
}

func (i *Instrumentation) begin(ctx context.Context, op *operation, attrs ...attribute.KeyValue) *call {
	c := &call{inst: i, op: op, began: time.Now()}
	c.ctx, c.span = i.tracer.Start(ctx, op.name, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(op.attrs...), trace.WithAttributes(attrs...))
	return c
}

// end ends the span, and notes how long the call took.
func (c *call) end(metadata *middleware.Metadata, failed []types.BatchResultErrorEntry, err error) {
	metrics := c.op.typed
	switch {
	case err != nil && c.ctx.Err() != nil && errors.Is(err, context.Canceled): // called off by the worker
	case err != nil:
		kind := errorType(err)
		c.span.SetAttributes(kind)
		c.span.SetStatus(codes.Error, err.Error())
		metrics = with(metrics, kind)
	case len(failed) > 0:
		kind := semconv.ErrorTypeKey.String(aws.ToString(failed[0].Code))
		c.span.SetAttributes(kind)
		c.span.SetStatus(codes.Error, fmt.Sprintf("%d entries failed", len(failed)))
		metrics = with(metrics, kind)
	}
	if id := requestID(metadata, err); id != "" {
		c.span.SetAttributes(semconv.AWSRequestID(id))
	}
	c.inst.callDuration.RecordSet(c.ctx, time.Since(c.began).Seconds(), metrics)
	c.span.End()
}

// requestID is AWS's name of a call; empty if it did not answer.
func requestID(metadata *middleware.Metadata, err error) string {
	if metadata != nil {
		id, _ := awsmiddleware.GetRequestIDMetadata(*metadata)
		return id
	}
	var answered interface{ ServiceRequestID() string }
	if errors.As(err, &answered) {
		return answered.ServiceRequestID()
	}
	return ""
}

// errorType is the code of the service, else the type of the error.
func errorType(err error) attribute.KeyValue {
	var e smithy.APIError
	if errors.As(err, &e) && e.ErrorCode() != "" {
		return semconv.ErrorTypeKey.String(e.ErrorCode())
	}
	if outcome := (*queueworker.OutcomeError)(nil); errors.As(err, &outcome) && outcome.Err != nil {
		err = outcome.Err
	}
	return semconv.ErrorType(err)
}
