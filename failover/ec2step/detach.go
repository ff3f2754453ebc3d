package ec2step

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/awsstep"
	"github.com/awsha/awsha/internal/awserr"
)

// DetachSpec describes a [Detach].
type DetachSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 5 s
	Timeout  time.Duration // zero is the engine's

	Volume   failover.Ref // its ID. Required
	Instance failover.Ref // the ID of the instance that shall let go of it. Required

	// FencedBy is the step in Needs that stops the instance: a [Fence]. Without it the volume is never taken away by force.
	FencedBy string

	// ForceAfter is how long after the request a volume that still is not detached is taken away by force, if FencedBy is given and EC2 says that the
	// instance is stopped or terminated. Default 30 s.
	ForceAfter time.Duration
}

// Detach returns a step that detaches a volume from an instance, and is done when EC2 shows no attachment to it any more, of whatever state.
//
// A system that runs has to unmount the volume first, or EC2 waits for that; so fence the instance before. Force loses what the system
// has not written, and corrupts what a system that still writes goes on writing: it is used only after a fence, and only while EC2 says that
// the instance does not run; otherwise the error is ErrNotFenced.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html (read 2026-11).
//
// It costs a DescribeVolumes a look and one DetachVolume. The request names the instance: a late one takes the volume from nobody else.
// Undo attaches the volume again where it was, unless another instance has it.
func Detach(api VolumeAPI, s DetachSpec) failover.Step {
	s.ForceAfter = awsstep.Default(s.ForceAfter, 30*time.Second)
	d := &detach{api: api, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Ref("Volume", s.Volume)
	m.Ref("Instance", s.Instance)
	m.NotNegative("ForceAfter", s.ForceAfter)
	if s.FencedBy != "" && !slices.Contains(s.Needs, s.FencedBy) {
		m.Add("FencedBy", s.FencedBy, "must be a step in Needs")
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, Blast: failover.BlastInstance, API: apiEC2, Writes: writes(s.Volume),
		Estimate: awsstep.Default(s.Estimate, 5*time.Second), Timeout: s.Timeout,
		Check: d.check, Do: d.do, Undo: d.undo, Ready: d.ready, Mistakes: m.Err(),
	})
}

type detach struct {
	api      VolumeAPI
	s        DetachSpec
	patience awsstep.Patience
}

func (d *detach) read(ctx context.Context, env *failover.Env) (own, other *types.VolumeAttachment, err error) {
	id, instance, err := both(env, d.s.Volume, d.s.Instance)
	if err != nil {
		return nil, nil, err
	}
	v, err := readVolume(ctx, env, d.api, id)
	if err != nil {
		return nil, nil, d.patience.Judge(env, err)
	}
	own, other = attachment(v, instance)
	return own, other, nil
}

func (d *detach) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	own, _, err := d.read(ctx, env)
	switch {
	case err != nil:
		return 0, err
	case own == nil:
		return failover.Done, nil
	case own.State == types.VolumeAttachmentStateDetaching || own.State == types.VolumeAttachmentStateBusy:
		if d.s.FencedBy != "" && askedFor(env) > d.s.ForceAfter {
			return failover.NotDone, nil // by force, then
		}
		return failover.InProgress, nil
	}
	return failover.NotDone, nil
}

func (d *detach) do(ctx context.Context, env *failover.Env) error {
	id, instance, err := both(env, d.s.Volume, d.s.Instance)
	if err != nil {
		return err
	}
	in := &ec2.DetachVolumeInput{VolumeId: aws.String(id), InstanceId: aws.String(instance)}
	if d.s.FencedBy != "" && askedFor(env) > d.s.ForceAfter {
		if err := d.fenced(ctx, instance); err != nil {
			return err
		}
		in.Force = aws.Bool(true)
		env.Note("%s is taken from %s by force", id, instance)
	}
	if err := d.remember(ctx, env); err != nil {
		return err
	}
	_, err = awsstep.Change(ctx, env, "ec2:DetachVolume", id+" from "+instance, d.api.DetachVolume, in, once)
	switch awserr.Of(err) {
	case awserr.None, awserr.Pending: // IncorrectState: it is detached, or on its way
		return failover.ErrInProgress
	case awserr.NotFound:
		if awserr.Missing(err) == awserr.Attachment {
			return failover.ErrInProgress
		}
		return d.patience.Judge(env, err)
	}
	return err
}

// remember writes down where the volume was, for Undo, and when it was asked for first.
func (d *detach) remember(ctx context.Context, env *failover.Env) error {
	own, _, err := d.read(ctx, env)
	if err != nil {
		return err
	}
	if own != nil && env.Outputs()[DeviceKey] == "" {
		env.Put(DeviceKey, aws.ToString(own.Device))
	}
	if env.Outputs()[keyAsked] == "" {
		putAsked(env)
	}
	return env.Save(ctx)
}

// fenced tells whether the instance certainly writes nothing any more.
func (d *detach) fenced(ctx context.Context, id string) error {
	i, err := readInstance(ctx, d.api, id)
	switch {
	case awserr.Of(err) == awserr.NotFound: // an hour after it was terminated
		return nil
	case err != nil:
		return err
	case i.State.Name == types.InstanceStateNameStopped || i.State.Name == types.InstanceStateNameTerminated:
		return nil
	}
	return fmt.Errorf("%s is %s: %w", id, i.State.Name, ErrNotFenced)
}

func (d *detach) undo(ctx context.Context, env *failover.Env) error {
	device := env.Outputs()[DeviceKey]
	if device == "" {
		return nil // it was not attached
	}
	id, instance, err := both(env, d.s.Volume, d.s.Instance)
	if err != nil {
		return err
	}
	_, err = awsstep.Change(ctx, env, "ec2:AttachVolume", id+" to "+instance, d.api.AttachVolume,
		&ec2.AttachVolumeInput{VolumeId: aws.String(id), InstanceId: aws.String(instance), Device: aws.String(device)}, once)
	switch awserr.Of(err) {
	case awserr.None:
		return failover.ErrInProgress
	case awserr.Conflict: // attached: here, or elsewhere
		own, other, rerr := d.read(ctx, env)
		switch {
		case rerr != nil:
			return rerr
		case own != nil:
			return failover.ErrInProgress
		case other != nil && other.State == types.VolumeAttachmentStateAttached:
			return fmt.Errorf("%s has %s: %w", aws.ToString(other.InstanceId), id, failover.ErrIrreversible)
		}
	case awserr.Gone:
		return fmt.Errorf("%s has ended: %w", instance, failover.ErrIrreversible)
	}
	return err
}

func (d *detach) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	id, instance, err := both(env, d.s.Volume, d.s.Instance)
	if err != nil {
		return awsstep.NotYetKnown(err)
	}
	own, other, err := d.read(ctx, env)
	if err != nil {
		return nil, err
	}
	var found []failover.Finding
	if own == nil && other != nil {
		text := fmt.Sprintf("%s is attached to %s and not to %s", id, aws.ToString(other.InstanceId), instance)
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: text})
	}
	if d.s.FencedBy == "" {
		found = append(found, failover.Finding{
			Level: failover.LevelWarn, Text: instance + " is not fenced first: it has to unmount " + id + " by itself, or EC2 waits for ever",
		})
	}
	_, err = awsstep.Call(ctx, "ec2:DetachVolume", id, d.api.DetachVolume,
		&ec2.DetachVolumeInput{VolumeId: aws.String(id), InstanceId: aws.String(instance), DryRun: aws.Bool(true)}, once)
	return append(found, failover.DryRun("ec2:DetachVolume", id, err)), nil
}
