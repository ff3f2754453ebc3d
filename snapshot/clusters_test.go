package snapshot_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/snapshot"
)

// clustered is a policy about clusters.
func clustered(ids ...string) *snapshot.Policy {
	return &snapshot.Policy{Name: "test", Region: home, Targets: snapshot.Targets{Clusters: snapshot.Selector{IDs: ids}}}
}

// cluster makes a cluster with a writer, whose name is returned.
func (w *world) cluster(id string, change ...func(*rds.CreateDBClusterInput)) (writer string) {
	w.Helper()
	in := &rds.CreateDBClusterInput{
		DBClusterIdentifier: &id, Engine: aws.String("aurora-postgresql"), MasterUsername: aws.String("postgres"), MasterUserPassword: aws.String("not-a-secret"),
	}
	for _, fn := range change {
		fn(in)
	}
	if _, err := w.rds[home].CreateDBCluster(w.Context(), in); err != nil {
		w.Fatal(err)
	}
	time.Sleep(10 * time.Minute)
	writer = id + "-w"
	if _, err := w.rds[home].CreateDBInstance(w.Context(), &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: &writer, DBClusterIdentifier: &id, DBInstanceClass: aws.String("db.r7g.large"), Engine: in.Engine,
	}); err != nil {
		w.Fatal(err)
	}
	time.Sleep(10 * time.Minute)
	w.writes(writer, 1)
	return writer
}

// clusterSnapshots returns the names of the manual ones of a region.
func (w *world) clusterSnapshots(region string) (names []string) {
	w.Helper()
	out, err := w.rds[region].DescribeDBClusterSnapshots(w.Context(), &rds.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String("manual")})
	if err != nil {
		w.Fatal(err)
	}
	for i := range out.DBClusterSnapshots {
		names = append(names, *out.DBClusterSnapshots[i].DBClusterSnapshotIdentifier)
	}
	return names
}

// Clusters and databases of one name are two things, and an instance of a cluster is no database of its own.
func TestClustersAreTakenCopiedAndPruned(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		writer := w.cluster("orders")
		w.database("orders")
		p := copied(clustered("orders"), func(c *snapshot.CopyRule) { c.Retain.Last = 1 })
		p.Targets.Databases.IDs = []string{"orders"}
		p.Retain.Last = 2
		for n := range 4 {
			w.writes(writer, int64(n+1))
			w.runSlot(p)
			time.Sleep(time.Until(slot(1)))
		}
		if here, there := w.clusterSnapshots(home), w.clusterSnapshots(away); len(here) != 2 || len(there) != 1 {
			t.Errorf("%v and %v", here, there)
		}
		if here, there := w.dbSnapshots(home), w.dbSnapshots(away); len(here) != 2 || len(there) != 1 {
			t.Errorf("of databases %d and %d", len(here), len(there))
		}
		p.Targets.Databases.IDs = []string{writer}
		if _, err := w.manager().Targets(w.Context(), p); !errors.Is(err, snapshot.ErrNotFound) || !strings.Contains(err.Error(), writer) {
			t.Errorf("%v", err)
		}
	})
}

func TestALostReplyMakesNoSecondSnapshotOfACluster(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"the reply is lost": awstest.LoseReply(), "the call is lost": awstest.Unavailable()} {
		for _, op := range []string{"CreateDBClusterSnapshot", "CopyDBClusterSnapshot", "DeleteDBClusterSnapshot"} {
			t.Run(op+": "+name, func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(w *world) {
					w.cluster("orders")
					p := copied(clustered("orders"))
					p.Retain.Last = 1
					for range 2 {
						if _, err := w.cloud.Inject(awstest.Match{Service: "RDS", Operation: op, Times: 2}, effect); err != nil {
							t.Fatal(err)
						}
						w.runSlot(p)
						w.runSlot(p)
						time.Sleep(time.Until(slot(1)))
					}
					if here, there := w.clusterSnapshots(home), w.clusterSnapshots(away); len(here) != 1 || len(there) != 2 {
						t.Errorf("%v and %v", here, there)
					}
				})
			})
		}
	}
}

