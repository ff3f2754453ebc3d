// Package memnet is a TCP-like network connection in memory.
//
// Unlike net.Pipe its connections are buffered, so that a peer may speak first
// and a write need not meet a read. They have deadlines, half-close, reset and
// linger as a *net.TCPConn has, and two things that a kernel does not offer:
// a path that can swallow everything ([Conn.SetPath]) and an end that vanishes
// without a word, as a machine does that loses power ([Conn.Vanish]).
//
// All waiting is on a sync.Cond and on timers of package time, so that a
// goroutine that waits here is durably blocked for testing/synctest. A timer
// exists only while somebody waits under a deadline.
package memnet
