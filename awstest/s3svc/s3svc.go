package s3svc

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/s3model"
)

// service is Amazon S3 of one cloud.
type service struct{ model *s3model.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: s3model.Of(r)}
		var err error
		s.model.Configure(func(m *s3model.Options) { err = opts.apply(m) })
		if err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: s3.ServiceID,
			// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "SlowDown", Message: "Please reduce your request rate.", Status: http.StatusServiceUnavailable},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "Service is unable to handle request.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDenied", Message: "Access Denied", Status: http.StatusForbidden},
			Modelled:    modelled,
		})
		s.addBuckets(e)
		s.addReplication(e)
		s.addWrites(e)
		s.addReads(e)
		s.addDeletes(e)
		s.addCopies(e)
		s.addLists(e)
		s.addUploads(e)
		s.addTags(e)
		return e.Err()
	}
}

// modelled gives a code the type that the SDK has for it in an operation. In
// most operations it has none even for codes such as NoSuchBucket, and leaves
// them generic.
// Source: the SDK's deserializers of errors (read 2026-11)
func modelled(operation, code, message string) error {
	m := aws.String(message)
	switch operation + " " + code {
	case "AbortMultipartUpload NoSuchUpload":
		return &types.NoSuchUpload{Message: m}
	case "CopyObject ObjectNotInActiveTierError":
		return &types.ObjectNotInActiveTierError{Message: m}
	case "CreateBucket BucketAlreadyExists":
		return &types.BucketAlreadyExists{Message: m}
	case "CreateBucket BucketAlreadyOwnedByYou":
		return &types.BucketAlreadyOwnedByYou{Message: m}
	case "GetObject InvalidObjectState":
		return &types.InvalidObjectState{Message: m}
	case "GetObject NoSuchKey":
		return &types.NoSuchKey{Message: m}
	case "HeadBucket NotFound", "HeadObject NotFound":
		return &types.NotFound{Message: m}
	case "ListObjectsV2 NoSuchBucket":
		return &types.NoSuchBucket{Message: m}
	case "PutObject EncryptionTypeMismatch":
		return &types.EncryptionTypeMismatch{Message: m}
	case "PutObject InvalidRequest":
		return &types.InvalidRequest{Message: m}
	case "PutObject InvalidWriteOffset":
		return &types.InvalidWriteOffset{Message: m}
	case "PutObject TooManyParts":
		return &types.TooManyParts{Message: m}
	}
	return nil
}

// bucket returns the bucket that a call is about. A call to the endpoint of
// another region is told where the bucket is.
func (s *service) bucket(tx *awstest.Tx, call *awstest.Call, name, owner *string) (*s3model.Bucket, error) {
	if err := s.addressable(call, name); err != nil {
		return nil, err
	}
	b, err := s.model.Bucket(tx.Now(), *name)
	if err != nil {
		return nil, err
	}
	return b, s.reached(call, b, owner)
}

// addressable refuses what names no general purpose bucket.
func (s *service) addressable(call *awstest.Call, name *string) error {
	switch {
	case strings.HasPrefix(*name, "arn:"):
		return call.NotModelled("access point %s", *name)
	case strings.HasSuffix(*name, "--x-s3"):
		return call.NotModelled("directory bucket %s", *name)
	}
	return nil
}

// reached tells whether a call has reached a bucket: in its region, and by the
// owner that the caller expects.
func (s *service) reached(call *awstest.Call, b *s3model.Bucket, owner *string) error {
	if b.Region != call.Region {
		return shape(call, &awstest.APIError{
			Code:    "PermanentRedirect",
			Message: "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
			Status:  http.StatusMovedPermanently,
		}, header("X-Amz-Bucket-Region", b.Region.Name()))
	}
	return s.owned(owner)
}

func (s *service) owned(owner *string) error {
	if owner != nil && *owner != s.model.AccountID() {
		return &awstest.APIError{Code: "AccessDenied", Message: "Access Denied", Status: http.StatusForbidden}
	}
	return nil
}
