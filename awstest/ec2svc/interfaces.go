package ec2svc

import (
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addInterfaces(e *awstest.Endpoint) {
	handle(e, s.createNetworkInterface, "SubnetId", "PrivateIpAddress", "Description", "TagSpecifications", "ClientToken", "Groups")
	handle(e, s.deleteNetworkInterface, "NetworkInterfaceId")
	handle(e, s.attachNetworkInterface, "NetworkInterfaceId", "InstanceId", "DeviceIndex")
	handle(e, s.detachNetworkInterface, "AttachmentId", "Force")
	awstest.Handle(e, s.assignPrivateIPAddresses, "NetworkInterfaceId", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount")
	handle(e, s.describeNetworkInterfaces, "NetworkInterfaceIds", "Filters", "MaxResults", "NextToken")
}

func (s *service) createNetworkInterface(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateNetworkInterfaceInput) (*ec2.CreateNetworkInterfaceOutput, error) {
	spec := ec2model.InterfaceSpec{Subnet: aws.ToString(in.SubnetId), Description: aws.ToString(in.Description), Token: aws.ToString(in.ClientToken), Groups: in.Groups}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	if err := subnetKind.check(spec.Subnet); err != nil {
		return nil, err
	}
	var err error
	if spec.Private, err = parseAddr(in.PrivateIpAddress); err != nil {
		return nil, err
	}
	if spec.Tags, err = tagsFor(call, in.TagSpecifications, types.ResourceTypeNetworkInterface); err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	n, err := region.CreateInterface(tx, spec)
	if err != nil {
		return nil, err
	}
	shown := showInterface(tx, present(tx, call), region, n)
	return &ec2.CreateNetworkInterfaceOutput{NetworkInterface: &shown, ClientToken: in.ClientToken}, nil
}

func (s *service) deleteNetworkInterface(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteNetworkInterfaceInput) (*ec2.DeleteNetworkInterfaceOutput, error) {
	if err := interfaceKind.check(aws.ToString(in.NetworkInterfaceId)); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).DeleteInterface(tx, *in.NetworkInterfaceId); err != nil {
		return nil, err
	}
	return &ec2.DeleteNetworkInterfaceOutput{}, nil
}

func (s *service) attachNetworkInterface(tx *awstest.Tx, call *awstest.Call, in *ec2.AttachNetworkInterfaceInput) (*ec2.AttachNetworkInterfaceOutput, error) {
	if err := interfaceKind.check(aws.ToString(in.NetworkInterfaceId)); err != nil {
		return nil, err
	}
	if err := instanceKind.check(aws.ToString(in.InstanceId)); err != nil {
		return nil, err
	}
	n, err := s.region(tx, call).Attach(tx, *in.NetworkInterfaceId, *in.InstanceId, aws.ToInt32(in.DeviceIndex))
	if err != nil {
		return nil, err
	}
	return &ec2.AttachNetworkInterfaceOutput{AttachmentId: aws.String(n.Attachment), NetworkCardIndex: aws.Int32(0)}, nil
}

func (s *service) detachNetworkInterface(tx *awstest.Tx, call *awstest.Call, in *ec2.DetachNetworkInterfaceInput) (*ec2.DetachNetworkInterfaceOutput, error) {
	if err := attachmentKind.check(aws.ToString(in.AttachmentId)); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).Detach(tx, *in.AttachmentId); err != nil {
		return nil, err
	}
	return &ec2.DetachNetworkInterfaceOutput{}, nil
}

func (s *service) assignPrivateIPAddresses(tx *awstest.Tx, call *awstest.Call, in *ec2.AssignPrivateIpAddressesInput) (*ec2.AssignPrivateIpAddressesOutput, error) {
	if err := interfaceKind.check(aws.ToString(in.NetworkInterfaceId)); err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, text := range in.PrivateIpAddresses {
		addr, err := parseAddr(&text)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	count := int(aws.ToInt32(in.SecondaryPrivateIpAddressCount))
	if count < 0 || (len(addrs) == 0) == (count == 0) {
		return nil, awstest.Errorf("InvalidParameterCombination", "Specify either privateIpAddresses or secondaryPrivateIpAddressCount")
	}
	added, err := s.region(tx, call).AssignPrivate(tx, *in.NetworkInterfaceId, addrs, count)
	if err != nil {
		return nil, err
	}
	out := &ec2.AssignPrivateIpAddressesOutput{NetworkInterfaceId: in.NetworkInterfaceId}
	for _, addr := range added {
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, types.AssignedPrivateIpAddress{PrivateIpAddress: aws.String(addr.String())})
	}
	return out, nil
}

func (s *service) describeNetworkInterfaces(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	region := s.region(tx, call)
	match, err := interfaceFilters(tx, call, region).matcher(call, in.Filters, func(n ec2model.Interface) ec2model.Tags { return n.Tags })
	if err != nil {
		return nil, err
	}
	get := func(id string) (ec2model.Interface, error) { return region.Interface(call.At, id) }
	found, err := find(interfaceKind, in.NetworkInterfaceIds, get, region.Interfaces(call.At))
	if err != nil {
		return nil, err
	}
	found, next, err := page(only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeNetworkInterfacesOutput{NextToken: next}
	for _, n := range found {
		out.NetworkInterfaces = append(out.NetworkInterfaces, showInterface(tx, call, region, n))
	}
	return out, nil
}
