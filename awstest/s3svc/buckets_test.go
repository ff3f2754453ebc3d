package s3svc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
)

func TestNamesOfBuckets(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for name, want := range map[string]string{
			"abc":                     "",
			"0-9.a":                   "",
			strings.Repeat("a", 63):   "",
			"ab":                      "InvalidBucketName",
			strings.Repeat("a", 64):   "InvalidBucketName",
			"Abc":                     "InvalidBucketName",
			"a_b":                     "InvalidBucketName",
			"-abc":                    "InvalidBucketName",
			"abc-":                    "InvalidBucketName",
			".abc":                    "InvalidBucketName",
			"abc.":                    "InvalidBucketName",
			"a..b":                    "InvalidBucketName",
			"192.168.5.4":             "InvalidBucketName",
			"xn--abc":                 "InvalidBucketName",
			"sthree-abc":              "InvalidBucketName",
			"amzn-s3-demo-abc":        "InvalidBucketName",
			"abc-s3alias":             "InvalidBucketName",
			"abc--ol-s3":              "InvalidBucketName",
			"abc.mrap":                "InvalidBucketName",
			"abc--table-s3":           "InvalidBucketName",
			"192.168.5.4.5":           "",
			"journal.of.a.standby-eu": "",
		} {
			_, err := w.CreateBucket(w.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)})
			if code(err) != want {
				w.Errorf("%s: %v, want %q", name, err, want)
			}
		}
		_, err := w.DeleteBucket(w.Context(), &s3.DeleteBucketInput{Bucket: aws.String("ab")})
		svctest.WantCode(w, err, "InvalidBucketName")
	})
}

func TestBucketsAreMadeWhereTheConstraintSays(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		endpoint, constraint string
		region, location     string
		code                 string
	}{
		"home, without a constraint":      {endpoint: here, region: here, location: "/new-bucket"},
		"home, by its name":               {endpoint: here, constraint: here, code: "InvalidLocationConstraint"},
		"from home to another region":     {endpoint: here, constraint: there, region: there, location: "http://new-bucket.s3.amazonaws.com/"},
		"from home to the old name":       {endpoint: here, constraint: "EU", region: there, location: "http://new-bucket.s3.amazonaws.com/"},
		"from home to nowhere":            {endpoint: here, constraint: "mars-1", code: "InvalidLocationConstraint"},
		"elsewhere, without a constraint": {endpoint: there, code: "IllegalLocationConstraintException"},
		"elsewhere, by its name":          {endpoint: there, constraint: there, region: there, location: "http://new-bucket.s3.amazonaws.com/"},
		"elsewhere, by another name":      {endpoint: there, constraint: "us-west-2", code: "IllegalLocationConstraintException"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				client := s3.NewFromConfig(w.cloud.Config(c.endpoint))
				in := &s3.CreateBucketInput{Bucket: aws.String("new-bucket")}
				if c.constraint != "" {
					in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(c.constraint)}
				}
				out, err := client.CreateBucket(w.Context(), in)
				if code(err) != c.code {
					w.Fatalf("got %v, want %q", err, c.code)
				}
				if err != nil {
					svctest.WantStatus(w, err, 400)
					return
				}
				if *out.Location != c.location {
					w.Error(*out.Location)
				}
				head := svctest.Must(s3.NewFromConfig(w.cloud.Config(c.region)).HeadBucket(w.Context(), &s3.HeadBucketInput{Bucket: in.Bucket}))(w)
				if *head.BucketRegion != c.region {
					w.Error(*head.BucketRegion)
				}
				// From wherever it is asked.
				for _, client := range []*s3.Client{w.Client, w.elsewhere} {
					got := svctest.Must(client.GetBucketLocation(w.Context(), &s3.GetBucketLocationInput{Bucket: in.Bucket}))(w)
					if string(got.LocationConstraint) != c.constraint {
						w.Errorf("got %q", got.LocationConstraint)
					}
				}
			})
		})
	}
}

