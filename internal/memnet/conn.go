package memnet

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// windowBytes is how much one direction holds before its writer waits, and
// is about what Linux gives a fresh connection.
const windowBytes = 64 << 10

// Path is what the network between the two ends does.
type Path uint8

const (
	// Open delivers at once.
	Open Path = iota
	// Blackhole delivers nothing and tells nobody. What is written meanwhile
	// is kept, up to the window, and arrives when the path opens again, as
	// TCP's retransmissions would.
	Blackhole
)

// Conn is one end of a connection. It implements net.Conn, CloseWrite and
// SetLinger as *net.TCPConn does. All methods may be called concurrently.
type Conn struct {
	link          *link
	side          int // index of what this end writes, in link.flows
	local, remote net.Addr
}

// link is what both ends share. One lock and one condition serve both: at
// most four goroutines wait on a connection in practice.
type link struct {
	mu    sync.Mutex
	moved sync.Cond
	path  Path
	flows [2]flow // flows[side] is written by the end of that side
	ends  [2]end
	done  func() // called once, without the lock, when both ends are gone
}

// flow is one direction.
type flow struct {
	buf     []byte
	arrived int  // the first bytes of buf that the reader may have
	fin     bool // the writer has closed
	finSeen bool // ... and the reader may know
	rst     bool // the writer has aborted, which the reader does not know yet
}

// end is the state of one side.
type end struct {
	closed   bool
	fault    error // this end is dead: every later call fails with it
	reset    bool  // the peer has aborted: what has arrived can still be read
	broken   bool  // data was sent to a closed peer: later writes fail
	lingerNo bool  // SetLinger(0): Close resets
	read     time.Time
	write    time.Time
}

// Pipe returns the two ends of an open connection. If done is not nil it is
// called once, with no lock held, when both ends are closed or dead.
func Pipe(client, server net.Addr, done func()) (*Conn, *Conn) {
	l := &link{done: done}
	l.moved.L = &l.mu
	return &Conn{link: l, side: 0, local: client, remote: server},
		&Conn{link: l, side: 1, local: server, remote: client}
}

// LocalAddr returns the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Read implements net.Conn. What had arrived before the peer reset the
// connection can still be read.
func (c *Conn) Read(p []byte) (int, error) {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	me, in := &l.ends[c.side], &l.flows[1-c.side]
	for {
		switch {
		case me.closed:
			return 0, c.fail("read", net.ErrClosed)
		case me.fault != nil:
			return 0, c.fail("read", me.fault)
		case expired(me.read):
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case in.arrived > 0:
			n := copy(p, in.buf[:in.arrived])
			in.take(n)
			l.moved.Broadcast()
			return n, nil
		case me.reset:
			return 0, c.fail("read", syscall.ECONNRESET)
		case in.finSeen:
			return 0, io.EOF
		}
		l.wait(me.read)
	}
}

// Write implements net.Conn. It waits while the window is full.
func (c *Conn) Write(p []byte) (int, error) {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	me, out, peer := &l.ends[c.side], &l.flows[c.side], &l.ends[1-c.side]
	written := 0
	for {
		switch {
		case me.closed:
			return written, c.fail("write", net.ErrClosed)
		case me.fault != nil:
			return written, c.fail("write", me.fault)
		case me.reset:
			return written, c.fail("write", syscall.ECONNRESET)
		case out.fin, me.broken:
			return written, c.fail("write", syscall.EPIPE)
		case expired(me.write):
			return written, c.fail("write", os.ErrDeadlineExceeded)
		case written == len(p):
			return written, nil
		case peer.closed && l.path == Open:
			// Data for a closed socket is taken, thrown away and answered by a
			// reset, which the next write learns of.
			me.broken = true
			return len(p), nil
		}
		if room := windowBytes - len(out.buf); room > 0 {
			n := min(room, len(p)-written)
			out.buf = append(out.buf, p[written:written+n]...)
			written += n
			l.deliver()
			if written == len(p) {
				return written, nil
			}
		}
		l.wait(me.write)
	}
}

