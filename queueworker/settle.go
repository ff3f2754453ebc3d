package queueworker

import (
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/internal/awserr"
)

// endLocked has the call made that ends a lease.
func (w *Worker) endLocked(l *lease, e end) {
	if l.stage == ended || l.stage == ending {
		return
	}
	if l.stage == waiting && e.kind == endReturn {
		w.unstartedLocked(l)
	}
	l.stage, l.end = ending, e
	w.settling++
	switch e.kind {
	case endDelete:
		w.deletes.addLocked(l)
	case endDeadLetter:
		w.letters.addLocked(l)
	case endReturn:
		w.heartbeats.remove(l) // an extension that came later would hide it again
		if !l.extending {
			w.returns.addLocked(l)
		}
	}
}

// unstartedLocked counts a message that goes back although no handler has begun with it.
func (w *Worker) unstartedLocked(l *lease) {
	if l.message == &l.first { // else it waits for another try
		w.stats.Unstarted++
	}
}

// endedLocked notes that nothing is to be done about a lease any more.
func (w *Worker) endedLocked(l *lease) {
	if l.stage == ended {
		return
	}
	if l.stage == ending {
		w.settling--
	}
	l.stage = ended
	w.heartbeats.remove(l)
	if w.held[l.message.ID] == l {
		delete(w.held, l.message.ID)
	}
	w.settledLocked()
}

// batcher collects leases that end in the same way, for one call for up to ten. Guarded by Worker.mu.
type batcher struct {
	worker  *Worker
	delay   time.Duration
	send    func([]*lease)
	pending []*lease
	timer   *time.Timer
}

func newBatcher(w *Worker, delay time.Duration, send func([]*lease)) *batcher {
	return &batcher{worker: w, delay: delay, send: send}
}

// addLocked has l sent with others, or soon.
func (b *batcher) addLocked(l *lease) {
	b.pending = append(b.pending, l)
	switch {
	case len(b.pending) == maxBatch || b.worker.draining && b.worker.running == 0 || l.until.Load()-b.worker.now() < int64(2*b.delay)+b.worker.margin():
		b.flushLocked()
	case len(b.pending) > 1:
	case b.timer == nil:
		b.timer = time.AfterFunc(b.delay, b.flush)
	default:
		b.timer.Reset(b.delay)
	}
}

func (b *batcher) flush() {
	b.worker.mu.Lock()
	defer b.worker.unlock()
	b.flushLocked()
}

// flushLocked sends what is there.
func (b *batcher) flushLocked() {
	if b.timer != nil {
		b.timer.Stop()
	}
	if len(b.pending) == 0 || b.worker.over {
		return
	}
	batch := b.pending
	b.pending = make([]*lease, 0, maxBatch)
	b.worker.callers.giveLocked(&b.worker.mu, func() { b.send(batch) })
}

// verdict is what a call says of one entry of a batch.
type verdict uint8

const (
	again  verdict = iota // worth repeating, as is an entry that the answer does not mention
	done                  // it has taken effect
	gone                  // the lease has ended, is another's, or the message is deleted: there is nothing more to do under this handle
	refuse                // the entry is refused, and would be again
	barred                // the call is refused, and would be again
)

// answer is what a call says of the entries of a batch.
type answer struct {
	taken  [maxBatch]bool // by position
	failed []types.BatchResultErrorEntry
}

// take notes that an entry has taken effect.
func (a *answer) take(id *string) {
	if i, ok := position(id); ok {
		a.taken[i] = true
	}
}

// verdicts returns what a call says of n entries.
func (a *answer) verdicts(n int, err error) []verdict {
	verdicts := make([]verdict, n)
	if err != nil {
		if errors.As(err, new(smithy.APIError)) && awserr.Of(err) == awserr.Terminal {
			for i := range verdicts {
				verdicts[i] = barred
			}
		}
		return verdicts
	}
	for i := range verdicts {
		if a.taken[i] {
			verdicts[i] = done
		}
	}
	for k := range a.failed {
		if i, ok := position(a.failed[k].Id); ok && i < n {
			verdicts[i] = verdictOn(&a.failed[k])
		}
	}
	return verdicts
}

// entryID is the ID of an entry by its position: one batch may have the same message twice, under two handles.
func entryID(i int) *string { return &entryIDs[i] }

var entryIDs = [maxBatch]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

// position is the position of an entry by its ID.
func position(id *string) (i int, ok bool) {
	if id == nil || len(*id) != 1 || (*id)[0] < '0' || (*id)[0] > '9' {
		return 0, false
	}
	return int((*id)[0] - '0'), true
}

// verdictOn reads the failure of one entry.
func verdictOn(f *types.BatchResultErrorEntry) verdict {
	code, message := "", ""
	if f.Code != nil {
		code = *f.Code
	}
	if f.Message != nil {
		message = *f.Message
	}
	switch class := awserr.OfCode(code, message); {
	case class == awserr.Gone:
		return gone
	case class == awserr.Terminal && f.SenderFault:
		return refuse
	}
	return again
}
