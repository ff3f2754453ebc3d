package arczonalshiftsvc_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift"
	"github.com/aws/aws-sdk-go-v2/service/arczonalshift/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
)

// A real client asks for a shift, by the name of the zone in place of its ID.
// The group is not there: a service that has groups, such as autoscalingsvc,
// would register it.
func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{arczonalshiftsvc.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	client := arczonalshift.NewFromConfig(cloud.Config("us-east-1"))

	_, err = client.StartZonalShift(context.Background(), &arczonalshift.StartZonalShiftInput{
		ResourceIdentifier: aws.String("arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/web"),
		AwayFrom:           aws.String("use1-az1"), ExpiresIn: aws.String("90s"), Comment: aws.String("use1-az1 is dark"),
	})
	if invalid, ok := errors.AsType[*types.ValidationException](err); ok {
		fmt.Println(invalid.Reason)
	}
	// Output: InvalidExpiresIn
}
