package queueworker

import (
	"time"

	"github.com/awsha/awsha/internal/awserr"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// endLocked has the call made that ends a lease.
func (w *Worker) endLocked(l *lease, e end) {
	if l.stage == ended || l.stage == ending {
		return
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
	done   verdict = iota
	gone           // the lease has ended, is another's, or the message is deleted: there is nothing more to do under this handle
	again          // worth repeating
	refuse         // refused, and would be again
)

// verdictsOf returns what a call says of n entries.
func verdictsOf(n int, failed []types.BatchResultErrorEntry, err error) []verdict {
	verdicts := make([]verdict, n)
	if err != nil {
		v := again
		if awserr.Of(err) == awserr.Terminal {
			v = refuse
		}
		for i := range verdicts {
			verdicts[i] = v
		}
		return verdicts
	}
	for i := range failed {
		f := &failed[i]
		if f.Id == nil || len(*f.Id) != 1 || (*f.Id)[0] < '0' || int((*f.Id)[0]-'0') >= n {
			continue
		}
		verdicts[(*f.Id)[0]-'0'] = verdictOn(f)
	}
	return verdicts
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
