package rdssvc_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestInstanceLives(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		made := svctest.Must(w.CreateDBInstance(w.Context(), createInput("Orders", backed, func(in *createIn) {
			in.DBName, in.Tags = aws.String("orders"), []types.Tag{tag("team", "shop")}
		})))(w).DBInstance
		if made.Endpoint != nil || made.InstanceCreateTime != nil || made.LatestRestorableTime != nil {
			w.Errorf("it is there from the beginning: %v", made)
		}
		for _, step := range []struct {
			at   time.Duration
			want string
		}{{0, "creating"}, {5*time.Minute - 1, "creating"}, {5 * time.Minute, "backing-up"}, {7*time.Minute - 1, "backing-up"}, {7 * time.Minute, "available"}} {
			w.until(step.at)
			w.wantStatus("orders", step.want)
		}
		i := w.instance("ORDERS")
		got := fmt.Sprintln(*i.DBInstanceIdentifier, *i.DBInstanceArn, *i.Endpoint.Address, *i.Endpoint.Port, *i.DBName, *i.StorageType, *i.MultiAZ,
			*i.StorageEncrypted, i.InstanceCreateTime.Sub(w.start), told(i.TagList))
		want := "orders arn:aws:rds:us-east-1:123456789012:db:orders orders.c23456789012.us-east-1.rds.amazonaws.com 5432 orders gp3 false false 5m0s team=shop\n"
		if got != want {
			w.Errorf("got  %swant %s", got, want)
		}
		svctest.Must(w.DeleteDBInstance(w.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: i.DBInstanceArn, SkipFinalSnapshot: aws.Bool(true)}))(w)
		w.wantStatus("orders", "deleting")
		time.Sleep(2*time.Minute - 1)
		w.wantStatus("orders", "deleting")
		time.Sleep(time.Nanosecond)
		w.wantStatus("orders", "DBInstanceNotFound")
		if n := len(svctest.Must(w.DescribeDBSnapshots(w.Context(), nil))(w).DBSnapshots); n != 0 {
			w.Errorf("%d automated snapshots are left", n)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("taken")
		for name, c := range map[string]struct {
			change func(*createIn)
			code   string
		}{
			"a name that is taken":        {func(in *createIn) { in.DBInstanceIdentifier = aws.String("TAKEN") }, "DBInstanceAlreadyExists"},
			"a name with a digit first":   {func(in *createIn) { in.DBInstanceIdentifier = aws.String("1a") }, "InvalidParameterValue"},
			"a name with two hyphens":     {func(in *createIn) { in.DBInstanceIdentifier = aws.String("a--b") }, "InvalidParameterValue"},
			"a name with a hyphen last":   {func(in *createIn) { in.DBInstanceIdentifier = aws.String("a-") }, "InvalidParameterValue"},
			"no class of RDS":             {func(in *createIn) { in.DBInstanceClass = aws.String("t3.micro") }, "InvalidParameterValue"},
			"no storage":                  {func(in *createIn) { in.AllocatedStorage = nil }, "InvalidParameterValue"},
			"a low port":                  {func(in *createIn) { in.Port = aws.Int32(1149) }, "InvalidParameterValue"},
			"no user":                     {func(in *createIn) { in.MasterUsername = nil }, "InvalidParameterValue"},
			"a short password":            {func(in *createIn) { in.MasterUserPassword = aws.String("1234567") }, "InvalidParameterValue"},
			"a retention of 36 days":      {func(in *createIn) { in.BackupRetentionPeriod = aws.Int32(36) }, "InvalidParameterValue"},
			"an unknown zone":             {func(in *createIn) { in.AvailabilityZone = aws.String("us-east-1z") }, "InvalidParameterValue"},
			"a zone for Multi-AZ":         {func(in *createIn) { multi(in); in.AvailabilityZone = aws.String("us-east-1a") }, "InvalidParameterCombination"},
			"a key without encryption":    {func(in *createIn) { in.KmsKeyId = aws.String("alias/aws/rds") }, "InvalidParameterCombination"},
			"an unknown key":              {func(in *createIn) { in.StorageEncrypted, in.KmsKeyId = aws.Bool(true), aws.String("alias/none") }, "KMSKeyNotAccessibleFault"},
			"a tag that is AWS's":         {func(in *createIn) { in.Tags = []types.Tag{tag("aws:x", "y")} }, "InvalidParameterValue"},
			"a tag with AWS's upper case": {func(in *createIn) { in.Tags = []types.Tag{tag("AWS:x", "y")} }, "InvalidParameterValue"},
		} {
			_, err := w.CreateDBInstance(w.Context(), createInput("new", c.change))
			if err == nil || codeOf(err) != c.code {
				w.Errorf("%s: got %v, want %s", name, err, c.code)
			}
		}
		w.wantStatus("new", "DBInstanceNotFound")
	})
}

func TestFinalSnapshot(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db", func(in *createIn) { in.DeletionProtection = aws.Bool(true) })
		w.taken("old", "db")
		w.write("db", 7)
		remove := func(skip bool, final string) error {
			in := &rds.DeleteDBInstanceInput{DBInstanceIdentifier: aws.String("db"), SkipFinalSnapshot: &skip}
			if final != "" {
				in.FinalDBSnapshotIdentifier = &final
			}
			_, err := w.DeleteDBInstance(w.Context(), in)
			return err
		}
		svctest.WantCode(w, remove(true, ""), "InvalidParameterCombination")
		svctest.Must(w.ModifyDBInstance(w.Context(), &rds.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String("db"), DeletionProtection: aws.Bool(false)}))(w)
		w.wantStatus("db", "available")
		svctest.WantCode(w, remove(true, "last"), "InvalidParameterCombination")
		svctest.WantCode(w, remove(false, ""), "InvalidParameterCombination")
		svctest.WantCode(w, remove(false, "old"), "DBSnapshotAlreadyExists")
		if err := remove(false, "last"); err != nil {
			w.Fatal(err)
		}
		svctest.WantCode(w, remove(true, ""), "InvalidDBInstanceState")
		time.Sleep(4 * time.Minute)
		w.wantStatus("db", "DBInstanceNotFound")
		w.wantSnapshot(w.Client, "last", "available 100%")
		svctest.Must(w.restore("new", "last"))(w)
		w.wantWrites("new", 7)
	})
}

