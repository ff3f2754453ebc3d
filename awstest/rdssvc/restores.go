package rdssvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

func (s *service) addRestores(e *awstest.Endpoint) {
	awstest.Handle(e, s.restoreFromSnapshot, "DBInstanceIdentifier", "DBSnapshotIdentifier", "DBInstanceClass", "AvailabilityZone", "MultiAZ",
		"BackupRetentionPeriod", "CopyTagsToSnapshot", "DeletionProtection", "Tags")
	awstest.Handle(e, s.restoreToPointInTime, "TargetDBInstanceIdentifier", "SourceDBInstanceIdentifier", "SourceDbiResourceId", "RestoreTime",
		"UseLatestRestorableTime", "DBInstanceClass", "AvailabilityZone", "MultiAZ", "BackupRetentionPeriod", "CopyTagsToSnapshot",
		"DeletionProtection", "Tags")
}

func (s *service) restoreFromSnapshot(tx *awstest.Tx, call *awstest.Call, in *rds.RestoreDBInstanceFromDBSnapshotInput) (*rds.RestoreDBInstanceFromDBSnapshotOutput, error) {
	if aws.ToString(in.DBSnapshotIdentifier) == "" {
		return nil, awstest.Errorf("InvalidParameterCombination", "DBSnapshotIdentifier or DBClusterSnapshotIdentifier must be given.")
	}
	made, err := s.region(call).RestoreSnapshot(tx, *in.DBSnapshotIdentifier, rdsmodel.Overrides{
		ID: *in.DBInstanceIdentifier, Class: aws.ToString(in.DBInstanceClass), ZoneName: aws.ToString(in.AvailabilityZone),
		MultiAZ: aws.ToBool(in.MultiAZ), Retention: in.BackupRetentionPeriod, CopyTags: aws.ToBool(in.CopyTagsToSnapshot),
		Protected: aws.ToBool(in.DeletionProtection), Tags: readTags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &rds.RestoreDBInstanceFromDBSnapshotOutput{DBInstance: showInstance(tx, tx.Now(), &made)}, nil
}

func (s *service) restoreToPointInTime(tx *awstest.Tx, call *awstest.Call, in *rds.RestoreDBInstanceToPointInTimeInput) (*rds.RestoreDBInstanceToPointInTimeOutput, error) {
	source, err := s.sourceOf(tx, call, in)
	if err != nil {
		return nil, err
	}
	when, err := restoreTime(in.RestoreTime, in.UseLatestRestorableTime, "RestoreTime")
	if err != nil {
		return nil, err
	}
	made, err := s.region(call).RestorePoint(tx, source, when, rdsmodel.Overrides{
		ID: *in.TargetDBInstanceIdentifier, Class: aws.ToString(in.DBInstanceClass), ZoneName: aws.ToString(in.AvailabilityZone),
		MultiAZ: aws.ToBool(in.MultiAZ), Retention: in.BackupRetentionPeriod, CopyTags: aws.ToBool(in.CopyTagsToSnapshot),
		Protected: aws.ToBool(in.DeletionProtection), Tags: readTags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &rds.RestoreDBInstanceToPointInTimeOutput{DBInstance: showInstance(tx, tx.Now(), &made)}, nil
}

// sourceOf returns the identifier of the instance that a restore names, by its
// identifier or by that of its resource.
func (s *service) sourceOf(tx *awstest.Tx, call *awstest.Call, in *rds.RestoreDBInstanceToPointInTimeInput) (string, error) {
	id, resource := aws.ToString(in.SourceDBInstanceIdentifier), aws.ToString(in.SourceDbiResourceId)
	switch {
	case id != "" && resource != "", id == "" && resource == "":
		return "", awstest.Errorf("InvalidParameterCombination", "Either SourceDBInstanceIdentifier or SourceDbiResourceId must be given.")
	case id != "":
		return id, nil
	}
	for id, i := range s.region(call).Instances(tx.Now()) {
		if i.ResourceID == resource {
			return id, nil
		}
	}
	return resource, nil // of which there is no instance
}
