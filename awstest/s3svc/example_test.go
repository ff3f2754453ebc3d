package s3svc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/s3svc"
)

// A real client holds a lease: it is taken where there is none, and renewed
// where it is still the same one.
func ExampleNew() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{s3svc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := s3.NewFromConfig(cloud.Config("us-east-1"))
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("leases")}); err != nil {
		log.Fatal(err)
	}
	write := func(owner string, condition func(*s3.PutObjectInput)) (etag *string) {
		in := &s3.PutObjectInput{Bucket: aws.String("leases"), Key: aws.String("web"), Body: strings.NewReader(owner)}
		condition(in)
		out, err := client.PutObject(ctx, in)
		var api smithy.APIError
		if errors.As(err, &api) {
			fmt.Println(owner, api.ErrorCode())
			return nil
		}
		fmt.Println(owner, "has it")
		return out.ETag
	}

	vacant := func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }
	etag := write("a", vacant)
	write("b", vacant)
	write("a", func(in *s3.PutObjectInput) { in.IfMatch = etag })
	// Output:
	// a has it
	// b PreconditionFailed
	// a has it
}

// A standby region sees what replication has brought so far.
func Example_replication() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{s3svc.New(func(o *s3svc.Options) { o.ReplicationLag = s3svc.Immediately })})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	primary, standby := s3.NewFromConfig(cloud.Config("us-east-1")), s3.NewFromConfig(cloud.Config("eu-west-1"))
	if err := replicated(ctx, primary, standby); err != nil {
		log.Fatal(err)
	}
	read := func() string {
		out, err := standby.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("journal-eu"), Key: aws.String("entry")})
		if err != nil {
			return "nothing"
		}
		text, _ := io.ReadAll(out.Body)
		return string(text)
	}

	heal, err := cloud.Stick("journal-eu") // replication is held up
	if err != nil {
		log.Fatal(err)
	}
	entry := &s3.PutObjectInput{Bucket: aws.String("journal-us"), Key: aws.String("entry"), Body: strings.NewReader("failed over")}
	if _, err := primary.PutObject(ctx, entry); err != nil {
		log.Fatal(err)
	}
	fmt.Println(read())
	heal()
	fmt.Println(read())
	// Output:
	// nothing
	// failed over
}

// replicated makes two buckets, and a rule that replicates the first one.
func replicated(ctx context.Context, primary, standby *s3.Client) error {
	for name, client := range map[string]*s3.Client{"journal-us": primary, "journal-eu": standby} {
		in := &s3.CreateBucketInput{Bucket: aws.String(name)}
		if client == standby {
			in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraintEuWest1}
		}
		if _, err := client.CreateBucket(ctx, in); err != nil {
			return err
		}
		if _, err := client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: aws.String(name), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		}); err != nil {
			return err
		}
	}
	_, err := primary.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{
		Bucket: aws.String("journal-us"),
		ReplicationConfiguration: &types.ReplicationConfiguration{
			Role: aws.String("arn:aws:iam::123456789012:role/replication"),
			Rules: []types.ReplicationRule{{
				Status: types.ReplicationRuleStatusEnabled, Priority: aws.Int32(1), Filter: &types.ReplicationRuleFilter{},
				DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusEnabled},
				Destination:             &types.Destination{Bucket: aws.String("arn:aws:s3:::journal-eu")},
			}},
		},
	})
	return err
}
