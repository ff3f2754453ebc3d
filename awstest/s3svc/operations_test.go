package s3svc_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/s3svc"
)

func TestDocListsEveryOperation(t *testing.T) {
	t.Parallel()
	svctest.PageListsOperations(t, svctest.Operations[*s3.Client](t, s3svc.New(), s3.ServiceID))
}

func codes(t *testing.T) map[string]bool {
	t.Helper()
	return svctest.Codes(t, "*.go", "../internal/s3model/*.go")
}

func TestDocListsEveryErrorCode(t *testing.T) {
	t.Parallel()
	svctest.PageListsCodes(t, codes(t))
}

// required is an input of every operation, with what the SDK insists on.
func required() []any {
	b, n := aws.String(name), aws.Int32(1)
	replication := &types.ReplicationConfiguration{Role: b, Rules: []types.ReplicationRule{rule()}}
	return []any{
		&s3.AbortMultipartUploadInput{Bucket: b, Key: b, UploadId: b}, &s3.CompleteMultipartUploadInput{Bucket: b, Key: b, UploadId: b},
		&s3.CopyObjectInput{Bucket: b, Key: b, CopySource: b}, &s3.CreateBucketInput{Bucket: b}, &s3.CreateMultipartUploadInput{Bucket: b, Key: b},
		&s3.DeleteBucketInput{Bucket: b}, &s3.DeleteBucketReplicationInput{Bucket: b},
		&s3.DeleteObjectInput{Bucket: b, Key: b}, &s3.DeleteObjectTaggingInput{Bucket: b, Key: b},
		&s3.DeleteObjectsInput{Bucket: b, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: b}}}},
		&s3.GetBucketLocationInput{Bucket: b}, &s3.GetBucketReplicationInput{Bucket: b}, &s3.GetBucketVersioningInput{Bucket: b},
		&s3.GetObjectInput{Bucket: b, Key: b}, &s3.GetObjectTaggingInput{Bucket: b, Key: b},
		&s3.HeadBucketInput{Bucket: b}, &s3.HeadObjectInput{Bucket: b, Key: b},
		&s3.ListBucketsInput{}, &s3.ListMultipartUploadsInput{Bucket: b}, &s3.ListObjectVersionsInput{Bucket: b}, &s3.ListObjectsV2Input{Bucket: b},
		&s3.ListPartsInput{Bucket: b, Key: b, UploadId: b}, &s3.PutBucketReplicationInput{Bucket: b, ReplicationConfiguration: replication},
		&s3.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &types.VersioningConfiguration{}},
		&s3.PutObjectInput{Bucket: b, Key: b}, &s3.PutObjectTaggingInput{Bucket: b, Key: b, Tagging: tagSet("a", "1")},
		&s3.UploadPartInput{Bucket: b, Key: b, UploadId: b, PartNumber: n},
	}
}

// overHTTP is a client that is answered with an error of S3, as HTTP brings it.
func overHTTP(code string) *s3.Client {
	return s3.New(s3.Options{
		Region: here, Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
		HTTPClient: smithyhttp.ClientDoFunc(func(rq *http.Request) (*http.Response, error) {
			answer := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: rq}
			if rq.Method != http.MethodHead {
				answer.Body = io.NopCloser(strings.NewReader("<Error><Code>" + code + "</Code><Message>no</Message></Error>"))
			}
			return answer, nil
		}),
	})
}

// typeOf is the type of the error of the service, and what it says.
func typeOf(err error) string {
	api, _ := errors.AsType[smithy.APIError](err)
	return fmt.Sprintf("%T %v", api, api)
}

