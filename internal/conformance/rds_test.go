package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
)

// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RebootDBInstance.html (read 2026-11)
var databaseScenarios = []scenario{
	{
		name: "a database is created, changed, rebooted and deleted",
		run: func(s *session) {
			id := s.databaseName("db")
			made := must(s.createDatabase("db"))(s)
			s.is("state in the answer", *made.DBInstanceStatus, "creating")
			s.is("endpoint in the answer", fmt.Sprint(made.Endpoint != nil), "false")
			s.shows("state", "available", func() string { return s.databaseState(id) })
			i := must(s.describeDatabase(strings.ToUpper(id)))(s)
			s.is("found by the name in upper case", *i.DBInstanceIdentifier, "DB")
			s.is("engine, class and storage", fmt.Sprintf("%s %s %d GiB %s", *i.Engine, *i.DBInstanceClass, *i.AllocatedStorage, *i.StorageType), "postgres db.t4g.micro 20 GiB gp3")
			s.is("port", fmt.Sprint(*i.Endpoint.Port), "5432")
			s.is("Multi-AZ and encryption", fmt.Sprint(*i.MultiAZ, *i.StorageEncrypted), "false false")

			_, err := s.rds.RebootDBInstance(s.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: &id, ForceFailover: aws.Bool(true)})
			s.refused("failover without a standby", err, "InvalidParameterCombination")
			out, err := s.rds.RebootDBInstance(s.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: &id})
			if s.accepted("reboot", err) {
				s.is("state in the answer to the reboot", *out.DBInstance.DBInstanceStatus, "rebooting")
			}
			s.shows("state after the reboot", "available", func() string { return s.databaseState(id) })
			_, err = s.rds.ModifyDBInstance(s.Context(), &rds.ModifyDBInstanceInput{DBInstanceIdentifier: &id, MultiAZ: aws.Bool(true), ApplyImmediately: aws.Bool(true)})
			s.accepted("change to Multi-AZ", err)
			s.shows("Multi-AZ then", "true available", func() string {
				i := must(s.describeDatabase(id))(s)
				return fmt.Sprint(*i.MultiAZ, " ", *i.DBInstanceStatus)
			})
			_, err = s.rds.ModifyDBInstance(s.Context(), &rds.ModifyDBInstanceInput{DBInstanceIdentifier: &id, BackupRetentionPeriod: aws.Int32(36), ApplyImmediately: aws.Bool(true)})
			s.refused("36 days of backups", err, "InvalidParameterValue")

			_, err = s.rds.DeleteDBInstance(s.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &id})
			s.refused("deletion without a word about a snapshot", err, "InvalidParameterCombination")
			if err == nil { // it is gone then
				id = *must(s.createDatabase("second"))(s).DBInstanceIdentifier
			}
			gone, err := s.rds.DeleteDBInstance(s.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &id, SkipFinalSnapshot: aws.Bool(true)})
			if s.accepted("deletion", err) {
				s.is("state in the answer to the deletion", *gone.DBInstance.DBInstanceStatus, "deleting")
			}
			s.shows("deleted", "DBInstanceNotFound", func() string { return s.databaseState(id) })
		},
		differs: []difference{
			{on: motoName, at: "state in the answer", does: "available"},
			{on: motoName, at: "endpoint in the answer", does: "true"},
			{on: motoName, at: "failover without a standby", does: "accepted"},
			{on: motoName, at: "state in the answer to the reboot", does: "available"},
			{on: motoName, at: "36 days of backups", does: "accepted"},
			{on: motoName, at: "deletion without a word about a snapshot", does: "accepted"},
		},
	},
	{
		name: "databases are refused",
		run: func(s *session) {
			must(s.createDatabase("taken"))(s)
			for n, c := range []struct {
				at     string
				change func(*rds.CreateDBInstanceInput)
				code   string
			}{
				{"a name that is taken", func(in *rds.CreateDBInstanceInput) { in.DBInstanceIdentifier = aws.String(s.databaseName("taken")) }, "DBInstanceAlreadyExists"},
				{"a name with two hyphens", func(in *rds.CreateDBInstanceInput) { in.DBInstanceIdentifier = aws.String("a--" + s.mark) }, "InvalidParameterValue"},
				{"36 days of backups", func(in *rds.CreateDBInstanceInput) { in.BackupRetentionPeriod = aws.Int32(36) }, "InvalidParameterValue"},
				{"a zone for Multi-AZ", func(in *rds.CreateDBInstanceInput) {
					in.MultiAZ, in.AvailabilityZone = aws.Bool(true), aws.String(s.regions[0]+"a")
				}, "InvalidParameterCombination"},
				{"an unknown key", func(in *rds.CreateDBInstanceInput) {
					in.StorageEncrypted, in.KmsKeyId = aws.Bool(true), aws.String("alias/awsha-none")
				}, "KMSKeyNotAccessibleFault"},
			} {
				_, err := s.createDatabase(fmt.Sprintf("new-%d", n), c.change)
				s.refused(c.at, err, c.code)
			}
			none := s.databaseName("none")
			_, err := s.describeDatabase(none)
			s.refused("reading an unknown one", err, "DBInstanceNotFound")
			_, err = s.rds.DeleteDBInstance(s.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &none, SkipFinalSnapshot: aws.Bool(true)})
			s.refused("deleting an unknown one", err, "DBInstanceNotFound")
			_, err = s.rds.DescribeDBInstances(s.Context(), &rds.DescribeDBInstancesInput{MaxRecords: aws.Int32(19)})
			s.refused("a page of 19", err, "InvalidParameterValue")
		},
		differs: []difference{
			{on: motoName, at: "36 days of backups", does: "accepted"},
			{on: motoName, at: "a zone for Multi-AZ", does: "accepted"},
			{on: motoName, at: "an unknown key", does: "accepted"},
			{on: motoName, at: "a page of 19", does: "accepted"},
		},
	},
	{
		name: "databases have tags",
		run: func(s *session) {
			made := must(s.createDatabase("db", func(in *rds.CreateDBInstanceInput) { in.Tags = databaseTags("a", "1") }))(s)
			arn := made.DBInstanceArn
			_, err := s.rds.AddTagsToResource(s.Context(), &rds.AddTagsToResourceInput{ResourceName: arn, Tags: databaseTags("a", "2", "b", "3", "c", "4")})
			s.accepted("adding", err)
			_, err = s.rds.RemoveTagsFromResource(s.Context(), &rds.RemoveTagsFromResourceInput{ResourceName: arn, TagKeys: []string{"b", "none"}})
			s.accepted("removing", err)
			s.shows("tags", "a=2 c=4", func() string {
				return databaseTagsOf(must(s.rds.ListTagsForResource(s.Context(), &rds.ListTagsForResourceInput{ResourceName: arn}))(s).TagList)
			})
			s.is("tags with the database", databaseTagsOf(must(s.describeDatabase(*made.DBInstanceIdentifier))(s).TagList), "a=2 c=4")
			_, err = s.rds.ListTagsForResource(s.Context(), &rds.ListTagsForResourceInput{ResourceName: aws.String(*arn + "-none")})
			s.refused("of an unknown one", err, "DBInstanceNotFound")
		},
		differs: []difference{
			{on: motoName, at: "of an unknown one", does: "accepted"},
		},
	},
}

// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBSnapshot.html (read 2026-11)
var databaseSnapshotScenarios = []scenario{
	{
		name: "a DB snapshot is created and deleted",
		run: func(s *session) {
			db, id := s.databaseName("db"), s.databaseName("snapshot")
			must(s.createDatabase("db", func(in *rds.CreateDBInstanceInput) { in.BackupRetentionPeriod = aws.Int32(0) }))(s)
			_, err := s.snapshotDatabase("early", db)
			s.refused("of a database that is being created", err, "InvalidDBInstanceState")
			s.shows("the database", "available", func() string { return s.databaseState(db) })
			made, err := s.snapshotDatabase("snapshot", db)
			if !s.accepted("creation", err) {
				return
			}
			s.is("state in the answer", *made.Status, "creating")
			s.is("type", *made.SnapshotType, "manual")
			s.is("inline tags", databaseTagsOf(made.TagList), "role=backup")
			_, err = s.snapshotDatabase("snapshot", db)
			s.refused("a name that is taken", err, "DBSnapshotAlreadyExists")
			s.shows("state", "available", func() string { return s.databaseSnapshotState(s.rds, id) })
			full := must(s.rds.DescribeDBSnapshots(s.Context(), &rds.DescribeDBSnapshotsInput{DBSnapshotIdentifier: &id}))(s).DBSnapshots[0]
			s.is("progress", fmt.Sprint(aws.ToInt32(full.PercentProgress)), "100")
			s.shows("of the database", "SNAPSHOT", func() string {
				var ids []string
				for _, d := range must(s.rds.DescribeDBSnapshots(s.Context(), &rds.DescribeDBSnapshotsInput{DBInstanceIdentifier: &db, SnapshotType: aws.String("manual")}))(s).DBSnapshots {
					ids = append(ids, s.told(*d.DBSnapshotIdentifier))
				}
				return strings.Join(ids, " ")
			})
			_, err = s.snapshotDatabase("other", s.databaseName("none"))
			s.refused("of an unknown database", err, "DBInstanceNotFound")
			_, err = s.rds.DescribeDBSnapshots(s.Context(), &rds.DescribeDBSnapshotsInput{MaxRecords: aws.Int32(19)})
			s.refused("a page of 19", err, "InvalidParameterValue")
			_, err = s.rds.DeleteDBSnapshot(s.Context(), &rds.DeleteDBSnapshotInput{DBSnapshotIdentifier: &id})
			s.accepted("deletion", err)
			s.shows("deleted", "DBSnapshotNotFound", func() string { return s.databaseSnapshotState(s.rds, id) })
			_, err = s.rds.DeleteDBSnapshot(s.Context(), &rds.DeleteDBSnapshotInput{DBSnapshotIdentifier: &id})
			s.refused("deletion again", err, "DBSnapshotNotFound")
		},
		differs: []difference{
			{on: motoName, at: "of a database that is being created", does: "accepted"},
			{on: motoName, at: "state in the answer", does: "available"},
			{on: motoName, at: "progress", does: "0"},
			{on: motoName, at: "of the database", does: "EARLY SNAPSHOT"},
			{on: motoName, at: "a page of 19", does: "accepted"},
		},
	},
	{
		name: "a DB snapshot is copied, to another region too",
		run: func(s *session) {
			db, id := s.databaseName("db"), s.databaseName("snapshot")
			must(s.createDatabase("db", func(in *rds.CreateDBInstanceInput) { in.BackupRetentionPeriod = aws.Int32(0) }))(s)
			s.shows("the database", "available", func() string { return s.databaseState(db) })
			made := must(s.snapshotDatabase("snapshot", db))(s)
			s.shows("the snapshot", "available", func() string { return s.databaseSnapshotState(s.rds, id) })
			abroad := rds.NewFromConfig(s.config(s.regions[1]))
			for _, c := range []struct {
				at     string
				client *rds.Client
				source string
				tags   bool
				want   string
			}{
				{"within the region", s.rds, id, false, ""}, {"with tags", s.rds, id, true, "role=backup"},
				{"to another region", abroad, *made.DBSnapshotArn, true, "role=backup"},
			} {
				name := s.databaseName(strings.ReplaceAll(c.at, " ", "-"))
				out, err := c.client.CopyDBSnapshot(s.Context(), &rds.CopyDBSnapshotInput{SourceDBSnapshotIdentifier: &c.source, TargetDBSnapshotIdentifier: &name, CopyTags: &c.tags})
				if !s.accepted(c.at, err) {
					continue
				}
				s.forgetSnapshot(c.client, name)
				s.is("tags "+c.at, databaseTagsOf(out.DBSnapshot.TagList), c.want)
				s.shows("state "+c.at, "available", func() string { return s.databaseSnapshotState(c.client, name) })
				if c.client == abroad {
					got := must(abroad.DescribeDBSnapshots(s.Context(), &rds.DescribeDBSnapshotsInput{DBSnapshotIdentifier: &name}))(s).DBSnapshots[0]
					s.is("source of the copy", aws.ToString(got.SourceRegion)+" "+same(aws.ToString(got.SourceDBSnapshotIdentifier), *made.DBSnapshotArn), s.regions[0]+" the same")
				}
			}
			into := func(source, target string) error {
				_, err := s.rds.CopyDBSnapshot(s.Context(), &rds.CopyDBSnapshotInput{SourceDBSnapshotIdentifier: &source, TargetDBSnapshotIdentifier: &target})
				return err
			}
			s.refused("onto itself", into(id, id), "DBSnapshotAlreadyExists")
			s.refused("of an unknown one", into(s.databaseName("none"), s.databaseName("x")), "DBSnapshotNotFound")
			s.refused("to a name with a colon", into(id, "rds:"+s.databaseName("x")), "InvalidParameterValue")
		},
		differs: []difference{
			{on: motoName, at: "source of the copy", does: " another"},
		},
	},
}

// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceToPointInTime.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html (read 2026-11)
var databaseRestoreScenarios = []scenario{
	{
		name: "a database is restored",
		run: func(s *session) {
			db := s.databaseName("db")
			must(s.createDatabase("db"))(s)
			s.shows("the database", "available", func() string { return s.databaseState(db) })
			must(s.snapshotDatabase("snapshot", db))(s)
			snapshot := s.databaseName("snapshot")
			s.shows("the snapshot", "available", func() string { return s.databaseSnapshotState(s.rds, snapshot) })
			restore := func(name, of string) error {
				_, err := s.rds.RestoreDBInstanceFromDBSnapshot(s.Context(), &rds.RestoreDBInstanceFromDBSnapshotInput{
					DBInstanceIdentifier: aws.String(s.databaseName(name)), DBSnapshotIdentifier: &of, DBInstanceClass: aws.String("db.r6g.large"),
				})
				if err == nil {
					s.forgetDatabase(s.databaseName(name))
				}
				return err
			}
			if s.accepted("from a snapshot", restore("new", snapshot)) {
				s.shows("the new one", "available", func() string { return s.databaseState(s.databaseName("new")) })
				i := must(s.describeDatabase(s.databaseName("new")))(s)
				s.is("what is taken over, and what is not", fmt.Sprintf("%s %d GiB %s", *i.Engine, *i.AllocatedStorage, *i.DBInstanceClass), "postgres 20 GiB db.r6g.large")
			}
			s.refused("under a name that is taken", restore("db", snapshot), "DBInstanceAlreadyExists")
			s.refused("from an unknown snapshot", restore("other", s.databaseName("none")), "DBSnapshotNotFound")

			point := func(change func(*rds.RestoreDBInstanceToPointInTimeInput)) error {
				in := &rds.RestoreDBInstanceToPointInTimeInput{SourceDBInstanceIdentifier: &db, TargetDBInstanceIdentifier: aws.String(s.databaseName("earlier")), UseLatestRestorableTime: aws.Bool(true)}
				change(in)
				_, err := s.rds.RestoreDBInstanceToPointInTime(s.Context(), in)
				if err == nil {
					s.forgetDatabase(*in.TargetDBInstanceIdentifier)
				}
				return err
			}
			s.refused("to no moment", point(func(in *rds.RestoreDBInstanceToPointInTimeInput) {
				in.UseLatestRestorableTime, in.TargetDBInstanceIdentifier = nil, aws.String(s.databaseName("never"))
			}), "InvalidParameterCombination")
			s.refused("of an unknown database", point(func(in *rds.RestoreDBInstanceToPointInTimeInput) {
				in.SourceDBInstanceIdentifier = aws.String(s.databaseName("none"))
			}), "DBInstanceNotFound")
			if s.accepted("to the latest moment", point(func(*rds.RestoreDBInstanceToPointInTimeInput) {})) {
				s.shows("the earlier one", "available", func() string { return s.databaseState(s.databaseName("earlier")) })
			}
		},
		differs: []difference{
			{on: motoName, at: "to no moment", does: "accepted"},
		},
	},
	{
		name: "a read replica is promoted",
		run: func(s *session) {
			db, replica := s.databaseName("db"), s.databaseName("replica")
			must(s.createDatabase("db"))(s)
			s.shows("the database", "available", func() string { return s.databaseState(db) })
			_, err := s.rds.CreateDBInstanceReadReplica(s.Context(), &rds.CreateDBInstanceReadReplicaInput{DBInstanceIdentifier: &replica, SourceDBInstanceIdentifier: &db})
			if !s.accepted("creation", err) {
				return
			}
			s.forgetDatabase(replica)
			s.shows("the replica", "available", func() string { return s.databaseState(replica) })
			source := func() string {
				return s.told(aws.ToString(must(s.describeDatabase(replica))(s).ReadReplicaSourceDBInstanceIdentifier))
			}
			s.is("its source", source(), "DB")
			s.shows("replicas of the source", "REPLICA", func() string {
				return s.told(strings.Join(must(s.describeDatabase(db))(s).ReadReplicaDBInstanceIdentifiers, " "))
			})
			_, err = s.rds.PromoteReadReplica(s.Context(), &rds.PromoteReadReplicaInput{DBInstanceIdentifier: &replica})
			s.accepted("promotion", err)
			s.shows("the source of the promoted one", "", source)
			s.shows("the promoted one", "available", func() string { return s.databaseState(replica) })
			_, err = s.rds.PromoteReadReplica(s.Context(), &rds.PromoteReadReplicaInput{DBInstanceIdentifier: &replica})
			s.refused("promotion again", err, "InvalidDBInstanceState")
		},
		differs: []difference{
			{on: motoName, at: "the source of the promoted one", does: "DB"},
			{on: motoName, at: "promotion again", does: "accepted"},
		},
	},
}

