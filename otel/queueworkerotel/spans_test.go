package queueworkerotel_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/otel/queueworkerotel"
	"github.com/awsha/awsha/queueworker"
	"github.com/awsha/awsha/queueworker/queueworkermock"
)

func TestProcessSpansLinkToWhereMessagesWereSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		i := w.telemetry()
		sent := w.send(i, "hello")
		var inHandler trace.SpanContext
		var id string
		spans := w.work(t.Context(), i, func(ctx context.Context, m *queueworker.Message) error {
			inHandler, id = trace.SpanContextFromContext(ctx), m.ID
			time.Sleep(100 * time.Millisecond)
			return nil
		})
		s := w.one(spans, "process work")
		if s.SpanKind != trace.SpanKindConsumer || s.Parent.IsValid() || s.SpanContext.TraceID() == sent.TraceID() {
			t.Errorf("kind %v, parent %v, trace %v; want a consumer, none, one of its own", s.SpanKind, s.Parent, s.SpanContext.TraceID())
		}
		if len(s.Links) != 1 || s.Links[0].SpanContext.SpanID() != sent.SpanID() || s.Links[0].SpanContext.TraceID() != sent.TraceID() {
			t.Errorf("links: %v", s.Links)
		}
		if !inHandler.Equal(s.SpanContext) {
			t.Errorf("the handler runs in %v", inHandler)
		}
		if took := s.EndTime.Sub(s.StartTime); took != 100*time.Millisecond {
			t.Errorf("lasted %v, the handler 100ms", took)
		}
		u, err := url.Parse(w.url)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"messaging.system": "aws_sqs", "messaging.operation.name": "process", "messaging.operation.type": "process",
			"messaging.destination.name": "work", "server.address": u.Hostname(), "server.port": int64(443), "aws.sqs.queue.url": w.url,
			"messaging.message.id": id, "awsha.attempt": int64(1), "awsha.outcome": "completed",
		}
		if diff := cmp.Diff(want, values(s.Attributes)); diff != "" {
			t.Errorf("attributes (-want +got):\n%s", diff)
		}
	})
}

func TestProcessSpansAreChildrenOnlyByOption(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		i := w.telemetry(func(o *queueworkerotel.Options) { o.Parent = true })
		sent := w.send(i, "hello")
		s := w.one(w.work(t.Context(), i, func(context.Context, *queueworker.Message) error { return nil }), "process work")
		if s.Parent.SpanID() != sent.SpanID() || s.SpanContext.TraceID() != sent.TraceID() || !s.Parent.IsRemote() {
			t.Errorf("parent %v, sent in %v", s.Parent, sent)
		}
		if len(s.Links) != 1 {
			t.Errorf("%d links", len(s.Links))
		}
	})
}

func TestTheSpanThatAWorkerRunsInIsNoParent(t *testing.T) {
	t.Parallel()
	for _, parent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			i := w.telemetry(func(o *queueworkerotel.Options) { o.Parent = parent })
			if _, err := w.client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: aws.String("without a context")}); err != nil {
				t.Fatal(err)
			}
			ctx, span := w.tracers.Tracer("main").Start(t.Context(), "main")
			defer span.End()
			spans := w.work(ctx, i, func(context.Context, *queueworker.Message) error { return nil })
			for _, name := range []string{"process work", "delete work"} {
				if s := w.one(spans, name); s.Parent.IsValid() || len(s.Links) > 0 {
					t.Errorf("%s: parent %v, links %v", name, s.Parent, s.Links)
				}
			}
		})
	}
}

func TestTheHeaderOfXRayIsACreationContextToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		i := w.telemetry()
		w.sendXRay("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
		spans := w.work(t.Context(), i, func(context.Context, *queueworker.Message) error { return nil })
		want := trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{0x57, 0x59, 0xe9, 0x88, 0xbd, 0x86, 0x2e, 0x3f, 0xe1, 0xbe, 0x46, 0xa9, 0x94, 0x27, 0x27, 0x93},
			SpanID:  trace.SpanID{0x53, 0x99, 0x5c, 0x3f, 0x42, 0xcd, 0x8a, 0xd8}, TraceFlags: trace.FlagsSampled, Remote: true,
		})
		for _, name := range []string{"process work", "receive work"} {
			s := spans[name][0]
			if len(s.Links) != 1 || !s.Links[0].SpanContext.Equal(want) {
				t.Errorf("%s: links %v", name, s.Links)
			}
		}
	})
}

