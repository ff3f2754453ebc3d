package rdsstep_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/rdssvc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/internal/steptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func services() []awstest.Service {
	return []awstest.Service{
		ec2svc.New(),
		rdssvc.New(func(o *rdssvc.Options) {
			o.Creating, o.Promoting, o.BackingUp = time.Minute, time.Minute, 10*time.Second
		}),
	}
}

const (
	zoneA = "us-east-1a"
	zoneB = "us-east-1b"
	idA   = "use1-az2" // of zoneA
)

func admin(w *steptest.World) *rds.Client { return rds.NewFromConfig(w.Admin) }

// create makes a database and waits for it.
func create(w *steptest.World, id string, edit func(*rds.CreateDBInstanceInput)) {
	w.Helper()
	in := &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: &id, Engine: aws.String("postgres"), DBInstanceClass: aws.String("db.m7g.large"), AllocatedStorage: aws.Int32(20),
		MasterUsername: aws.String("master"), MasterUserPassword: aws.String("password"), BackupRetentionPeriod: aws.Int32(7),
	}
	edit(in)
	if _, err := admin(w).CreateDBInstance(w.Context(), in); err != nil {
		w.Fatal(err)
	}
	settle(w, id)
}

// settle waits until a database is available.
func settle(w *steptest.World, id string) {
	w.Helper()
	for range 600 {
		if aws.ToString(show(w, id).DBInstanceStatus) == "available" {
			return
		}
		time.Sleep(time.Second)
	}
	w.Fatalf("%s does not become available", id)
}

func show(w *steptest.World, id string) *types.DBInstance {
	w.Helper()
	out, err := admin(w).DescribeDBInstances(w.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
	if err != nil {
		w.Fatal(err)
	}
	return &out.DBInstances[0]
}

func plan(steps ...failover.Step) failover.Plan {
	return failover.Plan{Service: "orders", Steps: steps}
}

// metrics answers with values of a lag, the newest first; nil has none.
type metrics []float64

func (m metrics) GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return &cloudwatch.GetMetricDataOutput{MetricDataResults: []cwtypes.MetricDataResult{{Values: m}}}, nil
}
