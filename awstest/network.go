package awstest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/awsha/awsha/internal/memnet"
)

// connectTimeout is how long a connect without a deadline of its own tries,
// as Linux does with net.ipv4.tcp_syn_retries at 6.
// Source: https://docs.kernel.org/networking/ip-sysctl.html (read 2026-11)
const connectTimeout = 127 * time.Second

// network is what connects the instances with each other and with the
// clients. It is guarded by the cloud's lock.
type network struct {
	instances map[string]*Instance
	routes    map[route]*Instance
	names     map[string]func(*Tx, uint16) Hop
	flows     map[*flow]struct{}
	changed   chan struct{} // closed and replaced when a path may have changed
	clients   uint32        // counts the dials, for source ports
}

// route is an address and where it is known: a region's private network, or
// everywhere, for a public address, with the empty region.
type route struct {
	region string
	addr   netip.Addr
}

// flow is an open connection.
type flow struct {
	from   vantage
	to     *Instance
	boot   int
	via    route // the zero route if it came by name
	client *memnet.Conn
	server *memnet.Conn
}

// vantage is where a connection comes from: an instance, somewhere in a zone,
// or, for the zero vantage, the Internet.
type vantage struct {
	zone     *Zone
	instance *Instance
}

// Hop is where a name leads: a port of an instance. With no instance the
// packets are lost, or refused if Refused is set.
type Hop struct {
	Instance *Instance
	Port     uint16
	Refused  bool
}

func (n *network) init() {
	n.instances = map[string]*Instance{}
	n.routes = map[route]*Instance{}
	n.names = map[string]func(*Tx, uint16) Hop{}
	n.flows = map[*flow]struct{}{}
	n.changed = make(chan struct{})
}

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
	timeout := time.NewTimer(connectTimeout)
	defer timeout.Stop()
	for {
		conn, retry, err := c.connect(from, host, port)
		if conn != nil || err != nil {
			return conn, err
		}
		to := dialAddr(address)
		select {
		case <-retry:
		case <-ctx.Done():
			err := context.Cause(ctx)
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				err = os.ErrDeadlineExceeded
			}
			return nil, &net.OpError{Op: "dial", Net: network, Addr: to, Err: err}
		case <-timeout.C:
			return nil, memnet.DialError(nil, to, syscall.ETIMEDOUT)
		case <-c.ctx.Done():
			return nil, &net.OpError{Op: "dial", Net: network, Addr: to, Err: ErrClosed}
		}
	}
}

