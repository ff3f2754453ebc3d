// Package elbmodel is Elastic Load Balancing v2 of awstest without its SDK
// client: load balancers with listeners, target groups, and the health checks
// that really ask the targets.
package elbmodel

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Options are the durations of Elastic Load Balancing.
type Options struct {
	// Provisioning is from the creation of a load balancer to its being
	// active; Registration from that of a target to its first check.
	Provisioning, Registration time.Duration
}

// Model is Elastic Load Balancing in every region of a cloud.
type Model struct {
	cloud   *awstest.Cloud
	ec2     *ec2model.Model
	opts    Options
	regions map[*awstest.Region]*Region
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		return &Model{
			cloud: c, ec2: ec2model.Of(r),
			// Typical times; AWS promises none.
			opts:    Options{Provisioning: 2 * time.Minute, Registration: 5 * time.Second},
			regions: map[*awstest.Region]*Region{},
		}
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// Region is Elastic Load Balancing in a region.
type Region struct {
	model     *Model
	region    *awstest.Region
	groups    map[string]*Group // by ARN
	balancers map[string]*LoadBalancer
	listeners map[string]*Listener
	order     []string // ARNs of all of them, as created
	health    *history.Table[healthKey, Health]
}

type healthKey struct {
	group  string
	target TargetKey
}

// Region returns Elastic Load Balancing in a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, region: r,
		groups: map[string]*Group{}, balancers: map[string]*LoadBalancer{}, listeners: map[string]*Listener{},
		health: history.NewTable[healthKey, Health](awstest.Memory),
	}
	m.regions[r] = region
	return region
}

// arn makes the name of a resource that ends in an ID of sixteen digits.
func (r *Region) arn(tx *awstest.Tx, resource string) string {
	id := tx.NewID("elb")
	arn := fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:%s/%s", r.region.Name(), r.model.cloud.AccountID(), resource, id[len(id)-16:])
	r.order = append(r.order, arn)
	return arn
}

// inOrder yields the values of a map in the order of their creation.
func inOrder[T any](r *Region, m map[string]T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, arn := range r.order {
			if v, ok := m[arn]; ok && !yield(v) {
				return
			}
		}
	}
}

// LoadBalancer is a load balancer. On the data plane it forwards connections,
// whatever its type.
type LoadBalancer struct {
	ARN, Name, DNSName string
	Type, Scheme       string
	Subnets            []*ec2model.Subnet
	Created            time.Time
	turn               int // of the round robin
}

// Active tells whether the load balancer is provisioned.
func (r *Region) Active(b *LoadBalancer, at time.Time) bool {
	return !at.Before(b.Created.Add(r.model.opts.Provisioning))
}

// enabled tells whether a load balancer has a node in a zone.
func (b *LoadBalancer) enabled(z *awstest.Zone) bool {
	for _, s := range b.Subnets {
		if s.Zone == z {
			return true
		}
	}
	return false
}

// Listener forwards a port of a load balancer to a target group.
type Listener struct {
	ARN, Protocol string
	Balancer      *LoadBalancer
	Port          uint16
	Group         *Group
}

