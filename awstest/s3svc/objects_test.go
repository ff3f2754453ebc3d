package s3svc_test

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/s3svc"
)

func TestObjectIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		expires := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
		sleep(1500 * time.Millisecond)
		written := time.Now().UTC().Truncate(time.Second)
		meta := map[string]string{"Token": "17", "owner": "a"}
		put := w.put("dir/a key", "text", func(in *s3.PutObjectInput) {
			in.ContentType, in.ContentEncoding, in.ContentLanguage = aws.String("text/plain"), aws.String("identity"), aws.String("en")
			in.ContentDisposition, in.CacheControl, in.WebsiteRedirectLocation = aws.String("inline"), aws.String("no-store"), aws.String("/other")
			in.Expires, in.Metadata, in.StorageClass, in.ServerSideEncryption = &expires, meta, types.StorageClassStandardIa, types.ServerSideEncryptionAes256
			in.Tagging, in.RequestPayer = aws.String("a=1&b=2"), types.RequestPayerRequester
		})
		meta["Token"] = "changed afterwards"
		digest := md5.Sum([]byte("text"))
		etag := `"` + hex.EncodeToString(digest[:]) + `"`
		if *put.ETag != etag || put.VersionId != nil || put.ServerSideEncryption != types.ServerSideEncryptionAes256 || put.ChecksumType != types.ChecksumTypeFullObject || *put.ChecksumCRC32 != string(reference("CRC32", []byte("text"))) {
			w.Errorf("%v", *put)
		}
		want := &s3.HeadObjectOutput{
			AcceptRanges: aws.String("bytes"), ContentLength: aws.Int64(4), ETag: &etag, LastModified: &written,
			ContentType: aws.String("text/plain"), ContentEncoding: aws.String("identity"), ContentLanguage: aws.String("en"),
			ContentDisposition: aws.String("inline"), CacheControl: aws.String("no-store"), WebsiteRedirectLocation: aws.String("/other"),
			Expires:       &expires, //nolint:staticcheck // deprecated, and still read
			ExpiresString: aws.String("Wed, 02 Jan 2030 03:04:05 GMT"), Metadata: map[string]string{"token": "17", "owner": "a"},
			StorageClass: types.StorageClassStandardIa, ServerSideEncryption: types.ServerSideEncryptionAes256, TagCount: aws.Int32(2),
		}
		head := w.head("dir/a key")
		if diff := cmp.Diff(*want, *head, ignore); diff != "" {
			w.Error(diff)
		}
		got := svctest.Must(w.GetObject(w.Context(), getInput("dir/a key")))(w)
		// The SDK asks for the checksum by default.
		if *got.ChecksumCRC32 != *put.ChecksumCRC32 || got.ChecksumType != put.ChecksumType {
			w.Errorf("checksum %v", got.ChecksumCRC32)
		}
		if *got.ContentType != "text/plain" || *got.ETag != etag || !got.LastModified.Equal(written) || *got.ContentLength != 4 || *got.CacheControl != "no-store" || *got.TagCount != 2 ||
			*got.ContentLanguage != "en" || *got.ContentEncoding != "identity" || *got.ContentDisposition != "inline" || got.StorageClass != types.StorageClassStandardIa ||
			*got.WebsiteRedirectLocation != "/other" || *got.ExpiresString != *want.ExpiresString || got.Metadata["token"] != "17" || *got.AcceptRanges != "bytes" {
			w.Errorf("%v", *got)
		}
		if text := svctest.Must(io.ReadAll(got.Body))(w); string(text) != "text" {
			w.Errorf("%q", text)
		}
		other := svctest.Must(w.GetObject(w.Context(), getInput("dir/a key", func(in *s3.GetObjectInput) {
			in.ResponseContentType, in.ResponseCacheControl, in.ResponseContentDisposition = aws.String("a"), aws.String("b"), aws.String("c")
			in.ResponseContentEncoding, in.ResponseContentLanguage, in.ResponseExpires = aws.String("d"), aws.String("e"), aws.Time(time.Unix(0, 0))
		})))(w)
		if *other.ContentType+*other.CacheControl+*other.ContentDisposition+*other.ContentEncoding+*other.ContentLanguage != "abcde" || *other.ExpiresString != "Thu, 01 Jan 1970 00:00:00 GMT" {
			w.Errorf("%v", *other)
		}
	})
}

var ignore = cmp.FilterPath(func(p cmp.Path) bool {
	return p.Last().String() == ".ResultMetadata" || p.Last().String() == ".noSmithyDocumentSerde"
}, cmp.Ignore())

