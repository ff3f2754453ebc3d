package s3svc_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

// list returns the keys and the prefixes of all pages, in the order of the
// pages, keys first.
func (w *world) list(in s3.ListObjectsV2Input) (found []string, pages int) {
	w.Helper()
	in.Bucket = aws.String(name)
	p := s3.NewListObjectsV2Paginator(w.Client, &in)
	for p.HasMorePages() {
		out := svctest.Must(p.NextPage(w.Context()))(w)
		for _, o := range out.Contents {
			found = append(found, *o.Key)
		}
		for _, c := range out.CommonPrefixes {
			found = append(found, *c.Prefix)
		}
		if n := len(out.Contents) + len(out.CommonPrefixes); int(*out.KeyCount) != n || n > int(*out.MaxKeys) {
			w.Errorf("%d of %d, of at most %d", n, *out.KeyCount, *out.MaxKeys)
		}
		pages++
	}
	return found, pages
}

func TestLists(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		keys := []string{"a", "a/", "a/1", "a/2/x", "a/2/y", "a0", "b/1", "c", "c/d", "é", "\uffff\uffff"}
		for i := range keys {
			w.put(keys[len(keys)-1-i], fmt.Sprint(i))
		}
		for _, c := range []struct {
			name string
			in   s3.ListObjectsV2Input
			want []string
		}{
			{"all", s3.ListObjectsV2Input{}, keys},
			{"by a prefix", s3.ListObjectsV2Input{Prefix: aws.String("a/")}, []string{"a/", "a/1", "a/2/x", "a/2/y"}},
			{"by a prefix that nothing has", s3.ListObjectsV2Input{Prefix: aws.String("x")}, nil},
			{"by a prefix that is all there is", s3.ListObjectsV2Input{Prefix: aws.String("\uffff")}, []string{"\uffff\uffff"}},
			{"by a delimiter", s3.ListObjectsV2Input{Delimiter: aws.String("/")}, []string{"a", "a/", "a0", "b/", "c", "c/", "é", "\uffff\uffff"}},
			{"by a longer delimiter", s3.ListObjectsV2Input{Delimiter: aws.String("/2/")}, []string{"a", "a/", "a/1", "a/2/", "a0", "b/1", "c", "c/d", "é", "\uffff\uffff"}},
			{"by a prefix and a delimiter", s3.ListObjectsV2Input{Prefix: aws.String("a/"), Delimiter: aws.String("/")}, []string{"a/", "a/1", "a/2/"}},
			{"by a prefix that ends before the delimiter", s3.ListObjectsV2Input{Prefix: aws.String("a"), Delimiter: aws.String("/")}, []string{"a", "a/", "a0"}},
			{"after a key", s3.ListObjectsV2Input{StartAfter: aws.String("a0")}, []string{"b/1", "c", "c/d", "é", "\uffff\uffff"}},
			{"after what is no key", s3.ListObjectsV2Input{StartAfter: aws.String("b")}, []string{"b/1", "c", "c/d", "é", "\uffff\uffff"}},
			{"after the last one", s3.ListObjectsV2Input{StartAfter: aws.String("\uffff\uffff")}, nil},
			{"after the prefix that is asked for", s3.ListObjectsV2Input{Prefix: aws.String("a"), StartAfter: aws.String("b")}, nil},
			// A prefix that is not greater than the start is left out, whatever
			// keys with it come later.
			{"after a key that is rolled up", s3.ListObjectsV2Input{Delimiter: aws.String("/"), StartAfter: aws.String("a/1")}, []string{"a0", "b/", "c", "c/", "é", "\uffff\uffff"}},
		} {
			t.Log(c.name)
			for size := range int32(5) {
				in, want := c.in, 1
				if size > 0 {
					in.MaxKeys = aws.Int32(size)
					want = max(1, (len(c.want)+int(size)-1)/int(size))
				}
				got, pages := w.list(in)
				if size == 0 || c.in.Delimiter == nil { // else prefixes stand behind keys, page by page
					if diff := cmp.Diff(sorted(c.want), sorted(got)); diff != "" {
						w.Errorf("%s, %d a page: %s", c.name, size, diff)
					}
				}
				if size == 1 {
					if diff := cmp.Diff(c.want, got); diff != "" {
						w.Errorf("%s, one a page: %s", c.name, diff)
					}
				}
				if pages != want {
					w.Errorf("%s, %d a page: %d pages, want %d", c.name, size, pages, want)
				}
			}
		}
	})
}

func sorted(keys []string) map[string]int {
	m := map[string]int{}
	for _, k := range keys {
		m[k]++
	}
	return m
}

func TestPagesOfAThousand(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for i := range 2500 {
			w.put(fmt.Sprintf("%04d", i), "")
		}
		for _, asked := range []*int32{nil, aws.Int32(5000)} {
			got, pages := w.list(s3.ListObjectsV2Input{MaxKeys: asked})
			if len(got) != 2500 || pages != 3 {
				w.Errorf("%d keys on %d pages", len(got), pages)
			}
		}
		out := svctest.Must(w.ListObjectsV2(w.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(name)}))(w)
		// What is written behind the page is seen, what is before it is not.
		w.put("0500+", "")
		w.put("1500+", "")
		w.remove("1000", "")
		next := svctest.Must(w.ListObjectsV2(w.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(name), ContinuationToken: out.NextContinuationToken, StartAfter: aws.String("9")}))(w)
		if len(next.Contents) != 1000 || *next.Contents[0].Key != "1001" || *next.Contents[500].Key != "1500+" || *next.ContinuationToken != *out.NextContinuationToken || *next.StartAfter != "9" {
			w.Errorf("%d, from %s", len(next.Contents), *next.Contents[0].Key)
		}
	})
}

