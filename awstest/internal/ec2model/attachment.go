package ec2model

import (
	"regexp"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
)

// AttachmentState is the state of an attachment, by EC2's name.
type AttachmentState string

// The states of an attachment. AWS shows busy in place of detaching while a
// file system on the volume is mounted.
const (
	Attaching AttachmentState = "attaching"
	Attached  AttachmentState = "attached"
	Detaching AttachmentState = "detaching"
	Busy      AttachmentState = "busy"
)

// Attachment is where a volume is attached; Instance is empty if it is not.
type Attachment struct {
	Instance            string
	Device              string
	State               AttachmentState
	Since               time.Time // when it was asked for
	DeleteOnTermination bool

	mounts []mount
	forced bool
	due    bool // it only waits for the instance: to let go, or to have started
}

// mount is what holds a volume, by a number that is given once. It ends with
// the boot of the machine that it is of.
type mount struct{ number, boot int }

// waits tells whether an attachment in a state only waits for the instance.
func (a *Attachment) waits(s AttachmentState) bool { return a.due && a.State == s }

// Show returns the state as EC2 describes it.
func (a *Attachment) Show() AttachmentState {
	if a.waits(Detaching) && !a.forced && len(a.mounts) > 0 {
		return Busy
	}
	return a.State
}

// AttachedVolumes returns the volumes of an instance as of a moment, in the
// order in which they were attached.
func (r *Region) AttachedVolumes(at time.Time, i Instance) []Volume {
	list := make([]Volume, 0, len(i.Volumes))
	for _, id := range i.Volumes {
		if v, ok := r.volumes.Get(at, id); ok {
			list = append(list, v)
		}
	}
	return list
}

// deviceName is the form of device names. Which of them an instance takes is
// a matter of its image; here it is all of them.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html (read 2026-11)
var deviceName = regexp.MustCompile(`^(/dev/[sh]d[a-z]([1-9]|1[0-5])?|(/dev/)?xvd[a-z]{1,2})$`)

// IsDevice tells whether a text has the form of a device name.
func IsDevice(name string) bool { return deviceName.MatchString(name) }

// AttachVolume attaches a volume to an instance that runs or is stopped.
// Whether its key can be used shows later.
func (r *Region) AttachVolume(tx *awstest.Tx, id, instance, device string) (Volume, error) {
	v, err := r.Volume(tx.Now(), id)
	if err != nil {
		return v, err
	}
	i, err := r.Instance(tx.Now(), instance)
	if err != nil {
		return v, err
	}
	switch {
	case v.Attachment.Instance != "":
		return v, awstest.Errorf("VolumeInUse", "%s is already attached to an instance", id)
	case v.State != VolumeAvailable:
		return v, awstest.Errorf("IncorrectState", "%s is not 'available'.", id)
	case i.State != Running && i.State != Stopped:
		return v, awstest.Errorf("IncorrectState", "Instance '%s' is not 'running'.", instance)
	case v.Zone != i.Zone:
		return v, awstest.Errorf("InvalidVolume.ZoneMismatch", "The volume '%s' is not in the same availability zone as instance '%s'", id, instance)
	case !deviceName.MatchString(device):
		return v, badDevice(device)
	case slices.ContainsFunc(r.AttachedVolumes(tx.Now(), i), func(v Volume) bool { return v.Attachment.Device == device }):
		return v, awstest.Errorf("InvalidParameterValue", "Invalid value '%s' for unixDevice. Attachment point %s is already in use", device, device)
	case len(i.Volumes)+len(i.Interfaces) >= r.model.opts.AttachmentLimit:
		return v, awstest.Errorf("AttachmentLimitExceeded", "Instance '%s' has reached its limit of %d attachments.", instance, r.model.opts.AttachmentLimit)
	}
	return r.attachVolume(tx, id, i.ID, device, false), nil
}

func badDevice(device string) error {
	return awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter device is invalid. %s is not a valid EBS device name.", device, device)
}

func (r *Region) attachVolume(tx *awstest.Tx, id, instance, device string, deleteOnTermination bool) Volume {
	v := r.turn(tx, id, func(v *Volume) {
		v.State = VolumeInUse
		v.Attachment = Attachment{
			Instance: instance, Device: device, State: Attaching, Since: tx.Now(),
			DeleteOnTermination: deleteOnTermination,
		}
	})
	change(tx, r.instances, instance, func(i *Instance) { i.Volumes = append(slices.Clone(i.Volumes), id) })
	r.laterVolume(tx, v, r.model.opts.VolumeAttaching, r.becomeAttached)
	return v
}

// becomeAttached ends the making of an attachment, in one way or the other. An
// instance that starts has to do with a key that cannot be used: see
// becomeRunning.
func (r *Region) becomeAttached(tx *awstest.Tx, v Volume) {
	i, _ := r.instances.Get(tx.Now(), v.Attachment.Instance)
	switch {
	case r.unlocks(tx, v):
		r.turn(tx, v.ID, func(v *Volume) { v.Attachment.State, v.Attachment.due = Attached, false })
	case i.State == Pending:
		change(tx, r.volumes, v.ID, func(v *Volume) { v.Attachment.due = true })
	case i.State != ShuttingDown: // those of an instance that never ran go with it: see partAll
		r.part(tx, v)
	}
}