func TestInstancesAreFound(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		const n = 21
		for k := range n {
			svctest.Must(w.CreateDBInstance(w.Context(), createInput(fmt.Sprintf("db-%02d", k), func(in *createIn) {
				if k%2 == 1 {
					in.Engine = aws.String("mysql")
				}
			})))(w)
		}
		var seen []string
		pages := rds.NewDescribeDBInstancesPaginator(w, &rds.DescribeDBInstancesInput{MaxRecords: aws.Int32(20)})
		for pages.HasMorePages() {
			for _, i := range svctest.Must(pages.NextPage(w.Context()))(w).DBInstances {
				seen = append(seen, *i.DBInstanceIdentifier)
			}
		}
		if slices.Sort(seen); len(slices.Compact(seen)) != n || w.cloud.Count(rds.ServiceID, "DescribeDBInstances") != 2 {
			w.Errorf("got %v", seen)
		}
		for _, c := range []struct {
			name  string
			value string
			want  int
		}{
			{"engine", "mysql", n / 2},
			{"db-instance-id", "db-03", 1},
			{"db-instance-id", *w.instance("db-04").DBInstanceArn, 1},
			{"dbi-resource-id", *w.instance("db-05").DbiResourceId, 1},
			{"dbi-resource-id", "db-05", 0},
		} {
			out := svctest.Must(w.DescribeDBInstances(w.Context(), &rds.DescribeDBInstancesInput{Filters: []types.Filter{{Name: &c.name, Values: []string{c.value}}}}))(w)
			if len(out.DBInstances) != c.want {
				w.Errorf("%s=%s: got %d, want %d", c.name, c.value, len(out.DBInstances), c.want)
			}
		}
		for _, in := range []*rds.DescribeDBInstancesInput{{MaxRecords: aws.Int32(19)}, {MaxRecords: aws.Int32(101)}, {Marker: aws.String("x")}} {
			_, err := w.DescribeDBInstances(w.Context(), in)
			svctest.WantCode(w, err, "InvalidParameterValue")
		}
	})
}

func TestReadsStandBehind(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.Must(w.CreateDBInstance(w.Context(), createInput("db")))(w)
		w.wantStatus("db", "DBInstanceNotFound")
		time.Sleep(5 * time.Minute)
		w.wantStatus("db", "creating")
		if err := w.snapshot("s", "db"); err != nil { // changes look at the present
			w.Error(err)
		}
		w.wantSnapshot(w.Client, "s", "DBSnapshotNotFound")
		time.Sleep(10 * time.Second)
		w.wantStatus("db", "backing-up")
		w.wantSnapshot(w.Client, "s", "creating 0%")
	}, func(o *awstest.Options) { o.VisibilityLag = 10 * time.Second })
}

func TestBackupsBeginAndEnd(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db")
		modify := func(days int32) error {
			_, err := w.ModifyDBInstance(w.Context(), &rds.ModifyDBInstanceInput{
				DBInstanceIdentifier: aws.String("db"), BackupRetentionPeriod: &days, ApplyImmediately: aws.Bool(true),
			})
			return err
		}
		automated := func() int {
			return len(svctest.Must(w.DescribeDBSnapshots(w.Context(), &rds.DescribeDBSnapshotsInput{
				DBInstanceIdentifier: aws.String("db"), SnapshotType: aws.String("automated"),
			}))(w).DBSnapshots)
		}
		if err := modify(2); err != nil {
			w.Fatal(err)
		}
		w.wantStatus("db", "modifying")
		svctest.WantCode(w, modify(3), "InvalidDBInstanceState")
		time.Sleep(3 * time.Minute)
		w.wantStatus("db", "backing-up")
		for day, want := range []int{1, 2, 3, 3, 3} { // the one of two days ago goes when it is older than that
			if n := automated(); n != want {
				w.Errorf("day %d: %d automated snapshots, want %d", day, n, want)
			}
			time.Sleep(24 * time.Hour)
		}
		w.ready("db")
		if err := modify(0); err != nil {
			w.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
		w.wantStatus("db", "available")
		time.Sleep(48 * time.Hour)
		if n := automated(); n != 0 {
			w.Errorf("%d automated snapshots are left", n)
		}
	})
}

// What was under way for an instance does nothing to another one that gets its
// name.
func TestNameIsUsedAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.Must(w.CreateDBInstance(w.Context(), createInput("db")))(w)
		first := *w.instance("db").DbiResourceId
		svctest.Must(w.DeleteDBInstance(w.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: aws.String("db"), SkipFinalSnapshot: aws.Bool(true)}))(w)
		time.Sleep(3 * time.Minute)
		svctest.Must(w.CreateDBInstance(w.Context(), createInput("db")))(w)
		if *w.instance("db").DbiResourceId == first {
			w.Error("it is the same resource")
		}
		w.until(5 * time.Minute) // when the first would have been there
		w.wantStatus("db", "creating")
		w.until(8 * time.Minute)
		w.wantStatus("db", "available")
	})
}