func TestBucketThatOneHas(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("key", "text")
		w.bucket(name) // again, for legacy compatibility
		if got := w.read("key"); got != "text" {
			w.Errorf("after it was created again: %q", got)
		}
		w.abroad("far")
		again := &s3.CreateBucketInput{Bucket: aws.String("far"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: there}}
		_, err := w.elsewhere.CreateBucket(w.Context(), again)
		svctest.WantStatus(w, err, 409)
		var typed *types.BucketAlreadyOwnedByYou
		if !errors.As(err, &typed) {
			w.Errorf("got %v", err)
		}
		_, err = w.CreateBucket(w.Context(), &s3.CreateBucketInput{Bucket: aws.String("far")})
		svctest.WantCode(w, err, "BucketAlreadyOwnedByYou")
	})
}

func TestBucketOfAnotherRegionIsToldWhere(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for _, c := range []struct {
			in   any
			code string
		}{
			{putInput("key", "text"), "PermanentRedirect"},
			{getInput("key"), "PermanentRedirect"},
			{&s3.ListObjectsV2Input{Bucket: aws.String(name)}, "PermanentRedirect"},
			{&s3.GetBucketVersioningInput{Bucket: aws.String(name)}, "PermanentRedirect"},
			{&s3.HeadBucketInput{Bucket: aws.String(name)}, "MovedPermanently"},
			{&s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("key")}, "MovedPermanently"},
		} {
			before := w.cloud.Count(s3.ServiceID, "")
			_, err := svctest.Call(w.Context(), w.elsewhere, c.in)
			svctest.WantCode(w, err, c.code)
			svctest.WantStatus(w, err, 301)
			var re *awshttp.ResponseError
			if !errors.As(err, &re) || re.Response.Header.Get("X-Amz-Bucket-Region") != here {
				w.Errorf("%s: the region is not told: %v", svctest.NameOf(c.in), err)
			}
			if n := w.cloud.Count(s3.ServiceID, "") - before; n != 1 {
				w.Errorf("%s: %d attempts", svctest.NameOf(c.in), n)
			}
		}
	})
}

func TestMissingBuckets(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		missing := aws.String("missing")
		_, err := w.ListObjectsV2(w.Context(), &s3.ListObjectsV2Input{Bucket: missing})
		svctest.WantStatus(w, err, 404)
		var typed *types.NoSuchBucket
		if !errors.As(err, &typed) {
			w.Errorf("got %v", err)
		}
		_, err = w.HeadBucket(w.Context(), &s3.HeadBucketInput{Bucket: missing})
		svctest.WantStatus(w, err, 404)
		var bare *types.NotFound
		if !errors.As(err, &bare) {
			w.Errorf("got %v", err)
		}
		id, configured := aws.String("id"), &types.VersioningConfiguration{Status: "Enabled"}
		for _, in := range []any{
			&s3.DeleteBucketInput{Bucket: missing}, &s3.GetBucketLocationInput{Bucket: missing}, &s3.GetBucketVersioningInput{Bucket: missing},
			&s3.PutBucketVersioningInput{Bucket: missing, VersioningConfiguration: configured},
			&s3.GetBucketReplicationInput{Bucket: missing}, &s3.DeleteBucketReplicationInput{Bucket: missing},
			&s3.PutBucketReplicationInput{Bucket: missing, ReplicationConfiguration: &types.ReplicationConfiguration{Role: id, Rules: []types.ReplicationRule{rule()}}},
			&s3.PutObjectInput{Bucket: missing, Key: missing}, &s3.GetObjectInput{Bucket: missing, Key: missing}, &s3.DeleteObjectInput{Bucket: missing, Key: missing},
			&s3.DeleteObjectsInput{Bucket: missing, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: id}}}},
			&s3.CopyObjectInput{Bucket: missing, Key: missing, CopySource: aws.String("journal/key")},
			&s3.ListObjectVersionsInput{Bucket: missing}, &s3.ListMultipartUploadsInput{Bucket: missing},
			&s3.GetObjectTaggingInput{Bucket: missing, Key: missing}, &s3.DeleteObjectTaggingInput{Bucket: missing, Key: missing},
			&s3.PutObjectTaggingInput{Bucket: missing, Key: missing, Tagging: tagSet("a", "1")},
			&s3.CreateMultipartUploadInput{Bucket: missing, Key: missing}, &s3.AbortMultipartUploadInput{Bucket: missing, Key: missing, UploadId: id},
			&s3.UploadPartInput{Bucket: missing, Key: missing, UploadId: id, PartNumber: aws.Int32(1)}, &s3.ListPartsInput{Bucket: missing, Key: missing, UploadId: id},
			&s3.CompleteMultipartUploadInput{Bucket: missing, Key: missing, UploadId: id},
		} {
			_, err := svctest.Call(w.Context(), w.Client, in)
			svctest.WantCode(w, err, "NoSuchBucket")
		}
	})
}