// CreateBalancer makes a load balancer with a node in each subnet's zone.
func (r *Region) CreateBalancer(tx *awstest.Tx, name, kind, scheme string, subnetIDs []string) (*LoadBalancer, error) {
	if !validName(name) {
		return nil, awstest.Errorf("ValidationError", "The load balancer name '%s' must have 1 to 32 letters, digits or hyphens, and must not begin or end with a hyphen", name)
	}
	b := &LoadBalancer{Name: name, Type: kind, Scheme: scheme, Created: tx.Now()}
	for _, id := range subnetIDs {
		s, err := r.model.ec2.Region(tx, r.region).Subnet(id)
		if err != nil {
			return nil, awstest.Errorf("SubnetNotFound", "The subnet ID '%s' does not exist", id)
		}
		if b.enabled(s.Zone) {
			return nil, awstest.Errorf("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		b.Subnets = append(b.Subnets, s)
	}
	switch {
	case len(b.Subnets) == 0:
		return nil, awstest.Errorf("ValidationError", "You must specify subnets")
	case kind == "application" && len(b.Subnets) < 2:
		return nil, awstest.Errorf("InvalidConfigurationRequest", "At least two subnets in two different Availability Zones must be specified")
	}
	for old := range inOrder(r, r.balancers) {
		if old.Name == name {
			return nil, awstest.Errorf("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", name)
		}
	}
	short := "app"
	if kind == "network" {
		short = "net"
	}
	b.ARN = r.arn(tx, "loadbalancer/"+short+"/"+name)
	b.DNSName = strings.ToLower(fmt.Sprintf("%s-%s.elb.%s.amazonaws.com", name, b.ARN[len(b.ARN)-16:], r.region.Name()))
	r.balancers[b.ARN] = b
	tx.Name(b.DNSName, func(tx *awstest.Tx, port uint16) awstest.Hop { return r.route(tx, b, port) })
	return b, nil
}

// Balancer returns a load balancer by its ARN.
func (r *Region) Balancer(arn string) (*LoadBalancer, error) {
	if b, ok := r.balancers[arn]; ok {
		return b, nil
	}
	return nil, awstest.Errorf("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
}

// Balancers yields the load balancers.
func (r *Region) Balancers() iter.Seq[*LoadBalancer] { return inOrder(r, r.balancers) }

// DeleteBalancer deletes a load balancer and its listeners; one that does not
// exist is no error.
func (r *Region) DeleteBalancer(tx *awstest.Tx, arn string) {
	b, ok := r.balancers[arn]
	if !ok {
		return
	}
	for l := range inOrder(r, r.listeners) {
		if l.Balancer == b {
			r.removeListener(l)
		}
	}
	delete(r.balancers, arn)
	tx.Name(b.DNSName, nil)
}

// CreateListener makes a load balancer forward a port to a group, and so
// starts the health checks of a group that was not in use.
func (r *Region) CreateListener(tx *awstest.Tx, balancer, protocol string, port uint16, group string) (*Listener, error) {
	b, err := r.Balancer(balancer)
	if err != nil {
		return nil, err
	}
	g, err := r.Group(group)
	if err != nil {
		return nil, err
	}
	for l := range inOrder(r, r.listeners) {
		if l.Balancer == b && l.Port == port {
			return nil, awstest.Errorf("DuplicateListener", "A listener already exists on port %d for load balancer '%s'", port, b.ARN)
		}
	}
	l := &Listener{ARN: r.arn(tx, "listener/"+b.ARN[strings.Index(b.ARN, "loadbalancer/")+len("loadbalancer/"):]), Protocol: protocol, Balancer: b, Port: port, Group: g}
	r.listeners[l.ARN] = l
	if g.uses++; g.uses == 1 {
		for _, t := range g.targets {
			r.begin(tx, g, t)
		}
	}
	return l, nil
}

// Listener returns a listener by its ARN.
func (r *Region) Listener(arn string) (*Listener, error) {
	if l, ok := r.listeners[arn]; ok {
		return l, nil
	}
	return nil, awstest.Errorf("ListenerNotFound", "Listener '%s' not found", arn)
}

// Listeners yields the listeners.
func (r *Region) Listeners() iter.Seq[*Listener] { return inOrder(r, r.listeners) }

// DeleteListener deletes a listener.
func (r *Region) DeleteListener(arn string) error {
	l, err := r.Listener(arn)
	if err != nil {
		return err
	}
	r.removeListener(l)
	return nil
}

func (r *Region) removeListener(l *Listener) {
	delete(r.listeners, l.ARN)
	l.Group.uses--
}

// route picks the target of a new connection to a load balancer: the healthy
// ones in turn, or all of them if none is healthy.
func (r *Region) route(tx *awstest.Tx, b *LoadBalancer, port uint16) awstest.Hop {
	if !r.Active(b, tx.Now()) {
		return awstest.Hop{}
	}
	for l := range inOrder(r, r.listeners) {
		if l.Balancer != b || l.Port != port {
			continue
		}
		var healthy, open []awstest.Hop
		for _, t := range l.Group.targets {
			machine, ok := r.machine(tx, l.Group, t.key)
			if !ok || !b.enabled(machine.Zone()) || t.health.State == Draining || t.health.State == Unused {
				continue
			}
			hop := awstest.Hop{Instance: machine, Port: t.key.Port}
			open = append(open, hop)
			if t.health.State == Healthy {
				healthy = append(healthy, hop)
			}
		}
		if len(healthy) == 0 {
			healthy = open
		}
		if len(healthy) == 0 {
			return awstest.Hop{Refused: true}
		}
		b.turn++
		return healthy[b.turn%len(healthy)]
	}
	return awstest.Hop{Refused: true}
}

// validName holds for load balancers and target groups.
func validName(name string) bool {
	if name == "" || len(name) > 32 || strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-") {
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
