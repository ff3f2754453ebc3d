package rdssvc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestSnapshotLives(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db", func(in *createIn) {
			in.CopyTagsToSnapshot, in.Tags = aws.Bool(true), []types.Tag{tag("team", "shop"), tag("x", "instance")}
		})
		began := time.Now()
		if err := w.snapshot("Before", "db", tag("x", "snapshot")); err != nil {
			w.Fatal(err)
		}
		w.wantStatus("db", "backing-up")
		w.wantSnapshot(w.Client, "before", "creating 0%")
		svctest.WantCode(w, w.snapshot("before", "db"), "DBSnapshotAlreadyExists")
		svctest.WantCode(w, w.snapshot("another", "db"), "InvalidDBInstanceState")
		svctest.WantCode(w, w.copy(w.Client, "before", "copy"), "InvalidDBSnapshotState")
		svctest.WantCode(w, w.remove(w.Client, "before"), "InvalidDBSnapshotState")
		if s := w.show(w.Client, "before"); s.SnapshotCreateTime != nil {
			w.Errorf("it has been created at %v", s.SnapshotCreateTime)
		}
		time.Sleep(time.Minute)
		w.wantSnapshot(w.Client, "before", "creating 50%")
		time.Sleep(time.Minute)
		w.wantSnapshot(w.Client, "before", "available 100%")
		w.wantStatus("db", "available")
		s := w.show(w.Client, "BEFORE")
		got := fmt.Sprintln(*s.DBSnapshotIdentifier, *s.DBSnapshotArn, *s.SnapshotType, *s.Engine, *s.AllocatedStorage, *s.Encrypted, s.SnapshotCreateTime.Sub(began), told(s.TagList))
		if want := "before arn:aws:rds:us-east-1:123456789012:snapshot:before manual postgres 20 false 0s team=shop x=snapshot\n"; got != want {
			w.Errorf("got  %swant %s", got, want)
		}
		svctest.WantCode(w, w.snapshot("other", "none"), "DBInstanceNotFound")
		svctest.WantCode(w, w.snapshot("rds:other", "db"), "InvalidParameterValue")
		if err := w.remove(w.Client, "before"); err != nil {
			w.Error(err)
		}
		w.wantSnapshot(w.Client, "before", "DBSnapshotNotFound")
		svctest.WantCode(w, w.remove(w.Client, "before"), "DBSnapshotNotFound")
	})
}

func (w *world) remove(client *rds.Client, id string) error {
	_, err := client.DeleteDBSnapshot(w.Context(), &rds.DeleteDBSnapshotInput{DBSnapshotIdentifier: &id})
	return err
}

// A key that goes while the snapshot or the copy is made makes it fail, and it
// can be deleted then.
func TestKeyThatGoesLater(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		key, other := w.key(home), w.key(home)
		w.database("db", func(in *createIn) { in.StorageEncrypted, in.KmsKeyId = aws.Bool(true), &key })
		w.taken("good", "db")
		if s := w.show(w.Client, "good"); !strings.HasSuffix(*s.KmsKeyId, key) || !*s.Encrypted {
			w.Errorf("encrypted with %s, want %s", *s.KmsKeyId, key)
		}
		if err := errors.Join(w.snapshot("bad", "db"), w.copy(w.Client, "good", "badcopy"), w.copy(w.Client, "good", "goodcopy", withKey(other))); err != nil {
			w.Fatal(err)
		}
		heal := w.denyKey(home, key)
		time.Sleep(2 * time.Minute)
		w.wantSnapshot(w.Client, "bad", "failed 0%")
		_, err := w.restore("new", "good")
		svctest.WantCode(w, err, "KMSKeyNotAccessibleFault")
		svctest.WantCode(w, w.copy(w.Client, "good", "third"), "KMSKeyNotAccessibleFault")
		time.Sleep(8 * time.Minute)
		w.wantSnapshot(w.Client, "badcopy", "failed 0%")
		w.wantSnapshot(w.Client, "goodcopy", "failed 0%") // what it is read with is needed as well
		heal()
		if err := w.remove(w.Client, "bad"); err != nil {
			w.Error(err)
		}
		svctest.Must(w.restore("new", "good"))(w)
		w.denyKey(home, key)
		time.Sleep(10 * time.Minute)
		w.wantStatus("new", "inaccessible-encryption-credentials")
		w.wantStatus("db", "available")
	})
}

func withKey(key string) func(*rds.CopyDBSnapshotInput) {
	return func(in *rds.CopyDBSnapshotInput) { in.KmsKeyId = &key }
}

func from(region string) func(*rds.CopyDBSnapshotInput) {
	return func(in *rds.CopyDBSnapshotInput) { in.SourceRegion = &region }
}

