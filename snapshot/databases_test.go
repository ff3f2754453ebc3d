package snapshot_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/snapshot"
)

// stored is a policy about databases.
func stored(ids ...string) *snapshot.Policy {
	return &snapshot.Policy{Name: "test", Region: home, Targets: snapshot.Targets{Databases: snapshot.Selector{IDs: ids}}}
}

// database makes a database that holds some writes.
func (w *world) database(id string, change ...func(*rds.CreateDBInstanceInput)) string {
	w.Helper()
	in := &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: &id, DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("postgres"), AllocatedStorage: aws.Int32(20),
		MasterUsername: aws.String("postgres"), MasterUserPassword: aws.String("not-a-secret"), BackupRetentionPeriod: aws.Int32(0),
	}
	for _, fn := range change {
		fn(in)
	}
	if _, err := w.rds[home].CreateDBInstance(w.Context(), in); err != nil {
		w.Fatal(err)
	}
	time.Sleep(10 * time.Minute)
	w.writes(id, 1)
	return id
}

func (w *world) writes(id string, n int64) {
	w.Helper()
	if err := rdssvc.SetWrites(w.cloud, home, id, n); err != nil {
		w.Fatal(err)
	}
}

// wantWrites checks what a database holds.
func (w *world) wantWrites(region, id string, want int64) {
	w.Helper()
	if got, err := rdssvc.Writes(w.cloud, region, id); err != nil || got != want {
		w.Errorf("%s holds %d writes, want %d: %v", id, got, want, err)
	}
}

// dbSnapshots returns the manual ones of a region.
func (w *world) dbSnapshots(region string) []types.DBSnapshot {
	w.Helper()
	out, err := w.rds[region].DescribeDBSnapshots(w.Context(), &rds.DescribeDBSnapshotsInput{SnapshotType: aws.String("manual")})
	if err != nil {
		w.Fatal(err)
	}
	return out.DBSnapshots
}

func encrypted(in *rds.CreateDBInstanceInput) { in.StorageEncrypted = aws.Bool(true) }

func tagged(pairs ...string) func(*rds.CreateDBInstanceInput) {
	return func(in *rds.CreateDBInstanceInput) {
		for i := 0; i < len(pairs); i += 2 {
			in.Tags = append(in.Tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
	}
}

func TestDatabasesAreTakenCopiedAndPruned(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.database("orders", tagged("app", "orders"))
		w.database("other")
		p := copied(stored(), func(c *snapshot.CopyRule) { c.Retain.Last = 1 })
		p.Targets.Databases.Tags = map[string]string{"app": "orders"}
		p.CopyTags, p.Retain.Last = []string{"app"}, 2
		for n := range 4 {
			w.writes("orders", int64(n+1))
			w.runSlot(p)
			time.Sleep(time.Until(slot(1)))
		}
		here, there := w.dbSnapshots(home), w.dbSnapshots(away)
		if len(here) != 2 || len(there) != 1 || !strings.HasPrefix(*here[0].DBSnapshotIdentifier, "awsha-test-orders-2000") {
			t.Fatalf("%d and %d snapshots, %v", len(here), len(there), *here[0].DBSnapshotIdentifier)
		}
		for op, want := range map[string]int{"CreateDBSnapshot": 4, "CopyDBSnapshot": 4, "DeleteDBSnapshot": 2 + 3} {
			if got := w.cloud.Count("RDS", op); got != want {
				t.Errorf("%d of %s, want %d", got, op, want)
			}
		}
		points, err := w.manager().Points(w.Context(), p)
		if err != nil || len(points) != 3 {
			t.Fatalf("%d points: %v", len(points), err)
		}
		for _, one := range points {
			if one.Series != (snapshot.Series{Kind: snapshot.KindDatabase, ID: "orders"}) || one.State != snapshot.Completed || one.SizeGiB != 20 || one.Tags["app"] != "orders" {
				t.Errorf("%+v", one)
			}
		}
		if w.calls("DescribeSnapshots")+w.calls("DescribeImages") != 0 {
			t.Error("snapshots of EBS were read")
		}
	})
}

