package awstest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/awsha/awsha/internal/memnet"
)

// InstanceSpec describes a machine to [Tx.NewInstance].
type InstanceSpec struct {
	ID   string
	Zone *Zone

	// Reach hears when it has changed whether the machine runs and can be
	// reached, in the middle of that change: it must do no more than to
	// schedule what follows. Optional.
	Reach func(*Tx)
}

// NewInstance adds a machine, switched off and without addresses.
func (tx *Tx) NewInstance(spec InstanceSpec) *Instance {
	i := &Instance{
		cloud: tx.cloud, id: spec.ID, zone: spec.Zone, launched: tx.now, reach: Reachability{Since: tx.now}, onReach: spec.Reach,
		handlers: map[uint16]http.Handler{},
		ports:    map[uint16]*port{},
		programs: map[*context.CancelCauseFunc]context.CancelCauseFunc{},
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

// PowerCut switches an instance off without a shutdown of its system: its connections fall silent.
func (tx *Tx) PowerCut(i *Instance) {
	tx.powerOff(i, false)
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

// Boots tells how often an instance has booted. What ran in it when it lost its
// power is gone when that has become more.
func (tx *Tx) Boots(i *Instance) int { return i.boot }

// Reachability is whether a machine runs and can be reached, or a zone is up,
// and for how long it was as it was before.
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

// ZoneReachable tells whether a zone has power and network, and since when
// that is so: what status checks of things that are no machines look at.
func (tx *Tx) ZoneReachable(z *Zone) Reachability {
	return Reachability{OK: !z.down(), Since: z.changed, Before: z.before}
}

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
		if fn, n := tx.cloud.opts.OnBoot, i.boot; fn != nil {
			tx.AfterUnlock(func() { fn(i, n) })
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
		if i.onReach != nil {
			i.onReach(tx)
		}
	}
}

// halt stops a machine's programs. Without order, its connections do not say
// goodbye.
func (tx *Tx) halt(i *Instance, orderly bool) {
	i.live = false
	tx.noteReach(i)
	tx.kill(i)
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
	opened.server = &http.Server{Handler: tx.cloud.counted(h), ErrorLog: log.New(io.Discard, "", 0)}
	tx.Go(func(context.Context) { _ = opened.server.Serve(opened.listener) })
}

// counted makes Close wait for a handler.
func (c *Cloud) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return // its connection is being reset
		}
		c.wg.Add(1)
		c.mu.Unlock()
		defer c.wg.Done()
		h.ServeHTTP(w, r)
	})
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
