package s3svc_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/awsha/awsha/awstest/internal/svctest"
)

func copyInput(source string, change ...func(*s3.CopyObjectInput)) *s3.CopyObjectInput {
	in := &s3.CopyObjectInput{Bucket: aws.String(name), Key: aws.String("copy"), CopySource: &source}
	for _, fn := range change {
		fn(in)
	}
	return in
}

func TestCopies(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		put := w.put("dir/a key+1", "text", func(in *s3.PutObjectInput) {
			in.ContentType, in.Metadata, in.Tagging = aws.String("text/plain"), map[string]string{"by": "me"}, aws.String("a=1")
			in.ChecksumAlgorithm, in.StorageClass, in.WebsiteRedirectLocation = "SHA256", types.StorageClassStandardIa, aws.String("/x")
		})
		sleep(time.Minute)
		source := "/journal/dir/a%20key%2B1"
		out := svctest.Must(w.CopyObject(w.Context(), copyInput(source)))(w)
		if *out.CopyObjectResult.ETag != *put.ETag || *out.CopyObjectResult.ChecksumSHA256 != *put.ChecksumSHA256 || out.CopyObjectResult.LastModified.Unix() != time.Now().Unix() ||
			out.VersionId != nil || out.CopySourceVersionId != nil || out.CopyObjectResult.ChecksumType != "FULL_OBJECT" {
			w.Errorf("%v", *out)
		}
		// The storage class and the redirect are not copied.
		if head := w.head("copy"); *head.ContentType != "text/plain" || head.Metadata["by"] != "me" || *head.TagCount != 1 || head.StorageClass != "" || head.WebsiteRedirectLocation != nil {
			w.Errorf("%v", *head)
		}
		if got := w.read("copy"); got != "text" {
			w.Errorf("got %q", got)
		}
		out = svctest.Must(w.CopyObject(w.Context(), copyInput(source, func(in *s3.CopyObjectInput) {
			in.MetadataDirective, in.TaggingDirective = types.MetadataDirectiveReplace, types.TaggingDirectiveReplace
			in.ContentType, in.Tagging, in.ChecksumAlgorithm = aws.String("text/html"), aws.String("b=2&c=3"), "CRC32C"
			in.StorageClass, in.WebsiteRedirectLocation = types.StorageClassGlacierIr, aws.String("/y")
		})))(w)
		if *out.CopyObjectResult.ChecksumCRC32C != string(reference("CRC32C", []byte("text"))) || out.CopyObjectResult.ChecksumSHA256 != nil {
			w.Errorf("%v", *out.CopyObjectResult)
		}
		if head := w.head("copy"); *head.ContentType != "text/html" || len(head.Metadata) != 0 || *head.TagCount != 2 || head.StorageClass != "GLACIER_IR" || *head.WebsiteRedirectLocation != "/y" {
			w.Errorf("%v", *head)
		}
	})
}

func TestCopiesOfVersionsAndAcrossRegions(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.versioning("Enabled")
		first := w.put("key", "first")
		w.put("key", "second")
		marker := w.remove("key", "")
		w.abroad("far")
		out := svctest.Must(w.elsewhere.CopyObject(w.Context(), copyInput("journal/key?versionId="+*first.VersionId, func(in *s3.CopyObjectInput) {
			in.Bucket = aws.String("far")
		})))(w)
		if *out.CopySourceVersionId != *first.VersionId || out.VersionId != nil {
			w.Errorf("%v", *out)
		}
		// A version is restored by a copy onto itself.
		out = svctest.Must(w.CopyObject(w.Context(), copyInput("journal/key?versionId="+*first.VersionId, func(in *s3.CopyObjectInput) { in.Key = aws.String("key") })))(w)
		if got := w.read("key"); got != "first" || *out.VersionId == *first.VersionId {
			w.Errorf("got %q", got)
		}
		_, err := w.CopyObject(w.Context(), copyInput("journal/key?versionId="+*marker.VersionId))
		svctest.WantCode(w, err, "InvalidRequest")
		w.remove("key", "")
		_, err = w.CopyObject(w.Context(), copyInput("journal/key"))
		svctest.WantCode(w, err, "NoSuchKey")
	})
}