func TestBaggageReachesTheHandlerIfThePropagatorKnowsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		i := w.telemetry(func(o *queueworkerotel.Options) {
			o.Propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
		})
		member, err := baggage.NewMember("tenant", "a")
		if err != nil {
			t.Fatal(err)
		}
		bag, err := baggage.New(member)
		if err != nil {
			t.Fatal(err)
		}
		attributes := i.Inject(baggage.ContextWithBaggage(t.Context(), bag), nil)
		if _, err := w.client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &w.url, MessageBody: aws.String("a"), MessageAttributes: attributes}); err != nil {
			t.Fatal(err)
		}
		var got string
		w.work(t.Context(), i, func(ctx context.Context, _ *queueworker.Message) error {
			got = baggage.FromContext(ctx).Member("tenant").Value()
			return nil
		})
		if got != "a" {
			t.Errorf("got %q", got)
		}
	})
}

func TestWhatHandlersReturnIsInTheSpan(t *testing.T) {
	t.Parallel()
	failed := errors.New("no stock")
	for name, test := range map[string]struct {
		handler queueworker.HandlerFunc
		outcome string
		failed  string // the error type; empty: no error
		says    string
	}{
		"an error": {func(context.Context, *queueworker.Message) error { return failed }, "retried", "*errors.errorString", "no stock"},
		"a reason that is wrapped": {func(context.Context, *queueworker.Message) error {
			return fmt.Errorf("ship: %w", queueworker.Drop(failed))
		}, "dropped", "*errors.errorString", "ship: no stock"},
		"an instruction":              {func(context.Context, *queueworker.Message) error { return queueworker.RetryAfter(time.Minute, nil) }, "retried", "", ""},
		"an instruction and a reason": {func(context.Context, *queueworker.Message) error { return queueworker.RetryAfter(time.Minute, failed) }, "retried", "*errors.errorString", "no stock"},
		"a panic":                     {func(context.Context, *queueworker.Message) error { panic("oh") }, "panic", "panic", "the handler panicked"},
		"an error of AWS":             {func(context.Context, *queueworker.Message) error { return &types.OverLimit{} }, "retried", "OverLimit", "OverLimit: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				i := w.telemetry()
				w.send(i, "hello")
				spans := w.work(t.Context(), i, test.handler, func(o *queueworker.Options) {
					o.Retry = func(*queueworker.Message, error) time.Duration { return time.Minute }
				})
				s := w.one(spans, "process work")
				status := tracetest.SpanStub{}.Status
				if test.failed != "" {
					status.Code, status.Description = codes.Error, test.says
				}
				if diff := cmp.Diff(status, s.Status); diff != "" {
					t.Errorf("status (-want +got):\n%s", diff)
				}
				attrs := values(s.Attributes)
				kind, _ := attrs["error.type"].(string)
				if attrs["awsha.outcome"] != test.outcome || kind != test.failed {
					t.Errorf("outcome %v, error type %v", attrs["awsha.outcome"], kind)
				}
				want := map[string][]point{"process": {{Count: 1, Error: test.failed}}}
				if diff := cmp.Diff(want, w.points("messaging.process.duration"), cmpopts.IgnoreFields(point{}, "Sum")); diff != "" {
					t.Errorf("points (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestCallsHaveSpansAndMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		i := w.telemetry()
		first, second := w.send(i, "1"), w.send(i, "2")
		spans := w.work(t.Context(), i, func(context.Context, *queueworker.Message) error {
			time.Sleep(10 * time.Millisecond)
			return nil
		})
		receive := spans["receive work"][0]
		var linked []trace.SpanID
		for _, l := range receive.Links {
			linked = append(linked, l.SpanContext.SpanID())
			if values(l.Attributes)["messaging.message.id"] == nil {
				t.Error("a link does not say which message it is of")
			}
		}
		if diff := cmp.Diff([]trace.SpanID{first.SpanID(), second.SpanID()}, linked); diff != "" {
			t.Errorf("links of the receive (-want +got):\n%s", diff)
		}
		for name, want := range map[string]map[string]any{
			"receive work": {"messaging.operation.name": "receive", "messaging.operation.type": "receive", "messaging.batch.message_count": int64(2)},
			"delete work":  {"messaging.operation.name": "delete", "messaging.operation.type": "settle", "messaging.batch.message_count": int64(2)},
		} {
			s := spans[name][0]
			got := values(s.Attributes)
			if s.SpanKind != trace.SpanKindClient || s.Status.Code != codes.Unset || got["aws.request_id"] == nil {
				t.Errorf("%s: kind %v, status %v, request %v", name, s.SpanKind, s.Status, got["aws.request_id"])
			}
			for key, value := range want {
				if got[key] != value {
					t.Errorf("%s: %s is %v, want %v", name, key, got[key], value)
				}
			}
		}
		// One receive with two messages, one that waited, and one delete.
		want := map[string][]point{"receive": {{Count: 2}}, "delete": {{Count: 1}}}
		if diff := cmp.Diff(want, w.points("messaging.client.operation.duration"), cmpopts.IgnoreFields(point{}, "Sum")); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string][]point{"receive": {{Count: 2}}}, w.points("messaging.client.consumed.messages")); diff != "" {
			t.Errorf("consumed (-want +got):\n%s", diff)
		}
	})
}

