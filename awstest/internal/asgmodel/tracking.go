package asgmodel

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
)

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
			if p.Alarms == nil {
				r.cloudWatch().DeleteAlarms(tx, names...)
			}
			return invalid("The metric of the policy is not valid: %s", message(err))
		}
	}
	p.Alarms = names
	return nil
}

// track makes a group as large as it has to be for the metric to be at its
// target, if the metric is per instance; that of an empty group counts as that
// of one instance, as queues need it. It grows by all that is missing, and
// shrinks by an instance or a tenth of the group each minute: AWS says that it
// does so gradually, and not how. It shrinks only if all target tracking
// policies of the group agree.
func (c *control) track(tx *awstest.Tx, g *Group, p Policy, value float64, high bool, why string) {
	warm := c.warm(tx)
	if g.Desired == 0 {
		warm = 1
	}
	n := int(min(max(0, math.Ceil(float64(warm)*value/p.Tracking.Target)), math.MaxInt32))
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
