package ec2svc

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addAddresses(e *awstest.Endpoint) {
	handle(e, s.allocateAddress, "Domain", "NetworkBorderGroup", "TagSpecifications")
	handle(e, s.releaseAddress, "AllocationId", "NetworkBorderGroup")
	handle(e, s.associateAddress, "AllocationId", "AllowReassociation", "InstanceId", "NetworkInterfaceId", "PrivateIpAddress")
	handle(e, s.disassociateAddress, "AssociationId")
	handle(e, s.describeAddresses, "AllocationIds", "PublicIps", "Filters")
}

func (s *service) allocateAddress(tx *awstest.Tx, call *awstest.Call, in *ec2.AllocateAddressInput) (*ec2.AllocateAddressOutput, error) {
	if in.Domain != "" && in.Domain != types.DomainTypeVpc {
		return nil, awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter domain is invalid.", in.Domain)
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeElasticIp)
	if err != nil {
		return nil, err
	}
	a, err := s.region(tx, call).Allocate(tx, borderGroup(call, in.NetworkBorderGroup), tags)
	if err != nil {
		return nil, err
	}
	return &ec2.AllocateAddressOutput{
		AllocationId: aws.String(a.Allocation), PublicIp: aws.String(a.IP.String()), Domain: types.DomainTypeVpc,
		NetworkBorderGroup: aws.String(a.BorderGroup), PublicIpv4Pool: aws.String("amazon"),
	}, nil
}

// borderGroup returns the group that a request names; left out, it is the
// region's. That this goes for ReleaseAddress, too, is not documented; callers
// have found it.
// Source: https://github.com/ekristen/aws-nuke/issues/371 (read 2026-11)
func borderGroup(call *awstest.Call, group *string) string {
	if group == nil {
		return call.Region.Name()
	}
	return *group
}

func (s *service) releaseAddress(tx *awstest.Tx, call *awstest.Call, in *ec2.ReleaseAddressInput) (*ec2.ReleaseAddressOutput, error) {
	if in.AllocationId == nil {
		return nil, missing("AllocationId")
	}
	if err := s.region(tx, call).Release(tx, *in.AllocationId, borderGroup(call, in.NetworkBorderGroup)); err != nil {
		return nil, err
	}
	return &ec2.ReleaseAddressOutput{}, nil
}

func (s *service) associateAddress(tx *awstest.Tx, call *awstest.Call, in *ec2.AssociateAddressInput) (*ec2.AssociateAddressOutput, error) {
	if in.AllocationId == nil {
		return nil, missing("AllocationId")
	}
	if in.InstanceId != nil {
		if err := instanceKind.check(*in.InstanceId); err != nil {
			return nil, err
		}
	}
	if in.NetworkInterfaceId != nil {
		if err := interfaceKind.check(*in.NetworkInterfaceId); err != nil {
			return nil, err
		}
	}
	private, err := parseAddr(in.PrivateIpAddress)
	if err != nil {
		return nil, err
	}
	// Left out, AllowReassociation is true: the call takes the address from
	// whoever holds it.
	reassociate := in.AllowReassociation == nil || *in.AllowReassociation
	a, err := s.region(tx, call).Associate(tx, *in.AllocationId, ec2model.AssociateTarget{
		Interface: aws.ToString(in.NetworkInterfaceId), Instance: aws.ToString(in.InstanceId), Private: private,
	}, reassociate)
	if err != nil {
		return nil, err
	}
	return &ec2.AssociateAddressOutput{AssociationId: aws.String(a.Association)}, nil
}

func (s *service) disassociateAddress(tx *awstest.Tx, call *awstest.Call, in *ec2.DisassociateAddressInput) (*ec2.DisassociateAddressOutput, error) {
	if in.AssociationId == nil {
		return nil, missing("AssociationId")
	}
	if err := s.region(tx, call).Disassociate(tx, *in.AssociationId); err != nil {
		return nil, err
	}
	return &ec2.DisassociateAddressOutput{}, nil
}

// addressFilters look at the interfaces as of the moment of the call: an
// address is on an instance by way of its interface.
func addressFilters(call *awstest.Call, region *ec2model.Region) filterable[ec2model.Address] {
	type address = ec2model.Address
	return filterable[address]{
		"allocation-id":              one(allocation),
		"public-ip":                  one(publicIP),
		"network-border-group":       one(func(a address) string { return a.BorderGroup }),
		"association-id":             ifAny(association),
		"network-interface-id":       ifAny(func(a address) string { return a.Interface }),
		"network-interface-owner-id": ifAny(func(a address) string { return owner(call, region, a) }),
		"private-ip-address":         ifAny(func(a address) string { return showIP(a.Private) }),
		"instance-id":                ifAny(func(a address) string { return holder(call, region, a) }),
	}
}

// holder returns the instance that an address is on, by way of its interface;
// empty if there is none.
func holder(call *awstest.Call, region *ec2model.Region, a ec2model.Address) string {
	n, err := region.Interface(call.At, a.Interface)
	if err != nil {
		return ""
	}
	return n.Instance
}

// owner returns the account of the interface that an address is on.
func owner(call *awstest.Call, region *ec2model.Region, a ec2model.Address) string {
	n, err := region.Interface(call.At, a.Interface)
	if err != nil {
		return ""
	}
	return n.Owner
}

func showIP(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

func (s *service) describeAddresses(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeAddressesInput) (*ec2.DescribeAddressesOutput, error) {
	region := s.region(tx, call)
	match, err := addressFilters(call, region).matcher(call, in.Filters, func(a ec2model.Address) ec2model.Tags { return a.Tags })
	if err != nil {
		return nil, err
	}
	get := func(id string) (ec2model.Address, error) { return region.Address(call.At, id) }
	found, err := find(addressKind, in.AllocationIds, get, region.Addresses(call.At))
	if err != nil {
		return nil, err
	}
	for _, ip := range in.PublicIps {
		if !slices.ContainsFunc(found, func(a ec2model.Address) bool { return a.IP.String() == ip }) {
			return nil, awstest.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", ip)
		}
	}
	out := &ec2.DescribeAddressesOutput{}
	for _, a := range only(found, match) {
		if named(in.PublicIps, a.IP.String()) {
			out.Addresses = append(out.Addresses, showAddress(call, region, a))
		}
	}
	return out, nil
}

func showAddress(call *awstest.Call, region *ec2model.Region, a ec2model.Address) types.Address {
	out := types.Address{
		AllocationId: aws.String(a.Allocation), PublicIp: aws.String(a.IP.String()), Domain: types.DomainTypeVpc,
		NetworkBorderGroup: aws.String(a.BorderGroup), PublicIpv4Pool: aws.String("amazon"), Tags: showTags(a.Tags),
		ServiceManaged: types.ServiceManaged(a.Service),
	}
	if a.Association != "" {
		out.AssociationId = aws.String(a.Association)
		out.NetworkInterfaceId = aws.String(a.Interface)
		out.NetworkInterfaceOwnerId = aws.String(owner(call, region, a))
		out.PrivateIpAddress = aws.String(a.Private.String())
		if instance := holder(call, region, a); instance != "" {
			out.InstanceId = aws.String(instance)
		}
	}
	return out
}
