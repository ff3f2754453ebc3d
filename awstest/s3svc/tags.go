package s3svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addTags(e *awstest.Endpoint) {
	awstest.Handle(e, s.putObjectTagging, "Bucket", "Key", "VersionId", "Tagging", "ExpectedBucketOwner",
		// The bytes that they are about are those of HTTP:
		"ChecksumAlgorithm", "ContentMD5",
		// Accepted and without effect here:
		"RequestPayer")
	awstest.Handle(e, s.getObjectTagging, "Bucket", "Key", "VersionId", "ExpectedBucketOwner",
		// Accepted and without effect here:
		"RequestPayer")
	awstest.Handle(e, s.deleteObjectTagging, "Bucket", "Key", "VersionId", "ExpectedBucketOwner")
}

// tagged returns the version whose tags a request is about, and its ID.
func (s *service) tagged(tx *awstest.Tx, call *awstest.Call, bucket, key, id, owner *string) (b *s3model.Bucket, v *s3model.Version, shown *string, err error) {
	if b, err = s.bucket(tx, call, bucket, owner); err != nil {
		return nil, nil, nil, err
	}
	if v, err = find(call, b, key, id); err != nil {
		return nil, nil, nil, err
	}
	return b, v, text(b.ShownID(tx, v)), nil
}

func (s *service) putObjectTagging(tx *awstest.Tx, call *awstest.Call, in *s3.PutObjectTaggingInput) (*s3.PutObjectTaggingOutput, error) {
	b, v, id, err := s.tagged(tx, call, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := b.SetTags(tx, v, readTags(in.Tagging.TagSet)); err != nil {
		return nil, err
	}
	return &s3.PutObjectTaggingOutput{VersionId: id}, nil
}

func (s *service) getObjectTagging(tx *awstest.Tx, call *awstest.Call, in *s3.GetObjectTaggingInput) (*s3.GetObjectTaggingOutput, error) {
	_, v, id, err := s.tagged(tx, call, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetObjectTaggingOutput{VersionId: id, TagSet: showTags(v.Tags)}, nil
}

func (s *service) deleteObjectTagging(tx *awstest.Tx, call *awstest.Call, in *s3.DeleteObjectTaggingInput) (*s3.DeleteObjectTaggingOutput, error) {
	b, v, id, err := s.tagged(tx, call, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.DeleteObjectTaggingOutput{VersionId: id}, b.SetTags(tx, v, nil)
}

func readTags(set []types.Tag) (tags []s3model.Tag) {
	for _, t := range set {
		tags = append(tags, s3model.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	return tags
}

func showTags(tags []s3model.Tag) (set []types.Tag) {
	for _, t := range tags {
		set = append(set, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return set
}
