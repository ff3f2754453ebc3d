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

// usualExtending is how many calls that extend leases are under way at a time.
const usualExtending = 16

// maxExtending is how many may be. When the next extension is late, calls take long: then it is so many that two rounds of them are enough
// for all leases, and fit into what is left of their time even if each call takes the tenth of it after which it is given up.
func (w *Worker) maxExtending(now int64) int {
	if next := w.heartbeats.first; next == nil || now-next.due < int64(w.opts.Visibility)/20 {
		return usualExtending
	}
	return max(usualExtending, len(w.held)/(2*maxBatch))
}

const changeVisibility = "ChangeMessageVisibilityBatch"

const (
	firstBeatPause        = 250 * time.Millisecond // after an extension that failed; then twice, and four times as long
	shortestExtendTimeout = 100 * time.Millisecond
)

// nextBeat is when a lease that has lasted since then is due for an extension.
func (w *Worker) nextBeat(since int64) int64 {
	return since + int64(w.opts.Visibility)*beatNumerator/beatDenominator
}

// margin is how long before its end a lease that cannot be extended counts as lost, so that its handler can stop in time.
func (w *Worker) margin() int64 { return int64(min(w.opts.Visibility/10, 2*time.Second)) }

// keepAlive extends leases until ctx ends. It is one goroutine for all of them, and one for each call that is under way.
//
// A process that stands still for a while, because it is stopped or has no CPU, finds out what it has lost as soon as it goes on, since
// the monotonic clock goes on meanwhile. It does not while the machine is suspended: then the next extension tells, as far as SQS
// does. FIFO queues refuse it, and standard queues once the message is gone. A delete that did nothing is in either memory.
func (w *Worker) keepAlive(ctx context.Context) {
	timer := time.NewTimer(w.opts.Visibility)
	defer timer.Stop()
	for ctx.Err() == nil {
		w.mu.Lock()
		batch, wait := w.dueLocked(w.now())
		if len(batch) > 0 {
			w.callers.giveLocked(&w.mu, func() { w.extend(batch) })
		}
		w.unlock()
		if len(batch) > 0 {
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

// dueLocked takes up to ten leases that are due, for a call, and fills up with those that will be soon; or, if none is due, returns
// when the next one is.
func (w *Worker) dueLocked(now int64) (batch []extension, wait time.Duration) {
	h := &w.heartbeats
	if h.calls >= w.maxExtending(now) {
		w.forsakeLocked(now)
		return nil, time.Duration(w.margin() / 2)
	}
	soon := now + int64(w.opts.Visibility)/4
	for l := h.first; l != nil && len(batch) < maxBatch; l = h.first {
		if l.due > now && (len(batch) == 0 || l.due > soon || l.capped) {
			break
		}
		h.remove(l)
		switch {
		case l.until.Load() <= now:
			w.loseLocked(l)
		case now >= l.cap:
			w.capLocked(l)
		default:
			l.extending = true
			batch = append(batch, extension{l, l.handle})
		}
	}
	if len(batch) > 0 {
		h.calls++
		return batch, 0
	}
	if h.first == nil {
		return nil, w.opts.Visibility
	}
	return nil, time.Duration(h.first.due - now)
}

// forsakeLocked gives up leases that are due and about to end, when too many calls are under way for another one.
func (w *Worker) forsakeLocked(now int64) {
	var forsaken []*lease // first, because to lose one may take others out of the list
	for l := w.heartbeats.first; l != nil && l.due <= now; l = l.after {
		if l.until.Load()-w.margin() <= now {
			forsaken = append(forsaken, l)
		}
	}
	for _, l := range forsaken {
		if l.listed {
			w.loseLocked(l)
		}
	}
}

// capLocked takes in that a message has been held for as long as it may be: it is given back if its handler has not begun, and else
// that is told. What is left of the lease is for it to end in.
func (w *Worker) capLocked(l *lease) {
	if l.stage == waiting {
		w.scatterLocked(l)
		w.breakGroupLocked(l)
		w.endLocked(l, end{kind: endReturn})
		return
	}
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
	ctx, cancel := context.WithTimeout(w.calls, w.extendTimeout(batch, began))
	out, err := w.api.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &w.queueURL, Entries: entries}, once)
	cancel()
	said := visibilityAnswer(out)
	verdicts := said.verdicts(len(batch), err)

	w.mu.Lock()
	defer w.unlock()
	w.heartbeats.calls--
	w.stats.ExtendCalls++
	if err != nil {
		w.stats.FailedCalls++
	}
	if err := said.trouble(verdicts, err); err != nil && w.calls.Err() == nil {
		w.later = append(w.later, Event{Kind: CallFailed, Operation: changeVisibility, Err: w.queueError(changeVisibility, err)})
	}
	now := w.now()
	for i, l := range batch {
		w.extendedLocked(l, verdicts[i], began, now)
	}
	w.wakeHeart()
}

// extendTimeout leaves time for another try, or, before the first of the leases ends, for its handler to stop.
func (w *Worker) extendTimeout(batch []extension, now int64) time.Duration {
	timeout := int64(w.opts.Visibility/10 + 200*time.Millisecond)
	for i := range batch {
		timeout = min(timeout, batch[i].until.Load()-w.margin()/4-now)
	}
	return time.Duration(max(timeout, int64(shortestExtendTimeout)))
}

// visibilityAnswer is what a call that sets visibility timeouts says; it may be nil.
func visibilityAnswer(out *sqs.ChangeMessageVisibilityBatchOutput) *answer {
	if out == nil {
		return &answer{}
	}
	a := &answer{failed: out.Failed}
	for i := range out.Successful {
		a.take(out.Successful[i].Id)
	}
	return a
}

// extendedLocked takes in what a call that began then has done to a lease. Only after a success does a lease last longer.
func (w *Worker) extendedLocked(x extension, v verdict, began, now int64) {
	l := x.lease
	l.extending = false
	if l.stage == ended {
		return
	}
	same := x.under == l.handle // not received again meanwhile
	if same && v == done {
		l.until.Store(began + int64(w.opts.Visibility))
	}
	switch {
	case l.stage == ending && l.end.kind == endReturn: // which has waited for this
		w.returns.addLocked(l)
		return
	case !same:
		l.due = min(l.due, now)
	case v == done:
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
		l.due = min(now+int64(firstBeatPause)<<min(l.failures-1, 2), last)
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
	if l.stage == ending && l.end.kind == endDelete { // others go on, since it has been handled
		return
	}
	w.scatterLocked(l)
	switch l.stage {
	case waiting:
		w.stats.LeasesLost++
		w.unstartedLocked(l)
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