func TestOwnerThatIsExpected(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("key", "text")
		mine, other := aws.String(w.cloud.AccountID()), aws.String("999999999999")
		svctest.Must(w.HeadBucket(w.Context(), &s3.HeadBucketInput{Bucket: aws.String(name), ExpectedBucketOwner: mine}))(w)
		for _, c := range []struct {
			in   any
			code string
		}{
			{putInput("key", "other", func(in *s3.PutObjectInput) { in.ExpectedBucketOwner = other }), "AccessDenied"},
			{&s3.GetBucketLocationInput{Bucket: aws.String(name), ExpectedBucketOwner: other}, "AccessDenied"},
			{&s3.CopyObjectInput{Bucket: aws.String(name), Key: aws.String("copy"), CopySource: aws.String(name + "/key"), ExpectedSourceBucketOwner: other}, "AccessDenied"},
			{&s3.HeadBucketInput{Bucket: aws.String(name), ExpectedBucketOwner: other}, "Forbidden"},
		} {
			_, err := svctest.Call(w.Context(), w.Client, c.in)
			svctest.WantCode(w, err, c.code)
			svctest.WantStatus(w, err, 403)
		}
		if got := w.read("key"); got != "text" {
			w.Errorf("got %q", got)
		}
	})
}

func TestListOfBuckets(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var all []string
		for i := range 5 {
			all = append(all, fmt.Sprintf("journal-%d", i))
			w.abroad(all[i])
		}
		list := func(in *s3.ListBucketsInput) (names, regions []string) {
			w.Helper()
			pages := s3.NewListBucketsPaginator(w.Client, in)
			for pages.HasMorePages() {
				out := svctest.Must(pages.NextPage(w.Context()))(w)
				for _, b := range out.Buckets {
					names = append(names, *b.Name)
					regions = append(regions, aws.ToString(b.BucketRegion))
				}
				if most := aws.ToInt32(in.MaxBuckets); most > 0 && len(out.Buckets) > int(most) {
					w.Errorf("%d buckets on a page of %d", len(out.Buckets), most)
				}
			}
			return names, regions
		}
		names, regions := list(&s3.ListBucketsInput{})
		if diff := cmp.Diff(append([]string{name}, all...), names); diff != "" || regions[0] != "" {
			w.Error(diff, regions)
		}
		prefix := aws.String("journal-")
		if out := svctest.Must(w.ListBuckets(w.Context(), &s3.ListBucketsInput{Prefix: prefix}))(w); out.Prefix == prefix || *out.Prefix != *prefix {
			w.Errorf("the prefix is %v: the caller's own", out.Prefix)
		}
		names, regions = list(&s3.ListBucketsInput{MaxBuckets: aws.Int32(2), Prefix: aws.String("journal-")})
		if diff := cmp.Diff(all, names); diff != "" || regions[0] != there {
			w.Error(diff, regions)
		}
		names, _ = list(&s3.ListBucketsInput{BucketRegion: aws.String(here)})
		if diff := cmp.Diff([]string{name}, names); diff != "" {
			w.Error(diff)
		}
		for _, in := range []*s3.ListBucketsInput{
			{MaxBuckets: aws.Int32(0)}, {MaxBuckets: aws.Int32(10_001)}, {ContinuationToken: aws.String("nonsense")}, {BucketRegion: aws.String(there)},
		} {
			_, err := w.ListBuckets(w.Context(), in)
			svctest.WantCode(w, err, "InvalidArgument")
		}
	})
}

