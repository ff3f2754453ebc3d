package elbstep

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// RegisterSpec describes a [Register].
type RegisterSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 s
	Timeout  time.Duration // zero is the engine's

	TargetGroup string // ARN. Required
	Targets     []Target
}

// keyWas is under which the journal has which targets were registered before.
const keyWas = "was"

// Register returns a step that registers targets with a group, and is done when they are there: whether they get traffic is for [WaitHealthy].
//
// An instance that is pending is refused until it runs, and the request is repeated for a minute. It costs a DescribeTargetHealth a look and one RegisterTargets
// per hundred targets. A late request registers the same again. Undo deregisters those that were not registered before.
func Register(api API, s RegisterSpec) failover.Step {
	r := &register{api: api, s: s}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, API: apiELB, Writes: written(s.TargetGroup, s.Targets),
		Estimate: awsstep.Default(s.Estimate, time.Second), Timeout: s.Timeout,
		Check: r.check, Do: r.do, Undo: r.undo, Ready: r.ready, Mistakes: checkSpec(s.TargetGroup, s.Targets, s.Needs),
	})
}

type register struct {
	api      API
	s        RegisterSpec
	patience awsstep.Patience
}

func (r *register) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	targets, err := resolve(env, r.s.Targets)
	if err != nil {
		return 0, err
	}
	all, err := members(ctx, env, r.api, r.s.TargetGroup)
	if err != nil {
		return 0, r.patience.Judge(env, err)
	}
	for _, t := range targets {
		if !registered(all, t) {
			return failover.NotDone, nil
		}
	}
	return failover.Done, nil
}

func (r *register) do(ctx context.Context, env *failover.Env) error {
	targets, err := resolve(env, r.s.Targets)
	if err != nil {
		return err
	}
	if err := remember(ctx, env, r.api, r.s.TargetGroup, targets); err != nil {
		return err
	}
	return r.patience.Judge(env, add(ctx, env, r.api, r.s.TargetGroup, targets))
}

// add registers targets.
func add(ctx context.Context, env *failover.Env, api API, group string, targets []registration) error {
	return inGroups(targets, func(some []types.TargetDescription) error {
		_, err := awsstep.Change(ctx, env, "elasticloadbalancing:RegisterTargets", group+" "+names(targets), api.RegisterTargets,
			&elbv2.RegisterTargetsInput{TargetGroupArn: aws.String(group), Targets: some})
		return err
	})
}

// remove deregisters targets.
func remove(ctx context.Context, env *failover.Env, api API, group string, targets []registration) error {
	return inGroups(targets, func(some []types.TargetDescription) error {
		_, err := awsstep.Change(ctx, env, "elasticloadbalancing:DeregisterTargets", group+" "+names(targets), api.DeregisterTargets,
			&elbv2.DeregisterTargetsInput{TargetGroupArn: aws.String(group), Targets: some})
		return err
	})
}

// inGroups calls send with up to 100 targets at a time, which is what package elbv2hc does as well: AWS documents no limit of a call.
func inGroups(targets []registration, send func([]types.TargetDescription) error) error {
	for some := range slices.Chunk(targets, 100) {
		descriptions := make([]types.TargetDescription, len(some))
		for i, t := range some {
			descriptions[i] = t.describe()
		}
		err := send(descriptions)
		if awserr.Of(err) == awserr.Quota {
			return failover.Permanent(err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remember writes down which of the targets are registered, for Undo. Those that somebody else changes meanwhile it cannot know.
func remember(ctx context.Context, env *failover.Env, api API, group string, targets []registration) error {
	if _, known := env.Outputs()[keyWas]; known {
		return nil
	}
	all, err := members(ctx, env, api, group)
	if err != nil {
		return err
	}
	var was []string
	for _, t := range targets {
		if registered(all, t) {
			was = append(was, fmt.Sprintf("%s|%d|%s", t.id, t.port, t.zone))
		}
	}
	env.Put(keyWas, "registered "+strings.Join(was, " ")) // so that there is an entry if there was none
	return env.Save(ctx)
}

// before returns what was registered before the step changed anything, and false if it did not come so far.
func before(env *failover.Env) (was []registration, acted bool) {
	words := strings.Fields(env.Outputs()[keyWas])
	if len(words) == 0 {
		return nil, false
	}
	for _, w := range words[1:] {
		f := strings.Split(w, "|")
		if len(f) != 3 {
			continue
		}
		port, err := strconv.ParseUint(f[1], 10, 16)
		if err != nil {
			continue
		}
		was = append(was, registration{f[0], uint16(port), f[2]})
	}
	return was, true
}

func (r *register) undo(ctx context.Context, env *failover.Env) error {
	targets, err := resolve(env, r.s.Targets)
	if err != nil {
		return err
	}
	was, acted := before(env)
	if !acted {
		return nil
	}
	added := slices.DeleteFunc(targets, func(t registration) bool { return slices.Contains(was, t) })
	return remove(ctx, env, r.api, r.s.TargetGroup, added)
}

func (r *register) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	all, err := members(ctx, env, r.api, r.s.TargetGroup)
	if err != nil {
		return nil, err
	}
	return []failover.Finding{groupFinding(r.s.TargetGroup, all)}, nil
}
