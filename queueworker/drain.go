package queueworker

import "time"

// drain brings everything in hand to an end, and returns what could not be.
func (w *Worker) drain() error {
	w.mu.Lock()
	w.draining = true
	w.paused.set(false)
	settled := make(chan struct{})
	w.settled = settled
	w.runners.dismissLocked()
	for _, l := range w.held {
		if l.stage != waiting {
			continue
		}
		e := end{kind: endReturn}
		if l.again > 0 { // somebody else is to wait for the rest of it
			e.delay = retrySeconds(time.Duration(l.again - w.now()))
		}
		w.endLocked(l, e)
	}
	w.buffer = queue{}
	for _, g := range w.groups {
		if g.timer != nil {
			g.timer.Stop()
		}
	}
	for _, b := range []*batcher{w.deletes, w.returns, w.letters} {
		b.flushLocked()
	}
	w.later = append(w.later, Event{Kind: Draining})
	w.settledLocked()
	w.unlock()

	if !within(settled, w.opts.DrainTimeout) {
		w.cancelHandlers(ErrDraining)
		within(settled, max(w.opts.DrainTimeout/10, time.Second))
	}

	w.mu.Lock()
	w.over = true
	err := w.leftLocked()
	w.callers.dismissLocked()
	w.unlock()
	w.stop()
	w.beating.Wait()
	w.callers.all.Wait()
	if err == nil {
		w.runners.all.Wait() // they have nothing to do, and end
	}
	w.tell(w.lasting, Event{Kind: Drained, Err: err})
	return err
}

// cancelHandlers ends the contexts of all handlers that run.
func (w *Worker) cancelHandlers(cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.held {
		if l.cancel != nil {
			l.cancel(cause)
		}
	}
}

// settledLocked notes, while draining, that there may be nothing left.
func (w *Worker) settledLocked() {
	if w.draining && w.settled != nil && w.demand.underWay == 0 && w.running == 0 && w.settling == 0 {
		close(w.settled)
		w.settled = nil
	}
}

// leftLocked returns what is still in hand, as a *DrainError, or nil.
func (w *Worker) leftLocked() error {
	e := DrainError{Err: w.failing.latest()}
	for id, l := range w.held {
		switch {
		case l.stage == running:
			e.Abandoned = append(e.Abandoned, id)
		case l.stage == ending && l.end.kind == endDelete:
			e.Undeleted = append(e.Undeleted, id)
		default:
			e.Unreleased = append(e.Unreleased, id)
		}
	}
	if len(e.Abandoned)+len(e.Undeleted)+len(e.Unreleased) == 0 {
		return nil
	}
	return &e
}

// within reports whether c is closed before d has passed.
func within(c <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}
