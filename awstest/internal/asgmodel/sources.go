package asgmodel

import (
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/elbmodel"
)

// Source is a target group that a group's instances are registered with.
type Source struct {
	ARN   string
	State string

	// Traffic says that it was attached as a traffic source, and not as a
	// target group of a load balancer; only that way it is shown and detached.
	Traffic bool
}

// The states of a source.
const (
	SourceAdding    = "Adding"
	SourceAdded     = "Added"
	SourceInService = "InService"
	SourceRemoving  = "Removing"
)

// checkSource refuses what is no target group of instances.
func (r *Region) checkSource(tx *awstest.Tx, s Source) error {
	tg, err := r.elb().Group(tx.Now(), s.ARN)
	if err != nil {
		return invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")
	}
	if tg.TargetType != elbmodel.Instances {
		return invalid("Provided Target Group %s has the target type %s. Only target groups of type instance can be attached.", s.ARN, tg.TargetType)
	}
	return nil
}

// AttachSources attaches target groups; those that are attached are passed
// over.
func (r *Region) AttachSources(tx *awstest.Tx, name string, list []Source) error {
	g, err := r.changeable(tx, name)
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := r.checkSource(tx, s); err != nil {
			return err
		}
	}
	r.change(tx, name, func(g *Group) {
		for _, s := range list {
			known := func(o Source) bool { return o.ARN == s.ARN && o.State != SourceRemoving }
			if !slices.ContainsFunc(g.Sources, known) {
				g.Sources = append(slices.DeleteFunc(slices.Clone(g.Sources), func(o Source) bool { return o.ARN == s.ARN }), Source{s.ARN, SourceAdding, s.Traffic})
			}
		}
	})
	g.control.poke(tx)
	return nil
}

// DetachSources detaches target groups. They are removing until the instances
// have drained.
func (r *Region) DetachSources(tx *awstest.Tx, name string, list []Source) error {
	g, err := r.changeable(tx, name)
	if err != nil {
		return err
	}
	for _, s := range list {
		if !slices.ContainsFunc(g.Sources, func(o Source) bool { return o.ARN == s.ARN && o.Traffic == s.Traffic }) {
			return invalid("Trying to remove Target Groups that are not part of the group")
		}
	}
	c := g.control
	for _, s := range list {
		r.setSource(tx, name, s.ARN, SourceRemoving)
		wait := time.Duration(0)
		for _, m := range c.members {
			wait = max(wait, c.deregisterFrom(tx, s.ARN, m))
		}
		tx.Schedule(tx.Now().Add(max(wait, c.opts().Transition)), func(tx *awstest.Tx) {
			if _, ok := c.group(tx); ok {
				r.change(tx, name, func(g *Group) {
					g.Sources = slices.DeleteFunc(slices.Clone(g.Sources), func(o Source) bool { return o.ARN == s.ARN && o.State == SourceRemoving })
				})
			}
		})
	}
	return nil
}

func (r *Region) setSource(tx *awstest.Tx, name, arn, state string) *Group {
	return r.change(tx, name, func(g *Group) {
		g.Sources = slices.Clone(g.Sources)
		for i := range g.Sources {
			if g.Sources[i].ARN == arn {
				g.Sources[i].State = state
			}
		}
	})
}

// settleSources takes target groups from adding to added, when all instances
// in service are registered, and, if the group looks at their health checks,
// to in service, when a first instance has passed one.
func (c *control) settleSources(tx *awstest.Tx, g *Group) *Group {
	for _, s := range g.Sources {
		tg, err := c.region.elb().Group(tx.Now(), s.ARN)
		if err != nil {
			continue // it was deleted; AWS does not say what becomes of the attachment
		}
		switch s.State {
		case SourceAdding:
			if g.suspended(processAddToLoadBalancer) {
				continue
			}
			for _, m := range c.members {
				if m.State == InService {
					c.register(tx, []Source{s}, m)
				}
			}
			g = c.region.setSource(tx, c.name, s.ARN, SourceAdded)
		case SourceAdded:
			if !g.ELBChecks {
				continue
			}
			for _, t := range c.region.elb().Health(tx, tg, tx.Now(), nil) {
				if m, ok := c.region.live[t.ID]; ok && m.control == c && t.State == elbmodel.Healthy {
					g = c.region.setSource(tx, c.name, s.ARN, SourceInService)
					break
				}
			}
		}
	}
	return g
}

// register registers an instance with target groups. One that is not there
// any more takes nobody.
func (c *control) register(tx *awstest.Tx, sources []Source, m *member) {
	for _, s := range sources {
		tg, err := c.region.elb().Group(tx.Now(), s.ARN)
		if err != nil || s.State == SourceRemoving {
			continue
		}
		_ = c.region.elb().Register(tx, tg, []elbmodel.Registration{{TargetKey: elbmodel.TargetKey{ID: m.ID, Port: tg.Port}}})
	}
}

// deregister takes an instance out of all target groups of its group and
// returns how long it drains.
func (c *control) deregister(tx *awstest.Tx, g *Group, m *member) (wait time.Duration) {
	for _, s := range g.Sources {
		wait = max(wait, c.deregisterFrom(tx, s.ARN, m))
	}
	return wait
}

func (c *control) deregisterFrom(tx *awstest.Tx, arn string, m *member) time.Duration {
	tg, err := c.region.elb().Group(tx.Now(), arn)
	if err != nil {
		return 0
	}
	key := elbmodel.TargetKey{ID: m.ID, Port: tg.Port}
	tg.Deregister(tx, []elbmodel.TargetKey{key})
	if tg.Draining(key) {
		return tg.DeregistrationDelay
	}
	return 0
}
