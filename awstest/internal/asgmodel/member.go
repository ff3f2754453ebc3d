package asgmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// State is a lifecycle state, by Auto Scaling's name.
type State string

// The lifecycle states that are modelled.
const (
	Pending            State = "Pending"
	PendingWait        State = "Pending:Wait"
	PendingProceed     State = "Pending:Proceed"
	InService          State = "InService"
	Terminating        State = "Terminating"
	TerminatingWait    State = "Terminating:Wait"
	TerminatingProceed State = "Terminating:Proceed"
	Detaching          State = "Detaching"
	EnteringStandby    State = "EnteringStandby"
	Standby            State = "Standby"
)

// counts tells whether an instance in this state is part of the capacity of
// its group.
func (s State) counts() bool { return s == InService || s.starting() }

func (s State) starting() bool { return s == Pending || s == PendingWait || s == PendingProceed }

func (s State) ending() bool {
	return s == Terminating || s == TerminatingWait || s == TerminatingProceed
}

// Member is an instance in a group.
type Member struct {
	ID, Group string
	Zone      *awstest.Zone
	Subnet    *ec2model.Subnet
	Type      string
	Launched  time.Time
	Template  Template // zero if the instance was attached
	State     State
	Unhealthy bool
	Protected bool
}

// member is the live part of an instance in a group.
type member struct {
	Member
	control *control
	turn    int // counts states: a step that was scheduled in an earlier one is void

	inService time.Time // zero until it is
	spare     bool      // on top of the desired capacity, until it is ready
	warmup    time.Duration
	impaired  time.Time // since when failed status checks have been seen
	cause     string    // of its being unhealthy
	urgent    bool      // it is replaced whatever the state of the group
	told      bool      // EC2 is to terminate it

	actions   []*action // lifecycle actions that are waited for
	launching string    // activity
	ending    string    // activity: termination, detaching or standby
}

// target is the steady state that an instance is in or on its way to.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html (read 2026-11)
func (s State) target() string {
	switch {
	case s.ending():
		return "Terminated"
	case s == Detaching:
		return "Detached"
	case s == EnteringStandby || s == Standby:
		return string(Standby)
	}
	return string(InService)
}

// enter puts an instance into a state, which its metadata service tells it of
// as the target lifecycle state.
func (m *member) enter(tx *awstest.Tx, s State) {
	m.turn++
	m.set(tx, func(v *Member) { v.State = s })
	if machine, ok := tx.Instance(m.ID); ok {
		tx.SetMetadata(machine, "autoscaling/target-lifecycle-state", s.target())
	}
}

// set changes what is seen of an instance.
func (m *member) set(tx *awstest.Tx, edit func(*Member)) {
	edit(&m.Member)
	m.control.region.members.Put(tx.Now(), m.ID, m.Member)
}

// later takes an instance on from the state that it is in, unless something
// else happens to it before. A resource that is stuck stays, and so do all
// while Auto Scaling is down.
func (m *member) later(tx *awstest.Tx, d time.Duration, fn func(*awstest.Tx)) {
	turn := m.turn
	tx.Schedule(tx.Now().Add(d), func(tx *awstest.Tx) {
		tx.WhenFree(nil, m.ID, func(tx *awstest.Tx) {
			switch c := m.control; {
			case m.turn != turn || c.dead:
			case c.down(tx):
				m.later(tx, c.opts().Retry, fn)
			default:
				fn(tx)
			}
		})
	})
}

// ready tells whether an instance is in service and has warmed up.
func (m *member) ready(now time.Time) bool {
	return m.State == InService && !now.Before(m.inService.Add(m.warmup))
}

// add makes an instance a member of the group.
func (c *control) add(tx *awstest.Tx, g *Group, i ec2model.Instance, t Template, s State) *member {
	m := &member{
		Member: Member{
			ID: i.ID, Group: c.name, Zone: i.Zone, Subnet: i.Subnet, Type: i.Type, Launched: i.LaunchedAt,
			Template: t, Protected: g.ProtectNew,
		},
		control: c,
	}
	c.members = append(c.members, m)
	c.region.live[m.ID] = m
	m.enter(tx, s)
	return m
}

// drop takes an instance out of the group.
func (c *control) drop(tx *awstest.Tx, m *member) {
	m.turn++
	c.members = slices.DeleteFunc(c.members, func(o *member) bool { return o == m })
	delete(c.region.live, m.ID)
	c.region.members.Delete(tx.Now(), m.ID)
}

// instance returns the EC2 instance of a member; it may have been forgotten
// since it was terminated.
func (c *control) instance(tx *awstest.Tx, m *member) (ec2model.Instance, bool) {
	i, err := c.region.ec2(tx).Instance(tx.Now(), m.ID)
	return i, err == nil
}

// member returns an instance of a group by its ID.
func (c *control) member(id string) (*member, error) {
	if m, ok := c.region.live[id]; ok && m.control == c {
		return m, nil
	}
	return nil, invalid("The instance %s is not part of Auto Scaling group %s.", id, c.name)
}
