package sqssvc_test

import (
	"slices"
	"time"
)

// naive is a queue as simple as it can be written down: a slice of messages
// that is searched for everything.
type naive struct {
	fifo                   bool
	visibility, delay, age time.Duration
	dead                   *naive // nil if there is none
	receives               int    // of the redrive policy
	messages               []*job // in the order in which they came
	turns                  int
	sent                   map[string]*job // by deduplication ID
	attempts               map[string]*try
}

// job is a message of a naive queue.
type job struct {
	id              *string // which the real queue chooses
	body, group     string
	sent            time.Time
	state           string // waiting, delayed, leased, handed
	until, since    time.Time
	at              time.Time // of the last receive
	turn            int
	received, here  int
	leases, touched int
	released        bool
}

type try struct {
	at   time.Time
	jobs []*job
	was  []job
}

// pass lets time pass until now: what ends first goes first.
func (q *naive) pass(now time.Time) {
	for {
		var next *job
		var at time.Time
		old := false
		for _, j := range q.messages {
			if end := j.sent.Add(q.age); !end.After(now) && (next == nil || end.Before(at) || end.Equal(at) && !old) {
				next, at, old = j, end, true
			}
			if (j.state == "delayed" || j.state == "leased") && !j.until.After(now) &&
				(next == nil || j.until.Before(at) || j.until.Equal(at) && !old && j.turn < next.turn) {
				next, at, old = j, j.until, false
			}
		}
		switch {
		case next == nil:
			return
		case old:
			q.remove(next)
		default:
			q.wait(next, at)
		}
	}
}

func (q *naive) remove(j *job) {
	q.messages = slices.DeleteFunc(q.messages, func(other *job) bool { return other == j })
}

func (q *naive) has(j *job) bool { return slices.Contains(q.messages, j) }

// wait makes a message visible: at its old place, or at the end of a standard
// queue when it was received three times.
func (q *naive) wait(j *job, at time.Time) {
	j.state, j.since = "waiting", at
	if !q.fifo && j.received >= 3 {
		q.turns++
		j.turn = q.turns
	}
}

func (q *naive) count(state, group string) (n int) {
	for _, j := range q.messages {
		if j.state == state && (group == "*" || j.group == group) {
			n++
		}
	}
	return n
}

// add puts a message at the end.
func (q *naive) add(j *job, delay time.Duration, now time.Time) {
	q.turns++
	j.turn, j.here = q.turns, 0
	q.messages = append(q.messages, j)
	if j.state, j.until = "delayed", now.Add(delay); delay == 0 {
		q.wait(j, now)
	}
}

// send returns the message that was sent, or the one that this is a duplicate
// of.
func (q *naive) send(j *job, dedup string, delay time.Duration, now time.Time) *job {
	if q.fifo {
		if earlier, ok := q.sent[dedup]; ok && now.Sub(earlier.sent) < 5*time.Minute {
			return earlier
		}
		first := *j // whatever becomes of the message
		first.sent = now
		q.sent[dedup] = &first
	}
	j.sent = now
	if delay == 0 {
		delay = q.delay
	}
	q.add(j, delay, now)
	return j
}

// receive returns what a receive gets.
func (q *naive) receive(limit int, visibility time.Duration, attempt string, now time.Time) (got []*job) {
	if t := q.attempts[attempt]; attempt != "" && t != nil && now.Sub(t.at) < 5*time.Minute {
		valid := true
		for i, j := range t.jobs {
			valid = valid && q.has(j) && j.state == "leased" && j.leases == t.was[i].leases && j.touched == t.was[i].touched
		}
		if valid {
			for _, j := range t.jobs {
				j.until = now.Add(visibility)
			}
			return t.jobs
		}
	}
	var served []string // groups
	for len(got) < limit {
		var row []*job
		if q.fifo {
			row = q.group(served)
		} else if j := q.first(); j != nil {
			row = []*job{j}
		}
		if row == nil {
			break
		}
		served = append(served, row[0].group)
		for _, j := range row {
			switch {
			case j.state != "waiting" || len(got) == limit:
				goto next
			case q.dead != nil && j.here >= q.receives:
				q.bury(j, now)
			default:
				got = append(got, q.hand(j, visibility, now))
			}
		}
	next:
	}
	for _, j := range got {
		if j.state == "handed" {
			q.wait(j, now)
		}
	}
	if attempt != "" && len(got) > 0 {
		t := &try{at: now, jobs: got}
		for _, j := range got {
			t.was = append(t.was, *j)
		}
		q.attempts[attempt] = t
	}
	return got
}

func (q *naive) hand(j *job, visibility time.Duration, now time.Time) *job {
	j.received++
	j.here++
	j.leases++
	j.released, j.at = false, now
	if j.state, j.until = "leased", now.Add(visibility); visibility == 0 {
		j.state = "handed"
	}
	return j
}

// bury moves a message to the dead-letter queue.
func (q *naive) bury(j *job, now time.Time) {
	q.remove(j)
	q.dead.pass(now)
	moved := &job{id: j.id, body: j.body, group: j.group, sent: j.sent, received: j.received}
	if q.fifo {
		moved.sent = now
	}
	q.dead.add(moved, 0, now)
}

// first returns the next message of a standard queue.
func (q *naive) first() (best *job) {
	noisy := func(j *job) bool {
		n := q.count("leased", j.group)
		return j.group != "" && n >= 30 && 10*n > q.count("leased", "*")
	}
	for _, j := range q.messages {
		if j.state == "waiting" && (best == nil || noisy(best) && !noisy(j) || noisy(best) == noisy(j) && j.turn < best.turn) {
			best = j
		}
	}
	return best
}

// group returns the messages of the next group of a FIFO queue.
func (q *naive) group(served []string) (best []*job) {
	for _, name := range []string{"a", "b", "c", "d"} {
		var row []*job
		for _, j := range q.messages {
			if j.group == name {
				row = append(row, j)
			}
		}
		if len(row) == 0 || row[0].state != "waiting" || q.count("leased", name) > 0 || slices.Contains(served, name) {
			continue
		}
		if len(best) == 0 || row[0].since.Before(best[0].since) || row[0].since.Equal(best[0].since) && row[0].turn < best[0].turn {
			best = row
		}
	}
	return best
}

// held is a receipt handle.
type held struct {
	handle string
	job    *job
	lease  int
	at     time.Time
}

// delete returns the code of a deletion.
func (q *naive) delete(h held, now time.Time) string {
	switch {
	case q.fifo && !q.has(h.job):
		return ""
	case q.fifo && (h.lease != h.job.leases || h.job.state != "leased"), now.Sub(h.at) > 12*time.Hour:
		return "InvalidParameterValue"
	case h.lease == h.job.leases:
		q.remove(h.job)
	}
	return ""
}

// hide returns the code of a change of visibility.
func (q *naive) hide(h held, timeout time.Duration, now time.Time) string {
	j := h.job
	switch {
	case !q.has(j), q.fifo && (h.lease != j.leases || j.state != "leased"), now.Sub(h.at)+timeout > 12*time.Hour:
		return "InvalidParameterValue"
	case j.state == "waiting" && j.released:
		return "AWS.SimpleQueueService.MessageNotInflight"
	}
	j.touched++
	j.released = timeout == 0
	switch {
	case timeout > 0:
		j.state, j.until = "leased", now.Add(timeout)
	case j.state == "leased":
		q.wait(j, now)
	}
	return ""
}
