package awstest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/awsha/awsha/internal/memnet"
)

// Fault is what can befall a [Zone] or an [Instance].
type Fault uint8

const (
	// PowerLoss stops machines dead: connections fall silent, memory is lost,
	// volumes stop. When it is healed the machines boot again, what was given
	// to [Instance.Serve] is served again, and old connections are reset. To
	// the EC2 API the instance stays running, with impaired status checks.
	PowerLoss Fault = iota
	// NetworkLoss cuts machines off while they go on running. In a zone it
	// cuts off everything that crosses the zone's border, calls to AWS
	// included. When it is healed, connections go on where they were.
	NetworkLoss
	zoneFaults // how many there are
)

// String returns "power loss" or "network loss".
func (f Fault) String() string {
	switch f {
	case PowerLoss:
		return "power loss"
	case NetworkLoss:
		return "network loss"
	}
	return fmt.Sprintf("Fault(%d)", uint8(f))
}

// InstanceSpec describes a machine to [Tx.NewInstance].
type InstanceSpec struct {
	ID   string
	Zone *Zone
}

// Instance is a machine of a [Cloud]: it has power or not, addresses, and
// programs that serve ports. EC2 instances are instances; an adapter of
// another service may make its own. It is safe for concurrent use.
type Instance struct {
	cloud    *Cloud
	id       string
	zone     *Zone
	launched time.Time

	// Guarded by the cloud's lock.
	on       bool // the API wants it running
	live     bool // it has power and runs
	boot     int  // how often it has booted
	faults   [zoneFaults]int
	reach    Reachability
	private  netip.Addr
	handlers map[uint16]http.Handler
	ports    map[uint16]*port
	metadata map[string]string
}

// port is a listening socket of a live instance.
type port struct {
	listener *memnet.Listener
	server   *http.Server // nil for a listener of the user's
	handler  http.Handler
}

// Instance returns the instance of that ID, and whether there is one.
func (c *Cloud) Instance(id string) (*Instance, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.net.instances[id]
	return i, ok
}

// ID returns the instance's ID, such as i-00000000000000001.
func (i *Instance) ID() string { return i.id }

// Zone returns the zone that the instance stands in.
func (i *Instance) Zone() *Zone { return i.zone }

// PrivateIP returns the instance's primary private address; the zero Addr if
// it has none.
func (i *Instance) PrivateIP() netip.Addr {
	i.cloud.mu.Lock()
	defer i.cloud.mu.Unlock()
	return i.private
}

// Running tells whether the instance has power and runs.
func (i *Instance) Running() bool {
	i.cloud.mu.Lock()
	defer i.cloud.mu.Unlock()
	return i.live
}

// Config is [Cloud.Config] as seen from the instance: the region is the
// instance's, GetCallerIdentity and the instance metadata service say who it
// is, and calls fail while it has neither power nor network.
func (i *Instance) Config() aws.Config { return i.cloud.config(i.zone.region.name, i) }

// Fail inflicts a fault on this instance alone until heal is called. Status
// checks show it, as they would show a crashed kernel.
func (i *Instance) Fail(f Fault) (heal func()) {
	return i.cloud.inflict(&i.faults[f], func(tx *Tx) { tx.refresh(i) })
}

// Fail inflicts a fault on the zone and on everything in it until heal is
// called. Launches into the zone are refused meanwhile.
func (z *Zone) Fail(f Fault) (heal func()) {
	c := z.region.cloud
	return c.inflict(&z.faults[f], func(tx *Tx) {
		for _, i := range c.net.instances {
			if i.zone == z {
				tx.refresh(i)
			}
		}
		for _, fn := range c.downed {
			fn(tx, z)
		}
	})
}

// inflict counts a fault and returns the function that takes it back, once.
func (c *Cloud) inflict(count *int, changed func(*Tx)) (heal func()) {
	c.Update(func(tx *Tx) {
		*count++
		changed(tx)
		tx.rewire()
	})
	healed := false
	return func() {
		c.Update(func(tx *Tx) {
			if healed {
				return
			}
			healed = true
			*count--
			changed(tx)
			tx.rewire()
		})
	}
}

