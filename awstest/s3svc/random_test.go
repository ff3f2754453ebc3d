package s3svc_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/s3svc"
)

// refVersion is a version in the reference model.
type refVersion struct {
	id, text, etag string
	marker         bool
	tags           string
	born           int  // order of creation
	replica        bool // came by replication
	copies         int  // PENDING, if more than 0
	replicated     bool // a rule was about it
}

// refBucket is a bucket in the reference model: a map of slices, the youngest
// version last.
type refBucket struct {
	versioning string
	rule       bool // there is a replication
	markers    bool // and it takes delete markers
	keys       map[string][]*refVersion
}

// current is the current version of a key, delete markers included.
func (b *refBucket) current(key string) *refVersion {
	if v := b.keys[key]; len(v) > 0 {
		return v[len(v)-1]
	}
	return nil
}

// object is the object that a read of a key finds.
func (b *refBucket) object(key string) *refVersion {
	if v := b.current(key); v != nil && !v.marker {
		return v
	}
	return nil
}

func (b *refBucket) drop(key, id string) *refVersion {
	for i, v := range b.keys[key] {
		if v.id == id {
			b.keys[key] = slices.Delete(slices.Clone(b.keys[key]), i, i+1)
			return v
		}
	}
	return nil
}

func (b *refBucket) insert(key string, v *refVersion) {
	b.keys[key] = append(b.keys[key], v)
	slices.SortStableFunc(b.keys[key], func(x, y *refVersion) int { return cmp.Compare(x.born, y.born) })
}

// delivery is a replica that is under way.
type delivery struct {
	due time.Time
	key string
	v   *refVersion
}

// play is one random sequence.
type play struct {
	t         testing.TB
	rng       *rand.Rand
	here      *s3.Client
	there     *s3.Client
	src, dst  refBucket
	names     [2]string // of the buckets
	born      int
	underway  []delivery
	log       []string
	different bool
}

func (p *play) fail(format string, args ...any) {
	p.different = true
	p.t.Errorf(format, args...)
}

func (p *play) key() string {
	return []string{"a", "a/", "a/1", "a/2", "b", "b/c/d", "c"}[p.rng.IntN(7)]
}

func (p *play) chance(n int) bool { return p.rng.IntN(n) == 0 }

// settle does what replication has done by now.
func (p *play) settle() {
	for len(p.underway) > 0 && !p.underway[0].due.After(time.Now()) {
		d := p.underway[0]
		p.underway = p.underway[1:]
		d.v.copies--
		if !slices.Contains(p.src.keys[d.key], d.v) {
			continue
		}
		if i := slices.IndexFunc(p.dst.keys[d.key], func(v *refVersion) bool { return v.id == d.v.id }); i >= 0 {
			p.dst.keys[d.key][i].tags = d.v.tags
			continue
		}
		p.dst.insert(d.key, &refVersion{id: d.v.id, text: d.v.text, etag: d.v.etag, marker: d.v.marker, tags: d.v.tags, born: d.v.born, replica: true})
	}
}

// write adds what was written to the source.
func (p *play) write(key string, v *refVersion, id *string) {
	p.born++
	v.born = p.born
	switch p.src.versioning {
	case "Enabled":
		v.id = aws.ToString(id)
	default:
		v.id = "null"
		p.src.drop(key, "null")
		want := ""
		if p.src.versioning == "Suspended" {
			want = "null"
		}
		if aws.ToString(id) != want {
			p.fail("version ID %q, want %q", aws.ToString(id), want)
		}
	}
	p.src.insert(key, v)
	if p.src.rule && (!v.marker || p.src.markers) {
		v.replicated = true
		p.send(key, v)
	}
}

func (p *play) send(key string, v *refVersion) {
	v.copies++
	p.underway = append(p.underway, delivery{time.Now().Add(lag), key, v})
}

