// Package rdssvc is Amazon RDS for awstest: DB instances that fail over, clusters
// of Aurora, their snapshots and backups, restores and read replicas, behind the
// SDK's own *rds.Client.
//
//	cloud, err := awstest.New([]awstest.Service{rdssvc.New()})
//	client := rds.NewFromConfig(cloud.Config("us-east-1"))
//
// # When to use it
//
// Use it to test and to rehearse what a program does with databases when things
// go wrong: snapshots that fail late since their key has gone, copies to
// another region that wait, quotas, restores of which it has to be known what
// data they hold, and failovers. [SetWrites] and [Writes] tell what data a
// database holds, and [Machines] what it runs on.
//
// There is no database in it: no SQL, and no parameter groups. What it
// does not know it refuses with [awstest.ErrNotModelled], an operation or a
// parameter alike, and [awstest.Cloud.Close] returns the refusal once more.
//
// # How it works
//
//	instance:  creating --> available --> backing-up, modifying, rebooting --> available
//	              |             |
//	              |             DeleteDBInstance --> deleting --> not there
//	              v
//	              inaccessible-encryption-credentials    (its key cannot be used)
//
//	snapshot:  pending (from another region) --> creating --> available
//	                                                 |
//	                                                 v
//	                                                 failed    (its key or its source has gone)
//
// How long each takes is an option. A database is a count of writes with its
// past. A snapshot holds what the database held when it was asked for; a
// restore to a point in time what it held then. Logs are uploaded every five
// minutes, so that the latest restorable time is five minutes behind, and
// further behind while the database cannot be reached. An instance that keeps
// backups is backed up as soon as it is available, and from then on each day at
// that time: there are no backup windows.
//
// An instance runs on a machine in its zone and, if it is Multi-AZ, on another
// one as a standby. The name of its endpoint leads to the machine that is the
// primary. If that cannot be reached and the standby can, the standby takes
// over after [Options].Failover, with all the data. An instance without a
// standby waits for its zone; its status stays what it was. What it is in the
// middle of, snapshots included, waits with it. No instance starts in a zone
// that refuses launches.
//
// A cluster is storage that no zone holds up, and the instances that were made
// for it. The first of them is the writer, which alone takes writes, and to which
// the name of the cluster leads; when it is deleted the next one is. That a
// reader takes over from a writer that cannot be reached is not modelled yet. A
// cluster always keeps its log; automated snapshots of it are not modelled.
//
// Keys are those of KMS in the cloud. Whether one can be used is asked when a
// snapshot or a restore is asked for, and once more when it ends. A running
// instance does not mind what becomes of its key.
//
// Reads stand behind changes by [awstest.Options].VisibilityLag or by the effect
// [awstest.Stale]. An instance or a snapshot that is stuck
// ([awstest.Cloud.Stick], by its ARN) stays in its state until it is healed.
//
// # Operations
//
// Each line says what is as AWS documents it, what is simplified, and what is
// not there. Instances and snapshots are given by identifier, in whatever case,
// or by ARN.
//
//   - AddTagsToResource: of instances, clusters and snapshots, 50 tags.
//   - CopyDBClusterSnapshot: as CopyDBSnapshot; that both count for the limit of 20, AWS does not say. Unencrypted ones cannot be encrypted.
//   - CopyDBSnapshot: within the region and from another one, 20 at a time; under another key; tags only if asked for. An encrypted snapshot of another region needs a key of this region, and a presigned URL, which the SDK makes of SourceRegion: the API reference requires the URL, and says as well that regions outside of GovCloud ignore it. The name of an automated snapshot cannot be kept. No option groups, no other accounts.
//   - CreateDBCluster: Aurora for MySQL and PostgreSQL, provisioned; backups, encryption, protection. No serverless capacity, no global clusters, no groups, no Multi-AZ clusters of other engines.
//   - CreateDBClusterSnapshot: identifiers are unique in the region among those of clusters; 100 manual ones. The cluster has to be available, and stays so.
//   - CreateDBInstance: MySQL, MariaDB and PostgreSQL on gp2 and gp3; zone, Multi-AZ, backups, encryption, protection. The password is forgotten. No subnet groups, security groups, parameter groups, Iops. Of a cluster, with class, zone and tags; the rest is the cluster's.
//   - CreateDBInstanceReadReplica: in the region of a source that keeps backups; one level. Its lag is an option.
//   - CreateDBSnapshot: identifiers are unique in the region; 100 manual ones. The instance has to be available, and is backing up meanwhile.
//   - DeleteDBCluster: with or without a final snapshot; protection; refused while it has instances.
//   - DeleteDBClusterSnapshot: manual ones that are available or failed.
//   - DeleteDBInstance: with or without a final snapshot; protection; automated backups go with the instance. Replicas go on alone.
//   - DeleteDBSnapshot: manual ones that are available or failed.
//   - DescribeDBClusterSnapshots: by identifier, cluster, resource and type; all filters; pages.
//   - DescribeDBClusters: by identifier; the filters db-cluster-id, db-cluster-resource-id and engine; pages. Neptune and DocumentDB are not modelled.
//   - DescribeDBInstances: by identifier; the filters db-instance-id, dbi-resource-id and engine; pages.
//   - DescribeDBSnapshots: by identifier, instance, resource and type; all filters; pages. There are none of other accounts.
//   - ListTagsForResource: no filters.
//   - ModifyDBInstance: Multi-AZ and the retention of backups, at once only; protection and the copying of tags.
//   - PromoteReadReplica: with a reboot at the end, and backups from then on.
//   - RebootDBInstance: with failover too.
//   - RemoveTagsFromResource: keys that are not there are ignored.
//   - RestoreDBClusterFromSnapshot: without instances, of a snapshot of a cluster with the same engine; port, backups, protection, tags. Under the key of the snapshot.
//   - RestoreDBClusterToPointInTime: of a cluster of the region that is still there; the same. All of it is copied: no copy on write.
//   - RestoreDBInstanceFromDBSnapshot: class, zone, Multi-AZ, backups, protection, tags. Under the key of the snapshot.
//   - RestoreDBInstanceToPointInTime: of an instance of the region that is still there; the same.
//
// A marker is a place in the result: what is added or goes between two pages
// may move something from one to the next.
//
// # Errors
//
// An error is the SDK's type of its code where there is one for the operation,
// such as *types.DBSnapshotNotFoundFault, else a *smithy.GenericAPIError, inside
// a response error with an HTTP status and a request ID. The status is 400
// unless noted.
//
//   - AccessDenied: status 403, by the effect [awstest.Deny].
//   - DBClusterAlreadyExistsFault
//   - DBClusterNotFoundFault: status 404.
//   - DBClusterSnapshotAlreadyExistsFault
//   - DBClusterSnapshotNotFoundFault: status 404.
//   - DBInstanceAlreadyExists
//   - DBInstanceNotFound: status 404.
//   - DBSnapshotAlreadyExists
//   - DBSnapshotNotFound: status 404.
//   - InsufficientDBInstanceCapacity: no zone that may be used takes launches of the class.
//   - InvalidDBClusterSnapshotStateFault: as InvalidDBSnapshotState.
//   - InvalidDBClusterStateFault: a cluster that is not available, or has instances when it is to be deleted.
//   - InvalidDBInstanceState: also for a source of replicas that keeps no backups.
//   - InvalidDBSnapshotState: copying or restoring what is not available; deleting what is automated or under way.
//   - InvalidParameterCombination
//   - InvalidParameterValue: a value that breaks a rule; a time that cannot be restored, for which AWS documents no code.
//   - KMSKeyNotAccessibleFault
//   - PointInTimeRestoreNotEnabled: the instance keeps no backups.
//   - ServiceUnavailable: status 503, by the effect [awstest.Unavailable].
//   - SnapshotQuotaExceeded: 100 manual snapshots of instances or of clusters, or 20 copies from other regions; the message tells which.
//   - ThrottlingException: by the effect [awstest.Throttle].
//
// # Cost
//
// An instance costs a machine or two, a few events a day for its backups, and a
// few bytes for every [SetWrites]. A snapshot costs a few hundred bytes.
package rdssvc
