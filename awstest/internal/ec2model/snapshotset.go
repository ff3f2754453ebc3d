package ec2model

import (
	"slices"

	"github.com/awsha/awsha/awstest"
)

// SetSpec is which volumes of an instance CreateSnapshots takes, and what their snapshots are to be like.
type SetSpec struct {
	SnapshotSpec
	WithoutRoot bool
	Without     []string // volumes
	CopyTags    bool     // of each volume; the spec's own tags win
}

// CreateSnapshots begins snapshots of the volumes of an instance, all at one instant: of all of them, or of none.
func (r *Region) CreateSnapshots(tx *awstest.Tx, instance string, spec SetSpec) ([]Snapshot, error) {
	i, err := r.Instance(tx.Now(), instance)
	if err != nil {
		return nil, err
	}
	if i.State == Terminated || i.State == ShuttingDown {
		return nil, awstest.Errorf("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be snapshotted.", instance)
	}
	volumes, err := r.chosen(tx, i, spec)
	if err != nil {
		return nil, err
	}
	specs := make([]SnapshotSpec, 0, len(volumes))
	for _, v := range volumes {
		if err := r.snapshotable(tx, v); err != nil {
			return nil, err
		}
		one := spec.SnapshotSpec
		if spec.CopyTags {
			if one.Tags, err = Inherit(v.Tags, one.Tags); err != nil {
				return nil, err
			}
		}
		specs = append(specs, one)
	}
	if err := r.roomForPending(len(volumes)); err != nil {
		return nil, err
	}
	return r.newSnapshots(tx, volumes, specs), nil
}

// chosen returns the volumes of an instance that a set is made of. AWS documents what cannot be left out, and no codes for it.
func (r *Region) chosen(tx *awstest.Tx, i Instance, spec SetSpec) (volumes []Volume, err error) {
	attached := r.AttachedVolumes(tx.Now(), i)
	for _, id := range spec.Without {
		n := slices.IndexFunc(attached, func(v Volume) bool { return v.ID == id })
		switch {
		case n < 0:
			return nil, awstest.Errorf("InvalidParameterValue", "The volume '%s' is not attached to the instance '%s'.", id, i.ID)
		case attached[n].Attachment.Device == i.RootDevice:
			return nil, awstest.Errorf("InvalidParameterValue", "The volume '%s' is the root volume; exclude it by ExcludeBootVolume.", id)
		}
	}
	for _, v := range attached {
		if slices.Contains(spec.Without, v.ID) || spec.WithoutRoot && v.Attachment.Device == i.RootDevice {
			continue
		}
		volumes = append(volumes, v)
	}
	if len(volumes) == 0 {
		return nil, awstest.Errorf("InvalidParameterValue", "There are no volumes to snapshot.")
	}
	return volumes, nil
}

// MaxTags is how many tags a resource may have, AWS's own not counted.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions (read 2026-11)
const MaxTags = 50

// Inherit adds tags to those of a source, without AWS's own.
func Inherit(of, add Tags) (Tags, error) {
	var tags Tags
	for _, list := range []Tags{of, add} {
		for _, t := range list {
			if !Reserved(t.Key) {
				tags = tags.With(t)
			}
		}
	}
	if len(tags) > MaxTags {
		return nil, awstest.Errorf("TagLimitExceeded", "More than %d tags specified", MaxTags)
	}
	return tags, nil
}
