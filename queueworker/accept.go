package queueworker

// acceptLocked takes a delivery in: it is to be handled, or is one of a message that is known already.
func (w *Worker) acceptLocked(l *lease) {
	id := l.message.ID
	if w.tracked.has(id) || w.recent.has(id) {
		w.stats.DeletedAgain++
		w.later = append(w.later, Event{Kind: DeletedAgain, Message: l.message})
		w.endLocked(l, end{kind: endDelete})
		return
	}
	if old := w.held[id]; old != nil && old.stage != ended {
		if w.joinLocked(old, l) {
			return
		}
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

// joinLocked takes in a second delivery of a message that is in hand, and reports whether that is all there is to do. A message that
// waits or runs goes on under the newer handle: the older one may do nothing by now. One that was handled is deleted by both.
func (w *Worker) joinLocked(old, l *lease) bool {
	switch old.stage {
	case waiting, running:
		old.handle, old.lost, old.failures = l.handle, false, 0
		old.until.Store(l.until.Load())
		old.cap, old.due = l.cap, l.due
		if !old.extending { // else it is added when that call is over
			w.heartbeats.remove(old)
			w.heartbeats.add(old)
		}
		return true
	case ending:
		if old.end.kind != endDelete {
			return false
		}
		w.stats.DeletedAgain++
		w.later = append(w.later, Event{Kind: DeletedAgain, Message: l.message})
		w.endLocked(l, end{kind: endDelete})
		return true
	case ended:
	}
	return false
}