func TestALostReplyMakesNoSecondSnapshotOfADatabase(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]awstest.Effect{"the reply is lost": awstest.LoseReply(), "the call is lost": awstest.Unavailable()} {
		for _, op := range []string{"CreateDBSnapshot", "CopyDBSnapshot", "DeleteDBSnapshot"} {
			t.Run(op+": "+name, func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(w *world) {
					p := copied(stored(w.database("orders")))
					p.Retain.Last = 1
					for range 2 {
						if _, err := w.cloud.Inject(awstest.Match{Service: "RDS", Operation: op, Times: 2}, effect); err != nil {
							t.Fatal(err)
						}
						w.runSlot(p)
						w.runSlot(p)
						time.Sleep(time.Until(slot(1)))
					}
					if here, there := len(w.dbSnapshots(home)), len(w.dbSnapshots(away)); here != 1 || there != 2 {
						t.Errorf("%d snapshots, %d copies", here, there)
					}
				})
			})
		}
	}
}

func TestTwoManagersMakeOneSnapshotOfADatabase(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := stored(w.database("orders"))
		at := slot(0)
		for range 2 { // the second does not see what the first has made
			report, err := w.manager().Create(w.Context(), p, at)
			if err != nil || len(report.Points) != 1 {
				t.Errorf("%+v: %v", report, err)
			}
			time.Sleep(20 * time.Second)
		}
		time.Sleep(5 * time.Minute)
		if n := len(w.dbSnapshots(home)); n != 1 {
			t.Errorf("%d snapshots", n)
		}
	}, lagging(time.Minute))
}

// A database that is busy is tried again, one that does not exist is named, and both hold nobody up.
func TestDatabasesDoNotHoldEachOtherUp(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.database("busy")
		w.database("good")
		if _, err := w.rds[home].RebootDBInstance(w.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("busy")}); err != nil {
			t.Fatal(err)
		}
		report, err := w.manager().Create(w.Context(), stored("busy", "good", "gone"), slot(0))
		if !errors.Is(err, snapshot.ErrNotFound) || !strings.Contains(err.Error(), "gone") || len(report.Points) != 2 {
			t.Errorf("%d points: %v", len(report.Points), err)
		}
	})
}

func TestKeysOfDatabases(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*rds.CreateDBInstanceInput)
		key    bool // of the rule
		want   string
	}{
		"not encrypted":             {func(*rds.CreateDBInstanceInput) {}, false, ""},
		"not encrypted, under one":  {func(*rds.CreateDBInstanceInput) {}, true, "its own"},
		"encrypted":                 {encrypted, false, "the account's"},
		"encrypted, under the rule": {encrypted, true, "its own"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(w *world) {
				w.database("orders", test.change)
				p := copied(stored("orders"))
				own := ""
				if test.key {
					out, err := w.kms[away].CreateKey(w.Context(), &kms.CreateKeyInput{})
					if err != nil {
						t.Fatal(err)
					}
					own = *out.KeyMetadata.Arn
					p.Copies[0].KMSKeyID = own
				}
				w.runSlot(p)
				key := aws.ToString(w.dbSnapshots(away)[0].KmsKeyId)
				got := ""
				switch {
				case key != "" && key == own:
					got = "its own"
				case key != "":
					got = "the account's"
				}
				if got != test.want || strings.Contains(key, home) {
					t.Errorf("the copy is under %q", key)
				}
			})
		})
	}
}

func TestQuotasOfDatabases(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		p := copied(stored(w.database("orders")))
		if _, err := w.cloud.Inject(awstest.Match{Service: "RDS", Operation: "CopyDBSnapshot", Times: 3}, awstest.Reject(awstest.APIError{
			Code: "SnapshotQuotaExceeded", Message: "Cannot copy more than 20 snapshots across regions",
		})); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if w.runSlot(p); time.Since(began) > 30*time.Minute || len(w.dbSnapshots(away)) != 1 {
			t.Errorf("%d copies after %v", len(w.dbSnapshots(away)), time.Since(began))
		}
		if _, err := w.cloud.Inject(awstest.Match{Service: "RDS", Operation: "CreateDBSnapshot"}, awstest.Reject(awstest.APIError{
			Code: "SnapshotQuotaExceeded", Message: "Cannot create more than 100 manual snapshots",
		})); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(slot(1)))
		if _, err := w.manager().Create(w.Context(), p, slot(0)); !errors.Is(err, snapshot.ErrQuota) {
			t.Errorf("%v", err)
		}
	})
}

