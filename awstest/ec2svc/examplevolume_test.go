package ec2svc_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

// A server that nobody reaches any more has a volume mounted. It does not let
// go of it; by force the volume comes to the standby in the same zone.
func ExampleMountVolume() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) {
		// In a bubble of testing/synctest the defaults take no longer.
		o.Pending, o.VolumeCreating, o.VolumeAttaching = ec2svc.Immediately, ec2svc.Immediately, ec2svc.Immediately
		o.VolumeDetaching, o.VolumeForceDetaching = ec2svc.Immediately, ec2svc.Immediately
	})})
	if err != nil {
		panic(err)
	}
	defer cloud.Close()
	client := ec2.NewFromConfig(cloud.Config("us-east-1"))

	server, err := launchIn(ctx, client, "use1-az1")
	if err != nil {
		panic(err)
	}
	standby, err := launchIn(ctx, client, "use1-az1")
	if err != nil {
		panic(err)
	}
	volume, err := client.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZoneId: aws.String("use1-az1"), Size: aws.Int32(10)})
	if err != nil {
		panic(err)
	}
	attach := func(instance string) {
		_, err := client.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: volume.VolumeId, InstanceId: &instance, Device: aws.String("/dev/sdf")})
		if err != nil {
			panic(err)
		}
	}
	show := func() {
		out, err := client.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{*volume.VolumeId}})
		if err != nil {
			panic(err)
		}
		fmt.Print(out.Volumes[0].State)
		for _, a := range out.Volumes[0].Attachments {
			fmt.Printf(", %s to %s", a.State, *a.InstanceId)
		}
		fmt.Println()
	}

	attach(server)
	show()
	if _, err := ec2svc.MountVolume(cloud, "us-east-1", *volume.VolumeId); err != nil {
		panic(err)
	}
	for _, force := range []bool{false, true} {
		if _, err := client.DetachVolume(ctx, &ec2.DetachVolumeInput{VolumeId: volume.VolumeId, Force: &force}); err != nil {
			panic(err)
		}
		show()
	}
	attach(standby)
	show()
	// Output:
	// in-use, attached to i-00000000000000001
	// in-use, busy to i-00000000000000001
	// available
	// in-use, attached to i-00000000000000002
}