// databaseName returns a name of this run, which assertions tell in upper case.
func (s *session) databaseName(what string) string {
	id := "awsha-" + s.mark + "-" + what
	if s.told(id) == id {
		s.call(id, strings.ToUpper(what))
	}
	return id
}

func (s *session) createDatabase(name string, changes ...func(*rds.CreateDBInstanceInput)) (*types.DBInstance, error) {
	in := &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String(s.databaseName(name)), DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("postgres"),
		AllocatedStorage: aws.Int32(20), StorageType: aws.String("gp3"), MasterUsername: aws.String("awsha"), MasterUserPassword: aws.String("not-a-secret-" + s.mark),
	}
	for _, change := range changes {
		change(in)
	}
	out, err := s.rds.CreateDBInstance(s.Context(), in)
	if err != nil {
		return nil, err
	}
	s.forgetDatabase(*in.DBInstanceIdentifier)
	return out.DBInstance, nil
}

// forgetDatabase has a database deleted in the end.
func (s *session) forgetDatabase(id string) {
	s.cleanly(id, func(ctx context.Context) error {
		_, err := s.rds.DeleteDBInstance(ctx, &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &id, SkipFinalSnapshot: aws.Bool(true)})
		return unless(err, "DBInstanceNotFound")
	})
}

func (s *session) snapshotDatabase(name, of string) (*types.DBSnapshot, error) {
	id := s.databaseName(name)
	out, err := s.rds.CreateDBSnapshot(s.Context(), &rds.CreateDBSnapshotInput{DBSnapshotIdentifier: &id, DBInstanceIdentifier: &of, Tags: databaseTags("role", "backup")})
	if err != nil {
		return nil, err
	}
	s.forgetSnapshot(s.rds, id)
	return out.DBSnapshot, nil
}

