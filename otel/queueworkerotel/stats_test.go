package queueworkerotel_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/awsha/awsha/queueworker"
)

// observed returns the sums whose names begin as Observe's do, by name and outcome.
func (w *world) observed() map[string]int64 {
	w.Helper()
	m := map[string]int64{}
	for name, data := range w.metrics() {
		sum, ok := data.(metricdata.Sum[int64])
		if len(name) < 6 || name[:6] != "awsha." || !ok {
			continue
		}
		for _, p := range sum.DataPoints {
			key := name[len("awsha.queueworker."):]
			if outcome, ok := p.Attributes.Value("awsha.outcome"); ok {
				key += " " + outcome.AsString()
			}
			if queue, _ := p.Attributes.Value("messaging.destination.name"); queue.AsString() != "work" {
				w.Errorf("%s is of %q", name, queue.AsString())
			}
			m[key] = p.Value
		}
	}
	return m
}

func TestTheNumbersOfAWorkerAreMetrics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		i := w.telemetry()
		for range 3 {
			w.send(i, "hello")
		}
		seen := 0
		hold := make(chan struct{})
		worker, err := queueworker.New(i.API(w.client), w.url, queueworker.HandlerFunc(func(context.Context, *queueworker.Message) error {
			switch seen++; seen {
			case 1:
				return nil
			case 2:
				return queueworker.RetryAfter(time.Hour, nil)
			}
			<-hold
			return nil
		}), i.Configure, func(o *queueworker.Options) { o.Concurrency, o.CancelReceives = 1, true })
		if err != nil {
			t.Fatal(err)
		}
		registration, err := i.Observe(worker.Stats)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- worker.Run(ctx) }()
		time.Sleep(10 * time.Second)
		want := map[string]int64{
			"slots": 1, "handlers.running": 1, "messages.buffered": 0, "receives.running": 1, "leases.lost": 0, "calls.failed": 0,
			"outcomes completed": 1, "outcomes retried": 1, "outcomes released": 0, "outcomes dropped": 0, "outcomes dead-lettered": 0,
			"outcomes deleted-again": 0, "outcomes corrupt": 0, "outcomes duplicate": 0, "outcomes unstarted": 0,
		}
		if diff := cmp.Diff(want, w.observed()); diff != "" {
			t.Errorf("while it runs (-want +got):\n%s", diff)
		}
		close(hold)
		stop()
		if err := <-result; err != nil {
			t.Error(err)
		}
		want["handlers.running"], want["receives.running"], want["outcomes completed"] = 0, 0, 2
		if diff := cmp.Diff(want, w.observed()); diff != "" {
			t.Errorf("after it (-want +got):\n%s", diff)
		}
		if err := registration.Unregister(); err != nil {
			t.Error(err)
		}
		if left := w.observed(); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestObserveRefusesNothing(t *testing.T) {
	t.Parallel()
	_, err := newWorld(t).telemetry().Observe(nil)
	if field := (*queueworker.FieldError)(nil); !errors.As(err, &field) || field.Field != "stats" {
		t.Error(err)
	}
}

// A handler that returns a nil pointer as an error has a span that ends.
func TestASpanEndsWhateverTheHandlerReturns(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"a nil pointer": (*oddError)(nil), "a nil *OutcomeError": (*queueworker.OutcomeError)(nil)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				i := w.telemetry()
				w.send(i, "hello")
				spans := w.work(t.Context(), i, func(_ context.Context, m *queueworker.Message) error {
					if m.Attempt == 1 {
						return err
					}
					return nil
				})
				if got := spans["process work"]; len(got) != 2 || values(got[0].Attributes)["error.type"] == nil || values(got[1].Attributes)["error.type"] != nil {
					t.Errorf("%d spans: %v", len(got), got)
				}
			})
		})
	}
}

type oddError struct{ text string }

func (e *oddError) Error() string { return e.text }
