package ec2svc

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addInterfaces(e *awstest.Endpoint) {
	handle(e, s.createNetworkInterface, "SubnetId", "PrivateIpAddress", "Description", "Groups", "TagSpecifications", "ClientToken")
	handle(e, s.deleteNetworkInterface, "NetworkInterfaceId")
	handle(e, s.attachNetworkInterface, "NetworkInterfaceId", "InstanceId", "DeviceIndex")
	handle(e, s.detachNetworkInterface, "AttachmentId", "Force")
	awstest.Handle(e, s.assignPrivateIPAddresses, "NetworkInterfaceId", "PrivateIpAddresses", "SecondaryPrivateIpAddressCount")
	handle(e, s.describeNetworkInterfaces, "NetworkInterfaceIds", "Filters", "MaxResults", "NextToken")
}

func (s *service) createNetworkInterface(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateNetworkInterfaceInput) (*ec2.CreateNetworkInterfaceOutput, error) {
	region := s.region(tx, call)
	subnet, err := region.Subnet(aws.ToString(in.SubnetId))
	if err != nil {
		return nil, err
	}
	addr, err := parseAddr(in.PrivateIpAddress)
	if err != nil {
		return nil, err
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeNetworkInterface)
	if err != nil {
		return nil, err
	}
	n, err := region.CreateInterface(tx, subnet, addr, aws.ToString(in.Description), tags)
	if err != nil {
		return nil, err
	}
	shown := s.showInterface(tx, call, region, n)
	return &ec2.CreateNetworkInterfaceOutput{NetworkInterface: &shown, ClientToken: in.ClientToken}, nil
}

func (s *service) deleteNetworkInterface(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteNetworkInterfaceInput) (*ec2.DeleteNetworkInterfaceOutput, error) {
	return &ec2.DeleteNetworkInterfaceOutput{}, s.region(tx, call).DeleteInterface(tx, aws.ToString(in.NetworkInterfaceId))
}

func (s *service) attachNetworkInterface(tx *awstest.Tx, call *awstest.Call, in *ec2.AttachNetworkInterfaceInput) (*ec2.AttachNetworkInterfaceOutput, error) {
	n, err := s.region(tx, call).Attach(tx, aws.ToString(in.NetworkInterfaceId), aws.ToString(in.InstanceId), aws.ToInt32(in.DeviceIndex))
	return &ec2.AttachNetworkInterfaceOutput{AttachmentId: aws.String(n.Attachment), NetworkCardIndex: aws.Int32(0)}, err
}

func (s *service) detachNetworkInterface(tx *awstest.Tx, call *awstest.Call, in *ec2.DetachNetworkInterfaceInput) (*ec2.DetachNetworkInterfaceOutput, error) {
	return &ec2.DetachNetworkInterfaceOutput{}, s.region(tx, call).Detach(tx, aws.ToString(in.AttachmentId))
}

func (s *service) assignPrivateIPAddresses(tx *awstest.Tx, call *awstest.Call, in *ec2.AssignPrivateIpAddressesInput) (*ec2.AssignPrivateIpAddressesOutput, error) {
	var addrs []netip.Addr
	for _, text := range in.PrivateIpAddresses {
		addr, err := parseAddr(&text)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
	}
	count := int(aws.ToInt32(in.SecondaryPrivateIpAddressCount))
	if (len(addrs) == 0) == (count == 0) {
		return nil, awstest.Errorf("InvalidParameterCombination", "Specify either privateIpAddresses or secondaryPrivateIpAddressCount")
	}
	n, err := s.region(tx, call).AssignPrivate(tx, aws.ToString(in.NetworkInterfaceId), addrs, count)
	if err != nil {
		return nil, err
	}
	out := &ec2.AssignPrivateIpAddressesOutput{NetworkInterfaceId: in.NetworkInterfaceId}
	for _, addr := range n.Private[len(n.Private)-max(len(addrs), count):] {
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, types.AssignedPrivateIpAddress{PrivateIpAddress: aws.String(addr.String())})
	}
	return out, nil
}

var interfaceFilters = filterable[ec2model.Interface]{
	"network-interface-id":         func(n ec2model.Interface) []string { return []string{n.ID} },
	"subnet-id":                    func(n ec2model.Interface) []string { return []string{n.Subnet.ID} },
	"vpc-id":                       func(n ec2model.Interface) []string { return []string{n.Subnet.VPC} },
	"availability-zone":            func(n ec2model.Interface) []string { return []string{n.Subnet.Zone.Name()} },
	"description":                  func(n ec2model.Interface) []string { return []string{n.Description} },
	"status":                       func(n ec2model.Interface) []string { return []string{string(interfaceStatus(n))} },
	"attachment.instance-id":       func(n ec2model.Interface) []string { return []string{n.Instance} },
	"attachment.attachment-id":     func(n ec2model.Interface) []string { return []string{n.Attachment} },
	"attachment.device-index":      func(n ec2model.Interface) []string { return []string{fmt.Sprint(n.DeviceIndex)} },
	"private-ip-address":           func(n ec2model.Interface) []string { return []string{n.Private[0].String()} },
	"addresses.private-ip-address": privateAddresses,
}

