package rdsstep_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/steptest"
	"github.com/awsha/awsha/failover/rdsstep"
	"github.com/awsha/awsha/failover/stepmock"
	"github.com/awsha/awsha/snapshot"
)

// replicated is a world with a database and a read replica of it.
func replicated(w *steptest.World) {
	w.Helper()
	create(w, "orders", func(*rds.CreateDBInstanceInput) {})
	if _, err := admin(w).CreateDBInstanceReadReplica(w.Context(), &rds.CreateDBInstanceReadReplicaInput{
		DBInstanceIdentifier: aws.String("copy"), SourceDBInstanceIdentifier: aws.String("orders"),
	}); err != nil {
		w.Fatal(err)
	}
	settle(w, "copy")
}

func promotionPlan(edit ...func(*rdsstep.PromoteSpec)) steptest.Plan {
	return func(_ *steptest.World, cfg aws.Config) failover.Plan {
		s := rdsstep.PromoteSpec{ID: "promote", Replica: "copy", Source: "orders", MaxLag: 10 * time.Second, Metrics: metrics{2}, BackupRetention: 7}
		for _, fn := range edit {
			fn(&s)
		}
		return plan(rdsstep.Promote(rds.NewFromConfig(cfg), s))
	}
}

func promoted(w *steptest.World) {
	w.Helper()
	settle(w, "copy") // it is backed up at once
	now := show(w, "copy")
	if now.ReadReplicaSourceDBInstanceIdentifier != nil || aws.ToString(now.DBInstanceStatus) != "available" || aws.ToInt32(now.BackupRetentionPeriod) != 7 {
		w.Errorf("%s, of %q, with %d days of backups", *now.DBInstanceStatus, aws.ToString(now.ReadReplicaSourceDBInstanceIdentifier), *now.BackupRetentionPeriod)
	}
	if _, applied := w.Calls("PromoteReadReplica"); applied != 1 {
		w.Errorf("%d promotions", applied)
	}
}

func promotions() steptest.Scenario {
	return steptest.Scenario{Services: services, Prepare: replicated, Plan: promotionPlan(), Verify: promoted}
}

func TestAReplicaIsPromoted(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		replicated(w)
		if r := w.Ready(promotionPlan(), nil); r.Level == failover.LevelFail || r.RPO != 2*time.Second {
			t.Error(r)
		}
		probed := 0
		p := promotionPlan(func(s *rdsstep.PromoteSpec) {
			s.Probe = func(context.Context, rdsstep.Writer) error { probed++; return nil }
		})
		timeline, err := w.Execute(p)
		if err != nil {
			w.Fatal(err)
		}
		promoted(w)
		if probed != 1 || !strings.Contains(timeline.String(), "behind by 2s") {
			t.Errorf("%d probes\n%s", probed, timeline)
		}
		if err := w.RollBack(p); !errors.Is(err, failover.ErrIrreversible) {
			t.Error(err)
		}
		promoted(w)
	})
}

func TestAReplicaIsPromotedWhileControllersDie(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(promotions).KilledAtEachCall(t, 4)
}

func TestAReplicaIsPromotedBehindStaleReads(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(promotions).Stale(t)
}

func TestErrorsOfAPromotion(t *testing.T) {
	t.Parallel()
	steptest.Scenarios(promotions).Codes(t, "RDS", "PromoteReadReplica", []steptest.Code{
		{Code: "InvalidDBInstanceState", Want: steptest.Retried},
		{Code: "Throttling", Want: steptest.Retried},
		{Code: "InternalFailure", Status: 500, Want: steptest.Retried},
		{Code: "InvalidParameterCombination", Want: steptest.Permanent},
		{Code: "KMSKeyNotAccessibleFault", Want: steptest.Permanent},
		{Code: "AccessDenied", Status: 403, Want: steptest.Permanent},
	})
}

// Somebody else promotes it between our read and our call.
func TestAnotherPromotionCountsAsOurs(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		replicated(w)
		w.Inject(awstest.Match{Service: "RDS", Operation: "PromoteReadReplica", Times: 1}, awstest.Before(func(ctx context.Context, _ awstest.Record) {
			if _, err := admin(w).PromoteReadReplica(ctx, &rds.PromoteReadReplicaInput{DBInstanceIdentifier: aws.String("copy"), BackupRetentionPeriod: aws.Int32(7)}); err != nil {
				t.Error(err)
			}
		}))
		if _, err := w.Execute(promotionPlan()); err != nil {
			w.Fatal(err)
		}
		if now := show(w, "copy"); now.ReadReplicaSourceDBInstanceIdentifier != nil {
			t.Errorf("%+v", now)
		}
	})
}

