package ec2svc

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// MountVolume has a program on the instance that a volume is attached to hold
// the volume: a file system that is mounted. Until unmount is called, a
// DetachVolume without Force does not come to its end, and after
// Options.VolumeDetaching the attachment is shown as busy. A stop, a reboot or
// a termination of the instance unmounts, too, and so does a loss of power,
// once the machine runs again.
//
// The volume must be attached to an instance that runs. A mistake is a [*awstest.FieldError].
func MountVolume(cloud *awstest.Cloud, region, volumeID string) (unmount func(), err error) {
	var release func(*awstest.Tx)
	err = update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		v, err := r.Volume(tx.Now(), volumeID)
		switch {
		case err != nil:
			return mistake("volumeID", volumeID, "is not a volume of "+region)
		case v.Attachment.State != ec2model.Attached:
			return mistake("volumeID", volumeID, "must be attached to an instance")
		}
		if i, err := r.Instance(tx.Now(), v.Attachment.Instance); err != nil || i.State != ec2model.Running {
			return mistake("volumeID", volumeID, "must be attached to an instance that runs")
		}
		release = r.Mount(tx, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func() { cloud.Update(release) }, nil
}

// StallVolume holds up the I/O of a volume until heal is called, as an experiment
// of AWS Fault Injection Service that pauses it does. After Options.StatusCheck
// the attached EBS check of the instance that has it is impaired, as long after
// its end, and not at all if it was shorter. Nothing else shows it: neither the
// volume's own checks, nor [WriteVolume] and [ReadVolume], for which no program
// waits.
//
// A mistake is a [*awstest.FieldError].
func StallVolume(cloud *awstest.Cloud, region, volumeID string) (heal func(), err error) {
	var end func(*awstest.Tx)
	err = update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		if _, err := r.Volume(tx.Now(), volumeID); err != nil {
			return mistake("volumeID", volumeID, "is not a volume of "+region)
		}
		end = r.Stall(tx, volumeID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func() { cloud.Update(end) }, nil
}

// FailVolume makes the hardware of a volume fail for good: it is in the state
// error, and what was on it is lost. It stays attached where it is, cannot be
// attached anew, and can be deleted. As in AWS, its status checks do not show
// it; the attached EBS check of its instance does, as after [StallVolume].
//
// A mistake is a [*awstest.FieldError].
func FailVolume(cloud *awstest.Cloud, region, volumeID string) error {
	return update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		v, err := r.Volume(tx.Now(), volumeID)
		if err != nil {
			return mistake("volumeID", volumeID, "is not a volume of "+region)
		}
		r.FailVolume(tx, v)
		return nil
	})
}
