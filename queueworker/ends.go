package queueworker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// The calls that end leases are repeated, after pauses, for those entries only that have failed and as long as it is of use.
const (
	firstEndPause   = 200 * time.Millisecond
	longestEndPause = 5 * time.Second
	endTimeout      = 5 * time.Second // of one call
)

// sendAll makes calls until each lease of a batch has its verdict. Call makes one; settle takes in what it says of one lease, and
// reports whether that is over.
func (w *Worker) sendAll(
	batch []*lease, operation string, count *uint64,
	call func(context.Context, []*lease) (*answer, error), settleLocked func(*lease, verdict) bool,
) {
	for tries := 1; ; tries++ {
		if batch = w.unforsaken(batch); len(batch) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(w.calls, endTimeout)
		said, err := call(ctx, batch)
		cancel()
		verdicts := said.verdicts(len(batch), err)
		left := batch[:0]
		w.mu.Lock()
		*count++
		if err != nil {
			w.stats.FailedCalls++
		}
		for i, l := range batch {
			if !settleLocked(l, verdicts[i]) {
				left = append(left, l)
			}
		}
		w.toldLocked(operation, tries, said.trouble(verdicts, err))
		if w.settling < maxSettling(w.slots)/2 {
			w.feedLocked()
		}
		w.unlock()
		batch = left
		if len(batch) == 0 || !sleep(w.calls, pauseAfter(tries, firstEndPause, longestEndPause)) {
			return
		}
	}
}

// unforsaken returns those leases of a batch that are still to be ended: not returns of messages that have been received again.
func (w *Worker) unforsaken(batch []*lease) []*lease {
	w.mu.Lock()
	defer w.unlock()
	return slices.DeleteFunc(batch, func(l *lease) bool {
		forsaken := l.lost && l.end.kind == endReturn
		if forsaken {
			w.endedLocked(l)
		}
		return forsaken
	})
}

// toldLocked takes in how a call that ends leases went, which had so many tries. Of those that go on failing it tells ever fewer: in an
// outage there are hundreds.
func (w *Worker) toldLocked(operation string, tries int, err error) {
	if w.calls.Err() != nil { // called off
		return
	}
	if err == nil {
		delete(w.failing.ends, operation)
		return
	}
	err = w.queueError(operation, err)
	w.failing.ends[operation] = err
	if tries&(tries-1) == 0 {
		w.later = append(w.later, Event{Kind: CallFailed, Operation: operation, Err: err})
	}
}

// sendDeletes deletes messages.
func (w *Worker) sendDeletes(batch []*lease) {
	w.sendAll(batch, "DeleteMessageBatch", &w.stats.DeleteCalls, func(ctx context.Context, batch []*lease) (*answer, error) {
		entries := make([]types.DeleteMessageBatchRequestEntry, len(batch))
		for i, l := range batch {
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: entryID(i), ReceiptHandle: &l.handle}
		}
		out, err := w.api.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &w.queueURL, Entries: entries}, once)
		if err != nil {
			return &answer{}, err
		}
		a := &answer{failed: out.Failed}
		for i := range out.Successful {
			a.take(out.Successful[i].Id)
		}
		return a, nil
	}, w.deletedLocked)
}

// deletedLocked takes in what became of a delete. It is proven if the lease lasted when the answer came: nobody else can have received
// the message meanwhile. Whatever refuses a call, it is repeated as long as the lease lasts; an entry that is refused will have another
// handle when it comes back.
func (w *Worker) deletedLocked(l *lease, v verdict) bool {
	lasts := !l.lost && w.now() < l.until.Load()
	switch {
	case v == done && lasts:
		w.tracked.remove(l.message.ID)
		w.recent.add(l.message.ID)
	case (v == again || v == barred) && lasts:
		return false
	default: // should it come back, it is deleted then
		w.tracked.add(l.message.ID)
		if v == gone && !l.lost {
			w.stats.LeasesLost++
			w.later = append(w.later, Event{Kind: LeaseLost, Message: l.message, Err: ErrLeaseLost})
		}
	}
	w.endedLocked(l)
	return true
}

// sendReturns gives messages back, or has them come back after a delay.
func (w *Worker) sendReturns(batch []*lease) {
	w.sendAll(batch, changeVisibility, &w.stats.RetryCalls, func(ctx context.Context, batch []*lease) (*answer, error) {
		entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(batch))
		for i, l := range batch {
			entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{Id: entryID(i), ReceiptHandle: &l.handle, VisibilityTimeout: w.clamp(l)}
		}
		out, err := w.api.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &w.queueURL, Entries: entries}, once)
		return visibilityAnswer(out), err
	}, w.returnedLocked)
}

// clamp returns the delay of a return within what is left of the twelve hours: SQS refuses a longer one. One that is not zero stays so.
func (w *Worker) clamp(l *lease) int32 {
	held := time.Duration(w.now()-l.cap) + w.opts.MaxHold
	return min(l.end.delay, max(seconds(maxHold-time.Minute-held), 1))
}

// returnedLocked takes in what became of a return. Whatever it was, the message is visible when its lease ends.
func (w *Worker) returnedLocked(l *lease, v verdict) bool {
	if (v == again || v == barred) && !l.lost && w.now() < l.until.Load() {
		return false
	}
	w.endedLocked(l)
	return true
}

// trouble is why a call or, if that has none, an entry of it failed; nil if none did.
func (a *answer) trouble(verdicts []verdict, err error) error {
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		if v == done || v == gone {
			continue
		}
		for k := range a.failed {
			if at, ok := position(a.failed[k].Id); ok && at == i {
				return entryError{&a.failed[k]}
			}
		}
		return errNoAnswer
	}
	return nil
}

var errNoAnswer = errors.New("the answer does not mention an entry")

// entryError is the failure of one entry of a batch.
type entryError struct{ *types.BatchResultErrorEntry }

func (e entryError) Error() string {
	text := "an entry was refused"
	if e.Code != nil {
		text += ": " + *e.Code
	}
	if e.Message != nil {
		text += ": " + *e.Message
	}
	return text
}
