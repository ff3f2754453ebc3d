package s3svc

import (
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

func (s *service) addWrites(e *awstest.Endpoint) {
	awstest.HandleBody(e, func(in *s3.PutObjectInput) io.Reader { return in.Body }, s.putObject, checksumFields(
		"Bucket", "Key", "Body", "ExpectedBucketOwner", "IfMatch", "IfNoneMatch", "ContentLength", "ContentMD5", "ChecksumAlgorithm",
		"ContentType", "ContentEncoding", "ContentLanguage", "ContentDisposition", "CacheControl", "Expires", "Metadata",
		"WebsiteRedirectLocation", "StorageClass", "ServerSideEncryption", "Tagging",
		// Accepted and without effect here:
		"RequestPayer")...)
}

func (s *service) putObject(tx *awstest.Tx, call *awstest.Call, in *s3.PutObjectInput, data []byte) (*s3.PutObjectOutput, error) {
	b, err := s.bucket(tx, call, in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if err := s3model.CheckKey(*in.Key); err != nil {
		return nil, err
	}
	if err := length(in.Body, in.ContentLength, data); err != nil {
		return nil, err
	}
	attributes := s3model.Attributes{
		ContentType: contentType(in.ContentType, in.Body), ContentEncoding: aws.ToString(in.ContentEncoding), ContentLanguage: aws.ToString(in.ContentLanguage),
		ContentDisposition: aws.ToString(in.ContentDisposition), CacheControl: aws.ToString(in.CacheControl), Redirect: aws.ToString(in.WebsiteRedirectLocation),
		Expires: aws.ToTime(in.Expires), Metadata: in.Metadata,
	}
	if attributes.StorageClass, err = stored(call, in.StorageClass, in.ServerSideEncryption); err != nil {
		return nil, err
	}
	tags, err := s3model.ParseTags(aws.ToString(in.Tagging))
	if err != nil {
		return nil, err
	}
	payload := s3model.Payload{Data: data, ContentMD5: aws.ToString(in.ContentMD5)}
	if payload.Algorithm, err = algorithm(call, in.ChecksumAlgorithm); err != nil {
		return nil, err
	}
	if payload.Given, err = sent(call); err != nil {
		return nil, err
	}
	o, err := s3model.NewObject(payload, attributes)
	if err != nil {
		return nil, err
	}
	if err := writable(call, b, *in.Key, in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	v := b.Put(tx, *in.Key, o, tags)
	out := &s3.PutObjectOutput{
		ETag: aws.String(o.ETag), VersionId: text(b.ShownID(tx, v)), ChecksumType: types.ChecksumType(o.Checksum.Type),
		ServerSideEncryption: types.ServerSideEncryptionAes256,
	}
	show(o.Checksum, out)
	return out, nil
}

// writable holds the conditions of a write against what is there.
func writable(call *awstest.Call, b *s3model.Bucket, key string, ifMatch, ifNoneMatch *string) error {
	if err := filled(call, ifMatch, ifNoneMatch); err != nil {
		return err
	}
	c := s3model.Condition{IfMatch: aws.ToString(ifMatch), IfNoneMatch: aws.ToString(ifNoneMatch)}
	if err := conflicts(call, c.Any()); err != nil {
		return err
	}
	return b.Check(key, c)
}

// filled refuses conditions that are there and empty. The SDK sends them, and
// AWS does not say what they mean; to write without a condition is the last
// thing that their author wants.
func filled(call *awstest.Call, conditions ...*string) error {
	for _, c := range conditions {
		if c != nil && *c == "" {
			return call.NotModelled("an empty condition")
		}
	}
	return nil
}

// length refuses a stream whose length HTTP would not know, or that has another
// one than is said. The SDK finds out the length of what it can seek in, or
// what has a method Len.
func length(stream io.Reader, said *int64, data []byte) error {
	if stream == nil || stream == http.NoBody {
		return nil
	}
	_, sized := stream.(interface{ Len() int })
	_, seekable := stream.(io.Seeker)
	switch {
	case said != nil && *said != int64(len(data)):
		return &smithyhttp.RequestSendError{Err: &lengthError{*said, len(data)}}
	case said == nil && !sized && !seekable:
		return &awstest.APIError{Code: "MissingContentLength", Message: "You must provide the Content-Length HTTP header.", Status: http.StatusLengthRequired}
	}
	return nil
}

// lengthError is how net/http breaks a request off whose body is not as long as
// its header says.
type lengthError struct {
	said int64
	got  int
}

func (e *lengthError) Error() string {
	return fmt.Sprintf("http: ContentLength=%d with Body length %d", e.said, e.got)
}

// contentType is what the SDK makes of a type that is not said.
// Source: the SDK's serializer of PutObject (read 2026-11)
func contentType(said *string, stream io.Reader) string {
	if said == nil && stream != nil {
		return "application/octet-stream"
	}
	return aws.ToString(said)
}

// stored refuses storage classes and encryptions that are not modelled: what
// is in an archive cannot be read at once, and what is in one zone fails
// with it.
func stored(call *awstest.Call, class types.StorageClass, encryption types.ServerSideEncryption) (string, error) {
	if encryption != "" && encryption != types.ServerSideEncryptionAes256 {
		return "", call.NotModelled("encryption %s", encryption)
	}
	modelled := []types.StorageClass{
		"", types.StorageClassStandard, types.StorageClassStandardIa, types.StorageClassIntelligentTiering,
		types.StorageClassGlacierIr, types.StorageClassReducedRedundancy,
	}
	if !slices.Contains(modelled, class) {
		return "", call.NotModelled("storage class %s", class)
	}
	return string(class), nil
}

// text is nil for what is not there.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
