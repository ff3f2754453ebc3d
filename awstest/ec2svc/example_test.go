package ec2svc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
)

// quick is a cloud whose instances run at once, for examples in real time.
func quick() (*awstest.Cloud, *ec2.Client, error) {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New(func(o *ec2svc.Options) { o.Pending = ec2svc.Immediately })})
	if err != nil {
		return nil, nil, err
	}
	return cloud, ec2.NewFromConfig(cloud.Config("us-east-1")), nil
}

// launchIn launches an instance and waits until it runs.
func launchIn(ctx context.Context, client *ec2.Client, zoneID string) (string, error) {
	out, err := client.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String("ami-12345678"), InstanceType: types.InstanceTypeT3Micro,
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		Placement: &types.Placement{AvailabilityZoneId: &zoneID},
	})
	if err != nil {
		return "", err
	}
	id := *out.Instances[0].InstanceId
	wait := func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay, o.MaxDelay = time.Millisecond, time.Second }
	return id, ec2.NewInstanceRunningWaiter(client).Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, time.Minute, wait)
}

// A real *ec2.Client talks to EC2 in memory.
func ExampleNew() {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
	if err != nil {
		panic(err)
	}
	defer cloud.Close()
	client := ec2.NewFromConfig(cloud.Config("eu-west-1"))

	zones, err := client.DescribeAvailabilityZones(context.Background(), &ec2.DescribeAvailabilityZonesInput{})
	if err != nil {
		panic(err)
	}
	for _, z := range zones.AvailabilityZones {
		fmt.Println(*z.ZoneName, *z.ZoneId, z.State)
	}
	// Output:
	// eu-west-1a euw1-az2 available
	// eu-west-1b euw1-az3 available
	// eu-west-1c euw1-az1 available
}

// A zone dies with an address in it; a server in another zone takes the
// address over, and the clients find it there.
func Example_remap() {
	ctx := context.Background()
	cloud, client, err := quick()
	if err != nil {
		panic(err)
	}
	defer cloud.Close()

	var servers []string
	for _, zoneID := range []string{"use1-az1", "use1-az2"} {
		id, err := launchIn(ctx, client, zoneID)
		if err != nil {
			panic(err)
		}
		machine, _ := cloud.Instance(id)
		_, err = machine.Serve(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello from "+zoneID)
		}))
		if err != nil {
			panic(err)
		}
		servers = append(servers, id)
	}
	address, err := client.AllocateAddress(ctx, &ec2.AllocateAddressInput{})
	if err != nil {
		panic(err)
	}
	transport := cloud.Transport()
	defer transport.CloseIdleConnections()
	browser := &http.Client{Transport: transport, Timeout: 100 * time.Millisecond}
	look := func() {
		resp, err := browser.Get("http://" + *address.PublicIp + "/")
		if err != nil {
			fmt.Println("no answer")
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		fmt.Println(string(body))
	}
	remap := func(to string) {
		_, err := client.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: address.AllocationId, InstanceId: &to})
		if err != nil {
			panic(err)
		}
	}

	remap(servers[0])
	look()
	zone, err := cloud.Zone("use1-az1")
	if err != nil {
		panic(err)
	}
	heal := zone.Fail(awstest.PowerLoss)
	defer heal()
	look()
	remap(servers[1])
	look()
	// Output:
	// hello from use1-az1
	// no answer
	// hello from use1-az2
}

// Without reassociation the call that comes second is told so: the compare
// and swap of Elastic IP addresses.
func Example_lostRace() {
	ctx := context.Background()
	cloud, client, err := quick()
	if err != nil {
		panic(err)
	}
	defer cloud.Close()
	address, err := client.AllocateAddress(ctx, &ec2.AllocateAddressInput{})
	if err != nil {
		panic(err)
	}
	for _, zoneID := range []string{"use1-az1", "use1-az2"} {
		id, err := launchIn(ctx, client, zoneID)
		if err != nil {
			panic(err)
		}
		_, err = client.AssociateAddress(ctx, &ec2.AssociateAddressInput{
			AllocationId: address.AllocationId, InstanceId: &id, AllowReassociation: aws.Bool(false),
		})
		var api smithy.APIError
		if errors.As(err, &api) {
			fmt.Println(zoneID, api.ErrorCode())
		} else {
			fmt.Println(zoneID, "has the address")
		}
	}
	// Output:
	// use1-az1 has the address
	// use1-az2 Resource.AlreadyAssociated
}

// A zone without capacity for a type refuses launches, with the server error
// that EC2 has for it.
func Example_capacity() {
	ctx := context.Background()
	cloud, client, err := quick()
	if err != nil {
		panic(err)
	}
	defer cloud.Close()
	zone, err := cloud.Zone("use1-az1")
	if err != nil {
		panic(err)
	}
	heal := zone.RefuseLaunches("t3.micro")
	once := ec2.NewFromConfig(cloud.Config("us-east-1"), func(o *ec2.Options) { o.RetryMaxAttempts = 1 })
	_, err = launchIn(ctx, once, "use1-az1")
	var api smithy.APIError
	if errors.As(err, &api) {
		fmt.Println(api.ErrorCode())
	}
	heal()
	if _, err = launchIn(ctx, client, "use1-az1"); err == nil {
		fmt.Println("launched")
	}
	// Output:
	// InsufficientInstanceCapacity
	// launched
}
