package healthcheck

import (
	"context"
	"time"
)

// patience is how long a check waits without listening to its context. Most answers are here sooner, and listening costs more
// than the rest of a check over a kept connection. A check that is called off may return by so much later.
const patience = 25 * time.Millisecond

// exchange is one check's use of a link: it writes and reads until the check's context ends. Its memory is used again.
type exchange struct {
	responseReader
	ctx     context.Context //nolint:containedctx // an exchange is no longer than a call
	link    *link
	stop    func() bool // listening to ctx; nil: not yet
	gotSome bool        // of an answer
}

// begin takes a link, for a check that ends with ctx whatever happens: by its deadline, and by being closed for a connection
// that has none.
func (e *exchange) begin(ctx context.Context, l *link) {
	e.ctx, e.link, e.stop, e.gotSome = ctx, l, nil, false
	e.reset(e)
	soon := time.Now().Add(patience)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(soon) {
		soon = deadline
	}
	// The state of a TLS connection does not survive a deadline on every kind of connection.
	if l.isTLS() || l.conn.SetDeadline(soon) != nil {
		e.listen()
	}
}

// listen makes the end of the context end reads and writes.
func (e *exchange) listen() {
	deadline, _ := e.ctx.Deadline()
	_ = e.link.conn.SetDeadline(deadline)
	e.stop = context.AfterFunc(e.ctx, e.link.abort)
}

// Read reads from the link.
func (e *exchange) Read(p []byte) (int, error) {
	n, err := e.link.conn.Read(p)
	if n == 0 && e.stop == nil && isTimeout(err) && e.ctx.Err() == nil {
		e.listen()
		n, err = e.link.conn.Read(p)
	}
	e.gotSome = e.gotSome || n > 0
	return n, err
}

// Write writes to the link.
func (e *exchange) Write(p []byte) (int, error) {
	n, err := e.link.conn.Write(p)
	if err != nil && e.stop == nil && isTimeout(err) && e.ctx.Err() == nil {
		e.listen()
		var more int
		more, err = e.link.conn.Write(p[n:])
		n += more
	}
	return n, err
}

// end lets go of the link, and either leaves it as it is for the next check or closes it.
func (e *exchange) end(keep bool) (kept *link) {
	l := e.link
	if e.stop != nil && !e.stop() {
		keep = false // it is being closed
	}
	e.ctx, e.link, e.stop, e.src = nil, nil, nil, nil
	if !keep || l.conn.SetDeadline(time.Time{}) != nil {
		l.close()
		return nil
	}
	l.idle.watch(l.raw)
	return l
}
