package awstest

import (
	"net"
	"net/netip"
	"strings"

	"github.com/awsha/awsha/internal/memnet"
)

// network is what connects the instances with each other and with the
// clients. It is guarded by the cloud's lock.
type network struct {
	instances map[string]*Instance
	routes    map[route]*Instance
	shut      map[route]struct{} // where first packets are lost
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
	home   int // boot of the machine that dialled
	to     *Instance
	boot   int   // of the machine that was reached
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

func (v vantage) boot() int {
	if v.instance == nil {
		return 0
	}
	return v.instance.boot
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
	n.shut = map[route]struct{}{}
	n.names = map[string]func(*Tx, uint16) Hop{}
	n.flows = map[*flow]struct{}{}
	n.changed = make(chan struct{})
}

// lookup finds where a dial leads.
func (tx *Tx) lookup(d *dialing) (Hop, route, netip.Addr, error) {
	n := &tx.cloud.net
	addr, err := netip.ParseAddr(d.host)
	if err != nil {
		if d.named.Instance == nil {
			resolve, ok := n.names[strings.ToLower(strings.TrimSuffix(d.host, "."))]
			if !ok {
				return Hop{}, route{}, netip.Addr{}, &net.DNSError{Err: "no such host", Name: d.host, IsNotFound: true}
			}
			d.named = resolve(tx, d.port)
		}
		if d.named.Instance != nil {
			addr = d.named.Instance.private
		}
		return d.named, route{}, addr, nil
	}
	via := route{addr: addr}
	if addr.IsPrivate() {
		if d.from.zone == nil {
			return Hop{}, via, addr, nil // private addresses are not routed on the Internet
		}
		via.region = d.from.zone.region.name
	}
	return Hop{Instance: n.routes[via], Port: d.port}, via, addr, nil
}

type pathState uint8

const (
	pathOpen pathState = iota
	pathLost
	pathRefused
)

// path tells what a first packet from a vantage meets.
func (n *network) path(from vantage, via route, hop Hop) pathState {
	switch {
	case n.filtered(from, via, hop.Instance):
		return pathLost
	case hop.Instance == nil && hop.Refused:
		return pathRefused
	case hop.Instance == nil || !connected(from, hop.Instance):
		return pathLost
	case hop.Instance.listening(hop.Port) == nil:
		return pathRefused
	}
	return pathOpen
}

// filtered tells whether a first packet is dropped on its way out of the machine that sends it, or on its way in to another. What came by name is on
// its way to the machine's own address.
func (n *network) filtered(from vantage, via route, to *Instance) bool {
	if from.instance != nil && from.instance == to {
		return false
	}
	if from.instance != nil && from.instance.confined {
		return true
	}
	if to == nil {
		return false
	}
	if via == (route{}) {
		via = route{region: to.zone.region.name, addr: to.private}
	}
	_, shut := n.shut[via]
	return shut
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

// Shut makes the first packets of connections to an address get lost, or lets them pass again: what a security group does that allows nothing in. Those of
// the machine itself pass, and so does what belongs to a connection that is open. The region is as for [Tx.Route].
func (tx *Tx) Shut(region *Region, addr netip.Addr, shut bool) {
	key := route{addr: addr}
	if addr.IsPrivate() {
		key.region = region.name
	}
	n := &tx.cloud.net
	if _, is := n.shut[key]; is == shut {
		return
	}
	if shut {
		n.shut[key] = struct{}{}
	} else {
		delete(n.shut, key)
	}
	tx.rewire()
}

// Confine makes the first packets of connections that i opens get lost, or lets them pass again: what a security group does that allows nothing out. Calls
// to AWS pass, as those over open connections do.
func (tx *Tx) Confine(i *Instance, confined bool) {
	if i.confined != confined {
		i.confined = confined
		tx.rewire()
	}
}

// Name makes a DNS name lead to where resolve says; nil removes the name.
// resolve is asked once for each dial that it leads somewhere, with the cloud
// locked; a dial that it leads nowhere asks again every second.
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
	case at != f.to || at.boot != f.boot || f.from.boot() != f.home:
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