func TestBucketIsDeletedOnceItIsEmpty(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.versioning("Enabled")
		v := w.put("key", "text")
		marker := w.remove("key", "")
		refuse := func(when string) {
			w.Helper()
			_, err := w.DeleteBucket(w.Context(), &s3.DeleteBucketInput{Bucket: aws.String(name)})
			if svctest.WantStatus(w, err, 409); code(err) != "BucketNotEmpty" {
				w.Errorf("%s: %v", when, err)
			}
		}
		refuse("with a version and a delete marker")
		w.remove("key", *v.VersionId)
		refuse("with a delete marker")
		w.remove("key", *marker.VersionId)
		svctest.Must(w.CreateMultipartUpload(w.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(name), Key: aws.String("key")}))(w)
		svctest.Must(w.DeleteBucket(w.Context(), &s3.DeleteBucketInput{Bucket: aws.String(name)}))(w)
		if got := w.read("key"); got != "NoSuchBucket" {
			w.Errorf("got %q", got)
		}
		w.abroad(name) // the name is free
		uploads := svctest.Must(w.elsewhere.ListMultipartUploads(w.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(name)}))(w)
		if len(uploads.Uploads) > 0 {
			w.Error("an upload of the bucket of before is there")
		}
	})
}

// What is set on buckets is seen late, objects never are.
func TestSettingsAreSeenLateAndObjectsAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		sleep(time.Hour)
		svctest.Must(w.cloud.Inject(awstest.Match{Service: s3.ServiceID}, awstest.Stale(time.Minute)))(w)
		w.put("key", "old")
		w.put("key", "new")
		if got := w.read("key"); got != "new" {
			w.Errorf("got %q", got)
		}
		if out := svctest.Must(w.ListObjectsV2(w.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(name)}))(w); *out.KeyCount != 1 {
			w.Errorf("%d keys", *out.KeyCount)
		}
		w.versioning("Enabled")
		if out := w.put("key", "versioned"); out.VersionId == nil {
			w.Error("versioning is enabled, and the object has no version ID")
		}
		w.bucket("late")
		see := func(when, status, region string, buckets int) {
			w.Helper()
			v := svctest.Must(w.GetBucketVersioning(w.Context(), &s3.GetBucketVersioningInput{Bucket: aws.String(name)}))(w)
			if string(v.Status) != status {
				w.Errorf("%s: versioning is %q", when, v.Status)
			}
			head, err := w.HeadBucket(w.Context(), &s3.HeadBucketInput{Bucket: aws.String("late")})
			if got := code(err); got != region && (err != nil || *head.BucketRegion != region) {
				w.Errorf("%s: HeadBucket: %v", when, err)
			}
			_, err = w.GetBucketLocation(w.Context(), &s3.GetBucketLocationInput{Bucket: aws.String("late")})
			if (err == nil) != (region == here) {
				w.Errorf("%s: GetBucketLocation: %v", when, err)
			}
			if n := len(svctest.Must(w.ListBuckets(w.Context(), nil))(w).Buckets); n != buckets {
				w.Errorf("%s: %d buckets", when, n)
			}
		}
		see("at once", "", "NotFound", 1)
		sleep(time.Minute)
		see("after a minute", "Enabled", here, 2)
	})
}

func TestVersioningConfigurationsThatAreNone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.WantCode(w, version(w.Context(), w.Client, name, ""), "IllegalVersioningConfigurationException")
		svctest.WantCode(w, version(w.Context(), w.Client, name, "On"), "MalformedXML")
	})
}
