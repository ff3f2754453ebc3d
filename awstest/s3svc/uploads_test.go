package s3svc_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

// begin begins a multipart upload.
func (w *world) begin(key string, change ...func(*s3.CreateMultipartUploadInput)) *s3.CreateMultipartUploadOutput {
	w.Helper()
	in := &s3.CreateMultipartUploadInput{Bucket: aws.String(name), Key: &key}
	for _, fn := range change {
		fn(in)
	}
	return svctest.Must(w.CreateMultipartUpload(w.Context(), in))(w)
}

func partInput(u *s3.CreateMultipartUploadOutput, number int32, data []byte) *s3.UploadPartInput {
	return &s3.UploadPartInput{
		Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId, PartNumber: &number, Body: bytes.NewReader(data), ChecksumAlgorithm: u.ChecksumAlgorithm,
	}
}

// part uploads a part, and returns it as CompleteMultipartUpload wants it.
func (w *world) part(u *s3.CreateMultipartUploadOutput, number int32, data []byte) types.CompletedPart {
	w.Helper()
	out := svctest.Must(w.UploadPart(w.Context(), partInput(u, number, data)))(w)
	return types.CompletedPart{
		PartNumber: &number, ETag: out.ETag, ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
		ChecksumSHA1: out.ChecksumSHA1, ChecksumSHA256: out.ChecksumSHA256, ChecksumSHA512: out.ChecksumSHA512, ChecksumMD5: out.ChecksumMD5,
	}
}

func completeInput(u *s3.CreateMultipartUploadOutput, parts ...types.CompletedPart) *s3.CompleteMultipartUploadInput {
	return &s3.CompleteMultipartUploadInput{
		Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
}

func TestObjectIsMadeOfParts(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.versioning("Enabled")
		first, second := blob(5*mebi), blob(1000)
		u := w.begin("key", func(in *s3.CreateMultipartUploadInput) {
			in.ContentType, in.Metadata, in.Tagging = aws.String("text/plain"), map[string]string{"By": "me"}, aws.String("a=1")
		})
		started := time.Now()
		sleep(time.Hour)
		two := w.part(u, 2, second)
		w.part(u, 1, []byte("replaced"))
		one := w.part(u, 1, first)
		w.part(u, 3, []byte("left out"))
		if got := w.read("key"); got != "NoSuchKey" {
			w.Errorf("while it is under way: %q", got)
		}
		out := svctest.Must(w.CompleteMultipartUpload(w.Context(), completeInput(u, one, two)))(w)
		sum1, sum2 := md5.Sum(first), md5.Sum(second)
		both := md5.Sum(append(sum1[:], sum2[:]...))
		etag := `"` + hex.EncodeToString(both[:]) + `-2"`
		if *out.ETag != etag || aws.ToString(out.VersionId) == "" || *out.Location != "https://journal.s3.us-east-1.amazonaws.com/key" {
			w.Errorf("%v", *out)
		}
		head := w.head("key")
		if *head.ETag != etag || *head.ContentLength != int64(len(first)+len(second)) || *head.ContentType != "text/plain" || head.Metadata["by"] != "me" || *head.TagCount != 1 {
			w.Errorf("%v", *head)
		}
		if d := started.Sub(*head.LastModified); d < 0 || d >= time.Second {
			w.Errorf("its date is %v before the beginning of the upload", d)
		}
		if got := w.read("key"); got != string(first)+string(second) {
			w.Errorf("%d bytes", len(got))
		}
		if got := w.read("key", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(2) }); got != string(second) {
			w.Errorf("the second part has %d bytes", len(got))
		}
		part := svctest.Must(w.GetObject(w.Context(), getInput("key", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(1) })))(w)
		if *part.PartsCount != 2 || *part.ContentRange != fmt.Sprintf("bytes 0-%d/%d", len(first)-1, len(first)+len(second)) {
			w.Errorf("%d parts, %s", *part.PartsCount, *part.ContentRange)
		}
		if got := w.read("key", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(3) }); got != "InvalidPartNumber" {
			w.Errorf("the third part is %q", got)
		}
		// It is over.
		for _, in := range []any{
			completeInput(u, one, two), partInput(u, 3, nil), &s3.ListPartsInput{Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId},
			&s3.AbortMultipartUploadInput{Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId},
		} {
			_, err := svctest.Call(w.Context(), w.Client, in)
			svctest.WantCode(w, err, "NoSuchUpload")
			svctest.WantStatus(w, err, 404)
		}
	})
}

func TestChecksumsOfParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		algorithm types.ChecksumAlgorithm
		kind      types.ChecksumType
		begun     types.ChecksumType
		sum, part string
	}{
		{"", "", "", "CRC64NVME FULL_OBJECT", ""},
		{"CRC32", "", "COMPOSITE", "CRC32 COMPOSITE", "CRC32"},
		{"CRC32", "FULL_OBJECT", "FULL_OBJECT", "CRC32 FULL_OBJECT", "CRC32"},
		{"CRC64NVME", "", "FULL_OBJECT", "CRC64NVME FULL_OBJECT", "CRC64NVME"},
		{"SHA256", "", "COMPOSITE", "SHA256 COMPOSITE", "SHA256"},
		{"SHA1", "COMPOSITE", "COMPOSITE", "SHA1 COMPOSITE", "SHA1"},
	} {
		t.Run(strings.TrimSpace(string(c.algorithm)+" "+string(c.kind)), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				u := w.begin("key", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm, in.ChecksumType = c.algorithm, c.kind })
				if u.ChecksumType != c.begun || u.ChecksumAlgorithm != c.algorithm {
					w.Errorf("begun as %s %s", u.ChecksumAlgorithm, u.ChecksumType)
				}
				first, second := blob(5*mebi), []byte("rest")
				one, two := w.part(u, 1, first), w.part(u, 2, second)
				out := svctest.Must(w.CompleteMultipartUpload(w.Context(), completeInput(u, one, two)))(w)
				whole := append(bytes.Clone(first), second...)
				head := svctest.Must(w.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("key"), ChecksumMode: types.ChecksumModeEnabled}))(w)
				algorithm, kind, _ := strings.Cut(c.sum, " ")
				want := reference(algorithm, whole)
				if kind == "COMPOSITE" {
					want = reference(algorithm, append(reference(algorithm, first).raw(), reference(algorithm, second).raw()...))
					want += "-2"
				}
				if got := sumOf(head, algorithm); got != string(want) || string(head.ChecksumType) != kind {
					w.Errorf("got %s %s, want %s", got, head.ChecksumType, want)
				}
				if got := sumOf(out, algorithm); got != string(want) || string(out.ChecksumType) != kind {
					w.Errorf("completed as %s %s", got, out.ChecksumType)
				}
				part := svctest.Must(w.HeadObject(w.Context(), &s3.HeadObjectInput{
					Bucket: aws.String(name), Key: aws.String("key"), ChecksumMode: types.ChecksumModeEnabled, PartNumber: aws.Int32(2),
				}))(w)
				if c.part != "" && sumOf(part, c.part) != string(reference(c.part, second)) {
					w.Errorf("the second part has %s", sumOf(part, c.part))
				}
			})
		})
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	begin := func(algorithm types.ChecksumAlgorithm, kind types.ChecksumType) func(*world) error {
		return func(w *world) error {
			_, err := w.CreateMultipartUpload(w.Context(), &s3.CreateMultipartUploadInput{
				Bucket: aws.String(name), Key: aws.String("key"), ChecksumAlgorithm: algorithm, ChecksumType: kind,
			})
			return err
		}
	}
	part := func(algorithm types.ChecksumAlgorithm, number int32, change func(*s3.UploadPartInput)) func(*world) error {
		return func(w *world) error {
			u := w.begin("key", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = algorithm })
			in := partInput(u, number, []byte("text"))
			change(in)
			_, err := w.UploadPart(w.Context(), in)
			return err
		}
	}
	complete := func(algorithm types.ChecksumAlgorithm, sizes []int, change func(*s3.CompleteMultipartUploadInput)) func(*world) error {
		return func(w *world) error {
			u := w.begin("key", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = algorithm })
			in := completeInput(u)
			for i, size := range sizes {
				in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, w.part(u, int32(i+1), blob(size)))
			}
			change(in)
			_, err := w.CompleteMultipartUpload(w.Context(), in)
			// It is still under way.
			svctest.Must(w.AbortMultipartUpload(w.Context(), &s3.AbortMultipartUploadInput{Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId}))(w)
			return err
		}
	}
	same := func(*s3.UploadPartInput) {}
	for what, c := range map[string]struct {
		call func(*world) error
		code string
	}{
		"a type without algorithm":     {begin("", "FULL_OBJECT"), "InvalidRequest"},
		"a type the algorithm has not": {begin("SHA256", "FULL_OBJECT"), "InvalidRequest"},
		"a composite CRC64NVME":        {begin("CRC64NVME", "COMPOSITE"), "InvalidRequest"},
		"a key that is too long": {func(w *world) error {
			_, err := w.CreateMultipartUpload(w.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(name), Key: aws.String(string(blob(1025)))})
			return err
		}, "KeyTooLongError"},
		"tags that are none": {func(w *world) error {
			_, err := w.CreateMultipartUpload(w.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(name), Key: aws.String("key"), Tagging: aws.String("a&a")})
			return err
		}, "InvalidArgument"},
		"metadata that is too large": {func(w *world) error {
			_, err := w.CreateMultipartUpload(w.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(name), Key: aws.String("key"), Metadata: map[string]string{"k": string(blob(2049))}})
			return err
		}, "MetadataTooLarge"},
		"a list of less than none": {func(w *world) error {
			_, err := w.ListMultipartUploads(w.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(name), MaxUploads: aws.Int32(-1)})
			return err
		}, "InvalidArgument"},
		"two checksums of a part": {part("", 1, func(in *s3.UploadPartInput) {
			in.ChecksumCRC32, in.ChecksumCRC32C = aws.String("AAAAAA=="), aws.String("AAAAAA==")
		}), "InvalidRequest"},
		"a part of an unsized stream": {part("", 1, func(in *s3.UploadPartInput) { in.Body = unseekable{strings.NewReader("text")} }), "MissingContentLength"},
		"two checksums of the object": {complete("", []int{1}, func(in *s3.CompleteMultipartUploadInput) {
			in.ChecksumCRC32, in.ChecksumCRC32C = aws.String("AAAAAA=="), aws.String("AAAAAA==")
		}), "InvalidRequest"},
		"two checksums of a part of the object": {complete("", []int{1}, func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts[0].ChecksumCRC32C = aws.String("AAAAAA==")
		}), "InvalidRequest"},
		"part 0":                        {part("", 0, same), "InvalidArgument"},
		"part 10,001":                   {part("", 10_001, same), "InvalidArgument"},
		"the SDK's default of a SHA256": {part("SHA256", 1, func(in *s3.UploadPartInput) { in.ChecksumAlgorithm = "" }), "InvalidRequest"},
		"a checksum that is wrong":      {part("", 1, func(in *s3.UploadPartInput) { in.ChecksumCRC32 = aws.String("AAAAAA==") }), "BadDigest"},
		"an MD5 that is wrong":          {part("", 1, func(in *s3.UploadPartInput) { in.ContentMD5 = aws.String("AAAAAAAAAAAAAAAAAAAAAA==") }), "BadDigest"},
		"an unknown upload":             {part("", 1, func(in *s3.UploadPartInput) { in.UploadId = aws.String("upload") }), "NoSuchUpload"},
		"another key":                   {part("", 1, func(in *s3.UploadPartInput) { in.Key = aws.String("other") }), "NoSuchUpload"},
		"no parts": {complete("", []int{1}, func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts = nil
		}), "MalformedXML"},
		"no list of parts": {complete("", []int{1}, func(in *s3.CompleteMultipartUploadInput) { in.MultipartUpload = nil }), "MalformedXML"},
		"parts out of order": {complete("", []int{5 * mebi, 1}, func(in *s3.CompleteMultipartUploadInput) {
			p := in.MultipartUpload.Parts
			p[0], p[1] = p[1], p[0]
		}), "InvalidPartOrder"},
		"a part twice": {complete("", []int{5 * mebi, 1}, func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts[1] = in.MultipartUpload.Parts[0]
		}), "InvalidPartOrder"},
		"a gap, with a composite checksum": {complete("CRC32", []int{5 * mebi, 1}, func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts = in.MultipartUpload.Parts[1:]
		}), "InvalidPartOrder"},
		"a part that is not there": {complete("", []int{1}, func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts[0].PartNumber = aws.Int32(2)
		}), "InvalidPart"},
		"a part of another ETag": {complete("", []int{1}, func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts[0].ETag = aws.String(`"00000000000000000000000000000000"`)
		}), "InvalidPart"},
		"a part of another checksum": {complete("CRC32", []int{1}, func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts[0].ChecksumCRC32 = aws.String("AAAAAA==")
		}), "InvalidPart"},
		"a part without its checksum": {complete("SHA256", []int{1}, func(in *s3.CompleteMultipartUploadInput) {
			in.MultipartUpload.Parts[0].ChecksumSHA256 = nil
		}), "InvalidRequest"},
		"a part that is too small": {complete("", []int{5*mebi - 1, 1}, func(*s3.CompleteMultipartUploadInput) {}), "EntityTooSmall"},
		"another size":             {complete("", []int{1}, func(in *s3.CompleteMultipartUploadInput) { in.MpuObjectSize = aws.Int64(2) }), "InvalidRequest"},
		"another type":             {complete("CRC32", []int{1}, func(in *s3.CompleteMultipartUploadInput) { in.ChecksumType = "FULL_OBJECT" }), "BadDigest"},
		"another checksum":         {complete("CRC32", []int{1}, func(in *s3.CompleteMultipartUploadInput) { in.ChecksumCRC32 = aws.String("AAAAAA==-1") }), "BadDigest"},
		"another algorithm":        {complete("CRC32", []int{1}, func(in *s3.CompleteMultipartUploadInput) { in.ChecksumCRC32C = aws.String("AAAAAA==") }), "BadDigest"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				if err := c.call(w); code(err) != c.code {
					w.Errorf("got %v, want %s", err, c.code)
				}
				if got := w.read("key"); got != "NoSuchKey" {
					w.Errorf("there is an object: %.20q", got)
				}
			})
		})
	}
}

