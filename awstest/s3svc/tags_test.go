package s3svc_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

func tagSet(pairs ...string) *types.Tagging {
	set := &types.Tagging{TagSet: []types.Tag{}}
	for i := 0; i < len(pairs); i += 2 {
		set.TagSet = append(set.TagSet, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return set
}

func (w *world) tags(key string, version *string) string {
	w.Helper()
	out := svctest.Must(w.GetObjectTagging(w.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String(name), Key: &key, VersionId: version}))(w)
	var text []string
	for _, t := range out.TagSet {
		text = append(text, *t.Key+"="+*t.Value)
	}
	return strings.Join(text, "&")
}

func TestTags(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.versioning("Enabled")
		first := w.put("key", "first", func(in *s3.PutObjectInput) { in.Tagging = aws.String("b=2&a=1%20x") })
		second := w.put("key", "second")
		if got := w.tags("key", first.VersionId); got != "a=1 x&b=2" {
			w.Errorf("got %s", got)
		}
		out := svctest.Must(w.PutObjectTagging(w.Context(), &s3.PutObjectTaggingInput{Bucket: aws.String(name), Key: aws.String("key"), Tagging: tagSet("c", "3", "a", "")}))(w)
		if *out.VersionId != *second.VersionId {
			w.Errorf("%v", *out)
		}
		if got := w.tags("key", nil); got != "c=3&a=" {
			w.Errorf("got %s", got)
		}
		if got := w.head("key").TagCount; *got != 2 {
			w.Errorf("%d tags", *got)
		}
		if got := w.tags("key", first.VersionId); got != "a=1 x&b=2" {
			w.Errorf("the other version has %s", got)
		}
		gone := svctest.Must(w.DeleteObjectTagging(w.Context(), &s3.DeleteObjectTaggingInput{Bucket: aws.String(name), Key: aws.String("key"), VersionId: first.VersionId}))(w)
		if got := w.tags("key", first.VersionId); got != "" || *gone.VersionId != *first.VersionId {
			w.Errorf("got %s", got)
		}
		if got := w.head("key").TagCount; *got != 2 {
			w.Errorf("%d tags", *got)
		}
		// The version is the same one, with the same date.
		if diff := cmp.Diff([]string{"first", "second"}, []string{
			w.read("key", func(in *s3.GetObjectInput) { in.VersionId = first.VersionId }), w.read("key"),
		}); diff != "" {
			w.Error(diff)
		}
	})
}

func TestTagsThatAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("key", "text")
		many := make([]string, 22)
		for i := range many {
			many[i] = strings.Repeat("k", i+1)
		}
		for what, c := range map[string]struct {
			key  string
			tags *types.Tagging
			code string
		}{
			"too many":          {"key", tagSet(many...), "BadRequest"},
			"one twice":         {"key", tagSet("a", "1", "a", "2"), "InvalidTag"},
			"an empty key":      {"key", tagSet("", "1"), "InvalidTag"},
			"a key too long":    {"key", tagSet(strings.Repeat("k", 129), "1"), "InvalidTag"},
			"a value too long":  {"key", tagSet("a", strings.Repeat("v", 257)), "InvalidTag"},
			"a tag of AWS":      {"key", tagSet("aws:a", "1"), "InvalidTag"},
			"of a missing key":  {"missing", tagSet("a", "1"), "NoSuchKey"},
			"as long as may be": {"key", tagSet(strings.Repeat("ü", 128), strings.Repeat("ü", 256)), ""},
		} {
			_, err := w.PutObjectTagging(w.Context(), &s3.PutObjectTaggingInput{Bucket: aws.String(name), Key: &c.key, Tagging: c.tags})
			if code(err) != c.code {
				w.Errorf("%s: got %v, want %q", what, err, c.code)
			}
		}
	})
}
