package s3svc_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

// versions tells the versions of a key, the current one first: what they
// hold, or "marker", and their IDs.
func (w *world) versions(key string) (held, ids []string) {
	w.Helper()
	out := svctest.Must(w.ListObjectVersions(w.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(name), Prefix: &key}))(w)
	type entry struct {
		id     string
		latest bool
		at     time.Time
		marker bool
	}
	var all []entry
	for _, v := range out.Versions {
		all = append(all, entry{*v.VersionId, *v.IsLatest, *v.LastModified, false})
	}
	for _, v := range out.DeleteMarkers {
		all = append(all, entry{*v.VersionId, *v.IsLatest, *v.LastModified, true})
	}
	// The output has two lists: put them together by their dates. Tests let
	// a second pass between two versions.
	for len(all) > 0 {
		youngest := 0
		for i, e := range all {
			if e.at.After(all[youngest].at) {
				youngest = i
			}
		}
		e := all[youngest]
		if e.latest != (len(ids) == 0) {
			w.Errorf("version %s is the latest: %v", e.id, e.latest)
		}
		ids = append(ids, e.id)
		if e.marker {
			held = append(held, "marker")
		} else {
			held = append(held, w.read(key, func(in *s3.GetObjectInput) { in.VersionId = &e.id }))
		}
		all = append(all[:youngest], all[youngest+1:]...)
	}
	return held, ids
}

func (w *world) want(key string, held ...string) []string {
	w.Helper()
	got, ids := w.versions(key)
	if diff := cmp.Diff(held, got); diff != "" {
		w.Errorf("versions of %s: %s", key, diff)
	}
	return ids
}

func TestVersions(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		put := func(text string) *s3.PutObjectOutput {
			sleep(time.Second)
			return w.put("key", text)
		}
		remove := func(id string) *s3.DeleteObjectOutput {
			sleep(time.Second)
			return w.remove("key", id)
		}
		// Without versioning.
		put("a")
		if out := put("b"); out.VersionId != nil {
			w.Errorf("version %s", *out.VersionId)
		}
		w.want("key", "b")

		w.versioning("Enabled")
		c := put("c")
		w.want("key", "c", "b")
		if got := w.read("key", func(in *s3.GetObjectInput) { in.VersionId = aws.String("null") }); got != "b" {
			w.Errorf("the null version holds %q", got)
		}
		head := w.head("key")
		if *head.VersionId != *c.VersionId {
			w.Errorf("version %s is current, want %s", *head.VersionId, *c.VersionId)
		}
		marker := remove("")
		if !*marker.DeleteMarker || *marker.VersionId == "null" {
			w.Errorf("%v", *marker)
		}
		w.want("key", "marker", "c", "b")
		second := remove("")
		w.want("key", "marker", "marker", "c", "b")
		for _, id := range []string{*second.VersionId, *marker.VersionId} {
			if out := remove(id); !*out.DeleteMarker || *out.VersionId != id {
				w.Errorf("%v", *out)
			}
		}
		w.want("key", "c", "b")
		put("d")
		if out := remove(*c.VersionId); out.DeleteMarker != nil || *out.VersionId != *c.VersionId {
			w.Errorf("%v", *out)
		}
		w.want("key", "d", "b")
		remove(*c.VersionId) // again, which is no error
		w.want("key", "d", "b")

		w.versioning("Suspended")
		if out := put("e"); aws.ToString(out.VersionId) != "null" {
			w.Errorf("%v", *out)
		}
		w.want("key", "e", "d") // in place of b
		put("f")
		w.want("key", "f", "d")
		if out := remove(""); !*out.DeleteMarker || *out.VersionId != "null" {
			w.Errorf("%v", *out)
		}
		w.want("key", "marker", "d")
		remove("")
		w.want("key", "marker", "d")
		remove("null")
		ids := w.want("key", "d")

		w.versioning("Enabled")
		put("g")
		put("h")
		ids = append(ids, w.want("key", "h", "g", "d")...)
		for _, id := range ids[1:] {
			remove(id)
		}
		w.want("key")
		if got := w.read("key"); got != "NoSuchKey" {
			w.Errorf("got %q", got)
		}
	})
}

func TestReadsOfVersionsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.versioning("Enabled")
		v := w.put("key", "text")
		w.remove("key", *v.VersionId)
		w.put("key", "text")
		marker := w.remove("key", "")
		get := func(id *string) error {
			_, err := w.GetObject(w.Context(), getInput("key", func(in *s3.GetObjectInput) { in.VersionId = id }))
			return err
		}
		head := func(id *string) error {
			_, err := w.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("key"), VersionId: id})
			return err
		}
		for _, c := range []struct {
			id        *string
			get, head string
			status    int
			marker    string
			allow     string
		}{
			{nil, "NoSuchKey", "NotFound", 404, "true", ""},
			{marker.VersionId, "MethodNotAllowed", "MethodNotAllowed", 405, "true", "DELETE"},
			{v.VersionId, "NoSuchVersion", "NotFound", 404, "", ""},
			{aws.String("null"), "NoSuchVersion", "NotFound", 404, "", ""},
			{aws.String("nonsense"), "InvalidArgument", "BadRequest", 400, "", ""},
			{aws.String(""), "InvalidArgument", "BadRequest", 400, "", ""}, // not the current one
		} {
			for code, err := range map[string]error{c.get: get(c.id), c.head: head(c.id)} {
				svctest.WantCode(w, err, code)
				svctest.WantStatus(w, err, c.status)
				var re *awshttp.ResponseError
				if errors.As(err, &re); re.Response.Header.Get("X-Amz-Delete-Marker") != c.marker || re.Response.Header.Get("Allow") != c.allow {
					w.Errorf("%s of %s: headers %v", code, aws.ToString(c.id), re.Response.Header)
				}
				if c.marker != "" && re.Response.Header.Get("X-Amz-Version-Id") != *marker.VersionId {
					w.Errorf("%s: headers %v", code, re.Response.Header)
				}
			}
		}
		_, err := w.GetObject(w.Context(), getInput("never there", func(in *s3.GetObjectInput) { in.VersionId = v.VersionId }))
		svctest.WantCode(w, err, "NoSuchVersion")
		_, err = w.GetObjectTagging(w.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String(name), Key: aws.String("key"), VersionId: marker.VersionId})
		svctest.WantCode(w, err, "MethodNotAllowed")
		_, err = w.DeleteObject(w.Context(), &s3.DeleteObjectInput{Bucket: aws.String(name), Key: aws.String("key"), VersionId: aws.String("nonsense")})
		svctest.WantCode(w, err, "InvalidArgument")
		_, err = w.DeleteObject(w.Context(), &s3.DeleteObjectInput{Bucket: aws.String(name), Key: aws.String("key"), VersionId: aws.String("")})
		svctest.WantCode(w, err, "InvalidArgument")
	})
}

// Version IDs count up, so that runs repeat.
func TestVersionIDsRepeat(t *testing.T) {
	t.Parallel()
	run := func() (ids []string) {
		inBubble(t, func(w *world) {
			w.versioning(types.BucketVersioningStatusEnabled)
			for _, key := range []string{"a", "b", "a"} {
				ids = append(ids, *w.put(key, "text").VersionId)
			}
		})
		return ids
	}
	first := run()
	if diff := cmp.Diff(first, run()); diff != "" || first[0] == first[2] || len(first[0]) != 32 {
		t.Error(first, diff)
	}
}
