package rdssvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

func (s *service) addSnapshots(e *awstest.Endpoint) {
	awstest.Handle(e, s.createSnapshot, "DBSnapshotIdentifier", "DBInstanceIdentifier", "Tags")
	// The SDK turns SourceRegion into PreSignedUrl, by the middleware of the call.
	awstest.Handle(e, s.copySnapshot, "SourceDBSnapshotIdentifier", "TargetDBSnapshotIdentifier", "CopyTags", "KmsKeyId", "Tags",
		"SourceRegion", "PreSignedUrl")
	awstest.Handle(e, s.deleteSnapshot, "DBSnapshotIdentifier")
	awstest.Handle(e, s.describeSnapshots, "DBSnapshotIdentifier", "DBInstanceIdentifier", "DbiResourceId", "SnapshotType", "Filters",
		"IncludeShared", "IncludePublic", "MaxRecords", "Marker")
}

func (s *service) createSnapshot(tx *awstest.Tx, call *awstest.Call, in *rds.CreateDBSnapshotInput) (*rds.CreateDBSnapshotOutput, error) {
	made, err := s.region(call).CreateSnapshot(tx, *in.DBSnapshotIdentifier, *in.DBInstanceIdentifier, readTags(in.Tags))
	if err != nil {
		return nil, err
	}
	return &rds.CreateDBSnapshotOutput{DBSnapshot: showSnapshot(tx.Now(), &made)}, nil
}

func (s *service) copySnapshot(tx *awstest.Tx, call *awstest.Call, in *rds.CopyDBSnapshotInput) (*rds.CopyDBSnapshotOutput, error) {
	made, err := s.region(call).Snapshots().Copy(tx, rdsmodel.Copy{
		Source: *in.SourceDBSnapshotIdentifier, Target: *in.TargetDBSnapshotIdentifier, Key: aws.ToString(in.KmsKeyId),
		CopyTags: aws.ToBool(in.CopyTags), Tags: readTags(in.Tags), Presigned: aws.ToString(in.PreSignedUrl),
	})
	if err != nil {
		return nil, err
	}
	return &rds.CopyDBSnapshotOutput{DBSnapshot: showSnapshot(tx.Now(), &made)}, nil
}

func (s *service) deleteSnapshot(tx *awstest.Tx, call *awstest.Call, in *rds.DeleteDBSnapshotInput) (*rds.DeleteDBSnapshotOutput, error) {
	gone, err := s.region(call).Snapshots().Delete(tx, *in.DBSnapshotIdentifier)
	if err != nil {
		return nil, err
	}
	return &rds.DeleteDBSnapshotOutput{DBSnapshot: showSnapshot(tx.Now(), &gone)}, nil
}

func (s *service) describeSnapshots(_ *awstest.Tx, call *awstest.Call, in *rds.DescribeDBSnapshotsInput) (*rds.DescribeDBSnapshotsOutput, error) {
	found, err := s.listed(call, s.region(call).Snapshots(), asked{
		id: in.DBSnapshotIdentifier, of: in.DBInstanceIdentifier, resource: in.DbiResourceId, kind: in.SnapshotType, filters: in.Filters,
		idFilter: "db-snapshot-id", ofFilter: "db-instance-id", resourceFilter: "dbi-resource-id",
	})
	if err != nil {
		return nil, err
	}
	var all []types.DBSnapshot
	for i := range found {
		all = append(all, *showSnapshot(call.At, &found[i]))
	}
	items, next, err := page(all, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &rds.DescribeDBSnapshotsOutput{DBSnapshots: items, Marker: next}, nil
}
