package ec2step

import (
	"context"
	"fmt"

	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// FenceSpec describes a [Fence].
type FenceSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 20 s
	Timeout  time.Duration // zero is the engine's

	Instance failover.Ref // its ID. Required

	// Unconfirmed makes the step done as soon as EC2 has taken the order, as in a zone that is down, where no order is carried out until it is back.
	// It proves nothing: only steps may need it that do no harm beside an old instance that still runs.
	Unconfirmed bool

	// Graceful lets the system shut down before it stops, which may take minutes. By default the power is cut.
	Graceful bool
}

// keyWas is under which the journal has what there was before a change.
const keyWas = "was"

// Fence returns a step that stops an instance, by force, and is done when EC2 says that it is stopped or terminated: from then on it writes
// nothing. A stop is what makes it safe to take a volume or a role away from an instance that nobody can reach.
//
// Force and SkipOsShutdown are set: a system that hangs is not waited for, and what it has not written is lost. Data on instance storage are lost in any
// case. An instance of an Auto Scaling group is replaced by the group once it stops: suspend ReplaceUnhealthy or detach it first. The ready
// check says both.
//
// It costs a DescribeInstances a look and one StopInstances. A late request stops the same instance again, which matters only if somebody has
// started it meanwhile. Undo starts the instance, if it ran before.
func Fence(api FenceAPI, s FenceSpec) failover.Step {
	f := &fence{api: api, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Ref("Instance", s.Instance)
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, Blast: failover.BlastInstance, API: apiEC2, Writes: writes(s.Instance),
		Estimate: awsstep.Default(s.Estimate, 20*time.Second), Timeout: s.Timeout,
		Check: f.check, Do: f.do, Undo: f.undo, Ready: f.ready, Mistakes: m.Err(),
	})
}

type fence struct {
	api      FenceAPI
	s        FenceSpec
	patience awsstep.Patience
}

func (f *fence) read(ctx context.Context, env *failover.Env) (*types.Instance, error) {
	id, err := f.s.Instance.Get(env)
	if err != nil {
		return nil, err
	}
	return sharedInstance(ctx, env, f.api, id)
}

func (f *fence) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	i, err := f.read(ctx, env)
	if f.s.Unconfirmed && awserr.Of(err) == awserr.NotFound {
		return failover.Done, nil // it has been gone for an hour
	}
	if err != nil {
		return 0, f.patience.Judge(env, err)
	}
	switch i.State.Name {
	case types.InstanceStateNameStopped, types.InstanceStateNameTerminated:
		return failover.Done, nil
	case types.InstanceStateNameStopping, types.InstanceStateNameShuttingDown:
		if f.s.Unconfirmed {
			return failover.Done, nil
		}
		if env.Outputs()[keyWas] != "" { // asked for by this step, with force
			return failover.InProgress, nil
		}
	}
	return failover.NotDone, nil
}

func (f *fence) do(ctx context.Context, env *failover.Env) error {
	i, err := f.read(ctx, env)
	if err != nil {
		return err
	}
	if env.Outputs()[keyWas] == "" {
		env.Put(keyWas, string(i.State.Name))
		if err := env.Save(ctx); err != nil {
			return err
		}
	}
	id := aws.ToString(i.InstanceId)
	_, err = awsstep.Change(ctx, env, "ec2:StopInstances", id, f.api.StopInstances, f.request(id))
	switch awserr.Of(err) {
	case awserr.None:
		if f.s.Unconfirmed {
			env.Note("asked %s to stop; it is not known to have stopped", id)
			return nil
		}
		return failover.ErrInProgress
	case awserr.Gone: // it is being terminated
		return failover.ErrInProgress
	}
	return err
}

func (f *fence) request(id string) *ec2.StopInstancesInput {
	in := &ec2.StopInstancesInput{InstanceIds: []string{id}}
	if !f.s.Graceful {
		in.Force, in.SkipOsShutdown = aws.Bool(true), aws.Bool(true)
	}
	return in
}

// undo starts what ran. It is through when Check finds that the instance neither is stopped nor stops.
func (f *fence) undo(ctx context.Context, env *failover.Env) error {
	i, err := f.read(ctx, env)
	if err != nil {
		return err
	}
	was := types.InstanceStateName(env.Outputs()[keyWas])
	switch i.State.Name {
	case types.InstanceStateNameTerminated, types.InstanceStateNameShuttingDown:
		return fmt.Errorf("%s is %s: %w", aws.ToString(i.InstanceId), i.State.Name, failover.ErrIrreversible)
	case types.InstanceStateNamePending, types.InstanceStateNameRunning:
		return nil
	case types.InstanceStateNameStopping:
		return failover.ErrInProgress
	}
	if was != types.InstanceStateNamePending && was != types.InstanceStateNameRunning {
		return nil // it did not run before
	}
	id := aws.ToString(i.InstanceId)
	_, err = awsstep.Change(ctx, env, "ec2:StartInstances", id, f.api.StartInstances, &ec2.StartInstancesInput{InstanceIds: []string{id}})
	return err
}

func (f *fence) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	i, err := f.read(ctx, env)
	if err != nil {
		return awsstep.NotYetKnown(err)
	}
	id := aws.ToString(i.InstanceId)
	var found []failover.Finding
	if i.RootDeviceType == types.DeviceTypeInstanceStore {
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: id + " boots from instance storage: it cannot be stopped"})
	}
	if i.InstanceLifecycle == types.InstanceLifecycleTypeSpot {
		found = append(found, failover.Finding{Level: failover.LevelWarn, Text: id + " is a Spot Instance: only one of a persistent request can be stopped"})
	}
	for _, t := range i.Tags {
		if aws.ToString(t.Key) == "aws:autoscaling:groupName" {
			found = append(found, failover.Finding{
				Level: failover.LevelWarn, Text: fmt.Sprintf("%s belongs to the Auto Scaling group %s, which replaces it once it stops", id, aws.ToString(t.Value)),
			})
		}
	}
	in := f.request(id)
	in.DryRun = aws.Bool(true)
	_, err = awsstep.Call(ctx, "ec2:StopInstances", id, f.api.StopInstances, in)
	return append(found, failover.DryRun("ec2:StopInstances", id, err)), nil
}

// writes names what a step writes, where that is known when the plan is made.
func writes(refs ...failover.Ref) []string {
	var all []string
	for _, r := range refs {
		if id, ok := r.Text(); ok {
			all = append(all, id)
		}
	}
	return all
}

// sharedInstance reads an instance together with other steps that ask for it.
func sharedInstance(ctx context.Context, env *failover.Env, api instanceReader, id string) (*types.Instance, error) {
	return failover.Share(ctx, env, "ec2:DescribeInstances "+id, func(ctx context.Context) (*types.Instance, error) {
		return readInstance(ctx, api, id)
	})
}
