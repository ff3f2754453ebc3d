package healthcheck

import (
	"io"
	"time"
)

// What tests of the parts need, which the API does not show.

type Health = health

func NewHealth(s State) Health { return health{state: s} }

func (h health) Observe(o Outcome, healthy, unhealthy int) Health {
	return h.observe(o, thresholds{healthy: healthy, unhealthy: unhealthy})
}

func (h health) Counts() (State, int, int) { return h.state, h.passes, h.fails }

// ParseMatcher returns the codes of a matcher.
func ParseMatcher(s string, lo, hi int) (codes []int, ok bool) {
	m, ok := parseMatcher(s, lo, hi)
	for code := -1; code < 700; code++ {
		if m.matches(code) {
			codes = append(codes, code)
		}
	}
	return codes, ok
}

const MaxHead = maxHead

// Response is what is read of an answer.
type Response struct {
	Code  int
	Found bool // the text, in the body
	Lasts bool // the connection can be used again
}

// ReadResponse reads one answer as an HTTP probe does.
func ReadResponse(src io.Reader, isHead bool, maxBody int, text string) (Response, error) {
	return NewResponseReader(maxBody, text)(src, isHead)
}

// NewResponseReader returns ReadResponse with a buffer that is used again.
func NewResponseReader(maxBody int, text string) func(src io.Reader, isHead bool) (Response, error) {
	r := new(responseReader)
	var n *needle
	if text != "" {
		n = newNeedle(text)
	}
	return func(src io.Reader, isHead bool) (Response, error) {
		r.reset(src)
		code, b, err := r.head(isHead)
		if err != nil {
			return Response{}, err
		}
		found, all, err := r.skip(b, maxBody, n)
		return Response{Code: code, Found: found && err == nil, Lasts: b.lasts && all}, err
	}
}

// ParseHealthCheckResponse returns the status in a response of the health service.
func ParseHealthCheckResponse(b []byte) (uint64, error) {
	status, err := parseHealthCheckResponse(b)
	return uint64(status), err
}

// Due returns the first n due times of a target that is registered at now, without jitter.
func Due(o Options, now time.Duration, hash uint64, n int) []time.Duration {
	r := newRhythm(o.withDefaults())
	at := r.first(int64(now), hash)
	due := make([]time.Duration, 0, n)
	for range n {
		due = append(due, time.Duration(at))
		at = r.next(at, steady, hash)
	}
	return due
}

// HeapOrder applies operations to a heap of alarms and returns the due times in the order in which they leave it. An operation
// is a number of an entry with a due time, negative to remove the entry.
func HeapOrder(ops []HeapOp) (order []int64) {
	entries := map[int]*entry{}
	var a alarms
	for _, op := range ops {
		e := entries[op.Entry]
		if e == nil {
			e = &entry{pos: absent}
			entries[op.Entry] = e
		}
		if op.Due < 0 {
			a.remove(e)
		} else {
			a.set(e, op.Due)
		}
	}
	for len(a) > 0 {
		order = append(order, a[0].due)
		a.remove(a[0].entry)
	}
	return order
}

type HeapOp struct {
	Entry int
	Due   int64
}

// Waiting returns how many places the queue of due checks takes.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.backlog)
}

// Asking returns for how many targets a CheckNow waits.
func (p *Pool) Asking() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

// Jump moves the clock of the schedule, as if this process had been stopped for so long. Call it after synctest.Wait, as checks
// that start look at the clock without the lock.
func (p *Pool) Jump(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epoch = p.epoch.Add(-d)
	p.wakeLocked()
}
