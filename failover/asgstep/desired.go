package asgstep

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
)

// DesiredSpec describes a [SetDesired].
type DesiredSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 1 s
	Timeout  time.Duration // zero is the engine's

	Group   string // name. Required
	Desired int    // the capacity that the group is to want, within its bounds

	// Lower allows to make the group smaller. By default a group that wants more already is left alone.
	Lower bool
}

// SetDesired returns a step that sets the desired capacity of a group, without a cooldown, and is done when the group wants it: instances follow by
// and by, for which there is [WaitInService]. A group whose zone is lost wants as many as before; it replaces by itself, elsewhere, unless it is
// kept from it.
//
// It costs a DescribeAutoScalingGroups a look and one SetDesiredCapacity. A late request sets the same again, also where others have set something
// else meanwhile. Undo sets what was before, if the group still wants what the step has set.
func SetDesired(api API, s DesiredSpec) failover.Step {
	d := &desired{api, s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Text("Group", s.Group)
	if s.Desired < 0 {
		m.Add("Desired", s.Desired, "must not be negative")
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneCreate, API: apiASG, Writes: []string{s.Group + " capacity"},
		Estimate: awsstep.Default(s.Estimate, time.Second), Timeout: s.Timeout,
		Check: d.check, Do: d.do, Undo: d.undo, Ready: d.ready, Mistakes: m.Err(),
	})
}

type desired struct {
	api API
	s   DesiredSpec
}

// keyWas is under which the journal has what there was before a change.
const keyWas = "was"

func (d *desired) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	g, err := group(ctx, env, d.api, d.s.Group)
	if err != nil {
		return 0, err
	}
	if now := int(aws.ToInt32(g.DesiredCapacity)); now == d.s.Desired || now > d.s.Desired && !d.s.Lower {
		return failover.Done, nil
	}
	return failover.NotDone, nil
}

func (d *desired) do(ctx context.Context, env *failover.Env) error {
	if env.Outputs()[keyWas] == "" {
		g, err := group(ctx, env, d.api, d.s.Group)
		if err != nil {
			return err
		}
		env.Put(keyWas, strconv.Itoa(int(aws.ToInt32(g.DesiredCapacity))))
		if err := env.Save(ctx); err != nil {
			return err
		}
	}
	return d.set(ctx, env, d.s.Desired)
}

func (d *desired) set(ctx context.Context, env *failover.Env, capacity int) error {
	_, err := awsstep.Change(ctx, env, "autoscaling:SetDesiredCapacity", d.s.Group, d.api.SetDesiredCapacity, &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: aws.String(d.s.Group), DesiredCapacity: aws.Int32(int32(capacity)), HonorCooldown: aws.Bool(false),
	})
	return err
}

func (d *desired) undo(ctx context.Context, env *failover.Env) error {
	was, err := strconv.Atoi(env.Outputs()[keyWas])
	if err != nil {
		return nil //nolint:nilerr // the step did not come so far
	}
	g, err := group(ctx, env, d.api, d.s.Group)
	if err != nil {
		return err
	}
	if now := int(aws.ToInt32(g.DesiredCapacity)); now != d.s.Desired && now != was { // a read that is behind shows what was
		env.Note("%s wants %d by now: left alone", d.s.Group, now)
		return nil
	}
	return d.set(ctx, env, was)
}

func (d *desired) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	g, err := group(ctx, env, d.api, d.s.Group)
	if err != nil {
		return nil, err
	}
	found := groupReady(g)
	if least, most := int(aws.ToInt32(g.MinSize)), int(aws.ToInt32(g.MaxSize)); d.s.Desired < least || d.s.Desired > most {
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: fmt.Sprintf("%s cannot want %d: its bounds are %d and %d", d.s.Group, d.s.Desired, least, most)})
	}
	return found, nil
}