// connect tries once. While packets are lost it returns a channel that is
// closed when trying again makes sense.
func (c *Cloud) connect(from vantage, host string, port uint16) (conn net.Conn, retry <-chan struct{}, err error) {
	c.Update(func(tx *Tx) {
		if c.closed {
			err = &net.OpError{Op: "dial", Net: "tcp", Err: ErrClosed}
			return
		}
		hop, via, addr, lookupErr := tx.lookup(from, host, port)
		if lookupErr != nil {
			err = &net.OpError{Op: "dial", Net: "tcp", Err: lookupErr}
			return
		}
		to := net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, port))
		switch opened, state := tx.open(from, hop, via, to); state {
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
	state := c.net.path(from, hop)
	if state != pathOpen {
		return nil, state
	}
	f := &flow{from: from, to: hop.Instance, boot: hop.Instance.boot, via: via}
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

// lookup finds where an address leads, seen from a vantage.
func (tx *Tx) lookup(from vantage, host string, port uint16) (Hop, route, netip.Addr, error) {
	n := &tx.cloud.net
	addr, err := netip.ParseAddr(host)
	if err != nil {
		resolve, ok := n.names[strings.ToLower(strings.TrimSuffix(host, "."))]
		if !ok {
			return Hop{}, route{}, netip.Addr{}, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		hop := resolve(tx, port)
		if hop.Instance != nil {
			addr = hop.Instance.private
		}
		return hop, route{}, addr, nil
	}
	via := route{addr: addr}
	if addr.IsPrivate() {
		if from.zone == nil {
			return Hop{}, via, addr, nil // private addresses are not routed on the Internet
		}
		via.region = from.zone.region.name
	}
	return Hop{Instance: n.routes[via], Port: port}, via, addr, nil
}

type pathState uint8

const (
	pathOpen pathState = iota
	pathLost
	pathRefused
)

// path tells what a first packet from a vantage meets.
func (n *network) path(from vantage, hop Hop) pathState {
	switch {
	case hop.Instance == nil && hop.Refused:
		return pathRefused
	case hop.Instance == nil || !connected(from, hop.Instance):
		return pathLost
	case hop.Instance.listening(hop.Port) == nil:
		return pathRefused
	}
	return pathOpen
}

// connected tells whether packets pass between a vantage and an instance, and
// both are alive.
func connected(from vantage, to *Instance) bool {
	if !to.live || to.faults[NetworkLoss] > 0 {
		return false
	}
	if i := from.instance; i != nil && i != to && (!i.live || i.faults[NetworkLoss] > 0) {
		return false
	}
	if from.zone != to.zone {
		if to.zone.faults[NetworkLoss] > 0 || (from.zone != nil && from.zone.down()) {
			return false
		}
	} else if from.zone.faults[PowerLoss] > 0 {
		return false
	}
	return true
}

// Route makes an address lead to an instance: a private address in its
// region, or a public one everywhere. The first private address becomes the
// instance's own. A nil instance makes the address lead nowhere: packets to it
// are lost.
func (tx *Tx) Route(region *Region, addr netip.Addr, i *Instance) {
	key := route{addr: addr}
	if addr.IsPrivate() {
		key.region = region.name
	}
	if i == nil {
		delete(tx.cloud.net.routes, key)
	} else {
		tx.cloud.net.routes[key] = i
		if addr.IsPrivate() && !i.private.IsValid() {
			i.private = addr
		}
	}
	tx.rewire()
}

// Name makes a DNS name lead to where resolve says at each dial; nil removes
// the name. resolve runs with the cloud locked.
func (tx *Tx) Name(name string, resolve func(tx *Tx, port uint16) Hop) {
	name = strings.ToLower(name)
	if resolve == nil {
		delete(tx.cloud.net.names, name)
	} else {
		tx.cloud.net.names[name] = resolve
	}
	tx.rewire()
}

// rewire brings every open connection into the state that the world asks for,
// and lets waiting dials try again. Each change of the world ends with it.
func (tx *Tx) rewire() {
	n := &tx.cloud.net
	for f := range n.flows {
		state, reset := n.flowState(f)
		f.client.SetPath(state)
		if reset {
			tx.AfterUnlock(f.client.Reset)
		}
	}
	close(n.changed)
	n.changed = make(chan struct{})
}

// flowState tells what the packets of an open connection meet now: they pass,
// they are lost, or they reach a machine that knows nothing of them and
// answers by a reset.
func (n *network) flowState(f *flow) (state memnet.Path, reset bool) {
	at := f.to
	if f.via != (route{}) {
		at = n.routes[f.via]
	}
	switch {
	case at == nil || !connected(f.from, at):
		return memnet.Blackhole, false
	case at != f.to || at.boot != f.boot:
		return memnet.Blackhole, true
	}
	return memnet.Open, false
}

// vanish kills the instance's ends of its connections without a word.
func (n *network) vanish(tx *Tx, i *Instance) {
	for f := range n.flows {
		if f.to == i {
			f.client.SetPath(memnet.Blackhole)
			tx.AfterUnlock(f.server.Vanish)
		}
		if f.from.instance == i {
			f.client.SetPath(memnet.Blackhole)
			tx.AfterUnlock(f.client.Vanish)
		}
	}
}

// resetAll breaks the instance's connections so that the other ends see it.
func (n *network) resetAll(tx *Tx, i *Instance) {
	for f := range n.flows {
		if f.to == i || f.from.instance == i {
			tx.AfterUnlock(f.client.Reset)
		}
	}
}

// closeFlows breaks every connection.
func (n *network) closeFlows(tx *Tx) {
	for f := range n.flows {
		tx.AfterUnlock(f.client.Reset)
	}
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