func TestWhatAListSaysOfAnObject(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		put := w.put("key", "text", func(in *s3.PutObjectInput) { in.StorageClass = "STANDARD_IA" })
		out := svctest.Must(w.ListObjectsV2(w.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(name), FetchOwner: aws.Bool(true), Prefix: aws.String("k"), Delimiter: aws.String("/")}))(w)
		o := out.Contents[0]
		if *o.ETag != *put.ETag || *o.Size != 4 || o.StorageClass != "STANDARD_IA" || !o.LastModified.Equal(*w.head("key").LastModified) || len(*o.Owner.ID) != 64 ||
			o.ChecksumAlgorithm[0] != "CRC32" || o.ChecksumType != "FULL_OBJECT" || *out.Name != name || *out.Prefix != "k" || *out.Delimiter != "/" || out.NextContinuationToken != nil || *out.MaxKeys != 1000 || *out.IsTruncated {
			w.Errorf("%v", *out)
		}
		none := svctest.Must(w.ListObjectsV2(w.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(name), MaxKeys: aws.Int32(0)}))(w)
		if len(none.Contents) > 0 || *none.IsTruncated {
			w.Errorf("%v", *none)
		}
		for _, in := range []*s3.ListObjectsV2Input{
			{MaxKeys: aws.Int32(-1)}, {ContinuationToken: aws.String("nonsense")}, {ContinuationToken: aws.String("YWZ0ZXI")},
		} {
			in.Bucket = aws.String(name)
			_, err := w.ListObjectsV2(w.Context(), in)
			svctest.WantCode(w, err, "InvalidArgument")
		}
		for _, in := range []*s3.ListObjectVersionsInput{{MaxKeys: aws.Int32(-1)}, {VersionIdMarker: aws.String("null")}} {
			in.Bucket = aws.String(name)
			_, err := w.ListObjectVersions(w.Context(), in)
			svctest.WantCode(w, err, "InvalidArgument")
		}
	})
}

func TestListsOfVersions(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.versioning("Enabled")
		ids := map[string]string{} // names of versions by ID
		put := func(key, name string) { ids[*w.put(key, name).VersionId] = name }
		put("a/1", "a1")
		put("a/2", "a2")
		put("b", "b-oldest")
		put("b", "b-old")
		ids[*w.remove("b", "").VersionId] = "b-marker"
		put("b", "b-new")
		put("c", "c")
		list := func(in s3.ListObjectVersionsInput) (found []string) {
			w.Helper()
			in.Bucket = aws.String(name)
			for {
				out := svctest.Must(w.ListObjectVersions(w.Context(), &in))(w)
				for _, v := range out.Versions {
					found = append(found, ids[*v.VersionId])
				}
				for _, v := range out.DeleteMarkers {
					found = append(found, ids[*v.VersionId])
				}
				for _, p := range out.CommonPrefixes {
					found = append(found, *p.Prefix)
				}
				if !*out.IsTruncated {
					return found
				}
				in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
			}
		}
		old := ""
		for id, name := range ids {
			if name == "b-old" {
				old = id
			}
		}
		all := []string{"a1", "a2", "b-new", "b-marker", "b-old", "b-oldest", "c"}
		for _, c := range []struct {
			name string
			in   s3.ListObjectVersionsInput
			want []string
		}{
			{"one by one", s3.ListObjectVersionsInput{MaxKeys: aws.Int32(1)}, all},
			{"by a prefix", s3.ListObjectVersionsInput{Prefix: aws.String("b"), MaxKeys: aws.Int32(1)}, all[2:6]},
			{"by a delimiter", s3.ListObjectVersionsInput{Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)}, append([]string{"a/"}, all[2:]...)},
			{"by a longer delimiter", s3.ListObjectVersionsInput{Delimiter: aws.String("/2"), MaxKeys: aws.Int32(1)}, append([]string{"a1", "a/2"}, all[2:]...)},
			{"after a key", s3.ListObjectVersionsInput{KeyMarker: aws.String("a/2"), MaxKeys: aws.Int32(1)}, all[2:]},
			{"after a rolled-up key", s3.ListObjectVersionsInput{KeyMarker: aws.String("a/1"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)}, all[2:]},
			{"after a version of a rolled-up key", s3.ListObjectVersionsInput{KeyMarker: aws.String("a/1"), VersionIdMarker: aws.String("null"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)}, all[2:]},
			{"after a version", s3.ListObjectVersionsInput{KeyMarker: aws.String("b"), VersionIdMarker: &old, MaxKeys: aws.Int32(1)}, all[5:]},
			{"after a version that is gone", s3.ListObjectVersionsInput{KeyMarker: aws.String("b"), VersionIdMarker: aws.String("null"), MaxKeys: aws.Int32(1)}, all[2:]},
			{"none", s3.ListObjectVersionsInput{MaxKeys: aws.Int32(0)}, nil},
		} {
			if diff := cmp.Diff(c.want, list(c.in)); diff != "" {
				w.Errorf("%s: %s", c.name, diff)
			}
		}
		for size := int32(2); size < 9; size++ {
			if diff := cmp.Diff(sorted(all), sorted(list(s3.ListObjectVersionsInput{MaxKeys: &size}))); diff != "" {
				w.Errorf("%d a page: %s", size, diff)
			}
		}
		// A key whose current version is a delete marker is in no list of objects.
		w.remove("c", "")
		if got, _ := w.list(s3.ListObjectsV2Input{}); len(got) != 3 {
			w.Errorf("got %v", got)
		}
	})
}
