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
	row     int   // of failures, since a receive has succeeded
	err     error // of the latest, once they are down
	probing bool  // one goes on asking, and no other receive is to be made
	ever    bool  // one has succeeded
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
	f, probing := &w.failing, false
	for tries := 1; ; tries++ {
		err = w.queueError("ReceiveMessage", err)
		w.mu.Lock()
		w.stats.FailedCalls++
		f.row++
		useless := w.draining || f.probing && !probing
		if !useless && f.row >= manyInARow {
			probing, f.probing, f.err = true, true, err
		}
		if !f.ever && (errors.Is(err, ErrQueueNotFound) || errors.Is(err, ErrAccessDenied)) {
			useless = true
			select {
			case w.fatal <- err:
			default: // another one has said so
			}
		}
		w.unlock()
		pause := pauseAfter(1, singlePause, singlePause)
		if probing {
			pause = pauseAfter(tries, firstPause, longestPause)
		}
		w.tell(w.calls, Event{Kind: CallFailed, Operation: "ReceiveMessage", Err: err})
		if useless || !sleep(w.alive, pause) {
			break
		}
		out, callErr := w.callReceive(in)
		if err = callErr; err == nil {
			w.mu.Lock()
			f.probing = f.probing && !probing
			w.unlock()
			return out, true
		}
	}
	w.mu.Lock()
	defer w.unlock()
	f.probing = f.probing && !probing
	w.demand.fail(n)
	w.settledLocked()
	return nil, false
}

// succeeded takes in that a receive has succeeded, and reports whether that is news.
func (f *failing) succeeded() (news bool) {
	news = f.err != nil
	f.row, f.err, f.ever = 0, nil, true
	return news
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
