package rdssvc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/rdssvc"
)

type restoreIn = rds.RestoreDBInstanceFromDBSnapshotInput

func (w *world) restore(id, snapshot string, changes ...func(*restoreIn)) (*rds.RestoreDBInstanceFromDBSnapshotOutput, error) {
	in := &restoreIn{DBInstanceIdentifier: &id, DBSnapshotIdentifier: &snapshot}
	for _, change := range changes {
		change(in)
	}
	return w.RestoreDBInstanceFromDBSnapshot(w.Context(), in)
}

func (w *world) restorePoint(changes ...func(*rds.RestoreDBInstanceToPointInTimeInput)) error {
	in := &rds.RestoreDBInstanceToPointInTimeInput{TargetDBInstanceIdentifier: aws.String("new"), SourceDBInstanceIdentifier: aws.String("db")}
	for _, change := range changes {
		change(in)
	}
	_, err := w.RestoreDBInstanceToPointInTime(w.Context(), in)
	return err
}

func TestSnapshotHoldsWhatWasThere(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db", backed)
		w.write("db", 3)
		if err := w.snapshot("s", "db"); err != nil {
			w.Fatal(err)
		}
		w.write("db", 4) // while it is backed up
		_, err := w.restore("new", "s")
		svctest.WantCode(w, err, "InvalidDBSnapshotState")
		time.Sleep(2 * time.Minute)
		out := svctest.Must(w.restore("new", "s", func(in *restoreIn) {
			in.DBInstanceClass, in.AvailabilityZone = aws.String("db.r6g.large"), aws.String("us-east-1c")
		}))(w).DBInstance
		if *out.DBInstanceClass != "db.r6g.large" || *out.AvailabilityZone != "us-east-1c" || *out.BackupRetentionPeriod != 1 || *out.Engine != "postgres" {
			w.Errorf("got %v", out)
		}
		w.wantStatus("new", "creating")
		if err := rdssvc.SetWrites(w.cloud, home, "new", 1); err == nil {
			w.Error("a database takes writes that is not there yet")
		}
		time.Sleep(10 * time.Minute)
		w.wantStatus("new", "backing-up")
		w.wantWrites("new", 3)
		w.wantWrites("db", 4)
		_, err = w.restore("new", "s")
		svctest.WantCode(w, err, "DBInstanceAlreadyExists")
		_, err = w.restore("other", "none")
		svctest.WantCode(w, err, "DBSnapshotNotFound")
	})
}

func TestRestoreToPointInTime(t *testing.T) {
	t.Parallel()
	type in = rds.RestoreDBInstanceToPointInTimeInput
	latest := func(in *in) { in.UseLatestRestorableTime = aws.Bool(true) }
	for name, c := range map[string]struct {
		ask    func(*world) []func(*in)
		code   string
		writes int64
	}{
		"the latest that can be had":   {func(*world) []func(*in) { return []func(*in){latest} }, "", 2},
		"a moment between two writes":  {func(w *world) []func(*in) { return []func(*in){at(w.start.Add(15 * time.Minute))} }, "", 1},
		"the latest restorable moment": {func(w *world) []func(*in) { return []func(*in){at(w.start.Add(25 * time.Minute))} }, "", 2},
		"a moment later than that":     {func(w *world) []func(*in) { return []func(*in){at(w.start.Add(25*time.Minute + time.Second))} }, "InvalidParameterValue", 0},
		"before the first backup":      {func(w *world) []func(*in) { return []func(*in){at(w.start.Add(4 * time.Minute))} }, "InvalidParameterValue", 0},
		"both":                         {func(w *world) []func(*in) { return []func(*in){latest, at(w.start.Add(15 * time.Minute))} }, "InvalidParameterCombination", 0},
		"neither":                      {func(*world) []func(*in) { return nil }, "InvalidParameterCombination", 0},
		"by resource": {func(w *world) []func(*in) {
			id := w.instance("db").DbiResourceId
			return []func(*in){latest, func(in *in) { in.SourceDBInstanceIdentifier, in.SourceDbiResourceId = nil, id }}
		}, "", 2},
		"of no source": {func(*world) []func(*in) {
			return []func(*in){latest, func(in *in) { in.SourceDBInstanceIdentifier = nil }}
		}, "InvalidParameterCombination", 0},
		"of an unknown resource": {func(*world) []func(*in) {
			return []func(*in){latest, func(in *in) { in.SourceDBInstanceIdentifier, in.SourceDbiResourceId = nil, aws.String("db-X") }}
		}, "DBInstanceNotFound", 0},
		"without backups": {func(*world) []func(*in) {
			return []func(*in){latest, func(in *in) { in.SourceDBInstanceIdentifier = aws.String("bare") }}
		}, "PointInTimeRestoreNotEnabled", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				svctest.Must(w.CreateDBInstance(w.Context(), createInput("bare")))(w)
				w.database("db", backed)
				for n := range 3 { // after 10, 20 and 30 minutes
					w.until(time.Duration(n+1) * 10 * time.Minute)
					w.write("db", int64(n+1))
				}
				if got := w.instance("db").LatestRestorableTime.Sub(w.start); got != 25*time.Minute {
					w.Errorf("restorable until %v", got)
				}
				err := w.restorePoint(c.ask(w)...)
				if c.code != "" {
					svctest.WantCode(w, err, c.code)
					return
				}
				if err != nil {
					w.Fatal(err)
				}
				w.ready("new")
				w.wantWrites("new", c.writes)
			})
		})
	}
}