func TestTypesOfContentThatIsNotSaid(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("a", "text")
		w.put("b", "", func(in *s3.PutObjectInput) { in.Body = nil })
		for key, want := range map[string]string{"a": "application/octet-stream", "b": "binary/octet-stream"} {
			if got := *w.head(key).ContentType; got != want {
				w.Errorf("%s: %s", key, got)
			}
		}
		if got := w.read("b"); got != "" {
			w.Errorf("got %q", got)
		}
	})
}

func TestWritesThatAreRefused(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		key    string
		change func(*s3.PutObjectInput)
		code   string
		status int
	}{
		"a key that is too long":     {strings.Repeat("k", 1025), func(*s3.PutObjectInput) {}, "KeyTooLongError", 400},
		"a key that is no text":      {"a\xff", func(*s3.PutObjectInput) {}, "InvalidURI", 400},
		"metadata that is too large": {"key", func(in *s3.PutObjectInput) { in.Metadata = map[string]string{"k": strings.Repeat("v", 2<<10)} }, "MetadataTooLarge", 400},
		"an MD5 that is wrong":       {"key", func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("AAAAAAAAAAAAAAAAAAAAAA==") }, "BadDigest", 400},
		"an MD5 that is none":        {"key", func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("AAAA") }, "InvalidDigest", 400},
		"a checksum that is wrong":   {"key", func(in *s3.PutObjectInput) { in.ChecksumSHA1 = aws.String("AAAAAAAAAAAAAAAAAAAAAAAAAAA=") }, "BadDigest", 400},
		"a checksum that is none":    {"key", func(in *s3.PutObjectInput) { in.ChecksumCRC32 = aws.String("AAAAAAA=") }, "InvalidRequest", 400},
		"two checksums": {"key", func(in *s3.PutObjectInput) {
			in.ChecksumCRC32, in.ChecksumCRC32C = aws.String("AAAAAA=="), aws.String("AAAAAA==")
		}, "InvalidRequest", 400},
		"a checksum of another algorithm than is named": {"key", func(in *s3.PutObjectInput) {
			in.ChecksumAlgorithm, in.ChecksumCRC32 = types.ChecksumAlgorithmSha256, aws.String(string(reference("CRC32", []byte("text"))))
		}, "BadDigest", 400},
		"too many tags":      {"key", func(in *s3.PutObjectInput) { in.Tagging = aws.String("a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=") }, "BadRequest", 400},
		"a tag twice":        {"key", func(in *s3.PutObjectInput) { in.Tagging = aws.String("a=1&a=2") }, "InvalidArgument", 400},
		"tags that are none": {"key", func(in *s3.PutObjectInput) { in.Tagging = aws.String("a=%zz") }, "InvalidArgument", 400},
		"an unsized stream":  {"key", func(in *s3.PutObjectInput) { in.Body = unseekable{strings.NewReader("text")} }, "MissingContentLength", 411},
		"a stream of a pipe": {"key", func(in *s3.PutObjectInput) { in.Body = pipe("text") }, "MissingContentLength", 411},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				_, err := w.PutObject(w.Context(), putInput(c.key, "text", c.change))
				svctest.WantCode(w, err, c.code)
				svctest.WantStatus(w, err, c.status)
				if out := svctest.Must(w.ListObjectsV2(w.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(name)}))(w); *out.KeyCount != 0 {
					w.Error("there is an object")
				}
			})
		})
	}
}

func pipe(text string) io.Reader {
	r, w := io.Pipe()
	go func() { _, _ = io.WriteString(w, text); _ = w.Close() }()
	return r
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	text := []byte("the text of an object")
	for _, algorithm := range []string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				want := string(reference(algorithm, text))
				given := putInput("given", string(text))
				switch algorithm {
				case "CRC32":
					given.ChecksumCRC32 = &want
				case "CRC32C":
					given.ChecksumCRC32C = &want
				case "CRC64NVME":
					given.ChecksumCRC64NVME = &want
				case "SHA1":
					given.ChecksumSHA1 = &want
				case "SHA256":
					given.ChecksumSHA256 = &want
				case "SHA512":
					given.ChecksumSHA512 = &want
				case "MD5":
					given.ChecksumMD5 = &want
				}
				named := putInput("named", string(text), func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithm(algorithm) })
				both := []*s3.PutObjectInput{given, named}
				if algorithm == "MD5" {
					both[0].Key, both = aws.String("named"), both[:1] // the SDK makes none
				}
				for _, in := range both {
					if out := svctest.Must(w.PutObject(w.Context(), in))(w); sumOf(out, algorithm) != want {
						w.Errorf("%s: got %s, want %s", *in.Key, sumOf(out, algorithm), want)
					}
					if out := svctest.Must(w.GetObject(w.Context(), getInput(*in.Key)))(w); sumOf(out, algorithm) != want || out.ChecksumType != "FULL_OBJECT" {
						w.Errorf("%s: read as %s, want %s", *in.Key, sumOf(out, algorithm), want)
					}
				}
				if head := w.head("named"); sumOf(head, algorithm) != "" || head.ChecksumType != "" {
					w.Error("the checksum is shown to who does not ask for it")
				}
				ranged := svctest.Must(w.GetObject(w.Context(), getInput("named", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=0-3") })))(w)
				if sumOf(ranged, algorithm) != "" {
					w.Error("a range has the checksum of the whole")
				}
			})
		})
	}
}

