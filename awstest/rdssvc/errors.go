package rdssvc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// modelled gives the codes that the adapter uses the SDK's types for them, in
// the operations for which the SDK knows them. Elsewhere they stay generic, and
// so do codes that the SDK has no type for, such as InvalidParameterValue.
func modelled(operation, code, message string) error {
	m := aws.String(message)
	switch operation + " " + code {
	case "CreateDBCluster DBClusterAlreadyExistsFault", "RestoreDBClusterFromSnapshot DBClusterAlreadyExistsFault",
		"RestoreDBClusterToPointInTime DBClusterAlreadyExistsFault":
		return &types.DBClusterAlreadyExistsFault{Message: m}
	case "AddTagsToResource DBClusterNotFoundFault", "CreateDBCluster DBClusterNotFoundFault",
		"CreateDBClusterSnapshot DBClusterNotFoundFault", "CreateDBInstance DBClusterNotFoundFault",
		"CreateDBInstanceReadReplica DBClusterNotFoundFault", "DeleteDBCluster DBClusterNotFoundFault",
		"DescribeDBClusters DBClusterNotFoundFault", "ListTagsForResource DBClusterNotFoundFault",
		"RemoveTagsFromResource DBClusterNotFoundFault", "RestoreDBClusterToPointInTime DBClusterNotFoundFault":
		return &types.DBClusterNotFoundFault{Message: m}
	case "CopyDBClusterSnapshot DBClusterSnapshotAlreadyExistsFault", "CreateDBClusterSnapshot DBClusterSnapshotAlreadyExistsFault",
		"DeleteDBCluster DBClusterSnapshotAlreadyExistsFault":
		return &types.DBClusterSnapshotAlreadyExistsFault{Message: m}
	case "CopyDBClusterSnapshot DBClusterSnapshotNotFoundFault", "DeleteDBClusterSnapshot DBClusterSnapshotNotFoundFault",
		"DescribeDBClusterSnapshots DBClusterSnapshotNotFoundFault", "RestoreDBClusterFromSnapshot DBClusterSnapshotNotFoundFault",
		"RestoreDBClusterToPointInTime DBClusterSnapshotNotFoundFault", "RestoreDBInstanceFromDBSnapshot DBClusterSnapshotNotFoundFault":
		return &types.DBClusterSnapshotNotFoundFault{Message: m}
	case "CreateDBInstance DBInstanceAlreadyExists", "CreateDBInstanceReadReplica DBInstanceAlreadyExists",
		"ModifyDBInstance DBInstanceAlreadyExists", "RestoreDBInstanceFromDBSnapshot DBInstanceAlreadyExists",
		"RestoreDBInstanceToPointInTime DBInstanceAlreadyExists":
		return &types.DBInstanceAlreadyExistsFault{Message: m}
	case "AddTagsToResource DBInstanceNotFound", "CreateDBCluster DBInstanceNotFound", "CreateDBInstanceReadReplica DBInstanceNotFound",
		"CreateDBSnapshot DBInstanceNotFound", "DeleteDBInstance DBInstanceNotFound", "DescribeDBInstances DBInstanceNotFound",
		"ListTagsForResource DBInstanceNotFound", "ModifyDBInstance DBInstanceNotFound", "PromoteReadReplica DBInstanceNotFound",
		"RebootDBInstance DBInstanceNotFound", "RemoveTagsFromResource DBInstanceNotFound", "RestoreDBInstanceToPointInTime DBInstanceNotFound":
		return &types.DBInstanceNotFoundFault{Message: m}
	case "CopyDBSnapshot DBSnapshotAlreadyExists", "CreateDBSnapshot DBSnapshotAlreadyExists", "DeleteDBInstance DBSnapshotAlreadyExists":
		return &types.DBSnapshotAlreadyExistsFault{Message: m}
	case "AddTagsToResource DBSnapshotNotFound", "CopyDBSnapshot DBSnapshotNotFound", "DeleteDBSnapshot DBSnapshotNotFound",
		"DescribeDBSnapshots DBSnapshotNotFound", "ListTagsForResource DBSnapshotNotFound", "RemoveTagsFromResource DBSnapshotNotFound",
		"RestoreDBClusterFromSnapshot DBSnapshotNotFound", "RestoreDBInstanceFromDBSnapshot DBSnapshotNotFound":
		return &types.DBSnapshotNotFoundFault{Message: m}
	case "CreateDBCluster InsufficientDBInstanceCapacity", "CreateDBInstance InsufficientDBInstanceCapacity",
		"CreateDBInstanceReadReplica InsufficientDBInstanceCapacity", "ModifyDBInstance InsufficientDBInstanceCapacity",
		"RestoreDBClusterFromSnapshot InsufficientDBInstanceCapacity", "RestoreDBClusterToPointInTime InsufficientDBInstanceCapacity",
		"RestoreDBInstanceFromDBSnapshot InsufficientDBInstanceCapacity", "RestoreDBInstanceToPointInTime InsufficientDBInstanceCapacity":
		return &types.InsufficientDBInstanceCapacityFault{Message: m}
	case "CopyDBClusterSnapshot InvalidDBClusterSnapshotStateFault", "CreateDBClusterSnapshot InvalidDBClusterSnapshotStateFault",
		"DeleteDBCluster InvalidDBClusterSnapshotStateFault", "DeleteDBClusterSnapshot InvalidDBClusterSnapshotStateFault",
		"RestoreDBClusterFromSnapshot InvalidDBClusterSnapshotStateFault", "RestoreDBClusterToPointInTime InvalidDBClusterSnapshotStateFault":
		return &types.InvalidDBClusterSnapshotStateFault{Message: m}
	case "AddTagsToResource InvalidDBClusterStateFault", "CopyDBClusterSnapshot InvalidDBClusterStateFault",
		"CreateDBCluster InvalidDBClusterStateFault", "CreateDBClusterSnapshot InvalidDBClusterStateFault",
		"CreateDBInstance InvalidDBClusterStateFault", "CreateDBInstanceReadReplica InvalidDBClusterStateFault",
		"DeleteDBCluster InvalidDBClusterStateFault", "DeleteDBInstance InvalidDBClusterStateFault",
		"ModifyDBInstance InvalidDBClusterStateFault", "RemoveTagsFromResource InvalidDBClusterStateFault",
		"RestoreDBClusterToPointInTime InvalidDBClusterStateFault":
		return &types.InvalidDBClusterStateFault{Message: m}
	case "AddTagsToResource InvalidDBInstanceState", "CreateDBCluster InvalidDBInstanceState",
		"CreateDBInstanceReadReplica InvalidDBInstanceState", "CreateDBSnapshot InvalidDBInstanceState",
		"DeleteDBInstance InvalidDBInstanceState", "ModifyDBInstance InvalidDBInstanceState", "PromoteReadReplica InvalidDBInstanceState",
		"RebootDBInstance InvalidDBInstanceState", "RemoveTagsFromResource InvalidDBInstanceState",
		"RestoreDBClusterFromSnapshot InvalidDBInstanceState", "RestoreDBInstanceToPointInTime InvalidDBInstanceState":
		return &types.InvalidDBInstanceStateFault{Message: m}
	case "CopyDBSnapshot InvalidDBSnapshotState", "DeleteDBSnapshot InvalidDBSnapshotState",
		"RestoreDBClusterFromSnapshot InvalidDBSnapshotState", "RestoreDBClusterToPointInTime InvalidDBSnapshotState",
		"RestoreDBInstanceFromDBSnapshot InvalidDBSnapshotState":
		return &types.InvalidDBSnapshotStateFault{Message: m}
	case "CopyDBClusterSnapshot KMSKeyNotAccessibleFault", "CopyDBSnapshot KMSKeyNotAccessibleFault",
		"CreateDBCluster KMSKeyNotAccessibleFault", "CreateDBInstance KMSKeyNotAccessibleFault",
		"CreateDBInstanceReadReplica KMSKeyNotAccessibleFault", "DeleteDBCluster KMSKeyNotAccessibleFault",
		"DeleteDBInstance KMSKeyNotAccessibleFault", "ModifyDBInstance KMSKeyNotAccessibleFault", "RebootDBInstance KMSKeyNotAccessibleFault",
		"RestoreDBClusterFromSnapshot KMSKeyNotAccessibleFault", "RestoreDBClusterToPointInTime KMSKeyNotAccessibleFault",
		"RestoreDBInstanceFromDBSnapshot KMSKeyNotAccessibleFault", "RestoreDBInstanceToPointInTime KMSKeyNotAccessibleFault":
		return &types.KMSKeyNotAccessibleFault{Message: m}
	case "RestoreDBInstanceToPointInTime PointInTimeRestoreNotEnabled":
		return &types.PointInTimeRestoreNotEnabledFault{Message: m}
	case "CopyDBClusterSnapshot SnapshotQuotaExceeded", "CopyDBSnapshot SnapshotQuotaExceeded",
		"CreateDBClusterSnapshot SnapshotQuotaExceeded", "CreateDBSnapshot SnapshotQuotaExceeded", "DeleteDBCluster SnapshotQuotaExceeded",
		"DeleteDBInstance SnapshotQuotaExceeded":
		return &types.SnapshotQuotaExceededFault{Message: m}
	}
	return nil
}
