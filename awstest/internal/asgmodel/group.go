package asgmodel

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// Group is an Auto Scaling group. Nothing of it changes but what its control
// does: a change makes a new one.
type Group struct {
	Spec
	ARN       string
	Created   time.Time
	Hooks     []Hook
	Sources   []Source
	Suspended []Suspension
	Tags      []Tag
	Status    string // Deleting, or empty

	control *control
}

// Deleting is the status of a group that is being deleted.
const Deleting = "Delete in progress"

// Spec is what a group is made from.
type Spec struct {
	Name              string
	Template          Template
	Min, Max, Desired int
	Zones             []*awstest.Zone
	Subnets           []*ec2model.Subnet // at least one in each zone
	ByZone            bool               // the zones were named, and not the subnets
	HealthCheckType   string             // as it was given
	ELBChecks         bool               // the type includes ELB
	Grace             time.Duration
	Cooldown          time.Duration
	Warmup            *time.Duration // nil: not set
	ProtectNew        bool
	Policies          []string // by which instances are chosen for termination
	BalancedOnly      bool
	Impairment        *Impairment
	Maintenance       *Maintenance
}

// Template is the launch template of a group or, with a number as its
// version, of an instance.
type Template struct{ ID, Name, Version string }

// Impairment is what a group does about a zonal shift.
type Impairment struct {
	ShiftEnabled    bool
	IgnoreUnhealthy bool
	Behavior        string // as it was given
}

// Maintenance is how many instances a replacement leaves in service, in
// percent of the desired capacity.
type Maintenance struct{ Min, Max int }

// Tag is a tag of a group.
type Tag struct {
	Key, Value string
	Propagate  bool // to instances, at their launch
}

// Limits of names and tags.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html (read 2026-11)
const (
	maxName     = 255
	defaultCool = 300 * time.Second
)

// DefaultCooldown of a group.
const DefaultCooldown = defaultCool

// CreateSpec is what CreateAutoScalingGroup asks for besides a Spec.
type CreateSpec struct {
	Spec
	Hooks   []Hook
	Sources []Source
	Tags    []Tag
}

// Create makes a group. Its instances follow.
func (r *Region) Create(tx *awstest.Tx, spec CreateSpec) (*Group, error) {
	if err := checkName(spec.Name); err != nil {
		return nil, err
	}
	if _, taken := r.groups.Get(tx.Now(), spec.Name); taken {
		return nil, awstest.Errorf("AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name %s already exists", spec.Name)
	}
	if r.Count(tx.Now()) >= r.model.opts.GroupQuota {
		return nil, awstest.Errorf("LimitExceeded", "Only %d AutoScalingGroups are allowed", r.model.opts.GroupQuota)
	}
	g := &Group{
		Spec: spec.Spec, Created: tx.Now(), Tags: spec.Tags,
		ARN:     fmt.Sprintf("arn:aws:autoscaling:%s:%s:autoScalingGroup:%s:autoScalingGroupName/%s", r.region.Name(), r.model.cloud.AccountID(), newUUID(tx, "group"), spec.Name),
		control: &control{region: r, name: spec.Name, zones: map[*awstest.Zone]*backoff{}},
	}
	if err := r.check(tx, g); err != nil {
		return nil, err
	}
	for _, h := range spec.Hooks {
		if err := g.putHook(h); err != nil {
			return nil, err
		}
	}
	for _, s := range spec.Sources {
		if err := r.checkSource(tx, s); err != nil {
			return nil, err
		}
		s.State = SourceInService // so it is documented of those that a group is made with
		g.Sources = append(g.Sources, s)
	}
	r.groups.Put(tx.Now(), g.Name, g)
	if g.shiftEnabled() {
		r.model.shift.Refresh(tx, r.region, g.ARN) // an autoshift may be under way
	}
	g.control.because(tx, "a user request created an AutoScalingGroup changing the desired capacity from 0 to %d.", g.Desired)
	g.control.poke(tx)
	return g, nil
}

// Count returns how many groups there are.
func (r *Region) Count(at time.Time) (n int) {
	for range r.groups.All(at) {
		n++
	}
	return n
}

// Quota returns how many groups a region allows.
func (r *Region) Quota() int { return r.model.opts.GroupQuota }

