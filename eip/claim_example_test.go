package eip_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/eip"
)

// Move what a zone has held, all at once. What fails is told from what has moved.
func ExampleRemapper_RemapAll() {
	ctx := context.Background()
	client, allocation, _, standby, other := exampleEC2(ctx)
	remapper, err := eip.New(client)
	check(err)

	outcomes, err := remapper.RemapAll(ctx, []eip.Request{
		{AllocationID: allocation, Target: eip.Target{NetworkInterfaceID: standby}},
		{AllocationID: "eipalloc-0123456789abcdef0", Target: eip.Target{NetworkInterfaceID: other}},
	})
	fmt.Println("all moved:", err == nil)
	for i, o := range outcomes {
		fmt.Printf("%d: changed %t, not found %t\n", i, o.Changed, errors.Is(o.Err, eip.ErrNotFound))
	}
	// Output:
	// all moved: false
	// 0: changed true, not found false
	// 1: changed false, not found true
}

// Three instances of a group have two addresses to share. Each claims for itself when it boots, and again when it reboots.
func ExampleRemapper_Claim() {
	ctx := context.Background()
	client, _, first, second, third := exampleEC2(ctx)
	remapper, err := eip.New(client)
	check(err)
	other, err := client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	check(err)
	check(remapper.Release(ctx, eip.Association{ID: *other.Addresses[0].AssociationId})) // it is none of the pool's, and in the way
	for range 2 {
		_, err := client.AllocateAddress(ctx, &ec2.AllocateAddressInput{TagSpecifications: []types.TagSpecification{{
			ResourceType: types.ResourceTypeElasticIp, Tags: []types.Tag{{Key: aws.String("pool"), Value: aws.String("web")}},
		}}})
		check(err)
	}

	for _, eni := range []string{first, second, third, first} {
		res, err := remapper.Claim(ctx, eip.ClaimRequest{
			Tags: map[string]string{"pool": "web"}, Target: eip.Target{NetworkInterfaceID: eni},
		})
		fmt.Printf("has one %t, new %t, pool empty %t\n", res.After.NetworkInterfaceID == eni, res.Changed, errors.Is(err, eip.ErrPoolEmpty))
	}
	// Output:
	// has one true, new true, pool empty false
	// has one true, new true, pool empty false
	// has one false, new false, pool empty true
	// has one true, new false, pool empty false
}
