// Package snapshot takes, copies, prunes and restores snapshots of EBS volumes, by themselves, as sets or as images of instances, and of databases and clusters of RDS, by policies
// that can be read and proven: on time, each once, complete, in another region too, and never without the last good one.
//
//	manager, err := snapshot.New(func(region string) snapshot.Clients {
//		in := func(o *ec2.Options) { o.Region = region }
//		return snapshot.Clients{EC2: ec2.NewFromConfig(cfg, in), KMS: kms.NewFromConfig(cfg, func(o *kms.Options) { o.Region = region })} // and RDS
//	})
//	policy, err := snapshot.ParsePolicy(data)
//	...
//	err = manager.Run(ctx, policy) // or RunSlot, Create, Wait, Copy, Plan and Apply, by your own clock
//
// # How it works
//
//	        slot of the schedule
//	                |
//	find targets -> Create -> Wait -> Copy -> Prune      all of it: RunSlot; at each slot: Run
//	                   |               |        |
//	                   |               |        +-- PlanRetention: what is kept, what goes, and why
//	                   |               +----------- a copy in each region of Policy.Copies, under the key there
//	                   +--------------------------- one snapshot of each volume, one set or one image of each instance, one snapshot of each database and cluster
//
// What a snapshot is stands in its tags, which are sent with the call that makes it: whose it is, of which policy, of what (its series), for
// which slot of the schedule, together with which others (its set); and of a copy, what it is a copy of. There is no other memory: a manager
// that is started again, on any machine, reads the tags of a slot and goes on.
//
// # Nothing twice
//
// EC2's calls that make snapshots and copies have no client token, and the SDK repeats a call whose reply was lost: that makes a second snapshot
// that nobody knows of. This package repeats only what had no effect for certain. Where that is not known it looks for the tags of the very call,
// for up to Options.ReadLag, before it calls again. Two managers at once can still take a volume twice; the later one of two snapshots of a series and slot
// counts as a duplicate and is pruned. Options.Fence lets one of several work. Images and snapshots of RDS have unique names, made of what they are for: two managers make one.
//
// # Never the last good one
//
// Only completed snapshots count: a failed or pending one is no reason to delete another. The newest completed point of each series is always
// kept, and Retention.MinKeep of them. A snapshot is held, whatever the retention says, while a copy that a rule asks for is missing or under way, while an image is made of it,
// disabled ones included, while it is locked, in the archive for less than 90 days, and if AWS Backup or Data Lifecycle Manager has it. What lacks the tags of Options.Owner is not read at all.
// [Manager.Apply] refuses a plan that is out of date, and one that deletes suspiciously much.
//
// # Guarantees and failure modes
//
//   - A target that fails does not hold up the others; each failure is an [*OpError], joined with the others.
//   - A volume of which AWS is making too many snapshots is tried again for Options.BusyTimeout; then it is left to the next slot.
//   - A snapshot that fails is told at once, with AWS's message, and looked at for Retention.FailedAfter before it goes. The next slot takes its place.
//   - A copy that fails is made again by the next slot, and its source kept until then. EC2 finds out late that a key cannot be used: keys are looked at before.
//   - An image goes with its snapshots, in one call. Those that AWS leaves behind, since they are locked, say, go when that is over and they are older than Retention.FailedAfter.
//   - Kinds of targets, and regions of copies, that a policy does not name any more are not looked at: delete what there is of them by hand.
//   - RDS tells two limits of copies and snapshots apart by the text of the error only: 100 manual snapshots of a region are an [ErrQuota], 20 copies under way are waited for.
//   - Volumes that no longer exist keep the points that their retention keeps, the last one for ever: delete that by hand.
//   - Data are those of the instant at which AWS answers the call, as after a crash. Options.Before and After make them clean.
//   - A slot that is missed is taken late within Policy.CatchUp, once. Between two slots the age of the newest point is the loss to expect: the event
//     [PointAge] and [Manager.Ages] tell it.
//
// # Cost in calls
//
// For a slot of V volumes on I instances, with R regions of copies; each read is for 1,000 snapshots:
//
//	find      1 DescribeInstances, 1 DescribeVolumes if volumes are selected
//	create    1 DescribeSnapshots, 1 CreateSnapshots for each instance, 1 CreateSnapshot for each other volume
//	wait      13 DescribeSnapshots for 10 minutes, whatever V is, and 60 for an hour
//	copy      1 + R DescribeSnapshots, 1 DescribeKey for each key, 1 CopySnapshot for each volume and region, and reads as to wait
//	prune     1 + R DescribeSnapshots; if something goes, 1 DescribeImages for each 200, 1 DescribeLockedSnapshots for each region, 1 DeleteSnapshot for each
//
// For images it is DescribeImages in the place of DescribeSnapshots, CreateImage, CopyImage and DeregisterImage for each instance, and EnableImageDeprecation
// once for each image if they are to be deprecated; prune reads both. For databases and clusters it is DescribeDBSnapshots or DescribeDBClusterSnapshots, each for 100, since RDS
// has no filter by tag, CreateDBSnapshot, CopyDBSnapshot and DeleteDBSnapshot or those of clusters; to find them takes a DescribeDBInstances or DescribeDBClusters for each 100.
//
// # IAM
//
//	{"Effect": "Allow", "Resource": "*", "Action": [
//		"ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeSnapshots", "ec2:DescribeImages", "ec2:DescribeLockedSnapshots",
//		"ec2:DescribeSnapshotTierStatus", "ec2:DescribeVolumeStatus", "kms:DescribeKey"]},
//	{"Effect": "Allow", "Resource": "arn:aws:ec2:*:*:*", "Action": ["ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:CopySnapshot", "ec2:CreateVolume",
//		"ec2:CreateImage", "ec2:CopyImage"]},
//	{"Effect": "Allow", "Resource": "arn:aws:ec2:*:*:*", "Action": "ec2:CreateTags",
//		"Condition": {"StringEquals": {"ec2:CreateAction": ["CreateSnapshot", "CreateSnapshots", "CopySnapshot", "CreateVolume", "CreateImage", "CopyImage"]}}},
//	{"Effect": "Allow", "Resource": ["arn:aws:ec2:*::snapshot/*", "arn:aws:ec2:*::image/*"],
//		"Action": ["ec2:DeleteSnapshot", "ec2:DeregisterImage", "ec2:EnableImageDeprecation"],
//		"Condition": {"StringEquals": {"aws:ResourceTag/awsha:owner": "awsha"}}},
//	{"Effect": "Allow", "Resource": "*", "Action": ["rds:DescribeDBInstances", "rds:DescribeDBClusters", "rds:DescribeDBSnapshots", "rds:DescribeDBClusterSnapshots",
//		"rds:CreateDBSnapshot", "rds:CreateDBClusterSnapshot", "rds:CopyDBSnapshot", "rds:CopyDBClusterSnapshot", "rds:AddTagsToResource",
//		"rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBInstanceToPointInTime", "rds:RestoreDBClusterFromSnapshot", "rds:RestoreDBClusterToPointInTime",
//		"rds:CreateDBInstance"]},
//	{"Effect": "Allow", "Resource": ["arn:aws:rds:*:*:snapshot:awsha-*", "arn:aws:rds:*:*:cluster-snapshot:awsha-*"],
//		"Action": ["rds:DeleteDBSnapshot", "rds:DeleteDBClusterSnapshot"]}
//
// Copies of encrypted snapshots need kms:DescribeKey, kms:CreateGrant, kms:Decrypt, kms:ReEncrypt* and kms:GenerateDataKeyWithoutPlaintext on the key of the source and that of
// the copy. Source: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html (read 2026-11)
//
// # Testing
//
// [PlanRetention] and [Retention] are pure. awstest's ec2svc has volumes, instances, snapshots and images, and rdssvc databases and clusters, in several regions and in virtual
// time: two years of a policy take seconds. Package snapshotmock has a mock of each interface.
package snapshot
