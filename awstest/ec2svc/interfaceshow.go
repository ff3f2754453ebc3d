package ec2svc

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// showInterface is an interface as EC2 describes it, with its addresses as of
// the moment that the call looks at.
func showInterface(tx *awstest.Tx, call *awstest.Call, region *ec2model.Region, n ec2model.Interface) types.NetworkInterface {
	account := aws.String(tx.Cloud().AccountID())
	out := types.NetworkInterface{
		NetworkInterfaceId: aws.String(n.ID), Description: aws.String(n.Description),
		SubnetId: aws.String(n.Subnet.ID), VpcId: aws.String(n.Subnet.VPC),
		AvailabilityZone: aws.String(n.Subnet.Zone.Name()), AvailabilityZoneId: aws.String(n.Subnet.Zone.ID()),
		PrivateIpAddress: aws.String(n.Private[0].Addr.String()), MacAddress: aws.String(macAddress(n)),
		InterfaceType: types.NetworkInterfaceTypeInterface, OwnerId: aws.String(n.Owner),
		RequesterManaged: aws.Bool(n.Requester != ""), SourceDestCheck: aws.Bool(true),
		Status: interfaceStatus(n), TagSet: showTags(n.Tags), Groups: showGroups(call, region, n),
	}
	if n.Requester != "" {
		out.RequesterId = aws.String(n.Requester)
	}
	for i, p := range n.Private {
		private := types.NetworkInterfacePrivateIpAddress{Primary: aws.Bool(i == 0), PrivateIpAddress: aws.String(p.Addr.String())}
		if a, err := region.Address(call.At, p.Allocation); err == nil {
			private.Association = &types.NetworkInterfaceAssociation{
				AllocationId: aws.String(a.Allocation), AssociationId: aws.String(a.Association),
				PublicIp: aws.String(a.IP.String()), PublicDnsName: aws.String(publicName(call.Region.Name(), a.IP)), IpOwnerId: account,
			}
		}
		if i == 0 {
			out.Association = private.Association
		}
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, private)
	}
	if n.Instance != "" {
		out.Attachment = &types.NetworkInterfaceAttachment{
			AttachmentId: aws.String(n.Attachment), AttachTime: aws.Time(n.AttachedAt), DeviceIndex: aws.Int32(n.DeviceIndex),
			InstanceId: aws.String(n.Instance), InstanceOwnerId: account, NetworkCardIndex: aws.Int32(0),
			DeleteOnTermination: aws.Bool(n.DeleteOnTermination), Status: types.AttachmentStatusAttached,
		}
	}
	return out
}

func interfaceStatus(n ec2model.Interface) types.NetworkInterfaceStatus {
	if n.Instance == "" {
		return types.NetworkInterfaceStatusAvailable
	}
	return types.NetworkInterfaceStatusInUse
}

// publicName is the DNS name that EC2 gives to a public address. The network
// of the cloud does not resolve it.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html (read 2026-11)
func publicName(region string, ip netip.Addr) string {
	domain := region + ".compute"
	if region == "us-east-1" {
		domain = "compute-1"
	}
	return "ec2-" + strings.ReplaceAll(ip.String(), ".", "-") + "." + domain + ".amazonaws.com"
}

// macAddress is locally administered and made of the primary address.
func macAddress(n ec2model.Interface) string {
	b := n.Private[0].Addr.As4()
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
