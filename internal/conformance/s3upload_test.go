package conformance_test

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html (read 2026-11)
var uploadScenarios = []scenario{
	{
		name: "an object is uploaded in parts",
		run: func(s *session) {
			b := s.bucket("b")
			u := s.upload(b, "key")
			first, second := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16), []byte("rest")
			two := s.part(u, 2, second)
			one := s.part(u, 1, first)
			s.is("while it is under way", s.read(b, "key"), "NoSuchKey")
			parts := must(s.s3.ListParts(s.Context(), &s3.ListPartsInput{Bucket: &b, Key: u.Key, UploadId: u.UploadId}))(s)
			var text []string
			for i := range parts.Parts {
				text = append(text, fmt.Sprint(aws.ToInt32(parts.Parts[i].PartNumber), ": ", aws.ToInt64(parts.Parts[i].Size)))
			}
			s.is("parts", strings.Join(text, ", "), "1: 5242880, 2: 4")
			page := must(s.s3.ListParts(s.Context(), &s3.ListPartsInput{Bucket: &b, Key: u.Key, UploadId: u.UploadId, MaxParts: aws.Int32(1)}))(s)
			s.is("page of parts", fmt.Sprint(len(page.Parts), " ", aws.ToBool(page.IsTruncated), " ", told(page.NextPartNumberMarker)), "1 true 1")
			out := must(s.complete(u, nil, one, two))(s)
			sums := append(digest(first), digest(second)...)
			etag := fmt.Sprintf(`"%x-2"`, digest(sums))
			s.is("ETag", told(out.ETag), etag)
			head := must(s.s3.HeadObject(s.Context(), &s3.HeadObjectInput{Bucket: &b, Key: aws.String("key")}))(s)
			s.is("size", fmt.Sprint(aws.ToInt64(head.ContentLength), " ", told(head.ETag)), "5242884 "+etag)
			s.is("the second part", s.read(b, "key", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(2) }), "rest")
			_, err := s.complete(u, nil, one, two)
			s.refused("completing again", err, "NoSuchUpload")
			_, err = s.s3.UploadPart(s.Context(), partOf(u, 3, second))
			s.refused("a part too late", err, "NoSuchUpload")
		},
		differs: []difference{
			{on: motoName, at: "completing again", does: "accepted"},
			{on: motoName, at: "the second part", does: "5242884 bytes"},
			{on: motoName, at: "a part too late", does: "not implemented"},
		},
	},
	{
		name: "an upload is completed on a condition",
		run: func(s *session) {
			b := s.bucket("b")
			vacant := func(in *s3.CompleteMultipartUploadInput) { in.IfNoneMatch = aws.String("*") }
			u := s.upload(b, "key")
			part := s.part(u, 1, []byte("mine"))
			s.store(b, "key", "theirs")
			_, err := s.complete(u, vacant, part)
			s.refused("if there is none, and there is one", err, "PreconditionFailed")
			s.is("what it holds", s.read(b, "key"), "theirs")
			s.accepted("deleting it", s.remove(b, "key", ""))
			_, err = s.complete(u, vacant, part)
			s.accepted("if there is none", err)
			s.is("what it holds then", s.read(b, "key"), "mine")
		},
	},
	{
		name: "an upload is refused",
		run: func(s *session) {
			b := s.bucket("b")
			u := s.upload(b, "key")
			small, last := s.part(u, 1, []byte("small")), s.part(u, 2, []byte("last"))
			_, err := s.complete(u, nil, small, last)
			s.refused("a part that is too small", err, "EntityTooSmall")
			_, err = s.complete(u, nil, last, small)
			s.refused("parts out of order", err, "InvalidPartOrder")
			wrong := last
			wrong.ETag = aws.String(`"00000000000000000000000000000000"`)
			_, err = s.complete(u, nil, wrong)
			s.refused("a part of another ETag", err, "InvalidPart")
			wrong = last
			wrong.PartNumber = aws.Int32(3)
			_, err = s.complete(u, nil, wrong)
			s.refused("a part that is not there", err, "InvalidPart")
			_, err = s.complete(u, nil)
			s.refused("no parts", err, "MalformedXML", "InvalidRequest")
			_, err = s.s3.UploadPart(s.Context(), partOf(u, 10_001, []byte("text")))
			s.refused("part 10,001", err, "InvalidArgument")
			_, err = s.s3.AbortMultipartUpload(s.Context(), &s3.AbortMultipartUploadInput{Bucket: &b, Key: u.Key, UploadId: u.UploadId})
			s.accepted("aborting", err)
			_, err = s.complete(u, nil, last)
			s.refused("completing what was aborted", err, "NoSuchUpload")
			_, err = s.s3.ListParts(s.Context(), &s3.ListPartsInput{Bucket: &b, Key: u.Key, UploadId: u.UploadId})
			s.refused("the parts of what was aborted", err, "NoSuchUpload")
			_, err = s.s3.AbortMultipartUpload(s.Context(), &s3.AbortMultipartUploadInput{Bucket: &b, Key: u.Key, UploadId: u.UploadId})
			s.refused("aborting again", err, "NoSuchUpload")
		},
		differs: []difference{
			{on: motoName, at: "parts out of order", does: "EntityTooSmall"},
			{on: motoName, at: "completing what was aborted", does: "not implemented"},
		},
	},
	{
		name: "uploads are listed",
		run: func(s *session) {
			b := s.bucket("b")
			for _, key := range []string{"b", "a/1", "a/2", "c"} {
				s.upload(b, key)
			}
			list := func(in s3.ListMultipartUploadsInput) string {
				in.Bucket = &b
				var found []string
				for {
					out, err := s.s3.ListMultipartUploads(s.Context(), &in)
					if err != nil {
						return outcome(err)
					}
					for i := range out.Uploads {
						found = append(found, *out.Uploads[i].Key)
					}
					for i := range out.CommonPrefixes {
						found = append(found, "("+*out.CommonPrefixes[i].Prefix+")")
					}
					if !aws.ToBool(out.IsTruncated) || len(found) > 20 {
						return strings.Join(found, " ")
					}
					in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
				}
			}
			s.is("all", list(s3.ListMultipartUploadsInput{}), "a/1 a/2 b c")
			s.is("one by one", list(s3.ListMultipartUploadsInput{MaxUploads: aws.Int32(1)}), "a/1 a/2 b c")
			s.is("by a prefix", list(s3.ListMultipartUploadsInput{Prefix: aws.String("a/")}), "a/1 a/2")
			s.is("rolled up", list(s3.ListMultipartUploadsInput{Delimiter: aws.String("/")}), "b c (a/)")
			s.is("after a key", list(s3.ListMultipartUploadsInput{KeyMarker: aws.String("a/2")}), "b c")
		},
		differs: []difference{
			{on: motoName, at: "all", does: "b a/1 a/2 c"},
			{on: motoName, at: "one by one", does: "b a/1 a/2 c"},
			{on: motoName, at: "rolled up", does: "b a/1 a/2 c"},
			{on: motoName, at: "after a key", does: "b a/1 a/2 c"},
		},
	},
}

func digest(data []byte) []byte {
	sum := md5.Sum(data)
	return sum[:]
}

func (s *session) upload(bucket, key string) *s3.CreateMultipartUploadOutput {
	s.Helper()
	return must(s.s3.CreateMultipartUpload(s.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key}))(s)
}

func partOf(u *s3.CreateMultipartUploadOutput, number int32, data []byte) *s3.UploadPartInput {
	return &s3.UploadPartInput{Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId, PartNumber: &number, Body: bytes.NewReader(data)}
}

func (s *session) part(u *s3.CreateMultipartUploadOutput, number int32, data []byte) types.CompletedPart {
	s.Helper()
	out := must(s.s3.UploadPart(s.Context(), partOf(u, number, data)))(s)
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag}
}

func (s *session) complete(u *s3.CreateMultipartUploadOutput, change func(*s3.CompleteMultipartUploadInput), parts ...types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
	in := &s3.CompleteMultipartUploadInput{Bucket: u.Bucket, Key: u.Key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}
	if change != nil {
		change(in)
	}
	return s.s3.CompleteMultipartUpload(s.Context(), in)
}
