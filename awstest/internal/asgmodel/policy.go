package asgmodel

import (
	"fmt"
	"math"
	"slices"
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
	var replaced []string
	if spec.Type != TargetTracking || p.Tracking == nil || p.Tracking.DisableScaleIn != spec.Tracking.DisableScaleIn {
		replaced, p.Alarms = p.Alarms, nil
	}
	p.PolicySpec = spec
	if spec.Type == TargetTracking {
		if err := r.track(tx, &p); err != nil {
			return Policy{}, err
		}
	}
	r.cloudWatch().DeleteAlarms(tx, replaced...)
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
