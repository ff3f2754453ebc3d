package awstest

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/awsha/awsha/internal/memnet"
)

// connectTimeout is how long a connect without a deadline of its own tries,
// as Linux does with net.ipv4.tcp_syn_retries at 6.
// Source: https://docs.kernel.org/networking/ip-sysctl.html (read 2026-11)
const connectTimeout = 127 * time.Second

// resend is the pause after which a first packet that was lost is sent again.
// It finds what opens by time alone, such as a full backlog.
const resend = time.Second

// Dial connects from the Internet to a TCP address of the cloud: a public IP
// address or a DNS name, with a port. It follows the associations of the
// moment. The connection lives in memory; its buffers, deadlines, half-close
// and reset are those of TCP. While nothing answers, Dial waits until a path
// opens, ctx ends, or two minutes have passed.
//
// Its signature is that of net.Dialer.DialContext.
func (c *Cloud) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return c.dial(ctx, vantage{}, network, address)
}

// Dial connects from inside the zone, and so reaches the private addresses of
// the region as well; see [Cloud.Dial].
func (z *Zone) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return z.region.cloud.dial(ctx, vantage{zone: z}, network, address)
}

// Dial connects from the instance, and so reaches the private addresses of
// the region as well; see [Cloud.Dial].
func (i *Instance) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return i.cloud.dial(ctx, vantage{zone: i.zone, instance: i}, network, address)
}

// Transport returns a new HTTP transport over [Cloud.Dial]. Whoever asks for
// it closes its idle connections.
func (c *Cloud) Transport() *http.Transport { return &http.Transport{DialContext: c.Dial} }

func (c *Cloud) dial(ctx context.Context, from vantage, network, address string) (net.Conn, error) {
	host, port, err := splitAddress(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	d := &dialing{from: from, host: host, port: port, to: dialAddr(address)}
	if err := ctx.Err(); err != nil {
		return nil, memnet.DialError(nil, d.to, err)
	}
	conn, retry, err := c.connect(d)
	if conn != nil || err != nil {
		return conn, err
	}
	return c.redial(ctx, d, retry)
}

// redial goes on until somebody answers.
func (c *Cloud) redial(ctx context.Context, d *dialing, retry <-chan struct{}) (net.Conn, error) {
	timeout := time.NewTimer(connectTimeout)
	defer timeout.Stop()
	again := time.NewTicker(resend)
	defer again.Stop()
	for {
		select {
		case <-retry:
		case <-again.C:
		case <-ctx.Done():
		case <-timeout.C:
			return nil, memnet.DialError(nil, d.to, syscall.ETIMEDOUT)
		case <-c.ctx.Done():
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: d.to, Err: ErrClosed}
		}
		if err := ctx.Err(); err != nil {
			return nil, memnet.DialError(nil, d.to, err)
		}
		conn, next, err := c.connect(d)
		if conn != nil || err != nil {
			return conn, err
		}
		retry = next
	}
}

// dialing is a dial that goes on until it meets somebody.
type dialing struct {
	from  vantage
	host  string
	port  uint16
	to    net.Addr // for errors
	named Hop      // where the name has led: it is not asked again
}

// connect tries once. While packets are lost it returns a channel that is
// closed when trying again makes sense.
func (c *Cloud) connect(d *dialing) (conn net.Conn, retry <-chan struct{}, err error) {
	c.Update(func(tx *Tx) {
		if c.closed {
			err = &net.OpError{Op: "dial", Net: "tcp", Err: ErrClosed}
			return
		}
		hop, via, addr, lookupErr := tx.lookup(d)
		if lookupErr != nil {
			err = &net.OpError{Op: "dial", Net: "tcp", Err: lookupErr}
			return
		}
		to := net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, d.port))
		switch opened, state := tx.open(d.from, hop, via, to); state {
		case pathOpen:
			conn = opened
		case pathLost:
			retry = c.net.changed
		case pathRefused:
			err = memnet.DialError(nil, to, syscall.ECONNREFUSED)
		}
	})
	return conn, retry, err
}

// open makes a connection, if the path is open.
func (tx *Tx) open(from vantage, hop Hop, via route, to *net.TCPAddr) (*memnet.Conn, pathState) {
	c := tx.cloud
	state := c.net.path(from, via, hop)
	if state != pathOpen {
		return nil, state
	}
	f := &flow{from: from, home: from.boot(), to: hop.Instance, boot: hop.Instance.boot, via: via}
	f.client, f.server = memnet.Pipe(c.net.sourceAddr(from), to, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.net.flows, f)
	})
	if !hop.Instance.listening(hop.Port).listener.Offer(f.server) {
		return nil, pathLost // the backlog is full
	}
	c.net.flows[f] = struct{}{}
	return f.client, pathOpen
}

// sourceAddr makes up where a connection comes from. Clients on the Internet
// stand in TEST-NET-2.
func (n *network) sourceAddr(from vantage) *net.TCPAddr {
	n.clients++
	addr := netip.AddrFrom4([4]byte{198, 51, 100, 1})
	if from.instance != nil && from.instance.private.IsValid() {
		addr = from.instance.private
	} else if from.zone != nil {
		addr = netip.AddrFrom4([4]byte{10, 255, 255, 1})
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, uint16(32768+n.clients%28232)))
}

func splitAddress(network, address string) (host string, port uint16, err error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return "", 0, net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(service, 10, 16)
	if err != nil || number == 0 {
		return "", 0, &net.AddrError{Err: "invalid port", Addr: address}
	}
	return host, uint16(number), nil
}

// dialAddr is the address of a failed dial, for its error.
type dialAddr string

func (dialAddr) Network() string  { return "tcp" }
func (a dialAddr) String() string { return string(a) }
