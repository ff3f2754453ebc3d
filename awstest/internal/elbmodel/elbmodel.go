// Package elbmodel is Elastic Load Balancing v2 of awstest without its SDK
// client: load balancers with listeners, target groups, and the health checks
// that really ask the targets. Its errors are the service's own.
//
// Every function that changes something takes the cloud's lock in the form of
// a *awstest.Tx. Reads name the moment as of which they are served; changes
// and the data plane look at the present.
package elbmodel

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/history"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// Options are the durations of Elastic Load Balancing.
type Options struct {
	// Provisioning is from the creation of a load balancer to its being
	// active; Registration from that of a target to its first check.
	Provisioning, Registration time.Duration
}

// Model is Elastic Load Balancing in every region of a cloud.
type Model struct {
	cloud *awstest.Cloud
	ec2   *ec2model.Model
	shift *zonalshiftmodel.Model
	opts  Options

	onHealth []func(*awstest.Tx, *Region, string, TargetHealth)

	regions map[*awstest.Region]*Region
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		m := &Model{
			cloud: c, ec2: ec2model.Of(r), shift: zonalshiftmodel.Of(r),
			// Typical times; AWS promises none.
			opts:    Options{Provisioning: 2 * time.Minute, Registration: 5 * time.Second},
			regions: map[*awstest.Region]*Region{},
		}
		m.shift.RegisterKind(m.kind())
		return m
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// Region is Elastic Load Balancing in a region. Its tables are by ARN.
type Region struct {
	model     *Model
	region    *awstest.Region
	balancers *history.Table[string, *LoadBalancer]
	settings  *history.Table[string, Settings] // of load balancers
	listeners *history.Table[string, *Listener]
	groups    *history.Table[string, *Group]
}

// Region returns Elastic Load Balancing in a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, region: r,
		balancers: history.NewTable[string, *LoadBalancer](awstest.Memory),
		settings:  history.NewTable[string, Settings](awstest.Memory),
		listeners: history.NewTable[string, *Listener](awstest.Memory),
		groups:    history.NewTable[string, *Group](awstest.Memory),
	}
	m.regions[r] = region
	return region
}

// newARN makes the name of a resource, which ends in an ID of sixteen digits.
func (r *Region) newARN(tx *awstest.Tx, resource string) (arn, id string) {
	id = tx.NewID("elb")
	id = id[len(id)-16:]
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:%s/%s", r.region.Name(), r.model.cloud.AccountID(), resource, id), id
}

// kind is a kind of resource: what its ARNs contain, what it is called, and
// the code of one that is not there.
type kind struct{ part, name, notFound string }

var (
	aBalancer = kind{":loadbalancer/", "load balancer", "LoadBalancerNotFound"}
	aListener = kind{":listener/", "listener", "ListenerNotFound"}
	aGroup    = kind{":targetgroup/", "target group", "TargetGroupNotFound"}
)

// check refuses what is no ARN of this kind.
func (k kind) check(arn string) error {
	if !strings.HasPrefix(arn, "arn:aws:elasticloadbalancing:") || !strings.Contains(arn, k.part) {
		return awstest.Errorf("ValidationError", "'%s' is not a valid %s ARN", arn, k.name)
	}
	return nil
}

// get returns the resource of an ARN as of a moment.
func get[T any](t *history.Table[string, T], k kind, at time.Time, arn string) (v T, err error) {
	if err := k.check(arn); err != nil {
		return v, err
	}
	v, ok := t.Get(at, arn)
	if !ok {
		return v, awstest.Errorf(k.notFound, "One or more %ss not found: '%s'", k.name, arn)
	}
	return v, nil
}

// values yields the values of a table as of a moment, in the order of their
// creation.
func values[T any](t *history.Table[string, T], at time.Time) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, v := range t.All(at) {
			if !yield(v) {
				return
			}
		}
	}
}

// checkName holds a name of a load balancer or a target group against the
// rules.
func (k kind) checkName(name string) error {
	invalid := func(rule string) error {
		return awstest.Errorf("ValidationError", "The %s name '%s' %s", k.name, name, rule)
	}
	switch {
	case name == "" || len(name) > 32:
		return invalid("must have from 1 to 32 characters")
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return invalid("must not begin or end with a hyphen")
	case k == aBalancer && strings.HasPrefix(name, "internal-"):
		return invalid("must not begin with 'internal-'")
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return invalid("can contain letters, digits and hyphens only")
		}
	}
	return nil
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationError", format, args...)
}

// CheckPort refuses what is no TCP port.
func CheckPort(port int32) error {
	if port < 1 || port > 65535 {
		return invalid("Port '%d' must be from 1 to 65535", port)
	}
	return nil
}
