package healthcheck

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// ConnOptions say how a checker connects to a target. They are part of HTTPOptions, TCPOptions and GRPCOptions. The zero
// value of each field means its default.
type ConnOptions struct {
	// Dial connects to a target. It must honour its context. Network is "tcp", "tcp4" or "tcp6", as Family says, and
	// address is Target.CheckAddr. Default: a net.Dialer without keep-alive probes. No proxy is used, whatever the
	// environment says.
	//
	// What it returns is used as what it is: one that hides the methods of a *net.TCPConn, as a struct around a net.Conn does,
	// is closed in order whatever Close says for want of SetLinger, and what comes over it unasked between two checks that
	// Reuse it is not seen for want of SyscallConn.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Family is the version of IP. Default AnyFamily. Result.RemoteAddr tells which address was used. A target whose Addr is
	// an IP address of the other version is refused by Register.
	Family Family

	// ConnectTimeout is how much of Options.Timeout may pass until there is a connection, names looked up and TLS
	// included. A target that takes longer fails for ReasonTimeout. Default: all of it.
	ConnectTimeout time.Duration

	// Close is how connections are closed. Default Reset.
	Close CloseMode

	// TLS makes the checker speak TLS. Default: in the clear.
	TLS *TLSOptions
}

// Family is the version of IP over which a target is checked.
type Family uint8

const (
	// AnyFamily tries the addresses of a name one after the other, IPv6 and IPv4 side by side if one of them does not
	// answer quickly, as net.Dialer does.
	AnyFamily Family = iota
	// IPv4 uses no other addresses.
	IPv4
	// IPv6 uses no other addresses.
	IPv6
)

// String returns "any", "ipv4" or "ipv6".
func (f Family) String() string {
	switch f {
	case AnyFamily:
		return "any"
	case IPv4:
		return "ipv4"
	case IPv6:
		return "ipv6"
	}
	return "invalid"
}

// network is what a dialer calls the family.
func (f Family) network() string {
	switch f {
	case IPv4:
		return "tcp4"
	case IPv6:
		return "tcp6"
	case AnyFamily:
	}
	return "tcp"
}

// CloseMode is how a checker closes its connections.
type CloseMode uint8

const (
	// Reset ends a connection at once, on both sides. The side that closes a connection in order first keeps its port in
	// TIME_WAIT for a minute, and a checker would always be first: 470 checks a second of one address use up all ports.
	// The server's log may call it a connection reset by peer.
	Reset CloseMode = iota
	// Orderly ends a connection as other clients do, so that nothing shows up in the server's log, and leaves TIME_WAIT on
	// the side of the checker unless the target has closed first. For few targets, or long intervals.
	Orderly
)

// String returns "reset" or "orderly".
func (m CloseMode) String() string {
	switch m {
	case Reset:
		return "reset"
	case Orderly:
		return "orderly"
	}
	return "invalid"
}

// mistakes collects what is wrong with the options of a checker.
type mistakes struct {
	options string // such as "HTTPOptions"
	errs    []error
}

// require adds a mistake unless ok.
func (m *mistakes) require(ok bool, field string, value any, rule string) {
	if !ok {
		m.errs = append(m.errs, &FieldError{Field: m.options + "." + field, Value: value, Rule: rule})
	}
}

// connector returns what makes the connections that o describes, or adds what is wrong with o to m. Protocol is what is spoken
// over TLS, and resume says whether its sessions are worth keeping.
func (o *ConnOptions) connector(m *mistakes, protocol string, resume bool) connector {
	m.require(o.Family <= IPv6, "Family", o.Family, "must be AnyFamily, IPv4 or IPv6")
	m.require(o.ConnectTimeout >= 0, "ConnectTimeout", o.ConnectTimeout, "must not be negative")
	m.require(o.Close <= Orderly, "Close", o.Close, "must be Reset or Orderly")
	c := connector{dial: o.Dial, family: o.Family, timeout: o.ConnectTimeout, orderly: o.Close == Orderly}
	c.tls = o.TLS.connector(m, protocol, resume)
	if c.dial == nil {
		c.dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	return c
}

// accepts returns what is wrong with t as something to connect to.
func (c *connector) accepts(t Target) error {
	if t.Addr == "" {
		return &FieldError{Field: "Target.Addr", Value: t.Addr, Rule: "must not be empty"}
	}
	if !isHost(t.Host) {
		return &FieldError{Field: "Target.Host", Value: t.Host, Rule: "must be a host, with a port or without"}
	}
	addr, err := netip.ParseAddr(hostOf(t.Addr))
	if err != nil { // a name, which may have addresses of both families
		return nil //nolint:nilerr // see above
	}
	if is4 := addr.Unmap().Is4(); is4 && c.family == IPv6 || !is4 && c.family == IPv4 {
		return &FieldError{Field: "Target.Addr", Value: t.Addr, Rule: fmt.Sprintf("must be of family %v, or a name", c.family)}
	}
	return nil
}

// isHost reports whether s may be a Host header, as far as it shows: a URL, or a part of one, is not.
func isHost(s string) bool { return isPlain(s) && !strings.ContainsAny(s, `/\?#@"<>`) }

// hostOf returns the host of "host:port", or of what has no port all of it, without the brackets and the zone of IPv6.
func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = strings.Trim(addr, "[]")
	}
	host, _, _ = strings.Cut(host, "%")
	return host
}
