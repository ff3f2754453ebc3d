package rdssvc

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

func (s *service) addClusterSnapshots(e *awstest.Endpoint) {
	awstest.Handle(e, s.createClusterSnapshot, "DBClusterSnapshotIdentifier", "DBClusterIdentifier", "Tags")
	// The SDK turns SourceRegion into PreSignedUrl, by the middleware of the call.
	awstest.Handle(e, s.copyClusterSnapshot, "SourceDBClusterSnapshotIdentifier", "TargetDBClusterSnapshotIdentifier", "CopyTags", "KmsKeyId", "Tags",
		"SourceRegion", "PreSignedUrl")
	awstest.Handle(e, s.deleteClusterSnapshot, "DBClusterSnapshotIdentifier")
	awstest.Handle(e, s.describeClusterSnapshots, "DBClusterSnapshotIdentifier", "DBClusterIdentifier", "DbClusterResourceId", "SnapshotType", "Filters",
		"IncludeShared", "IncludePublic", "MaxRecords", "Marker")
}

func (s *service) createClusterSnapshot(tx *awstest.Tx, call *awstest.Call, in *rds.CreateDBClusterSnapshotInput) (*rds.CreateDBClusterSnapshotOutput, error) {
	made, err := s.region(call).CreateClusterSnapshot(tx, *in.DBClusterSnapshotIdentifier, *in.DBClusterIdentifier, readTags(in.Tags))
	if err != nil {
		return nil, err
	}
	return &rds.CreateDBClusterSnapshotOutput{DBClusterSnapshot: showClusterSnapshot(tx.Now(), &made)}, nil
}

func (s *service) copyClusterSnapshot(tx *awstest.Tx, call *awstest.Call, in *rds.CopyDBClusterSnapshotInput) (*rds.CopyDBClusterSnapshotOutput, error) {
	made, err := s.region(call).ClusterSnapshots().Copy(tx, rdsmodel.Copy{
		Source: *in.SourceDBClusterSnapshotIdentifier, Target: *in.TargetDBClusterSnapshotIdentifier, Key: aws.ToString(in.KmsKeyId),
		CopyTags: aws.ToBool(in.CopyTags), Tags: readTags(in.Tags), Presigned: aws.ToString(in.PreSignedUrl),
	})
	if err != nil {
		return nil, err
	}
	return &rds.CopyDBClusterSnapshotOutput{DBClusterSnapshot: showClusterSnapshot(tx.Now(), &made)}, nil
}

func (s *service) deleteClusterSnapshot(tx *awstest.Tx, call *awstest.Call, in *rds.DeleteDBClusterSnapshotInput) (*rds.DeleteDBClusterSnapshotOutput, error) {
	gone, err := s.region(call).ClusterSnapshots().Delete(tx, *in.DBClusterSnapshotIdentifier)
	if err != nil {
		return nil, err
	}
	return &rds.DeleteDBClusterSnapshotOutput{DBClusterSnapshot: showClusterSnapshot(tx.Now(), &gone)}, nil
}

