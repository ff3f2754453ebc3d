package rdssvc_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/rdssvc"
)

func clusterInput(id string, changes ...func(*rds.CreateDBClusterInput)) *rds.CreateDBClusterInput {
	in := &rds.CreateDBClusterInput{
		DBClusterIdentifier: &id, Engine: aws.String("aurora-postgresql"), MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("not a secret"),
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

// cluster makes a cluster with so many instances, and waits until all are
// available.
func (w *world) cluster(id string, members int, changes ...func(*rds.CreateDBClusterInput)) {
	w.Helper()
	svctest.Must(w.CreateDBCluster(w.Context(), clusterInput(id, changes...)))(w)
	time.Sleep(5 * time.Minute)
	w.wantCluster(w.Client, id, "available")
	for n := range members {
		svctest.Must(w.CreateDBInstance(w.Context(), member(id, n+1)))(w)
	}
	time.Sleep(5 * time.Minute)
}

// member is the input of an instance of a cluster.
func member(of string, n int) *rds.CreateDBInstanceInput {
	return &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String(fmt.Sprintf("%s-%d", of, n)), DBClusterIdentifier: &of, DBInstanceClass: aws.String("db.r7g.large"),
		Engine: aws.String("aurora-postgresql"),
	}
}

func (w *world) showCluster(client *rds.Client, id string) *types.DBCluster {
	w.Helper()
	return &svctest.Must(client.DescribeDBClusters(w.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: &id}))(w).DBClusters[0]
}

func (w *world) wantCluster(client *rds.Client, id, want string) {
	w.Helper()
	out, err := client.DescribeDBClusters(w.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: &id})
	var got string
	if err != nil {
		got = codeOf(err)
	} else {
		got = *out.DBClusters[0].Status
	}
	if got != want {
		w.Errorf("after %v: %s is %s, want %s", time.Since(w.start), id, got, want)
	}
}

func (w *world) clusterSnapshot(id, of string) error {
	_, err := w.CreateDBClusterSnapshot(w.Context(), &rds.CreateDBClusterSnapshotInput{DBClusterSnapshotIdentifier: &id, DBClusterIdentifier: &of})
	return err
}

func (w *world) wantClusterSnapshot(client *rds.Client, id, want string) {
	w.Helper()
	out, err := client.DescribeDBClusterSnapshots(w.Context(), &rds.DescribeDBClusterSnapshotsInput{DBClusterSnapshotIdentifier: &id})
	var got string
	if err != nil {
		got = codeOf(err)
	} else {
		got = fmt.Sprintf("%s %d%%", *out.DBClusterSnapshots[0].Status, *out.DBClusterSnapshots[0].PercentProgress)
	}
	if got != want {
		w.Errorf("after %v: %s is %s, want %s", time.Since(w.start), id, got, want)
	}
}

func TestClusterOutlivesItsInstances(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.cluster("orders", 2)
		w.write("orders-1", 7)
		w.wantWrites("orders-2", 7)
		shown := w.showCluster(w.Client, "orders")
		got := []any{len(shown.DBClusterMembers), *shown.DBClusterMembers[0].DBInstanceIdentifier, *shown.DBClusterMembers[0].IsClusterWriter, *w.instance("orders-1").DBClusterIdentifier, *shown.Port}
		if diff := cmp.Diff([]any{2, "orders-1", true, "orders", int32(5432)}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		_, err := w.DeleteDBCluster(w.Context(), &rds.DeleteDBClusterInput{DBClusterIdentifier: aws.String("orders"), SkipFinalSnapshot: aws.Bool(true)})
		svctest.WantCode(t, err, "InvalidDBClusterStateFault")
		svctest.Must(w.DeleteDBInstance(w.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: aws.String("orders-1"), SkipFinalSnapshot: aws.Bool(true)}))(w)
		time.Sleep(2 * time.Minute)
		w.write("orders-2", 8) // it is the writer now
		if members := w.showCluster(w.Client, "orders").DBClusterMembers; len(members) != 1 || !*members[0].IsClusterWriter {
			t.Errorf("members %v", members)
		}
		svctest.Must(w.CreateDBInstance(w.Context(), member("orders", 3)))(w)
		time.Sleep(5 * time.Minute)
		w.wantWrites("orders-3", 8)
		err = w.snapshot("of-a-member", "orders-3")
		svctest.WantCode(t, err, "InvalidParameterValue")
	})
}

func TestClustersAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.cluster("orders", 0)
		for code, input := range map[string]any{
			"DBClusterAlreadyExistsFault": clusterInput("orders"),
			"InvalidParameterValue":       clusterInput("other", func(in *rds.CreateDBClusterInput) { in.BackupRetentionPeriod = aws.Int32(0) }),
			"InvalidParameterCombination": clusterInput("other", func(in *rds.CreateDBClusterInput) { in.KmsKeyId = aws.String("alias/aws/rds") }),
			"DBClusterNotFoundFault":      member("none", 1),
			"DBClusterSnapshotNotFoundFault": &rds.RestoreDBClusterFromSnapshotInput{
				DBClusterIdentifier: aws.String("again"), SnapshotIdentifier: aws.String("none"), Engine: aws.String("aurora-postgresql"),
			},
		} {
			_, err := svctest.Call(w.Context(), w.Client, input)
			svctest.WantCode(t, err, code)
		}
		mysql := member("orders", 1)
		mysql.Engine = aws.String("aurora-mysql")
		_, err := w.CreateDBInstance(w.Context(), mysql)
		svctest.WantCode(t, err, "InvalidParameterCombination")
		svctest.Must(w.CreateDBCluster(w.Context(), clusterInput("young")))(w)
		_, err = w.CreateDBInstance(w.Context(), member("young", 1))
		svctest.WantCode(t, err, "InvalidDBClusterStateFault")
		svctest.WantCode(t, w.clusterSnapshot("s", "young"), "InvalidDBClusterStateFault")
		svctest.Must(w.DeleteDBCluster(w.Context(), &rds.DeleteDBClusterInput{DBClusterIdentifier: aws.String("orders"), FinalDBSnapshotIdentifier: aws.String("last")}))(w)
		time.Sleep(4 * time.Minute)
		w.wantCluster(w.Client, "orders", "DBClusterNotFoundFault")
		w.wantClusterSnapshot(w.Client, "last", "available 100%")
	})
}

