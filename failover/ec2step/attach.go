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

// AttachSpec describes an [Attach].
type AttachSpec struct {
	ID       string
	Needs    []string
	Estimate time.Duration // default 5 s
	Timeout  time.Duration // zero is the engine's

	Volume   failover.Ref // its ID. Required
	Instance failover.Ref // the ID of the instance that shall have it, in the zone of the volume. Required

	// Devices are the names to try, in order. Default /dev/sdf to /dev/sdp, which AWS recommends for Linux.
	// Source: https://docs.aws.amazon.com/ebs/latest/userguide/device_naming.html (read 2026-11).
	Devices []string
}

// stuckAfter is how long a volume may be attaching. It takes seconds; what takes longer than a minute and a half does not end.
// Source: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/issues/1801, as the documentation names no time.
const stuckAfter = 90 * time.Second

// Attach returns a step that attaches a volume to an instance, and is done when EC2 shows it attached there. It puts DeviceKey, the name that was
// asked for: on Nitro the system sees another one, so look for the volume by its ID, which is the serial number of its device.
// Source: https://docs.aws.amazon.com/ebs/latest/userguide/nvme-ebs-volumes.html (read 2026-11).
//
// While another instance lets go of the volume it is waited for; one that keeps it ends the step with ErrHeld, since only its fence may take it
// away. A device name that is taken is passed over. A volume that is attaching for a minute and a half is detached, and attached anew under another
// name.
//
// It costs a DescribeVolumes a look and one AttachVolume. EC2 attaches an ordinary volume to one instance at most, so that a late request
// either finds it attached where it shall be, or is refused. Undo detaches the volume from the instance.
func Attach(api VolumeAPI, s AttachSpec) failover.Step {
	a := &attach{api: api, s: s}
	m := awsstep.Mistakes{Needs: s.Needs}
	m.Ref("Volume", s.Volume)
	m.Ref("Instance", s.Instance)
	if s.Devices != nil {
		m.Some("Devices", s.Devices)
	}
	if len(a.s.Devices) == 0 {
		for c := 'f'; c <= 'p'; c++ {
			a.s.Devices = append(a.s.Devices, "/dev/sd"+string(c))
		}
	}
	return failover.NewStep(failover.StepFuncs{
		ID: s.ID, Needs: s.Needs, Plane: failover.PlaneMutate, Blast: failover.BlastInstance, API: apiEC2, Writes: writes(s.Volume),
		Estimate: awsstep.Default(s.Estimate, 5*time.Second), Timeout: s.Timeout,
		Check: a.check, Do: a.do, Undo: a.undo, Ready: a.ready, Mistakes: m.Err(),
	})
}

type attach struct {
	api      VolumeAPI
	s        AttachSpec
	patience awsstep.Patience
	held     awsstep.Patience
}

func (a *attach) read(ctx context.Context, env *failover.Env) (own, other *types.VolumeAttachment, err error) {
	id, instance, err := both(env, a.s.Volume, a.s.Instance)
	if err != nil {
		return nil, nil, err
	}
	v, err := readVolume(ctx, env, a.api, id)
	if err != nil {
		return nil, nil, a.patience.Judge(env, err)
	}
	own, other = attachment(v, instance)
	return own, other, nil
}

func (a *attach) check(ctx context.Context, env *failover.Env) (failover.State, error) {
	own, _, err := a.read(ctx, env)
	switch {
	case err != nil:
		return 0, err
	case own == nil:
		return failover.NotDone, nil
	case own.State == types.VolumeAttachmentStateAttached:
		env.Put(DeviceKey, aws.ToString(own.Device))
		return failover.Done, nil
	case own.State == types.VolumeAttachmentStateAttaching && askedFor(env) > stuckAfter:
		return failover.NotDone, nil
	}
	return failover.InProgress, nil
}

// keyDevice is under which the journal has how many device names have been passed over.
const keyDevice = "next-device"

