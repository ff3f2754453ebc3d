package asgmodel

import (
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// shrink terminates what the group has too much, one choice after the other.
func (c *control) shrink(tx *awstest.Tx, g *Group) {
	if g.suspended(processTerminate) {
		return
	}
	for c.ordinary() > g.Desired {
		m := c.victim(tx, g)
		if m == nil {
			return // all are protected, or on their way into service
		}
		from := c.capacity()
		c.retire(tx, g, m, c.causes(
			c.at(tx, "an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from %d to %d.", from, from-1),
			c.at(tx, "instance %s was selected for termination.", m.ID)))
		c.balancing = max(0, c.balancing-1)
	}
	if c.spares() == 0 {
		c.balancing = 0
	}
}

// retire takes an instance out of service and terminates it: out of its
// target groups first, with the draining that they ask for, then through the
// lifecycle hooks.
func (c *control) retire(tx *awstest.Tx, g *Group, m *member, cause string) (activity string) {
	m.ending = c.begin(tx, terminatingAnInstance+": "+m.ID, cause, m, InProgress, 0)
	m.spare = false
	m.enter(tx, Terminating)
	c.leave(tx, g, m, func(tx *awstest.Tx) {
		g, ok := c.group(tx)
		if ok && !c.await(tx, g, m, Ending) {
			c.terminate(tx, m)
		}
	})
	return m.ending
}

// leave takes an instance out of its target groups, and goes on when it has
// drained. One that does not run has nothing to drain.
func (c *control) leave(tx *awstest.Tx, g *Group, m *member, then func(*awstest.Tx)) {
	wait := c.deregister(tx, g, m)
	if i, ok := c.instance(tx, m); !ok || i.State != ec2model.Running {
		wait = 0
	}
	if wait > 0 {
		c.note(tx, m.ending, WaitingForDraining, 10)
	}
	m.later(tx, max(wait, c.opts().Transition), then)
}

// terminate makes EC2 terminate an instance, as soon as EC2 answers. It is
// gone when EC2 says so, which a zone without power can delay.
func (c *control) terminate(tx *awstest.Tx, m *member) {
	if m.State == TerminatingWait {
		m.enter(tx, TerminatingProceed)
	}
	if tx.ServiceDown(ec2ServiceID, c.region.region) {
		m.later(tx, c.opts().Retry, func(tx *awstest.Tx) { c.terminate(tx, m) })
		return
	}
	m.told = true
	c.note(tx, m.ending, InProgress, 50)
	i, ok := c.instance(tx, m)
	if ok {
		i = c.region.ec2(tx).Terminate(tx, []ec2model.Instance{i}, false)[0]
	}
	if !ok || i.State == ec2model.Terminated {
		c.gone(tx, m)
	}
}

func (c *control) gone(tx *awstest.Tx, m *member) {
	c.end(tx, m.ending, Successful, "")
	c.drop(tx, m)
	c.poke(tx)
}

// Terminate terminates instances of groups; decrement makes the desired
// capacity less by as many, so that they are not replaced.
func (r *Region) Terminate(tx *awstest.Tx, name string, ids []string, decrement bool) ([]Activity, error) {
	var list []*member
	for _, id := range ids {
		m, ok := r.live[id]
		if !ok || (name != "" && m.Group != name) {
			return nil, invalid("Instance Id not found - No managed instance found for instance ID: %s", id)
		}
		list = append(list, m)
	}
	g, err := r.changeable(tx, list[0].Group)
	if err != nil {
		return nil, err
	}
	c := g.control
	leaving := 0
	for _, m := range list {
		if m.State.counts() {
			leaving++
		}
	}
	if decrement && g.Desired-leaving < g.Min {
		return nil, invalid("Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.", g.Min)
	}
	var out []Activity
	for _, m := range list {
		if m.State.ending() || m.State == Detaching {
			out = append(out, c.activity(tx, m.ending))
			continue
		}
		from := g.Desired
		sentence := c.at(tx, "instance %s was taken out of service in response to a user request.", m.ID)
		if decrement && m.State.counts() {
			g = r.change(tx, g.Name, func(g *Group) { g.Desired-- })
			sentence = c.at(tx, "instance %s was taken out of service in response to a user request, shrinking the capacity from %d to %d.", m.ID, from, from-1)
		}
		if m.launching != "" {
			c.end(tx, m.launching, Cancelled, "")
			m.launching, m.actions = "", nil
		}
		c.end(tx, m.ending, Cancelled, "") // its way to standby
		out = append(out, c.activity(tx, c.retire(tx, g, m, sentence)))
	}
	c.poke(tx)
	return out, nil
}

func (c *control) activity(tx *awstest.Tx, id string) Activity {
	a, _ := c.region.activities.Get(tx.Now(), id)
	return a
}

// SetDesired changes the desired capacity of a group.
func (r *Region) SetDesired(tx *awstest.Tx, name string, n int, honorCooldown bool) error {
	g, err := r.changeable(tx, name)
	if err != nil {
		return err
	}
	switch {
	case n > g.Max:
		return invalid("New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", n, g.Max)
	case n < g.Min:
		return invalid("New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", n, g.Min)
	}
	if honorCooldown {
		if err := g.control.cooling(tx, g, g.Cooldown); err != nil {
			return err
		}
	}
	g.control.setDesired(tx, g, n, "a user request explicitly set group desired capacity")
	return nil
}

// setDesired changes the desired capacity, for a reason.
func (c *control) setDesired(tx *awstest.Tx, g *Group, n int, why string) {
	if n == g.Desired {
		return
	}
	c.because(tx, "%s changing the desired capacity from %d to %d.", why, g.Desired, n)
	c.region.change(tx, c.name, func(g *Group) { g.Desired = n })
	c.poke(tx)
}

// cooling refuses while an activity of the group goes on, and for the cooldown
// after the last one.
func (c *control) cooling(tx *awstest.Tx, g *Group, cooldown time.Duration) error {
	if id, busy := c.inProgress(); busy {
		return awstest.Errorf("ScalingActivityInProgress", "Scaling activity %s is in progress and blocks this action", id)
	}
	if !c.lastEnd.IsZero() && tx.Now().Before(c.lastEnd.Add(cooldown)) {
		return awstest.Errorf("ScalingActivityInProgress", "AutoScalingGroup %s is in its cooldown period", g.Name)
	}
	return nil
}
