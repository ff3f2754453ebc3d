package queueworker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/awsha/awsha/queueworker"
)

// benchmarkHandler handles one message at a time.
func benchmarkHandler(b *testing.B, h queueworker.Handler, m *queueworker.Message) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Handle(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
}

func nothing(context.Context, *queueworker.Message) error { return nil }

// BenchmarkJSON is a body of one text, which the decoder has to look at and to copy.
func BenchmarkJSON(b *testing.B) {
	type payload struct{ Text string }
	for _, size := range []int{100, 1 << 10, 1 << 18} {
		body, err := json.Marshal(payload{strings.Repeat("x", size)})
		if err != nil {
			b.Fatal(err)
		}
		for name, optFn := range map[string]func(*queueworker.JSONOptions){
			"default": func(*queueworker.JSONOptions) {},
			"strict":  func(o *queueworker.JSONOptions) { o.DisallowUnknownFields = true },
		} {
			b.Run(fmt.Sprintf("%s/%d bytes", name, size), func(b *testing.B) {
				h := queueworker.Typed(queueworker.JSON[payload](optFn), func(context.Context, *queueworker.Message, payload) error { return nil })
				benchmarkHandler(b, h, &queueworker.Message{Body: string(body)})
			})
		}
	}
}

func BenchmarkMux(b *testing.B) {
	mux, err := queueworker.NewMux(queueworker.ByAttribute("type"), []queueworker.Route{{Key: "a", Handler: queueworker.HandlerFunc(nothing)}})
	if err != nil {
		b.Fatal(err)
	}
	benchmarkHandler(b, mux, &queueworker.Message{Attributes: text("a")})
}

func BenchmarkLoadPointers(b *testing.B) {
	h := queueworker.Chain(queueworker.HandlerFunc(nothing), queueworker.LoadPointers(func(context.Context, queueworker.S3Pointer) (string, error) {
		return "loaded", nil
	}))
	b.Run("a small body", func(b *testing.B) { benchmarkHandler(b, h, &queueworker.Message{Body: "small"}) })
	b.Run("a pointer", func(b *testing.B) {
		benchmarkHandler(b, h, &queueworker.Message{Body: pointerBody, Attributes: sized("ExtendedPayloadSize")})
	})
}