func at(t time.Time) func(*rds.RestoreDBInstanceToPointInTimeInput) {
	return func(in *rds.RestoreDBInstanceToPointInTimeInput) { in.RestoreTime = &t }
}

func TestReplicaFollowsAndGoesOnAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		replicate := func(id, source string) error {
			_, err := w.CreateDBInstanceReadReplica(w.Context(), &rds.CreateDBInstanceReadReplicaInput{DBInstanceIdentifier: &id, SourceDBInstanceIdentifier: &source})
			return err
		}
		w.database("bare")
		svctest.WantCode(w, replicate("copy", "bare"), "InvalidDBInstanceState")
		w.database("db", backed)
		if err := replicate("copy", "db"); err != nil {
			w.Fatal(err)
		}
		w.ready("copy")
		if src, list := *w.instance("copy").ReadReplicaSourceDBInstanceIdentifier, w.instance("db").ReadReplicaDBInstanceIdentifiers; src != "db" || len(list) != 1 || list[0] != "copy" {
			w.Errorf("got %s and %v", src, list)
		}
		w.write("db", 5)
		w.wantWrites("copy", 0)
		time.Sleep(time.Second)
		w.wantWrites("copy", 5)
		if err := rdssvc.SetWrites(w.cloud, home, "copy", 6); err == nil {
			w.Error("a replica takes writes")
		}
		svctest.WantCode(w, func() error {
			_, err := w.ModifyDBInstance(w.Context(), &rds.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String("db"), BackupRetentionPeriod: aws.Int32(0), ApplyImmediately: aws.Bool(true)})
			return err
		}(), "InvalidParameterCombination")
		promote := func(id string) error {
			_, err := w.PromoteReadReplica(w.Context(), &rds.PromoteReadReplicaInput{DBInstanceIdentifier: &id})
			return err
		}
		svctest.WantCode(w, promote("db"), "InvalidDBInstanceState")
		w.write("db", 6) // which comes too late for the replica
		if err := promote("copy"); err != nil {
			w.Fatal(err)
		}
		w.wantStatus("copy", "modifying")
		time.Sleep(5 * time.Minute)
		w.wantStatus("copy", "rebooting")
		time.Sleep(30 * time.Second)
		w.wantStatus("copy", "backing-up")
		w.wantWrites("copy", 5)
		w.write("copy", 9)
		w.wantWrites("db", 6)
		if list := w.instance("db").ReadReplicaDBInstanceIdentifiers; len(list) != 0 {
			w.Errorf("still a source of %v", list)
		}
	})
}
