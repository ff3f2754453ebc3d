package queueworker

import (
	"context"
	"time"
)

// pause is whether nothing is received. Guarded by Worker.mu.
type pause struct {
	on    bool
	timer *time.Timer
	count int // of calls of Pause and Resume, by which a timer knows that it is out of date
}

func (p *pause) set(on bool) {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	p.on = on
	p.count++
}

// Pause stops receiving until then, or with a zero time until Resume: when what the handlers need is known to be down. What has been
// received is handled. A pause replaces another one.
func (w *Worker) Pause(until time.Time) {
	w.mu.Lock()
	w.paused.set(true)
	if !until.IsZero() && !w.draining {
		count := w.paused.count
		w.paused.timer = time.AfterFunc(time.Until(until), func() { w.resume(count) })
	}
	w.unlock()
	w.tell(context.Background(), Event{Kind: Paused})
}

// Resume ends a pause. Without one it does nothing.
func (w *Worker) Resume() {
	w.mu.Lock()
	count := w.paused.count
	w.unlock()
	w.resume(count)
}

// resume ends the pause that is counted so, if it lasts.
func (w *Worker) resume(count int) {
	w.mu.Lock()
	on := w.paused.on && w.paused.count == count
	if on {
		w.paused.set(false)
		w.feedLocked()
	}
	w.unlock()
	if on {
		w.tell(context.Background(), Event{Kind: Resumed})
	}
}
