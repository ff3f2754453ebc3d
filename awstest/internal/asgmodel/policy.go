package asgmodel

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

// The types of scaling policies that are modelled.
const (
	SimpleScaling  = "SimpleScaling"
	StepScaling    = "StepScaling"
	TargetTracking = "TargetTrackingScaling"
)

// What an adjustment means.
const (
	ChangeInCapacity        = "ChangeInCapacity"
	ExactCapacity           = "ExactCapacity"
	PercentChangeInCapacity = "PercentChangeInCapacity"
)

// Policy is a scaling policy. It is a value: a change makes a new one.
type Policy struct {
	PolicySpec
	ARN    string
	Alarms []string // names of those that the policy has made
}

// PolicySpec is what a policy is made from.
type PolicySpec struct {
	Group, Name, Type string
	Disabled          bool
	AdjustmentType    string
	Adjustment        int            // of simple scaling
	MinMagnitude      int            // of PercentChangeInCapacity; zero is none
	Cooldown          *time.Duration // of simple scaling; nil is the group's
	Steps             []Step         // of step scaling
	Aggregation       string
	Warmup            *time.Duration // nil is the group's
	Tracking          *Tracking
}

// Step is an adjustment for a range of values, relative to the threshold. A
// nil bound is infinite.
type Step struct {
	Lower, Upper *float64
	Adjustment   int
}

// Tracking is what target tracking keeps a metric at.
type Tracking struct {
	Target         float64
	Query          cwmodel.Query
	DisableScaleIn bool
}

// PutPolicy makes a policy or replaces the one of that name. Target tracking
// makes its alarms.
func (r *Region) PutPolicy(tx *awstest.Tx, spec PolicySpec) (Policy, error) {
	if _, err := r.changeable(tx, spec.Group); err != nil {
		return Policy{}, err
	}
	if err := spec.check(); err != nil {
		return Policy{}, err
	}
	p, known := r.Policy(tx.Now(), spec.Group, spec.Name)
	if !known {
		p.ARN = fmt.Sprintf("arn:aws:autoscaling:%s:%s:scalingPolicy:%s:autoScalingGroupName/%s:policyName/%s",
			r.region.Name(), r.model.cloud.AccountID(), newUUID(tx, "policy"), spec.Group, spec.Name)
	}
	if spec.Type != TargetTracking || p.Tracking == nil || p.Tracking.DisableScaleIn != spec.Tracking.DisableScaleIn {
		r.cloudWatch().DeleteAlarms(tx, p.Alarms...)
		p.Alarms = nil
	}
	p.PolicySpec = spec
	if spec.Type == TargetTracking {
		if err := r.track(tx, &p); err != nil {
			return Policy{}, err
		}
	}
	r.policies.Put(tx.Now(), p.ARN, p)
	return p, nil
}

func (s *PolicySpec) check() error {
	if s.Name == "" || len(s.Name) > maxName {
		return invalid("PolicyName must have from 1 to %d characters", maxName)
	}
	switch s.Type {
	case SimpleScaling, StepScaling:
		if !slices.Contains([]string{ChangeInCapacity, ExactCapacity, PercentChangeInCapacity}, s.AdjustmentType) {
			return invalid("AdjustmentType must be ChangeInCapacity, ExactCapacity or PercentChangeInCapacity, and not '%s'", s.AdjustmentType)
		}
		if s.MinMagnitude != 0 && s.AdjustmentType != PercentChangeInCapacity {
			return invalid("MinAdjustmentMagnitude is supported by PercentChangeInCapacity only")
		}
	}
	if s.Type == StepScaling {
		return checkSteps(s.Steps)
	}
	return nil
}