// started ends the making of the attachments that have waited for an instance
// to start, when it has, or has not.
func (r *Region) started(tx *awstest.Tx, instance string) {
	i, _ := r.instances.Get(tx.Now(), instance)
	for _, v := range r.AttachedVolumes(tx.Now(), i) {
		if v.Attachment.waits(Attaching) {
			r.whenFree(tx, v, r.becomeAttached)
		}
	}
}

// DetachVolume begins to detach a volume; instance and device must be those of
// its attachment, unless they are empty. Without force it ends when the
// instance lets go.
func (r *Region) DetachVolume(tx *awstest.Tx, id, instance, device string, force bool) (Volume, error) {
	v, err := r.Volume(tx.Now(), id)
	if err != nil {
		return v, err
	}
	a := v.Attachment
	i, attached := r.instances.Get(tx.Now(), a.Instance)
	switch {
	case !attached:
		return v, awstest.Errorf("IncorrectState", "Volume '%s' is in the '%s' state.", id, v.State)
	case instance != "" && instance != a.Instance:
		return v, awstest.Errorf("InvalidAttachment.NotFound", "Volume '%s' is not attached to instance '%s'.", id, instance)
	case device != "" && device != a.Device:
		return v, awstest.Errorf("InvalidAttachment.NotFound", "Volume '%s' is not attached as device '%s'.", id, device)
	case a.Device == i.RootDevice && i.State != Stopped:
		// An account answered this code, older reports have OperationNotPermitted.
		return v, awstest.Errorf("IncorrectState", "Unable to detach root volume '%s' from instance '%s'", id, i.ID)
	case a.State == Detaching && !force:
		return v, awstest.Errorf("IncorrectState", "Volume '%s' is in the '%s' state.", id, a.Show())
	case a.forced:
		return v, nil // a repeat puts nothing off
	case a.State != Detaching:
		v = r.turn(tx, id, func(v *Volume) { v.Attachment.State, v.Attachment.due = Detaching, false })
	}
	if force {
		// If it is detaching already, the instance may still let go before.
		v = change(tx, r.volumes, id, func(v *Volume) { v.Attachment.forced = true })
		r.laterVolume(tx, v, r.model.opts.VolumeForceDetaching, r.part)
		return v, nil
	}
	r.laterVolume(tx, v, r.model.opts.VolumeDetaching, func(tx *awstest.Tx, v Volume) {
		r.letGo(tx, change(tx, r.volumes, v.ID, func(v *Volume) { v.Attachment.due = true }))
	})
	return v, nil
}

// letGo ends an attachment whose time has come, if nothing on the instance
// holds the volume any more: a file system that is mounted, or a machine that
// runs and does not answer.
func (r *Region) letGo(tx *awstest.Tx, v Volume) {
	i, _ := r.instances.Get(tx.Now(), v.Attachment.Instance)
	if i.State != Running || tx.Reachable(i.Machine).OK && len(v.Attachment.mounts) == 0 {
		r.part(tx, v)
	}
}

// part ends an attachment.
func (r *Region) part(tx *awstest.Tx, v Volume) {
	change(tx, r.instances, v.Attachment.Instance, func(i *Instance) {
		i.Volumes = slices.DeleteFunc(slices.Clone(i.Volumes), func(id string) bool { return id == v.ID })
	})
	r.turn(tx, v.ID, func(v *Volume) {
		v.Attachment = Attachment{}
		if v.State == VolumeInUse {
			v.State = VolumeAvailable
		}
	})
}

// release lets go of the volumes of an instance that only wait for it.
func (r *Region) release(tx *awstest.Tx, instance string) {
	i, _ := r.instances.Get(tx.Now(), instance)
	for _, v := range r.AttachedVolumes(tx.Now(), i) {
		if v.Attachment.waits(Detaching) {
			r.whenFree(tx, v, r.letGo)
		}
	}
}

// Mount has a program on the instance hold a volume, which must be attached,
// until unmount is called or the machine does not run any more.
func (r *Region) Mount(tx *awstest.Tx, v Volume) (unmount func(*awstest.Tx)) {
	r.mounts++
	i, _ := r.instances.Get(tx.Now(), v.Attachment.Instance)
	held := mount{r.mounts, tx.Boots(i.Machine)}
	change(tx, r.volumes, v.ID, func(v *Volume) { v.Attachment.mounts = append(slices.Clone(v.Attachment.mounts), held) })
	return func(tx *awstest.Tx) {
		now, ok := r.volumes.Get(tx.Now(), v.ID)
		if !ok || !slices.Contains(now.Attachment.mounts, held) {
			return
		}
		r.drop(tx, now, func(m mount) bool { return m == held })
		r.release(tx, now.Attachment.Instance)
	}
}

// unmount ends what the programs on an instance hold, when they end.
func (r *Region) unmount(tx *awstest.Tx, instance string) {
	i, _ := r.instances.Get(tx.Now(), instance)
	for _, v := range r.AttachedVolumes(tx.Now(), i) {
		r.drop(tx, v, func(mount) bool { return true })
	}
	r.release(tx, instance)
}

// drop takes back some of what holds a volume.
func (r *Region) drop(tx *awstest.Tx, v Volume, which func(mount) bool) {
	if slices.ContainsFunc(v.Attachment.mounts, which) {
		change(tx, r.volumes, v.ID, func(v *Volume) {
			v.Attachment.mounts = slices.DeleteFunc(slices.Clone(v.Attachment.mounts), which)
		})
	}
}
