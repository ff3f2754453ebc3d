package ec2svc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

// showInstance is an instance as EC2 describes it, with its interfaces as of
// the moment that the call looks at.
func showInstance(tx *awstest.Tx, call *awstest.Call, region *ec2model.Region, i ec2model.Instance) types.Instance {
	out := types.Instance{
		InstanceId: aws.String(i.ID), ImageId: aws.String(i.Image), InstanceType: types.InstanceType(i.Type),
		LaunchTime: aws.Time(i.LaunchedAt), AmiLaunchIndex: aws.Int32(i.LaunchIndex),
		Placement:      &types.Placement{AvailabilityZone: aws.String(i.Zone.Name()), AvailabilityZoneId: aws.String(i.Zone.ID()), Tenancy: types.TenancyDefault},
		State:          showState(i.State),
		Tags:           showTags(i.Tags),
		Architecture:   types.ArchitectureValuesX8664,
		RootDeviceName: aws.String(i.RootDevice), RootDeviceType: types.DeviceTypeEbs,
		BlockDeviceMappings: showDevices(call, region, i),
		PlatformDetails:     aws.String(ec2model.DefaultPlatform), CapacityReservationSpecification: showReserve(i.Reserve),
	}
	if i.CapacityReservation != "" {
		out.CapacityReservationId = aws.String(i.CapacityReservation)
	}
	if i.KeyName != "" {
		out.KeyName = aws.String(i.KeyName)
	}
	if i.Token != "" {
		out.ClientToken = aws.String(i.Token)
	}
	if i.Cause.Code != "" {
		out.StateReason = &types.StateReason{Code: aws.String(i.Cause.Code), Message: aws.String(i.Cause.Message)}
	}
	if i.Reason != "" {
		out.StateTransitionReason = aws.String(i.Reason)
	}
	if i.State == ec2model.Terminated {
		return out // it has no network any more
	}
	out.SubnetId, out.VpcId, out.SourceDestCheck = aws.String(i.Subnet.ID), aws.String(i.Subnet.VPC), aws.Bool(true)
	for _, n := range region.Attached(call.At, i) {
		shown := showInterface(tx, call, region, n)
		out.NetworkInterfaces = append(out.NetworkInterfaces, instanceInterface(shown))
		if n.DeviceIndex == 0 {
			out.PrivateIpAddress, out.SecurityGroups = shown.PrivateIpAddress, shown.Groups
			if shown.Association != nil {
				out.PublicIpAddress, out.PublicDnsName = shown.Association.PublicIp, shown.Association.PublicDnsName
			}
		}
	}
	return out
}

// instanceInterface is an interface in the shape that DescribeInstances has
// for it.
func instanceInterface(n types.NetworkInterface) types.InstanceNetworkInterface {
	out := types.InstanceNetworkInterface{
		NetworkInterfaceId: n.NetworkInterfaceId, SubnetId: n.SubnetId, VpcId: n.VpcId, Description: n.Description,
		PrivateIpAddress: n.PrivateIpAddress, MacAddress: n.MacAddress, OwnerId: n.OwnerId, Status: n.Status,
		InterfaceType: aws.String(string(n.InterfaceType)), SourceDestCheck: n.SourceDestCheck, Association: instanceAssociation(n.Association), Groups: n.Groups,
	}
	if a := n.Attachment; a != nil {
		out.Attachment = &types.InstanceNetworkInterfaceAttachment{
			AttachmentId: a.AttachmentId, AttachTime: a.AttachTime, DeviceIndex: a.DeviceIndex,
			DeleteOnTermination: a.DeleteOnTermination, Status: a.Status, NetworkCardIndex: a.NetworkCardIndex,
		}
	}
	for _, p := range n.PrivateIpAddresses {
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, types.InstancePrivateIpAddress{
			Primary: p.Primary, PrivateIpAddress: p.PrivateIpAddress, Association: instanceAssociation(p.Association),
		})
	}
	return out
}

func instanceAssociation(a *types.NetworkInterfaceAssociation) *types.InstanceNetworkInterfaceAssociation {
	if a == nil {
		return nil
	}
	return &types.InstanceNetworkInterfaceAssociation{IpOwnerId: a.IpOwnerId, PublicDnsName: a.PublicDnsName, PublicIp: a.PublicIp}
}

// stateCodes are the low bytes of the codes of instance states.
// Source: types.InstanceState of the SDK (read 2026-11)
var stateCodes = map[ec2model.State]int32{
	ec2model.Pending: 0, ec2model.Running: 16, ec2model.ShuttingDown: 32,
	ec2model.Terminated: 48, ec2model.Stopping: 64, ec2model.Stopped: 80,
}

func showState(s ec2model.State) *types.InstanceState {
	return &types.InstanceState{Code: aws.Int32(stateCodes[s]), Name: types.InstanceStateName(s)}
}
