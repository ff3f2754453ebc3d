package queueworker

import (
	"context"
	"crypto/fips140"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Limits of SQS.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html and
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html (read 2026-11).
const (
	maxBatch      = 10               // messages of a receive, entries of a batch
	maxHold       = 12 * time.Hour   // from the receive, extensions included
	maxVisibility = 12 * time.Hour   // of one call
	maxWait       = 20 * time.Second // of a long poll
)

const (
	defaultConcurrency  = 10
	defaultMaxPollers   = 80
	defaultVisibility   = 30 * time.Second
	minVisibility       = 2 * time.Second
	defaultDeleteDelay  = 100 * time.Millisecond
	defaultDrainTimeout = 25 * time.Second
	maxConcurrency      = 100_000
	maxPollers          = 1000
)

// Options are the options of a worker. The zero value of each field means its default.
type Options struct {
	// Concurrency is how many handlers run at a time. SetConcurrency changes it while the worker runs. Default 10.
	Concurrency int

	// MaxPollers is how many receives may be under way at a time. The worker uses one as long as the queue is empty, and as many as
	// keep the handlers busy. Default 80, which at a round trip of 20 ms is for 40,000 messages a second.
	MaxPollers int

	// WaitTime is how long a receive waits for the first message: whole seconds from 1 to 20. A drain may take that long: see
	// Worker.Run. Default 20 s.
	WaitTime time.Duration

	// Visibility is the lease: how long a message is hidden from others, counted from each receive and extension, in whole seconds
	// of at least 2. It need not be as long as the handlers take, because the worker extends it; it is how long what is left over
	// of a process that dies waits for another one. Default 30 s, whatever the queue says.
	Visibility time.Duration

	// MaxHold is for how long a message is held at most, from its receive on; then the context of its handler ends with ErrLeaseCap.
	// At most 12 hours less Visibility and a minute. Default that.
	MaxHold time.Duration

	// HandlerTimeout ends the context of a handler with ErrHandlerTimeout. Default: none but MaxHold.
	HandlerTimeout time.Duration

	// DrainTimeout is how long a drain waits for handlers. Then their contexts end with ErrDraining, and a tenth of DrainTimeout
	// later, but at least a second, Run returns, with those that still run in a DrainError. Default 25 s: less than the 30 s that
	// Amazon ECS and Kubernetes leave a process.
	// Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html (stopTimeout, read 2026-11).
	DrainTimeout time.Duration

	// CancelReceives makes a drain call receives off that wait for messages, instead of letting them come back, for which an idle
	// worker may need all of WaitTime. The price: a message that is sent in the rest of WaitTime may be leased to nobody, and come
	// late by Visibility.
	CancelReceives bool

	// DeleteDelay is how long a delete waits at most for others to share its call. Ten do not wait, nor does the last message in
	// hand, nor the last one of a message group. Messages whose delete waits are handled again if the process dies. Default 100 ms.
	DeleteDelay time.Duration

	// Retry says when to try a message again after an error that says nothing about it. Default: Backoff with its defaults.
	Retry RetryPolicy

	// DeadLetterURL is the queue for what handlers and decoders give up. Default: the dead-letter queue of the queue's redrive policy.
	DeadLetterURL string

	// Attributes names the message attributes to receive: names, prefixes such as "app.*", or "All". What is not received is not in what
	// goes to the dead-letter queue either. Default all; none, for an empty slice that is not nil, is less to transfer.
	Attributes []string

	// SkipDigests leaves the MD5 digests of bodies alone. TLS protects them on their way. They are left alone anyway under
	// GODEBUG=fips140=only, where there is no MD5. Those of attributes are checked by nobody, nor are they by the SDK.
	SkipDigests bool

	// Middleware is around the handler, the first outermost.
	Middleware []Middleware

	// Logger gets what goes wrong at Warn, and what an operator wants to know at Info. Nil is silent.
	Logger *slog.Logger

	// OnEvent is called with each event, from the goroutine that it happened on. It must return at once. A panic in it is recovered
	// and logged.
	OnEvent func(context.Context, Event)
}

// withDefaults returns o with its defaults, or all of its mistakes.
func (o Options) withDefaults(queueURL string) (Options, error) {
	orDefault(&o.Concurrency, defaultConcurrency)
	orDefault(&o.MaxPollers, defaultMaxPollers)
	orDefault(&o.WaitTime, maxWait)
	orDefault(&o.Visibility, defaultVisibility)
	orDefault(&o.MaxHold, maxHold-o.Visibility-time.Minute)
	orDefault(&o.DrainTimeout, defaultDrainTimeout)
	orDefault(&o.DeleteDelay, defaultDeleteDelay)

	var m mistakes
	m.require(validQueueURL(queueURL), "queueURL", queueURL, "must be the URL of a queue")
	m.require(1 <= o.Concurrency && o.Concurrency <= maxConcurrency, "Options.Concurrency", o.Concurrency, "must be from 1 to 100000")
	m.require(1 <= o.MaxPollers && o.MaxPollers <= maxPollers, "Options.MaxPollers", o.MaxPollers, "must be from 1 to 1000")
	m.require(wholeSeconds(o.WaitTime) && time.Second <= o.WaitTime && o.WaitTime <= maxWait, "Options.WaitTime", o.WaitTime, "must be whole seconds from 1s to 20s")
	m.require(wholeSeconds(o.Visibility) && minVisibility <= o.Visibility && o.Visibility <= maxVisibility/2, "Options.Visibility", o.Visibility, "must be whole seconds from 2s to 6h")
	m.require(o.Visibility <= o.MaxHold && o.MaxHold <= maxHold-o.Visibility-time.Minute, "Options.MaxHold", o.MaxHold, "must be at least Visibility, and at most 12h less Visibility and a minute")
	m.require(o.HandlerTimeout >= 0, "Options.HandlerTimeout", o.HandlerTimeout, "must not be negative")
	m.require(o.DrainTimeout > 0, "Options.DrainTimeout", o.DrainTimeout, "must be greater than zero")
	m.require(0 < o.DeleteDelay && o.DeleteDelay <= o.Visibility/4, "Options.DeleteDelay", o.DeleteDelay, "must be greater than zero and at most a quarter of Visibility")
	m.require(o.DeadLetterURL == "" || validQueueURL(o.DeadLetterURL), "Options.DeadLetterURL", o.DeadLetterURL, "must be the URL of a queue")
	m.require(o.DeadLetterURL == "" || o.DeadLetterURL != queueURL, "Options.DeadLetterURL", o.DeadLetterURL, "must be another queue")
	m.require(o.DeadLetterURL == "" || isFIFO(o.DeadLetterURL) == isFIFO(queueURL), "Options.DeadLetterURL", o.DeadLetterURL, "must be of the same kind as the queue: FIFO or standard")
	for i, name := range o.Attributes {
		m.require(name != "", fmt.Sprintf("Options.Attributes[%d]", i), nil, "must not be empty")
	}
	for i, middleware := range o.Middleware {
		m.require(middleware != nil, fmt.Sprintf("Options.Middleware[%d]", i), nil, "must not be nil")
	}
	o.SkipDigests = o.SkipDigests || fips140.Enforced()
	if o.Attributes == nil {
		o.Attributes = []string{"All"}
	}
	if o.Retry == nil {
		o.Retry = Backoff()
	}
	return o, m.err()
}

func wholeSeconds(d time.Duration) bool { return d%time.Second == 0 }

func validQueueURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && strings.Trim(u.Path, "/") != ""
}

// isFIFO goes by the name, as SQS does; a message group says nothing, since standard queues have them too.
// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fifo-queues.html (read 2026-11).
func isFIFO(queueURL string) bool { return strings.HasSuffix(queueURL, ".fifo") }