func TestClusterIsRestored(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.cluster("orders", 1, func(in *rds.CreateDBClusterInput) { in.StorageEncrypted = aws.Bool(true) })
		w.write("orders-1", 1)
		if err := w.clusterSnapshot("one", "orders"); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(30 * time.Minute)
		time.Sleep(time.Hour)
		w.write("orders-1", 2)
		time.Sleep(time.Hour)
		w.write("orders-1", 3)
		w.wantClusterSnapshot(w.Client, "one", "available 100%")
		svctest.WantCode(t, w.clusterSnapshot("one", "orders"), "DBClusterSnapshotAlreadyExistsFault")

		arn := *svctest.Must(w.DescribeDBClusterSnapshots(w.Context(), &rds.DescribeDBClusterSnapshotsInput{}))(w).DBClusterSnapshots[0].DBClusterSnapshotArn
		copyIn := func(change func(*rds.CopyDBClusterSnapshotInput)) error {
			in := &rds.CopyDBClusterSnapshotInput{
				SourceDBClusterSnapshotIdentifier: &arn, TargetDBClusterSnapshotIdentifier: aws.String("far"), SourceRegion: aws.String(home),
				KmsKeyId: aws.String("alias/aws/rds"),
			}
			change(in)
			_, err := w.away.CopyDBClusterSnapshot(w.Context(), in)
			return err
		}
		svctest.WantCode(t, copyIn(func(in *rds.CopyDBClusterSnapshotInput) { in.KmsKeyId = nil }), "InvalidParameterValue")
		svctest.WantCode(t, copyIn(func(in *rds.CopyDBClusterSnapshotInput) { in.SourceRegion = nil }), "InvalidParameterValue")
		if err := copyIn(func(*rds.CopyDBClusterSnapshotInput) {}); err != nil {
			t.Fatal(err)
		}
		w.wantClusterSnapshot(w.away, "far", "pending 0%")
		time.Sleep(11 * time.Minute)
		w.wantClusterSnapshot(w.away, "far", "available 100%")

		restore := func(client *rds.Client, input any, id, region string, want int64) {
			t.Helper()
			svctest.Must(svctest.Call(w.Context(), client, input))(w)
			time.Sleep(10 * time.Minute)
			w.wantCluster(client, id, "available")
			svctest.Must(client.CreateDBInstance(w.Context(), member(id, 1)))(w)
			time.Sleep(5 * time.Minute)
			if got := svctest.Must(rdssvc.Writes(w.cloud, region, id+"-1"))(w); got != want {
				t.Errorf("%s holds %d writes, want %d", id, got, want)
			}
		}
		restore(w.away, &rds.RestoreDBClusterFromSnapshotInput{
			DBClusterIdentifier: aws.String("again"), SnapshotIdentifier: aws.String("far"), Engine: aws.String("aurora-postgresql"),
		}, "again", abroad, 1)
		restore(w.Client, &rds.RestoreDBClusterToPointInTimeInput{
			DBClusterIdentifier: aws.String("then"), SourceDBClusterIdentifier: aws.String("orders"), RestoreToTime: &at,
		}, "then", home, 1)
		restore(w.Client, &rds.RestoreDBClusterToPointInTimeInput{
			DBClusterIdentifier: aws.String("now"), SourceDBClusterIdentifier: aws.String("orders"), UseLatestRestorableTime: aws.Bool(true),
		}, "now", home, 3)
		late := time.Now()
		for _, in := range []*rds.RestoreDBClusterToPointInTimeInput{
			{RestoreToTime: &late}, {RestoreToTime: aws.Time(w.start)},
		} {
			in.DBClusterIdentifier, in.SourceDBClusterIdentifier = aws.String("no"), aws.String("orders")
			_, err := w.RestoreDBClusterToPointInTime(w.Context(), in)
			svctest.WantCode(t, err, "InvalidParameterValue")
		}
		_, err := w.RestoreDBClusterFromSnapshot(w.Context(), &rds.RestoreDBClusterFromSnapshotInput{
			DBClusterIdentifier: aws.String("no"), SnapshotIdentifier: aws.String("one"), Engine: aws.String("aurora-mysql"),
		})
		svctest.WantCode(t, err, "InvalidParameterValue")
	})
}

// A cluster is in three zones: one that fails does not keep it from being
// backed up and restored.
func TestClusterOutlivesAZone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.cluster("orders", 1)
		w.write("orders-1", 5)
		region := svctest.Must(w.cloud.Region(home))(w)
		defer region.Zones()[0].Fail(awstest.PowerLoss)()
		if err := w.clusterSnapshot("one", "orders"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		w.wantClusterSnapshot(w.Client, "one", "available 100%")
	})
}

func TestUnencryptedClusterSnapshotsStaySo(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.cluster("orders", 0)
		if err := w.clusterSnapshot("one", "orders"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		_, err := w.CopyDBClusterSnapshot(w.Context(), &rds.CopyDBClusterSnapshotInput{
			SourceDBClusterSnapshotIdentifier: aws.String("one"), TargetDBClusterSnapshotIdentifier: aws.String("two"), KmsKeyId: aws.String("alias/aws/rds"),
		})
		svctest.WantCode(t, err, "InvalidParameterCombination")
		svctest.Must(w.DeleteDBClusterSnapshot(w.Context(), &rds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: aws.String("one")}))(w)
		w.wantClusterSnapshot(w.Client, "one", "DBClusterSnapshotNotFoundFault")
	})
}
