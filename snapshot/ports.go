package snapshot

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
)

//go:generate go tool -modfile=../internal/tools/go.mod moq -rm -out snapshotmock/snapshotmock.go -pkg snapshotmock . EC2API KMSAPI RDSAPI

// Clients are what the package calls in one region. Implementations are safe for concurrent use, end a call when its context ends, and
// return errors in the SDK's form.
type Clients struct {
	EC2 EC2API
	KMS KMSAPI // for copies that name a key
	RDS RDSAPI // for databases and clusters
}

// EC2API is what the package calls of EC2; *ec2.Client is one. Each method says in which case it is called.
type EC2API interface {
	// DescribeInstances needs ec2:DescribeInstances: to find Targets.Instances and Images.
	DescribeInstances(ctx context.Context, params *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)

	// DescribeVolumes needs ec2:DescribeVolumes: to find Targets.Volumes and Exclude.
	DescribeVolumes(ctx context.Context, params *ec2.DescribeVolumesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeVolumesOutput, error)

	// DescribeSnapshots needs ec2:DescribeSnapshots: by all that reads.
	DescribeSnapshots(ctx context.Context, params *ec2.DescribeSnapshotsInput, optFns ...func(*ec2.Options)) (*ec2.DescribeSnapshotsOutput, error)

	// CreateSnapshot needs ec2:CreateSnapshot and ec2:CreateTags: for Targets.Volumes.
	CreateSnapshot(ctx context.Context, params *ec2.CreateSnapshotInput, optFns ...func(*ec2.Options)) (*ec2.CreateSnapshotOutput, error)

	// CreateSnapshots needs ec2:CreateSnapshots and ec2:CreateTags: for Targets.Instances.
	CreateSnapshots(ctx context.Context, params *ec2.CreateSnapshotsInput, optFns ...func(*ec2.Options)) (*ec2.CreateSnapshotsOutput, error)

	// CopySnapshot needs ec2:CopySnapshot and ec2:CreateTags in the region of the copy, and what the keys need: for Policy.Copies.
	CopySnapshot(ctx context.Context, params *ec2.CopySnapshotInput, optFns ...func(*ec2.Options)) (*ec2.CopySnapshotOutput, error)

	// DeleteSnapshot needs ec2:DeleteSnapshot: when a plan is applied.
	DeleteSnapshot(ctx context.Context, params *ec2.DeleteSnapshotInput, optFns ...func(*ec2.Options)) (*ec2.DeleteSnapshotOutput, error)

	// DescribeImages needs ec2:DescribeImages: before deletes, for the images that are made of snapshots.
	DescribeImages(ctx context.Context, params *ec2.DescribeImagesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeImagesOutput, error)

	// DescribeLockedSnapshots needs ec2:DescribeLockedSnapshots: before deletes.
	DescribeLockedSnapshots(ctx context.Context, params *ec2.DescribeLockedSnapshotsInput, optFns ...func(*ec2.Options)) (*ec2.DescribeLockedSnapshotsOutput, error)

	// DescribeSnapshotTierStatus needs ec2:DescribeSnapshotTierStatus: before deletes, of snapshots in the archive.
	DescribeSnapshotTierStatus(ctx context.Context, params *ec2.DescribeSnapshotTierStatusInput, optFns ...func(*ec2.Options)) (*ec2.DescribeSnapshotTierStatusOutput, error)

	// CreateImage needs ec2:CreateImage and ec2:CreateTags: for Targets.Images.
	CreateImage(ctx context.Context, params *ec2.CreateImageInput, optFns ...func(*ec2.Options)) (*ec2.CreateImageOutput, error)

	// CopyImage needs ec2:CopyImage and ec2:CreateTags in the region of the copy, and what the keys need: for Policy.Copies.
	CopyImage(ctx context.Context, params *ec2.CopyImageInput, optFns ...func(*ec2.Options)) (*ec2.CopyImageOutput, error)

	// EnableImageDeprecation needs ec2:EnableImageDeprecation: for Targets.DeprecateAfter.
	EnableImageDeprecation(ctx context.Context, params *ec2.EnableImageDeprecationInput, optFns ...func(*ec2.Options)) (*ec2.EnableImageDeprecationOutput, error)

	// DeregisterImage needs ec2:DeregisterImage and ec2:DeleteSnapshot: when a plan is applied.
	DeregisterImage(ctx context.Context, params *ec2.DeregisterImageInput, optFns ...func(*ec2.Options)) (*ec2.DeregisterImageOutput, error)

	// CreateVolume needs ec2:CreateVolume and ec2:CreateTags: for Restore.
	CreateVolume(ctx context.Context, params *ec2.CreateVolumeInput, optFns ...func(*ec2.Options)) (*ec2.CreateVolumeOutput, error)

	// DescribeVolumeStatus needs ec2:DescribeVolumeStatus: for Restore, to wait until a volume is initialized.
	DescribeVolumeStatus(ctx context.Context, params *ec2.DescribeVolumeStatusInput, optFns ...func(*ec2.Options)) (*ec2.DescribeVolumeStatusOutput, error)
}

