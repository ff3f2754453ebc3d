package elbstep

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// WaitSpec describes a [WaitHealthy].
type WaitSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 30 s
	Timeout  time.Duration // zero is the engine's

	TargetGroup string // ARN. Required
	Targets     []Target
}

// WaitHealthy returns a step that makes no effect, and is done when Elastic Load Balancing says that each of the targets is healthy: new first, then
// switch, then drain. A target without a port is healthy if one of its registrations is.
//
// A target that is unhealthy may recover and is waited for. One that will not be in service however long one waits ends the step with ErrUnusable,
// if that is read for a minute: its group is in use by no listener, its zone is not enabled, it is stopped, or its address cannot be a target. It is no
// proof that traffic arrives: a load balancer without a healthy target sends traffic to all. It costs a DescribeTargetHealth a look.
func WaitHealthy(api HealthAPI, s WaitSpec) failover.Step {
	w := &wait{api: api, s: s}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneData, API: apiELB, Estimate: awsstep.Default(s.Estimate, 30*time.Second), Timeout: s.Timeout,
		Check: w.check, Mistakes: checkSpec(s.TargetGroup, s.Targets, s.Needs),
	})
}

type wait struct {
	api                HealthAPI
	s                  WaitSpec
	patience, hopeless awsstep.Patience
}

func (w *wait) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	targets, err := resolve(env, w.s.Targets)
	if err != nil {
		return 0, err
	}
	all, err := members(ctx, env, w.api, w.s.TargetGroup)
	if err != nil {
		return 0, w.patience.Judge(env, err)
	}
	healthy, why := 0, ""
	for _, t := range targets {
		for i := range all {
			if !t.is(&all[i]) {
				continue
			}
			if all[i].TargetHealth.State == types.TargetHealthStateEnumHealthy {
				healthy++
				break
			}
			if text := unusable(&all[i]); text != "" {
				why = t.String() + ": " + text
			}
		}
	}
	switch {
	case healthy == len(targets):
		return failover.Done, nil
	case why == "":
		w.hopeless.End(env)
	case w.hopeless.Over(env):
		return 0, failover.Permanent(fmt.Errorf("%s: %s: %w", w.s.TargetGroup, why, ErrUnusable))
	}
	return failover.InProgress, nil
}