// Known answers: the check values of the catalogue of CRCs for "123456789".
func TestChecksumsOfTheCatalogue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		for algorithm, want := range map[string][]byte{
			"CRC32":     {0xcb, 0xf4, 0x39, 0x26},
			"CRC32C":    {0xe3, 0x06, 0x92, 0x83},
			"CRC64NVME": {0xae, 0x8b, 0x14, 0x86, 0x0a, 0x79, 0x98, 0x88},
		} {
			out := w.put("key", "123456789", func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithm(algorithm) })
			if got := sumOf(out, algorithm); got != base64.StdEncoding.EncodeToString(want) {
				w.Errorf("%s: %s", algorithm, got)
			}
		}
	})
}

// A client that is told to make no checksum leaves that to S3.
func TestS3MakesAChecksumIfTheClientMakesNone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		client := s3.NewFromConfig(w.cloud.Config(here), func(o *s3.Options) {
			o.RequestChecksumCalculation, o.ResponseChecksumValidation = aws.RequestChecksumCalculationWhenRequired, aws.ResponseChecksumValidationWhenRequired
		})
		want := string(reference("CRC64NVME", []byte("text")))
		if out := svctest.Must(client.PutObject(w.Context(), putInput("key", "text")))(w); aws.ToString(out.ChecksumCRC64NVME) != want || out.ChecksumCRC32 != nil {
			w.Errorf("%v", *out)
		}
		if out := svctest.Must(client.GetObject(w.Context(), getInput("key")))(w); out.ChecksumCRC64NVME != nil {
			w.Error("the checksum is shown to who does not ask for it")
		}
		if out := svctest.Must(w.GetObject(w.Context(), getInput("key")))(w); aws.ToString(out.ChecksumCRC64NVME) != want {
			w.Errorf("%v", *out)
		}
		u := w.begin("parts", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = "CRC32" })
		in := partInput(u, 1, []byte("text"))
		in.ChecksumAlgorithm = ""
		_, err := client.UploadPart(w.Context(), in)
		svctest.WantCode(w, err, "InvalidRequest") // not the checksum that was announced
		u = w.begin("parts")
		in = partInput(u, 1, []byte("text"))
		if out := svctest.Must(client.UploadPart(w.Context(), in))(w); out.ChecksumCRC32 != nil || out.ChecksumCRC64NVME != nil {
			w.Errorf("%v", *out)
		}
	})
}

