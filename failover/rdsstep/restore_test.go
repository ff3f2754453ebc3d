package rdsstep_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/steptest"
	"github.com/awsha/awsha/failover/rdsstep"
	"github.com/awsha/awsha/snapshot"
)

func backupPolicy() *snapshot.Policy {
	return &snapshot.Policy{Name: "orders", Region: steptest.Region, Targets: snapshot.Targets{Databases: snapshot.Selector{IDs: []string{"orders"}}}}
}

func clients(cfg aws.Config) func(string) snapshot.Clients {
	return func(string) snapshot.Clients {
		return snapshot.Clients{EC2: ec2.NewFromConfig(cfg), RDS: rds.NewFromConfig(cfg)}
	}
}

// backedUp is a world with a database, of which there is a point with a hundred writes, and which then is lost with a hundred and fifty.
func backedUp(w *steptest.World) {
	w.Helper()
	create(w, "orders", func(*rds.CreateDBInstanceInput) {})
	write := func(total int64) {
		w.Helper()
		if err := rdssvc.SetWrites(w.Cloud, steptest.Region, "orders", total); err != nil {
			w.Fatal(err)
		}
	}
	write(100)
	manager, err := snapshot.New(clients(w.Admin))
	if err != nil {
		w.Fatal(err)
	}
	if _, err := manager.RunSlot(w.Context(), backupPolicy(), time.Now()); err != nil {
		w.Fatal(err)
	}
	write(150)
}

func restorePlan(edit ...func(*rdsstep.RestoreSpec)) steptest.Plan {
	return func(_ *steptest.World, cfg aws.Config) failover.Plan {
		s := rdsstep.RestoreSpec{
			ID: "restore", MaxAge: time.Hour,
			Request: snapshot.DatabaseRequest{Policy: backupPolicy(), Series: snapshot.Series{Kind: snapshot.KindDatabase, ID: "orders"}, ID: "orders-2"},
		}
		for _, fn := range edit {
			fn(&s)
		}
		return plan(rdsstep.Restore(clients(cfg), s))
	}
}

func restored(w *steptest.World) {
	w.Helper()
	settle(w, "orders-2")
	if n, err := rdssvc.Writes(w.Cloud, steptest.Region, "orders-2"); err != nil || n != 100 {
		w.Errorf("%d writes, %v", n, err)
	}
	if _, applied := w.Calls("RestoreDBInstanceFromDBSnapshot"); applied != 1 {
		w.Errorf("%d restores", applied)
	}
}

func TestADatabaseIsRestored(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		backedUp(w)
		if r := w.Ready(restorePlan(), nil); r.Level == failover.LevelFail || r.RPO <= 0 {
			t.Error(r)
		}
		asked := 0
		if _, err := w.Execute(restorePlan(func(s *rdsstep.RestoreSpec) {
			s.Probe = func(_ context.Context, to rdsstep.Writer) error {
				if asked++; asked < 3 {
					return errors.New("it replays its log")
				}
				if to.Database != "orders-2" || to.Endpoint == "" {
					t.Errorf("%+v", to)
				}
				return nil
			}
		})); err != nil {
			w.Fatal(err)
		}
		restored(w)
		if asked != 3 {
			t.Errorf("%d probes", asked)
		}
		if err := w.RollBack(restorePlan()); err != nil {
			t.Error(err)
		}
		restored(w) // it stays
	})
}

func TestADatabaseIsRestoredWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(func() steptest.Scenario {
		return steptest.Scenario{Services: services, Prepare: backedUp, Plan: restorePlan(), Verify: restored}
	}).KilledAtEachCall(t, 4)
}

func TestNothingTooOldIsRestored(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		backedUp(w)
		time.Sleep(time.Hour)
		if r := w.Ready(restorePlan(), nil); r.Level != failover.LevelFail {
			t.Error(r)
		}
		if _, err := w.Execute(restorePlan()); !errors.Is(err, snapshot.ErrTooOld) {
			t.Error(err)
		}
		other := restorePlan(func(s *rdsstep.RestoreSpec) { s.Request.Series.ID = "checkout" })
		if r := w.Ready(other, nil); r.Level != failover.LevelFail {
			t.Error(r)
		}
		if made, _ := w.Calls("RestoreDBInstanceFromDBSnapshot"); made != 0 {
			t.Errorf("%d calls", made)
		}
	})
}

func TestRDSsOwnBackupsAreRestored(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		backedUp(w)
		time.Sleep(20 * time.Minute)
		if _, err := w.Execute(restorePlan(func(s *rdsstep.RestoreSpec) { s.MaxAge, s.Request.Latest = 0, true })); err != nil {
			w.Fatal(err)
		}
		settle(w, "orders-2")
		if n, err := rdssvc.Writes(w.Cloud, steptest.Region, "orders-2"); err != nil || n != 150 {
			w.Errorf("%d writes, %v", n, err)
		}
	})
}
