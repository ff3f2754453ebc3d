package asgmodel

import (
	"slices"

	"github.com/awsha/awsha/awstest"
)

// Delete deletes a group. Unless forced, it must have no instances; force
// terminates them without draining and without lifecycle hooks.
func (r *Region) Delete(tx *awstest.Tx, name string, force bool) error {
	g, err := r.changeable(tx, name)
	if err != nil {
		return err
	}
	c := g.control
	switch {
	case len(c.members) > 0 && !force:
		for _, m := range c.members {
			if m.State.counts() || m.State == Standby {
				return awstest.Errorf("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.")
			}
		}
		return awstest.Errorf("ScalingActivityInProgress", "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.")
	case len(c.members) == 0:
		r.bury(tx, g)
		return nil
	}
	r.change(tx, name, func(g *Group) { g.Status = Deleting })
	tx.Schedule(tx.Now().Add(r.model.opts.Reaction), func(tx *awstest.Tx) {
		tx.WhenFree(nil, name, c.clear)
	})
	return nil
}

// clear terminates what is left of a group that is deleted by force, and ends
// the group; it does not wait for the instances, but until EC2 takes the order.
func (c *control) clear(tx *awstest.Tx) {
	g, ok := c.group(tx)
	if !ok {
		return
	}
	if c.down(tx) || tx.ServiceDown(ec2ServiceID, c.region.region) {
		tx.Schedule(tx.Now().Add(c.opts().Retry), c.clear)
		return
	}
	for _, m := range slices.Clone(c.members) {
		c.end(tx, m.launching, Cancelled, "")
		m.launching = ""
		if !m.State.ending() {
			c.end(tx, m.ending, Cancelled, "") // its way to standby or out of the group
			m.ending = c.begin(tx, terminatingAnInstance+": "+m.ID, c.at(tx, "an instance was taken out of service in response to the deletion of the AutoScalingGroup."), m, InProgress, 0)
		}
		c.deregister(tx, g, m)
		c.terminate(tx, m)
		if _, still := c.region.live[m.ID]; still {
			c.end(tx, m.ending, Successful, "")
			c.drop(tx, m)
		}
	}
	c.region.bury(tx, g)
}

// bury ends a group without instances.
func (r *Region) bury(tx *awstest.Tx, g *Group) {
	c := g.control
	c.dead = true
	if c.event != nil {
		c.event.Cancel(tx)
	}
	for _, p := range r.Policies(tx.Now()) {
		if p.Group == g.Name {
			r.dropPolicy(tx, p, true)
		}
	}
	r.groups.Delete(tx.Now(), g.Name)
	if g.shiftEnabled() {
		r.model.shift.Refresh(tx, r.region, g.ARN)
	}
}
