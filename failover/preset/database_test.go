package preset_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/steptest"
	"github.com/awsha/awsha/failover/preset"
)

func TestDatabasesLeaveAZone(t *testing.T) {
	t.Parallel()
	services := func() []awstest.Service {
		return []awstest.Service{ec2svc.New(), rdssvc.New(func(o *rdssvc.Options) { o.Creating, o.BackingUp = time.Minute, time.Second })}
	}
	ids := []string{"ledger", "orders"}
	steptest.Run(t, services, func(w *steptest.World) {
		api := rds.NewFromConfig(w.Admin)
		for _, id := range ids {
			must(api.CreateDBInstance(w.Context(), &rds.CreateDBInstanceInput{
				DBInstanceIdentifier: &id, Engine: aws.String("postgres"), DBInstanceClass: aws.String("db.m7g.large"), AllocatedStorage: aws.Int32(20),
				MasterUsername: aws.String("master"), MasterUserPassword: aws.String("password"), BackupRetentionPeriod: aws.Int32(1), MultiAZ: aws.Bool(true),
			}))(w)
		}
		time.Sleep(3 * time.Minute)
		zone := func(id string) string {
			return *must(api.DescribeDBInstances(w.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id}))(w).DBInstances[0].AvailabilityZone
		}
		from := zone("orders")
		elsewhere := zone("ledger") != from
		plan := func(_ *steptest.World, cfg aws.Config) failover.Plan {
			return preset.DatabaseFailover(rds.NewFromConfig(cfg), preset.Databases{
				Service: "orders", Away: failover.Literal(from), Zones: ec2.NewFromConfig(cfg), Planned: true,
				Databases: []preset.Database{{Instance: "ledger"}, {Instance: "orders"}},
			})
		}
		if r := w.Ready(plan, nil); r.Level == failover.LevelFail {
			t.Error(r)
		}
		if _, err := w.Execute(plan); err != nil {
			w.Fatal(err)
		}
		for _, id := range ids {
			if zone(id) == from {
				t.Errorf("%s is in %s", id, from)
			}
		}
		if _, applied := w.Calls("RebootDBInstance"); applied != 2 && (applied != 1 || !elsewhere) {
			t.Errorf("%d failovers", applied)
		}
	})
	if err := preset.DatabaseFailover(nil, preset.Databases{Service: "orders", Databases: []preset.Database{{}, {Cluster: "c"}}}).Validate(); err == nil {
		t.Error("no mistakes")
	}
}