func TestADatabaseIsRestored(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.database("orders", func(in *rds.CreateDBInstanceInput) { in.BackupRetentionPeriod = aws.Int32(7) })
		p := copied(stored("orders"))
		var slots []time.Time
		for n := range 3 {
			w.writes("orders", int64(10*(n+1)))
			time.Sleep(time.Minute)
			slots = append(slots, time.Now())
			w.runSlot(p)
			time.Sleep(time.Until(slot(1)))
		}
		w.writes("orders", 99)
		time.Sleep(10 * time.Minute)
		request := func(change func(*snapshot.DatabaseRequest)) snapshot.DatabaseRequest {
			r := snapshot.DatabaseRequest{Policy: p, Series: snapshot.Series{Kind: snapshot.KindDatabase, ID: "orders"}}
			change(&r)
			return r
		}
		for name, test := range map[string]struct {
			change func(*snapshot.DatabaseRequest)
			region string
			want   int64
			age    time.Duration // at most
		}{
			"newest":        {func(*snapshot.DatabaseRequest) {}, home, 30, 5 * time.Hour},
			"far-newest":    {func(r *snapshot.DatabaseRequest) { r.Region, r.Zone = away, away+"b" }, away, 30, 5 * time.Hour},
			"older":         {func(r *snapshot.DatabaseRequest) { r.At = slots[1].Add(time.Minute) }, home, 20, 5 * time.Hour},
			"point-in-time": {func(r *snapshot.DatabaseRequest) { r.PointInTime = slots[2] }, home, 30, 5 * time.Hour},
			"latest":        {func(r *snapshot.DatabaseRequest) { r.Latest, r.MultiAZ = true, true }, home, 99, 6 * time.Minute},
		} {
			r := request(test.change)
			r.ID, r.Tags = "restored-"+name, map[string]string{"drill": "7"}
			restored, err := w.manager().RestoreDatabase(w.Context(), r)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			w.wantWrites(test.region, r.ID, test.want)
			if restored.Age < 0 || restored.Age > test.age || !strings.HasPrefix(restored.Endpoint, r.ID+".") || restored.Region != test.region || restored.Port == 0 {
				t.Errorf("%s: %+v", name, restored)
			}
			again, err := w.manager().RestoreDatabase(w.Context(), r)
			if err != nil || again.ID != restored.ID || again.Endpoint != restored.Endpoint {
				t.Errorf("%s again: %+v: %v", name, again, err)
			}
			r.At, r.PointInTime, r.Latest, r.Zone = slots[0].Add(time.Minute), time.Time{}, false, ""
			if _, err := w.manager().RestoreDatabase(w.Context(), r); !errors.Is(err, snapshot.ErrExists) {
				t.Errorf("%s with another request: %v", name, err)
			}
		}
		if n := w.cloud.Count("RDS", "RestoreDBInstanceFromDBSnapshot") + w.cloud.Count("RDS", "RestoreDBInstanceToPointInTime"); n != 5*3 {
			t.Errorf("%d calls", n)
		}
	})
}

// A request that is repeated returns what it made, and says whose data that has, also if there is a newer point by then.
func TestARestoreIsRepeatedAfterANewerPoint(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.database("orders")
		p := stored("orders")
		first := w.runSlot(p).Created.Points[0]
		r := snapshot.DatabaseRequest{Policy: p, Series: first.Series, ID: "again"}
		if _, err := w.manager().RestoreDatabase(w.Context(), r); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(slot(1)))
		w.writes("orders", 2)
		w.runSlot(p)
		again, err := w.manager().RestoreDatabase(w.Context(), r)
		if err != nil || again.Point == nil || again.Point.ID != first.ID || again.Age < 45*time.Minute {
			t.Errorf("%+v: %v", again, err)
		}
		w.wantWrites(home, "again", 1)
	})
}

func TestARestoreThatFails(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		key, err := w.kms[home].CreateKey(w.Context(), &kms.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		w.database("orders", encrypted, func(in *rds.CreateDBInstanceInput) { in.KmsKeyId = key.KeyMetadata.KeyId })
		p := stored("orders")
		r := snapshot.DatabaseRequest{Policy: p, Series: snapshot.Series{Kind: snapshot.KindDatabase, ID: "orders"}, ID: "again"}
		if _, err := w.manager().RestoreDatabase(w.Context(), r); !errors.Is(err, snapshot.ErrNoPoint) {
			t.Errorf("of nothing: %v", err)
		}
		w.runSlot(p)
		time.AfterFunc(time.Minute, func() { // after the call
			if _, err := w.kms[home].DisableKey(w.Context(), &kms.DisableKeyInput{KeyId: key.KeyMetadata.KeyId}); err != nil {
				t.Error(err)
			}
		})
		if _, err := w.manager().RestoreDatabase(w.Context(), r); !errors.Is(err, snapshot.ErrFailed) {
			t.Errorf("%v", err)
		}
		r.ID, r.Latest = "latest", true
		if _, err := w.manager().RestoreDatabase(w.Context(), r); !errors.Is(err, snapshot.ErrNoPoint) {
			t.Errorf("without backups: %v", err)
		}
	})
}

