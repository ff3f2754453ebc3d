package rdssvc

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

func (s *service) addInstances(e *awstest.Endpoint) {
	awstest.Handle(e, s.createInstance, "DBInstanceIdentifier", "DBInstanceClass", "Engine", "EngineVersion", "AllocatedStorage", "StorageType",
		"MasterUsername", "MasterUserPassword", "DBName", "Port", "AvailabilityZone", "MultiAZ", "BackupRetentionPeriod", "StorageEncrypted",
		"KmsKeyId", "CopyTagsToSnapshot", "DeletionProtection", "DBClusterIdentifier", "Tags")
	awstest.Handle(e, s.describeInstances, "DBInstanceIdentifier", "Filters", "MaxRecords", "Marker")
	awstest.Handle(e, s.modifyInstance, "DBInstanceIdentifier", "ApplyImmediately", "MultiAZ", "BackupRetentionPeriod", "CopyTagsToSnapshot",
		"DeletionProtection")
	awstest.Handle(e, s.rebootInstance, "DBInstanceIdentifier", "ForceFailover")
	awstest.Handle(e, s.deleteInstance, "DBInstanceIdentifier", "SkipFinalSnapshot", "FinalDBSnapshotIdentifier", "DeleteAutomatedBackups")
}

// ports are the engines that are modelled, with the ports that they listen on
// if nothing is said.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (read 2026-11)
var ports = map[string]int32{"mariadb": 3306, "mysql": 3306, "postgres": 5432}

// Bounds of what an instance is made with.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (read 2026-11)
const (
	minStorage, maxStorage = 20, 65536 // GiB, of gp2 and gp3
	minPort, maxPort       = 1150, 65535
	minPassword            = 8
	defaultStorageType     = "gp3"
	defaultRetention       = 1 // days
)