func TestConditionalReads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(in *s3.GetObjectInput, etag string, written time.Time)
		get    string
		head   string
		status int
	}{
		{"if it matches", func(in *s3.GetObjectInput, etag string, _ time.Time) { in.IfMatch = &etag }, "text", "", 200},
		{"if it matches anything", func(in *s3.GetObjectInput, _ string, _ time.Time) { in.IfMatch = aws.String("*") }, "text", "", 200},
		{"if it matches another", func(in *s3.GetObjectInput, _ string, _ time.Time) { in.IfMatch = aws.String(`"0"`) }, "PreconditionFailed", "PreconditionFailed", 412},
		{"if it does not match", func(in *s3.GetObjectInput, etag string, _ time.Time) { in.IfNoneMatch = &etag }, "NotModified", "NotModified", 304},
		{"if it does not match anything", func(in *s3.GetObjectInput, _ string, _ time.Time) { in.IfNoneMatch = aws.String("*") }, "NotModified", "NotModified", 304},
		{"if it does not match another", func(in *s3.GetObjectInput, _ string, _ time.Time) { in.IfNoneMatch = aws.String(`"0"`) }, "text", "", 200},
		{"if modified since it was", func(in *s3.GetObjectInput, _ string, written time.Time) { in.IfModifiedSince = &written }, "NotModified", "NotModified", 304},
		{"if modified since before", func(in *s3.GetObjectInput, _ string, written time.Time) {
			in.IfModifiedSince = aws.Time(written.Add(-time.Second))
		}, "text", "", 200},
		{"if unmodified since it was", func(in *s3.GetObjectInput, _ string, written time.Time) { in.IfUnmodifiedSince = &written }, "text", "", 200},
		{"if unmodified since before", func(in *s3.GetObjectInput, _ string, written time.Time) {
			in.IfUnmodifiedSince = aws.Time(written.Add(-time.Second))
		}, "PreconditionFailed", "PreconditionFailed", 412},
		{"if it matches, though it was modified", func(in *s3.GetObjectInput, etag string, written time.Time) {
			in.IfMatch, in.IfUnmodifiedSince = &etag, aws.Time(written.Add(-time.Second))
		}, "text", "", 200},
		{"if it does not match, though it was modified", func(in *s3.GetObjectInput, etag string, written time.Time) {
			in.IfNoneMatch, in.IfModifiedSince = &etag, aws.Time(written.Add(-time.Second))
		}, "NotModified", "NotModified", 304},
		{"if another does not match, though it was not modified", func(in *s3.GetObjectInput, _ string, written time.Time) {
			in.IfNoneMatch, in.IfModifiedSince = aws.String(`"0"`), &written
		}, "text", "", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				w.put("key", "text")
				at := w.head("key")
				in := getInput("key")
				c.change(in, *at.ETag, *at.LastModified)
				_, err := w.GetObject(w.Context(), in)
				if got := w.read("key", func(to *s3.GetObjectInput) { *to = *in }); got != c.get {
					w.Errorf("got %q, want %q", got, c.get)
				}
				_, headErr := w.HeadObject(w.Context(), &s3.HeadObjectInput{
					Bucket: in.Bucket, Key: in.Key, IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince,
				})
				if code(headErr) != c.head {
					w.Errorf("HEAD: got %v, want %q", headErr, c.head)
				}
				if err != nil {
					svctest.WantStatus(w, err, c.status)
					svctest.WantStatus(w, headErr, c.status)
				}
			})
		})
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("key", "0123456789")
		w.put("empty", "")
		for _, c := range []struct{ key, asked, text, shown string }{
			{"key", "bytes=0-3", "0123", "bytes 0-3/10"},
			{"key", "bytes=4-4", "4", "bytes 4-4/10"},
			{"key", "bytes=7-", "789", "bytes 7-9/10"},
			{"key", "bytes=7-100", "789", "bytes 7-9/10"},
			{"key", "bytes=-3", "789", "bytes 7-9/10"},
			{"key", "bytes=-100", "0123456789", "bytes 0-9/10"},
			{"key", "bytes=10-", "InvalidRange", ""},
			{"key", "bytes=10-20", "InvalidRange", ""},
			{"key", "bytes=-0", "InvalidRange", ""},
			{"empty", "bytes=0-", "InvalidRange", ""},
			// What is no range is passed over.
			{"key", "bytes=5-2", "0123456789", ""},
			{"key", "bytes=", "0123456789", ""},
			{"key", "bytes=-", "0123456789", ""},
			{"key", "bytes=a-b", "0123456789", ""},
			{"key", "bytes=99999999999999999999-", "0123456789", ""},
			{"key", "lines=1-2", "0123456789", ""},
		} {
			in := getInput(c.key, func(in *s3.GetObjectInput) { in.Range = &c.asked })
			if got := w.read(c.key, func(to *s3.GetObjectInput) { *to = *in }); got != c.text {
				w.Errorf("%s: got %q, want %q", c.asked, got, c.text)
			}
			out, err := w.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key, Range: in.Range})
			switch {
			case c.text == "InvalidRange":
				svctest.WantCode(w, err, "RequestedRangeNotSatisfiable")
				svctest.WantStatus(w, err, 416)
			case err != nil:
				w.Error(err)
			case aws.ToString(out.ContentRange) != c.shown || *out.ContentLength != int64(len(c.text)):
				w.Errorf("%s: got %s, %d bytes", c.asked, aws.ToString(out.ContentRange), *out.ContentLength)
			}
		}
		part := func(n int32, ranged *string) string {
			return w.read("key", func(in *s3.GetObjectInput) { in.PartNumber, in.Range = &n, ranged })
		}
		for n, want := range map[int32]string{1: "0123456789", 2: "InvalidPartNumber", 0: "InvalidArgument", 10_001: "InvalidArgument"} {
			if got := part(n, nil); got != want {
				w.Errorf("part %d: %q", n, got)
			}
		}
		if got := part(1, aws.String("bytes=0-1")); got != "InvalidRequest" {
			w.Errorf("part and range: %q", got)
		}
		one := svctest.Must(w.GetObject(w.Context(), getInput("key", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(1) })))(w)
		if one.PartsCount != nil || *one.ContentRange != "bytes 0-9/10" {
			w.Errorf("%v", *one)
		}
	})
}

