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

func (s *service) addClusters(e *awstest.Endpoint) {
	awstest.Handle(e, s.createCluster, "DBClusterIdentifier", "Engine", "EngineVersion", "MasterUsername", "MasterUserPassword", "DatabaseName", "Port",
		"BackupRetentionPeriod", "StorageEncrypted", "KmsKeyId", "CopyTagsToSnapshot", "DeletionProtection", "Tags")
	awstest.Handle(e, s.describeClusters, "DBClusterIdentifier", "Filters", "MaxRecords", "Marker", "IncludeShared")
	awstest.Handle(e, s.deleteCluster, "DBClusterIdentifier", "SkipFinalSnapshot", "FinalDBSnapshotIdentifier")
	awstest.Handle(e, s.restoreCluster, "DBClusterIdentifier", "SnapshotIdentifier", "Engine", "Port", "BackupRetentionPeriod", "CopyTagsToSnapshot",
		"DeletionProtection", "Tags")
	awstest.Handle(e, s.restoreClusterToPointInTime, "DBClusterIdentifier", "SourceDBClusterIdentifier", "RestoreToTime", "UseLatestRestorableTime", "Port",
		"BackupRetentionPeriod", "CopyTagsToSnapshot", "DeletionProtection", "Tags")
}

// clusterPorts are the engines of clusters that are modelled, with their
// ports.
// Source: CreateDBClusterInput.Port of the SDK (read 2026-11)
var clusterPorts = map[string]int32{"aurora-mysql": 3306, "aurora-postgresql": 5432}

