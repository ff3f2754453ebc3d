package queueworker

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/internal/awserr"
)

// failing is how receives go. One that fails among others that succeed is repeated soon. Once they fail in a row, one goes on asking,
// with pauses that grow. Guarded by Worker.mu.
type failing struct {
	row    int                      // of failures, since a receive has succeeded
	err    error                    // of the latest, once they are down
	prober *sqs.ReceiveMessageInput // of the one that goes on asking; no other receive is to be made
	ever   bool                     // one has succeeded
	ends   map[string]error         // of calls that were to end leases: of the latest of each operation, if that failed
}

const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second

	singlePause = 100 * time.Millisecond // after a failure that may be the only one
	manyInARow  = 3                      // failures that are not
)

// pauseAfter is how long to wait after so many tries that failed: at random from half of the full pause to all of it.
func pauseAfter(tries int, first, longest time.Duration) time.Duration {
	full := min(first<<min(tries-1, 20), longest)
	return full/2 + rand.N(full/2+1)
}

// insist repeats a receive that has failed until it succeeds, unless another one does so already or it is of no use.
func (w *Worker) insist(n int, in *sqs.ReceiveMessageInput, err error) (*sqs.ReceiveMessageOutput, bool) {
	f := &w.failing
	for tries := 1; ; tries++ {
		if w.receives.Err() != nil { // called off, which is no failure
			w.forgo(n, in)
			return nil, false
		}
		err = w.queueError("ReceiveMessage", err)
		w.mu.Lock()
		w.stats.FailedCalls++
		f.row++
		useless := w.draining || w.paused.on || f.prober != nil && f.prober != in
		if !useless && f.row >= manyInARow {
			f.prober, f.err = in, err
		}
		if !f.ever && (errors.Is(err, ErrQueueNotFound) || errors.Is(err, ErrAccessDenied)) {
			useless = true
			select {
			case w.fatal <- err:
			default: // another one has said so
			}
		}
		pause := pauseAfter(1, singlePause, singlePause)
		if f.prober == in {
			pause = pauseAfter(tries, firstPause, longestPause)
		}
		w.later = append(w.later, Event{Kind: CallFailed, Operation: "ReceiveMessage", Err: err})
		w.unlock()
		if useless || !sleep(w.alive, pause) {
			w.forgo(n, in)
			return nil, false
		}
		var out *sqs.ReceiveMessageOutput
		if out, err = w.callReceive(in); err == nil {
			return out, true
		}
	}
}

// forgo takes in that a receive for n is not repeated.
func (w *Worker) forgo(n int, in *sqs.ReceiveMessageInput) {
	w.mu.Lock()
	defer w.unlock()
	if w.failing.prober == in {
		w.failing.prober = nil
	}
	w.demand.fail(n)
	w.settledLocked()
}

// succeeded takes in that a receive has succeeded, and reports whether that is news.
func (f *failing) succeeded() (news bool) {
	news = f.err != nil
	f.row, f.err, f.prober, f.ever = 0, nil, nil, true
	return news
}

// latest returns an error that calls meet now; nil if all succeed.
func (f *failing) latest() error {
	if f.err != nil {
		return f.err
	}
	for _, err := range f.ends {
		return err
	}
	return nil
}

// queueError says which queue and operation an error was about.
func (w *Worker) queueError(operation string, err error) error {
	e := &QueueError{Operation: operation, QueueURL: w.queueURL, Err: err}
	switch {
	case awserr.Missing(err) == awserr.Queue:
		e.Condition = ErrQueueNotFound
	case awserr.Of(err) == awserr.Denied:
		e.Condition = ErrAccessDenied
	}
	return e
}

// sleep reports whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
