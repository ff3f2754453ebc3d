//go:build unix

package healthcheck

import (
	"net"
	"syscall"
)

// idleConn looks at a connection between two checks, when nobody waits for it.
type idleConn struct {
	raw   syscall.RawConn
	look  func(fd uintptr) bool
	quiet bool
}

// watch makes idleConn look at conn. A connection that has no descriptor is never looked at.
func (i *idleConn) watch(conn net.Conn) {
	c, ok := conn.(syscall.Conn)
	if !ok || i.raw != nil {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	i.raw = raw
	i.look = func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:]) // the descriptor does not block
		i.quiet = err == syscall.EAGAIN
		return true
	}
}

// isQuiet reports whether the other side has neither closed the connection nor said something unasked, such as the 408 of
// servers that are tired of waiting, which would pass for the answer to the next request.
func (i *idleConn) isQuiet() bool {
	if i.raw == nil {
		return true
	}
	i.quiet = false
	return i.raw.Read(i.look) == nil && i.quiet
}
