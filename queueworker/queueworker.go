package queueworker

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

// Worker handles the messages of one queue. Make one with New. Its methods are safe for concurrent use.
type Worker struct {
	api      API
	queueURL string
	handler  Handler
	opts     Options
	fifo     bool
	epoch    time.Time

	deletes *batcher // of leases to end
	returns *batcher
	letters *batcher
	beat    chan struct{} // wakes the heartbeats
	fatal   chan error    // ends Run

	alive    context.Context    // of Run: ends when the drain begins
	receives context.Context    // of receives
	stop     context.CancelFunc // of calls
	calls    context.Context    // of the other calls; ends when Run gives up
	lasting  context.Context    // has the values of Run's, and does not end: what those of handlers are made of
	beating  sync.WaitGroup     // the heartbeats

	mu          sync.Mutex
	ran         bool
	draining    bool
	maxAttempts int
	letterbox   letterbox
	tracked     memory // of messages that were handled, and whose delete is not proven
	recent      memory // of those that were deleted: a copy may have survived on a server that was out of reach
	slots       int
	held        map[string]*lease // by message ID: those that have not ended
	heartbeats  heartbeats
	buffer      queue // ready, and waiting for a slot
	groups      map[string]*group
	runners     crew[*lease] // run handlers
	callers     crew[func()] // make calls to SQS
	running     int
	blocked     int // followers in groups
	settling    int // leases whose end is under way
	demand      demand
	paused      pause
	failing     failing
	stats       Stats
	mean        average // of handlers, in ns
	rate        rate
	later       []Event       // to be told by unlock
	settled     chan struct{} // closed when nothing is held any more, while draining
	over        bool          // Run has returned, or is about to
}

// New returns a worker for a queue. It makes no call and starts nothing: see Run. Every mistake is a *FieldError of the error that
// it returns.
func New(api API, queueURL string, handler Handler, optFns ...func(*Options)) (*Worker, error) {
	var o Options
	for _, fn := range optFns {
		fn(&o)
	}
	o, err := o.withDefaults(queueURL)
	var m mistakes
	m.require(api != nil, "api", nil, "must not be nil")
	m.require(handler != nil, "handler", nil, "must not be nil")
	if err := errors.Join(m.err(), err); err != nil {
		return nil, err
	}
	w := &Worker{
		api: api, queueURL: queueURL, handler: Chain(handler, o.Middleware...), opts: o, fifo: isFIFO(queueURL), epoch: time.Now(),
		beat: make(chan struct{}, 1), fatal: make(chan error, 1), slots: o.Concurrency, held: make(map[string]*lease), groups: make(map[string]*group),
		demand: newDemand(), failing: failing{ends: make(map[string]error)}, tracked: newMemory(), recent: newMemory(), letterbox: letterbox{url: o.DeadLetterURL},
	}
	w.runners = crew[*lease]{do: w.handleFrom, spare: 32}
	w.callers = crew[func()]{do: func(call func()) { call() }, spare: 40}
	w.deletes = newBatcher(w, w.opts.DeleteDelay, w.sendDeletes)
	w.returns = newBatcher(w, w.opts.DeleteDelay, w.sendReturns)
	w.letters = newBatcher(w, w.opts.DeleteDelay, w.sendLetters)
	return w, nil
}

// now is the time of leases.
func (w *Worker) now() int64 { return int64(time.Since(w.epoch)) }

// Run handles messages until ctx ends, and then drains: receives that are under way come back, what has not been started is given
// back, and handlers end in their own time, up to Options.DrainTimeout, their leases kept. It returns nil when everything that was
// received is deleted or given back, and else a *DrainError. Nothing of the worker is left then, but handlers that do not return.
//
// A receive that waits for messages cannot be called off without a risk: SQS does not notice that its caller has gone, and until the
// end of WaitTime leases what comes to nobody, for all of Visibility (aws/aws-sdk-go-v2#2068). So the drain of an idle worker takes
// as long as its last receive. Options.CancelReceives chooses otherwise.
//
// It reads the queue's attributes first, and returns a *QueueError with ErrQueueNotFound or ErrAccessDenied if there is no queue, or
// it may not be used. Later, and for any other error, it goes on trying, with pauses that grow to 30 s. A second call returns
// ErrAlreadyRun.
func (w *Worker) Run(ctx context.Context) error {
	w.mu.Lock()
	if w.ran {
		w.unlock()
		return ErrAlreadyRun
	}
	w.ran = true
	w.unlock()
	if err := w.lookAtQueue(ctx); err != nil {
		return err
	}

	lasting := context.WithoutCancel(ctx)
	calls, stop := context.WithCancel(lasting)
	defer stop()
	w.mu.Lock()
	w.stop = stop
	w.alive, w.receives, w.calls, w.lasting = ctx, calls, calls, lasting
	if w.opts.CancelReceives {
		w.receives = ctx
	}
	w.beating.Go(func() { w.keepAlive(calls) })
	w.feedLocked()
	w.unlock()

	var err error
	select {
	case <-ctx.Done():
	case err = <-w.fatal:
	}
	return errors.Join(err, w.drain())
}

// SetConcurrency changes how many handlers run at a time. Fewer than run now takes effect as they end. What is out of range is a
// *FieldError, and changes nothing.
func (w *Worker) SetConcurrency(n int) error {
	if n < 1 || n > maxConcurrency {
		return &FieldError{Field: "n", Value: n, Rule: "must be from 1 to 100000"}
	}
	w.mu.Lock()
	defer w.unlock()
	w.slots = n
	w.startLocked()
	w.feedLocked()
	return nil
}

// Stats returns the numbers of now.
func (w *Worker) Stats() Stats {
	w.mu.Lock()
	defer w.unlock()
	s := w.stats
	s.Running, s.Buffered, s.Pollers, s.Slots = w.running, w.buffer.len(), w.demand.underWay, w.slots
	s.MeanHandler = time.Duration(w.mean.value)
	s.Rate = w.rate.at(w.now())
	return s
}

// Healthy returns nil if the worker runs, its receives succeed and what is handled can be deleted, and else why not. It is for a
// liveness or readiness check: a worker that only cannot reach SQS recovers by itself.
func (w *Worker) Healthy() error {
	w.mu.Lock()
	defer w.unlock()
	switch {
	case !w.ran || w.draining:
		return ErrNotRunning
	case w.failing.err != nil:
		return w.failing.err
	case w.calls == nil:
		return ErrNotRunning
	case w.settling > maxSettling(w.slots): // nothing is received
		return w.failing.latest()
	}
	return nil
}

// average is a moving average of about the last hundred values, of fewer at first.
type average struct {
	value float64
	n     int
}

func (a *average) add(v float64) {
	a.n = min(a.n+1, 100)
	a.value += (v - a.value) / float64(a.n)
}

// rate is a moving average of events a second, over some ten seconds.
type rate struct {
	count float64
	then  int64
}

const rateWindow = float64(10 * time.Second)

func (r *rate) add(now int64) {
	r.decay(now)
	r.count++
}

func (r *rate) decay(now int64) {
	if now > r.then {
		r.count *= math.Exp(-float64(now-r.then) / rateWindow)
		r.then = now
	}
}

func (r *rate) at(now int64) float64 {
	r.decay(now)
	return r.count / rateWindow * float64(time.Second)
}
