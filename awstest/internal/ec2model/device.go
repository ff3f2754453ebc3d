package ec2model

import (
	"slices"

	"github.com/awsha/awsha/awstest"
)

// Device is a volume that is made with an instance.
type Device struct {
	Name string
	VolumeSpec
	Keep bool // when the instance is terminated
}

// The root volume of an instance, if the launch does not say what it is like.
// Images are not modelled; this is that of Amazon Linux 2023.
const (
	rootType = "gp3"
	rootGiB  = 8
)

// devices returns the volumes of a launch, the root volume first, with what
// the launch leaves to the image.
func (r *Region) devices(asked []Device) ([]Device, error) {
	list := []Device{{Name: r.model.opts.RootDevice}}
	for n, d := range asked {
		switch {
		case !deviceName.MatchString(d.Name):
			return nil, badDevice(d.Name)
		case slices.ContainsFunc(asked[:n], func(other Device) bool { return other.Name == d.Name }):
			return nil, awstest.Errorf("InvalidBlockDeviceMapping", "The device '%s' is used in more than one block-device mapping", d.Name)
		case d.Name == r.model.opts.RootDevice:
			list[0] = d
		default:
			list = append(list, d)
		}
	}
	boot := &list[0]
	if boot.SizeGiB == 0 {
		boot.SizeGiB = rootGiB
	}
	if boot.Type == "" {
		boot.Type = rootType
	}
	for _, d := range list {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	if t, _ := boot.find(); t.noBoot {
		return nil, awstest.Errorf("BootForVolumeTypeUnsupported", "The volume type '%s' cannot be used as a boot volume.", t.name)
	}
	return list, nil
}

// hasRoot tells whether an instance can start from its root volume.
func (r *Region) hasRoot(tx *awstest.Tx, i Instance) bool {
	return slices.ContainsFunc(r.AttachedVolumes(tx.Now(), i), func(v Volume) bool {
		return v.Attachment.Device == i.RootDevice && v.Attachment.State != Detaching
	})
}

// readable tells whether the keys of all volumes of an instance can be used.
func (r *Region) readable(tx *awstest.Tx, i Instance) bool {
	return !slices.ContainsFunc(r.AttachedVolumes(tx.Now(), i), func(v Volume) bool { return !r.unlocks(tx, v) })
}

// partAll parts an instance that is gone from its volumes. Those that it never
// got to read, for want of their key, were never made.
func (r *Region) partAll(tx *awstest.Tx, i Instance) {
	for _, v := range r.AttachedVolumes(tx.Now(), i) {
		r.part(tx, v)
		if v.Attachment.DeleteOnTermination || i.BootedAt.IsZero() && !r.unlocks(tx, v) {
			r.deleteVolume(tx, v.ID)
		}
	}
}
