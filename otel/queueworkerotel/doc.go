// Package queueworkerotel makes OpenTelemetry spans and metrics of what a queueworker.Worker does, by the semantic conventions for
// messaging systems.
//
//	telemetry, err := queueworkerotel.New(queueURL)
//	worker, err := queueworker.New(telemetry.API(client), queueURL, handler, telemetry.Configure)
//	registration, err := telemetry.Observe(worker.Stats) // gauges of it, until registration.Unregister
//
// It is a module of its own, so that the library does not depend on OpenTelemetry.
//
// # Spans
//
// A span of kind CONSUMER, "process QUEUE", is around each call of the handler: from when the message is handed over, not from
// when it was received. It links to the message's creation context: that of the span in which it was sent, which comes with the
// message as the attributes of the W3C, as [Instrumentation.Inject] adds them, or else as the X-Ray header AWSTraceHeader. It is the
// root of a trace of its own, unless Options.Parent says otherwise. Its attribute awsha.outcome is what became of the message, and
// awsha.attempt which try it was.
//
// Spans of kind CLIENT are around the calls that the worker makes:
//
//	receive QUEUE            of type receive, with a link to the creation context of each message
//	delete QUEUE             of type settle
//	release QUEUE            of type settle: messages that are given back at once
//	change_visibility QUEUE  without a type: leases are extended, or messages are put off, which the call does not tell apart
//	send QUEUE               of type send: to the dead-letter queue
//
// A handler that returns an error, or panics, makes its span one of an error, unless it only says what to do next and not why, such
// as RetryAfter without a reason. A call does if it fails, or one of its entries. A receive that a drain calls off has not failed.
//
// # Metrics
//
//	messaging.process.duration           histogram, seconds: each handler
//	messaging.client.operation.duration  histogram, seconds: each call, with the wait of receives
//	messaging.client.consumed.messages   counter: messages received
//	messaging.client.sent.messages       counter: messages sent to the dead-letter queue
//
// Their attributes are messaging.system, messaging.destination.name, messaging.operation.name and, but for process and the counters,
// messaging.operation.type, with server.address and server.port as the URL of the queue has them, and error.type of what failed: the
// code of the service, else the Go type of the error.
//
// [Instrumentation.Observe] adds the numbers of Worker.Stats, whose attributes are messaging.system and messaging.destination.name:
//
//	awsha.queueworker.outcomes           counter: what became of messages, by awsha.outcome
//	awsha.queueworker.leases.lost        counter
//	awsha.queueworker.calls.failed       counter
//	awsha.queueworker.slots              up-down counter: how many handlers may run at a time
//	awsha.queueworker.handlers.running   up-down counter
//	awsha.queueworker.messages.buffered  up-down counter: messages that are received and wait for a slot
//	awsha.queueworker.receives.running   up-down counter
//
// Besides those of a handler, outcomes are deleted-again, corrupt, duplicate and unstarted: see queueworker.Stats.
//
// All conventions for SQS have the status Development, and change. These are those of the version in semconv's name in this
// package's imports.
// Source: https://opentelemetry.io/docs/specs/semconv/messaging/sqs/ (read 2026-11).
//
// # Cost
//
// No calls to AWS. The attributes of the creation context count toward the ten that a message can have, and are more to transfer.
// An idle worker makes a receive span every 20 seconds.
package queueworkerotel