func TestAReceiveThatIsCalledOffHasNotFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		spans := w.work(t.Context(), w.telemetry(), func(context.Context, *queueworker.Message) error { return nil }, func(o *queueworker.Options) { o.CancelReceives = true })
		s := w.one(spans, "receive work")
		if took := s.EndTime.Sub(s.StartTime); took > 6*time.Second {
			t.Errorf("it was not called off: %v", took)
		}
		if s.Status.Code != codes.Unset || values(s.Attributes)["error.type"] != nil {
			t.Errorf("status %v, attributes %v", s.Status, values(s.Attributes))
		}
	})
}

func TestCallsThatFailSayWhy(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		operation string
		effect    awstest.Effect
		span      string
		want      string
	}{
		"throttled":               {"ReceiveMessage", awstest.Throttle(), "receive work", "RequestThrottled"},
		"an entry is not deleted": {"DeleteMessageBatch", sqssvc.FailEntries("InternalError", false, nil), "delete work", "InternalError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				if _, err := w.cloud.Inject(awstest.Match{Service: "SQS", Operation: test.operation, Times: 1}, test.effect); err != nil {
					t.Fatal(err)
				}
				i := w.telemetry()
				w.send(i, "hello")
				spans := w.work(t.Context(), i, func(context.Context, *queueworker.Message) error { return nil })
				if n := len(spans[test.span]); n < 2 {
					t.Fatalf("%d spans; want one that failed and another", n)
				}
				s := spans[test.span][0]
				got := values(s.Attributes)
				if s.Status.Code != codes.Error || got["error.type"] != test.want || got["aws.request_id"] == nil {
					t.Errorf("status %v, attributes %v", s.Status, got)
				}
				if again := spans[test.span][1]; again.Status.Code != codes.Unset {
					t.Errorf("the second: %v", again.Status)
				}
			})
		})
	}
}