// step does one random thing, to both.
func (p *play) step(ctx context.Context) {
	bucket, key := p.names[0], p.key()
	now := p.src.object(key)
	switch p.rng.IntN(13) {
	case 0, 1, 2: // put, with a condition or without
		text := fmt.Sprint("text ", p.rng.IntN(3))
		in := &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)}
		want := ""
		switch p.rng.IntN(4) {
		case 0:
			in.IfNoneMatch = aws.String("*")
			if now != nil {
				want = "PreconditionFailed"
			}
		case 1:
			other := &refVersion{etag: `"00000000000000000000000000000000"`}
			if now != nil && !p.chance(3) {
				other = now
			}
			in.IfMatch = &other.etag
			switch {
			case now == nil:
				want = "NoSuchKey"
			case now.etag != other.etag:
				want = "PreconditionFailed"
			}
		}
		if p.chance(3) {
			in.Tagging = aws.String("t=" + fmt.Sprint(p.rng.IntN(3)))
		}
		p.note("put %s %q match %s none %s", key, text, aws.ToString(in.IfMatch), aws.ToString(in.IfNoneMatch))
		out, err := p.here.PutObject(ctx, in)
		if p.answers(err, want); err == nil {
			p.write(key, &refVersion{text: text, etag: *out.ETag, tags: aws.ToString(in.Tagging)}, out.VersionId)
		}
	case 3, 4: // delete, with a condition or without
		in := &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}
		want := ""
		if p.chance(3) {
			if in.IfMatch = aws.String("*"); now == nil {
				want = "NoSuchKey"
			}
		}
		p.note("delete %s match %s", key, aws.ToString(in.IfMatch))
		out, err := p.here.DeleteObject(ctx, in)
		if p.answers(err, want); err != nil {
			return
		}
		if p.src.versioning == "" {
			p.src.drop(key, "null")
			return
		}
		if !aws.ToBool(out.DeleteMarker) {
			p.fail("no delete marker")
		}
		p.write(key, &refVersion{marker: true}, out.VersionId)
	case 5: // delete a version for good
		id := "null"
		if v := p.src.keys[key]; len(v) > 0 {
			id = v[p.rng.IntN(len(v))].id
		}
		p.note("delete %s %s", key, id)
		out, err := p.here.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: &id})
		if p.answers(err, ""); err != nil {
			return
		}
		gone := p.src.drop(key, id)
		if want := gone != nil && gone.marker; aws.ToBool(out.DeleteMarker) != want {
			p.fail("a delete marker: %v, want %v", aws.ToBool(out.DeleteMarker), want)
		}
	case 6: // copy
		to := p.key()
		want := ""
		switch {
		case now == nil:
			want = "NoSuchKey"
		case to == key:
			want = "InvalidRequest"
		}
		p.note("copy %s to %s", key, to)
		out, err := p.here.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &bucket, Key: &to, CopySource: aws.String(bucket + "/" + key)})
		if p.answers(err, want); err == nil {
			p.write(to, &refVersion{text: now.text, etag: *out.CopyObjectResult.ETag, tags: now.tags}, out.VersionId)
		}
	case 7: // an upload of one part
		text := fmt.Sprint("part ", p.rng.IntN(3))
		u, err := p.here.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key})
		if p.answers(err, ""); err != nil {
			return
		}
		part, err := p.here.UploadPart(ctx, &s3.UploadPartInput{Bucket: &bucket, Key: &key, UploadId: u.UploadId, PartNumber: aws.Int32(3), Body: strings.NewReader(text)})
		if p.answers(err, ""); err != nil {
			return
		}
		in := completeInput(u, types.CompletedPart{PartNumber: aws.Int32(3), ETag: part.ETag})
		want := ""
		if p.chance(2) {
			if in.IfNoneMatch = aws.String("*"); now != nil {
				want = "PreconditionFailed"
			}
		}
		p.note("upload %s %q none %s", key, text, aws.ToString(in.IfNoneMatch))
		out, err := p.here.CompleteMultipartUpload(ctx, in)
		if p.answers(err, want); err == nil {
			p.write(key, &refVersion{text: text, etag: *out.ETag}, out.VersionId)
		}
	case 8: // tags
		tags := "t=" + fmt.Sprint(p.rng.IntN(3))
		want := ""
		if now == nil {
			want = "NoSuchKey"
		}
		p.note("tag %s %s", key, tags)
		_, err := p.here.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: &bucket, Key: &key, Tagging: tagSet("t", tags[2:])})
		if p.answers(err, want); err == nil {
			now.tags = tags
			if now.replicated {
				p.send(key, now)
			}
		}
	case 9: // versioning
		status := []string{"Enabled", "Suspended"}[p.rng.IntN(2)]
		want := ""
		if p.src.rule && status == "Suspended" {
			want = "InvalidBucketState"
		}
		p.note("versioning %s", status)
		err := version(ctx, p.here, bucket, types.BucketVersioningStatus(status))
		if p.answers(err, want); err == nil {
			p.src.versioning = status
		}
	case 10: // replication
		if p.chance(3) {
			p.note("no replication")
			_, err := p.here.DeleteBucketReplication(ctx, &s3.DeleteBucketReplicationInput{Bucket: &bucket})
			p.answers(err, "")
			p.src.rule = false
			return
		}
		markers := p.chance(2)
		status := types.DeleteMarkerReplicationStatusDisabled
		if markers {
			status = types.DeleteMarkerReplicationStatusEnabled
		}
		want := ""
		if p.src.versioning != "Enabled" {
			want = "InvalidRequest"
		}
		p.note("replication, delete markers %v", markers)
		_, err := p.here.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: &bucket, ReplicationConfiguration: &types.ReplicationConfiguration{
			Role: aws.String(role), Rules: []types.ReplicationRule{{
				Status: types.ReplicationRuleStatusEnabled, Priority: aws.Int32(1), Filter: &types.ReplicationRuleFilter{},
				DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: status},
				Destination:             &types.Destination{Bucket: aws.String("arn:aws:s3:::" + p.names[1])},
			}},
		}})
		if p.answers(err, want); err == nil {
			p.src.rule, p.src.markers = true, markers
		}
	case 11: // somebody writes to the destination
		p.note("write %s there", key)
		out, err := p.there.PutObject(ctx, &s3.PutObjectInput{Bucket: &p.names[1], Key: &key, Body: strings.NewReader("there")})
		if p.answers(err, ""); err == nil {
			p.born++
			p.dst.insert(key, &refVersion{id: *out.VersionId, text: "there", etag: *out.ETag, born: p.born})
		}
	case 12:
		d := time.Duration(p.rng.IntN(20)) * time.Second
		p.note("sleep %v", d)
		time.Sleep(d)
		p.settle()
	}
}

