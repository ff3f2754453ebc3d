package elbmodel

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
)

// Listener forwards a port of a load balancer to a target group. Nothing of
// it changes.
type Listener struct {
	ListenerSpec
	ARN      string
	Balancer *LoadBalancer
}

// ListenerSpec is what a listener is made from.
type ListenerSpec struct {
	Protocol     string
	Port         uint16
	Group        string // ARN
	Certificates []string
	Policy       string
}

func (s *ListenerSpec) same(o *ListenerSpec) bool {
	return s.Protocol == o.Protocol && s.Port == o.Port && s.Group == o.Group && s.Policy == o.Policy && slices.Equal(s.Certificates, o.Certificates)
}

// forwards are the protocols that the listeners of a type of load balancer
// have, each with those of the groups that it can forward to.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html#listener-configuration (read 2026-11)
var forwards = map[string]map[string][]string{
	Application: {"HTTP": {"HTTP", "HTTPS"}, "HTTPS": {"HTTP", "HTTPS"}},
	Network:     {"TCP": {"TCP"}, "TLS": {"TCP", "TLS"}},
}

// encrypted tells whether a listener of that protocol has a certificate.
func encrypted(protocol string) bool { return protocol == "HTTPS" || protocol == "TLS" }

func (s *ListenerSpec) check(b *LoadBalancer, g *Group) error {
	groups, ok := forwards[b.Type][s.Protocol]
	switch {
	case !ok && b.Type == Application:
		return invalid("Listener protocol '%s' must be one of 'HTTPS, HTTP'", s.Protocol)
	case !ok:
		return invalid("Listener protocol '%s' must be one of 'TLS, TCP'", s.Protocol)
	case encrypted(s.Protocol) && len(s.Certificates) == 0:
		return invalid("A certificate must be specified for %s listeners", s.Protocol)
	case !encrypted(s.Protocol) && (len(s.Certificates) > 0 || s.Policy != ""):
		return invalid("A certificate and a security policy cannot be specified for %s listeners", s.Protocol)
	case !slices.Contains(groups, g.Protocol):
		return awstest.Errorf("IncompatibleProtocols", "Listener protocol '%s' cannot forward to target group '%s' of protocol '%s'", s.Protocol, g.ARN, g.Protocol)
	case g.pool.balancer != nil && g.pool.balancer != b:
		return awstest.Errorf("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", g.ARN)
	}
	return nil
}

// CreateListener makes a load balancer forward a port to a group, and so
// starts the health checks of a group that was not in use. The same request
// again returns what is there.
func (r *Region) CreateListener(tx *awstest.Tx, balancer string, spec ListenerSpec) (*Listener, error) {
	b, err := r.Balancer(tx.Now(), balancer)
	if err != nil {
		return nil, err
	}
	g, err := r.Group(tx.Now(), spec.Group)
	if err != nil {
		return nil, err
	}
	if err := spec.check(b, g); err != nil {
		return nil, err
	}
	for old := range r.Listeners(tx.Now()) {
		switch {
		case old.Balancer != b || old.Port != spec.Port:
		case old.same(&spec):
			return old, nil
		default:
			return nil, awstest.Errorf("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", b.ARN)
		}
	}
	l := &Listener{ListenerSpec: spec, Balancer: b}
	l.ARN, _ = r.newARN(tx, strings.Trim(aListener.part, ":/")+"/"+b.resource())
	r.listeners.Put(tx.Now(), l.ARN, l)
	g.pool.balancer = b
	if g.pool.listeners++; g.pool.listeners == 1 {
		for _, t := range g.pool.targets {
			if t.health.State != Draining {
				r.begin(tx, g.pool, t)
			}
		}
	}
	return l, nil
}

// Listener returns a listener by its ARN.
func (r *Region) Listener(at time.Time, arn string) (*Listener, error) {
	return get(r.listeners, aListener, at, arn)
}

// Listeners yields the listeners.
func (r *Region) Listeners(at time.Time) iter.Seq[*Listener] { return values(r.listeners, at) }

// DeleteListener deletes a listener.
func (r *Region) DeleteListener(tx *awstest.Tx, arn string) error {
	l, err := r.Listener(tx.Now(), arn)
	if err != nil {
		return err
	}
	r.removeListener(tx, l)
	return nil
}

// removeListener ends the health checks of a group that is not in use any
// more. Its targets stay registered.
func (r *Region) removeListener(tx *awstest.Tx, l *Listener) {
	r.listeners.Delete(tx.Now(), l.ARN)
	g, _ := r.groups.Get(tx.Now(), l.Group) // in use, so that it is there
	if g.pool.listeners--; g.pool.listeners > 0 {
		return
	}
	g.pool.balancer = nil
	for _, t := range g.pool.targets {
		if t.health.State != Draining {
			r.begin(tx, g.pool, t)
		}
	}
}
