package s3store_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/s3svc"
	"github.com/awsha/awsha/failover"
	"github.com/awsha/awsha/failover/s3store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bucket = "failover"

// newCloud returns an S3 with a bucket.
func newCloud(t testing.TB, optFns ...func(*awstest.Options)) (*awstest.Cloud, *s3.Client) {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{s3svc.New()}, optFns...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	client := s3.NewFromConfig(cloud.Config("us-east-1"))
	if err := createBucket(client); err != nil {
		t.Fatal(err)
	}
	return cloud, client
}

func createBucket(client *s3.Client) error {
	_, err := client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	return err
}

func newStore(t testing.TB, api s3store.API, optFns ...func(*s3store.Options)) *s3store.Store {
	t.Helper()
	s, err := s3store.New(api, bucket, optFns...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func inject(t testing.TB, cloud *awstest.Cloud, m awstest.Match, e awstest.Effect) (heal func()) {
	t.Helper()
	m.Service = s3.ServiceID
	heal, err := cloud.Inject(m, e)
	if err != nil {
		t.Fatal(err)
	}
	return heal
}

// keys lists what is in the bucket.
func keys(t testing.TB, client *s3.Client) []string {
	t.Helper()
	out, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, o := range out.Contents {
		list = append(list, *o.Key)
	}
	return list
}

func put(t testing.TB, s failover.Store, group, name, value string, old failover.Version) failover.Version {
	t.Helper()
	version, err := s.Put(t.Context(), group, name, []byte(value), old)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func wantEntry(t testing.TB, s failover.Store, group, name, value string, version failover.Version) {
	t.Helper()
	e, err := s.Get(t.Context(), group, name)
	if string(e.Value) != value || e.Version != version || err != nil {
		t.Errorf("got %q with version %q, want %q with %q; %v", e.Value, e.Version, value, version, err)
	}
}
