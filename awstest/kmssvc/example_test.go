package kmssvc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/kmssvc"
)

// A real client makes a key, and somebody schedules its deletion.
func ExampleNew() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{kmssvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := kms.NewFromConfig(cloud.Config("us-east-1"))

	key, err := client.CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String("snapshots")})
	if err != nil {
		log.Fatal(err)
	}
	if _, err = client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyMetadata.KeyId}); err != nil {
		log.Fatal(err)
	}
	out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyMetadata.Arn})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.KeyMetadata.KeyState, out.KeyMetadata.Enabled)
	// Output: PendingDeletion false
}
