package conformance_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (read 2026-11)
var objectScenarios = []scenario{
	{
		name: "an object is read as it was written",
		run: func(s *session) {
			b := s.bucket("b")
			out := s.store(b, "dir/a key+1", "text", func(in *s3.PutObjectInput) {
				in.ContentType, in.CacheControl, in.Metadata = aws.String("text/plain"), aws.String("no-store"), map[string]string{"Token": "17"}
			})
			sum := md5.Sum([]byte("text"))
			etag := `"` + hex.EncodeToString(sum[:]) + `"`
			s.is("ETag", told(out.ETag), etag)
			s.is("version ID without versioning", told(out.VersionId), "none")
			s.is("encryption", told(aws.String(string(out.ServerSideEncryption))), "AES256")
			s.is("what it holds", s.read(b, "dir/a key+1"), "text")
			head := must(s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("dir/a key+1")}))(s)
			s.is("headers", fmt.Sprint(told(head.ContentType), " ", told(head.CacheControl), " ", aws.ToInt64(head.ContentLength), " ", told(head.ETag), " ", told(head.AcceptRanges)),
				"text/plain no-store 4 "+etag+" bytes")
			s.is("metadata", head.Metadata["token"], "17")
			s.is("storage class", string(head.StorageClass), "")
			s.is("date", fmt.Sprint(time.Since(*head.LastModified).Abs() < time.Hour), "true")
			s.is("a missing one", s.read(b, "missing"), "NoSuchKey")
			_, err := s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("missing")})
			s.refused("finding a missing one", err, "NotFound")
			s.accepted("deleting a missing one", s.remove(b, "missing", ""))
			_, err = s.s3.PutObject(s.Context(), putText(b, strings.Repeat("k", 1025), "text"))
			s.refused("a key that is too long", err, "KeyTooLongError")
			_, err = s.s3.PutObject(s.Context(), putText(b, "key", "text", func(in *s3.PutObjectInput) { in.Metadata = map[string]string{"k": strings.Repeat("v", 2049)} }))
			s.refused("metadata that is too large", err, "MetadataTooLarge")
		},
		differs: []difference{
			{on: motoName, at: "encryption", does: "none"},
			{on: motoName, at: "a key that is too long", does: "accepted"},
			{on: motoName, at: "metadata that is too large", does: "accepted"},
		},
	},
	{
		name: "an object is written on a condition",
		run: func(s *session) {
			b := s.bucket("b")
			write := func(text string, change func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
				return s.s3.PutObject(s.Context(), putText(b, "key", text, change))
			}
			vacant := func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }
			still := func(etag *string) func(*s3.PutObjectInput) { return func(in *s3.PutObjectInput) { in.IfMatch = etag } }
			_, err := write("a", still(aws.String(`"0cc175b9c0f1b6a831c399e269772661"`)))
			s.refused("if it is a, and there is none", err, "NoSuchKey")
			first, err := write("a", vacant)
			s.accepted("if there is none", err)
			_, err = write("b", vacant)
			s.refused("if there is none, and there is one", err, "PreconditionFailed")
			second, err := write("c", still(first.ETag))
			s.accepted("if it is a", err)
			_, err = write("d", still(first.ETag))
			s.refused("if it is a, and it is c", err, "PreconditionFailed")
			s.is("what it holds", s.read(b, "key"), "c")
			_, err = s.s3.DeleteObject(s.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("key"), IfMatch: first.ETag})
			s.refused("deleting a, and it is c", err, "PreconditionFailed")
			if second != nil {
				_, err = s.s3.DeleteObject(s.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("key"), IfMatch: second.ETag})
				s.accepted("deleting c", err)
			}
			_, err = write("e", vacant)
			s.accepted("if there is none, and it was deleted", err)
			_, err = s.s3.DeleteObject(s.Context(), &s3.DeleteObjectInput{Bucket: &b, Key: aws.String("key"), IfMatch: aws.String("*")})
			s.accepted("deleting anything", err)
			must(versionedAs(s, b, types.BucketVersioningStatusEnabled))(s)
			_, err = write("f", vacant)
			s.accepted("if there is none, with versions", err)
			s.accepted("deleting it with versions", s.remove(b, "key", ""))
			_, err = write("g", vacant)
			s.accepted("if there is none, and a delete marker is current", err)
		},
		differs: []difference{
			{on: motoName, at: "deleting anything", does: "PreconditionFailed"},
			// It was not deleted.
			{on: motoName, at: "if there is none, with versions", does: "PreconditionFailed"},
		},
	},
	{
		name: "an object is read on a condition",
		run: func(s *session) {
			b := s.bucket("b")
			s.store(b, "key", "text")
			head := must(s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("key")}))(s)
			other, before := `"00000000000000000000000000000000"`, head.LastModified.Add(-time.Hour)
			for _, c := range []struct {
				at     string
				change func(*s3.GetObjectInput)
				want   string
			}{
				{"if it matches", func(in *s3.GetObjectInput) { in.IfMatch = head.ETag }, "text"},
				{"if it matches another", func(in *s3.GetObjectInput) { in.IfMatch = &other }, "PreconditionFailed"},
				{"if it does not match", func(in *s3.GetObjectInput) { in.IfNoneMatch = head.ETag }, "NotModified"},
				{"if it does not match another", func(in *s3.GetObjectInput) { in.IfNoneMatch = &other }, "text"},
				{"if modified since", func(in *s3.GetObjectInput) { in.IfModifiedSince = head.LastModified }, "NotModified"},
				{"if modified since before", func(in *s3.GetObjectInput) { in.IfModifiedSince = &before }, "text"},
				{"if unmodified since", func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = head.LastModified }, "text"},
				{"if unmodified since before", func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = &before }, "PreconditionFailed"},
				{"if it matches, though modified", func(in *s3.GetObjectInput) { in.IfMatch, in.IfUnmodifiedSince = head.ETag, &before }, "text"},
				{"if it does not match, though modified", func(in *s3.GetObjectInput) { in.IfNoneMatch, in.IfModifiedSince = head.ETag, &before }, "NotModified"},
			} {
				s.is(c.at, s.read(b, "key", c.change), c.want)
			}
			_, err := s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("key"), IfMatch: &other})
			s.refused("finding it if it matches another", err, "PreconditionFailed")
			_, err = s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("key"), IfNoneMatch: head.ETag})
			s.refused("finding it if it does not match", err, "NotModified")
		},
		differs: []difference{
			{on: motoName, at: "if it matches, though modified", does: "PreconditionFailed"},
		},
	},
	{
		name: "a range of an object is read",
		run: func(s *session) {
			b := s.bucket("b")
			s.store(b, "key", "0123456789")
			s.store(b, "empty", "")
			for asked, want := range map[string]string{
				"bytes=0-3": "0123", "bytes=7-": "789", "bytes=7-100": "789", "bytes=-3": "789", "bytes=-100": "0123456789",
				"bytes=10-": "InvalidRange", "bytes=10-20": "InvalidRange", "lines=1-2": "0123456789",
			} {
				s.is(asked, s.read(b, "key", func(in *s3.GetObjectInput) { in.Range = &asked }), want)
			}
			s.is("of nothing", s.read(b, "empty", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=0-") }), "InvalidRange")
			out := must(s.s3.GetObject(s.Context(), &s3.GetObjectInput{Bucket: &b, Key: aws.String("key"), Range: aws.String("bytes=2-4")}))(s)
			_ = out.Body.Close()
			s.is("content range", told(out.ContentRange)+" "+fmt.Sprint(aws.ToInt64(out.ContentLength)), "bytes 2-4/10 3")
			s.is("part 1 of one piece", s.read(b, "key", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(1) }), "0123456789")
			s.is("part 2 of one piece", s.read(b, "key", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(2) }), "InvalidPartNumber")
			s.is("part and range", s.read(b, "key", func(in *s3.GetObjectInput) { in.PartNumber, in.Range = aws.Int32(1), aws.String("bytes=0-1") }), "InvalidRequest")
		},
		differs: []difference{
			{on: motoName, at: "lines=1-2", does: "12"},
			{on: motoName, at: "part 2 of one piece", does: "HTTP 416"},
			{on: motoName, at: "part and range", does: "0123456789"},
		},
	},
	{
		name: "checksums are kept and checked",
		run: func(s *session) {
			b := s.bucket("b")
			for algorithm, want := range map[types.ChecksumAlgorithm]string{
				"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg=", "SHA1": "98O8HYCOBHMq32eZZczDTKeuNEE=", "SHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
			} {
				out := s.store(b, "key", "123456789", func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = algorithm })
				all := map[types.ChecksumAlgorithm]*string{
					"CRC32": out.ChecksumCRC32, "CRC32C": out.ChecksumCRC32C, "CRC64NVME": out.ChecksumCRC64NVME, "SHA1": out.ChecksumSHA1, "SHA256": out.ChecksumSHA256,
				}
				s.is(string(algorithm), told(all[algorithm]), want)
			}
			s.store(b, "key", "123456789", func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = "SHA256" })
			head := must(s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("key"), ChecksumMode: types.ChecksumModeEnabled}))(s)
			s.is("asked for", told(head.ChecksumSHA256), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=")
			s.is("type", told(aws.String(string(head.ChecksumType))), "FULL_OBJECT")
			head = must(s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("key")}))(s)
			s.is("not asked for", told(head.ChecksumSHA256), "none")
			_, err := s.s3.PutObject(s.Context(), putText(b, "wrong", "text", func(in *s3.PutObjectInput) { in.ChecksumCRC32 = aws.String("AAAAAA==") }))
			s.refused("a wrong checksum", err, "BadDigest")
			_, err = s.s3.PutObject(s.Context(), putText(b, "wrong", "text", func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("AAAAAAAAAAAAAAAAAAAAAA==") }))
			s.refused("a wrong MD5", err, "BadDigest")
			_, err = s.s3.PutObject(s.Context(), putText(b, "wrong", "text", func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("AAAA") }))
			s.refused("what is no MD5", err, "InvalidDigest")
			s.is("what was refused", s.read(b, "wrong"), "NoSuchKey")
		},
		differs: []difference{
			{on: motoName, at: "type", does: "none"},
			{on: motoName, at: "a wrong checksum", does: "accepted"},
			{on: motoName, at: "a wrong MD5", does: "accepted"},
			{on: motoName, at: "what is no MD5", does: "accepted"},
			{on: motoName, at: "what was refused", does: "text"},
		},
	},
	{
		name: "an object is copied",
		run: func(s *session) {
			b, far := s.bucket("b"), s.farBucket("far")
			put := s.store(b, "a key", "text", func(in *s3.PutObjectInput) {
				in.ContentType, in.Metadata, in.Tagging = aws.String("text/plain"), map[string]string{"by": "me"}, aws.String("a=1")
			})
			copied := func(key string, change ...func(*s3.CopyObjectInput)) (*s3.CopyObjectOutput, error) {
				in := &s3.CopyObjectInput{Bucket: &b, Key: &key, CopySource: aws.String(b + "/a%20key")}
				for _, fn := range change {
					fn(in)
				}
				return s.s3.CopyObject(s.Context(), in)
			}
			out := must(copied("copy"))(s)
			s.is("ETag", same(*out.CopyObjectResult.ETag, *put.ETag), "the same")
			head := must(s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("copy")}))(s)
			s.is("attributes", told(head.ContentType)+" "+head.Metadata["by"], "text/plain me")
			tags := must(s.s3.GetObjectTagging(s.Context(), &s3.GetObjectTaggingInput{Bucket: &b, Key: aws.String("copy")}))(s)
			s.is("tags", tagText(tags.TagSet), "a=1")
			must(copied("copy", func(in *s3.CopyObjectInput) {
				in.MetadataDirective, in.ContentType = types.MetadataDirectiveReplace, aws.String("text/html")
			}))(s)
			head = must(s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("copy")}))(s)
			s.is("attributes that are replaced", told(head.ContentType)+" "+head.Metadata["by"], "text/html ")
			_, err := copied("a key")
			s.refused("onto itself", err, "InvalidRequest")
			_, err = copied("copy", func(in *s3.CopyObjectInput) { in.CopySource = aws.String(b + "/missing") })
			s.refused("of a missing one", err, "NoSuchKey")
			_, err = copied("copy", func(in *s3.CopyObjectInput) { in.CopySourceIfMatch = aws.String(`"00000000000000000000000000000000"`) })
			s.refused("if it matches another", err, "PreconditionFailed")
			_, err = copied("copy", func(in *s3.CopyObjectInput) { in.CopySourceIfNoneMatch = put.ETag })
			s.refused("if it does not match", err, "PreconditionFailed")
			_, err = copied("copy", func(in *s3.CopyObjectInput) { in.IfNoneMatch = aws.String("*") })
			s.refused("if there is none at the destination", err, "PreconditionFailed")
			_, err = s.farS3().CopyObject(s.Context(), &s3.CopyObjectInput{Bucket: &far, Key: aws.String("copy"), CopySource: aws.String(b + "/a%20key")})
			s.accepted("to another region", err)
		},
		differs: []difference{
			{on: motoName, at: "if it matches another", does: "accepted"},
			{on: motoName, at: "if there is none at the destination", does: "accepted"},
		},
	},
	{
		name: "an object has tags",
		run: func(s *session) {
			b := s.bucket("b")
			s.store(b, "key", "text", func(in *s3.PutObjectInput) { in.Tagging = aws.String("a=1&b=2%203") })
			tags := func() string {
				out, err := s.s3.GetObjectTagging(s.Context(), &s3.GetObjectTaggingInput{Bucket: &b, Key: aws.String("key")})
				if err != nil {
					return outcome(err)
				}
				return tagText(out.TagSet)
			}
			tag := func(key string, set ...types.Tag) error {
				_, err := s.s3.PutObjectTagging(s.Context(), &s3.PutObjectTaggingInput{Bucket: &b, Key: &key, Tagging: &types.Tagging{TagSet: set}})
				return err
			}
			s.is("of the write", tags(), "a=1, b=2 3")
			s.accepted("replacing", tag("key", types.Tag{Key: aws.String("c"), Value: aws.String("")}))
			s.is("replaced", tags(), "c=")
			head := must(s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("key")}))(s)
			s.is("count", fmt.Sprint(aws.ToInt32(head.TagCount)), "1")
			var many []types.Tag
			for i := range 11 {
				many = append(many, types.Tag{Key: aws.String(fmt.Sprint(i)), Value: aws.String("")})
			}
			s.refused("too many", tag("key", many...), "BadRequest")
			s.refused("one twice", tag("key", many[0], many[0]), "InvalidTag")
			s.refused("of AWS", tag("key", types.Tag{Key: aws.String("aws:x"), Value: aws.String("")}), "InvalidTag")
			s.refused("of a missing object", tag("missing", many[0]), "NoSuchKey")
			s.is("after refusals", tags(), "c=")
			_, err := s.s3.DeleteObjectTagging(s.Context(), &s3.DeleteObjectTaggingInput{Bucket: &b, Key: aws.String("key")})
			s.accepted("deleting", err)
			s.is("deleted", tags(), "")
		},
		differs: []difference{
			{on: motoName, at: "one twice", does: "accepted"},
			{on: motoName, at: "after refusals", does: "0="},
		},
	},
}

func tagText(set []types.Tag) string {
	var text []string
	for _, t := range set {
		text = append(text, told(t.Key)+"="+aws.ToString(t.Value))
	}
	return strings.Join(text, ", ")
}

// versionedAs is versioned for must.
func versionedAs(s *session, bucket string, status types.BucketVersioningStatus) (string, error) {
	return bucket, versioned(s.Context(), s.s3, bucket, status)
}
