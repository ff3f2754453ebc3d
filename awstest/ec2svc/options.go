package ec2svc

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// Options are the durations, limits and Local Zones of EC2. A zero field means
// its default; [Immediately] asks for a transition that takes no time.
type Options struct {
	// Pending is from a launch or start until the instance is running.
	// Default 15 s.
	Pending time.Duration

	// Stopping is from a stop until the instance is stopped. Default 30 s.
	Stopping time.Duration

	// ShuttingDown is from a termination until the instance is terminated.
	// Default 30 s.
	ShuttingDown time.Duration

	// StatusCheck is how long status checks say "initializing" after a start,
	// and how long they take to notice that a machine has failed or come
	// back. Default 2 minutes.
	StatusCheck time.Duration

	// VolumeCreating is from CreateVolume until the volume is available.
	// Default 2 s.
	VolumeCreating time.Duration

	// VolumeAttaching is from AttachVolume, or a launch, until the volume is
	// attached. Default 2 s.
	VolumeAttaching time.Duration

	// VolumeDetaching is from DetachVolume until the volume is available,
	// unless the instance holds on to it. Default 5 s.
	VolumeDetaching time.Duration

	// VolumeForceDetaching is the same of DetachVolume with Force, which the
	// instance cannot hold up. Default 30 s.
	VolumeForceDetaching time.Duration

	// VolumeDeleting is from DeleteVolume until the volume is gone.
	// Default 5 s.
	VolumeDeleting time.Duration

	// VolumeStatusCheck is how long the status checks of a new volume have
	// insufficient data, and how long they take to notice that its zone has
	// failed or come back. Default 5 minutes.
	VolumeStatusCheck time.Duration

	// Snapshot is from the beginning of a snapshot until it is completed, where there is a completed one of the
	// volume, and FullSnapshot where there is none. In AWS it depends on how much has been written. Defaults 1 and 5 minutes.
	Snapshot, FullSnapshot time.Duration

	// SnapshotCopy is from the beginning of a copy of a snapshot until it is completed, where the region has a completed one of
	// the same volume under the same key, and FullSnapshotCopy where it has none. Defaults 2 and 10 minutes.
	SnapshotCopy, FullSnapshotCopy time.Duration

	// PendingSnapshots is how many snapshots may be pending in a region. Default 100, AWS's own.
	PendingSnapshots int

	// ConcurrentCopies is how many copies of snapshots to a region may be under way. Default 20, AWS's own.
	ConcurrentCopies int

	// SnapshotQuota is how many snapshots a region may have. Default 100,000, AWS's own.
	SnapshotQuota int

	// RootDevice is the name of the root volume of instances, which AWS takes
	// from the image. Default /dev/xvda.
	RootDevice string

	// AttachmentLimit is how many volumes, the root volume included, and
	// network interfaces an instance may have before AttachVolume is refused.
	// In AWS it depends on the type. Default 28, that of most types.
	AttachmentLimit int

	// NotOffered has the IDs of the zones that do not offer an instance type, by type. By default every zone offers every type.
	NotOffered map[string][]string

	// VCPUQuota is how many vCPUs a region allows to instances that are neither stopped nor terminated and to what Capacity Reservations hold beside
	// them, of all types together. AWS has a quota for each of some groups of families.
	// Default none.
	VCPUQuota int

	// VCPUs has how many vCPUs types have whose name does not tell, such as m5.metal, or tells wrongly. The name tells by its size, and a few older
	// types are known; a size that tells nothing counts as one.
	VCPUs map[string]int

	// AddressQuota is how many Elastic IP addresses a region allows.
	// Default 5, AWS's own.
	AddressQuota int

	// LocalZones are the names of the Local Zones that the account has opted
	// in to, such as us-east-1-bos-1a. Default none. The network border group
	// of a zone is its name without the letter.
	//
	// Each has a subnet in the default VPC, which is no default subnet: a
	// launch must name it. An account would have to create it first. Like an
	// Availability Zone, the zone can fail, see [awstest.Cloud.Zone]; its ID
	// has the form use1-bos1-az1. A region has room for as many as make 16
	// together with its Availability Zones.
	LocalZones []string
}

