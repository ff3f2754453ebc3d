package rdssvc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/rdssvc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const home, abroad = "us-east-1", "eu-west-1"

// world is a cloud with RDS and keys, in which calls take no time.
type world struct {
	*testing.T
	*rds.Client
	away  *rds.Client
	cloud *awstest.Cloud
	keys  *kmsmodel.Model
	start time.Time
}

func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	w := &world{}
	svctest.InBubble(t, []awstest.Service{rdssvc.New(), w.register}, func(t *testing.T, cloud *awstest.Cloud) {
		w.T, w.cloud, w.start = t, cloud, time.Now()
		w.Client, w.away = rds.NewFromConfig(cloud.Config(home)), rds.NewFromConfig(cloud.Config(abroad))
		test(w)
	}, append([]func(*awstest.Options){func(o *awstest.Options) { o.Latency = awstest.NoLatency }}, optFns...)...)
}

// register looks at the keys: the client of KMS is not for these tests.
func (w *world) register(r *awstest.Registry) error {
	w.keys = kmsmodel.Of(r)
	return nil
}

// key makes a key in a region and returns its ID.
func (w *world) key(region string) (id string) {
	w.Helper()
	in := svctest.Must(w.cloud.Region(region))(w)
	w.cloud.Update(func(tx *awstest.Tx) { id = w.keys.Region(in).CreateKey(tx, kmsmodel.KeySpec{}).ID })
	return id
}

// denyKey takes the use of a key away.
func (w *world) denyKey(region, id string) (heal func()) {
	w.Helper()
	in := svctest.Must(w.cloud.Region(region))(w)
	var undo func(*awstest.Tx)
	w.cloud.Update(func(tx *awstest.Tx) { undo = w.keys.Region(in).Deny(tx, id) })
	return func() { w.cloud.Update(undo) }
}

// until sleeps until a while after the start.
func (w *world) until(d time.Duration) { time.Sleep(time.Until(w.start.Add(d))) }

type createIn = rds.CreateDBInstanceInput

// createInput is that of an instance without backups, which is changed.
func createInput(id string, changes ...func(*createIn)) *createIn {
	in := &createIn{
		DBInstanceIdentifier: &id, DBInstanceClass: aws.String("db.t4g.micro"), Engine: aws.String("postgres"), AllocatedStorage: aws.Int32(20),
		MasterUsername: aws.String("admin"), MasterUserPassword: aws.String("not a secret"), BackupRetentionPeriod: aws.Int32(0),
	}
	for _, change := range changes {
		change(in)
	}
	return in
}

func multi(in *createIn)  { in.MultiAZ = aws.Bool(true) }
func backed(in *createIn) { in.BackupRetentionPeriod = aws.Int32(1) }

// database makes an instance and waits until it is available.
func (w *world) database(id string, changes ...func(*createIn)) *types.DBInstance {
	w.Helper()
	svctest.Must(w.CreateDBInstance(w.Context(), createInput(id, changes...)))(w)
	return w.ready(id)
}

// ready waits until an instance is available.
func (w *world) ready(id string) *types.DBInstance {
	w.Helper()
	for range 100 {
		if i := w.instance(id); *i.DBInstanceStatus == "available" {
			return i
		}
		time.Sleep(time.Minute)
	}
	w.Fatalf("%s does not become available", id)
	return nil
}

func (w *world) instance(id string) *types.DBInstance {
	w.Helper()
	return &svctest.Must(w.DescribeDBInstances(w.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id}))(w).DBInstances[0]
}

// status tells the status of an instance, or the code of the error.
func (w *world) status(id string) string {
	out, err := w.DescribeDBInstances(w.Context(), &rds.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
	if err != nil {
		return codeOf(err)
	}
	return *out.DBInstances[0].DBInstanceStatus
}

func (w *world) wantStatus(id, want string) {
	w.Helper()
	if got := w.status(id); got != want {
		w.Errorf("after %v: %s is %s, want %s", time.Since(w.start), id, got, want)
	}
}

// snapshot asks for a snapshot of an instance.
func (w *world) snapshot(id, of string, tags ...types.Tag) error {
	_, err := w.CreateDBSnapshot(w.Context(), &rds.CreateDBSnapshotInput{DBSnapshotIdentifier: &id, DBInstanceIdentifier: &of, Tags: tags})
	return err
}

// taken makes a snapshot and waits until it is available.
func (w *world) taken(id, of string, tags ...types.Tag) {
	w.Helper()
	if err := w.snapshot(id, of, tags...); err != nil {
		w.Fatal(err)
	}
	time.Sleep(2 * time.Minute)
	w.wantSnapshot(w.Client, id, "available 100%")
}

func (w *world) copy(client *rds.Client, from, to string, changes ...func(*rds.CopyDBSnapshotInput)) error {
	in := &rds.CopyDBSnapshotInput{SourceDBSnapshotIdentifier: &from, TargetDBSnapshotIdentifier: &to}
	for _, change := range changes {
		change(in)
	}
	_, err := client.CopyDBSnapshot(w.Context(), in)
	return err
}

func (w *world) wantSnapshot(client *rds.Client, id, want string) {
	w.Helper()
	var got string
	out, err := client.DescribeDBSnapshots(w.Context(), &rds.DescribeDBSnapshotsInput{DBSnapshotIdentifier: &id})
	if err != nil {
		got = codeOf(err)
	} else {
		got = fmt.Sprintf("%s %d%%", *out.DBSnapshots[0].Status, *out.DBSnapshots[0].PercentProgress)
	}
	if got != want {
		w.Errorf("after %v: %s is %s, want %s", time.Since(w.start), id, got, want)
	}
}

// show returns a snapshot.
func (w *world) show(client *rds.Client, id string) *types.DBSnapshot {
	w.Helper()
	return &svctest.Must(client.DescribeDBSnapshots(w.Context(), &rds.DescribeDBSnapshotsInput{DBSnapshotIdentifier: &id}))(w).DBSnapshots[0]
}

func (w *world) write(id string, total int64) {
	w.Helper()
	if err := rdssvc.SetWrites(w.cloud, home, id, total); err != nil {
		w.Error(err)
	}
}

func (w *world) wantWrites(id string, want int64) {
	w.Helper()
	if got := svctest.Must(rdssvc.Writes(w.cloud, home, id))(w); got != want {
		w.Errorf("%s holds %d writes, want %d", id, got, want)
	}
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

func told(tags []types.Tag) string {
	var all []string
	for _, t := range tags {
		all = append(all, *t.Key+"="+*t.Value)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}
