package elbmodel

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// The types and schemes of load balancers.
const (
	Application = "application"
	Network     = "network"
	Internal    = "internal"
)

// LoadBalancer is a load balancer. Nothing of it changes but the turn.
type LoadBalancer struct {
	BalancerSpec
	ARN, DNSName string
	Created      time.Time
	Subnets      []*ec2model.Subnet
	turn         int // of the round robin
}

// BalancerSpec is what a load balancer is made from.
type BalancerSpec struct {
	Name, Type, Scheme string
	SubnetIDs          []string
	SecurityGroups     []string
}

// same tells whether a repeated request asks for what is there already.
func (s *BalancerSpec) same(o *BalancerSpec) bool {
	return s.Name == o.Name && s.Type == o.Type && s.Scheme == o.Scheme &&
		sameSet(s.SubnetIDs, o.SubnetIDs) && sameSet(s.SecurityGroups, o.SecurityGroups)
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// activeAt returns when the load balancer is provisioned.
func (r *Region) activeAt(b *LoadBalancer) time.Time {
	return b.Created.Add(r.model.opts.Provisioning)
}

// Active tells whether a load balancer is provisioned.
func (r *Region) Active(b *LoadBalancer, at time.Time) bool { return !at.Before(r.activeAt(b)) }

// enabled tells whether a load balancer has a node in a zone.
func (b *LoadBalancer) enabled(z *awstest.Zone) bool {
	return slices.ContainsFunc(b.Subnets, func(s *ec2model.Subnet) bool { return s.Zone == z })
}

// CreateBalancer makes a load balancer with a node in each subnet's zone. The
// same request again returns what is there.
func (r *Region) CreateBalancer(tx *awstest.Tx, spec BalancerSpec) (*LoadBalancer, error) {
	if err := aBalancer.checkName(spec.Name); err != nil {
		return nil, err
	}
	b := &LoadBalancer{BalancerSpec: spec, Created: tx.Now()}
	for _, id := range spec.SubnetIDs {
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
	case spec.Type == Application && len(b.Subnets) < 2:
		return nil, invalid("At least two subnets in two different Availability Zones must be specified")
	case len(b.Subnets) == 0:
		return nil, invalid("At least one subnet must be specified")
	}
	for old := range r.Balancers(tx.Now()) {
		switch {
		case old.Name != spec.Name:
		case old.same(&spec):
			return old, nil
		default:
			return nil, awstest.Errorf("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", spec.Name)
		}
	}
	short := "app"
	if spec.Type == Network {
		short = "net"
	}
	var id string
	b.ARN, id = r.newARN(tx, "loadbalancer/"+short+"/"+spec.Name)
	b.DNSName = r.dnsName(spec, id)
	r.balancers.Put(tx.Now(), b.ARN, b)
	// Source: the SDK's comment on LoadBalancerAttribute, for the defaults (read 2026-11)
	r.settings.Put(tx.Now(), b.ARN, Settings{CrossZone: spec.Type == Application})
	tx.Schedule(r.activeAt(b), func(tx *awstest.Tx) { r.model.shift.Refresh(tx, r.region, b.ARN) })
	tx.Name(b.DNSName, func(tx *awstest.Tx, port uint16) awstest.Hop { return r.route(tx, b, port) })
	return b, nil
}

// dnsName names an application load balancer by digits before the region, and
// a network load balancer by its ID before elb.
func (r *Region) dnsName(spec BalancerSpec, id string) string {
	if spec.Type == Network {
		return fmt.Sprintf("%s-%s.elb.%s.amazonaws.com", spec.Name, id, r.region.Name())
	}
	name := fmt.Sprintf("%s-%s.%s.elb.amazonaws.com", spec.Name, id[len(id)-10:], r.region.Name())
	if spec.Scheme == Internal {
		name = "internal-" + name
	}
	return name
}

// Balancer returns a load balancer by its ARN.
func (r *Region) Balancer(at time.Time, arn string) (*LoadBalancer, error) {
	return get(r.balancers, aBalancer, at, arn)
}

// Balancers yields the load balancers.
func (r *Region) Balancers(at time.Time) iter.Seq[*LoadBalancer] { return values(r.balancers, at) }

// DeleteBalancer deletes a load balancer and its listeners; one that does not
// exist is no error.
func (r *Region) DeleteBalancer(tx *awstest.Tx, arn string) error {
	if err := aBalancer.check(arn); err != nil {
		return err
	}
	b, ok := r.balancers.Get(tx.Now(), arn)
	if !ok {
		return nil
	}
	for l := range r.Listeners(tx.Now()) {
		if l.Balancer == b {
			r.removeListener(tx, l)
		}
	}
	r.balancers.Delete(tx.Now(), arn)
	r.settings.Delete(tx.Now(), arn)
	r.model.shift.Refresh(tx, r.region, arn)
	tx.Name(b.DNSName, nil)
	return nil
}

// resource returns what the ARN of a listener contains of its load balancer.
func (b *LoadBalancer) resource() string {
	_, resource, _ := strings.Cut(b.ARN, aBalancer.part)
	return resource
}
