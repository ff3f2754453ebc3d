package queueworker

// acceptLocked takes a delivery in: it is to be handled, or is one of a message that is known already.
func (w *Worker) acceptLocked(l *lease) {
	id := l.message.ID
	if w.tracked.has(id) || w.recent.has(id) {
		if w.held[id] == nil {
			w.held[id] = l
		}
		w.deleteAgainLocked(l)
		return
	}
	if old := w.held[id]; old != nil && w.joinLocked(old, l) {
		return
	}
	l.message.MaxAttempts = w.maxAttempts
	w.held[id] = l
	if w.draining {
		w.endLocked(l, end{kind: endReturn})
		return
	}
	w.heartbeats.add(l)
	if w.fifo {
		w.enqueueLocked(l)
		return
	}
	w.buffer.push(l)
}

// refuseLocked gives a message back at once, since one before it in its group cannot be handled.
func (w *Worker) refuseLocked(l *lease) {
	if id := l.message.ID; w.held[id] == nil {
		w.held[id] = l
	}
	w.endLocked(l, end{kind: endReturn})
}

// joinLocked takes in a second delivery of a message that is in hand, and reports whether that is all there is to do. A message that
// waits, runs or goes to the dead-letter queue goes on under the newer handle: the older one may do nothing by now. One that was
// handled is deleted by both. One that was to come back has done so: it is handled anew, and no more is done under the older handle,
// which would make it visible.
func (w *Worker) joinLocked(old, l *lease) bool {
	switch {
	case old.stage == ending && old.end.kind == endReturn:
		old.lost = true
		return false
	case old.stage == ending && old.end.kind == endDelete:
		w.deleteAgainLocked(l)
		return true
	}
	w.stats.Duplicates++
	old.handle, old.lost, old.capped, old.failures = l.handle, false, false, 0
	old.until.Store(l.until.Load())
	old.cap, old.due = l.cap, l.due
	if !old.extending { // else it is added when that call is over
		w.heartbeats.remove(old)
		w.heartbeats.add(old)
	}
	return true
}

// deleteAgainLocked deletes a message that was handled before.
func (w *Worker) deleteAgainLocked(l *lease) {
	w.stats.DeletedAgain++
	w.later = append(w.later, Event{Kind: DeletedAgain, Message: l.message})
	w.endLocked(l, end{kind: endDelete})
}
