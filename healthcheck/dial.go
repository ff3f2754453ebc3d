package healthcheck

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// connector makes the connections of a checker.
type connector struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	family  Family
	timeout time.Duration // zero: none of its own
	orderly bool
}

// connect makes a connection.
func (c *connector) connect(ctx context.Context, addr string) (*link, error) {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	conn, err := c.dial(ctx, c.family.network(), addr)
	if err != nil {
		return nil, err
	}
	if s, ok := conn.(interface{ SetLinger(sec int) error }); ok && !c.orderly {
		_ = s.SetLinger(0) // so that Close resets; one that cannot is closed in order
	}
	return &link{conn: conn, remote: addrOf(conn, addr)}, nil
}

// link is a connection of a probe.
type link struct {
	conn   net.Conn
	remote string
}

// watch makes the link end with ctx, whatever happens: by its deadline, and by being closed for a connection that has none.
func (l *link) watch(ctx context.Context) (stop func() bool) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = l.conn.SetDeadline(deadline) // the close below does without
	}
	return context.AfterFunc(ctx, l.close)
}

func (l *link) close() { _ = l.conn.Close() }

// addrOf returns the address of the other side of conn, which was dialled at target. It allocates only if that is a name.
func addrOf(conn net.Conn, target string) string {
	addr := conn.RemoteAddr()
	if tcp, ok := addr.(*net.TCPAddr); ok {
		at, err := netip.ParseAddrPort(target)
		if err == nil && at.Port() == uint16(tcp.Port) && at.Addr().Unmap() == tcp.AddrPort().Addr().Unmap() {
			return target
		}
	}
	if addr == nil {
		return ""
	}
	return addr.String()
}
