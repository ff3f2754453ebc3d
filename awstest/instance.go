package awstest

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/awsha/awsha/internal/memnet"
)

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
	onReach  func(*Tx)
	private  netip.Addr
	confined bool // it opens no connections
	handlers map[uint16]http.Handler
	ports    map[uint16]*port
	programs map[*context.CancelCauseFunc]context.CancelCauseFunc // what ends them
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
// boot. Stop ends it: the port is closed, its connections are broken. h must
// end when the request's context does.
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
		stopped := false
		stop = func() {
			i.cloud.Update(func(tx *Tx) {
				if !stopped {
					stopped = true
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
