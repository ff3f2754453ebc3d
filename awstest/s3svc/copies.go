package s3svc

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addCopies(e *awstest.Endpoint) {
	awstest.Handle(e, s.copyObject,
		"Bucket", "Key", "CopySource", "ExpectedBucketOwner", "ExpectedSourceBucketOwner", "IfMatch", "IfNoneMatch",
		"CopySourceIfMatch", "CopySourceIfNoneMatch", "CopySourceIfModifiedSince", "CopySourceIfUnmodifiedSince",
		"MetadataDirective", "TaggingDirective", "ChecksumAlgorithm",
		"ContentType", "ContentEncoding", "ContentLanguage", "ContentDisposition", "CacheControl", "Expires", "Metadata",
		"WebsiteRedirectLocation", "StorageClass", "ServerSideEncryption", "Tagging",
		// Accepted and without effect here:
		"RequestPayer")
}

func (s *service) copyObject(tx *awstest.Tx, call *awstest.Call, in *s3.CopyObjectInput) (*s3.CopyObjectOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := s3model.CheckKey(*in.Key); err != nil {
		return nil, err
	}
	from, source, err := s.source(tx, call, in)
	if err != nil {
		return nil, err
	}
	attributes, tags, err := replaced(call, in, source)
	if err != nil {
		return nil, err
	}
	sum, err := algorithm(call, in.ChecksumAlgorithm)
	if err != nil {
		return nil, err
	}
	o, err := source.Object.Copy(attributes, sum)
	if err != nil {
		return nil, err
	}
	if err := writable(call, b, *in.Key, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	v := b.Put(tx, *in.Key, o, tags)
	result := &types.CopyObjectResult{ETag: aws.String(o.ETag), LastModified: aws.Time(v.Modified), ChecksumType: types.ChecksumType(o.Checksum.Type)}
	show(o.Checksum, result)
	return &s3.CopyObjectOutput{
		CopyObjectResult: result, VersionId: text(b.ShownID(tx, v)), CopySourceVersionId: text(from.ShownID(tx, source)),
		ServerSideEncryption: types.ServerSideEncryptionAes256,
	}, nil
}

// source returns the version that is to be copied, from a bucket of any
// region.
func (s *service) source(tx *awstest.Tx, call *awstest.Call, in *s3.CopyObjectInput) (*s3model.Bucket, *s3model.Version, error) {
	path, query, _ := strings.Cut(*in.CopySource, "?")
	path, errPath := url.PathUnescape(strings.TrimPrefix(path, "/"))
	values, errQuery := url.ParseQuery(query)
	if strings.HasPrefix(path, "arn:") {
		return nil, nil, call.NotModelled("access point %s", path)
	}
	name, key, ok := strings.Cut(path, "/")
	if errPath != nil || errQuery != nil || !ok || key == "" {
		return nil, nil, s3model.InvalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if err := s.addressable(call, &name); err != nil {
		return nil, nil, err
	}
	from, err := s.model.Bucket(tx.Now(), name)
	if err == nil {
		err = s.owned(in.ExpectedSourceBucketOwner)
	}
	if err != nil {
		return nil, nil, err
	}
	id := values.Get("versionId")
	if values.Has("versionId") {
		if err := named(&id); err != nil {
			return nil, nil, err
		}
	}
	v, err := from.Version(key, id)
	switch {
	case err != nil && v != nil && id != "":
		return nil, nil, s3model.Invalid("The source of a copy request may not specifically refer to a delete marker by version id.")
	case err != nil:
		return nil, nil, err
	}
	err = (s3model.ReadCondition{
		IfMatch: aws.ToString(in.CopySourceIfMatch), IfNoneMatch: aws.ToString(in.CopySourceIfNoneMatch),
		ModifiedSince: aws.ToTime(in.CopySourceIfModifiedSince), UnmodifiedSince: aws.ToTime(in.CopySourceIfUnmodifiedSince),
	}).Check(v)
	if err != nil { // also where a read would be told that nothing is modified
		return nil, nil, &awstest.APIError{
			Code: "PreconditionFailed", Message: "At least one of the pre-conditions you specified did not hold", Status: http.StatusPreconditionFailed,
		}
	}
	onto := name == *in.Bucket && key == *in.Key && id == ""
	if onto && in.MetadataDirective != types.MetadataDirectiveReplace && in.StorageClass == "" && in.WebsiteRedirectLocation == nil && in.ServerSideEncryption == "" {
		return nil, nil, s3model.Invalid("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	return from, v, nil
}

// replaced returns the attributes and the tags of a copy: those of its source,
// unless the directives say otherwise. The storage class and the redirect are
// always those of the request.
func replaced(call *awstest.Call, in *s3.CopyObjectInput, source *s3model.Version) (a s3model.Attributes, tags []s3model.Tag, err error) {
	a, tags = source.Object.Attributes, source.Tags
	switch in.MetadataDirective {
	case "", types.MetadataDirectiveCopy:
	case types.MetadataDirectiveReplace:
		a = s3model.Attributes{
			ContentType: aws.ToString(in.ContentType), ContentEncoding: aws.ToString(in.ContentEncoding), ContentLanguage: aws.ToString(in.ContentLanguage),
			ContentDisposition: aws.ToString(in.ContentDisposition), CacheControl: aws.ToString(in.CacheControl),
			Expires: aws.ToTime(in.Expires), Metadata: in.Metadata,
		}
	default:
		return a, nil, s3model.InvalidArgument("Unknown metadata directive.")
	}
	a.Redirect = aws.ToString(in.WebsiteRedirectLocation)
	if a.StorageClass, err = stored(call, in.StorageClass, in.ServerSideEncryption); err != nil {
		return a, nil, err
	}
	switch in.TaggingDirective {
	case "", types.TaggingDirectiveCopy:
	case types.TaggingDirectiveReplace:
		tags, err = s3model.ParseTags(aws.ToString(in.Tagging))
	default:
		err = s3model.InvalidArgument("Unknown tagging directive.")
	}
	return a, tags, err
}