func TestCopyToAnotherRegion(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		key := w.key(abroad)
		w.database("db", func(in *createIn) { in.StorageEncrypted = aws.Bool(true) })
		w.taken("s", "db", tag("x", "y"))
		arn := *w.show(w.Client, "s").DBSnapshotArn
		for name, c := range map[string]struct {
			source  string
			changes []func(*rds.CopyDBSnapshotInput)
			says    string
		}{
			"without a key":           {arn, []func(*rds.CopyDBSnapshotInput){from(home)}, "Must specify new KMS key"},
			"without a presigned URL": {arn, []func(*rds.CopyDBSnapshotInput){withKey(key)}, "PreSignedUrl could not be authenticated"},
			"from a wrong region":     {arn, []func(*rds.CopyDBSnapshotInput){withKey(key), from("us-west-2")}, "PreSignedUrl could not be authenticated"},
			"under a key of the source's region": {
				arn,
				[]func(*rds.CopyDBSnapshotInput){withKey(*w.show(w.Client, "s").KmsKeyId), from(home)},
				"KMSKeyNotAccessibleFault",
			},
			"by the name alone": {"s", []func(*rds.CopyDBSnapshotInput){withKey(key), from(home)}, "DBSnapshotNotFound"},
		} {
			if err := w.copy(w.away, c.source, "copy", c.changes...); err == nil || !strings.Contains(err.Error(), c.says) {
				w.Errorf("%s: got %v, want %s", name, err, c.says)
			}
		}
		if err := w.copy(w.away, arn, "copy", withKey(key), from(home), func(in *rds.CopyDBSnapshotInput) { in.CopyTags = aws.Bool(true) }); err != nil {
			w.Fatal(err)
		}
		w.wantSnapshot(w.away, "copy", "pending 0%")
		time.Sleep(30 * time.Second)
		w.wantSnapshot(w.away, "copy", "creating 4%")
		time.Sleep(10 * time.Minute)
		w.wantSnapshot(w.away, "copy", "available 100%")
		c, s := w.show(w.away, "copy"), w.show(w.Client, "s")
		got := fmt.Sprintln(*c.SourceRegion, *c.SourceDBSnapshotIdentifier == arn, strings.HasSuffix(*c.KmsKeyId, key), told(c.TagList),
			c.OriginalSnapshotCreateTime.Equal(*s.SnapshotCreateTime), c.SnapshotCreateTime.Sub(*s.SnapshotCreateTime))
		if want := "us-east-1 true true x=y true 2m0s\n"; got != want {
			w.Errorf("got  %swant %s", got, want)
		}
		if err := w.copy(w.away, arn, "lost", withKey(key), from(home)); err != nil {
			w.Fatal(err)
		}
		if err := w.remove(w.Client, "s"); err != nil {
			w.Fatal(err)
		}
		time.Sleep(11 * time.Minute)
		w.wantSnapshot(w.away, "lost", "failed 0%")
	})
}

// An automated snapshot is copied under another name, and cannot be deleted.
func TestCopyOfAnAutomatedSnapshot(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db", backed, func(in *createIn) {
			in.CopyTagsToSnapshot, in.Tags = aws.Bool(true), []types.Tag{tag("x", "y")}
		})
		list := svctest.Must(w.DescribeDBSnapshots(w.Context(), &rds.DescribeDBSnapshotsInput{SnapshotType: aws.String("automated")}))(w).DBSnapshots
		if len(list) != 1 || *list[0].DBSnapshotIdentifier != "rds:db-2000-01-01-00-05" {
			w.Fatalf("got %v", list)
		}
		name := *list[0].DBSnapshotIdentifier
		svctest.WantCode(w, w.remove(w.Client, name), "InvalidDBSnapshotState")
		svctest.WantCode(w, w.copy(w.Client, name, "rds:copy"), "InvalidParameterValue")
		if err := w.copy(w.Client, name, "copy"); err != nil {
			w.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		c := w.show(w.Client, "copy")
		if *c.SnapshotType != "manual" || len(c.TagList) != 0 || c.SourceRegion != nil {
			w.Errorf("got %v", c)
		}
	})
}

// Both quotas have one code: the message tells them apart.
func TestQuotas(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db")
		w.taken("s", "db")
		arn := *w.show(w.Client, "s").DBSnapshotArn
		for n := range 20 {
			if err := w.copy(w.away, arn, fmt.Sprintf("c-%d", n)); err != nil {
				w.Fatal(err)
			}
		}
		err := w.copy(w.away, arn, "more")
		if q, ok := errors.AsType[*types.SnapshotQuotaExceededFault](err); !ok || !strings.Contains(q.ErrorMessage(), "20 snapshots across regions") {
			w.Errorf("got %v", err)
		}
		time.Sleep(11 * time.Minute)
		if err := w.copy(w.away, arn, "more"); err != nil {
			w.Errorf("once the others are there: %v", err)
		}
		for n := range 99 {
			if err := w.copy(w.Client, "s", fmt.Sprintf("c-%d", n)); err != nil {
				w.Fatal(err)
			}
		}
		for _, err := range []error{w.copy(w.Client, "s", "more"), w.snapshot("more", "db")} {
			if q, ok := errors.AsType[*types.SnapshotQuotaExceededFault](err); !ok || !strings.Contains(q.ErrorMessage(), "100 manual snapshots") {
				w.Errorf("got %v", err)
			}
		}
	})
}

