package rehearsal_test

import (
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/arczonalshiftsvc"
	"github.com/awsha/awsha/awstest/autoscalingsvc"
	"github.com/awsha/awsha/awstest/cloudwatchsvc"
	"github.com/awsha/awsha/awstest/dynamodbsvc"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/awstest/elbv2svc"
	"github.com/awsha/awsha/awstest/kmssvc"
	"github.com/awsha/awsha/awstest/route53svc"
	"github.com/awsha/awsha/awstest/s3svc"
	"github.com/awsha/awsha/awstest/sqssvc"
	"github.com/awsha/awsha/awstest/stssvc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCloud is a cloud with everything in it, which is closed without problems in the end.
func newCloud(t *testing.T, optFns ...func(*awstest.Options)) *awstest.Cloud {
	t.Helper()
	cloud, err := awstest.New([]awstest.Service{
		arczonalshiftsvc.New(), autoscalingsvc.New(), cloudwatchsvc.New(), dynamodbsvc.New(), ec2svc.New(),
		elbv2svc.New(), kmssvc.New(), route53svc.New(), s3svc.New(), sqssvc.New(), stssvc.New(),
	}, optFns...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return cloud
}

// newMachine is a machine that is no EC2 instance.
func newMachine(t *testing.T, cloud *awstest.Cloud, zoneID string) (m *awstest.Instance) {
	t.Helper()
	zone, err := cloud.Zone(zoneID)
	if err != nil {
		t.Fatal(err)
	}
	cloud.Update(func(tx *awstest.Tx) {
		m = tx.NewInstance(awstest.InstanceSpec{ID: tx.NewID("i"), Zone: zone})
		tx.Route(zone.Region(), netip.MustParseAddr("10.0.0.1"), m)
		tx.PowerOn(m)
	})
	return m
}

// launchTemplate is the template that groups launch by.
func launchTemplate(name string) *ec2.CreateLaunchTemplateInput {
	return &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: &name,
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12345678"), InstanceType: ec2types.InstanceTypeT3Micro},
	}
}
