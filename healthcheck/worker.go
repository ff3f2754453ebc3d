package healthcheck

import (
	"math"
	"time"
)

// worker is a goroutine that runs a check, and may be used for another: a new one would have to grow its stack again, which costs
// more than all else that the pool does for a check. There is one for each check under way, never fewer, and those that have
// nothing to do end.
type worker struct {
	next chan *call // has room for one
}

// workers are those that have nothing to do, guarded by Pool.mu.
type workers struct {
	idle  []*worker // the one that was busy last at the end
	least int       // how many were idle at any time since the last reaping: nobody needed them
	reap  int64     // when to look again
}

// reapEvery is how long a worker may be idle.
const reapEvery = 250 * time.Millisecond

// dispatchLocked finds a worker for a check. Run sets it to work once it has released the lock, for which they would all queue.
func (p *Pool) dispatchLocked(c *call) {
	s := start{call: c}
	if n := len(p.workers.idle); n > 0 {
		s.worker = p.workers.idle[n-1]
		p.workers.idle[n-1] = nil
		p.workers.idle = p.workers.idle[:n-1]
		p.workers.least = min(p.workers.least, n-1)
	}
	p.starts = append(p.starts, s)
}

// start is a check that is about to start. Without a worker it gets a new one.
type start struct {
	worker *worker
	call   *call
}

// launch lets checks start. Only Run calls it.
func (p *Pool) launch() {
	for _, s := range p.starts {
		if s.worker != nil {
			s.worker.next <- s.call
			continue
		}
		p.checks.Add(1)
		go p.work(&worker{next: make(chan *call, 1)}, s.call)
	}
	clear(p.starts)
	p.starts = p.starts[:0]
	if cap(p.starts) > maxStarts {
		p.starts = nil // a burst, as of a large Register
	}
}

// maxStarts is for how many checks there is room between turns.
const maxStarts = 1024

func (p *Pool) work(w *worker, c *call) {
	defer p.checks.Done()
	for c != nil && p.check(w, c) {
		c = <-w.next
	}
}

// parkLocked lets a worker wait for the next check, and reports whether there may be one.
func (p *Pool) parkLocked(w *worker, now int64) bool {
	if p.callingOff {
		return false
	}
	if len(p.workers.idle) == 0 {
		p.workers.least, p.workers.reap = 0, now+int64(reapEvery)
		if p.workers.reap < p.nextTurn {
			p.wakeLocked()
		}
	}
	p.workers.idle = append(p.workers.idle, w)
	return true
}

// reapLocked ends the workers that were idle all the time since it was called last, or with all set, every one.
func (p *Pool) reapLocked(now int64, all bool) {
	ws := &p.workers
	n := ws.least
	if all {
		n = len(ws.idle)
	} else if len(ws.idle) == 0 || now < ws.reap {
		return
	}
	for _, w := range ws.idle[:n] {
		close(w.next)
	}
	left := copy(ws.idle, ws.idle[n:])
	clear(ws.idle[left:])
	ws.idle = ws.idle[:left]
	ws.least, ws.reap = left, now+int64(reapEvery)
	if left == 0 {
		ws.idle = nil
	}
}

// nextTurn is when to reap.
func (ws *workers) nextTurn() int64 {
	if len(ws.idle) == 0 {
		return math.MaxInt64
	}
	return ws.reap
}
