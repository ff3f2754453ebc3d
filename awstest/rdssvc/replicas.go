package rdssvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

func (s *service) addReplicas(e *awstest.Endpoint) {
	awstest.Handle(e, s.createReplica, "DBInstanceIdentifier", "SourceDBInstanceIdentifier", "DBInstanceClass", "AvailabilityZone",
		"CopyTagsToSnapshot", "DeletionProtection", "Tags")
	awstest.Handle(e, s.promoteReplica, "DBInstanceIdentifier", "BackupRetentionPeriod")
}

func (s *service) createReplica(tx *awstest.Tx, call *awstest.Call, in *rds.CreateDBInstanceReadReplicaInput) (*rds.CreateDBInstanceReadReplicaOutput, error) {
	if aws.ToString(in.SourceDBInstanceIdentifier) == "" {
		return nil, awstest.Errorf("InvalidParameterCombination", "SourceDBInstanceIdentifier or SourceDBClusterIdentifier must be given.")
	}
	made, err := s.region(call).CreateReplica(tx, *in.SourceDBInstanceIdentifier, rdsmodel.Overrides{
		ID: *in.DBInstanceIdentifier, Class: aws.ToString(in.DBInstanceClass), ZoneName: aws.ToString(in.AvailabilityZone),
		CopyTags: aws.ToBool(in.CopyTagsToSnapshot), Protected: aws.ToBool(in.DeletionProtection), Tags: readTags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &rds.CreateDBInstanceReadReplicaOutput{DBInstance: showInstance(tx, tx.Now(), &made)}, nil
}

func (s *service) promoteReplica(tx *awstest.Tx, call *awstest.Call, in *rds.PromoteReadReplicaInput) (*rds.PromoteReadReplicaOutput, error) {
	retention := int32(defaultRetention)
	if in.BackupRetentionPeriod != nil {
		retention = *in.BackupRetentionPeriod
	}
	i, err := s.region(call).PromoteReplica(tx, *in.DBInstanceIdentifier, retention)
	if err != nil {
		return nil, err
	}
	return &rds.PromoteReadReplicaOutput{DBInstance: showInstance(tx, tx.Now(), &i)}, nil
}
