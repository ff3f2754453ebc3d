package asgmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

// checkHealth marks the instances in service that are not healthy any more.
// One that does not run is so at once. What status checks and load balancers
// say counts after the grace period.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html (read 2026-11)
func (c *control) checkHealth(tx *awstest.Tx, g *Group) {
	if g.suspended(processHealthCheck) {
		return
	}
	failing := c.failingTargets(tx, g)
	for _, m := range c.members {
		if m.State != InService || m.Unhealthy {
			continue
		}
		if i, ok := c.instance(tx, m); !ok || i.State != ec2model.Running {
			c.mark(tx, m, "an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.", true)
			continue
		}
		from := m.inService.Add(g.Grace)
		var cause string
		switch {
		case failing[m.ID]:
			cause = "an instance was taken out of service in response to an ELB system health check failure."
		case !m.impaired.IsZero():
			cause = "an instance was taken out of service in response to an EC2 instance status checks failure."
			if patient := m.impaired.Add(c.opts().Impaired); patient.After(from) {
				from = patient
			}
		default:
			continue
		}
		if tx.Now().Before(from) {
			c.wake(tx, from)
			continue
		}
		c.mark(tx, m, cause, false)
	}
}

func (c *control) mark(tx *awstest.Tx, m *member, cause string, urgent bool) {
	m.cause, m.urgent = cause, urgent
	m.set(tx, func(v *Member) { v.Unhealthy = true })
}

// failingTargets returns the instances that a load balancer of the group calls
// unhealthy, if the group asks for that. A target group counts when it is in
// service.
func (c *control) failingTargets(tx *awstest.Tx, g *Group) map[string]bool {
	if !g.ELBChecks {
		return nil
	}
	failing := map[string]bool{}
	for _, s := range g.Sources {
		tg, err := c.region.elb().Group(tx.Now(), s.ARN)
		if err != nil || s.State != SourceInService {
			continue
		}
		for _, t := range c.region.elb().Health(tx, tg, tx.Now(), nil) {
			if t.State == elbmodel.Unhealthy {
				failing[t.ID] = true
			}
		}
	}
	return failing
}

// replace takes instances that are unhealthy out of service. What they leave
// is filled up by a launch.
func (c *control) replace(tx *awstest.Tx, g *Group) {
	if g.suspended(processReplaceUnhealthy) || g.suspended(processTerminate) {
		return
	}
	var list []*member
	for _, m := range c.members {
		if m.State == InService && m.Unhealthy && !c.ignored(tx, g, m) {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b *member) int {
		switch {
		case a.urgent == b.urgent:
			return 0
		case a.urgent:
			return -1
		}
		return 1
	})
	waiting := 0
	for _, m := range list {
		if !c.mayGo(tx, g, m) {
			waiting++
			continue
		}
		c.replacing++
		c.retire(tx, g, m, c.at(tx, "%s", m.cause))
	}
	c.standIns(tx, g, waiting)
}

// ignored tells whether an instance stays though it is unhealthy, since the
// group is shifted away from its zone.
func (c *control) ignored(tx *awstest.Tx, g *Group, m *member) bool {
	return g.Impairment != nil && g.Impairment.IgnoreUnhealthy && slices.Contains(c.shifted(tx, g), m.Zone)
}

// mayGo tells whether an unhealthy instance can go before another one is
// there. Without a maintenance policy, one that does not run, or that a user
// has called unhealthy, always can; of others a tenth of the group, or one, at
// a time: instances that are not there yet count as having gone.
//
// With a policy, the instances in service, healthy or not, must be as many as
// it says after that; one that does not run serves nobody, and can go.
func (c *control) mayGo(tx *awstest.Tx, g *Group, m *member) bool {
	serving := c.count(func(m *member) bool { return m.ready(tx.Now()) })
	if p := g.Maintenance; p != nil {
		least := ceil(g.Desired*p.Min, 100)
		if i, ok := c.instance(tx, m); !ok || i.State != ec2model.Running {
			return true
		}
		// A policy that leaves no room either way would replace nothing.
		if least >= g.Desired && ceil(g.Desired*p.Max, 100) <= g.Desired {
			least = g.Desired - 1
		}
		return serving > least
	}
	return m.urgent || g.Desired-serving < max(1, g.Desired/10)
}

// standIns launches instances on top of the desired capacity for those that
// must not go before, as many as a maintenance policy has room for.
func (c *control) standIns(tx *awstest.Tx, g *Group, waiting int) {
	if g.Maintenance == nil || g.suspended(processLaunch) {
		return
	}
	most := ceil(g.Desired*g.Maintenance.Max, 100)
	for c.spares() < waiting && c.capacity() < most {
		z, held := c.place(tx, g, nil)
		if z == nil || held || c.blocked(tx) {
			return
		}
		m, err := c.launch(tx, g, z, nil, c.at(tx, "an instance was launched in response to an unhealthy instance needing to be replaced."))
		if err == nil {
			m.spare = true
		}
	}
}

func ceil(n, by int) int { return (n + by - 1) / by }

// SetHealth says that an instance is healthy or not. That it is not is refused
// in the grace period, if that is to be respected.
// Source: https://github.com/aws/aws-cli/issues/171 for that error (read 2026-11)
func (r *Region) SetHealth(tx *awstest.Tx, instance string, healthy, respectGrace bool) error {
	m, ok := r.live[instance]
	if !ok {
		return invalid("No managed instance found for instance ID: %s", instance)
	}
	g, err := r.changeable(tx, m.Group)
	if err != nil {
		return err
	}
	c := m.control
	switch {
	case m.State.ending() || m.State == Detaching:
		return invalid("The health of instance %s cannot be changed in state %s.", instance, m.State)
	case healthy:
		m.cause, m.urgent = "", false
		m.set(tx, func(v *Member) { v.Unhealthy = false })
		c.wake(tx, tx.Now().Add(c.opts().HealthChecks)) // until then it is believed
		return nil
	}
	if age := tx.Now().Sub(m.inService); respectGrace && g.Grace > 0 && (m.inService.IsZero() || age < g.Grace) {
		if m.inService.IsZero() {
			age = tx.Now().Sub(m.Launched)
		}
		return invalid("The age of the instance (%d seconds) is less than the configured grace period of %d seconds", age/time.Second, g.Grace/time.Second)
	}
	c.mark(tx, m, "an instance was taken out of service in response to a user health-check.", true)
	c.poke(tx)
	return nil
}

// Protect sets whether instances are protected from scale-in.
func (r *Region) Protect(tx *awstest.Tx, name string, ids []string, protected bool) error {
	g, err := r.changeable(tx, name)
	if err != nil {
		return err
	}
	for _, id := range ids {
		m, err := g.control.member(id)
		if err != nil {
			return err
		}
		if m.State != InService && m.State != EnteringStandby && m.State != Standby {
			return invalid("The instance %s is not in InService or EnteringStandby or Standby.", id)
		}
	}
	for _, id := range ids {
		m, _ := g.control.member(id)
		m.set(tx, func(v *Member) { v.Protected = protected })
	}
	g.control.poke(tx)
	return nil
}