func (s *service) describeClusterSnapshots(
	_ *awstest.Tx, call *awstest.Call, in *rds.DescribeDBClusterSnapshotsInput,
) (*rds.DescribeDBClusterSnapshotsOutput, error) {
	found, err := s.listed(call, s.region(call).ClusterSnapshots(), asked{
		id: in.DBClusterSnapshotIdentifier, of: in.DBClusterIdentifier, resource: in.DbClusterResourceId, kind: in.SnapshotType, filters: in.Filters,
		idFilter: "db-cluster-snapshot-id", ofFilter: "db-cluster-id", resourceFilter: "db-cluster-resource-id",
	})
	if err != nil {
		return nil, err
	}
	var all []types.DBClusterSnapshot
	for i := range found {
		all = append(all, *showClusterSnapshot(call.At, &found[i]))
	}
	items, next, err := page(all, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &rds.DescribeDBClusterSnapshotsOutput{DBClusterSnapshots: items, Marker: next}, nil
}

// asked is what a list of snapshots is asked for, and how its filters are
// called.
type asked struct {
	id, of, resource, kind             *string
	filters                            []types.Filter
	idFilter, ofFilter, resourceFilter string
}

// listed returns the snapshots that are asked for.
func (s *service) listed(call *awstest.Call, shelf *rdsmodel.Shelf, in asked) (found []rdsmodel.Snapshot, err error) {
	wanted, err := filters(call, in.filters, map[string]func(*rdsmodel.Snapshot) []string{
		in.ofFilter:       func(s *rdsmodel.Snapshot) []string { return []string{s.Instance, s.InstanceARN} },
		in.idFilter:       func(s *rdsmodel.Snapshot) []string { return []string{s.ID} },
		in.resourceFilter: func(s *rdsmodel.Snapshot) []string { return []string{s.ResourceID} },
		"snapshot-type":   func(s *rdsmodel.Snapshot) []string { return []string{s.Type} },
		"engine":          func(s *rdsmodel.Snapshot) []string { return []string{s.Engine} },
	})
	if err != nil {
		return nil, err
	}
	kind := aws.ToString(in.kind)
	switch kind {
	case "", rdsmodel.Manual, rdsmodel.Automated:
	case "shared", "public", "awsbackup":
		return nil, call.NotModelled("snapshot type %s", kind)
	default:
		return nil, rdsmodel.Invalid("Unknown snapshot type: %s", kind)
	}
	only, of := "", strings.ToLower(aws.ToString(in.of))
	if ref := aws.ToString(in.id); ref != "" {
		one, err := shelf.Get(call.At, ref)
		if err != nil {
			return nil, err
		}
		only = one.ID
	}
	for id, made := range shelf.All(call.At) {
		if (only == "" || only == id) && (kind == "" || kind == made.Type) && (of == "" || of == made.Instance) &&
			(in.resource == nil || *in.resource == made.ResourceID) && wanted(&made) {
			found = append(found, made)
		}
	}
	return found, nil
}

func showCluster(at time.Time, c *rdsmodel.Cluster) *types.DBCluster {
	shown := &types.DBCluster{
		DBClusterIdentifier: aws.String(c.ID), DBClusterArn: aws.String(c.ARN), DbClusterResourceId: aws.String(c.ResourceID),
		Status: aws.String(string(c.Status)), Engine: aws.String(c.Engine), EngineVersion: given(c.EngineVersion), EngineMode: aws.String("provisioned"),
		AllocatedStorage: aws.Int32(1), MasterUsername: aws.String(c.MasterUsername), DatabaseName: given(c.DBName), Port: aws.Int32(c.Port),
		Endpoint: given(c.Endpoint), BackupRetentionPeriod: aws.Int32(c.Retention), CopyTagsToSnapshot: aws.Bool(c.CopyTags),
		DeletionProtection: aws.Bool(c.Protected), StorageEncrypted: aws.Bool(c.Key != ""), KmsKeyId: given(c.Key), ClusterCreateTime: since(c.Created),
		MultiAZ: aws.Bool(len(c.Members) > 1), TagList: showTags(c.Tags),
	}
	if earliest, latest, ok := c.Restorable(at); ok {
		shown.EarliestRestorableTime, shown.LatestRestorableTime = aws.Time(earliest), aws.Time(latest)
	}
	for n, id := range c.Members {
		shown.DBClusterMembers = append(shown.DBClusterMembers, types.DBClusterMember{DBInstanceIdentifier: aws.String(id), IsClusterWriter: aws.Bool(n == 0)})
	}
	return shown
}

func showClusterSnapshot(at time.Time, s *rdsmodel.Snapshot) *types.DBClusterSnapshot {
	return &types.DBClusterSnapshot{
		DBClusterSnapshotIdentifier: aws.String(s.ID), DBClusterSnapshotArn: aws.String(s.ARN), SnapshotType: aws.String(s.Type),
		Status: aws.String(string(s.Status)), PercentProgress: aws.Int32(s.Percent(at)), DBClusterIdentifier: aws.String(s.Instance),
		DbClusterResourceId: aws.String(s.ResourceID), ClusterCreateTime: since(s.InstanceCreated), BackupRetentionPeriod: aws.Int32(s.Retention),
		Engine: aws.String(s.Engine), EngineVersion: given(s.EngineVersion), EngineMode: aws.String("provisioned"), AllocatedStorage: aws.Int32(s.StorageGiB),
		MasterUsername: aws.String(s.MasterUsername), Port: aws.Int32(s.Port), StorageEncrypted: aws.Bool(s.Key != ""), KmsKeyId: given(s.Key),
		SnapshotCreateTime: since(s.Created), SourceDBClusterSnapshotArn: given(s.Source), TagList: showTags(s.Tags),
	}
}
