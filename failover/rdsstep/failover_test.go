package rdsstep_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/steptest"
	"github.com/awsha/awsha/failover/rdsstep"
)

// multiAZ is a world with a Multi-AZ database whose primary is in zoneA.
func multiAZ(w *steptest.World) {
	w.Helper()
	create(w, "orders", func(in *rds.CreateDBInstanceInput) { in.MultiAZ = aws.Bool(true) })
	if aws.ToString(show(w, "orders").AvailabilityZone) != zoneA { // RDS has chosen
		if _, err := admin(w).RebootDBInstance(w.Context(), &rds.RebootDBInstanceInput{DBInstanceIdentifier: aws.String("orders"), ForceFailover: aws.Bool(true)}); err != nil {
			w.Fatal(err)
		}
		settle(w, "orders")
	}
	if now := show(w, "orders"); aws.ToString(now.AvailabilityZone) != zoneA {
		w.Fatalf("the primary is in %s and the standby in %s", *now.AvailabilityZone, *now.SecondaryAvailabilityZone)
	}
}

func failoverPlan(edit ...func(*rdsstep.FailoverSpec)) steptest.Plan {
	return func(_ *steptest.World, cfg aws.Config) failover.Plan {
		s := rdsstep.FailoverSpec{ID: "database", Database: "orders", Away: failover.Literal(idA), Zones: ec2.NewFromConfig(cfg)}
		for _, fn := range edit {
			fn(&s)
		}
		return plan(rdsstep.Failover(rds.NewFromConfig(cfg), s))
	}
}

func elsewhere(w *steptest.World) {
	w.Helper()
	if now := show(w, "orders"); aws.ToString(now.AvailabilityZone) == zoneA || aws.ToString(now.DBInstanceStatus) != "available" {
		w.Errorf("%s in %s", *now.DBInstanceStatus, *now.AvailabilityZone)
	}
	if _, applied := w.Calls("RebootDBInstance"); applied != 1 {
		w.Errorf("%d failovers", applied)
	}
}

func failovers() steptest.Scenario {
	return steptest.Scenario{Services: services, Prepare: multiAZ, Plan: failoverPlan(), Verify: elsewhere}
}

func TestTheStandbyTakesOver(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		multiAZ(w)
		asked := 0
		probed := failoverPlan(func(s *rdsstep.FailoverSpec) {
			s.Steady = 5 * time.Second
			s.Probe = func(_ context.Context, to rdsstep.Writer) error {
				if asked++; asked < 4 {
					return errors.New("read-only")
				}
				if to.Database != "orders" || to.Endpoint == "" || to.Port != 5432 || to.Zone == zoneA {
					t.Errorf("%+v", to)
				}
				return nil
			}
		})
		timeline, err := w.Execute(probed)
		if err != nil {
			w.Fatal(err)
		}
		elsewhere(w)
		if asked < 8 {
			t.Errorf("%d probes", asked)
		}
		if took := timeline.Steps()[0].Took; took > 110*time.Second { // 90 s of RDS
			t.Errorf("it took %s", took)
		}
		if err := w.RollBack(probed); err != nil {
			w.Error(err)
		}
		elsewhere(w)
	})
}

// RDS fails over by itself when the zone fails: that is waited for, and not asked for once more.
func TestAFailoverOfRDSItselfIsWaitedFor(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		multiAZ(w)
		zone, err := w.Cloud.Zone(idA)
		if err != nil {
			w.Fatal(err)
		}
		heal := zone.Fail(awstest.PowerLoss)
		defer heal()
		time.Sleep(100 * time.Second) // it is over
		if _, err := w.Execute(failoverPlan()); err != nil {
			w.Fatal(err)
		}
		if made, _ := w.Calls("RebootDBInstance"); made != 0 {
			t.Errorf("%d calls", made)
		}
	})
}

// RDS is given time to fail over by itself, and asked when it has not.
func TestRDSIsGivenTime(t *testing.T) {
	t.Parallel()
	patient := failoverPlan(func(s *rdsstep.FailoverSpec) { s.Grace = 3 * time.Minute })
	for _, dead := range []bool{true, false} {
		steptest.Run(t, services, func(w *steptest.World) {
			multiAZ(w)
			if dead {
				zone, err := w.Cloud.Zone(idA)
				if err != nil {
					w.Fatal(err)
				}
				defer zone.Fail(awstest.PowerLoss)()
				time.Sleep(10 * time.Second)
			}
			began := time.Now()
			if _, err := w.Execute(patient); err != nil {
				w.Fatal(err)
			}
			made, _ := w.Calls("RebootDBInstance")
			took := time.Since(began).Round(time.Second)
			if dead && (made != 0 || took > 85*time.Second) || !dead && (made != 1 || took < 4*time.Minute) {
				t.Errorf("dead: %v: %d calls, %s", dead, made, took)
			}
		})
	}
}

func TestTheStandbyTakesOverWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(failovers).KilledAtEachCall(t, 5)
}

func TestTheStandbyTakesOverBehindStaleReads(t *testing.T) {
	t.Parallel()
	// It is over before it shows: a second request would bring the primary back.
	steptest.Scenarios(func() steptest.Scenario {
		s := failovers()
		s.Services = func() []awstest.Service {
			return append(services()[:1], rdssvc.New(func(o *rdssvc.Options) { o.Failover, o.Rebooting = 5*time.Second, time.Second }))
		}
		return s
	}).Stale(t)
}

func TestErrorsOfAFailover(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(failovers).Codes(t, "RDS", "RebootDBInstance", []steptest.Code{
		{Code: "InvalidDBInstanceState", Want: steptest.Retried},
		{Code: "ThrottlingException", Want: steptest.Retried},
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "RequestLimitExceeded", Status: 503, Want: steptest.Retried},
		{Code: "InternalFailure", Status: 500, Want: steptest.Retried},
		{Code: "ServiceUnavailable", Status: 503, Want: steptest.Retried},
		{Code: "InvalidParameterCombination", Want: steptest.Permanent},
		{Code: "InvalidParameterValue", Want: steptest.Permanent},
		{Code: "KMSKeyNotAccessibleFault", Want: steptest.Permanent},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
		{Code: "ExpiredToken", Status: 403, Want: steptest.Permanent},
	})
}

// A request whose answer was lost is settled by reading.
func TestALostReplyIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		multiAZ(w)
		w.Inject(awstest.Match{Service: "RDS", Operation: "RebootDBInstance", Times: 1}, awstest.LoseReply())
		if _, err := w.Execute(failoverPlan()); err != nil {
			w.Fatal(err)
		}
		elsewhere(w)
		if made, _ := w.Calls("RebootDBInstance"); made != 1 {
			t.Errorf("%d calls", made)
		}
	})
}

func TestASingleDatabaseIsNotRebooted(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		create(w, "orders", func(in *rds.CreateDBInstanceInput) {
			in.AvailabilityZone, in.BackupRetentionPeriod = aws.String(zoneA), aws.Int32(0)
		})
		r := w.Ready(failoverPlan(), nil)
		if r.Level != failover.LevelFail {
			t.Error(r)
		}
		if _, err := w.Execute(failoverPlan()); !errors.Is(err, rdsstep.ErrNoStandby) {
			t.Error(err)
		}
		if made, _ := w.Calls("RebootDBInstance"); made != 0 {
			t.Errorf("%d calls", made)
		}
	})
}
