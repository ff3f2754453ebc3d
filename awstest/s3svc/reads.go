package s3svc

import (
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addReads(e *awstest.Endpoint) {
	fields := []string{
		"Bucket", "Key", "VersionId", "ExpectedBucketOwner", "IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince",
		"Range", "PartNumber", "ChecksumMode", "ResponseCacheControl", "ResponseContentDisposition", "ResponseContentEncoding",
		"ResponseContentLanguage", "ResponseContentType", "ResponseExpires",
		// Accepted and without effect here:
		"RequestPayer",
	}
	awstest.Handle(e, s.getObject, fields...)
	awstest.Handle(e, s.headObject, fields...)
}

func (s *service) getObject(tx *awstest.Tx, call *awstest.Call, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	head, data, err := s.look(tx, call, &s3.HeadObjectInput{
		Bucket: in.Bucket, Key: in.Key, VersionId: in.VersionId, ExpectedBucketOwner: in.ExpectedBucketOwner,
		IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince,
		Range: in.Range, PartNumber: in.PartNumber, ChecksumMode: in.ChecksumMode,
		ResponseCacheControl: in.ResponseCacheControl, ResponseContentDisposition: in.ResponseContentDisposition,
		ResponseContentEncoding: in.ResponseContentEncoding, ResponseContentLanguage: in.ResponseContentLanguage,
		ResponseContentType: in.ResponseContentType, ResponseExpires: in.ResponseExpires,
	})
	if err != nil {
		return nil, err
	}
	return &s3.GetObjectOutput{
		Body:         newBody(call, data),
		AcceptRanges: head.AcceptRanges, CacheControl: head.CacheControl, ContentDisposition: head.ContentDisposition,
		ContentEncoding: head.ContentEncoding, ContentLanguage: head.ContentLanguage, ContentLength: head.ContentLength,
		ContentRange: head.ContentRange, ContentType: head.ContentType, ETag: head.ETag, ExpiresString: head.ExpiresString,
		LastModified: head.LastModified, Metadata: head.Metadata, PartsCount: head.PartsCount, ReplicationStatus: head.ReplicationStatus,
		ServerSideEncryption: head.ServerSideEncryption, StorageClass: head.StorageClass, TagCount: head.TagCount,
		VersionId: head.VersionId, WebsiteRedirectLocation: head.WebsiteRedirectLocation, ChecksumType: head.ChecksumType,
		ChecksumCRC32: head.ChecksumCRC32, ChecksumCRC32C: head.ChecksumCRC32C, ChecksumCRC64NVME: head.ChecksumCRC64NVME,
		ChecksumMD5: head.ChecksumMD5, ChecksumSHA1: head.ChecksumSHA1, ChecksumSHA256: head.ChecksumSHA256, ChecksumSHA512: head.ChecksumSHA512,
		Expires: head.Expires, //nolint:staticcheck // deprecated for what servers send that is no date, and still read
	}, nil
}

func (s *service) headObject(tx *awstest.Tx, call *awstest.Call, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, error) {
	out, _, err := s.look(tx, call, in)
	if err != nil {
		return nil, bare(call, err)
	}
	return out, nil
}

// look reads a version, or a part of it.
func (s *service) look(tx *awstest.Tx, call *awstest.Call, in *s3.HeadObjectInput) (*s3.HeadObjectOutput, []byte, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, nil, err
	}
	v, err := find(call, b, in.Key, in.VersionId)
	if err != nil {
		return nil, nil, err
	}
	if err := (s3model.ReadCondition{
		IfMatch: aws.ToString(in.IfMatch), IfNoneMatch: aws.ToString(in.IfNoneMatch),
		ModifiedSince: aws.ToTime(in.IfModifiedSince), UnmodifiedSince: aws.ToTime(in.IfUnmodifiedSince),
	}).Check(v); err != nil {
		return nil, nil, err
	}
	span, err := v.Object.Span(aws.ToString(in.Range), in.PartNumber)
	switch {
	case err != nil:
		return nil, nil, err
	case span.Several:
		return nil, nil, call.NotModelled("several ranges")
	}
	out := describe(v)
	out.VersionId = text(b.ShownID(tx, v))
	out.ContentLength = aws.Int64(span.To - span.From)
	out.ContentRange = text(span.ContentRange)
	if in.PartNumber != nil && v.Object.Parts != nil {
		out.PartsCount = aws.Int32(int32(len(v.Object.Parts)))
	}
	if in.ChecksumMode == types.ChecksumModeEnabled {
		out.ChecksumType = types.ChecksumType(span.Checksum.Type)
		show(span.Checksum, out)
	}
	override(out, in)
	return out, v.Object.Data[span.From:span.To], nil
}

