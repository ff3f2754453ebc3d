package s3svc

import (
	"io"
	"math"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addUploads(e *awstest.Endpoint) {
	awstest.Handle(e, s.createMultipartUpload, "Bucket", "Key", "ExpectedBucketOwner", "ChecksumAlgorithm", "ChecksumType",
		"ContentType", "ContentEncoding", "ContentLanguage", "ContentDisposition", "CacheControl", "Expires", "Metadata",
		"WebsiteRedirectLocation", "StorageClass", "ServerSideEncryption", "Tagging",
		// Accepted and without effect here:
		"RequestPayer")
	awstest.HandleBody(e, func(in *s3.UploadPartInput) io.Reader { return in.Body }, s.uploadPart, checksumFields(
		"Bucket", "Key", "UploadId", "PartNumber", "Body", "ExpectedBucketOwner", "ContentLength", "ContentMD5", "ChecksumAlgorithm",
		// Accepted and without effect here:
		"RequestPayer")...)
	awstest.Handle(e, s.completeMultipartUpload, checksumFields(
		"Bucket", "Key", "UploadId", "MultipartUpload", "ExpectedBucketOwner", "IfMatch", "IfNoneMatch", "MpuObjectSize", "ChecksumType",
		// Accepted and without effect here:
		"RequestPayer")...)
	awstest.Handle(e, s.abortMultipartUpload, "Bucket", "Key", "UploadId", "ExpectedBucketOwner",
		// Accepted and without effect here:
		"RequestPayer")
	awstest.Handle(e, s.listParts, "Bucket", "Key", "UploadId", "MaxParts", "PartNumberMarker", "ExpectedBucketOwner",
		// Accepted and without effect here:
		"RequestPayer")
	awstest.Handle(e, s.listMultipartUploads, "Bucket", "Prefix", "Delimiter", "KeyMarker", "UploadIdMarker", "MaxUploads", "ExpectedBucketOwner",
		// Accepted and without effect here:
		"RequestPayer")
}

func (s *service) createMultipartUpload(tx *awstest.Tx, call *awstest.Call, in *s3.CreateMultipartUploadInput) (*s3.CreateMultipartUploadOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := s3model.CheckKey(*in.Key); err != nil {
		return nil, err
	}
	spec := s3model.Upload{
		Key: *in.Key, Type: string(in.ChecksumType),
		Attributes: s3model.Attributes{
			ContentType: aws.ToString(in.ContentType), ContentEncoding: aws.ToString(in.ContentEncoding), ContentLanguage: aws.ToString(in.ContentLanguage),
			ContentDisposition: aws.ToString(in.ContentDisposition), CacheControl: aws.ToString(in.CacheControl), Redirect: aws.ToString(in.WebsiteRedirectLocation),
			Expires: aws.ToTime(in.Expires), Metadata: in.Metadata,
		},
	}
	if spec.StorageClass, err = stored(call, in.StorageClass, in.ServerSideEncryption); err != nil {
		return nil, err
	}
	if spec.Algorithm, err = algorithm(call, in.ChecksumAlgorithm); err != nil {
		return nil, err
	}
	tags, err := s3model.ParseTags(aws.ToString(in.Tagging))
	if err != nil {
		return nil, err
	}
	u, err := b.Begin(tx, spec, tags)
	if err != nil {
		return nil, err
	}
	return &s3.CreateMultipartUploadOutput{
		Bucket: aws.String(b.Name), Key: aws.String(u.Key), UploadId: aws.String(u.ID), ServerSideEncryption: types.ServerSideEncryptionAes256,
		ChecksumAlgorithm: types.ChecksumAlgorithm(u.Algorithm), ChecksumType: types.ChecksumType(u.Type),
	}, nil
}

// upload returns the upload that a call is about.
func (s *service) upload(tx *awstest.Tx, call *awstest.Call, bucket, key, id, owner *string) (*s3model.Bucket, *s3model.Upload, error) {
	b, err := s.bucket(tx, call, bucket, owner)
	if err != nil {
		return nil, nil, err
	}
	u, err := b.Upload(*key, *id)
	return b, u, err
}

func (s *service) uploadPart(tx *awstest.Tx, call *awstest.Call, in *s3.UploadPartInput, data []byte) (*s3.UploadPartOutput, error) {
	_, u, err := s.upload(tx, call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := length(in.Body, in.ContentLength, data); err != nil {
		return nil, err
	}
	payload := s3model.Payload{Data: data, ContentMD5: aws.ToString(in.ContentMD5)}
	if payload.Given, err = sent(call); err != nil { // which outweighs the algorithm that is named
		return nil, err
	}
	part, err := u.PutPart(tx, int(*in.PartNumber), payload)
	if err != nil {
		return nil, err
	}
	out := &s3.UploadPartOutput{ETag: aws.String(part.ETag), ServerSideEncryption: types.ServerSideEncryptionAes256}
	show(part.Checksum, out)
	return out, nil
}

func (s *service) completeMultipartUpload(tx *awstest.Tx, call *awstest.Call, in *s3.CompleteMultipartUploadInput) (*s3.CompleteMultipartUploadOutput, error) {
	b, u, err := s.upload(tx, call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := filled(call, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	c := s3model.Completion{
		Condition: s3model.Condition{IfMatch: aws.ToString(in.IfMatch), IfNoneMatch: aws.ToString(in.IfNoneMatch)},
		Size:      in.MpuObjectSize,
	}
	if c.Given, err = given(call, in); err != nil {
		return nil, err
	}
	c.Given.Type = string(in.ChecksumType)
	if in.MultipartUpload != nil {
		for i := range in.MultipartUpload.Parts {
			p := &in.MultipartUpload.Parts[i]
			sum, err := given(call, p)
			if err != nil {
				return nil, err
			}
			c.Parts = append(c.Parts, s3model.Part{Number: int(aws.ToInt32(p.PartNumber)), ETag: aws.ToString(p.ETag), Checksum: sum})
		}
	}
	if err := conflicts(call, c.Condition.Any()); err != nil {
		return nil, err
	}
	v, err := b.Complete(tx, u, c)
	if err != nil {
		return nil, err
	}
	out := &s3.CompleteMultipartUploadOutput{
		Bucket: aws.String(b.Name), Key: aws.String(v.Key), ETag: aws.String(v.Object.ETag), VersionId: text(b.ShownID(tx, v)),
		Location:     aws.String("https://" + b.Name + ".s3." + b.Region.Name() + ".amazonaws.com/" + v.Key),
		ChecksumType: types.ChecksumType(v.Object.Checksum.Type), ServerSideEncryption: types.ServerSideEncryptionAes256,
	}
	show(v.Object.Checksum, out)
	return out, nil
}

func (s *service) abortMultipartUpload(tx *awstest.Tx, call *awstest.Call, in *s3.AbortMultipartUploadInput) (*s3.AbortMultipartUploadOutput, error) {
	b, u, err := s.upload(tx, call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	b.End(u)
	return &s3.AbortMultipartUploadOutput{}, nil
}

func (s *service) listParts(tx *awstest.Tx, call *awstest.Call, in *s3.ListPartsInput) (*s3.ListPartsOutput, error) {
	b, u, err := s.upload(tx, call, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	most, err := limit(in.MaxParts, "max-parts")
	if err != nil {
		return nil, err
	}
	after := 0
	if marker := aws.ToString(in.PartNumberMarker); marker != "" {
		if after, err = strconv.Atoi(marker); err != nil || after < 0 || after > math.MaxInt32 {
			return nil, s3model.InvalidArgument("Argument part-number-marker must be an integer between 0 and 2147483647")
		}
	}
	parts, more := u.Parts(after, most)
	out := &s3.ListPartsOutput{
		Bucket: aws.String(b.Name), Key: aws.String(u.Key), UploadId: aws.String(u.ID), Owner: s.owner(), Initiator: s.initiator(),
		StorageClass: types.StorageClass(u.StorageClass), ChecksumAlgorithm: types.ChecksumAlgorithm(u.Algorithm), ChecksumType: types.ChecksumType(u.Type),
		MaxParts: aws.Int32(int32(most)), PartNumberMarker: aws.String(strconv.Itoa(after)), IsTruncated: aws.Bool(more),
	}
	for _, p := range parts {
		shown := types.Part{PartNumber: aws.Int32(int32(p.Number)), ETag: aws.String(p.ETag), Size: aws.Int64(p.Size), LastModified: aws.Time(p.Modified)}
		show(p.Checksum, &shown)
		out.Parts = append(out.Parts, shown)
		after = p.Number
	}
	if more {
		out.NextPartNumberMarker = aws.String(strconv.Itoa(after))
	}
	return out, nil
}

func (s *service) initiator() *types.Initiator {
	return &types.Initiator{ID: aws.String(s.model.OwnerID())}
}

func (s *service) listMultipartUploads(tx *awstest.Tx, call *awstest.Call, in *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	q := s3model.Query{Prefix: aws.ToString(in.Prefix), Delimiter: aws.ToString(in.Delimiter), After: aws.ToString(in.KeyMarker)}
	if q.Max, err = limit(in.MaxUploads, "max-uploads"); err != nil {
		return nil, err
	}
	page, nextID := b.ListUploads(q, aws.ToString(in.UploadIdMarker))
	out := &s3.ListMultipartUploadsOutput{
		Bucket: aws.String(b.Name), Prefix: aws.String(q.Prefix), Delimiter: text(q.Delimiter), MaxUploads: aws.Int32(int32(q.Max)),
		KeyMarker: aws.String(q.After), UploadIdMarker: aws.String(aws.ToString(in.UploadIdMarker)),
		IsTruncated: aws.Bool(page.Truncated), CommonPrefixes: prefixes(page.Prefixes),
	}
	if page.Truncated {
		out.NextKeyMarker, out.NextUploadIdMarker = aws.String(page.Next), text(nextID)
	}
	for _, u := range page.Items {
		out.Uploads = append(out.Uploads, types.MultipartUpload{
			Key: aws.String(u.Key), UploadId: aws.String(u.ID), Initiated: aws.Time(u.Initiated), Owner: s.owner(), Initiator: s.initiator(),
			StorageClass: types.StorageClass(u.StorageClass), ChecksumAlgorithm: types.ChecksumAlgorithm(u.Algorithm), ChecksumType: types.ChecksumType(u.Type),
		})
	}
	return out, nil
}
