package ec2svc

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) runInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	spec, err := s.launchSpec(call, in)
	if err != nil {
		return nil, err
	}
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

func (s *service) launchSpec(call *awstest.Call, in *ec2.RunInstancesInput) (spec ec2model.LaunchSpec, err error) {
	spec = ec2model.LaunchSpec{
		Min: int(aws.ToInt32(in.MinCount)), Max: int(aws.ToInt32(in.MaxCount)),
		Type: string(in.InstanceType), Image: aws.ToString(in.ImageId), KeyName: aws.ToString(in.KeyName),
		Subnet: aws.ToString(in.SubnetId), Token: aws.ToString(in.ClientToken),
	}
	if spec.Image == "" {
		return spec, missing("ImageId")
	}
	if spec.Type == "" {
		spec.Type = string(types.InstanceTypeM1Small) // AWS's default
	}
	if err := checkToken(in.ClientToken); err != nil {
		return spec, err
	}
	if spec.Private, err = parseAddr(in.PrivateIpAddress); err != nil {
		return spec, err
	}
	if spec.Zone, err = s.placement(call, in.Placement); err != nil {
		return spec, err
	}
	if err := networkInterfaces(call, in, &spec); err != nil {
		return spec, err
	}
	if spec.Subnet != "" {
		if err := subnetKind.check(spec.Subnet); err != nil {
			return spec, err
		}
	}
	if spec.Tags, err = tagsFor(call, in.TagSpecifications, types.ResourceTypeInstance, types.ResourceTypeNetworkInterface, types.ResourceTypeVolume); err != nil {
		return spec, err
	}
	spec.InterfaceTags, err = tagsFor(call, in.TagSpecifications, types.ResourceTypeNetworkInterface, types.ResourceTypeInstance, types.ResourceTypeVolume)
	return spec, err
}

// placement reads the zone of a launch, by ID or by name.
func (s *service) placement(call *awstest.Call, p *types.Placement) (*awstest.Zone, error) {
	if p == nil {
		return nil, nil
	}
	id, name := aws.ToString(p.AvailabilityZoneId), aws.ToString(p.AvailabilityZone)
	rest := *p
	rest.AvailabilityZoneId, rest.AvailabilityZone = nil, nil
	switch {
	case rest != (types.Placement{}):
		return nil, call.NotModelled("placement other than by Availability Zone")
	case id == "" && name == "":
		return nil, nil
	case id != "" && name != "":
		return nil, awstest.Errorf("InvalidParameterCombination", "You may specify either an Availability Zone or an Availability Zone ID, but not both")
	}
	for _, z := range s.model.Zones(call.Region) {
		if z.ID() == id || z.Name() == name {
			return z, nil
		}
	}
	return nil, awstest.Errorf("InvalidParameterValue", "Invalid availability zone: [%s]", id+name)
}

// networkInterfaces reads the interfaces of a launch: one that exists, or new
// ones in one subnet.
func networkInterfaces(call *awstest.Call, in *ec2.RunInstancesInput, spec *ec2model.LaunchSpec) (err error) {
	if len(in.NetworkInterfaces) == 0 {
		return nil
	}
	if in.SubnetId != nil || in.PrivateIpAddress != nil || len(in.SecurityGroupIds) > 0 {
		return awstest.Errorf("InvalidParameterCombination", "Network interfaces and an instance-level subnet ID, private IP address or security groups may not be specified on the same request")
	}
	spec.NetworkInterfaces = len(in.NetworkInterfaces)
	for d, n := range in.NetworkInterfaces {
		if field := unreadInterface(n); field != "" {
			return call.NotModelled("%s of a network interface at launch", field)
		}
		switch {
		case int(aws.ToInt32(n.DeviceIndex)) != d:
			return call.NotModelled("network interfaces out of the order of their device index")
		case n.NetworkInterfaceId != nil && spec.NetworkInterfaces > 1:
			return call.NotModelled("an existing network interface among several")
		case n.NetworkInterfaceId != nil:
			if err := interfaceKind.check(*n.NetworkInterfaceId); err != nil {
				return err
			}
			spec.Interface = *n.NetworkInterfaceId
		case d == 0:
			spec.Subnet = aws.ToString(n.SubnetId)
			if spec.Private, err = parseAddr(n.PrivateIpAddress); err != nil {
				return err
			}
		case aws.ToString(n.SubnetId) != spec.Subnet || n.PrivateIpAddress != nil:
			return call.NotModelled("secondary network interfaces with a subnet or address of their own")
		}
	}
	return nil
}

// unreadInterface names the first thing that is set on an interface of a
// launch and that nobody reads.
func unreadInterface(n types.InstanceNetworkInterfaceSpecification) string {
	n.DeviceIndex, n.NetworkInterfaceId, n.SubnetId, n.PrivateIpAddress = nil, nil, nil, nil
	n.Groups = nil // accepted and without effect
	if !aws.ToBool(n.AssociatePublicIpAddress) {
		n.AssociatePublicIpAddress = nil
	}
	v := reflect.ValueOf(n)
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			return v.Type().Field(i).Name
		}
	}
	return ""
}