// Update changes the settings of a group. Existing instances stay as they
// are, but for those that the group has too many of.
func (r *Region) Update(tx *awstest.Tx, name string, desired *int, edit func(*Spec) error) (*Group, error) {
	g, err := r.changeable(tx, name)
	if err != nil {
		return nil, err
	}
	changed := *g
	if err := edit(&changed.Spec); err != nil {
		return nil, err
	}
	switch {
	case desired != nil:
		changed.Desired = *desired
	case changed.Desired < changed.Min:
		changed.Desired = changed.Min
	case changed.Desired > changed.Max:
		changed.Desired = changed.Max
	}
	if err := r.check(tx, &changed); err != nil {
		return nil, err
	}
	r.groups.Put(tx.Now(), name, &changed)
	if g.shiftEnabled() || changed.shiftEnabled() {
		r.model.shift.Refresh(tx, r.region, g.ARN) // an autoshift may hold for it now
	}
	if changed.Desired != g.Desired {
		g.control.because(tx, "a user request update of AutoScalingGroup constraints to min: %d, max: %d, desired: %d changing the desired capacity from %d to %d.",
			changed.Min, changed.Max, changed.Desired, g.Desired, changed.Desired)
	}
	if changed.Template != g.Template {
		g.control.templateRetry = backoff{} // what failed may go now
		clear(g.control.zones)              // and there may be room for another type
	}
	g.control.poke(tx)
	return &changed, nil
}

// change replaces a group by a changed copy. Slices of it are to be replaced,
// not changed.
func (r *Region) change(tx *awstest.Tx, name string, edit func(*Group)) *Group {
	g, _ := r.groups.Get(tx.Now(), name)
	changed := *g
	edit(&changed)
	r.groups.Put(tx.Now(), name, &changed)
	return &changed
}

// check holds a group against the rules of the API.
func (r *Region) check(tx *awstest.Tx, g *Group) error {
	switch {
	case g.Min < 0:
		return invalid("Min bound, %d, must be greater than or equal to 0", g.Min)
	case g.Max < g.Min:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", g.Max, g.Min)
	case g.Desired < g.Min || g.Desired > g.Max:
		return invalid("Desired capacity:%d must be between the specified min size:%d and max size:%d", g.Desired, g.Min, g.Max)
	case len(g.Zones) == 0:
		return invalid("At least one Availability Zone or VPC Subnet is required.")
	case g.Grace < 0:
		return invalid("HealthCheckGracePeriod must not be negative")
	case g.Cooldown < 0:
		return invalid("DefaultCooldown must not be negative")
	}
	if p := g.Maintenance; p != nil {
		// Source: InstanceMaintenancePolicy of the SDK (read 2026-11)
		switch {
		case p.Min < 0 || p.Min > 100:
			return invalid("MinHealthyPercentage must be between 0 and 100")
		case p.Max < 100 || p.Max > 200:
			return invalid("MaxHealthyPercentage must be between 100 and 200")
		case p.Max-p.Min > 100:
			return invalid("The difference between MinHealthyPercentage and MaxHealthyPercentage must not be greater than 100")
		}
	}
	if err := checkPolicies(g.Policies); err != nil {
		return err
	}
	return r.checkTemplate(tx, &g.Template)
}

// checkName holds the name of a group against the rules.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return invalid("AutoScalingGroupName must have from 1 to %d characters", maxName)
	}
	for _, c := range []byte(name) {
		if c < 33 || c > 126 || c == ':' {
			return invalid("AutoScalingGroupName '%s' must be made of the ASCII characters from 33 to 126, without colons", name)
		}
	}
	return nil
}

// subnetsIn returns the subnets of a group in a zone.
func (g *Group) subnetsIn(z *awstest.Zone) (list []*ec2model.Subnet) {
	for _, s := range g.Subnets {
		if s.Zone == z {
			list = append(list, s)
		}
	}
	return list
}

// uses tells whether the group launches into a zone.
func (g *Group) uses(z *awstest.Zone) bool { return slices.Contains(g.Zones, z) }

// message returns the text of an error of the API without its code.
func message(err error) string {
	if e, ok := errors.AsType[*awstest.APIError](err); ok {
		return e.Message
	}
	return err.Error()
}