// checkSteps holds step adjustments against the rules: no gap, no overlap,
// and no end on a side that they reach out to.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html#as-scaling-steps (read 2026-11)
func checkSteps(steps []Step) error {
	if len(steps) == 0 {
		return invalid("At least one StepAdjustment must be specified for policies of type StepScaling")
	}
	lower := func(s Step) float64 {
		if s.Lower == nil {
			return math.Inf(-1)
		}
		return *s.Lower
	}
	upper := func(s Step) float64 {
		if s.Upper == nil {
			return math.Inf(1)
		}
		return *s.Upper
	}
	sorted := slices.SortedFunc(slices.Values(steps), func(a, b Step) int {
		switch x, y := lower(a), lower(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for i, s := range sorted {
		switch {
		case s.Lower == nil && s.Upper == nil:
			return invalid("The lower and the upper bound of a step adjustment must not both be unspecified")
		case lower(s) >= upper(s):
			return invalid("The upper bound of a step adjustment must be greater than its lower bound")
		case i > 0 && upper(sorted[i-1]) != lower(s):
			return invalid("The ranges of step adjustments must not overlap or have a gap")
		}
	}
	first, last := sorted[0], sorted[len(sorted)-1]
	if first.Lower != nil && *first.Lower < 0 || last.Upper != nil && *last.Upper > 0 {
		return invalid("There must be a step adjustment with an unspecified bound on each side of the threshold that has any")
	}
	return nil
}

// Policy returns a policy of a group by its name or its ARN.
func (r *Region) Policy(at time.Time, group, name string) (Policy, bool) {
	if p, ok := r.policies.Get(at, name); ok && (group == "" || p.Group == group) {
		return p, true
	}
	for _, p := range r.policies.All(at) {
		if p.Group == group && p.Name == name {
			return p, true
		}
	}
	return Policy{}, false
}

// Policies returns the policies as of a moment.
func (r *Region) Policies(at time.Time) (all []Policy) {
	for _, p := range r.policies.All(at) {
		all = append(all, p)
	}
	return all
}

// AlarmsOf returns the alarms that carry out a policy.
func (r *Region) AlarmsOf(at time.Time, p Policy) (list []cwmodel.Alarm) {
	for a := range r.cloudWatch().Alarms(at) {
		if slices.Contains(a.AlarmActions, p.ARN) || slices.Contains(a.OKActions, p.ARN) || slices.Contains(a.InsufficientDataActions, p.ARN) {
			list = append(list, a)
		}
	}
	return list
}

// DeletePolicy deletes a policy: with the alarms that target tracking has
// made, or without the alarms that a user has, whose actions end.
func (r *Region) DeletePolicy(tx *awstest.Tx, group, name string) error {
	p, ok := r.Policy(tx.Now(), group, name)
	if !ok {
		return noPolicy(name)
	}
	r.dropPolicy(tx, p, false)
	return nil
}

func noPolicy(name string) error { return invalid("No scaling policy found with name %s", name) }

func (r *Region) dropPolicy(tx *awstest.Tx, p Policy, alarms bool) {
	cw := r.cloudWatch()
	cw.DeleteAlarms(tx, p.Alarms...)
	for _, a := range r.AlarmsOf(tx.Now(), p) {
		spec := a.AlarmSpec
		for _, actions := range []*[]string{&spec.AlarmActions, &spec.OKActions, &spec.InsufficientDataActions} {
			*actions = slices.DeleteFunc(slices.Clone(*actions), func(arn string) bool { return arn == p.ARN })
		}
		if alarms && len(spec.AlarmActions)+len(spec.OKActions)+len(spec.InsufficientDataActions) == 0 {
			cw.DeleteAlarms(tx, a.Name)
			continue
		}
		_, _ = cw.PutAlarm(tx, spec, nil) // with less than was accepted before
	}
	r.policies.Delete(tx.Now(), p.ARN)
}

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

// track makes the alarms of a target tracking policy, as AWS makes them: one
// for three minutes above the target, and one for a quarter of an hour below
// nine tenths of it. Without scaling in there is no second one here; whether
// AWS makes it all the same is not documented.
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html (read 2026-11)
func (r *Region) track(tx *awstest.Tx, p *Policy) error {
	const (
		highPeriods, lowPeriods = 3, 15
		lowShare                = 0.9
	)
	names := p.Alarms
	if names == nil {
		names = []string{fmt.Sprintf("TargetTracking-%s-AlarmHigh-%s", p.Group, newUUID(tx, "alarm"))}
		if !p.Tracking.DisableScaleIn {
			names = append(names, fmt.Sprintf("TargetTracking-%s-AlarmLow-%s", p.Group, newUUID(tx, "alarm")))
		}
	}
	for _, name := range names {
		spec := cwmodel.AlarmSpec{
			Name: name, Description: "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + p.ARN + ".",
			Query: p.Tracking.Query, Period: time.Minute, AlarmActions: []string{p.ARN},
			Periods: highPeriods, Operator: cwmodel.Greater, Threshold: p.Tracking.Target,
		}
		if strings.Contains(name, "-AlarmLow-") {
			spec.Periods, spec.Operator, spec.Threshold = lowPeriods, cwmodel.Less, p.Tracking.Target*lowShare
		}
		if _, err := r.cloudWatch().PutAlarm(tx, spec, nil); err != nil {
			return invalid("The metric of the policy is not valid: %s", message(err))
		}
	}
	p.Alarms = names
	return nil
}

// track makes a group as large as it has to be for the metric to be at its
// target, if the metric is per instance. It grows by all that is missing, and
// shrinks by an instance or a tenth of the group each minute: AWS says that it
// does so gradually, and not how. It shrinks only if all target tracking
// policies of the group agree.
func (c *control) track(tx *awstest.Tx, g *Group, p Policy, value float64, high bool, why string) {
	n := int(math.Ceil(float64(c.warm(tx)) * value / p.Tracking.Target))
	switch {
	case high && n > g.Desired:
		c.scale(tx, g, p, n, why)
	case !high && n < g.Desired && !p.Tracking.DisableScaleIn && !c.growing(tx) && c.allLow(tx):
		c.scale(tx, g, p, max(n, g.Desired-max(1, g.Desired/10)), why)
	}
}

// allLow tells whether all policies of the group that track a target, and may
// scale in, are ready to.
func (c *control) allLow(tx *awstest.Tx) bool {
	for _, p := range c.region.policies.All(tx.Now()) {
		if p.Group != c.name || p.Type != TargetTracking || p.Disabled || p.Tracking.DisableScaleIn {
			continue
		}
		for _, name := range p.Alarms {
			a, ok := c.region.cloudWatch().Alarm(tx.Now(), name)
			if strings.Contains(name, "-AlarmLow-") && (!ok || a.State != cwmodel.InAlarm) {
				return false
			}
		}
	}
	return true
}
