package queueworkerotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/awsha/awsha/queueworker"
)

// counters are the numbers of Stats that only grow.
var counters = []struct {
	name, unit, description string
	values                  func(*queueworker.Stats) map[string]uint64 // by outcome; empty: there is none
}{
	{"awsha.queueworker.outcomes", "{outcome}", "What became of messages.", func(s *queueworker.Stats) map[string]uint64 {
		return map[string]uint64{
			queueworker.Completed.String(): s.Completed, queueworker.Retried.String(): s.Retried, queueworker.Released.String(): s.Released,
			queueworker.Dropped.String(): s.Dropped, queueworker.DeadLettered.String(): s.DeadLettered,
			"deleted-again": s.DeletedAgain, "corrupt": s.Corrupt, "duplicate": s.Duplicates, "unstarted": s.Unstarted,
		}
	}},
	{"awsha.queueworker.leases.lost", "{lease}", "Leases that ended too soon.", func(s *queueworker.Stats) map[string]uint64 {
		return map[string]uint64{"": s.LeasesLost}
	}},
	{"awsha.queueworker.calls.failed", "{call}", "Calls that failed as a whole.", func(s *queueworker.Stats) map[string]uint64 {
		return map[string]uint64{"": s.FailedCalls}
	}},
}

// levels are the numbers of Stats that are of now.
var levels = []struct {
	name, unit, description string
	value                   func(*queueworker.Stats) int
}{
	{"awsha.queueworker.slots", "{handler}", "Handlers that may run at a time.", func(s *queueworker.Stats) int { return s.Slots }},
	{"awsha.queueworker.handlers.running", "{handler}", "Handlers that run.", func(s *queueworker.Stats) int { return s.Running }},
	{"awsha.queueworker.messages.buffered", "{message}", "Messages whose handler has not started.", func(s *queueworker.Stats) int { return s.Buffered }},
	{"awsha.queueworker.receives.running", "{call}", "Receives that are under way.", func(s *queueworker.Stats) int { return s.Pollers }},
}

// Observe makes metrics of the numbers of a worker; stats is its Worker.Stats. They are read each time that metrics are collected, until
// Unregister of what it returns is called, which may be after Worker.Run. It makes no calls. Errors are those of the MeterProvider, or
// a *queueworker.FieldError if stats is nil.
func (i *Instrumentation) Observe(stats func() queueworker.Stats) (metric.Registration, error) {
	if stats == nil {
		return nil, &queueworker.FieldError{Field: "stats", Rule: "must not be nil"}
	}
	var errs []error
	var all []metric.Observable
	counts := make([]metric.Int64ObservableCounter, len(counters))
	for n, c := range counters {
		instrument, err := i.meter.Int64ObservableCounter(c.name, metric.WithUnit(c.unit), metric.WithDescription(c.description))
		counts[n], all, errs = instrument, append(all, instrument), append(errs, err)
	}
	now := make([]metric.Int64ObservableUpDownCounter, len(levels))
	for n, l := range levels {
		instrument, err := i.meter.Int64ObservableUpDownCounter(l.name, metric.WithUnit(l.unit), metric.WithDescription(l.description))
		now[n], all, errs = instrument, append(all, instrument), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	queue := attribute.NewSet(semconv.MessagingSystemAWSSQS, semconv.MessagingDestinationName(i.queue))
	return i.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := stats()
		for n, c := range counters {
			for outcome, value := range c.values(&s) {
				attrs := queue
				if outcome != "" {
					attrs = with(queue, attribute.String("awsha.outcome", outcome))
				}
				o.ObserveInt64(counts[n], int64(value), metric.WithAttributeSet(attrs))
			}
		}
		for n, l := range levels {
			o.ObserveInt64(now[n], int64(l.value(&s)), metric.WithAttributeSet(queue))
		}
		return nil
	}, all...)
}