func TestMissingObjects(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		_, err := w.GetObject(w.Context(), getInput("key"))
		svctest.WantStatus(w, err, 404)
		var typed *types.NoSuchKey
		if !errors.As(err, &typed) {
			w.Errorf("got %v", err)
		}
		_, err = w.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String(name), Key: aws.String("key")})
		svctest.WantStatus(w, err, 404)
		var bare *types.NotFound
		if !errors.As(err, &bare) {
			w.Errorf("got %v", err)
		}
		// Deleting what is not there is no error.
		if out := w.remove("key", ""); out.VersionId != nil || out.DeleteMarker != nil {
			w.Errorf("%v", *out)
		}
	})
}

func TestDeletingMany(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		remove := func(quiet bool, keys ...string) (*s3.DeleteObjectsOutput, error) {
			in := &s3.DeleteObjectsInput{Bucket: aws.String(name), Delete: &types.Delete{Quiet: &quiet, Objects: []types.ObjectIdentifier{}}}
			for _, k := range keys {
				in.Delete.Objects = append(in.Delete.Objects, types.ObjectIdentifier{Key: &k})
			}
			return w.DeleteObjects(w.Context(), in)
		}
		w.put("a", "text")
		w.put("b", "text")
		out := svctest.Must(remove(false, "a", "missing"))(w)
		if len(out.Deleted) != 2 || *out.Deleted[0].Key != "a" || *out.Deleted[1].Key != "missing" || out.Deleted[0].DeleteMarker != nil || len(out.Errors) > 0 {
			w.Errorf("%v", *out)
		}
		if out := svctest.Must(remove(true, "b"))(w); len(out.Deleted) > 0 || w.read("b") != "NoSuchKey" {
			w.Errorf("%v", *out)
		}
		_, err := remove(false)
		svctest.WantCode(w, err, "MalformedXML")
		_, err = remove(false, make([]string, 1001)...)
		if err == nil {
			w.Error("1001 were deleted")
		}
		w.versioning("Enabled")
		v := w.put("c", "text")
		out = svctest.Must(remove(false, "c"))(w)
		marker := out.Deleted[0].DeleteMarkerVersionId
		if !*out.Deleted[0].DeleteMarker || out.Deleted[0].VersionId != nil {
			w.Errorf("%v", out.Deleted)
		}
		out = svctest.Must(w.DeleteObjects(w.Context(), &s3.DeleteObjectsInput{Bucket: aws.String(name), Delete: &types.Delete{Objects: []types.ObjectIdentifier{
			{Key: aws.String("c"), VersionId: marker}, {Key: aws.String("c"), VersionId: v.VersionId}, {Key: aws.String("c"), VersionId: aws.String("none")},
		}}}))(w)
		if len(out.Deleted) != 2 || *out.Deleted[0].DeleteMarkerVersionId != *marker || *out.Deleted[1].VersionId != *v.VersionId || out.Deleted[1].DeleteMarker != nil {
			w.Errorf("%v", out.Deleted)
		}
		if len(out.Errors) != 1 || *out.Errors[0].Code != "InvalidArgument" || *out.Errors[0].VersionId != "none" {
			w.Errorf("%v", out.Errors)
		}
	})
}

