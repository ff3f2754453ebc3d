package queueworker

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A lease is extended when six tenths of it are over. That leaves four tenths for what may go wrong, and asks for no more calls than
// extending at half does, times five sixths.
const beatNumerator, beatDenominator = 6, 10

// maxExtending is how many calls that extend leases may be under way at a time.
const maxExtending = 16

// nextBeat is when a lease that has lasted since then is due for an extension.
func (w *Worker) nextBeat(since int64) int64 {
	return since + int64(w.opts.Visibility)*beatNumerator/beatDenominator
}

// margin is how long before its end a lease that cannot be extended counts as lost, so that its handler can stop in time.
func (w *Worker) margin() int64 { return int64(min(w.opts.Visibility/10, 2*time.Second)) }

// keepAlive extends leases until ctx ends. It is one goroutine for all of them, and one for each call that is under way.
func (w *Worker) keepAlive(ctx context.Context) {
	timer := time.NewTimer(w.opts.Visibility)
	defer timer.Stop()
	room := make(chan struct{}, maxExtending)
	for ctx.Err() == nil {
		w.mu.Lock()
		batch, wait := w.dueLocked(w.now())
		w.unlock()
		if len(batch) > 0 {
			select {
			case room <- struct{}{}:
			case <-ctx.Done():
				return
			}
			w.mu.Lock()
			w.callers.giveLocked(&w.mu, func() {
				w.extend(batch)
				<-room
			})
			w.mu.Unlock()
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-w.beat:
		case <-ctx.Done():
		}
	}
}

// wakeHeart makes keepAlive look again: something may be due sooner than it knew.
func (w *Worker) wakeHeart() {
	select {
	case w.beat <- struct{}{}:
	default:
	}
}

// dueLocked takes up to ten leases that are due, and fills up with those that will be soon; or, if none is due, returns when the next
// one is.
func (w *Worker) dueLocked(now int64) (batch []extension, wait time.Duration) {
	soon := now + int64(w.opts.Visibility)/4
	for l := w.heartbeats.first; l != nil && len(batch) < maxBatch; l = w.heartbeats.first {
		if l.due > now && (len(batch) == 0 || l.due > soon) {
			break
		}
		w.heartbeats.remove(l)
		switch {
		case l.until.Load() <= now:
			w.loseLocked(l)
		case l.capped || now >= l.cap:
			w.capLocked(l)
		default:
			l.extending = true
			batch = append(batch, extension{l, l.handle})
		}
	}
	if len(batch) > 0 || w.heartbeats.first == nil {
		return batch, w.opts.Visibility
	}
	return nil, time.Duration(w.heartbeats.first.due - now)
}

// capLocked tells the handler of a message that has been held for as long as it may be. What is left of the lease is for it to end in.
func (w *Worker) capLocked(l *lease) {
	l.capped = true
	if l.cancel != nil {
		l.cancel(ErrLeaseCap)
	}
	l.due = l.until.Load()
	w.heartbeats.add(l)
}

// extension is a lease under the handle that it has in a call.
type extension struct {
	*lease

	under string
}

// extend extends leases in one call.
func (w *Worker) extend(batch []extension) {
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(batch))
	for i := range batch {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id: entryID(i), ReceiptHandle: &batch[i].under, VisibilityTimeout: seconds(w.opts.Visibility),
		}
	}
	began := w.now()
	ctx, cancel := context.WithTimeout(w.calls, w.opts.Visibility/10+200*time.Millisecond)
	out, err := w.api.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &w.queueURL, Entries: entries}, once)
	cancel()
	var failed []types.BatchResultErrorEntry
	if out != nil {
		failed = out.Failed
	}
	verdicts := verdictsOf(len(batch), failed, err)

	w.mu.Lock()
	defer w.unlock()
	w.stats.ExtendCalls++
	if err != nil {
		w.stats.FailedCalls++
	}
	now := w.now()
	for i, l := range batch {
		w.extendedLocked(l, verdicts[i], began, now)
	}
	w.wakeHeart()
}

// extendedLocked takes in what a call that began then has done to a lease. Only after a success does a lease last longer.
func (w *Worker) extendedLocked(x extension, v verdict, began, now int64) {
	l := x.lease
	l.extending = false
	switch {
	case l.stage == ended:
		return
	case l.stage == ending && l.end.kind == endReturn: // which has waited for this
		w.returns.addLocked(l)
		return
	case x.under != l.handle: // received again meanwhile
		l.due = min(l.due, now)
	case v == done:
		l.until.Store(began + int64(w.opts.Visibility))
		l.failures, l.due = 0, w.nextBeat(began)
	case v == gone:
		w.loseLocked(l)
		return
	default:
		l.failures++
		last := l.until.Load() - w.margin()
		if now >= last {
			w.loseLocked(l)
			return
		}
		l.due = min(now+int64(250*time.Millisecond)<<min(l.failures-1, 2), last)
	}
	w.heartbeats.add(l)
}

// loseLocked takes in that a lease has ended, or must be taken to have.
func (w *Worker) loseLocked(l *lease) {
	if l.lost || l.stage == ended {
		return
	}
	l.lost = true
	w.heartbeats.remove(l)
	w.scatterLocked(l)
	switch l.stage {
	case waiting:
		w.stats.LeasesLost++
		w.breakGroupLocked(l)
		w.endedLocked(l)
	case running:
		w.stats.LeasesLost++
		if l.cancel != nil {
			l.cancel(ErrLeaseLost)
		}
	case ending, ended:
		return
	}
	w.later = append(w.later, Event{Kind: LeaseLost, Message: l.message, Err: ErrLeaseLost})
}

// entryID is the ID of an entry by its position: one batch may have the same message twice, under two handles.
func entryID(i int) *string {
	id := "0123456789"[i : i+1]
	return &id
}
