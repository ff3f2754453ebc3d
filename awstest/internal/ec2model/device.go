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

// The root volume of an instance, if neither the launch nor an image of this
// account says what it is like: that of Amazon Linux 2023.
const (
	rootType = "gp3"
	rootGiB  = 8
)

// devices returns the volumes of a launch, the root volume first, with what
// the launch leaves to the image; image is nil if it is not of this account.
func (r *Region) devices(tx *awstest.Tx, asked []Device, image *Image) ([]Device, error) {
	list := r.imageDevices(image)
	for n, d := range asked {
		switch {
		case !deviceName.MatchString(d.Name):
			return nil, badDevice(d.Name)
		case slices.ContainsFunc(asked[:n], func(other Device) bool { return other.Name == d.Name }):
			return nil, awstest.Errorf("InvalidBlockDeviceMapping", "The device '%s' is used in more than one block-device mapping", d.Name)
		}
		if at := slices.IndexFunc(list, func(has Device) bool { return has.Name == d.Name }); at >= 0 {
			list[at] = d.over(list[at])
		} else {
			list = append(list, d)
		}
	}
	boot := &list[0]
	if boot.SizeGiB == 0 && boot.Snapshot == "" {
		boot.SizeGiB = rootGiB
	}
	if boot.Type == "" {
		boot.Type = rootType
	}
	for n := range list {
		d := &list[n]
		var err error
		if d.VolumeSpec, err = r.fromSnapshot(tx, d.VolumeSpec); err != nil {
			return nil, err
		}
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	if t, _ := boot.find(); t.noBoot {
		return nil, awstest.Errorf("BootForVolumeTypeUnsupported", "The volume type '%s' cannot be used as a boot volume.", t.name)
	}
	return list, nil
}

// imageDevices returns the volumes of an image, the root volume first.
func (r *Region) imageDevices(image *Image) []Device {
	if image == nil {
		return []Device{{Name: r.model.opts.RootDevice}}
	}
	list := make([]Device, 0, len(image.Devices))
	for _, d := range image.Devices {
		list = append(list, Device{Name: d.Name, Keep: d.Keep, VolumeSpec: VolumeSpec{
			VolumeShape: VolumeShape{Type: d.Type, SizeGiB: d.SizeGiB}, Snapshot: d.Snapshot,
		}})
	}
	slices.SortStableFunc(list, func(a, b Device) int {
		switch {
		case a.Name == image.RootDevice:
			return -1
		case b.Name == image.RootDevice:
			return 1
		}
		return 0
	})
	return list
}

// over returns a volume as a launch has it, with what it leaves to the image.
func (d Device) over(image Device) Device {
	if d.SizeGiB == 0 {
		d.SizeGiB = image.SizeGiB
	}
	if d.Type == "" {
		d.Type = image.Type
	}
	d.Snapshot = image.Snapshot
	return d
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