// One that failed stays to be looked at, is made again under another name, and goes a day later.
func TestAFailedSnapshotOfADatabaseIsLookedAt(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		key, err := w.kms[home].CreateKey(w.Context(), &kms.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		p := stored(w.database("orders", encrypted, func(in *rds.CreateDBInstanceInput) { in.KmsKeyId = key.KeyMetadata.KeyId }))
		m := w.manager()
		at := slot(0)
		time.AfterFunc(time.Minute, func() {
			if _, err := w.kms[home].DisableKey(w.Context(), &kms.DisableKeyInput{KeyId: key.KeyMetadata.KeyId}); err != nil {
				t.Error(err)
			}
		})
		if _, err := m.RunSlot(w.Context(), p, at); !errors.Is(err, snapshot.ErrFailed) || len(w.dbSnapshots(home)) != 1 {
			t.Errorf("%d snapshots: %v", len(w.dbSnapshots(home)), err)
		}
		if _, err := w.kms[home].EnableKey(w.Context(), &kms.EnableKeyInput{KeyId: key.KeyMetadata.KeyId}); err != nil {
			t.Fatal(err)
		}
		if _, err := m.RunSlot(w.Context(), p, at); err != nil || len(w.dbSnapshots(home)) != 2 {
			t.Errorf("%d snapshots: %v", len(w.dbSnapshots(home)), err)
		}
		time.Sleep(25 * time.Hour)
		if report, err := m.Prune(w.Context(), p); err != nil || len(report.Deleted) != 1 || *w.dbSnapshots(home)[0].Status != "available" {
			t.Errorf("%+v: %v", report, err)
		}
	})
}

func TestWrongDatabaseRequestsAreRefused(t *testing.T) {
	t.Parallel()
	good := snapshot.DatabaseRequest{Policy: stored("orders"), Series: snapshot.Series{Kind: snapshot.KindDatabase, ID: "orders"}, ID: "again"}
	for field, change := range map[string]func(*snapshot.DatabaseRequest){
		"Policy":      func(r *snapshot.DatabaseRequest) { r.Policy = nil },
		"Region":      func(r *snapshot.DatabaseRequest) { r.Region = away },
		"Series.Kind": func(r *snapshot.DatabaseRequest) { r.Series.Kind = snapshot.KindVolume },
		"Series.ID":   func(r *snapshot.DatabaseRequest) { r.Series.ID = "" },
		"ID":          func(r *snapshot.DatabaseRequest) { r.ID = "Again" },
		"At":          func(r *snapshot.DatabaseRequest) { r.At, r.Latest = time.Now(), true },
		"Class":       func(r *snapshot.DatabaseRequest) { r.Series.Kind = snapshot.KindCluster },
		"Zone":        func(r *snapshot.DatabaseRequest) { r.Zone, r.MultiAZ = home+"a", true },
		"Instances":   func(r *snapshot.DatabaseRequest) { r.Instances = 2 },
		"BackupsARN": func(r *snapshot.DatabaseRequest) {
			r.BackupsARN = "arn:aws:rds:us-east-1:123456789012:auto-backup:ab-1"
		},
		`Tags["aws:x"]`:   func(r *snapshot.DatabaseRequest) { r.Tags = map[string]string{"aws:x": "y"} },
		`Tags["awsha:x"]`: func(r *snapshot.DatabaseRequest) { r.Tags = map[string]string{"awsha:x": "y"} },
	} {
		m, err := snapshot.New(func(string) snapshot.Clients { return snapshot.Clients{} })
		if err != nil {
			t.Fatal(err)
		}
		r := good
		change(&r)
		_, err = m.RestoreDatabase(t.Context(), r)
		var fields []string
		for _, one := range joined(err) {
			var mistake *snapshot.FieldError
			if errors.As(one, &mistake) {
				fields = append(fields, mistake.Field)
			}
		}
		if !slices.Contains(fields, field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// joined returns the errors that one is made of.
func joined(err error) []error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()
	}
	return []error{err}
}
