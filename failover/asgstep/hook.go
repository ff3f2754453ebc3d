package asgstep

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// HookSpec describes a [CompleteHook].
type HookSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 s
	Timeout  time.Duration // zero is the engine's

	Group    string       // name. Required
	Hook     string       // name of the lifecycle hook. Required
	Instance failover.Ref // ID of the instance that waits in it. Required

	// Abandon ends the wait with ABANDON in place of CONTINUE: a launch is given up, and a termination goes on without the other hooks.
	Abandon bool
}

// CompleteHook returns a step that ends the wait of an instance in a lifecycle hook, and is done when the instance waits in none: so that a termination in
// a plan need not wait for the heartbeat timeout of a program that is dead. An instance that does not wait, or has gone, is as good.
//
// It costs a DescribeAutoScalingGroups a look and one CompleteLifecycleAction. A late request is refused, or ends a later wait of the same instance in the
// same hook. It cannot be undone.
func CompleteHook(api API, s HookSpec) failover.Step {
	h := &hook{api, s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Group", s.Group)
	m.Text("Hook", s.Hook)
	m.Ref("Instance", s.Instance)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, Blast: failover.BlastInstance, API: apiASG,
		Estimate: awsstep.Default(s.Estimate, time.Second), Timeout: s.Timeout,
		Check: h.check, Do: h.do, Ready: ready(api, s.Group), Mistakes: m.Err(),
	})
}

type hook struct {
	api API
	s   HookSpec
}

func (h *hook) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	id, err := h.s.Instance.Get(env)
	if err != nil {
		return 0, err
	}
	g, err := group(ctx, env, h.api, h.s.Group)
	if err != nil {
		return 0, err
	}
	if i := member(g, id); i == nil || !strings.HasSuffix(string(i.LifecycleState), ":Wait") {
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (h *hook) do(ctx context.Context, env *failover.Env) error {
	id, err := h.s.Instance.Get(env)
	if err != nil {
		return err
	}
	result := "CONTINUE"
	if h.s.Abandon {
		result = "ABANDON"
	}
	_, err = awsstep.Change(ctx, env, "autoscaling:CompleteLifecycleAction", h.s.Hook+" of "+id, h.api.CompleteLifecycleAction,
		&autoscaling.CompleteLifecycleActionInput{
			AutoScalingGroupName: aws.String(h.s.Group), LifecycleHookName: aws.String(h.s.Hook), InstanceId: aws.String(id), LifecycleActionResult: aws.String(result),
		})
	if awserr.Of(err) == awserr.NotFound { // no active lifecycle action
		return nil
	}
	return err
}