// named refuses the empty version ID, which is not the current version: it is
// a version that the caller has forgotten to fill in.
func named(id *string) error {
	if id != nil && *id == "" {
		return s3model.InvalidArgument("Version id cannot be the empty string")
	}
	return nil
}

// find returns the version that a request names. The error about a delete
// marker says that it is one.
func find(call *awstest.Call, b *s3model.Bucket, key, id *string) (*s3model.Version, error) {
	if err := named(id); err != nil {
		return nil, err
	}
	v, err := b.Version(*key, aws.ToString(id))
	api, ok := err.(*awstest.APIError) //nolint:errorlint // made by the model
	if ok && v != nil {
		h := header("X-Amz-Delete-Marker", "true", "X-Amz-Version-Id", v.ID)
		if api.Status == http.StatusMethodNotAllowed {
			h.Set("Last-Modified", v.Modified.Format(http.TimeFormat))
			h.Set("Allow", http.MethodDelete)
		}
		return nil, shape(call, api, h)
	}
	return v, err
}

// describe tells what there is to say about a version.
func describe(v *s3model.Version) *s3.HeadObjectOutput {
	o := v.Object
	out := &s3.HeadObjectOutput{
		AcceptRanges: aws.String("bytes"), ETag: aws.String(o.ETag), LastModified: aws.Time(v.Modified), Metadata: map[string]string{},
		ContentType: aws.String(o.ContentType), ContentEncoding: text(o.ContentEncoding), ContentLanguage: text(o.ContentLanguage),
		ContentDisposition: text(o.ContentDisposition), CacheControl: text(o.CacheControl), WebsiteRedirectLocation: text(o.Redirect),
		ServerSideEncryption: types.ServerSideEncryptionAes256, ReplicationStatus: types.ReplicationStatus(v.ReplicationStatus()),
	}
	maps.Copy(out.Metadata, o.Metadata)
	if !o.Expires.IsZero() {
		expire(out, o.Expires)
	}
	if !o.IsDefault() {
		out.StorageClass = types.StorageClass(o.StorageClass)
	}
	if n := len(v.Tags); n > 0 {
		out.TagCount = aws.Int32(int32(n))
	}
	return out
}

func expire(out *s3.HeadObjectOutput, at time.Time) {
	at = at.UTC().Truncate(time.Second)
	out.ExpiresString = aws.String(at.Format(http.TimeFormat))
	out.Expires = &at //nolint:staticcheck // deprecated for what servers send that is no date, and still read
}

// override replaces headers by those that the request asks for.
func override(out *s3.HeadObjectOutput, in *s3.HeadObjectInput) {
	for _, o := range []struct{ to, by **string }{
		{&out.CacheControl, &in.ResponseCacheControl},
		{&out.ContentDisposition, &in.ResponseContentDisposition},
		{&out.ContentEncoding, &in.ResponseContentEncoding},
		{&out.ContentLanguage, &in.ResponseContentLanguage},
		{&out.ContentType, &in.ResponseContentType},
	} {
		if *o.by != nil {
			*o.to = aws.String(**o.by)
		}
	}
	if in.ResponseExpires != nil {
		expire(out, *in.ResponseExpires)
	}
}
