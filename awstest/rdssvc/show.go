package rdssvc

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

func showInstance(tx *awstest.Tx, at time.Time, i *rdsmodel.Instance) *types.DBInstance {
	shown := &types.DBInstance{
		DBInstanceIdentifier: aws.String(i.ID), DBInstanceArn: aws.String(i.ARN), DbiResourceId: aws.String(i.ResourceID),
		DBInstanceStatus: aws.String(string(i.Status)), DBInstanceClass: aws.String(i.Class),
		Engine: aws.String(i.Engine), EngineVersion: given(i.EngineVersion),
		AllocatedStorage: aws.Int32(i.StorageGiB), StorageType: aws.String(i.StorageType),
		MasterUsername: aws.String(i.MasterUsername), DBName: given(i.DBName),
		AvailabilityZone: zone(i.Zone), SecondaryAvailabilityZone: zone(i.Secondary), MultiAZ: aws.Bool(i.MultiAZ),
		BackupRetentionPeriod: aws.Int32(i.Retention), CopyTagsToSnapshot: aws.Bool(i.CopyTags), DeletionProtection: aws.Bool(i.Protected),
		StorageEncrypted: aws.Bool(i.Key != ""), KmsKeyId: given(i.Key),
		InstanceCreateTime: since(i.Created), TagList: showTags(i.Tags),
		ReadReplicaSourceDBInstanceIdentifier: given(i.Source), ReadReplicaDBInstanceIdentifiers: i.Replicas,
	}
	if i.Cluster != "" {
		shown.DBClusterIdentifier = aws.String(i.Cluster)
	}
	if i.Endpoint != "" {
		shown.Endpoint = &types.Endpoint{Address: aws.String(i.Endpoint), Port: aws.Int32(i.Port)}
	}
	if _, latest, ok := i.Restorable(tx, at); ok {
		shown.LatestRestorableTime = aws.Time(latest)
	}
	return shown
}

func showSnapshot(at time.Time, s *rdsmodel.Snapshot) *types.DBSnapshot {
	return &types.DBSnapshot{
		DBSnapshotIdentifier: aws.String(s.ID), DBSnapshotArn: aws.String(s.ARN), SnapshotType: aws.String(s.Type),
		Status: aws.String(string(s.Status)), PercentProgress: aws.Int32(s.Percent(at)),
		DBInstanceIdentifier: aws.String(s.Instance), DbiResourceId: aws.String(s.ResourceID), InstanceCreateTime: since(s.InstanceCreated),
		AvailabilityZone: zone(s.Zone), BackupRetentionPeriod: aws.Int32(s.Retention),
		Engine: aws.String(s.Engine), EngineVersion: given(s.EngineVersion),
		AllocatedStorage: aws.Int32(s.StorageGiB), StorageType: aws.String(s.StorageType),
		MasterUsername: aws.String(s.MasterUsername), Port: aws.Int32(s.Port),
		Encrypted: aws.Bool(s.Key != ""), KmsKeyId: given(s.Key),
		SnapshotCreateTime: since(s.Created), OriginalSnapshotCreateTime: since(s.Original),
		SourceDBSnapshotIdentifier: given(s.Source), SourceRegion: given(s.SourceRegion), TagList: showTags(s.Tags),
	}
}

// given returns a text, or nil for none.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// since returns a moment, or nil for one that has not come.
func since(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func zone(z *awstest.Zone) *string {
	if z == nil {
		return nil
	}
	return aws.String(z.Name())
}
