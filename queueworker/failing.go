package queueworker

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/awsha/awsha/internal/awserr"
)

// failing is how receives go. While they fail, one goes on asking, and pauses longer each time. Guarded by Worker.mu.
type failing struct {
	err     error // of the latest; nil: they succeed
	probing bool  // one goes on asking, and no other receive is to be made
	ever    bool  // one has succeeded
}

const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
)

// pauseAfter is how long to wait after so many tries that failed: at random from half of the full pause to all of it.
func pauseAfter(tries int, first, longest time.Duration) time.Duration {
	full := min(first<<min(tries-1, 20), longest)
	return full/2 + rand.N(full/2+1)
}

// insist repeats a receive that has failed until it succeeds, unless another one does so already or it is of no use.
func (w *Worker) insist(n int, in *sqs.ReceiveMessageInput, err error) (*sqs.ReceiveMessageOutput, bool) {
	w.mu.Lock()
	f := &w.failing
	w.stats.FailedCalls++
	if f.probing || w.draining {
		w.demand.fail(n)
		w.settledLocked()
		w.unlock()
		return nil, false
	}
	f.probing = true
	ever := f.ever
	w.unlock()

	var out *sqs.ReceiveMessageOutput
	for tries := 1; err != nil; tries++ {
		err = w.queueError("ReceiveMessage", err)
		if !ever && (errors.Is(err, ErrQueueNotFound) || errors.Is(err, ErrAccessDenied)) {
			w.fatal <- err // has room: there is one prober, and it ends here
			break
		}
		w.mu.Lock()
		f.err = err
		w.unlock()
		w.tell(w.calls, Event{Kind: CallFailed, Operation: "ReceiveMessage", Err: err})
		if !sleep(w.alive, pauseAfter(tries, firstPause, longestPause)) {
			break
		}
		if out, err = w.callReceive(in); err != nil {
			w.mu.Lock()
			w.stats.FailedCalls++
			w.unlock()
		}
	}

	w.mu.Lock()
	defer w.unlock()
	f.probing = false
	if err != nil {
		w.demand.fail(n)
		w.settledLocked()
		return nil, false
	}
	return out, true
}

// succeeded takes in that a receive has succeeded, and reports whether that is news.
func (f *failing) succeeded() (news bool) {
	news = f.err != nil
	f.err, f.ever = nil, true
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