// An error has the type that the SDK makes of S3's answer: many codes have one
// in some operations only.
func TestErrorsAreOfTheSDKsTypes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		all := codes(t)
		for _, code := range []string{
			"BucketAlreadyExists", "EncryptionTypeMismatch", "InvalidObjectState", "InvalidWriteOffset", "NoSuchUpload",
			"ObjectNotInActiveTierError", "TooManyParts",
		} {
			all[code] = true
		}
		seen := map[string]bool{}
		for _, in := range required() {
			seen[svctest.NameOf(in)] = true
			these := all
			if strings.HasPrefix(svctest.NameOf(in), "Head") {
				these = map[string]bool{"NotFound": true} // made of the status
			}
			for code := range these {
				heal := svctest.Must(w.cloud.Inject(awstest.Match{Service: s3.ServiceID}, awstest.Reject(awstest.APIError{Code: code, Message: "no", Status: http.StatusNotFound})))(w)
				_, got := svctest.Call(w.Context(), w.Client, in)
				heal()
				_, want := svctest.Call(w.Context(), overHTTP(code), in)
				if g, e := typeOf(got), typeOf(want); len(these) > 1 && g != e || !strings.HasPrefix(g, strings.Fields(e)[0]) {
					w.Errorf("%s: got %s, and over HTTP %s", svctest.NameOf(in), g, e)
				}
			}
		}
		for _, op := range w.cloud.Operations(s3.ServiceID) {
			if !seen[op] {
				w.Errorf("%s is not tried", op)
			}
		}
	})
}

func TestServiceFaults(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		svctest.ServiceFaults(w, w.cloud, awstest.Match{Service: s3.ServiceID, Operation: "PutObject"}, func() error {
			_, err := w.PutObject(w.Context(), putInput("key", "text"))
			return err
		},
			svctest.ServiceFault{Effect: awstest.Throttle(), Code: "SlowDown", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Unavailable(), Code: "ServiceUnavailable", Status: 503, Attempts: 3},
			svctest.ServiceFault{Effect: awstest.Deny(), Code: "AccessDenied", Status: 403, Attempts: 1},
			svctest.ServiceFault{Effect: awstest.Reject(awstest.APIError{Code: "InternalError", Message: "We encountered an internal error.", Status: 500}), Code: "InternalError", Status: 500, Attempts: 3},
		)
	})
}

