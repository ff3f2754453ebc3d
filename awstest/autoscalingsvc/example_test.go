package autoscalingsvc_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// A real client makes a group, and a zone has no capacity: the group launches
// in the other one.
func ExampleNew() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{autoscalingsvc.New(func(o *autoscalingsvc.Options) {
		o.Reaction = autoscalingsvc.Immediately
	})})
	if err != nil {
		log.Fatal(err)
	}
	defer cloud.Close()
	template := launchTemplate(cloud)

	zone, err := cloud.Zone("use1-az2") // which is us-east-1a
	if err != nil {
		log.Fatal(err)
	}
	defer zone.RefuseLaunches("t3.micro")()
	client := autoscaling.NewFromConfig(cloud.Config("us-east-1"))
	if _, err = client.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(1), MaxSize: aws.Int32(4), DesiredCapacity: aws.Int32(2),
		AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		LaunchTemplate:    &types.LaunchTemplateSpecification{LaunchTemplateId: &template},
	}); err != nil {
		log.Fatal(err)
	}

	var group types.AutoScalingGroup
	for len(group.Instances) < 2 { // in a testing/synctest bubble, time passes by itself
		time.Sleep(time.Millisecond)
		out, err := client.DescribeAutoScalingGroups(ctx, nil)
		if err != nil {
			log.Fatal(err)
		}
		group = out.AutoScalingGroups[0]
	}
	for _, i := range group.Instances {
		fmt.Println(*i.AvailabilityZone, i.LifecycleState)
	}
	activities, err := client.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{
		AutoScalingGroupName: aws.String("web"), Filters: []types.Filter{{Name: aws.String("Status"), Values: []string{"Failed"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*activities.Activities[0].StatusMessage)
	// Output:
	// us-east-1b Pending
	// us-east-1b Pending
	// We currently do not have sufficient t3.micro capacity in the Availability Zone you requested (us-east-1a). Launching EC2 instance failed.
}

// launchTemplate makes a launch template without EC2's client; with it,
// CreateLaunchTemplate does that.
func launchTemplate(cloud *awstest.Cloud) (id string) {
	region, err := cloud.Region("us-east-1")
	if err != nil {
		log.Fatal(err)
	}
	cloud.Update(func(tx *awstest.Tx) {
		ec2, _ := awstest.Lookup[ec2model.Model](tx)
		t, err := ec2.Region(tx, region).CreateTemplate(tx, ec2model.TemplateSpec{
			Name: "web", First: ec2model.VersionSpec{Data: ec2model.LaunchData{Image: "ami-1", Type: "t3.micro"}},
		})
		if err != nil {
			log.Fatal(err)
		}
		id = t.ID
	})
	return id
}
