// Package asgmodel is Amazon EC2 Auto Scaling of awstest without its SDK
// client: groups that keep their number of instances, whatever happens to the
// instances and to the zones. Its errors are the service's own.
//
// Every function that changes something takes the cloud's lock in the form of
// a *awstest.Tx. Reads name the moment as of which they are served.
package asgmodel

import (
	"fmt"
	"iter"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
	"github.com/awsha/awsha/awstest/internal/history"
	"github.com/awsha/awsha/awstest/internal/zonalshiftmodel"
)

// Options are the durations and limits of Auto Scaling.
type Options struct {
	// Reaction is from a change to a group until Auto Scaling acts on it.
	// Transition is from one lifecycle state to the next where nothing else is
	// waited for.
	Reaction, Transition time.Duration

	// HealthChecks is how long Auto Scaling takes to see what has happened to
	// the health of an instance. Impaired is how long it lets failed status
	// checks pass.
	HealthChecks, Impaired time.Duration

	// LaunchTimeout is how long an instance may take to run.
	LaunchTimeout time.Duration

	// Retry is from a launch that failed to the next try; it doubles with each
	// failure, up to RetryMax.
	Retry, RetryMax time.Duration

	// GroupQuota is how many groups a region allows.
	GroupQuota int
}

// Model is Auto Scaling in every region of a cloud.
type Model struct {
	cloud   *awstest.Cloud
	ec2     *ec2model.Model
	elb     *elbmodel.Model
	shift   *zonalshiftmodel.Model
	cw      *cwmodel.Model
	opts    Options
	regions map[*awstest.Region]*Region
	onEvent []func(*awstest.Tx, *awstest.Region, Event)
}

// Of returns the model of the cloud that is being made.
func Of(r *awstest.Registry) *Model {
	return awstest.Shared(r, func(c *awstest.Cloud) *Model {
		m := &Model{
			cloud: c, ec2: ec2model.Of(r), elb: elbmodel.Of(r), shift: zonalshiftmodel.Of(r), cw: cwmodel.Of(r),
			// AWS promises none of these times. The guide says of Impaired that it
			// is "a few minutes".
			// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html (read 2026-11)
			opts: Options{
				Reaction: 5 * time.Second, Transition: time.Second,
				HealthChecks: 15 * time.Second, Impaired: 3 * time.Minute,
				LaunchTimeout: 10 * time.Minute,
				Retry:         30 * time.Second, RetryMax: 10 * time.Minute,
				// Source: DescribeAccountLimitsOutput of the SDK (read 2026-11)
				GroupQuota: 200,
			},
			regions: map[*awstest.Region]*Region{},
		}
		m.ec2.OnState(m.instanceChanged)
		m.ec2.OnStatus(m.statusChanged)
		m.elb.OnHealth(m.targetChanged)
		m.shift.RegisterKind(m.kind())
		m.cw.OnAction("arn:aws:autoscaling:", m.alarmed)
		return m
	})
}

// Configure replaces the options.
func (m *Model) Configure(change func(*Options)) { change(&m.opts) }

// Region is Auto Scaling in a region.
type Region struct {
	model      *Model
	region     *awstest.Region
	groups     *history.Table[string, *Group]   // by name
	members    *history.Table[string, Member]   // by instance ID
	activities *history.Table[string, Activity] // by ID
	policies   *history.Table[string, Policy]   // by ARN
	live       map[string]*member               // by instance ID
	recorded   uint64                           // activities so far
	tokens     map[string]remembered            // of LaunchInstances
}

// Region returns Auto Scaling in a region.
func (m *Model) Region(r *awstest.Region) *Region {
	if known, ok := m.regions[r]; ok {
		return known
	}
	region := &Region{
		model: m, region: r,
		groups:     history.NewTable[string, *Group](awstest.Memory),
		members:    history.NewTable[string, Member](awstest.Memory),
		activities: history.NewTable[string, Activity](awstest.Memory),
		policies:   history.NewTable[string, Policy](awstest.Memory),
		live:       map[string]*member{},
		tokens:     map[string]remembered{},
	}
	m.regions[r] = region
	return region
}

// member returns the instance of that ID, if it is in a group of the region.
func (m *Model) member(region *awstest.Region, id string) (*member, bool) {
	r, ok := m.regions[region]
	if !ok {
		return nil, false
	}
	mb, ok := r.live[id]
	return mb, ok
}

// instanceChanged hears of every state that an instance of EC2 enters.
func (m *Model) instanceChanged(tx *awstest.Tx, _ *ec2model.Region, i ec2model.Instance) {
	if mb, ok := m.member(i.Zone.Region(), i.ID); ok {
		mb.control.instanceChanged(tx, mb, i)
	}
}

// statusChanged hears of what status checks say.
func (m *Model) statusChanged(tx *awstest.Tx, _ *ec2model.Region, i ec2model.Instance, impaired bool) {
	mb, ok := m.member(i.Zone.Region(), i.ID)
	switch {
	case !ok:
	case !impaired:
		mb.impaired = time.Time{}
	case mb.impaired.IsZero():
		mb.impaired = tx.Now()
		mb.control.wake(tx, tx.Now().Add(m.opts.HealthChecks))
	}
}

// targetChanged hears of what the health checks of load balancers say.
func (m *Model) targetChanged(tx *awstest.Tx, _ *elbmodel.Region, _ string, t elbmodel.TargetHealth) {
	i, ok := tx.Instance(t.ID)
	if !ok || t.State != elbmodel.Unhealthy && t.State != elbmodel.Healthy {
		return
	}
	if mb, ok := m.member(i.Zone().Region(), t.ID); ok {
		mb.control.wake(tx, tx.Now().Add(m.opts.HealthChecks))
	}
}

func (r *Region) ec2(tx *awstest.Tx) *ec2model.Region { return r.model.ec2.Region(tx, r.region) }

func (r *Region) cloudWatch() *cwmodel.Region { return r.model.cw.Region(r.region) }

func (r *Region) elb() *elbmodel.Region { return r.model.elb.Region(r.region) }

// Group returns a group by its name.
func (r *Region) Group(at time.Time, name string) (*Group, error) {
	if g, ok := r.groups.Get(at, name); ok {
		return g, nil
	}
	return nil, invalid("AutoScalingGroup name not found - %s", name)
}

// changeable returns a group that is not being deleted.
func (r *Region) changeable(tx *awstest.Tx, name string) (*Group, error) {
	g, err := r.Group(tx.Now(), name)
	if err == nil && g.Status != "" {
		err = pendingDelete(name)
	}
	return g, err
}

// pendingDelete has the code that the reference gives to most operations on a
// group; which error a group that is being deleted answers is not documented.
func pendingDelete(name string) error {
	return invalid("AutoScalingGroup '%s' is pending delete", name)
}

// Groups yields the groups, in the order of their creation.
func (r *Region) Groups(at time.Time) iter.Seq2[string, *Group] { return r.groups.All(at) }

// Members yields the instances of all groups.
func (r *Region) Members(at time.Time) iter.Seq2[string, Member] { return r.members.All(at) }

// Member returns the instance of that ID, if it is in a group.
func (r *Region) Member(at time.Time, instance string) (Member, bool) {
	return r.members.Get(at, instance)
}

// newUUID makes an ID in the form of a UUID, from a counter of its kind.
func newUUID(tx *awstest.Tx, kind string) string {
	id := tx.NewID("autoscaling-" + kind)
	return fmt.Sprintf("00000000-%04x-4000-8000-%s", len(kind), id[len(id)-12:])
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationError", format, args...)
}
