package ec2svc

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// WriteVolume replaces what is on a volume, as a program on its instance would. A snapshot has what was on the volume when it was
// begun, and so has a volume that is made of the snapshot or of a copy of it.
//
// A mistake is a [*awstest.FieldError].
func WriteVolume(cloud *awstest.Cloud, region, volumeID, content string) error {
	return update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		if _, err := r.Volume(tx.Now(), volumeID); err != nil {
			return mistake("volumeID", volumeID, "is not a volume of "+region)
		}
		r.Write(tx, volumeID, content)
		return nil
	})
}

// ReadVolume returns what is on a volume. A mistake is a [*awstest.FieldError].
func ReadVolume(cloud *awstest.Cloud, region, volumeID string) (content string, err error) {
	err = update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		v, err := r.Volume(tx.Now(), volumeID)
		if err != nil {
			return mistake("volumeID", volumeID, "is not a volume of "+region)
		}
		content = v.Content
		return nil
	})
	return content, err
}

// FailSnapshot makes a snapshot or a copy that is pending fail, and all those that CreateSnapshots made with it: they are in the state error, with the
// message, until they are deleted. A mistake is a [*awstest.FieldError].
func FailSnapshot(cloud *awstest.Cloud, region, snapshotID, message string) error {
	return update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		if s, err := r.Snapshot(tx.Now(), snapshotID); err != nil || s.State != ec2model.SnapshotPending {
			return mistake("snapshotID", snapshotID, "is not a pending snapshot of "+region)
		}
		r.FailSnapshot(tx, snapshotID, message)
		return nil
	})
}

// IsFullSnapshot tells whether all of a volume had to be stored for a snapshot or for a copy, and not only what has changed since the one before: what AWS
// charges for, and why it takes longer. A copy that waits for another one of the same volume does not know yet, and says false. A mistake is a [*awstest.FieldError].
func IsFullSnapshot(cloud *awstest.Cloud, region, snapshotID string) (full bool, err error) {
	err = update(cloud, region, func(tx *awstest.Tx, r *ec2model.Region) error {
		s, err := r.Snapshot(tx.Now(), snapshotID)
		if err != nil {
			return mistake("snapshotID", snapshotID, "is not a snapshot of "+region)
		}
		full = s.Full
		return nil
	})
	return full, err
}
