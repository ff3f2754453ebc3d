package memnet

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
)

// backlog is how many connections wait to be accepted before a dial waits
// too; Linux's default of net.core.somaxconn.
const backlog = 4096

// Listener is a net.Listener whose connections come from [Listener.Dial].
type Listener struct {
	addr   net.Addr
	mu     sync.Mutex
	moved  sync.Cond
	queue  []*Conn
	closed bool
}

// NewListener returns a listener that calls itself addr. It holds no
// resource but memory.
func NewListener(addr net.Addr) *Listener {
	l := &Listener{addr: addr}
	l.moved.L = &l.mu
	return l
}

// Addr returns the address that the listener was made with.
func (l *Listener) Addr() net.Addr { return l.addr }

// Accept implements net.Listener. After Close it fails with net.ErrClosed.
func (l *Listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 {
		if l.closed {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
		}
		l.moved.Wait()
	}
	conn := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	l.moved.Broadcast()
	return conn, nil
}

// Close implements net.Listener: what was not accepted is reset, later dials
// are refused. Closing twice is allowed.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.closed = true
	pending := l.queue
	l.queue = nil
	l.moved.Broadcast()
	l.mu.Unlock()
	for _, conn := range pending {
		_ = conn.SetLinger(0)
		_ = conn.Close()
	}
	return nil
}

// Closed tells whether Close was called.
func (l *Listener) Closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Offer queues the server's end of a connection without waiting, and tells
// whether there was room and the listener open.
func (l *Listener) Offer(conn *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.offer(conn)
}

func (l *Listener) offer(conn *Conn) bool {
	if l.closed || len(l.queue) >= backlog {
		return false
	}
	l.queue = append(l.queue, conn)
	l.moved.Broadcast()
	return true
}

// Dial connects from the address from. A closed listener refuses; a full
// backlog makes it wait until there is room or ctx ends.
func (l *Listener) Dial(ctx context.Context, from net.Addr) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.moved.Broadcast()
	})
	defer stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case ctx.Err() != nil:
			return nil, DialError(from, l.addr, ctx.Err())
		case l.closed:
			return nil, DialError(from, l.addr, syscall.ECONNREFUSED)
		}
		client, server := Pipe(from, l.addr, nil)
		if l.offer(server) {
			return client, nil
		}
		l.moved.Wait()
	}
}

// DialError shapes the error of a dial as package net does: an errno belongs
// to connect, and the end of a context is a timeout or a cancellation.
func DialError(from, to net.Addr, err error) error {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		err = os.NewSyscallError("connect", errno)
	case errors.Is(err, context.DeadlineExceeded):
		err = timeout{}
	case errors.Is(err, context.Canceled):
		err = canceled{}
	}
	return &net.OpError{Op: "dial", Net: "tcp", Source: from, Addr: to, Err: err}
}

// timeout and canceled are what package net makes of the end of a dial's
// context.
type (
	timeout  struct{}
	canceled struct{}
)

func (timeout) Error() string        { return "i/o timeout" }
func (timeout) Timeout() bool        { return true }
func (timeout) Temporary() bool      { return true }
func (timeout) Is(target error) bool { return target == context.DeadlineExceeded }

func (canceled) Error() string        { return "operation was canceled" }
func (canceled) Is(target error) bool { return target == context.Canceled }