func TestSnapshotsAreFound(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("a", backed)
		w.database("b", func(in *createIn) { in.Engine = aws.String("mysql") })
		w.taken("a-1", "a")
		w.taken("b-1", "b")
		type in = rds.DescribeDBSnapshotsInput
		filter := func(name string, values ...string) []types.Filter {
			return []types.Filter{{Name: &name, Values: values}}
		}
		for name, c := range map[string]struct {
			in   *in
			want string
		}{
			"all":                 {nil, "rds:a-2000-01-01-00-05 a-1 b-1"},
			"by type":             {&in{SnapshotType: aws.String("manual")}, "a-1 b-1"},
			"by instance":         {&in{DBInstanceIdentifier: aws.String("A")}, "rds:a-2000-01-01-00-05 a-1"},
			"by resource":         {&in{DbiResourceId: w.instance("b").DbiResourceId}, "b-1"},
			"by ARN":              {&in{DBSnapshotIdentifier: aws.String("arn:aws:rds:us-east-1:123456789012:snapshot:b-1")}, "b-1"},
			"by two things":       {&in{DBSnapshotIdentifier: aws.String("b-1"), DBInstanceIdentifier: aws.String("a")}, ""},
			"filter of instance":  {&in{Filters: filter("db-instance-id", *w.instance("a").DBInstanceArn)}, "rds:a-2000-01-01-00-05 a-1"},
			"filter of snapshots": {&in{Filters: filter("db-snapshot-id", "a-1", "b-1")}, "a-1 b-1"},
			"filter of type":      {&in{Filters: filter("snapshot-type", "automated")}, "rds:a-2000-01-01-00-05"},
			"filter of engine":    {&in{Filters: filter("engine", "mysql")}, "b-1"},
			"filter of resource":  {&in{Filters: filter("dbi-resource-id", *w.instance("b").DbiResourceId)}, "b-1"},
		} {
			var got []string
			for _, s := range svctest.Must(w.DescribeDBSnapshots(w.Context(), c.in))(w).DBSnapshots {
				got = append(got, *s.DBSnapshotIdentifier)
			}
			if strings.Join(got, " ") != c.want {
				w.Errorf("%s: got %v, want %s", name, got, c.want)
			}
		}
		for _, in := range []*in{{MaxRecords: aws.Int32(19)}, {Marker: aws.String("x")}, {SnapshotType: aws.String("odd")}} {
			_, err := w.DescribeDBSnapshots(w.Context(), in)
			svctest.WantCode(w, err, "InvalidParameterValue")
		}
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.database("db")
		w.taken("s", "db")
		for _, arn := range []*string{w.instance("db").DBInstanceArn, w.show(w.Client, "s").DBSnapshotArn} {
			add := func(tags ...types.Tag) error {
				_, err := w.AddTagsToResource(w.Context(), &rds.AddTagsToResourceInput{ResourceName: arn, Tags: tags})
				return err
			}
			if err := errors.Join(add(tag("a", "1"), tag("b", "2")), add(tag("a", "3"))); err != nil {
				w.Error(err)
			}
			svctest.WantCode(w, add(tag("aws:c", "")), "InvalidParameterValue")
			var many []types.Tag
			for n := range 49 {
				many = append(many, tag(fmt.Sprint(n), ""))
			}
			svctest.WantCode(w, add(many...), "InvalidParameterValue")
			svctest.Must(w.RemoveTagsFromResource(w.Context(), &rds.RemoveTagsFromResourceInput{ResourceName: arn, TagKeys: []string{"b", "none"}}))(w)
			if got := told(svctest.Must(w.ListTagsForResource(w.Context(), &rds.ListTagsForResourceInput{ResourceName: arn}))(w).TagList); got != "a=3" {
				w.Errorf("%s: got %s", *arn, got)
			}
		}
		if i, s := told(w.instance("db").TagList), told(w.show(w.Client, "s").TagList); i != "a=3" || s != "a=3" {
			w.Errorf("inline: got %s and %s", i, s)
		}
		for arn, code := range map[string]string{
			"db": "InvalidParameterValue", "arn:aws:rds:us-east-1:123456789012:og:x": "InvalidParameterValue",
			"arn:aws:rds:us-east-1:123456789012:db:none":    "DBInstanceNotFound",
			"arn:aws:rds:us-east-1:123456789012:snapshot:x": "DBSnapshotNotFound",
		} {
			_, err := w.ListTagsForResource(w.Context(), &rds.ListTagsForResourceInput{ResourceName: &arn})
			svctest.WantCode(w, err, code)
		}
	})
}