func privateAddresses(n ec2model.Interface) (list []string) {
	for _, a := range n.Private {
		list = append(list, a.String())
	}
	return list
}

func interfaceStatus(n ec2model.Interface) types.NetworkInterfaceStatus {
	if n.Instance == "" {
		return types.NetworkInterfaceStatusAvailable
	}
	return types.NetworkInterfaceStatusInUse
}

func (s *service) describeNetworkInterfaces(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeNetworkInterfacesInput) (*ec2.DescribeNetworkInterfacesOutput, error) {
	match, err := interfaceFilters.matcher(call, in.Filters, func(n ec2model.Interface) ec2model.Tags { return n.Tags })
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	var all []types.NetworkInterface
	if len(in.NetworkInterfaceIds) > 0 {
		for _, id := range in.NetworkInterfaceIds {
			if err := checkID("InvalidNetworkInterfaceId.Malformed", "eni", id); err != nil {
				return nil, err
			}
			n, err := region.Interface(call.At, id)
			if err != nil {
				return nil, err
			}
			if match(n) {
				all = append(all, s.showInterface(tx, call, region, n))
			}
		}
	} else {
		for _, n := range region.Interfaces(call.At) {
			if match(n) {
				all = append(all, s.showInterface(tx, call, region, n))
			}
		}
	}
	out := &ec2.DescribeNetworkInterfacesOutput{}
	out.NetworkInterfaces, out.NextToken, err = page(all, in.NextToken, in.MaxResults, pageLimits{5, 1000})
	return out, err
}

// showInterface is an interface as EC2 describes it. What a call has just
// changed is shown as it is now; reads show it as of the moment they see.
func (s *service) showInterface(tx *awstest.Tx, call *awstest.Call, region *ec2model.Region, n ec2model.Interface) types.NetworkInterface {
	account := tx.Cloud().AccountID()
	out := types.NetworkInterface{
		NetworkInterfaceId: aws.String(n.ID), Description: aws.String(n.Description),
		SubnetId: aws.String(n.Subnet.ID), VpcId: aws.String(n.Subnet.VPC),
		AvailabilityZone: aws.String(n.Subnet.Zone.Name()), AvailabilityZoneId: aws.String(n.Subnet.Zone.ID()),
		PrivateIpAddress: aws.String(n.Private[0].String()), MacAddress: aws.String(macAddress(n)),
		InterfaceType: types.NetworkInterfaceTypeInterface, OwnerId: aws.String(account),
		RequesterManaged: aws.Bool(false), SourceDestCheck: aws.Bool(true),
		Status: interfaceStatus(n), TagSet: showTags(n.Tags),
	}
	for i, addr := range n.Private {
		private := types.NetworkInterfacePrivateIpAddress{Primary: aws.Bool(i == 0), PrivateIpAddress: aws.String(addr.String())}
		if a, ok := region.AddressOf(call.At, n.ID, addr); ok {
			private.Association = showAssociation(a, account)
		}
		if i == 0 {
			out.Association = private.Association
		}
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, private)
	}
	if n.Instance != "" {
		out.Attachment = &types.NetworkInterfaceAttachment{
			AttachmentId: aws.String(n.Attachment), AttachTime: aws.Time(n.AttachedAt), DeviceIndex: aws.Int32(n.DeviceIndex),
			InstanceId: aws.String(n.Instance), InstanceOwnerId: aws.String(account), NetworkCardIndex: aws.Int32(0),
			DeleteOnTermination: aws.Bool(n.DeleteOnTermination), Status: types.AttachmentStatusAttached,
		}
	}
	return out
}

func showAssociation(a ec2model.Address, account string) *types.NetworkInterfaceAssociation {
	return &types.NetworkInterfaceAssociation{
		AllocationId: aws.String(a.Allocation), AssociationId: aws.String(a.Association),
		PublicIp: aws.String(a.IP.String()), PublicDnsName: aws.String(publicName(a.IP)), IpOwnerId: aws.String(account),
	}
}

func publicName(ip netip.Addr) string {
	return "ec2-" + strings.ReplaceAll(ip.String(), ".", "-") + ".compute.amazonaws.com"
}

// macAddress is locally administered and made of the primary address.
func macAddress(n ec2model.Interface) string {
	b := n.Private[0].As4()
	return fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3])
}

func parseAddr(text *string) (netip.Addr, error) {
	if text == nil {
		return netip.Addr{}, nil
	}
	addr, err := netip.ParseAddr(*text)
	if err != nil || !addr.Is4() {
		return addr, awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter privateIpAddress is invalid. Expecting an IPv4 address.", *text)
	}
	return addr, nil
}