func (s *service) createCluster(tx *awstest.Tx, call *awstest.Call, in *rds.CreateDBClusterInput) (*rds.CreateDBClusterOutput, error) {
	engine := strings.ToLower(*in.Engine)
	port, known := clusterPorts[engine]
	if !known {
		return nil, call.NotModelled("engine %s", engine)
	}
	if in.Port != nil {
		port = *in.Port
	}
	encrypted, key := aws.ToBool(in.StorageEncrypted), aws.ToString(in.KmsKeyId)
	// AWS documents no codes for these.
	switch {
	case !encrypted && key != "":
		return nil, awstest.Errorf("InvalidParameterCombination", "KmsKeyId can be given only for storage that is encrypted.")
	case aws.ToString(in.MasterUsername) == "":
		return nil, rdsmodel.Invalid("The parameter MasterUsername must be provided and must not be blank.")
	case len(aws.ToString(in.MasterUserPassword)) < minPassword:
		return nil, rdsmodel.Invalid("The parameter MasterUserPassword is not a valid password because it is shorter than %d characters.", minPassword)
	}
	retention := int32(defaultRetention)
	if in.BackupRetentionPeriod != nil {
		retention = *in.BackupRetentionPeriod
	}
	made, err := s.region(call).CreateCluster(tx, rdsmodel.ClusterSpec{
		Engine: engine, EngineVersion: aws.ToString(in.EngineVersion), MasterUsername: *in.MasterUsername, DBName: aws.ToString(in.DatabaseName), Port: port,
		ID: *in.DBClusterIdentifier, Encrypted: encrypted, Key: key, Retention: retention, CopyTags: aws.ToBool(in.CopyTagsToSnapshot),
		Protected: aws.ToBool(in.DeletionProtection), Tags: readTags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &rds.CreateDBClusterOutput{DBCluster: showCluster(tx.Now(), &made)}, nil
}

func (s *service) describeClusters(_ *awstest.Tx, call *awstest.Call, in *rds.DescribeDBClustersInput) (*rds.DescribeDBClustersOutput, error) {
	wanted, err := filters(call, in.Filters, map[string]func(*rdsmodel.Cluster) []string{
		"db-cluster-id":          func(c *rdsmodel.Cluster) []string { return []string{c.ID, c.ARN} },
		"db-cluster-resource-id": func(c *rdsmodel.Cluster) []string { return []string{c.ResourceID} },
		"engine":                 func(c *rdsmodel.Cluster) []string { return []string{c.Engine} },
	})
	if err != nil {
		return nil, err
	}
	only := ""
	if ref := aws.ToString(in.DBClusterIdentifier); ref != "" {
		c, err := s.region(call).Cluster(call.At, ref)
		if err != nil {
			return nil, err
		}
		only = c.ID
	}
	var all []types.DBCluster
	for id, c := range s.region(call).Clusters(call.At) {
		if (only == "" || only == id) && wanted(&c) {
			all = append(all, *showCluster(call.At, &c))
		}
	}
	items, next, err := page(all, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &rds.DescribeDBClustersOutput{DBClusters: items, Marker: next}, nil
}

func (s *service) deleteCluster(tx *awstest.Tx, call *awstest.Call, in *rds.DeleteDBClusterInput) (*rds.DeleteDBClusterOutput, error) {
	c, err := s.region(call).DeleteCluster(tx, *in.DBClusterIdentifier, aws.ToBool(in.SkipFinalSnapshot), aws.ToString(in.FinalDBSnapshotIdentifier))
	if err != nil {
		return nil, err
	}
	return &rds.DeleteDBClusterOutput{DBCluster: showCluster(tx.Now(), &c)}, nil
}

// addMember makes an instance of a cluster, of which most comes from the
// cluster.
func (s *service) addMember(tx *awstest.Tx, call *awstest.Call, in *rds.CreateDBInstanceInput) (*rds.CreateDBInstanceOutput, error) {
	c, err := s.region(call).Cluster(tx.Now(), *in.DBClusterIdentifier)
	if err != nil {
		return nil, err
	}
	rest := *in
	rest.DBInstanceIdentifier, rest.DBClusterIdentifier, rest.DBInstanceClass, rest.Engine, rest.AvailabilityZone, rest.Tags = nil, nil, nil, nil, nil, nil
	switch {
	case !strings.HasPrefix(*in.DBInstanceClass, "db."):
		return nil, rdsmodel.Invalid("Invalid DB Instance class: %s", *in.DBInstanceClass)
	case !strings.EqualFold(*in.Engine, c.Engine):
		return nil, awstest.Errorf("InvalidParameterCombination", "The engine name requested for your DB instance (%s) doesn't match the engine name of your DB cluster (%s).", *in.Engine, c.Engine)
	case unset(&rest) != "":
		return nil, call.NotModelled("%s of an instance of a cluster", unset(&rest))
	}
	made, err := s.region(call).AddMember(tx, c.ID, *in.DBInstanceIdentifier, *in.DBInstanceClass, aws.ToString(in.AvailabilityZone), readTags(in.Tags))
	if err != nil {
		return nil, err
	}
	return &rds.CreateDBInstanceOutput{DBInstance: showInstance(tx, tx.Now(), &made)}, nil
}

// unset names what is given of an instance that comes from its cluster; empty
// if nothing is.
func unset(in *rds.CreateDBInstanceInput) string {
	for name, given := range map[string]bool{
		"AllocatedStorage": in.AllocatedStorage != nil, "StorageType": in.StorageType != nil, "MasterUsername": in.MasterUsername != nil,
		"MasterUserPassword": in.MasterUserPassword != nil, "DBName": in.DBName != nil, "Port": in.Port != nil, "MultiAZ": in.MultiAZ != nil,
		"BackupRetentionPeriod": in.BackupRetentionPeriod != nil, "StorageEncrypted": in.StorageEncrypted != nil, "KmsKeyId": in.KmsKeyId != nil,
		"EngineVersion": in.EngineVersion != nil, "CopyTagsToSnapshot": in.CopyTagsToSnapshot != nil, "DeletionProtection": in.DeletionProtection != nil,
	} {
		if given {
			return name
		}
	}
	return ""
}

func (s *service) restoreCluster(tx *awstest.Tx, call *awstest.Call, in *rds.RestoreDBClusterFromSnapshotInput) (*rds.RestoreDBClusterFromSnapshotOutput, error) {
	made, err := s.region(call).RestoreClusterSnapshot(tx, *in.SnapshotIdentifier, rdsmodel.ClusterSpec{
		ID: *in.DBClusterIdentifier, Engine: strings.ToLower(*in.Engine), Port: aws.ToInt32(in.Port), Retention: aws.ToInt32(in.BackupRetentionPeriod),
		CopyTags: aws.ToBool(in.CopyTagsToSnapshot), Protected: aws.ToBool(in.DeletionProtection), Tags: readTags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &rds.RestoreDBClusterFromSnapshotOutput{DBCluster: showCluster(tx.Now(), &made)}, nil
}

func (s *service) restoreClusterToPointInTime(tx *awstest.Tx, call *awstest.Call, in *rds.RestoreDBClusterToPointInTimeInput) (*rds.RestoreDBClusterToPointInTimeOutput, error) {
	when, err := restoreTime(in.RestoreToTime, in.UseLatestRestorableTime, "RestoreToTime")
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.SourceDBClusterIdentifier) == "" {
		return nil, awstest.Errorf("InvalidParameterCombination", "SourceDBClusterIdentifier must be given.")
	}
	made, err := s.region(call).RestoreClusterPoint(tx, *in.SourceDBClusterIdentifier, when, rdsmodel.ClusterSpec{
		ID: *in.DBClusterIdentifier, Port: aws.ToInt32(in.Port), Retention: aws.ToInt32(in.BackupRetentionPeriod),
		CopyTags: aws.ToBool(in.CopyTagsToSnapshot), Protected: aws.ToBool(in.DeletionProtection), Tags: readTags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &rds.RestoreDBClusterToPointInTimeOutput{DBCluster: showCluster(tx.Now(), &made)}, nil
}

// restoreTime reads to when a restore is to go; the zero time is the latest
// that can be had.
func restoreTime(at *time.Time, latest *bool, parameter string) (time.Time, error) {
	switch {
	case aws.ToBool(latest) && at != nil:
		return time.Time{}, awstest.Errorf("InvalidParameterCombination", "%s cannot be given together with UseLatestRestorableTime.", parameter)
	case !aws.ToBool(latest) && at == nil:
		return time.Time{}, awstest.Errorf("InvalidParameterCombination", "%s or UseLatestRestorableTime must be given.", parameter)
	}
	return aws.ToTime(at), nil
}
