package ec2svc

import (
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) runInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	whole, version, err := s.fromTemplate(tx, call, in)
	if err != nil {
		return nil, err
	}
	spec, err := launchSpec(call, whole)
	if err != nil {
		return nil, err
	}
	if version != nil {
		spec.LaunchData = version.Mark(spec.LaunchData)
	}
	request, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	spec.Request = string(request)
	spec.Placed = in.Placement != nil || in.SubnetId != nil || len(in.NetworkInterfaces) > 0
	region := s.region(tx, call)
	launched, err := region.Run(tx, spec)
	if err != nil {
		return nil, err
	}
	out := &ec2.RunInstancesOutput{OwnerId: aws.String(tx.Cloud().AccountID()), ReservationId: aws.String(launched[0].Reservation)}
	for _, i := range launched {
		out.Instances = append(out.Instances, showInstance(tx, present(tx, call), region, i))
	}
	return out, nil
}

func launchSpec(call *awstest.Call, in *ec2.RunInstancesInput) (spec ec2model.LaunchSpec, err error) {
	data, err := launchData(call, in)
	if err != nil {
		return spec, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return spec, err
	}
	if len(in.NetworkInterfaces) > 0 && (in.SubnetId != nil || in.PrivateIpAddress != nil || len(in.SecurityGroupIds) > 0) {
		return spec, awstest.Errorf("InvalidParameterCombination", "Network interfaces and an instance-level subnet ID, private IP address or security groups may not be specified on the same request")
	}
	if data.Subnet != "" {
		if err := subnetKind.check(data.Subnet); err != nil {
			return spec, err
		}
	}
	if data.Interface != "" {
		if err := interfaceKind.check(data.Interface); err != nil {
			return spec, err
		}
	}
	return ec2model.LaunchSpec{
		LaunchData: data, Min: int(aws.ToInt32(in.MinCount)), Max: int(aws.ToInt32(in.MaxCount)),
		Token: aws.ToString(in.ClientToken),
	}, nil
}

// launchData reads what an instance is to be like. Whether what it names
// exists shows when it is launched.
func launchData(call *awstest.Call, in *ec2.RunInstancesInput) (data ec2model.LaunchData, err error) {
	data = ec2model.LaunchData{
		Type: string(in.InstanceType), Image: aws.ToString(in.ImageId), KeyName: aws.ToString(in.KeyName),
		Subnet: aws.ToString(in.SubnetId),
	}
	if data.Reserve, err = reserve(call, in.CapacityReservationSpecification); err != nil {
		return data, err
	}
	if data.Private, err = parseAddr(in.PrivateIpAddress); err != nil {
		return data, err
	}
	if p := in.Placement; p != nil {
		data.ZoneID, data.ZoneName = aws.ToString(p.AvailabilityZoneId), aws.ToString(p.AvailabilityZone)
		rest := *p
		rest.AvailabilityZoneId, rest.AvailabilityZone = nil, nil
		if rest != (types.Placement{}) {
			return data, call.NotModelled("placement other than by Availability Zone")
		}
	}
	if err := networkInterfaces(call, in, &data); err != nil {
		return data, err
	}
	if data.Devices, err = devices(call, in.BlockDeviceMappings); err != nil {
		return data, err
	}
	const instance, nic, volume = types.ResourceTypeInstance, types.ResourceTypeNetworkInterface, types.ResourceTypeVolume
	if data.Tags, err = tagsFor(call, in.TagSpecifications, instance, nic, volume); err != nil {
		return data, err
	}
	if data.InterfaceTags, err = tagsFor(call, in.TagSpecifications, nic, instance, volume); err != nil {
		return data, err
	}
	data.VolumeTags, err = tagsFor(call, in.TagSpecifications, volume, instance, nic)
	return data, err
}

// networkInterfaces reads the interfaces of a launch: one that exists, or new
// ones in one subnet.
func networkInterfaces(call *awstest.Call, in *ec2.RunInstancesInput, data *ec2model.LaunchData) (err error) {
	if len(in.NetworkInterfaces) == 0 {
		if groups := slices.Concat(in.SecurityGroupIds, in.SecurityGroups); len(groups) > 0 {
			data.Groups = [][]string{groups}
		}
		return nil
	}
	data.NetworkInterfaces = len(in.NetworkInterfaces)
	for d, n := range in.NetworkInterfaces {
		if field := unreadInterface(n); field != "" {
			return call.NotModelled("%s of a network interface at launch", field)
		}
		switch {
		case int(aws.ToInt32(n.DeviceIndex)) != d:
			return call.NotModelled("network interfaces out of the order of their device index")
		case n.NetworkInterfaceId != nil && data.NetworkInterfaces > 1:
			return call.NotModelled("an existing network interface among several")
		case n.NetworkInterfaceId != nil:
			data.Interface = *n.NetworkInterfaceId
		case d == 0:
			data.Subnet = aws.ToString(n.SubnetId)
			if data.Private, err = parseAddr(n.PrivateIpAddress); err != nil {
				return err
			}
		case aws.ToString(n.SubnetId) != data.Subnet || n.PrivateIpAddress != nil:
			return call.NotModelled("secondary network interfaces with a subnet or address of their own")
		}
		data.Groups = append(data.Groups, n.Groups)
	}
	return nil
}

// unreadInterface names the first thing that is set on an interface of a
// launch and that nobody reads.
func unreadInterface(n types.InstanceNetworkInterfaceSpecification) string {
	n.DeviceIndex, n.NetworkInterfaceId, n.SubnetId, n.PrivateIpAddress = nil, nil, nil, nil
	n.Groups = nil
	if !aws.ToBool(n.AssociatePublicIpAddress) {
		n.AssociatePublicIpAddress = nil
	}
	return unread(n)
}
