package healthcheck

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// connector makes the connections of a checker.
type connector struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	family  Family
	timeout time.Duration // zero: none of its own
	orderly bool
	tls     *tlsConnector // nil: in the clear
}

// place is where the connections of a probe go.
type place struct {
	*connector
	addr    string
	name    string   // for TLS
	session *session // nil: not to be resumed
}

func (c *connector) place(t Target) place {
	p := place{connector: c, addr: t.CheckAddr()}
	if c.tls != nil {
		p.name = hostOf(t.Addr)
		if t.Host != "" {
			p.name = hostOf(t.Host)
		}
		if c.tls.resume {
			p.session = new(session)
		}
	}
	return p
}

// connect makes a connection.
func (p *place) connect(ctx context.Context) (*link, error) {
	start := time.Now()
	if p.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.timeout)
		defer cancel()
	}
	conn, err := p.dial(ctx, p.family.network(), p.addr)
	if err != nil {
		return nil, err
	}
	if s, ok := conn.(interface{ SetLinger(sec int) error }); ok && !p.orderly {
		_ = s.SetLinger(0) // so that Close resets; one that cannot is closed in order
	}
	l := &link{conn: conn, raw: conn, orderly: p.orderly, remote: addrOf(conn, p.addr)}
	if p.tls != nil {
		over, err := p.tls.client(ctx, conn, p.name, p.session)
		if err != nil {
			return nil, err
		}
		l.conn = over
	}
	l.took = time.Since(start)
	return l, nil
}

// link is a connection of a probe. An idle one is no more than this: it has no goroutine and no buffer of ours.
type link struct {
	conn    net.Conn // to speak over
	raw     net.Conn // the same, or what is below its TLS
	idle    idleConn
	remote  string
	took    time.Duration // to connect
	checks  int           // that went over it
	orderly bool
}

func (l *link) isTLS() bool { return l.conn != l.raw }

// isQuiet reports whether nothing has come since the last check, as far as one can tell without waiting.
func (l *link) isQuiet() bool {
	if !l.idle.isQuiet() {
		return false
	}
	if _, ok := l.raw.(syscall.Conn); !ok || !l.isTLS() {
		return true
	}
	// TLS may hold what came with the end of the last answer. A deadline of a descriptor is one that TLS survives.
	if l.conn.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	n, err := l.conn.Read(make([]byte, 1))
	return n == 0 && isTimeout(err)
}

// close ends the connection as CloseMode says.
func (l *link) close() {
	if l.orderly {
		_ = l.conn.Close() // says goodbye in TLS as well
		return
	}
	_ = l.raw.Close()
}

// abort ends the connection from any goroutine, and so whoever waits for it.
func (l *link) abort() { _ = l.raw.Close() }

// addrOf returns the address of the other side of conn, which was dialled at target. It allocates only if that is a name.
func addrOf(conn net.Conn, target string) string {
	addr := conn.RemoteAddr()
	if tcp, ok := addr.(*net.TCPAddr); ok {
		at, err := netip.ParseAddrPort(target)
		if err == nil && int(at.Port()) == tcp.Port && at.Addr().Unmap() == tcp.AddrPort().Addr().Unmap() {
			return target
		}
	}
	if addr == nil {
		return ""
	}
	return addr.String()
}