func TestTheGateOfALag(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		values metrics
		most   time.Duration
		open   bool
		lag    string
	}{
		{"less", metrics{9}, 10 * time.Second, true, "9s"},
		{"as much", metrics{10}, 10 * time.Second, true, "10s"},
		{"more", metrics{10.5, 1}, 10 * time.Second, false, ""},
		{"MySQL does not replicate, and did before", metrics{-1, -1, 3}, 10 * time.Second, true, "3s"},
		{"MySQL does not replicate", metrics{-1}, 10 * time.Second, false, ""},
		{"no values", nil, 10 * time.Second, false, ""},
		{"any", metrics{3600}, rdsstep.AnyLag, true, "1h0m0s"},
		{"any, and nobody knows", metrics{-1}, rdsstep.AnyLag, true, "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			steptest.Run(t, services, func(w *steptest.World) {
				replicated(w)
				p := promotionPlan(func(s *rdsstep.PromoteSpec) { s.Metrics, s.MaxLag = tt.values, tt.most })
				if r := w.Ready(p, nil); (r.Level != failover.LevelFail) != tt.open {
					t.Error(r)
				}
				timeline, err := w.Execute(p)
				made, _ := w.Calls("PromoteReadReplica")
				switch {
				case tt.open && (err != nil || !strings.Contains(timeline.String(), "behind by "+tt.lag)):
					t.Errorf("%v\n%s", err, timeline)
				case !tt.open && (!errors.Is(err, rdsstep.ErrLag) || made != 0):
					t.Errorf("%v after %d calls", err, made)
				}
			})
		})
	}
}

func TestTheLagIsThatOfTheLoss(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		replicated(w)
		lost := time.Now().Add(-20 * time.Minute).Truncate(time.Second)
		api := &stepmock.MetricAPIMock{GetMetricDataFunc: metrics{1}.GetMetricData}
		p := promotionPlan(func(s *rdsstep.PromoteSpec) {
			s.Metrics, s.LostAt = api, failover.Literal(lost.UTC().Format(time.RFC3339))
		})
		if _, err := w.Execute(p); err != nil {
			w.Fatal(err)
		}
		calls := api.GetMetricDataCalls()
		if len(calls) != 1 {
			t.Fatalf("%d calls", len(calls))
		}
		if in := calls[0].Params; !in.EndTime.Equal(lost) || !in.StartTime.Before(lost.Add(-time.Minute)) {
			t.Errorf("from %s to %s, and it was lost at %s", in.StartTime, in.EndTime, lost)
		}
	})
}

func TestMistakesOfSteps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		step  failover.Step
		wants []string
	}{
		{rdsstep.Failover(nil, rdsstep.FailoverSpec{ID: "s", Away: failover.Fact(failover.FactZone), Steady: -1, Grace: -1}), []string{"Database", "Zones", "Steady", "Grace"}},
		{rdsstep.FailoverCluster(nil, rdsstep.ClusterSpec{ID: "s", Away: failover.Literal(""), Target: failover.Output("other", "x")}), []string{"Cluster", "Zones", "Away", "Target"}},
		{rdsstep.Promote(nil, rdsstep.PromoteSpec{ID: "s", BackupRetention: 36}), []string{"Replica", "MaxLag", "Metrics", "BackupRetention"}},
		{rdsstep.Restore(nil, rdsstep.RestoreSpec{ID: "s"}), []string{"clients", "Request.Policy", "Request.Series", "Request.ID", "MaxAge"}},
		{rdsstep.Restore(nil, rdsstep.RestoreSpec{ID: "s", MaxAge: 1, Request: snapshot.DatabaseRequest{Latest: true}}), []string{"MaxAge: 1ns is for points"}},
	} {
		err := plan(tt.step).Validate()
		for _, text := range tt.wants {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%q is not in %v", text, err)
			}
		}
	}
}

func TestAReplicaOfSomethingElse(t *testing.T) {
	t.Parallel()
	steptest.Run(t, services, func(w *steptest.World) {
		replicated(w)
		p := promotionPlan(func(s *rdsstep.PromoteSpec) { s.Source = "checkout" })
		if r := w.Ready(p, nil); r.Level != failover.LevelFail {
			t.Error(r)
		}
		if _, err := w.Execute(p); !errors.Is(err, rdsstep.ErrNotReplica) {
			t.Error(err)
		}
	})
}
