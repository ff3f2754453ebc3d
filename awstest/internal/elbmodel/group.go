package elbmodel

import (
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// Group is a target group. Nothing of it changes but its pool: a change makes
// a new one.
type Group struct {
	GroupSpec
	Attributes
	ARN     string
	matcher matcher // of Check.Matcher
	pool    *pool
}

// GroupSpec is what a target group is made from.
type GroupSpec struct {
	Name       string
	Protocol   string
	Version    string // of HTTP; empty for other protocols
	Port       uint16
	TargetType string // Instances or Addresses
	VPC        string
	Check      Check
}

// The target types that are modelled.
const (
	Instances = "instance"
	Addresses = "ip"
)

// pool is the live part of a group: its targets, and the load balancer that
// checks them.
type pool struct {
	region    *Region
	group     string // ARN
	targets   []*target
	health    *history.Table[TargetKey, Health]
	balancer  *LoadBalancer // nil while no listener forwards to the group
	listeners int           // that forward to the group
}

// CreateGroup makes a target group. The same request again returns what is
// there.
func (r *Region) CreateGroup(tx *awstest.Tx, spec GroupSpec) (*Group, error) {
	if err := aGroup.checkName(spec.Name); err != nil {
		return nil, err
	}
	if vpc := r.model.ec2.Region(tx, r.region).VPC(); spec.VPC != vpc.ID {
		return nil, invalid("The VPC ID '%s' is not found", spec.VPC)
	}
	m, err := spec.Check.validate(spec.Protocol)
	if err != nil {
		return nil, err
	}
	for old := range r.Groups(tx.Now()) {
		switch {
		case old.Name != spec.Name:
		case old.GroupSpec == spec:
			return old, nil
		default:
			return nil, awstest.Errorf("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", spec.Name)
		}
	}
	arn, _ := r.newARN(tx, "targetgroup/"+spec.Name)
	g := &Group{
		GroupSpec: spec, Attributes: defaultAttributes(), ARN: arn, matcher: m,
		pool: &pool{region: r, group: arn, health: history.NewTable[TargetKey, Health](awstest.Memory)},
	}
	r.groups.Put(tx.Now(), arn, g)
	return g, nil
}

// Group returns a target group by its ARN.
func (r *Region) Group(at time.Time, arn string) (*Group, error) {
	return get(r.groups, aGroup, at, arn)
}

// Groups yields the target groups.
func (r *Region) Groups(at time.Time) iter.Seq[*Group] { return values(r.groups, at) }

// ModifyCheck changes a group's health check. Checks that are under way end
// by the old one.
func (r *Region) ModifyCheck(tx *awstest.Tx, g *Group, change func(*Check)) (*Group, error) {
	changed := *g
	change(&changed.Check)
	m, err := changed.Check.validate(g.Protocol)
	if err != nil {
		return nil, err
	}
	changed.matcher = m
	r.groups.Put(tx.Now(), g.ARN, &changed)
	return &changed, nil
}

// DeleteGroup deletes a target group that no listener uses; one that does not
// exist is no error.
func (r *Region) DeleteGroup(tx *awstest.Tx, arn string) error {
	if err := aGroup.check(arn); err != nil {
		return err
	}
	g, ok := r.groups.Get(tx.Now(), arn)
	if !ok {
		return nil
	}
	if g.pool.balancer != nil {
		return awstest.Errorf("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
	}
	for len(g.pool.targets) > 0 {
		g.pool.drop(tx, g.pool.targets[0])
	}
	r.groups.Delete(tx.Now(), arn)
	return nil
}

// BalancerOf returns the load balancer that forwards to a group, if one does.
// It can be one only.
func (r *Region) BalancerOf(at time.Time, group string) (*LoadBalancer, bool) {
	for l := range r.Listeners(at) {
		if l.Group == group {
			return l.Balancer, true
		}
	}
	return nil, false
}
