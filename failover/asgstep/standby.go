package asgstep

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// StandbySpec describes [EnterStandby] and [ExitStandby].
type StandbySpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 30 s
	Timeout  time.Duration // zero is the engine's

	Group     string         // name. Required
	Instances []failover.Ref // IDs, or the InstancesKey of a [Launch]. Required

	// Replace has the group launch others in place of those that go on standby: its desired capacity stays. By default it wants as many fewer. Of ExitStandby
	// it is not looked at.
	Replace bool
}

// EnterStandby returns a step that puts instances on standby, out of the way of load balancers and of the group's health checks, and is done when
// they are: to look at them, or to keep them from being replaced. They run on.
//
// It costs a DescribeAutoScalingGroups a look and one EnterStandby. A late request is refused by what is on standby already, and puts what has come back
// on standby again. Undo brings them back.
func EnterStandby(api API, s StandbySpec) failover.Step {
	return newStandby(api, s, true)
}

// ExitStandby returns a step that brings instances back from standby, and is done when they are in service. The desired capacity grows by them.
//
// It costs a DescribeAutoScalingGroups a look and one ExitStandby. Undo puts them on standby, with as many fewer wanted.
func ExitStandby(api API, s StandbySpec) failover.Step {
	s.Replace = false
	return newStandby(api, s, false)
}

type standby struct {
	api   API
	s     StandbySpec
	enter bool
}

func newStandby(api API, s StandbySpec, enter bool) failover.Step {
	b := &standby{api, s, enter}
	m := awsstep.Mistakes{Needs: s.Needs}
	checkRefs(&m, s.Group, s.Instances)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, Blast: failover.BlastInstance, API: apiASG,
		Estimate: awsstep.Default(s.Estimate, 30*time.Second), Timeout: s.Timeout,
		Check: func(ctx context.Context, env *failover.Env) (failover.State, error) { return b.look(ctx, env, b.enter) },
		Do:    func(ctx context.Context, env *failover.Env) error { return b.move(ctx, env, b.enter) },
		Undo:  b.undo, Ready: ready(api, s.Group), Mistakes: m.Err(),
	})
}

// out tells whether an instance is on standby or on its way there, and moving whether it is on its way somewhere.
func out(i *types.Instance) (out, moving bool) {
	switch i.LifecycleState {
	case types.LifecycleStateStandby:
		return true, false
	case types.LifecycleStateEnteringStandby:
		return true, true
	case types.LifecycleStateInService:
		return false, false
	}
	return false, true
}

// look tells how far all of the instances have come.
func (b *standby) look(ctx context.Context, env *failover.Env, enter bool) (failover.State, error) {
	there, _, moving, err := b.split(ctx, env, enter)
	switch {
	case err != nil:
		return 0, err
	case there && moving:
		return failover.InProgress, nil
	case there:
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

// split returns the instances that are not where they are to be, and whether any is on its way. Those that leave the group do not count.
func (b *standby) split(ctx context.Context, env *failover.Env, enter bool) (there bool, rest []string, moving bool, err error) {
	ids, err := resolve(env, b.s.Instances)
	if err != nil {
		return false, nil, false, err
	}
	g, err := group(ctx, env, b.api, b.s.Group)
	if err != nil {
		return false, nil, false, err
	}
	for _, id := range ids {
		i := member(g, id)
		if leaves(i) {
			continue
		}
		onStandby, moves := out(i)
		if onStandby != enter && !moves { // what moves is refused until it has arrived
			rest = append(rest, id)
		}
		moving = moving || moves
	}
	return len(rest) == 0, rest, moving, nil
}

func (b *standby) move(ctx context.Context, env *failover.Env, enter bool) error {
	_, rest, _, err := b.split(ctx, env, enter)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return failover.ErrInProgress
	}
	if enter {
		_, err = awsstep.Change(ctx, env, "autoscaling:EnterStandby", b.s.Group, b.api.EnterStandby, &autoscaling.EnterStandbyInput{
			AutoScalingGroupName: aws.String(b.s.Group), InstanceIds: rest, ShouldDecrementDesiredCapacity: aws.Bool(!b.s.Replace),
		}, once)
	} else {
		_, err = awsstep.Change(ctx, env, "autoscaling:ExitStandby", b.s.Group, b.api.ExitStandby, &autoscaling.ExitStandbyInput{
			AutoScalingGroupName: aws.String(b.s.Group), InstanceIds: rest,
		}, once)
	}
	if err != nil {
		return err
	}
	return failover.ErrInProgress
}

func (b *standby) undo(ctx context.Context, env *failover.Env) error {
	there, _, moving, err := b.split(ctx, env, !b.enter)
	switch {
	case err != nil:
		return err
	case there && moving:
		return failover.ErrInProgress
	case there:
		return nil
	}
	return b.move(ctx, env, !b.enter)
}
