package queueworkerotel_test

import (
	"context"
	"fmt"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/awsha/awsha/otel/queueworkerotel"
	"github.com/awsha/awsha/queueworker"
)

// linkOf returns the link of the process span of a message with an X-Ray header, as "trace-span-flags"; empty is none.
func linkOf(t *testing.T, header string) string {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	i, err := queueworkerotel.New("https://sqs.us-east-1.amazonaws.com/123456789012/work", func(o *queueworkerotel.Options) {
		o.TracerProvider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := i.Middleware(queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error { return nil }))
	if err := handler.Handle(t.Context(), &queueworker.Message{TraceHeader: header}); err != nil {
		t.Fatal(err)
	}
	links := spans.GetSpans()[0].Links
	if len(links) == 0 {
		return ""
	}
	sc := links[0].SpanContext
	if !sc.IsValid() || !sc.IsRemote() {
		t.Errorf("%q: %v", header, sc)
	}
	return fmt.Sprintf("%v-%v-%v", sc.TraceID(), sc.SpanID(), sc.TraceFlags())
}

func TestXRayHeaders(t *testing.T) {
	t.Parallel()
	const link = "5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-"
	for header, want := range map[string]string{
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1":                      link + "01",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0":                      link + "00",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8":                                link + "00",
		"Self=x; Parent=53995c3f42cd8ad8; Root=1-5759e988-bd862e3fe1be46a994272793; Sampled=?; Lineage=a": link + "00",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1":                                              "", // no parent
		"Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8":                                "",
		"Root=1-5759e988bd-862e3fe1be46a994272793;Parent=53995c3f42cd8ad8":                                "",
		"Root=1-5759e98g-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8":                                "",
		"Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8":                                "",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000":                                "",
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f":                                        "",
		"Root": "",
		"":     "",
	} {
		if got := linkOf(t, header); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
}

func FuzzXRayHeader(f *testing.F) {
	f.Add("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	f.Add("Root=1--;Parent=;Sampled")
	f.Fuzz(func(t *testing.T, header string) { linkOf(t, header) }) // it looks at each link
}
