package asgmodel

import (
	"fmt"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// alarmed carries out the action of an alarm.
func (m *Model) alarmed(tx *awstest.Tx, region *awstest.Region, action string, a *cwmodel.Alarm, _ cwmodel.State) {
	r, ok := m.regions[region]
	if !ok {
		return
	}
	p, ok := r.policies.Get(tx.Now(), action)
	if !ok || p.Disabled {
		return
	}
	g, ok := r.groups.Get(tx.Now(), p.Group)
	if !ok || g.Status != "" || g.suspended(processAlarmNotification) {
		return
	}
	c := g.control
	if c.down(tx) {
		return // CloudWatch asks again in a minute
	}
	why := fmt.Sprintf("a monitor alarm %s in state %s triggered policy %s", a.Name, a.State, p.Name)
	value, known := r.latest(tx, a)
	switch p.Type {
	case SimpleScaling:
		if c.cooling(tx, g, p.cooldown(g)) == nil {
			c.scale(tx, g, p, p.adjust(g.Desired, p.Adjustment), why)
		}
	case StepScaling:
		if known {
			c.step(tx, g, p, value, a.Threshold, why)
		}
	case TargetTracking:
		if known {
			c.track(tx, g, p, value, a.Operator == cwmodel.Greater, why)
		}
	}
}

// latest returns the newest value that an alarm has seen.
func (r *Region) latest(tx *awstest.Tx, a *cwmodel.Alarm) (float64, bool) {
	end := tx.Now().Truncate(time.Minute)
	for n := range a.Periods {
		if v, ok := r.cloudWatch().Stat(tx.Now(), a.Query, end.Add(-time.Duration(n+1)*a.Period), a.Period); ok {
			return v, true
		}
	}
	return 0, false
}

func (p *Policy) cooldown(g *Group) time.Duration {
	if p.Cooldown != nil {
		return *p.Cooldown
	}
	return g.Cooldown
}

// warmup returns how long instances of the policy do not count.
// Source: PutScalingPolicyInput.EstimatedInstanceWarmup of the SDK (read 2026-11)
func (p *Policy) warmup(g *Group) time.Duration {
	switch {
	case p.Warmup != nil:
		return *p.Warmup
	case g.Warmup != nil:
		return *g.Warmup
	}
	return g.Cooldown
}

// adjust returns the capacity that an adjustment makes of another.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html#as-scaling-adjustment (read 2026-11)
func (p *Policy) adjust(capacity, by int) int {
	switch p.AdjustmentType {
	case ExactCapacity:
		return by
	case ChangeInCapacity:
		return capacity + by
	}
	change := float64(capacity) * float64(by) / 100
	n := int(change) // toward zero
	switch {
	case change > 0 && change < 1:
		n = 1
	case change < 0 && change > -1:
		n = -1
	}
	if n > 0 {
		n = max(n, p.MinMagnitude)
	} else if n < 0 {
		n = min(n, -p.MinMagnitude)
	}
	return capacity + n
}

// step carries out the step that a value asks for. Instances that warm up are
// not part of the capacity that grows, and nothing shrinks while they do.
func (c *control) step(tx *awstest.Tx, g *Group, p Policy, value, threshold float64, why string) {
	s, ok := p.stepFor(value, threshold)
	if !ok {
		return
	}
	switch n := p.adjust(c.warm(tx), s.Adjustment); {
	case n > g.Desired:
		c.scale(tx, g, p, n, why)
	case p.adjust(g.Desired, s.Adjustment) < g.Desired && !c.growing(tx):
		c.scale(tx, g, p, p.adjust(g.Desired, s.Adjustment), why)
	}
}

// stepFor returns the step for a value. Above the threshold lower bounds are
// inclusive, and below it upper bounds.
func (p *Policy) stepFor(value, threshold float64) (Step, bool) {
	d := value - threshold
	for _, s := range p.Steps {
		above := s.Lower == nil || d > *s.Lower || d == *s.Lower && d >= 0
		below := s.Upper == nil || d < *s.Upper || d == *s.Upper && d < 0
		if above && below {
			return s, true
		}
	}
	return Step{}, false
}

// warm counts the instances in service that have warmed up.
func (c *control) warm(tx *awstest.Tx) int {
	return c.count(func(m *member) bool { return m.ready(tx.Now()) })
}

// growing tells whether instances are on their way, or warm up.
func (c *control) growing(tx *awstest.Tx) bool {
	return c.count(func(m *member) bool { return m.State.counts() && !m.ready(tx.Now()) }) > 0
}

// scale sets the desired capacity for a policy, within the bounds. A group
// that is shifted away from a zone is not made smaller.
func (c *control) scale(tx *awstest.Tx, g *Group, p Policy, n int, why string) {
	n = min(max(n, g.Min), g.Max)
	if n < g.Desired && len(c.shifted(tx, g)) > 0 {
		return
	}
	if n > g.Desired {
		c.policyWarmup = p.warmup(g)
	}
	c.setDesired(tx, g, n, why)
}

// Execute carries out a policy without an alarm.
func (r *Region) Execute(tx *awstest.Tx, group, name string, honorCooldown bool, value, threshold *float64) error {
	p, ok := r.Policy(tx.Now(), group, name)
	if !ok {
		return noPolicy(name)
	}
	g, err := r.changeable(tx, p.Group)
	if err != nil {
		return err
	}
	c, why := g.control, "a user request executed policy "+p.Name
	switch p.Type {
	case SimpleScaling:
		if value != nil || threshold != nil {
			return invalid("MetricValue and BreachThreshold are supported by policies of type StepScaling only")
		}
		if honorCooldown {
			if err := c.cooling(tx, g, p.cooldown(g)); err != nil {
				return err
			}
		}
		c.scale(tx, g, p, p.adjust(g.Desired, p.Adjustment), why)
	case StepScaling:
		if value == nil || threshold == nil {
			return invalid("MetricValue and BreachThreshold are required for policies of type StepScaling")
		}
		if _, ok := p.stepFor(*value, *threshold); !ok {
			return invalid("There is no step adjustment for the metric value %v and the breach threshold %v", *value, *threshold)
		}
		c.step(tx, g, p, *value, *threshold, why)
	default: // not documented
		return invalid("Policies of type %s cannot be executed", p.Type)
	}
	return nil
}