// KMSAPI is what the package calls of KMS; *kms.Client is one.
type KMSAPI interface {
	// DescribeKey needs kms:DescribeKey: before the first copy under a key.
	DescribeKey(ctx context.Context, params *kms.DescribeKeyInput, optFns ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
}

// RDSAPI is what the package calls of RDS; *rds.Client is one.
type RDSAPI interface {
	// DescribeDBInstances needs rds:DescribeDBInstances: to find Targets.Databases, and for RestoreDatabase.
	DescribeDBInstances(ctx context.Context, params *rds.DescribeDBInstancesInput, optFns ...func(*rds.Options)) (*rds.DescribeDBInstancesOutput, error)

	// DescribeDBClusters needs rds:DescribeDBClusters: to find Targets.Clusters, and for RestoreDatabase.
	DescribeDBClusters(ctx context.Context, params *rds.DescribeDBClustersInput, optFns ...func(*rds.Options)) (*rds.DescribeDBClustersOutput, error)

	// DescribeDBSnapshots needs rds:DescribeDBSnapshots: by all that reads databases.
	DescribeDBSnapshots(ctx context.Context, params *rds.DescribeDBSnapshotsInput, optFns ...func(*rds.Options)) (*rds.DescribeDBSnapshotsOutput, error)

	// DescribeDBClusterSnapshots needs rds:DescribeDBClusterSnapshots: by all that reads clusters.
	DescribeDBClusterSnapshots(
		ctx context.Context, params *rds.DescribeDBClusterSnapshotsInput, optFns ...func(*rds.Options),
	) (*rds.DescribeDBClusterSnapshotsOutput, error)

	// CreateDBSnapshot needs rds:CreateDBSnapshot and rds:AddTagsToResource: for Targets.Databases.
	CreateDBSnapshot(ctx context.Context, params *rds.CreateDBSnapshotInput, optFns ...func(*rds.Options)) (*rds.CreateDBSnapshotOutput, error)

	// CreateDBClusterSnapshot needs rds:CreateDBClusterSnapshot and rds:AddTagsToResource: for Targets.Clusters.
	CreateDBClusterSnapshot(
		ctx context.Context, params *rds.CreateDBClusterSnapshotInput, optFns ...func(*rds.Options),
	) (*rds.CreateDBClusterSnapshotOutput, error)

	// CopyDBSnapshot needs rds:CopyDBSnapshot in both regions, rds:AddTagsToResource, and what the keys need: for Policy.Copies.
	CopyDBSnapshot(ctx context.Context, params *rds.CopyDBSnapshotInput, optFns ...func(*rds.Options)) (*rds.CopyDBSnapshotOutput, error)

	// CopyDBClusterSnapshot needs rds:CopyDBClusterSnapshot in both regions, rds:AddTagsToResource, and what the keys need: for Policy.Copies.
	CopyDBClusterSnapshot(ctx context.Context, params *rds.CopyDBClusterSnapshotInput, optFns ...func(*rds.Options)) (*rds.CopyDBClusterSnapshotOutput, error)

	// DeleteDBSnapshot needs rds:DeleteDBSnapshot: when a plan is applied.
	DeleteDBSnapshot(ctx context.Context, params *rds.DeleteDBSnapshotInput, optFns ...func(*rds.Options)) (*rds.DeleteDBSnapshotOutput, error)

	// DeleteDBClusterSnapshot needs rds:DeleteDBClusterSnapshot: when a plan is applied.
	DeleteDBClusterSnapshot(
		ctx context.Context, params *rds.DeleteDBClusterSnapshotInput, optFns ...func(*rds.Options),
	) (*rds.DeleteDBClusterSnapshotOutput, error)

	// RestoreDBInstanceFromDBSnapshot needs rds:RestoreDBInstanceFromDBSnapshot and rds:AddTagsToResource: for RestoreDatabase.
	RestoreDBInstanceFromDBSnapshot(
		ctx context.Context, params *rds.RestoreDBInstanceFromDBSnapshotInput, optFns ...func(*rds.Options),
	) (*rds.RestoreDBInstanceFromDBSnapshotOutput, error)

	// RestoreDBInstanceToPointInTime needs rds:RestoreDBInstanceToPointInTime and rds:AddTagsToResource: for RestoreDatabase.
	RestoreDBInstanceToPointInTime(
		ctx context.Context, params *rds.RestoreDBInstanceToPointInTimeInput, optFns ...func(*rds.Options),
	) (*rds.RestoreDBInstanceToPointInTimeOutput, error)

	// RestoreDBClusterFromSnapshot needs rds:RestoreDBClusterFromSnapshot and rds:AddTagsToResource: for RestoreDatabase.
	RestoreDBClusterFromSnapshot(
		ctx context.Context, params *rds.RestoreDBClusterFromSnapshotInput, optFns ...func(*rds.Options),
	) (*rds.RestoreDBClusterFromSnapshotOutput, error)

	// RestoreDBClusterToPointInTime needs rds:RestoreDBClusterToPointInTime and rds:AddTagsToResource: for RestoreDatabase.
	RestoreDBClusterToPointInTime(
		ctx context.Context, params *rds.RestoreDBClusterToPointInTimeInput, optFns ...func(*rds.Options),
	) (*rds.RestoreDBClusterToPointInTimeOutput, error)

	// CreateDBInstance needs rds:CreateDBInstance and rds:AddTagsToResource: for RestoreDatabase, to give a cluster instances.
	CreateDBInstance(ctx context.Context, params *rds.CreateDBInstanceInput, optFns ...func(*rds.Options)) (*rds.CreateDBInstanceOutput, error)
}

var (
	_ EC2API = (*ec2.Client)(nil)
	_ KMSAPI = (*kms.Client)(nil)
	_ RDSAPI = (*rds.Client)(nil)
)