// Close implements net.Conn. What was written is still delivered, unless
// SetLinger(0) was called or unread input is thrown away: then the peer is
// reset, as by a kernel.
func (c *Conn) Close() error {
	l := c.link
	l.mu.Lock()
	me := &l.ends[c.side]
	if me.closed {
		l.mu.Unlock()
		return c.fail("close", net.ErrClosed)
	}
	me.closed = true
	if out := &l.flows[c.side]; me.fault == nil { // a dead machine says nothing
		out.rst = me.lingerNo || l.flows[1-c.side].arrived > 0
		out.fin = !out.rst
	}
	l.deliver()
	l.unlockAndSettle()
	return nil
}

// CloseWrite ends this direction: the peer reads EOF after what was written.
func (c *Conn) CloseWrite() error {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	switch me := &l.ends[c.side]; {
	case me.closed:
		return c.fail("close", net.ErrClosed)
	case me.fault != nil:
		return c.fail("close", me.fault)
	}
	l.flows[c.side].fin = true
	l.deliver()
	return nil
}

// SetLinger with 0 makes Close reset the connection. Other values restore
// the default.
func (c *Conn) SetLinger(sec int) error {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[c.side].lingerNo = sec == 0
	return nil
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error { return c.setDeadlines(&t, &t) }

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(&t, nil) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(nil, &t) }

func (c *Conn) setDeadlines(read, write *time.Time) error {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	me := &l.ends[c.side]
	if me.closed {
		return c.fail("set", net.ErrClosed)
	}
	if read != nil {
		me.read = *read
	}
	if write != nil {
		me.write = *write
	}
	l.moved.Broadcast()
	return nil
}

// SetPath changes the path between the two ends, for both directions.
func (c *Conn) SetPath(p Path) {
	l := c.link
	l.mu.Lock()
	l.path = p
	l.deliver()
	l.mu.Unlock()
}

// Reset breaks the connection for both ends at once, whatever the path:
// every pending and later call fails with ECONNRESET, and what had not been
// read is lost.
func (c *Conn) Reset() {
	l := c.link
	l.mu.Lock()
	for i := range l.ends {
		if l.ends[i].fault == nil {
			l.ends[i].fault = syscall.ECONNRESET
		}
	}
	l.moved.Broadcast()
	l.unlockAndSettle()
}

// Vanish kills this end without a word to the other, as a machine that loses
// power does: calls on this end fail with ECONNABORTED, the other end sees a
// [Blackhole] until it is Reset.
func (c *Conn) Vanish() {
	l := c.link
	l.mu.Lock()
	l.path = Blackhole
	if l.ends[c.side].fault == nil {
		l.ends[c.side].fault = syscall.ECONNABORTED
	}
	l.moved.Broadcast()
	l.unlockAndSettle()
}

// deliver moves what was sent to where it can be read, if the path is open.
func (l *link) deliver() {
	if l.path == Open {
		for i := range l.flows {
			f := &l.flows[i]
			f.arrived = len(f.buf)
			f.finSeen = f.fin
			if f.rst {
				l.ends[1-i].reset = true
			}
		}
	}
	l.moved.Broadcast()
}

// unlockAndSettle releases the lock and calls done if both ends are gone.
func (l *link) unlockAndSettle() {
	gone := func(e *end) bool { return e.closed || e.fault != nil || e.reset }
	var done func()
	if gone(&l.ends[0]) && gone(&l.ends[1]) {
		done, l.done = l.done, nil
	}
	l.mu.Unlock()
	if done != nil {
		done()
	}
}

// wait releases the lock until something moves or the deadline passes.
func (l *link) wait(deadline time.Time) {
	if !deadline.IsZero() {
		timer := time.AfterFunc(time.Until(deadline), func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.moved.Broadcast()
		})
		defer timer.Stop()
	}
	l.moved.Wait()
}

// take drops n bytes that were read.
func (f *flow) take(n int) {
	f.arrived -= n
	if n == len(f.buf) {
		f.buf = f.buf[:0]
		return
	}
	f.buf = f.buf[:copy(f.buf, f.buf[n:])]
}

func expired(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}

// fail shapes an error as package net does.
func (c *Conn) fail(op string, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}
