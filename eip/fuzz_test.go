package eip_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/eip"
	"github.com/awsha/awsha/eip/eipmock"
)

// FuzzRequest: no request, however odd, reaches EC2 with an ID of another kind, and none makes Remap panic.
func FuzzRequest(f *testing.F) {
	f.Add("eipalloc-1", "eni-2", "", "10.0.0.4", "eipassoc-1", "eni-3", "", false)
	f.Add("", "", "i-1", "", "", "", "i-2", true)
	f.Add("eipalloc-0g", "eni-", "i", "::1", "eni-1", "i-1", "eni-1", true)
	f.Fuzz(func(t *testing.T, allocation, eni, instance, private, association, owner, ownerInstance string, free bool) {
		ip, _ := netip.ParseAddr(private)
		ok := func(id, prefix string) bool {
			return len(id) > len(prefix)+1 && id[:len(prefix)+1] == prefix+"-"
		}
		api := &eipmock.APIMock{
			DescribeAddressesFunc: func(_ context.Context, in *ec2.DescribeAddressesInput, _ ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error) {
				if !ok(in.AllocationIds[0], "eipalloc") {
					t.Errorf("describes %q", in.AllocationIds)
				}
				return &ec2.DescribeAddressesOutput{Addresses: []types.Address{{AllocationId: &allocation, AssociationId: aws.String("eipassoc-9")}}}, nil
			},
			DisassociateAddressFunc: func(_ context.Context, in *ec2.DisassociateAddressInput, _ ...func(*ec2.Options)) (*ec2.DisassociateAddressOutput, error) {
				if !ok(*in.AssociationId, "eipassoc") {
					t.Errorf("disassociates %q", *in.AssociationId)
				}
				return &ec2.DisassociateAddressOutput{}, nil
			},
			AssociateAddressFunc: func(_ context.Context, in *ec2.AssociateAddressInput, _ ...func(*ec2.Options)) (*ec2.AssociateAddressOutput, error) {
				to, resolved := aws.ToString(in.NetworkInterfaceId), instance != "" && eni == ""
				if !ok(to, "eni") || to != eni && !resolved || in.InstanceId != nil || *in.AllowReassociation {
					t.Errorf("associates %q", to)
				}
				return &ec2.AssociateAddressOutput{AssociationId: aws.String("eipassoc-9")}, nil
			},
			DescribeInstancesFunc: func(_ context.Context, in *ec2.DescribeInstancesInput, _ ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error) {
				if !ok(in.InstanceIds[0], "i") {
					t.Errorf("describes %q", in.InstanceIds)
				}
				return &ec2.DescribeInstancesOutput{Reservations: []types.Reservation{{Instances: []types.Instance{{
					InstanceId:        &instance,
					NetworkInterfaces: []types.InstanceNetworkInterface{{NetworkInterfaceId: aws.String("eni-1")}},
				}}}}}, nil
			},
			DescribeNetworkInterfacesFunc: func(_ context.Context, in *ec2.DescribeNetworkInterfacesInput, _ ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error) {
				if !ok(in.NetworkInterfaceIds[0], "eni") {
					t.Errorf("describes %q", in.NetworkInterfaceIds)
				}
				return &ec2.DescribeNetworkInterfacesOutput{NetworkInterfaces: []types.NetworkInterface{{NetworkInterfaceId: &eni}}}, nil
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		r := newRemapper(t, api, func(o *eip.Options) {
			o.OnEvent = func(_ context.Context, e eip.Event) {
				if e.Kind == eip.KindLagging || e.Kind == eip.KindRetry {
					cancel() // it would wait for reads that never come
				}
			}
		})
		guard := eip.GuardStrict
		if free {
			guard = eip.GuardFree
		}
		r.Remap(ctx, eip.Request{
			Guard:        guard,
			AllocationID: allocation,
			Target:       eip.Target{NetworkInterfaceID: eni, InstanceID: instance, PrivateIP: ip},
			Expect:       eip.Expect{Association: eip.Association{ID: association, NetworkInterfaceID: owner, InstanceID: ownerInstance}},
		})
		cancel()
	})
}
