package ec2model

import "time"

// Options are the durations and limits of EC2.
type Options struct {
	// Pending is from the launch or start of an instance to its running;
	// Stopping from a stop to stopped; ShuttingDown from a termination to
	// terminated.
	Pending, Stopping, ShuttingDown time.Duration

	// StatusCheck is how long status checks say "initializing" after a start
	// and how long they take to see a failure.
	StatusCheck time.Duration

	// VolumeCreating is from the creation of a volume to its being
	// available; VolumeAttaching, VolumeDetaching, VolumeForceDetaching and
	// VolumeDeleting are what their names say.
	VolumeCreating, VolumeAttaching, VolumeDetaching, VolumeForceDetaching, VolumeDeleting time.Duration

	// VolumeCheck is how long status checks of volumes have insufficient data
	// after a creation, and how long they take to see a failure.
	VolumeCheck time.Duration

	// Snapshot is from the beginning of a snapshot to its completion, if there is a completed one of the volume; FullSnapshot if there is
	// none. SnapshotCopy and FullSnapshotCopy are the same for copies.
	Snapshot, FullSnapshot, SnapshotCopy, FullSnapshotCopy time.Duration

	// PendingSnapshots is how many snapshots may be pending in a region, ConcurrentCopies how many copies to it may be, and SnapshotQuota how many
	// snapshots it may have.
	PendingSnapshots, ConcurrentCopies, SnapshotQuota int

	// RootDevice is the name of the root volume of instances.
	RootDevice string

	// AttachmentLimit is how many volumes and network interfaces an instance
	// can have.
	AttachmentLimit int

	// NotOffered has the IDs of the zones that do not offer an instance type.
	NotOffered map[string][]string

	// VCPUQuota is how many vCPUs a region allows; zero is no limit. VCPUs has those of types whose name does not tell.
	VCPUQuota int
	VCPUs     map[string]int

	// AddressQuota is the number of Elastic IP addresses a region allows.
	AddressQuota int
}

// defaults are typical times of small Linux instances and of small volumes,
// where no source is named: AWS promises none.
func defaults() Options {
	return Options{
		Pending: 15 * time.Second, Stopping: 30 * time.Second, ShuttingDown: 30 * time.Second,
		StatusCheck:    2 * time.Minute,
		VolumeCreating: 2 * time.Second, VolumeAttaching: 2 * time.Second, VolumeDetaching: 5 * time.Second,
		VolumeForceDetaching: 30 * time.Second, VolumeDeleting: 5 * time.Second,
		// Source: https://docs.aws.amazon.com/ebs/latest/userguide/monitoring-volume-checks.html (read 2026-11)
		VolumeCheck: 5 * time.Minute,
		Snapshot:    time.Minute, FullSnapshot: 5 * time.Minute, SnapshotCopy: 2 * time.Minute, FullSnapshotCopy: 10 * time.Minute,
		// Source: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html (read 2026-11)
		PendingSnapshots: 100, ConcurrentCopies: 20, SnapshotQuota: 100_000,
		RootDevice: "/dev/xvda", // of Amazon Linux
		// What most instance types of the Nitro System have.
		// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/volume_limits.html (read 2026-11)
		AttachmentLimit: 28,
		// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html#using-instance-addressing-limit (read 2026-11)
		AddressQuota: 5,
	}
}
