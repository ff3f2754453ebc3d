package queueworker

import (
	"context"
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
	call func(context.Context, []*lease) ([]types.BatchResultErrorEntry, error), settleLocked func(*lease, verdict) bool,
) {
	for tries := 1; len(batch) > 0; tries++ {
		ctx, cancel := context.WithTimeout(w.calls, endTimeout)
		failed, err := call(ctx, batch)
		cancel()
		verdicts := verdictsOf(len(batch), failed, err)
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
		if len(left) > 0 && w.calls.Err() == nil {
			w.later = append(w.later, Event{Kind: CallFailed, Operation: operation, Err: w.batchError(operation, failed, err)})
		}
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

// sendDeletes deletes messages.
func (w *Worker) sendDeletes(batch []*lease) {
	w.sendAll(batch, "DeleteMessageBatch", &w.stats.DeleteCalls, func(ctx context.Context, batch []*lease) ([]types.BatchResultErrorEntry, error) {
		entries := make([]types.DeleteMessageBatchRequestEntry, len(batch))
		for i, l := range batch {
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: entryID(i), ReceiptHandle: &l.handle}
		}
		out, err := w.api.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &w.queueURL, Entries: entries}, once)
		if err != nil {
			return nil, err
		}
		return out.Failed, nil
	}, w.deletedLocked)
}

// deletedLocked takes in what became of a delete. It is proven if the lease lasted when the answer came: nobody else can have received
// the message meanwhile.
func (w *Worker) deletedLocked(l *lease, v verdict) bool {
	lasts := w.now() < l.until.Load()
	switch {
	case v == done && lasts && !l.lost:
		w.tracked.remove(l.message.ID)
		w.recent.add(l.message.ID)
	case v == again && lasts && !l.lost:
		return false
	default: // should it come back, it is deleted then
		w.tracked.add(l.message.ID)
	}
	w.endedLocked(l)
	return true
}

// sendReturns gives messages back, or has them come back after a delay.
func (w *Worker) sendReturns(batch []*lease) {
	w.sendAll(batch, "ChangeMessageVisibilityBatch", &w.stats.RetryCalls, func(ctx context.Context, batch []*lease) ([]types.BatchResultErrorEntry, error) {
		entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(batch))
		for i, l := range batch {
			entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{Id: entryID(i), ReceiptHandle: &l.handle, VisibilityTimeout: w.clamp(l)}
		}
		out, err := w.api.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &w.queueURL, Entries: entries}, once)
		if err != nil {
			return nil, err
		}
		return out.Failed, nil
	}, w.returnedLocked)
}

// clamp returns the delay of a return within what is left of the twelve hours: SQS refuses a longer one.
func (w *Worker) clamp(l *lease) int32 {
	left := maxHold - time.Minute - time.Since(l.message.ReceivedAt)
	return max(min(l.end.delay, seconds(left)), 0)
}

// returnedLocked takes in what became of a return. Whatever it was, the message is visible when its lease ends.
func (w *Worker) returnedLocked(l *lease, v verdict) bool {
	if v == again && w.now() < l.until.Load() {
		return false
	}
	w.endedLocked(l)
	return true
}

// batchError is why entries of a call have failed.
func (w *Worker) batchError(operation string, failed []types.BatchResultErrorEntry, err error) error {
	if err == nil && len(failed) > 0 {
		err = entryError{&failed[0]}
	}
	return w.queueError(operation, err)
}

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
