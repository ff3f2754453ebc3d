package s3svc

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addDeletes(e *awstest.Endpoint) {
	awstest.Handle(e, s.deleteObject, "Bucket", "Key", "VersionId", "ExpectedBucketOwner", "IfMatch",
		// Accepted and without effect here:
		"RequestPayer")
	awstest.Handle(e, s.deleteObjects, "Bucket", "Delete", "ExpectedBucketOwner",
		// The bytes that it is about are those of HTTP:
		"ChecksumAlgorithm",
		// Accepted and without effect here:
		"RequestPayer")
}

func (s *service) deleteObject(tx *awstest.Tx, call *awstest.Call, in *s3.DeleteObjectInput) (*s3.DeleteObjectOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := named(in.VersionId); err != nil {
		return nil, err
	}
	if err := filled(call, in.IfMatch); err != nil {
		return nil, err
	}
	if err := conflicts(call, in.IfMatch != nil); err != nil {
		return nil, err
	}
	d, err := b.Remove(tx, *in.Key, aws.ToString(in.VersionId), aws.ToString(in.IfMatch))
	if err != nil {
		return nil, err
	}
	out := &s3.DeleteObjectOutput{VersionId: text(d.VersionID)}
	if d.Marker {
		out.DeleteMarker = aws.Bool(true)
	}
	return out, nil
}

// maxDeletes is how many objects a request may delete.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html (read 2026-11)
const maxDeletes = 1000

func (s *service) deleteObjects(tx *awstest.Tx, call *awstest.Call, in *s3.DeleteObjectsInput) (*s3.DeleteObjectsOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if n := len(in.Delete.Objects); n == 0 || n > maxDeletes {
		return nil, malformed()
	}
	for _, o := range in.Delete.Objects {
		if o.LastModifiedTime != nil || o.Size != nil {
			return nil, call.NotModelled("a condition of directory buckets")
		}
	}
	out := &s3.DeleteObjectsOutput{}
	for _, o := range in.Delete.Objects {
		d, err := b.Remove(tx, *o.Key, aws.ToString(o.VersionId), aws.ToString(o.ETag))
		var api *awstest.APIError
		switch {
		case errors.As(err, &api):
			out.Errors = append(out.Errors, types.Error{
				Key: aws.String(*o.Key), VersionId: text(aws.ToString(o.VersionId)), Code: aws.String(api.Code), Message: aws.String(api.Message),
			})
		case !aws.ToBool(in.Delete.Quiet):
			out.Deleted = append(out.Deleted, deleted(o, d))
		}
	}
	return out, nil
}

// deleted tells what has become of one of many.
func deleted(o types.ObjectIdentifier, d s3model.Deletion) types.DeletedObject {
	shown := types.DeletedObject{Key: aws.String(*o.Key), VersionId: text(aws.ToString(o.VersionId))}
	if d.Marker {
		shown.DeleteMarker = aws.Bool(true)
		shown.DeleteMarkerVersionId = aws.String(d.VersionID)
	}
	return shown
}
