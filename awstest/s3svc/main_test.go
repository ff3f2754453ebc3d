package s3svc_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/svctest"
	"github.com/awsha/awsha/awstest/s3svc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	here  = "us-east-1"
	there = "eu-west-1"
	name  = "journal" // of the bucket that most tests use
)

// world is a cloud with S3 and clients in two regions.
type world struct {
	testing.TB
	*s3.Client
	cloud     *awstest.Cloud
	elsewhere *s3.Client
}

func newWorld(t testing.TB, optFns ...func(*awstest.Options)) *world {
	t.Helper()
	cloud := svctest.Must(awstest.New([]awstest.Service{s3svc.New()}, optFns...))(t)
	return &world{TB: t, cloud: cloud, Client: s3.NewFromConfig(cloud.Config(here)), elsewhere: s3.NewFromConfig(cloud.Config(there))}
}

// inBubble runs a test in a bubble, on a cloud that is closed without problems
// in the end. There is a bucket.
func inBubble(t *testing.T, test func(*world), optFns ...func(*awstest.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, optFns...)
		defer w.close()
		w.bucket(name)
		test(w)
	})
}

func (w *world) close() {
	if err := w.cloud.Close(); err != nil {
		w.Error(err)
	}
}

// bucket creates a bucket, in the first region.
func (w *world) bucket(name string) {
	w.Helper()
	svctest.Must(w.CreateBucket(w.Context(), &s3.CreateBucketInput{Bucket: &name}))(w)
}

// abroad creates a bucket in the other region.
func (w *world) abroad(name string) {
	w.Helper()
	svctest.Must(w.elsewhere.CreateBucket(w.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: there},
	}))(w)
}

func version(ctx context.Context, c *s3.Client, bucket string, status types.BucketVersioningStatus) error {
	_, err := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	return err
}

// versioning enables or suspends that of the bucket.
func (w *world) versioning(status types.BucketVersioningStatus) {
	w.Helper()
	if err := version(w.Context(), w.Client, name, status); err != nil {
		w.Fatal(err)
	}
}

func putInput(key, text string, change ...func(*s3.PutObjectInput)) *s3.PutObjectInput {
	in := &s3.PutObjectInput{Bucket: aws.String(name), Key: &key, Body: strings.NewReader(text)}
	for _, fn := range change {
		fn(in)
	}
	return in
}

func (w *world) put(key, text string, change ...func(*s3.PutObjectInput)) *s3.PutObjectOutput {
	w.Helper()
	return svctest.Must(w.PutObject(w.Context(), putInput(key, text, change...)))(w)
}

func getInput(key string, change ...func(*s3.GetObjectInput)) *s3.GetObjectInput {
	in := &s3.GetObjectInput{Bucket: aws.String(name), Key: &key}
	for _, fn := range change {
		fn(in)
	}
	return in
}

// read returns what an object holds, or the code of the error.
func (w *world) read(key string, change ...func(*s3.GetObjectInput)) string {
	w.Helper()
	out, err := w.GetObject(w.Context(), getInput(key, change...))
	if err != nil {
		return code(err)
	}
	return string(svctest.Must(io.ReadAll(out.Body))(w))
}

func (w *world) head(key string) *s3.HeadObjectOutput {
	w.Helper()
	return svctest.Must(w.HeadObject(w.Context(), &s3.HeadObjectInput{Bucket: aws.String(name), Key: &key}))(w)
}

func (w *world) remove(key, version string) *s3.DeleteObjectOutput {
	w.Helper()
	in := &s3.DeleteObjectInput{Bucket: aws.String(name), Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	return svctest.Must(w.DeleteObject(w.Context(), in))(w)
}

// code is the code of an error of the service; "" of none.
func code(err error) string {
	if err == nil {
		return ""
	}
	var api interface{ ErrorCode() string }
	for e := err; e != nil; {
		if a, ok := e.(interface{ ErrorCode() string }); ok {
			api = a
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	if api == nil {
		return err.Error()
	}
	return api.ErrorCode()
}

// unseekable hides that a reader can be sought in, and how long it is.
type unseekable struct{ io.Reader }

// blob is n bytes that differ from their neighbours.
func blob(n int) []byte {
	return bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
}

const mebi = 1 << 20

func sleep(d time.Duration) { time.Sleep(d) }