// RefuseLaunches makes launches of an instance type into the zone fail for
// want of capacity, until heal is called. The empty type is every type.
func (z *Zone) RefuseLaunches(instanceType string) (heal func()) {
	c := z.region.cloud
	c.Update(func(*Tx) { z.refusals[instanceType]++ })
	healed := false
	return func() {
		c.Update(func(*Tx) {
			if !healed {
				healed = true
				z.refusals[instanceType]--
			}
		})
	}
}

// OnZone calls fn, with the cloud locked, whenever a fault of a zone begins
// or ends.
func (r *Registry) OnZone(fn func(*Tx, *Zone)) { r.cloud.downed = append(r.cloud.downed, fn) }

// Listen opens a port on a running instance, for a program that brings its
// own server. The listener dies with the machine; a program that wants to be
// there after a reboot listens again.
func (i *Instance) Listen(portNumber int) (net.Listener, error) {
	var l *memnet.Listener
	var err error
	i.cloud.Update(func(tx *Tx) {
		var p uint16
		if p, err = i.freePort(portNumber); err != nil {
			return
		}
		if !i.live {
			err = &FieldError{Field: "instance", Value: i.id, Rule: "must be running to listen"}
			return
		}
		l = i.open(p, nil).listener
		tx.rewire()
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Serve serves a port by h, now if the instance is running, and after every
// boot. Stop ends it: the port is closed, its connections are broken.
func (i *Instance) Serve(portNumber int, h http.Handler) (stop func(), err error) {
	if h == nil {
		return nil, &FieldError{Field: "h", Value: h, Rule: "must not be nil"}
	}
	i.cloud.Update(func(tx *Tx) {
		var p uint16
		if p, err = i.freePort(portNumber); err != nil {
			return
		}
		i.handlers[p] = h
		if i.live {
			tx.serve(i, p, h)
			tx.rewire()
		}
		stop = func() {
			i.cloud.Update(func(tx *Tx) {
				if _, serving := i.handlers[p]; serving {
					delete(i.handlers, p)
					tx.closePort(i, p)
				}
			})
		}
	})
	return stop, err
}

func (i *Instance) freePort(number int) (uint16, error) {
	p := uint16(number)
	switch {
	case number < 1 || number > 65535:
		return 0, &FieldError{Field: "port", Value: number, Rule: "must be from 1 to 65535"}
	case i.listening(p) != nil || i.handlers[p] != nil:
		return 0, &FieldError{Field: "port", Value: number, Rule: "is taken on " + i.id}
	}
	return p, nil
}

// listening returns the open port of that number, or nil.
func (i *Instance) listening(p uint16) *port {
	if open := i.ports[p]; open != nil && !open.listener.Closed() {
		return open
	}
	return nil
}

// reachable tells whether the instance runs and has a network, to AWS as well.
func (i *Instance) reachable() bool {
	return i.live && i.faults[NetworkLoss] == 0 && i.zone.faults[NetworkLoss] == 0
}

// NewInstance adds a machine, switched off and without addresses.
func (tx *Tx) NewInstance(spec InstanceSpec) *Instance {
	i := &Instance{
		cloud: tx.cloud, id: spec.ID, zone: spec.Zone, launched: tx.now, reach: Reachability{Since: tx.now},
		handlers: map[uint16]http.Handler{},
		ports:    map[uint16]*port{},
		metadata: map[string]string{},
	}
	tx.cloud.net.instances[i.id] = i
	return i
}

// PowerOn boots an instance; it runs at once unless a fault keeps it down.
func (tx *Tx) PowerOn(i *Instance) {
	i.on = true
	tx.refresh(i)
	tx.rewire()
}

// PowerOff shuts an instance down. Its programs end and its connections are
// closed in good order, as on a shutdown of the system.
func (tx *Tx) PowerOff(i *Instance) {
	tx.powerOff(i, true)
	tx.rewire()
}

func (tx *Tx) powerOff(i *Instance, orderly bool) {
	i.on = false
	if i.live {
		tx.halt(i, orderly)
	}
}

// Remove takes an instance out of the cloud, with its addresses.
func (tx *Tx) Remove(i *Instance) {
	tx.powerOff(i, true)
	delete(tx.cloud.net.instances, i.id)
	for key, owner := range tx.cloud.net.routes {
		if owner == i {
			delete(tx.cloud.net.routes, key)
		}
	}
	tx.rewire()
}

// SetMetadata makes the instance metadata service of i answer value under
// /latest/meta-data/ and the path given; the empty value removes the path.
func (tx *Tx) SetMetadata(i *Instance, path, value string) {
	if value == "" {
		delete(i.metadata, path)
		return
	}
	i.metadata[path] = value
}

// Instance returns the instance of that ID, and whether there is one.
func (tx *Tx) Instance(id string) (*Instance, bool) {
	i, ok := tx.cloud.net.instances[id]
	return i, ok
}

// InstanceAt returns the instance that an address leads to, seen from inside
// a region.
func (tx *Tx) InstanceAt(region *Region, addr netip.Addr) (*Instance, bool) {
	key := route{addr: addr}
	if addr.IsPrivate() {
		key.region = region.name
	}
	i, ok := tx.cloud.net.routes[key]
	return i, ok
}

// PrivateIP returns the instance's primary private address.
func (tx *Tx) PrivateIP(i *Instance) netip.Addr { return i.private }

// On tells whether an instance is switched on, which a fault does not change.
func (tx *Tx) On(i *Instance) bool { return i.on }

// Reachability is whether a machine runs and can be reached, and for how long
// it was as it was before.
type Reachability struct {
	OK     bool
	Since  time.Time
	Before time.Duration // in the opposite state
}

// Reachable tells whether a machine runs and can be reached, and since when
// that is so: what status checks look at.
func (tx *Tx) Reachable(i *Instance) Reachability { return i.reach }

// Down tells whether a zone has no power or no network.
func (tx *Tx) Down(z *Zone) bool { return z.down() }

// CanLaunch tells whether the zone has room for an instance of that type.
func (tx *Tx) CanLaunch(z *Zone, instanceType string) bool {
	return !z.down() && z.refusals[""] == 0 && z.refusals[instanceType] == 0
}

// refresh brings a machine into the state that its power and its faults ask
// for.
func (tx *Tx) refresh(i *Instance) {
	powered := i.on && i.faults[PowerLoss] == 0 && i.zone.faults[PowerLoss] == 0
	switch {
	case powered && !i.live:
		i.live = true
		i.boot++
		for p, h := range i.handlers {
			tx.serve(i, p, h)
		}
	case !powered && i.live:
		tx.halt(i, false)
	}
	tx.noteReach(i)
}

// noteReach notes when it changes whether an instance can be reached.
func (tx *Tx) noteReach(i *Instance) {
	if ok := i.reachable(); ok != i.reach.OK {
		i.reach = Reachability{OK: ok, Since: tx.now, Before: tx.now.Sub(i.reach.Since)}
	}
}

// halt stops a machine's programs. Without order, its connections do not say
// goodbye.
func (tx *Tx) halt(i *Instance, orderly bool) {
	i.live = false
	tx.noteReach(i)
	if !orderly {
		tx.cloud.net.vanish(tx, i)
	}
	for p := range i.ports {
		tx.closePort(i, p)
	}
	if orderly {
		tx.cloud.net.resetAll(tx, i)
	}
}

// open makes a listening port.
func (i *Instance) open(p uint16, h http.Handler) *port {
	l := memnet.NewListener(net.TCPAddrFromAddrPort(netip.AddrPortFrom(i.private, p)))
	opened := &port{listener: l, handler: h}
	i.ports[p] = opened
	return opened
}

// serve opens a port with an HTTP server behind it.
func (tx *Tx) serve(i *Instance, p uint16, h http.Handler) {
	opened := i.open(p, h)
	opened.server = &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	tx.Go(func(context.Context) { _ = opened.server.Serve(opened.listener) })
}

// closePort closes a port, and breaks its connections if the server is ours.
func (tx *Tx) closePort(i *Instance, p uint16) {
	closing := i.ports[p]
	if closing == nil {
		return
	}
	delete(i.ports, p)
	tx.AfterUnlock(func() {
		_ = closing.listener.Close()
		if closing.server != nil {
			_ = closing.server.Close()
		}
	})
}