// forgetSnapshot has a snapshot deleted in the end.
func (s *session) forgetSnapshot(client *rds.Client, id string) {
	s.cleanly(id, func(ctx context.Context) error {
		_, err := client.DeleteDBSnapshot(ctx, &rds.DeleteDBSnapshotInput{DBSnapshotIdentifier: &id})
		return unless(err, "DBSnapshotNotFound")
	})
}

func (s *session) describeDatabase(id string) (*types.DBInstance, error) {
	out, err := s.rds.DescribeDBInstances(s.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
	if err != nil {
		return nil, err
	}
	return &out.DBInstances[0], nil
}

// databaseState tells the status of a database, or how reading it ended.
func (s *session) databaseState(id string) string {
	i, err := s.describeDatabase(id)
	if err != nil {
		return outcome(err)
	}
	return *i.DBInstanceStatus
}

// databaseSnapshotState tells the status of a snapshot, or how reading it ended.
func (s *session) databaseSnapshotState(client *rds.Client, id string) string {
	out, err := client.DescribeDBSnapshots(s.Context(), &rds.DescribeDBSnapshotsInput{DBSnapshotIdentifier: &id})
	if err != nil {
		return outcome(err)
	}
	return *out.DBSnapshots[0].Status
}

func databaseTags(pairs ...string) (tags []types.Tag) {
	for n := 0; n < len(pairs); n += 2 {
		tags = append(tags, types.Tag{Key: &pairs[n], Value: &pairs[n+1]})
	}
	return tags
}

func databaseTagsOf(tags []types.Tag) string {
	var all []string
	for _, t := range tags {
		all = append(all, *t.Key+"="+*t.Value)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// databases counts the databases that are not being deleted.
func databases(ctx context.Context, t testing.TB, client *rds.Client) (n int) {
	t.Helper()
	for _, i := range must(client.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{}))(t).DBInstances {
		if *i.DBInstanceStatus != "deleting" {
			n++
		}
	}
	return n
}