// Immediately asks for a duration of zero.
const Immediately time.Duration = -1

// apply checks the options and hands them to the model. It reports every
// mistake at once.
func (o *Options) apply(to *ec2model.Options) error {
	var errs []error
	bad := func(field string, value any, rule string) {
		errs = append(errs, &awstest.FieldError{Field: "ec2svc.Options." + field, Value: value, Rule: rule})
	}
	set := func(field string, d time.Duration, to *time.Duration) {
		switch {
		case d == Immediately:
			*to = 0
		case d < 0:
			bad(field, d, "must not be negative; Immediately asks for none")
		case d > 0:
			*to = d
		}
	}
	set("Pending", o.Pending, &to.Pending)
	set("Stopping", o.Stopping, &to.Stopping)
	set("ShuttingDown", o.ShuttingDown, &to.ShuttingDown)
	set("StatusCheck", o.StatusCheck, &to.StatusCheck)
	set("VolumeCreating", o.VolumeCreating, &to.VolumeCreating)
	set("VolumeAttaching", o.VolumeAttaching, &to.VolumeAttaching)
	set("VolumeDetaching", o.VolumeDetaching, &to.VolumeDetaching)
	set("VolumeForceDetaching", o.VolumeForceDetaching, &to.VolumeForceDetaching)
	set("VolumeDeleting", o.VolumeDeleting, &to.VolumeDeleting)
	set("VolumeStatusCheck", o.VolumeStatusCheck, &to.VolumeCheck)
	set("Snapshot", o.Snapshot, &to.Snapshot)
	set("FullSnapshot", o.FullSnapshot, &to.FullSnapshot)
	set("SnapshotCopy", o.SnapshotCopy, &to.SnapshotCopy)
	set("FullSnapshotCopy", o.FullSnapshotCopy, &to.FullSnapshotCopy)
	limit := func(field string, n int, to *int) {
		switch {
		case n < 0:
			bad(field, n, "must not be negative")
		case n > 0:
			*to = n
		}
	}
	limit("AttachmentLimit", o.AttachmentLimit, &to.AttachmentLimit)
	limit("PendingSnapshots", o.PendingSnapshots, &to.PendingSnapshots)
	limit("ConcurrentCopies", o.ConcurrentCopies, &to.ConcurrentCopies)
	limit("SnapshotQuota", o.SnapshotQuota, &to.SnapshotQuota)
	limit("AddressQuota", o.AddressQuota, &to.AddressQuota)
	limit("VCPUQuota", o.VCPUQuota, &to.VCPUQuota)
	for _, name := range slices.Sorted(maps.Keys(o.VCPUs)) {
		if n := o.VCPUs[name]; n < 1 {
			bad("VCPUs["+name+"]", n, "must be at least 1")
		}
	}
	to.VCPUs = maps.Clone(o.VCPUs)
	to.NotOffered = maps.Clone(o.NotOffered)
	switch {
	case o.RootDevice == "":
	case !ec2model.IsDevice(o.RootDevice):
		bad("RootDevice", fmt.Sprintf("%q", o.RootDevice), "must be a device name such as /dev/sda1")
	default:
		to.RootDevice = o.RootDevice
	}
	return errors.Join(errs...)
}

// addLocalZones reports every mistake at once.
func (o *Options) addLocalZones(r *awstest.Registry, model *ec2model.Model) error {
	var errs []error
	for i, name := range o.LocalZones {
		field := fmt.Sprintf("ec2svc.Options.LocalZones[%d]", i)
		z, err := r.AddLocalZone(name)
		var mistake *awstest.FieldError
		switch {
		case errors.As(err, &mistake):
			errs = append(errs, &awstest.FieldError{Field: field, Value: mistake.Value, Rule: mistake.Rule})
		case err != nil:
			errs = append(errs, err)
		case !model.AddLocalZone(z):
			errs = append(errs, &awstest.FieldError{Field: field, Value: fmt.Sprintf("%q", name), Rule: "has no room for its subnet in the default VPC"})
		}
	}
	return errors.Join(errs...)
}