func TestCopyOfAnObjectInPartsIsOfOnePiece(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		u := w.begin("parts", func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = "CRC32" })
		svctest.Must(w.CompleteMultipartUpload(w.Context(), completeInput(u, w.part(u, 1, []byte("text")))))(w)
		whole := w.put("whole", "text")
		out := svctest.Must(w.CopyObject(w.Context(), copyInput("journal/parts")))(w)
		if *out.CopyObjectResult.ETag != *whole.ETag || *out.CopyObjectResult.ChecksumCRC32 != *whole.ChecksumCRC32 || out.CopyObjectResult.ChecksumType != "FULL_OBJECT" {
			w.Errorf("%v", *out.CopyObjectResult)
		}
	})
}

func TestCopiesThatAreRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		w.put("key", "text")
		at := w.head("key")
		before := at.LastModified.Add(-time.Second)
		for what, c := range map[string]struct {
			in   *s3.CopyObjectInput
			code string
		}{
			"no key":                     {copyInput("journal"), "InvalidArgument"},
			"an empty key":               {copyInput("journal/"), "InvalidArgument"},
			"bad encoding":               {copyInput("journal/%zz"), "InvalidArgument"},
			"a missing source":           {copyInput("journal/missing"), "NoSuchKey"},
			"a missing version":          {copyInput("journal/key?versionId=00000000000000000000000000000fff"), "NoSuchVersion"},
			"what is no version":         {copyInput("journal/key?versionId=x"), "InvalidArgument"},
			"an empty version":           {copyInput("journal/key?versionId="), "InvalidArgument"},
			"a missing bucket":           {copyInput("missing/key"), "NoSuchBucket"},
			"onto itself":                {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.Key = aws.String("key") }), "InvalidRequest"},
			"an unknown directive":       {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.MetadataDirective = "MOVE" }), "InvalidArgument"},
			"an unknown tag directive":   {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.TaggingDirective = "MOVE" }), "InvalidArgument"},
			"tags that are none":         {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.TaggingDirective, in.Tagging = "REPLACE", aws.String("a&a") }), "InvalidArgument"},
			"if the source is another":   {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.CopySourceIfMatch = aws.String("x") }), "PreconditionFailed"},
			"if the source is not it":    {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.CopySourceIfNoneMatch = at.ETag }), "PreconditionFailed"},
			"if the source was modified": {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.CopySourceIfModifiedSince = at.LastModified }), "PreconditionFailed"},
			"if the source was not":      {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.CopySourceIfUnmodifiedSince = &before }), "PreconditionFailed"},
			"a key that is too long":     {copyInput("journal/key", func(in *s3.CopyObjectInput) { in.Key = aws.String(string(blob(1025))) }), "KeyTooLongError"},
			"metadata that is too large": {copyInput("journal/key", func(in *s3.CopyObjectInput) {
				in.MetadataDirective, in.Metadata = "REPLACE", map[string]string{"k": string(blob(2049))}
			}), "MetadataTooLarge"},
		} {
			if _, err := w.CopyObject(w.Context(), c.in); code(err) != c.code {
				w.Errorf("%s: got %v, want %s", what, err, c.code)
			}
		}
		if got := w.read("copy"); got != "NoSuchKey" {
			w.Errorf("there is a copy: %q", got)
		}
		// Onto itself with something changed, and with conditions that hold.
		svctest.Must(w.CopyObject(w.Context(), copyInput("journal/key", func(in *s3.CopyObjectInput) {
			in.Key, in.MetadataDirective, in.Metadata = aws.String("key"), "REPLACE", map[string]string{"new": "1"}
			in.CopySourceIfMatch, in.CopySourceIfUnmodifiedSince = at.ETag, &before
		})))(w)
		if diff := cmp.Diff(map[string]string{"new": "1"}, w.head("key").Metadata); diff != "" {
			w.Error(diff)
		}
	})
}
