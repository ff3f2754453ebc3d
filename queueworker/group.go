package queueworker

import "time"

// group is a message group of a FIFO queue, of which messages are in hand. Its head is handled, or waits for its next attempt; the
// others follow, in order, and are leased meanwhile: given back they would come again with one attempt fewer, although nobody has
// tried them. Guarded by Worker.mu.
type group struct {
	id        string
	head      *lease
	followers queue
	timer     *time.Timer // of the next attempt
}

// enqueueLocked puts a delivery behind those of its group that are in hand.
func (w *Worker) enqueueLocked(l *lease) {
	g := w.groups[l.message.GroupID]
	if g == nil {
		g = &group{id: l.message.GroupID}
		w.groups[g.id] = g
	}
	l.group = g
	if g.head != nil {
		g.followers.push(l)
		w.blocked++
		return
	}
	g.head = l
	w.buffer.push(l)
}

// turnLocked has the next message of a group handled, after l.
func (w *Worker) turnLocked(l *lease) {
	g := l.group
	if g == nil || g.head != l {
		return
	}
	g.head = nil
	for next := g.followers.pop(); next != nil; next = g.followers.pop() {
		w.blocked--
		if next.stage == waiting {
			g.head = next
			w.buffer.push(next)
			w.startLocked()
			return
		}
	}
	delete(w.groups, g.id)
	w.deletes.flushLocked() // SQS gives no more of the group before that
}

// breakGroupLocked lets go of a group whose head is to be received again, and gives back what follows it.
func (w *Worker) breakGroupLocked(l *lease) {
	g := l.group
	if g == nil || g.head != l {
		return
	}
	w.scatterLocked(l)
	if g.timer != nil {
		g.timer.Stop()
	}
	g.head = nil
	delete(w.groups, g.id)
}

// scatterLocked gives back what follows l in its group: l will be received again, and before them.
func (w *Worker) scatterLocked(l *lease) {
	if l.group == nil || w.groups[l.group.id] != l.group {
		return
	}
	g, behind := l.group, l.group.head == l
	for range g.followers.len() {
		next := g.followers.pop()
		if next != l && !behind {
			g.followers.push(next)
			continue
		}
		behind = true
		w.blocked--
		if next != l && next.stage == waiting {
			w.endLocked(next, end{kind: endReturn})
		}
	}
	w.returns.flushLocked()
}

// tryAgainLocked has the head of a group tried again here, and reports whether that is so. Given back it would come again after its
// followers were given back too.
func (w *Worker) tryAgainLocked(l *lease, e end) bool {
	g := l.group
	if g == nil || g.head != l || e.kind != endReturn || e.delay == 0 || g.followers.len() == 0 || w.draining || l.lost || l.capped {
		return false
	}
	delay := time.Duration(e.delay) * time.Second
	if w.now()+int64(delay) >= l.cap {
		return false
	}
	l.stage, l.again = waiting, w.now()+int64(delay)
	next := *l.message // the handler may have kept the other one
	next.Attempt++
	l.message = &next
	g.timer = time.AfterFunc(delay, func() {
		w.mu.Lock()
		defer w.unlock()
		if g.head == l && l.stage == waiting && !w.draining {
			l.again = 0
			w.buffer.push(l)
			w.startLocked()
		}
	})
	return true
}

// finishLocked has done what a handler's result asks for.
func (w *Worker) finishLocked(l *lease, e end) {
	if l.group != nil && e.kind == endReturn && e.delay > 0 && l.message.LastAttempt() && w.letterbox.known() && l.group.followers.len() > 0 {
		e = end{kind: endDeadLetter} // SQS would do it at the next receive, with the followers given back
	}
	if w.tryAgainLocked(l, e) {
		return
	}
	if l.lost && e.kind != endDelete {
		w.breakGroupLocked(l)
		w.endedLocked(l)
		return
	}
	w.endLocked(l, e)
	switch e.kind {
	case endDelete:
		w.turnLocked(l)
	case endReturn:
		w.breakGroupLocked(l)
	case endDeadLetter: // goes on when it has been sent
	}
}
