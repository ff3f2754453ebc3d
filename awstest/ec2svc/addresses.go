package ec2svc

import (
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
	if g := in.NetworkBorderGroup; g != nil && *g != call.Region.Name() {
		return nil, call.NotModelled("network border group %s", *g)
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeElasticIp)
	if err != nil {
		return nil, err
	}
	a, err := s.region(tx, call).Allocate(tx, tags)
	if err != nil {
		return nil, err
	}
	return &ec2.AllocateAddressOutput{
		AllocationId: aws.String(a.Allocation), PublicIp: aws.String(a.IP.String()), Domain: types.DomainTypeVpc,
		NetworkBorderGroup: aws.String(call.Region.Name()), PublicIpv4Pool: aws.String("amazon"),
	}, nil
}

func (s *service) releaseAddress(tx *awstest.Tx, call *awstest.Call, in *ec2.ReleaseAddressInput) (*ec2.ReleaseAddressOutput, error) {
	if in.AllocationId == nil {
		return nil, missing("AllocationId")
	}
	return &ec2.ReleaseAddressOutput{}, s.region(tx, call).Release(tx, *in.AllocationId)
}

func (s *service) associateAddress(tx *awstest.Tx, call *awstest.Call, in *ec2.AssociateAddressInput) (*ec2.AssociateAddressOutput, error) {
	if in.AllocationId == nil {
		return nil, missing("AllocationId")
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
	return &ec2.DisassociateAddressOutput{}, s.region(tx, call).Disassociate(tx, *in.AssociationId)
}

func (s *service) describeAddresses(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeAddressesInput) (*ec2.DescribeAddressesOutput, error) {
	region := s.region(tx, call)
	holder := func(a ec2model.Address) string {
		n, err := region.Interface(call.At, a.Interface)
		if err != nil {
			return ""
		}
		return n.Instance
	}
	match, err := filterable[ec2model.Address]{
		"allocation-id":        func(a ec2model.Address) []string { return []string{a.Allocation} },
		"association-id":       func(a ec2model.Address) []string { return []string{a.Association} },
		"domain":               func(ec2model.Address) []string { return []string{"vpc"} },
		"instance-id":          func(a ec2model.Address) []string { return []string{holder(a)} },
		"network-interface-id": func(a ec2model.Address) []string { return []string{a.Interface} },
		"private-ip-address":   func(a ec2model.Address) []string { return []string{a.Private.String()} },
		"public-ip":            func(a ec2model.Address) []string { return []string{a.IP.String()} },
		"network-border-group": func(ec2model.Address) []string { return []string{call.Region.Name()} },
	}.matcher(call, in.Filters, func(a ec2model.Address) ec2model.Tags { return a.Tags })
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeAddressesOutput{}
	add := func(a ec2model.Address) {
		if selected(in.PublicIps, a.IP.String()) && match(a) {
			out.Addresses = append(out.Addresses, showAddress(call, tx.Cloud().AccountID(), a, holder(a)))
		}
	}
	if len(in.AllocationIds) > 0 {
		for _, id := range in.AllocationIds {
			a, err := region.Address(call.At, id)
			if err != nil {
				return nil, err
			}
			add(a)
		}
		return out, nil
	}
	for _, a := range region.Addresses(call.At) {
		add(a)
	}
	for _, ip := range in.PublicIps {
		if !containsIP(out.Addresses, ip) && len(in.Filters) == 0 {
			return nil, awstest.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", ip)
		}
	}
	return out, nil
}

func containsIP(list []types.Address, ip string) bool {
	for _, a := range list {
		if aws.ToString(a.PublicIp) == ip {
			return true
		}
	}
	return false
}

func showAddress(call *awstest.Call, account string, a ec2model.Address, instance string) types.Address {
	out := types.Address{
		AllocationId: aws.String(a.Allocation), PublicIp: aws.String(a.IP.String()), Domain: types.DomainTypeVpc,
		NetworkBorderGroup: aws.String(call.Region.Name()), PublicIpv4Pool: aws.String("amazon"), Tags: showTags(a.Tags),
	}
	if a.Association != "" {
		out.AssociationId = aws.String(a.Association)
		out.NetworkInterfaceId = aws.String(a.Interface)
		out.NetworkInterfaceOwnerId = aws.String(account)
		out.PrivateIpAddress = aws.String(a.Private.String())
		if instance != "" {
			out.InstanceId = aws.String(instance)
		}
	}
	return out
}