func (a *attach) do(ctx context.Context, env *failover.Env) error {
	id, instance, err := both(env, a.s.Volume, a.s.Instance)
	if err != nil {
		return err
	}
	if askedFor(env) > stuckAfter {
		own, _, err := a.read(ctx, env)
		switch {
		case err != nil:
			return err
		case own != nil && own.State == types.VolumeAttachmentStateAttaching:
			return a.restart(ctx, env, id, instance)
		}
	}
	what := id + " to " + instance
	for n := passedOver(env); n < len(a.s.Devices); n++ {
		putAsked(env)
		env.Put(keyDevice, fmt.Sprint(n))
		if err := env.Save(ctx); err != nil {
			return err
		}
		_, err := awsstep.Change(ctx, env, "ec2:AttachVolume", what, a.api.AttachVolume,
			&ec2.AttachVolumeInput{VolumeId: aws.String(id), InstanceId: aws.String(instance), Device: aws.String(a.s.Devices[n])}, once)
		switch awserr.Of(err) {
		case awserr.None:
			return failover.ErrInProgress
		case awserr.Exists:
			env.Note("%s has no %s to give", instance, a.s.Devices[n])
			continue
		case awserr.Conflict:
			return a.inUse(ctx, env, err)
		case awserr.Quota, awserr.Gone:
			return failover.Permanent(err)
		}
		return a.patience.Judge(env, err)
	}
	return failover.Permanent(fmt.Errorf("%s: %s has none of %d device names to give", what, instance, len(a.s.Devices)))
}

// inUse finds out who has the volume, after EC2 has said that somebody has.
func (a *attach) inUse(ctx context.Context, env *failover.Env, refused error) error {
	own, other, err := a.read(ctx, env)
	switch {
	case err != nil:
		return err
	case own != nil:
		return failover.ErrInProgress
	case other == nil || other.State != types.VolumeAttachmentStateAttached:
		return refused // it is on its way off, or reads are behind
	}
	// What has just let go may still be shown as attached: that is believed for a while only.
	held := fmt.Errorf("%w: %s: %w", refused, aws.ToString(other.InstanceId), ErrHeld)
	if a.held.Over(env) {
		return failover.Permanent(held)
	}
	return held
}

// restart detaches what never came to be attached, and passes its device name over.
func (a *attach) restart(ctx context.Context, env *failover.Env, id, instance string) error {
	env.Put(keyDevice, fmt.Sprint(passedOver(env)+1))
	env.Put(keyAsked, "")
	if err := env.Save(ctx); err != nil {
		return err
	}
	env.Note("%s is attaching to %s for more than %s: begun anew", id, instance, stuckAfter)
	_, err := awsstep.Change(ctx, env, "ec2:DetachVolume", id+" from "+instance, a.api.DetachVolume,
		&ec2.DetachVolumeInput{VolumeId: aws.String(id), InstanceId: aws.String(instance)}, once)
	if err == nil {
		return failover.ErrInProgress
	}
	return err
}

func passedOver(env *failover.Env) (n int) {
	_, _ = fmt.Sscan(env.Outputs()[keyDevice], &n) // none is none
	return max(n, 0)
}

func (a *attach) undo(ctx context.Context, env *failover.Env) error {
	id, instance, err := both(env, a.s.Volume, a.s.Instance)
	if err != nil {
		return err
	}
	_, err = awsstep.Change(ctx, env, "ec2:DetachVolume", id+" from "+instance, a.api.DetachVolume,
		&ec2.DetachVolumeInput{VolumeId: aws.String(id), InstanceId: aws.String(instance)}, once)
	switch awserr.Of(err) {
	case awserr.None:
		return failover.ErrInProgress
	case awserr.Pending, awserr.NotFound: // it is detached, or on its way
		return nil
	}
	return err
}

func (a *attach) ready(ctx context.Context, env *failover.Env) ([]failover.Finding, error) {
	id, err := a.s.Volume.Get(env)
	if err != nil {
		return awsstep.NotYetKnown(err)
	}
	v, err := readVolume(ctx, env, a.api, id)
	if err != nil {
		return nil, err
	}
	instance, err := a.s.Instance.Get(env)
	if err != nil {
		return awsstep.NotYetKnown(err)
	}
	i, err := sharedInstance(ctx, env, a.api, instance)
	if err != nil {
		return nil, err
	}
	var found []failover.Finding
	if zone := aws.ToString(i.Placement.AvailabilityZone); zone != aws.ToString(v.AvailabilityZone) {
		text := fmt.Sprintf("%s is in %s and %s in %s: a volume never leaves its zone", id, aws.ToString(v.AvailabilityZone), instance, zone)
		found = append(found, failover.Finding{Level: failover.LevelFail, Text: text})
	}
	_, err = awsstep.Call(ctx, "ec2:AttachVolume", id+" to "+instance, a.api.AttachVolume, &ec2.AttachVolumeInput{
		VolumeId: aws.String(id), InstanceId: aws.String(instance), Device: aws.String(a.s.Devices[0]), DryRun: aws.Bool(true),
	}, once)
	return append(found, failover.DryRun("ec2:AttachVolume", id+" to "+instance, err)), nil
}