func (p *play) note(format string, args ...any) {
	p.log = append(p.log, fmt.Sprintf(format, args...))
}

// answers holds the answer to a call against the one expected.
func (p *play) answers(err error, want string) {
	if got := code(err); got != want {
		p.fail("got %v, want %q", err, want)
	}
}

// look compares one thing that can be read.
func (p *play) look(ctx context.Context) {
	key := p.key()
	switch p.rng.IntN(4) {
	case 0:
		p.read(ctx, key, "")
	case 1:
		if v := p.src.keys[key]; len(v) > 0 {
			p.read(ctx, key, v[p.rng.IntN(len(v))].id)
		}
	case 2:
		p.list(ctx)
	case 3:
		p.versions(ctx, p.here, p.names[0], &p.src, int32(1+p.rng.IntN(8)))
	}
}

func (p *play) read(ctx context.Context, key, id string) {
	v, want := p.src.object(key), ""
	in := &s3.GetObjectInput{Bucket: &p.names[0], Key: &key}
	if id != "" {
		in.VersionId = &id
		i := slices.IndexFunc(p.src.keys[key], func(v *refVersion) bool { return v.id == id })
		if v = p.src.keys[key][i]; v.marker {
			want = "MethodNotAllowed"
		}
	} else if v == nil {
		want = "NoSuchKey"
	}
	out, err := p.here.GetObject(ctx, in)
	if p.answers(err, want); err != nil {
		return
	}
	text, _ := io.ReadAll(out.Body)
	status := ""
	switch {
	case v.copies > 0:
		status = "PENDING"
	case v.replicated:
		status = "COMPLETED"
	}
	if string(text) != v.text || *out.ETag != v.etag || string(out.ReplicationStatus) != status || (out.TagCount != nil) != (v.tags != "") {
		p.fail("%s %s holds %q, status %q, tags %v; want %q, %q, %q", key, id, text, out.ReplicationStatus, out.TagCount, v.text, status, v.tags)
	}
}

// list compares a list of objects, page by page.
func (p *play) list(ctx context.Context) {
	in := &s3.ListObjectsV2Input{Bucket: &p.names[0], MaxKeys: aws.Int32(int32(1 + p.rng.IntN(4)))}
	prefix := []string{"", "a", "a/", "b", "x"}[p.rng.IntN(5)]
	after := []string{"", "a", "a/1", "b/c"}[p.rng.IntN(4)]
	delimiter := []string{"", "/"}[p.rng.IntN(2)]
	in.Prefix, in.StartAfter, in.Delimiter = &prefix, &after, &delimiter
	want := map[string]bool{}
	for key := range p.src.keys {
		if p.src.object(key) == nil || !strings.HasPrefix(key, prefix) {
			continue
		}
		entry := key
		if rest := key[len(prefix):]; delimiter != "" && strings.Contains(rest, delimiter) {
			head, _, _ := strings.Cut(rest, delimiter)
			entry = prefix + head + delimiter + "..." // a prefix, not a key
		}
		if strings.TrimSuffix(entry, "...") > after {
			want[entry] = true
		}
	}
	got := map[string]bool{}
	pages := s3.NewListObjectsV2Paginator(p.here, in)
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		if err != nil {
			p.fail("list: %v", err)
			return
		}
		for _, o := range out.Contents {
			got[*o.Key] = true
			if v := p.src.object(*o.Key); v != nil && *o.ETag != v.etag {
				p.fail("list: %s has %s, want %s", *o.Key, *o.ETag, v.etag)
			}
		}
		for _, c := range out.CommonPrefixes {
			got[*c.Prefix+"..."] = true
		}
		if n := len(out.Contents) + len(out.CommonPrefixes); n > int(*in.MaxKeys) || n < int(*in.MaxKeys) && *out.IsTruncated {
			p.fail("list: %d on a page of %d", n, *in.MaxKeys)
		}
	}
	if !maps.Equal(want, got) {
		p.fail("list of %q after %q by %q: %s", prefix, after, delimiter, gocmp.Diff(want, got))
	}
}

