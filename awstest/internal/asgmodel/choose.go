package asgmodel

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/awsha/awsha/awstest"
)

// The termination policies that are modelled.
const (
	policyDefault        = "Default"
	policyOldestInstance = "OldestInstance"
	policyNewestInstance = "NewestInstance"
	policyOldestTemplate = "OldestLaunchTemplate"
	policyClosestToHour  = "ClosestToNextInstanceHour"
)

// DefaultPolicies are the termination policies of a group that names none.
func DefaultPolicies() []string { return []string{policyDefault} }

// PolicyModelled tells whether a termination policy is known here.
func PolicyModelled(name string) bool {
	switch name {
	case policyDefault, policyOldestInstance, policyNewestInstance, policyOldestTemplate, policyClosestToHour:
		return true
	}
	return false
}

func checkPolicies(names []string) error {
	if i := slices.Index(names, policyDefault); i >= 0 && i != len(names)-1 {
		return invalid("The Default termination policy must be the last one in the list.")
	}
	return nil
}

// victim chooses the instance that a group is to do without. Balance between
// the zones comes first, and the termination policies after it.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html (read 2026-11)
func (c *control) victim(tx *awstest.Tx, g *Group) *member {
	var sick, eligible []*member
	for _, m := range c.members {
		switch {
		case m.State != InService || m.spare:
		case m.Unhealthy && !c.ignored(tx, g, m):
			sick = append(sick, m)
		case !m.Protected:
			eligible = append(eligible, m)
		}
	}
	if len(sick) > 0 && !g.suspended(processReplaceUnhealthy) {
		return sick[0] // what stands in for it is there already
	}
	if c.balancing > 0 {
		// A group that is shifted away from a zone does not rebalance out of it.
		if shifted := c.shifted(tx, g); len(shifted) > 0 {
			elsewhere := slices.DeleteFunc(slices.Clone(eligible), func(m *member) bool { return slices.Contains(shifted, m.Zone) })
			if len(elsewhere) > 0 {
				eligible = elsewhere
			}
		}
	}
	if len(eligible) == 0 {
		return nil
	}
	eligible = c.crowded(g, eligible)
	for _, policy := range g.Policies {
		eligible = keepLeast(eligible, c.order(tx, g, policy))
	}
	// AWS takes any of those that are left; here it is the one that came first.
	return eligible[0]
}

// crowded returns those of the instances that are in zones which the group
// does not use any more, or else in the zones with the most instances.
func (c *control) crowded(g *Group, list []*member) []*member {
	return keepLeast(list, func(m *member) []int64 {
		if !g.uses(m.Zone) {
			return []int64{0}
		}
		return []int64{1, -int64(c.in(m.Zone))}
	})
}

// order returns the numbers by which a policy compares instances: those with
// the least go.
func (c *control) order(tx *awstest.Tx, g *Group, policy string) func(*member) []int64 {
	template := func(m *member) []int64 {
		current := int64(0) // another template than the group's, or none, goes first
		if m.Template.ID == g.Template.ID {
			current = 1
		}
		version, _ := strconv.ParseInt(m.Template.Version, 10, 64)
		return []int64{current, version}
	}
	hour := func(m *member) []int64 {
		return []int64{-int64(tx.Now().Sub(m.Launched) % time.Hour)}
	}
	switch policy {
	case policyOldestInstance:
		return func(m *member) []int64 { return []int64{m.Launched.UnixNano()} }
	case policyNewestInstance:
		return func(m *member) []int64 { return []int64{-m.Launched.UnixNano()} }
	case policyOldestTemplate:
		return template
	case policyClosestToHour:
		return hour
	}
	return func(m *member) []int64 { return append(template(m), hour(m)...) }
}

// keepLeast returns the instances whose numbers are the least, in their order.
func keepLeast(list []*member, by func(*member) []int64) (least []*member) {
	var best []int64
	for _, m := range list {
		switch n := by(m); {
		case least == nil || slices.Compare(n, best) < 0:
			least, best = []*member{m}, n
		case slices.Equal(n, best):
			least = append(least, m)
		}
	}
	return least
}

// rebalance launches instances where the group has too few, before those that
// it has too many elsewhere go: by way of the desired capacity, which they
// exceed then. Meanwhile the group may exceed its maximum by a tenth, or one.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#AutoScalingBehavior.Rebalancing (read 2026-11)
func (c *control) rebalance(tx *awstest.Tx, g *Group) {
	if g.suspended(processAZRebalance) || g.suspended(processLaunch) || c.ordinary() != g.Desired || c.blocked(tx) {
		return
	}
	margin := max(1, g.Max/10)
	for c.spares() < margin && c.capacity() < g.Max+margin {
		to, from := c.unbalanced(tx, g)
		if to == nil {
			return
		}
		sentence := c.at(tx, "availability zones %s and %s had %d and %d instances respectively. An instance was launched to aid in balancing the group's zones.",
			from.Name(), to.Name(), c.in(from), c.in(to))
		m, err := c.launch(tx, g, to, nil, sentence)
		if err != nil {
			return // launch has set the time of the next try
		}
		m.spare = true
		c.balancing++
	}
}

// unbalanced returns the zones that an instance should move between, or nil.
// What is spare counts as being there, and as many will leave the fullest
// zones for it.
func (c *control) unbalanced(tx *awstest.Tx, g *Group) (to, from *awstest.Zone) {
	leaving := map[*awstest.Zone]int{}
	usable := c.usable(tx, g)
	for n := c.spares(); ; n-- {
		to, from = c.extremes(tx, g, usable, leaving)
		if from == nil || n == 0 {
			break
		}
		leaving[from]++
	}
	if to == nil || from == nil {
		return nil, nil
	}
	if g.uses(from) && c.in(from)-leaving[from]-c.in(to) <= 1 {
		return nil, nil
	}
	return to, from
}

// extremes returns the emptiest zone that takes launches, and the fullest that
// has an instance which may go: one that the group does not use any more is
// the fullest of all.
func (c *control) extremes(tx *awstest.Tx, g *Group, usable []*awstest.Zone, leaving map[*awstest.Zone]int) (to, from *awstest.Zone) {
	for _, z := range usable {
		if c.zones[z].active(tx.Now()) {
			c.wake(tx, c.zones[z].until)
		} else if to == nil || c.in(z) < c.in(to) {
			to = z
		}
	}
	shifted := c.shifted(tx, g)
	fullness := func(z *awstest.Zone) int {
		if !g.uses(z) {
			return 1<<20 + c.in(z) - leaving[z]
		}
		return c.in(z) - leaving[z]
	}
	for _, m := range c.members {
		if m.State != InService || m.Protected || m.spare || slices.Contains(shifted, m.Zone) || c.in(m.Zone) <= leaving[m.Zone] {
			continue
		}
		if from == nil || cmp.Compare(fullness(m.Zone), fullness(from)) > 0 {
			from = m.Zone
		}
	}
	return to, from
}