func (s *service) createInstance(tx *awstest.Tx, call *awstest.Call, in *rds.CreateDBInstanceInput) (*rds.CreateDBInstanceOutput, error) {
	if aws.ToString(in.DBClusterIdentifier) != "" {
		return s.addMember(tx, call, in)
	}
	shape, err := shapeOf(call, in)
	if err != nil {
		return nil, err
	}
	encrypted, key := aws.ToBool(in.StorageEncrypted), aws.ToString(in.KmsKeyId)
	if !encrypted && key != "" {
		// AWS documents no code for it.
		return nil, awstest.Errorf("InvalidParameterCombination", "KmsKeyId can be given only for storage that is encrypted.")
	}
	retention := int32(defaultRetention)
	if in.BackupRetentionPeriod != nil {
		retention = *in.BackupRetentionPeriod
	}
	made, err := s.region(call).CreateInstance(tx, rdsmodel.Spec{
		Shape: shape, ID: *in.DBInstanceIdentifier, ZoneName: aws.ToString(in.AvailabilityZone), MultiAZ: aws.ToBool(in.MultiAZ),
		Encrypted: encrypted, Key: key, Retention: retention, CopyTags: aws.ToBool(in.CopyTagsToSnapshot),
		Protected: aws.ToBool(in.DeletionProtection), Tags: readTags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &rds.CreateDBInstanceOutput{DBInstance: showInstance(tx, tx.Now(), &made)}, nil
}

func shapeOf(call *awstest.Call, in *rds.CreateDBInstanceInput) (rdsmodel.Shape, error) {
	shape := rdsmodel.Shape{
		Class: *in.DBInstanceClass, Engine: strings.ToLower(*in.Engine), EngineVersion: aws.ToString(in.EngineVersion),
		StorageGiB: aws.ToInt32(in.AllocatedStorage), StorageType: aws.ToString(in.StorageType),
		MasterUsername: aws.ToString(in.MasterUsername), DBName: aws.ToString(in.DBName), Port: aws.ToInt32(in.Port),
	}
	usual, known := ports[shape.Engine]
	if !known {
		return shape, call.NotModelled("engine %s", shape.Engine)
	}
	if in.Port == nil {
		shape.Port = usual
	}
	switch shape.StorageType {
	case "":
		shape.StorageType = defaultStorageType
	case "gp2", "gp3":
	default:
		return shape, call.NotModelled("storage type %s", shape.StorageType)
	}
	// AWS documents no codes for these.
	switch {
	case !strings.HasPrefix(shape.Class, "db."):
		return shape, rdsmodel.Invalid("Invalid DB Instance class: %s", shape.Class)
	case shape.StorageGiB < minStorage || shape.StorageGiB > maxStorage:
		return shape, rdsmodel.Invalid("Invalid storage size for engine name %s and storage type %s: %d", shape.Engine, shape.StorageType, shape.StorageGiB)
	case shape.Port < minPort || shape.Port > maxPort:
		return shape, rdsmodel.Invalid("Invalid port: %d. It must be between %d and %d.", shape.Port, minPort, maxPort)
	case shape.MasterUsername == "":
		return shape, rdsmodel.Invalid("The parameter MasterUsername must be provided and must not be blank.")
	case len(aws.ToString(in.MasterUserPassword)) < minPassword:
		return shape, rdsmodel.Invalid("The parameter MasterUserPassword is not a valid password because it is shorter than %d characters.", minPassword)
	}
	return shape, nil
}

func (s *service) describeInstances(tx *awstest.Tx, call *awstest.Call, in *rds.DescribeDBInstancesInput) (*rds.DescribeDBInstancesOutput, error) {
	wanted, err := filters(call, in.Filters, map[string]func(*rdsmodel.Instance) []string{
		"db-instance-id":  func(i *rdsmodel.Instance) []string { return []string{i.ID, i.ARN} },
		"dbi-resource-id": func(i *rdsmodel.Instance) []string { return []string{i.ResourceID} },
		"engine":          func(i *rdsmodel.Instance) []string { return []string{i.Engine} },
	})
	if err != nil {
		return nil, err
	}
	only := ""
	if ref := aws.ToString(in.DBInstanceIdentifier); ref != "" {
		i, err := s.region(call).Instance(call.At, ref)
		if err != nil {
			return nil, err
		}
		only = i.ID
	}
	var all []types.DBInstance
	for id, i := range s.region(call).Instances(call.At) {
		if (only == "" || only == id) && wanted(&i) {
			all = append(all, *showInstance(tx, call.At, &i))
		}
	}
	items, next, err := page(all, in.Marker, in.MaxRecords)
	if err != nil {
		return nil, err
	}
	return &rds.DescribeDBInstancesOutput{DBInstances: items, Marker: next}, nil
}

func (s *service) modifyInstance(tx *awstest.Tx, call *awstest.Call, in *rds.ModifyDBInstanceInput) (*rds.ModifyDBInstanceOutput, error) {
	// Protection and the copying of tags are changed at once in any case.
	if !aws.ToBool(in.ApplyImmediately) && (in.MultiAZ != nil || in.BackupRetentionPeriod != nil) {
		return nil, call.NotModelled("a change in the next maintenance window: ApplyImmediately must be set")
	}
	i, err := s.region(call).ModifyInstance(tx, *in.DBInstanceIdentifier, rdsmodel.Change{
		Retention: in.BackupRetentionPeriod, MultiAZ: in.MultiAZ, Protected: in.DeletionProtection, CopyTags: in.CopyTagsToSnapshot,
	})
	if err != nil {
		return nil, err
	}
	return &rds.ModifyDBInstanceOutput{DBInstance: showInstance(tx, tx.Now(), &i)}, nil
}

func (s *service) rebootInstance(tx *awstest.Tx, call *awstest.Call, in *rds.RebootDBInstanceInput) (*rds.RebootDBInstanceOutput, error) {
	i, err := s.region(call).RebootInstance(tx, *in.DBInstanceIdentifier, aws.ToBool(in.ForceFailover))
	if err != nil {
		return nil, err
	}
	return &rds.RebootDBInstanceOutput{DBInstance: showInstance(tx, tx.Now(), &i)}, nil
}

func (s *service) deleteInstance(tx *awstest.Tx, call *awstest.Call, in *rds.DeleteDBInstanceInput) (*rds.DeleteDBInstanceOutput, error) {
	if in.DeleteAutomatedBackups != nil && !*in.DeleteAutomatedBackups {
		return nil, call.NotModelled("automated backups that stay when their instance goes")
	}
	i, err := s.region(call).DeleteInstance(tx, *in.DBInstanceIdentifier, aws.ToBool(in.SkipFinalSnapshot), aws.ToString(in.FinalDBSnapshotIdentifier))
	if err != nil {
		return nil, err
	}
	return &rds.DeleteDBInstanceOutput{DBInstance: showInstance(tx, tx.Now(), &i)}, nil
}