func TestGapsBetweenPartsWithoutCompositeChecksum(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		u := w.begin("key")
		a, b := w.part(u, 3, blob(5*mebi)), w.part(u, 7, []byte("rest"))
		in := completeInput(u, a, b)
		in.MpuObjectSize = aws.Int64(5*mebi + 4)
		svctest.Must(w.CompleteMultipartUpload(w.Context(), in))(w)
		if got := w.read("key", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(7) }); got != "rest" {
			w.Errorf("got %.20q", got)
		}
	})
}

func TestListOfParts(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		u := w.begin("key")
		for _, n := range []int32{5, 1, 9, 3} {
			w.part(u, n, blob(int(n)))
		}
		list := func(in *s3.ListPartsInput) (numbers []int32) {
			in.Bucket, in.Key, in.UploadId = u.Bucket, u.Key, u.UploadId
			pages := s3.NewListPartsPaginator(w.Client, in)
			for pages.HasMorePages() {
				out := svctest.Must(pages.NextPage(w.Context()))(w)
				for _, p := range out.Parts {
					if numbers = append(numbers, *p.PartNumber); *p.Size != int64(*p.PartNumber) || p.ETag == nil || p.LastModified == nil {
						w.Errorf("part %v", p)
					}
				}
			}
			return numbers
		}
		for _, c := range []struct {
			in   *s3.ListPartsInput
			want []int32
		}{
			{&s3.ListPartsInput{}, []int32{1, 3, 5, 9}},
			{&s3.ListPartsInput{MaxParts: aws.Int32(1)}, []int32{1, 3, 5, 9}},
			{&s3.ListPartsInput{MaxParts: aws.Int32(2), PartNumberMarker: aws.String("2")}, []int32{3, 5, 9}},
			{&s3.ListPartsInput{PartNumberMarker: aws.String("9")}, nil},
			{&s3.ListPartsInput{PartNumberMarker: aws.String("2147483647")}, nil},
		} {
			if diff := cmp.Diff(c.want, list(c.in)); diff != "" {
				w.Error(diff)
			}
		}
		for _, in := range []*s3.ListPartsInput{{MaxParts: aws.Int32(-1)}, {PartNumberMarker: aws.String("a")}, {PartNumberMarker: aws.String("9223372036854775807")}} {
			in.Bucket, in.Key, in.UploadId = u.Bucket, u.Key, u.UploadId
			_, err := w.ListParts(w.Context(), in)
			svctest.WantCode(w, err, "InvalidArgument")
		}
		none := svctest.Must(w.ListParts(w.Context(), &s3.ListPartsInput{Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId, MaxParts: aws.Int32(0)}))(w)
		if len(none.Parts) > 0 || *none.IsTruncated {
			w.Errorf("a page of nothing has %d parts, and goes on: %v", len(none.Parts), *none.IsTruncated)
		}
	})
}