func TestNotModelledIsLoud(t *testing.T) {
	t.Parallel()
	bucket, key := aws.String(name), aws.String("key")
	put := func(change func(*s3.PutObjectInput)) any { return putInput("key", "text", change) }
	rule := func(change func(*types.ReplicationRule)) any {
		r := types.ReplicationRule{
			Status: types.ReplicationRuleStatusEnabled, Destination: &types.Destination{Bucket: aws.String("arn:aws:s3:::replicas")},
		}
		change(&r)
		return &s3.PutBucketReplicationInput{Bucket: bucket, ReplicationConfiguration: &types.ReplicationConfiguration{Role: aws.String("arn:aws:iam::123456789012:role/r"), Rules: []types.ReplicationRule{r}}}
	}
	for what, c := range map[string]struct {
		in   any
		says string
	}{
		"an operation":         {&s3.GetBucketPolicyInput{Bucket: bucket}, ".GetBucketPolicy"},
		"a parameter":          {put(func(in *s3.PutObjectInput) { in.ACL = "private" }), ".PutObject: parameter ACL"},
		"a key of KMS":         {put(func(in *s3.PutObjectInput) { in.ServerSideEncryption = "aws:kms" }), ".PutObject: encryption aws:kms"},
		"an archive":           {put(func(in *s3.PutObjectInput) { in.StorageClass = "GLACIER" }), ".PutObject: storage class GLACIER"},
		"one zone":             {put(func(in *s3.PutObjectInput) { in.StorageClass = "ONEZONE_IA" }), ".PutObject: storage class ONEZONE_IA"},
		"a checksum":           {put(func(in *s3.PutObjectInput) { in.ChecksumXXHASH64 = aws.String("AAAAAAAAAAA=") }), ".PutObject: checksum algorithm XXHASH64"},
		"a checksum algorithm": {&s3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ChecksumAlgorithm: "XXHASH3"}, ".CreateMultipartUpload: checksum algorithm XXHASH3"},
		"an empty condition":   {put(func(in *s3.PutObjectInput) { in.IfMatch = aws.String("") }), ".PutObject: an empty condition"},
		"none but empty":       {put(func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("") }), ".PutObject: an empty condition"},
		"an empty condition of a copy": {
			&s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: aws.String("journal/there"), IfMatch: aws.String("")}, ".CopyObject: an empty condition",
		},
		"an empty condition of a delete": {&s3.DeleteObjectInput{Bucket: bucket, Key: key, IfMatch: aws.String("")}, ".DeleteObject: an empty condition"},
		"several ranges":                 {getInput("there", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=0-0,2-2") }), ".GetObject: several ranges"},
		"encoding":                       {&s3.ListObjectsV2Input{Bucket: bucket, EncodingType: "url"}, ".ListObjectsV2: parameter EncodingType"},
		"tags of a bucket": {&s3.CreateBucketInput{Bucket: aws.String("more"), CreateBucketConfiguration: &types.CreateBucketConfiguration{
			Tags: []types.Tag{{Key: key, Value: key}},
		}}, ".CreateBucket: a configuration other than a location constraint"},
		"MFA": {&s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{
			Status: "Enabled", MFADelete: "Enabled",
		}}, ".PutBucketVersioning: deletion with multi-factor authentication"},
		"a condition of directory buckets": {&s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{
			Objects: []types.ObjectIdentifier{{Key: key, Size: aws.Int64(1)}},
		}}, ".DeleteObjects: a condition of directory buckets"},
		"an access point": {&s3.HeadObjectInput{Bucket: aws.String("arn:aws:s3:us-east-1:123456789012:accesspoint/web"), Key: key}, ".HeadObject: access point arn:aws:s3:us-east-1:123456789012:accesspoint/web"},
		"a source access point": {&s3.CopyObjectInput{
			Bucket: bucket, Key: key, CopySource: aws.String("arn:aws:s3:us-east-1:123456789012:accesspoint/web/object/key"),
		}, ".CopyObject: access point arn:aws:s3:us-east-1:123456789012:accesspoint/web/object/key"},
		"a source directory bucket": {&s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: aws.String("a--use1-az4--x-s3/key")}, ".CopyObject: directory bucket a--use1-az4--x-s3"},
		"existing objects": {rule(func(r *types.ReplicationRule) {
			r.ExistingObjectReplication = &types.ExistingObjectReplication{Status: "Enabled"}
		}), ".PutBucketReplication: replication of existing objects"},
		"source selection": {rule(func(r *types.ReplicationRule) { r.SourceSelectionCriteria = &types.SourceSelectionCriteria{} }), ".PutBucketReplication: source selection criteria"},
		"an owner":         {rule(func(r *types.ReplicationRule) { r.Destination.Account = aws.String("1") }), ".PutBucketReplication: another owner or encryption of replicas"},
		"time control": {rule(func(r *types.ReplicationRule) {
			r.Destination.Metrics = &types.Metrics{Status: "Enabled"}
		}), ".PutBucketReplication: replication time control or metrics"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			svctest.NotModelled(t, s3svc.New(), func(cloud *awstest.Cloud) error {
				client := s3.NewFromConfig(cloud.Config(here))
				svctest.Must(client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}))(t)
				svctest.Must(client.PutObject(t.Context(), putInput("there", "text")))(t)
				_, err := svctest.Call(t.Context(), client, c.in)
				return err
			}, "awstest: "+s3.ServiceID+c.says+" is not modelled")
		})
	}
}

// The SDK opens a session before it calls a directory bucket, so that is what
// is not there.
func TestDirectoryBucketsAreNotModelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const want = "awstest: S3.CreateSession is not modelled"
	_, err := w.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("a--use1-az4--x-s3"), Key: aws.String("key")})
	if err == nil || !strings.HasSuffix(err.Error(), want) { // the SDK does not wrap what it meets there
		t.Errorf("got %v, want %s", err, want)
	}
	if err := w.cloud.Close(); err == nil || err.Error() != want {
		t.Errorf("Close returns %v", err)
	}
}

func TestPresigningMakesARequestAndSendsNone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		before := w.cloud.Count(s3.ServiceID, "")
		req := svctest.Must(s3.NewPresignClient(w.Client).PresignGetObject(w.Context(), getInput("a key")))(w)
		if !strings.HasPrefix(req.URL, "https://journal.s3.us-east-1.amazonaws.com/a%20key?") || !strings.Contains(req.URL, "X-Amz-Signature=") {
			w.Error(req.URL)
		}
		if n := w.cloud.Count(s3.ServiceID, ""); n != before {
			w.Errorf("%d calls", n-before)
		}
	})
}
