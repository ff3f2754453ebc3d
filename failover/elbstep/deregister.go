package elbstep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// None is the value of DeregisterSpec.MinHealthy for no such minimum.
const None = -1

// DeregisterSpec describes a [Deregister].
type DeregisterSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 s, or 5 minutes with Drained
	Timeout  time.Duration // zero is the engine's

	TargetGroup string // ARN. Required
	Targets     []Target

	// MinHealthy is how many of the other targets must be healthy, or nothing is deregistered and the step waits for them. Default 1; [None] is none.
	MinHealthy int

	// Drained makes the step done only when no target drains any more, which takes the whole deregistration delay of the group: 5 minutes unless it is
	// set otherwise. A target that is dead has nothing to drain.
	// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html (read 2026-11).
	Drained bool
}

// Deregister returns a step that takes targets out of a group, and is done when they get no new connections, or have drained.
//
// It costs a DescribeTargetHealth a look and one DeregisterTargets per hundred targets. A late request deregisters the same again, also
// what somebody has registered anew. Undo registers those that were registered before.
func Deregister(api API, s DeregisterSpec) failover.Step {
	d := &leave{api: api, s: s}
	mistakes := checkSpec(s.TargetGroup, s.Targets, s.Needs)
	if s.MinHealthy < None {
		mistakes = errors.Join(mistakes, &failover.FieldError{Field: "MinHealthy", Value: s.MinHealthy, Rule: "must not be negative; None is none"})
	}
	estimate := time.Second
	if s.Drained {
		estimate = 5 * time.Minute
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, API: apiELB, Writes: written(s.TargetGroup, s.Targets),
		Estimate: awsstep.Default(s.Estimate, estimate), Timeout: s.Timeout,
		Check: d.check, Do: d.do, Undo: d.undo, Ready: d.ready, Mistakes: mistakes,
	})
}

type leave struct {
	api      API
	s        DeregisterSpec
	patience awsstep.Patience
}

func (d *leave) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	targets, err := resolve(env, d.s.Targets)
	if err != nil {
		return 0, err
	}
	all, err := members(ctx, env, d.api, d.s.TargetGroup)
	if err != nil {
		return 0, d.patience.Judge(env, err)
	}
	state := failover.Done
	for i := range all {
		for _, t := range targets {
			switch {
			case !t.is(&all[i]):
			case !drains(&all[i]):
				return failover.NotDone, nil
			case d.s.Drained:
				state = failover.InProgress
			}
		}
	}
	return state, nil
}

func (d *leave) do(ctx context.Context, env *failover.Env) error {
	targets, err := resolve(env, d.s.Targets)
	if err != nil {
		return err
	}
	all, err := members(ctx, env, d.api, d.s.TargetGroup)
	if err != nil {
		return err
	}
	if err := d.enough(all, targets); err != nil {
		return err
	}
	leaving := ports(all, targets)
	if err := remember(ctx, env, d.api, d.s.TargetGroup, leaving); err != nil {
		return err
	}
	if err := remove(ctx, env, d.api, d.s.TargetGroup, leaving); err != nil {
		return d.patience.Judge(env, err)
	}
	if d.s.Drained {
		return failover.ErrInProgress
	}
	return nil
}

// ports names every registration of a target without a port.
func ports(all []types.TargetHealthDescription, targets []registration) []registration {
	var out []registration
	for _, t := range targets {
		found := false
		for i := range all {
			if t.port == 0 && t.is(&all[i]) {
				found = true
				out = append(out, registration{t.id, uint16(aws.ToInt32(all[i].Target.Port)), t.zone})
			}
		}
		if !found {
			out = append(out, t)
		}
	}
	return out
}

// enough tells whether enough healthy targets are left. The error is for a repetition: targets become healthy.
func (d *leave) enough(all []types.TargetHealthDescription, leaving []registration) error {
	least := d.s.MinHealthy
	switch least {
	case None:
		return nil
	case 0:
		least = 1
	}
	healthy := 0
others:
	for i := range all {
		if all[i].TargetHealth.State != types.TargetHealthStateEnumHealthy {
			continue
		}
		for _, t := range leaving {
			if t.is(&all[i]) {
				continue others
			}
		}
		healthy++
	}
	if healthy < least {
		return fmt.Errorf("%s: %d of %d: %w", d.s.TargetGroup, healthy, least, ErrTooFew)
	}
	return nil
}

func (d *leave) undo(ctx context.Context, env *failover.Env) error {
	was, _ := before(env)
	return add(ctx, env, d.api, d.s.TargetGroup, was)
}

func (d *leave) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	all, err := members(ctx, env, d.api, d.s.TargetGroup)
	if err != nil {
		return nil, err
	}
	found := []failover.Finding{groupFinding(d.s.TargetGroup, all)}
	targets, err := resolve(env, d.s.Targets)
	if errors.Is(err, failover.ErrNoValue) {
		return append(found, failover.Finding{Text: "not looked at: " + err.Error()}), nil
	}
	if err != nil {
		return found, err
	}
	if err := d.enough(all, targets); err != nil { // others may be registered by earlier steps
		found = append(found, failover.Finding{Level: failover.LevelWarn, Text: "now: " + err.Error()})
	}
	return found, nil
}
