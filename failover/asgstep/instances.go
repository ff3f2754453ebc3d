package asgstep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// InstancesSpec describes [SetUnhealthy] and [Terminate].
type InstancesSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 s
	Timeout  time.Duration // zero is the engine's

	Group     string         // name. Required
	Instances []failover.Ref // IDs, or the InstancesKey of a [Launch]. Required
}

// SetUnhealthy returns a step that tells Auto Scaling that instances are unhealthy, also in their grace period, and is done when the group shows
// them as unhealthy or on their way out: the group terminates and replaces them. An instance that is none of the group counts as gone.
//
// It costs a DescribeAutoScalingGroups a look and one SetInstanceHealth an instance. A late request marks it again. It cannot be undone.
func SetUnhealthy(api API, s InstancesSpec) failover.Step {
	return newEnding(api, s, "Unhealthy", func(ctx context.Context, env *failover.Env, id string) error {
		_, err := awsstep.Change(ctx, env, "autoscaling:SetInstanceHealth", id, api.SetInstanceHealth, &autoscaling.SetInstanceHealthInput{
			InstanceId: aws.String(id), HealthStatus: aws.String("Unhealthy"), ShouldRespectGracePeriod: aws.Bool(false),
		})
		return err
	})
}

// Terminate returns a step that has Auto Scaling terminate instances without wanting fewer, and is done when the group shows them on their way
// out: it launches others in their place, where it has the fewest. In a zone that is down they stay Terminating until it is back.
//
// It costs a DescribeAutoScalingGroups a look and one TerminateInstanceInAutoScalingGroup an instance. A late request terminates it again. It cannot
// be undone.
func Terminate(api API, s InstancesSpec) failover.Step {
	return newEnding(api, s, "", func(ctx context.Context, env *failover.Env, id string) error {
		return terminate(ctx, env, api, id, false)
	})
}

// terminate ends an instance; one that has gone is none of an error.
func terminate(ctx context.Context, env *failover.Env, api API, id string, decrement bool) error {
	_, err := awsstep.Change(ctx, env, "autoscaling:TerminateInstanceInAutoScalingGroup", id, api.TerminateInstanceInAutoScalingGroup,
		&autoscaling.TerminateInstanceInAutoScalingGroupInput{InstanceId: aws.String(id), ShouldDecrementDesiredCapacity: aws.Bool(decrement)}, once)
	if awserr.Of(err) == awserr.NotFound {
		return nil
	}
	return err
}

// ending is a step that ends instances, in one of two ways.
type ending struct {
	api  API
	s    InstancesSpec
	mark string // health status that is as good as having gone; empty is none
	end  func(context.Context, *failover.Env, string) error
}

func newEnding(api API, s InstancesSpec, mark string, end func(context.Context, *failover.Env, string) error) failover.Step {
	e := &ending{api, s, mark, end}
	m := awsstep.Mistakes{Needs: s.Needs}
	checkRefs(&m, s.Group, s.Instances)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneCreate, Blast: failover.BlastInstance, API: apiASG,
		Estimate: awsstep.Default(s.Estimate, time.Second), Timeout: s.Timeout,
		Check: e.check, Do: e.do, Ready: e.ready, Mistakes: m.Err(),
	})
}

// left returns the instances that are neither gone nor marked.
func (e *ending) left(ctx context.Context, env *failover.Env) ([]string, error) {
	ids, err := resolve(env, e.s.Instances)
	if err != nil {
		return nil, err
	}
	g, err := group(ctx, env, e.api, e.s.Group)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, id := range ids {
		if i := member(g, id); !leaves(i) && (e.mark == "" || aws.ToString(i.HealthStatus) != e.mark) {
			left = append(left, id)
		}
	}
	return left, nil
}

func (e *ending) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	left, err := e.left(ctx, env)
	switch {
	case err != nil:
		return 0, err
	case len(left) == 0:
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (e *ending) do(ctx context.Context, env *failover.Env) error {
	left, err := e.left(ctx, env)
	if err != nil {
		return err
	}
	for _, id := range left {
		if err := e.end(ctx, env, id); err != nil && awserr.Of(err) != awserr.NotFound {
			return err
		}
	}
	return nil
}

func (e *ending) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	g, err := group(ctx, env, e.api, e.s.Group)
	if err != nil {
		return nil, err
	}
	found := groupReady(g)
	ids, err := resolve(env, e.s.Instances)
	if errors.Is(err, failover.ErrNoValue) {
		return append(found, failover.Finding{Text: "not looked at: " + err.Error()}), nil
	}
	if err != nil {
		return found, err
	}
	for _, id := range ids {
		if member(g, id) == nil {
			found = append(found, failover.Finding{Level: failover.LevelWarn, Text: fmt.Sprintf("%s is not in %s", id, e.s.Group)})
		}
	}
	return found, nil
}
