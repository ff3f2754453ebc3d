package eip_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/ec2svc"
	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/eip/eipmock"
)

// exampleEC2 is an EC2 in memory: an address on the first of three interfaces. With the configuration of a real account in
// place of cloud.Config, the examples move real addresses.
func exampleEC2(ctx context.Context) (client *ec2.Client, allocation, primary, standby, other string) {
	cloud, err := awstest.New([]awstest.Service{ec2svc.New()})
	check(err)
	client = ec2.NewFromConfig(cloud.Config("us-east-1"))
	subnets, err := client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	check(err)
	for _, id := range []*string{&primary, &standby, &other} {
		made, err := client.CreateNetworkInterface(ctx, &ec2.CreateNetworkInterfaceInput{SubnetId: subnets.Subnets[0].SubnetId})
		check(err)
		*id = *made.NetworkInterface.NetworkInterfaceId
	}
	address, err := client.AllocateAddress(ctx, &ec2.AllocateAddressInput{})
	check(err)
	_, err = client.AssociateAddress(ctx, &ec2.AssociateAddressInput{
		AllocationId: address.AllocationId, NetworkInterfaceId: &primary, AllowReassociation: aws.Bool(false),
	})
	check(err)
	return client, *address.AllocationId, primary, standby, other
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// Move an address to a standby, from whoever holds it. The second time there is nothing to do.
func ExampleNew() {
	ctx := context.Background()
	client, allocation, _, standby, _ := exampleEC2(ctx)

	remapper, err := eip.New(client)
	check(err)
	req := eip.Request{AllocationID: allocation, Target: eip.Target{NetworkInterfaceID: standby}}
	for range 2 {
		res, err := remapper.Remap(ctx, req)
		check(err)
		fmt.Printf("changed %t, on the standby %t, calls %+v\n", res.Changed, res.After.NetworkInterfaceID == standby, res.Calls)
	}
	// Output:
	// changed true, on the standby true, calls {Describe:2 Disassociate:1 Associate:1 Inspect:1}
	// changed false, on the standby true, calls {Describe:1 Disassociate:0 Associate:0 Inspect:0}
}

// Two controllers have seen the same dead owner, and each wants the address on its own standby. One of them wins.
func ExampleRemapper_Remap_conflict() {
	ctx := context.Background()
	client, allocation, primary, standby, other := exampleEC2(ctx)
	before, err := client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{allocation}})
	check(err)
	dead := eip.Association{ID: *before.Addresses[0].AssociationId, NetworkInterfaceID: primary}

	remapper, err := eip.New(client)
	check(err)
	_, err = remapper.Remap(ctx, eip.Request{
		AllocationID: allocation,
		Target:       eip.Target{NetworkInterfaceID: standby},
		Expect:       eip.Expect{Association: dead},
	})
	fmt.Println("the first:", err)

	_, err = remapper.Remap(ctx, eip.Request{
		AllocationID: allocation,
		Target:       eip.Target{NetworkInterfaceID: other},
		Expect:       eip.Expect{Association: dead},
	})
	var lost *eip.RemapError
	if errors.Is(err, eip.ErrConflict) && errors.As(err, &lost) {
		fmt.Println("the second lost to the first:", lost.Owner.NetworkInterfaceID == standby)
	}
	// Output:
	// the first: <nil>
	// the second lost to the first: true
}

// A planned move and the way back: what the first Remap returned is what the second one expects.
func ExampleExpect() {
	ctx := context.Background()
	client, allocation, primary, standby, _ := exampleEC2(ctx)
	remapper, err := eip.New(client)
	check(err)

	there, err := remapper.Remap(ctx, eip.Request{AllocationID: allocation, Target: eip.Target{NetworkInterfaceID: standby}})
	check(err)
	back, err := remapper.Remap(ctx, eip.Request{
		AllocationID: allocation,
		Target:       eip.Target{NetworkInterfaceID: primary},
		Expect:       eip.Expect{Association: there.After},
	})
	check(err)
	fmt.Printf("back on the primary %t, calls %+v\n", back.After.NetworkInterfaceID == primary, back.Calls)
	// Output: back on the primary true, calls {Describe:1 Disassociate:1 Associate:1 Inspect:0}
}

// Follow a move.
func ExampleOptions() {
	ctx := context.Background()
	client, allocation, _, standby, _ := exampleEC2(ctx)
	remapper, err := eip.New(client, func(o *eip.Options) {
		o.OnEvent = func(_ context.Context, e eip.Event) { fmt.Println(e.Kind) }
	})
	check(err)
	_, err = remapper.Remap(ctx, eip.Request{AllocationID: allocation, Target: eip.Target{NetworkInterfaceID: standby}})
	check(err)
	// Output:
	// disassociated
	// associated
	// held
}

// A service that moves addresses is tested with a mock in place of the Remapper.
func ExampleMover() {
	var mover eip.Mover = &eipmock.MoverMock{
		RemapFunc: func(_ context.Context, req eip.Request) (eip.Result, error) {
			return eip.Result{Changed: true, After: eip.Association{ID: "eipassoc-1", NetworkInterfaceID: req.Target.NetworkInterfaceID}}, nil
		},
	}
	res, err := mover.Remap(context.Background(), eip.Request{AllocationID: "eipalloc-1", Target: eip.Target{NetworkInterfaceID: "eni-2"}})
	fmt.Println(res.After, err)
	// Output: eni-2 (eipassoc-1) <nil>
}