func TestListOfUploads(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var all []string
		for _, key := range []string{"b", "a/1", "a/2", "b", "c", "b"} {
			u := w.begin(key)
			all = append(all, key+" "+*u.UploadId)
		}
		at := func(i ...int) (want []string) {
			for _, i := range i {
				want = append(want, all[i])
			}
			return want
		}
		list := func(in s3.ListMultipartUploadsInput) (found []string) {
			w.Helper()
			in.Bucket = aws.String(name)
			for {
				out := svctest.Must(w.ListMultipartUploads(w.Context(), &in))(w)
				for _, u := range out.Uploads {
					found = append(found, *u.Key+" "+*u.UploadId)
				}
				for _, p := range out.CommonPrefixes {
					found = append(found, *p.Prefix)
				}
				if !*out.IsTruncated {
					return found
				}
				if n := len(out.Uploads) + len(out.CommonPrefixes); n != int(*in.MaxUploads) {
					w.Fatalf("a page of %d, want %d", n, *in.MaxUploads)
				}
				in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
			}
		}
		for _, c := range []struct {
			name string
			in   s3.ListMultipartUploadsInput
			want []string
		}{
			{"all", s3.ListMultipartUploadsInput{}, at(1, 2, 0, 3, 5, 4)},
			{"one by one", s3.ListMultipartUploadsInput{MaxUploads: aws.Int32(1)}, at(1, 2, 0, 3, 5, 4)},
			{"two by two", s3.ListMultipartUploadsInput{MaxUploads: aws.Int32(2)}, at(1, 2, 0, 3, 5, 4)},
			{"with a prefix", s3.ListMultipartUploadsInput{Prefix: aws.String("a/"), MaxUploads: aws.Int32(1)}, at(1, 2)},
			{"rolled up", s3.ListMultipartUploadsInput{Delimiter: aws.String("/"), MaxUploads: aws.Int32(1)}, append([]string{"a/"}, at(0, 3, 5, 4)...)},
			{"rolled up by a longer delimiter", s3.ListMultipartUploadsInput{Delimiter: aws.String("/2"), MaxUploads: aws.Int32(1)}, append(append(at(1), "a/2"), at(0, 3, 5, 4)...)},
			{"after a key", s3.ListMultipartUploadsInput{KeyMarker: aws.String("b")}, at(4)},
			{"after an upload", s3.ListMultipartUploadsInput{KeyMarker: aws.String("b"), UploadIdMarker: aws.String(strings.TrimPrefix(all[0], "b "))}, at(3, 5, 4)},
			{"none", s3.ListMultipartUploadsInput{MaxUploads: aws.Int32(0)}, nil},
		} {
			if diff := cmp.Diff(c.want, list(c.in)); diff != "" {
				w.Errorf("%s: %s", c.name, diff)
			}
		}
	})
}