// RDS refuses a key for a copy of what is not encrypted.
func TestKeysOfClusters(t *testing.T) {
	t.Parallel()
	for name, encrypt := range map[string]bool{"encrypted": true, "not encrypted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.cluster("orders", func(in *rds.CreateDBClusterInput) { in.StorageEncrypted = &encrypt })
				key, err := w.kms[away].CreateKey(w.Context(), &kms.CreateKeyInput{})
				if err != nil {
					t.Fatal(err)
				}
				w.runSlot(copied(clustered("orders"), func(c *snapshot.CopyRule) { c.KMSKeyID = *key.KeyMetadata.Arn }))
				out, err := w.rds[away].DescribeDBClusterSnapshots(w.Context(), &rds.DescribeDBClusterSnapshotsInput{})
				if err != nil || len(out.DBClusterSnapshots) != 1 {
					t.Fatalf("%d copies: %v", len(out.DBClusterSnapshots), err)
				}
				if got := aws.ToString(out.DBClusterSnapshots[0].KmsKeyId); encrypt && got != *key.KeyMetadata.Arn || !encrypt && got != "" {
					t.Errorf("the copy is under %q", got)
				}
			})
		})
	}
}

func TestAClusterIsRestored(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		writer := w.cluster("orders")
		p := copied(clustered("orders"))
		var slots []time.Time
		for n := range 3 {
			w.writes(writer, int64(10*(n+1)))
			time.Sleep(time.Minute)
			slots = append(slots, time.Now())
			w.runSlot(p)
			time.Sleep(time.Until(slot(1)))
		}
		w.writes(writer, 99)
		time.Sleep(10 * time.Minute)
		for name, test := range map[string]struct {
			change func(*snapshot.DatabaseRequest)
			region string
			want   int64
			age    time.Duration // at most
		}{
			"newest":        {func(r *snapshot.DatabaseRequest) { r.Instances = 2 }, home, 30, 5 * time.Hour},
			"far-newest":    {func(r *snapshot.DatabaseRequest) { r.Region = away }, away, 30, 5 * time.Hour},
			"older":         {func(r *snapshot.DatabaseRequest) { r.At = slots[1].Add(time.Minute) }, home, 20, 5 * time.Hour},
			"point-in-time": {func(r *snapshot.DatabaseRequest) { r.PointInTime = slots[2] }, home, 30, 5 * time.Hour},
			"latest":        {func(r *snapshot.DatabaseRequest) { r.Latest = true }, home, 99, 6 * time.Minute},
		} {
			r := snapshot.DatabaseRequest{
				Policy: p, Series: snapshot.Series{Kind: snapshot.KindCluster, ID: "orders"}, ID: "restored-" + name, Class: "db.r7g.large",
			}
			test.change(&r)
			restored, err := w.manager().RestoreDatabase(w.Context(), r)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var members []string
			for n := range max(1, r.Instances) {
				members = append(members, fmt.Sprintf("%s-%d", r.ID, n+1))
				w.wantWrites(test.region, members[n], test.want)
			}
			if restored.Age < 0 || restored.Age > test.age || !strings.HasPrefix(restored.Endpoint, r.ID+".cluster-") || !slices.Equal(restored.Instances, members) {
				t.Errorf("%s: %+v", name, restored)
			}
			if again, err := w.manager().RestoreDatabase(w.Context(), r); err != nil || !slices.Equal(again.Instances, members) || again.Endpoint != restored.Endpoint {
				t.Errorf("%s again: %+v: %v", name, again, err)
			}
		}
		if n := w.cloud.Count("RDS", "CreateDBInstance"); n != 1+2*(2+1+1+1+1) {
			t.Errorf("%d instances asked for", n)
		}
	})
}
