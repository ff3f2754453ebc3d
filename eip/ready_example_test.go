package eip_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
)

// A drill finds out what an emergency would have met: somebody has tidied up the policy of the role that moves addresses.
func ExampleRemapper_Ready() {
	ctx := context.Background()
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.Pending = ec2svc.Immediately })})
	check(err)
	defer cloud.Close()
	client := ec2.NewFromConfig(cloud.Config("us-east-1"))
	servers, err := client.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String("ami-1"), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(2), MaxCount: aws.Int32(2),
	})
	check(err)
	primary, standby := servers.Instances[0].InstanceId, servers.Instances[1].InstanceId
	address, err := client.AllocateAddress(ctx, &ec2.AllocateAddressInput{})
	check(err)
	_, err = client.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: address.AllocationId, InstanceId: primary})
	check(err)
	_, err = cloud.Inject(awstest.Match{Service: "EC2", Operation: "DisassociateAddress"}, awstest.Deny())
	check(err)

	remapper, err := eip.New(client)
	check(err)
	report, err := remapper.Ready(ctx, eip.Request{AllocationID: *address.AllocationId, Target: eip.Target{InstanceID: *standby}})
	check(err)
	for _, c := range report.Checks {
		fmt.Println(c.Verdict, c.Name)
	}
	err = report.Err()
	fmt.Println("not ready:", errors.Is(err, eip.ErrNotReady), "denied:", errors.Is(err, eip.ErrDenied), "missing:", report.MissingActions())
	fmt.Println("the address is still on the primary:", report.Owner.InstanceID == *primary)
	// Output:
	// pass address
	// pass owner
	// pass target
	// pass occupant
	// pass border group
	// pass gateway
	// pass associate
	// fail disassociate
	// not ready: true denied: true missing: [ec2:DisassociateAddress]
	// the address is still on the primary: true
}