// versions compares all versions of a bucket, page by page.
func (p *play) versions(ctx context.Context, client *s3.Client, bucket string, ref *refBucket, size int32) {
	var want, got []string
	for _, key := range slices.Sorted(maps.Keys(ref.keys)) {
		for _, v := range slices.Backward(ref.keys[key]) {
			want = append(want, fmt.Sprint(key, " ", v.id, " ", v.marker, " ", v.etag, " ", v == ref.current(key)))
		}
	}
	in := &s3.ListObjectVersionsInput{Bucket: &bucket, MaxKeys: aws.Int32(1)}
	if size > 1 {
		in.MaxKeys = &size
	}
	for {
		out, err := client.ListObjectVersions(ctx, in)
		if err != nil {
			p.fail("versions: %v", err)
			return
		}
		for _, v := range out.Versions {
			got = append(got, fmt.Sprint(*v.Key, " ", *v.VersionId, " ", false, " ", *v.ETag, " ", *v.IsLatest))
		}
		for _, v := range out.DeleteMarkers {
			got = append(got, fmt.Sprint(*v.Key, " ", *v.VersionId, " ", true, " ", "", " ", *v.IsLatest))
		}
		if !*out.IsTruncated {
			break
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
	if size > 1 { // versions and delete markers are two lists on a page
		slices.Sort(want)
		slices.Sort(got)
	}
	if !slices.Equal(want, got) {
		p.fail("versions of %s: %s", bucket, gocmp.Diff(want, got))
	}
}

// run plays one sequence, and tells it if there was a difference.
func run(t *testing.T, cloud *awstest.Cloud, number uint64) (ok bool) {
	t.Helper()
	ctx := t.Context()
	p := &play{
		t: t, rng: rand.New(rand.NewPCG(number, 0)), here: s3.NewFromConfig(cloud.Config(here)), there: s3.NewFromConfig(cloud.Config(there)),
		names: [2]string{fmt.Sprint("source-", number), fmt.Sprint("destination-", number)},
		src:   refBucket{keys: map[string][]*refVersion{}}, dst: refBucket{versioning: "Enabled", keys: map[string][]*refVersion{}},
	}
	svctest.Must(p.here.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &p.names[0]}))(t)
	svctest.Must(p.there.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &p.names[1], CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: there}}))(t)
	if err := version(ctx, p.there, p.names[1], types.BucketVersioningStatusEnabled); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		p.step(ctx)
		if p.chance(2) {
			p.look(ctx)
		}
		if p.different {
			break
		}
	}
	if !p.different {
		time.Sleep(lag)
		p.settle()
		p.versions(ctx, p.here, p.names[0], &p.src, 1)
		p.versions(ctx, p.there, p.names[1], &p.dst, 1)
	}
	if p.different {
		t.Logf("go test -run TestRandomSequences -seed %d; the steps:\n%s", number, strings.Join(p.log, "\n"))
	}
	return !p.different
}

// TestRandomSequences holds S3 to a simple model, in sequences of random
// operations with time that passes.
func TestRandomSequences(t *testing.T) {
	svctest.Sequences(t, 1000, 100, func(t *testing.T, first, last uint64) {
		synctest.Test(t, func(t *testing.T) {
			cloud := svctest.Must(awstest.New([]awstest.Service{s3svc.New()}, func(o *awstest.Options) { o.Latency, o.CallLog = awstest.NoLatency, 1 }))(t)
			defer func() {
				if err := cloud.Close(); err != nil {
					t.Error(err)
				}
			}()
			for n := first; n <= last && run(t, cloud, n); n++ {
			}
		})
	})
}
