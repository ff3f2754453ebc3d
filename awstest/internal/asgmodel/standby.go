package asgmodel

import (
	"fmt"
	"slices"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// maxInstances of one request.
// Source: EnterStandbyInput and others of the SDK (read 2026-11)
const maxInstances = 20

// part returns instances of a group that are in one of some states.
func (r *Region) part(tx *awstest.Tx, name string, ids []string, in string, states ...State) (*Group, []*member, error) {
	g, err := r.changeable(tx, name)
	if err != nil {
		return nil, nil, err
	}
	if len(ids) == 0 || len(ids) > maxInstances {
		return nil, nil, invalid("From 1 to %d instance IDs must be specified", maxInstances)
	}
	var list []*member
	for _, id := range ids {
		m, err := g.control.member(id)
		switch {
		case err != nil:
			return nil, nil, err
		case !slices.Contains(states, m.State):
			return nil, nil, invalid("The instance %s is not in %s.", id, in)
		case slices.Contains(list, m):
			return nil, nil, invalid("The instance %s is named twice.", id)
		}
		list = append(list, m)
	}
	return g, list, nil
}

// room refuses to change the desired capacity by n beyond its bounds.
func (g *Group) room(n int, to string) error {
	if g.Desired+n < g.Min || g.Desired+n > g.Max {
		return invalid("AutoScalingGroup %s has min-size=%d, max-size=%d, and desired-size=%d. To %s, please update the AutoScalingGroup sizes appropriately.", g.Name, g.Min, g.Max, g.Desired, to)
	}
	return nil
}

// EnterStandby takes instances out of service without terminating them.
func (r *Region) EnterStandby(tx *awstest.Tx, name string, ids []string, decrement bool) ([]Activity, error) {
	g, list, err := r.part(tx, name, ids, "InService", InService)
	if err != nil {
		return nil, err
	}
	return r.withdraw(tx, g, list, decrement, "place into standby", EnteringStandby, "Moving EC2 instance to Standby: ", "was moved to standby", func(tx *awstest.Tx, m *member) {
		m.enter(tx, Standby)
		m.control.end(tx, m.ending, Successful, "")
		m.ending = ""
	})
}

// Detach takes instances out of a group; they run on.
func (r *Region) Detach(tx *awstest.Tx, name string, ids []string, decrement bool) ([]Activity, error) {
	g, list, err := r.part(tx, name, ids, "InService or Standby", InService, Standby)
	if err != nil {
		return nil, err
	}
	return r.withdraw(tx, g, list, decrement, "detach", Detaching, "Detaching EC2 instance: ", "was detached", func(tx *awstest.Tx, m *member) {
		m.control.end(tx, m.ending, Successful, "")
		m.control.drop(tx, m)
		if i, ok := m.control.instance(tx, m); ok {
			r.ec2(tx).SetInstanceTags(tx, i.ID, i.Tags.Without(groupTag, nil))
		}
		m.control.poke(tx)
	})
}

// withdraw takes instances out of service, through the draining of their target
// groups. An instance on standby is not part of the desired capacity.
func (r *Region) withdraw(tx *awstest.Tx, g *Group, list []*member, decrement bool, to string, state State, description, what string, then func(*awstest.Tx, *member)) ([]Activity, error) {
	c := g.control
	leaving := 0
	for _, m := range list {
		if m.State.counts() {
			leaving++
		}
	}
	if decrement && leaving > 0 {
		if err := g.room(-leaving, fmt.Sprintf("%s %d instance(s)", to, leaving)); err != nil {
			return nil, err
		}
	}
	var out []Activity
	for _, m := range list {
		cause := c.at(tx, "instance %s %s in response to a user request.", m.ID, what)
		if decrement && m.State.counts() {
			cause = c.at(tx, "instance %s %s in response to a user request, shrinking the capacity from %d to %d.", m.ID, what, g.Desired, g.Desired-1)
			g = r.change(tx, g.Name, func(g *Group) { g.Desired-- })
		}
		m.ending = c.begin(tx, description+m.ID, cause, m, InProgress, 50)
		m.spare = false
		m.enter(tx, state)
		c.leave(tx, g, m, func(tx *awstest.Tx) { then(tx, m) })
		out = append(out, c.activity(tx, m.ending))
	}
	c.poke(tx)
	return out, nil
}

// ExitStandby puts instances back into service. The desired capacity grows by
// as many. That this is refused where it would exceed the maximum, and with
// which error while launches are suspended, is not documented.
func (r *Region) ExitStandby(tx *awstest.Tx, name string, ids []string) ([]Activity, error) {
	g, list, err := r.part(tx, name, ids, "Standby", Standby)
	if err != nil {
		return nil, err
	}
	if err := g.mayGrow(len(list), fmt.Sprintf("move %d instance(s) out of standby", len(list))); err != nil {
		return nil, err
	}
	c := g.control
	var out []Activity
	for _, m := range list {
		cause := c.at(tx, "instance %s was moved out of standby in response to a user request, increasing the capacity from %d to %d.", m.ID, g.Desired, g.Desired+1)
		g = r.change(tx, name, func(g *Group) { g.Desired++ })
		m.launching = c.begin(tx, "Moving EC2 instance out of Standby: "+m.ID, cause, m, PreInService, 30)
		out = append(out, c.activity(tx, m.launching))
		c.join(tx, m)
	}
	return out, nil
}

func (g *Group) mayGrow(n int, to string) error {
	if g.suspended(processLaunch) {
		return invalid("The Launch process of AutoScalingGroup %s is suspended.", g.Name)
	}
	return g.room(n, to)
}

// join brings an instance that runs already into service. The guide draws it
// through Pending, where lifecycle hooks begin; so they do here. An instance
// that comes back from standby and does not run any more is put into service
// all the same, and then found unhealthy.
func (c *control) join(tx *awstest.Tx, m *member) {
	m.enter(tx, Pending)
	m.later(tx, c.opts().Transition, func(tx *awstest.Tx) {
		if i, ok := c.instance(tx, m); !ok || i.State != ec2model.Running {
			m.inService = tx.Now()
			m.enter(tx, InService)
			c.end(tx, m.launching, Successful, "")
			m.launching = ""
			c.wake(tx, tx.Now().Add(c.opts().HealthChecks))
			return
		}
		c.booted(tx, m)
	})
}

// Attach makes instances that run members of a group. The desired capacity
// grows by as many.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-instance-asg.html (read 2026-11)
func (r *Region) Attach(tx *awstest.Tx, name string, ids []string) error {
	g, err := r.changeable(tx, name)
	if err != nil {
		return err
	}
	if len(ids) == 0 || len(ids) > maxInstances {
		return invalid("From 1 to %d instance IDs must be specified", maxInstances)
	}
	var list []ec2model.Instance
	for n, id := range ids {
		i, err := r.ec2(tx).Instance(tx.Now(), id)
		_, managed := r.live[id]
		switch {
		case err != nil:
			return invalid("Invalid Instance ID(s): [%s] specified", id)
		case managed:
			return invalid("Instance %s is already part of Auto Scaling group %s.", id, r.live[id].Group)
		case i.State != ec2model.Running:
			return invalid("Instance %s is not in correct state. Instance(s) must be in 'running' state.", id)
		case !g.uses(i.Zone):
			return invalid("The availability zones %s and AutoScalingGroup %s do not match.", i.Zone.Name(), name)
		case slices.Contains(ids[:n], id):
			return invalid("The instance %s is named twice.", id)
		}
		list = append(list, i)
	}
	if err := g.mayGrow(len(list), fmt.Sprintf("attach %d more instance(s)", len(list))); err != nil {
		return err
	}
	c := g.control
	for _, i := range list {
		cause := c.at(tx, "an instance was attached in response to a user request, increasing the capacity from %d to %d.", g.Desired, g.Desired+1)
		g = r.change(tx, name, func(g *Group) { g.Desired++ })
		m := c.add(tx, g, i, Template{}, Pending)
		if r.ec2(tx).Impaired(i.ID) {
			m.impaired = tx.Now() // seen from now on
		}
		m.launching = c.begin(tx, "Attaching an existing EC2 instance: "+m.ID, cause, m, PreInService, 30)
		r.ec2(tx).SetInstanceTags(tx, i.ID, i.Tags.With(ec2model.Tag{Key: groupTag, Value: name}))
		c.join(tx, m)
	}
	return nil
}