func TestReleasesAreSettlementsAndExtensionsAreNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		i := w.telemetry()
		w.send(i, "slow")
		w.send(i, "not mine")
		spans := w.work(t.Context(), i, func(_ context.Context, m *queueworker.Message) error {
			if m.Body == "slow" {
				time.Sleep(3 * time.Second)
				return nil
			}
			if m.Attempt == 1 {
				return queueworker.Release(nil)
			}
			return nil
		}, func(o *queueworker.Options) { o.Visibility = 2 * time.Second })
		if got := values(w.one(spans, "release work").Attributes)["messaging.operation.type"]; got != "settle" {
			t.Errorf("a release is of type %v", got)
		}
		if len(spans["change_visibility work"]) == 0 {
			t.Fatal("no lease was extended")
		}
		if got, ok := values(spans["change_visibility work"][0].Attributes)["messaging.operation.type"]; ok {
			t.Errorf("an extension is of type %v", got)
		}
	})
}

func TestTheDeadLetterQueueIsAnotherDestination(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		dead := w.queue("dead", nil)
		w.url = w.queue("redriven", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":5}`})
		i := w.telemetry()
		sent := w.send(i, "hello")
		spans := w.work(t.Context(), i, func(context.Context, *queueworker.Message) error { return queueworker.DeadLetter(nil) })
		got := values(w.one(spans, "send dead").Attributes)
		if got["messaging.destination.name"] != "dead" || got["aws.sqs.queue.url"] != dead || got["messaging.operation.type"] != "send" {
			t.Errorf("got %v", got)
		}
		if diff := cmp.Diff(map[string][]point{"send": {{Count: 1}}}, w.points("messaging.client.sent.messages")); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		// The creation context went along.
		out, err := w.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &dead, MessageAttributeNames: []string{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := aws.ToString(out.Messages[0].MessageAttributes["traceparent"].StringValue), fmt.Sprintf("00-%s-%s-01", sent.TraceID(), sent.SpanID()); got != want {
			t.Errorf("traceparent %q, want %q", got, want)
		}
	})
}

func TestConfigureAddsToWhatIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.telemetry()
	for name, test := range map[string]struct{ have, want []string }{
		"nothing":         {nil, nil}, // which is all
		"none":            {[]string{}, []string{"traceparent", "tracestate"}},
		"another":         {[]string{"app.*"}, []string{"app.*", "traceparent", "tracestate"}},
		"one of them":     {[]string{"tracestate"}, []string{"tracestate", "traceparent"}},
		"all of them all": {[]string{"All"}, []string{"All"}},
	} {
		o := queueworker.Options{Attributes: test.have, Middleware: []queueworker.Middleware{nil}}
		i.Configure(&o)
		if diff := cmp.Diff(test.want, o.Attributes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if len(o.Middleware) != 2 || o.Middleware[0] == nil {
			t.Errorf("%s: the middleware is not the outermost", name)
		}
	}
}

func TestOddReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lost := errors.New("connection reset")
	api := w.telemetry().API(&queueworkermock.APIMock{
		ReceiveMessageFunc: func(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
			return nil, lost
		},
		DeleteMessageBatchFunc: func(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
			return nil, lost
		},
		ChangeMessageVisibilityBatchFunc: func(context.Context, *sqs.ChangeMessageVisibilityBatchInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
			return nil, lost
		},
		SendMessageBatchFunc: func(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
			return nil, lost
		},
	})
	_, receive := api.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{})
	_, remove := api.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{})
	_, change := api.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{})
	_, send := api.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{})
	for _, err := range []error{receive, remove, change, send} {
		if err != lost {
			t.Errorf("got %v", err)
		}
	}
	for _, s := range w.spans.GetSpans() {
		if got := values(s.Attributes); s.Status.Code != codes.Error || got["error.type"] != "*errors.errorString" || got["aws.request_id"] != nil {
			t.Errorf("%s: status %v, attributes %v", s.Name, s.Status, got)
		}
	}
}

func TestAURLThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "work", "https://sqs.us-east-1.amazonaws.com", "https://sqs.us-east-1.amazonaws.com/", ":"} {
		_, err := queueworkerotel.New(u)
		if field := (*queueworker.FieldError)(nil); !errors.As(err, &field) || field.Field != "queueURL" {
			t.Errorf("%q: got %v", u, err)
		}
	}
}