// Streams that cannot be sought in are sent once, with a length that the caller
// says; what can be sought in is sent again.
func TestBodiesAndRetries(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		body    func() io.Reader
		length  *int64
		retried bool
	}{
		"a string":                  {func() io.Reader { return strings.NewReader("text") }, nil, true},
		"the rest of a string":      {func() io.Reader { r := strings.NewReader("and text"); _, _ = r.Seek(4, io.SeekStart); return r }, nil, true},
		"a buffer":                  {func() io.Reader { return bytes.NewBufferString("text") }, nil, false},
		"an unseekable with length": {func() io.Reader { return unseekable{strings.NewReader("text")} }, aws.Int64(4), false},
		"a slow one":                {func() io.Reader { return unseekable{iotest.OneByteReader(strings.NewReader("text"))} }, aws.Int64(4), false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				change := func(in *s3.PutObjectInput) { in.Body, in.ContentLength = c.body(), c.length }
				out := w.put("first", "", change)
				if got := w.read("first"); got != "text" || *out.ChecksumCRC32 != string(reference("CRC32", []byte("text"))) {
					w.Errorf("got %q, %s", got, *out.ChecksumCRC32)
				}
				svctest.Must(w.cloud.Inject(awstest.Match{Service: s3.ServiceID, Operation: "PutObject", Times: 1}, awstest.Throttle()))(w)
				_, err := w.PutObject(w.Context(), putInput("second", "", change))
				got := w.read("second")
				if c.retried && (err != nil || got != "text") || !c.retried && (err == nil || !strings.Contains(err.Error(), "rewind") || got != "NoSuchKey") {
					w.Errorf("got %q, %v", got, err)
				}
			})
		})
	}
}

func TestBodiesThatAreNotAsLongAsIsSaid(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		// In chunks, and without.
		plain := s3.NewFromConfig(w.cloud.Config(here), func(o *s3.Options) {
			o.RequestChecksumCalculation, o.Retryer = aws.RequestChecksumCalculationWhenRequired, aws.NopRetryer{}
		})
		for _, client := range []*s3.Client{w.Client, plain} {
			for _, said := range []int64{3, 5} {
				_, err := client.PutObject(w.Context(), putInput("key", "text", func(in *s3.PutObjectInput) {
					in.Body, in.ContentLength = unseekable{strings.NewReader("text")}, &said
				}))
				if err == nil || w.read("key") != "NoSuchKey" {
					w.Errorf("%d: %v, it holds %q", said, err, w.read("key"))
				}
				if client == plain && !strings.Contains(err.Error(), fmt.Sprintf("http: ContentLength=%d with Body length 4", said)) {
					w.Error(err)
				}
			}
		}
		broken := errors.New("broken")
		_, err := w.PutObject(w.Context(), putInput("key", "", func(in *s3.PutObjectInput) {
			in.Body, in.ContentLength = unseekable{io.MultiReader(strings.NewReader("te"), iotest.ErrReader(broken))}, aws.Int64(4)
		}))
		if !errors.Is(err, broken) && (err == nil || !strings.Contains(err.Error(), "rewind")) || w.read("key") != "NoSuchKey" {
			w.Errorf("a stream that breaks: %v", err)
		}
	})
}

func TestBodyThatIsCutOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		after int64
		text  string
		err   error
	}{
		{0, "", io.ErrUnexpectedEOF},
		{-1, "", io.ErrUnexpectedEOF},
		{4, "0123", io.ErrUnexpectedEOF},
		{10, "0123456789", nil},
		{11, "0123456789", nil},
	} {
		inBubble(t, func(w *world) {
			w.put("key", "0123456789")
			heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: s3.ServiceID, Operation: "GetObject"}, s3svc.CutBody(c.after)))(w)
			before := w.cloud.Count(s3.ServiceID, "GetObject")
			out := svctest.Must(w.GetObject(w.Context(), getInput("key")))(w)
			text, err := io.ReadAll(out.Body)
			if string(text) != c.text || !errors.Is(err, c.err) || *out.ContentLength != 10 {
				w.Errorf("%d: got %q, %v", c.after, text, err)
			}
			if n := w.cloud.Count(s3.ServiceID, "GetObject") - before; n != 1 {
				w.Errorf("%d attempts", n)
			}
			heal()
			if got := w.read("key"); got != "0123456789" {
				w.Errorf("healed: %q", got)
			}
		})
	}
}

func TestBodyStaysAsItWas(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		data := []byte("old")
		w.put("key", "", func(in *s3.PutObjectInput) { in.Body = bytes.NewReader(data) })
		copy(data, "bad")
		out := svctest.Must(w.GetObject(w.Context(), getInput("key")))(w)
		w.put("key", "new")
		w.remove("key", "")
		if err := iotest.TestReader(out.Body, []byte("old")); err != nil {
			w.Error(err)
		}
		if err := out.Body.Close(); err != nil {
			w.Error(err)
		}
		if _, err := out.Body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			w.Errorf("a body that is closed: %v", err)
		}
	})
}
