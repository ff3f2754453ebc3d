package conformance_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
)

// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBClusterSnapshot.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBClusterFromSnapshot.html (read 2026-11)
var clusterScenarios = []scenario{
	{
		name: "a cluster of databases is created, snapshotted, copied and restored",
		run: func(s *session) {
			id, err := s.createCluster("cluster")
			if !s.accepted("the call", err) {
				return
			}
			s.shows("state", "available", func() string { return s.clusterState(id) })
			_, err = s.createCluster("cluster")
			s.refused("the name again", err, "DBClusterAlreadyExistsFault")
			writer, err := s.createMember(id, "writer")
			if s.accepted("an instance", err) {
				s.shows("its state", "available", func() string { return s.databaseState(writer) })
			}
			shown := must(s.rds.DescribeDBClusters(s.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: &id}))(s).DBClusters[0]
			s.is("members", fmt.Sprint(len(shown.DBClusterMembers)), "1")
			s.is("the first of them writes", fmt.Sprint(len(shown.DBClusterMembers) > 0 && aws.ToBool(shown.DBClusterMembers[0].IsClusterWriter)), "true")
			s.is("engine and port", fmt.Sprintf("%s %d", *shown.Engine, aws.ToInt32(shown.Port)), "aurora-postgresql 5432")
			_, err = s.rds.DeleteDBCluster(s.Context(), &rds.DeleteDBClusterInput{DBClusterIdentifier: &id, SkipFinalSnapshot: aws.Bool(true)})
			s.refused("deletion with an instance", err, "InvalidDBClusterStateFault")

			snapshot := s.databaseName("clustersnapshot")
			made, err := s.rds.CreateDBClusterSnapshot(s.Context(), &rds.CreateDBClusterSnapshotInput{
				DBClusterSnapshotIdentifier: &snapshot, DBClusterIdentifier: &id, Tags: databaseTags("role", "backup"),
			})
			if !s.accepted("a snapshot", err) {
				return
			}
			s.forgetClusterSnapshot(s.rds, snapshot)
			s.is("its state in the answer", *made.DBClusterSnapshot.Status, "creating")
			s.shows("the snapshot's state", "available", func() string { return s.clusterSnapshotState(s.rds, snapshot) })
			_, err = s.rds.CreateDBClusterSnapshot(s.Context(), &rds.CreateDBClusterSnapshotInput{DBClusterSnapshotIdentifier: &snapshot, DBClusterIdentifier: &id})
			s.refused("its name again", err, "DBClusterSnapshotAlreadyExistsFault")
			s.is("its tags", databaseTagsOf(must(s.rds.DescribeDBClusterSnapshots(s.Context(), &rds.DescribeDBClusterSnapshotsInput{
				DBClusterSnapshotIdentifier: &snapshot,
			}))(s).DBClusterSnapshots[0].TagList), "role=backup")

			second := s.databaseName("copy")
			_, err = s.rds.CopyDBClusterSnapshot(s.Context(), &rds.CopyDBClusterSnapshotInput{SourceDBClusterSnapshotIdentifier: &snapshot, TargetDBClusterSnapshotIdentifier: &second})
			if s.accepted("a copy", err) {
				s.forgetClusterSnapshot(s.rds, second)
				s.shows("the copy's state", "available", func() string { return s.clusterSnapshotState(s.rds, second) })
			}

			again := s.databaseName("again")
			_, err = s.rds.RestoreDBClusterFromSnapshot(s.Context(), &rds.RestoreDBClusterFromSnapshotInput{
				DBClusterIdentifier: &again, SnapshotIdentifier: &snapshot, Engine: aws.String("aurora-postgresql"),
			})
			if s.accepted("a restore", err) {
				s.forgetCluster(again)
				s.shows("the restored one's state", "available", func() string { return s.clusterState(again) })
			}
			now := s.databaseName("now")
			_, err = s.rds.RestoreDBClusterToPointInTime(s.Context(), &rds.RestoreDBClusterToPointInTimeInput{
				DBClusterIdentifier: &now, SourceDBClusterIdentifier: &id, UseLatestRestorableTime: aws.Bool(true),
			})
			if s.accepted("a restore to now", err) {
				s.forgetCluster(now)
			}
			_, err = s.rds.DeleteDBClusterSnapshot(s.Context(), &rds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: &snapshot})
			s.accepted("deletion of the snapshot", err)
			_, err = s.rds.DeleteDBClusterSnapshot(s.Context(), &rds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: &snapshot})
			s.refused("deletion of it again", err, "DBClusterSnapshotNotFoundFault")
			_, err = s.rds.DescribeDBClusters(s.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String("awsha-none")})
			s.refused("one that there is not", err, "DBClusterNotFoundFault")
		},
		differs: []difference{
			{on: motoName, at: "the name again", does: "DBClusterSnapshotAlreadyExistsFault"},
			{on: motoName, at: "its state in the answer", does: "available"},
		},
	},
}

// createCluster makes a cluster, which goes at the end.
func (s *session) createCluster(name string) (id string, err error) {
	id = s.databaseName(name)
	_, err = s.rds.CreateDBCluster(s.Context(), &rds.CreateDBClusterInput{
		DBClusterIdentifier: &id, Engine: aws.String("aurora-postgresql"), MasterUsername: aws.String("awsha"), MasterUserPassword: aws.String("not-a-secret-" + s.mark),
	})
	if err == nil {
		s.forgetCluster(id)
	}
	return id, err
}

func (s *session) forgetCluster(id string) {
	s.cleanly(id, func(ctx context.Context) error {
		_, err := s.rds.DeleteDBCluster(ctx, &rds.DeleteDBClusterInput{DBClusterIdentifier: &id, SkipFinalSnapshot: aws.Bool(true)})
		return unless(err, "DBClusterNotFoundFault")
	})
}

// createMember makes an instance of a cluster.
func (s *session) createMember(of, name string) (id string, err error) {
	id = s.databaseName(name)
	_, err = s.rds.CreateDBInstance(s.Context(), &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: &id, DBClusterIdentifier: &of, DBInstanceClass: aws.String("db.r6g.large"), Engine: aws.String("aurora-postgresql"),
	})
	if err == nil {
		s.forgetDatabase(id)
	}
	return id, err
}

func (s *session) forgetClusterSnapshot(client *rds.Client, id string) {
	s.cleanly(id, func(ctx context.Context) error {
		_, err := client.DeleteDBClusterSnapshot(ctx, &rds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: &id})
		return unless(err, "DBClusterSnapshotNotFoundFault")
	})
}

func (s *session) clusterState(id string) string {
	out, err := s.rds.DescribeDBClusters(s.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: &id})
	if err != nil {
		return outcome(err)
	}
	return *out.DBClusters[0].Status
}

func (s *session) clusterSnapshotState(client *rds.Client, id string) string {
	out, err := client.DescribeDBClusterSnapshots(s.Context(), &rds.DescribeDBClusterSnapshotsInput{DBClusterSnapshotIdentifier: &id})
	if err != nil {
		return outcome(err)
	}
	return *out.DBClusterSnapshots[0].Status
}
