package ec2svc

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addInstances(e *awstest.Endpoint) {
	handle(e, s.runInstances, "MinCount", "MaxCount", "InstanceType", "ImageId", "KeyName", "Placement", "SubnetId",
		"PrivateIpAddress", "NetworkInterfaces", "ClientToken", "TagSpecifications",
		// Accepted and without effect here:
		"SecurityGroupIds", "SecurityGroups", "UserData", "IamInstanceProfile", "MetadataOptions", "Monitoring", "EbsOptimized")
	handle(e, s.startInstances, "InstanceIds")
	handle(e, s.stopInstances, "InstanceIds", "Force", "SkipOsShutdown")
	handle(e, s.rebootInstances, "InstanceIds")
	handle(e, s.terminateInstances, "InstanceIds", "Force", "SkipOsShutdown")
	handle(e, s.describeInstances, "InstanceIds", "Filters", "MaxResults", "NextToken")
}

func (s *service) runInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	spec := ec2model.LaunchSpec{
		Min: int(aws.ToInt32(in.MinCount)), Max: int(aws.ToInt32(in.MaxCount)),
		Type: string(in.InstanceType), Image: aws.ToString(in.ImageId), KeyName: aws.ToString(in.KeyName),
		Subnet: aws.ToString(in.SubnetId), Token: aws.ToString(in.ClientToken),
	}
	if spec.Image == "" {
		return nil, missing("ImageId")
	}
	if spec.Type == "" {
		spec.Type = string(types.InstanceTypeM1Small)
	}
	var err error
	if spec.Private, err = parseAddr(in.PrivateIpAddress); err != nil {
		return nil, err
	}
	if spec.Zone, err = placement(call, in.Placement); err != nil {
		return nil, err
	}
	if err := networkInterfaces(call, in, &spec); err != nil {
		return nil, err
	}
	if spec.Tags, err = tagsFor(call, in.TagSpecifications, types.ResourceTypeInstance, types.ResourceTypeNetworkInterface, types.ResourceTypeVolume); err != nil {
		return nil, err
	}
	if spec.InterfaceTags, err = tagsFor(call, in.TagSpecifications, types.ResourceTypeNetworkInterface, types.ResourceTypeInstance, types.ResourceTypeVolume); err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	launched, err := region.Run(tx, spec)
	if err != nil {
		return nil, err
	}
	out := &ec2.RunInstancesOutput{OwnerId: aws.String(tx.Cloud().AccountID()), ReservationId: aws.String(launched[0].Reservation)}
	now := *call
	now.At = tx.Now()
	for _, i := range launched {
		out.Instances = append(out.Instances, s.showInstance(tx, &now, region, i))
	}
	return out, nil
}

// placement reads the zone of a launch, by ID or by name.
func placement(call *awstest.Call, p *types.Placement) (*awstest.Zone, error) {
	if p == nil {
		return nil, nil
	}
	id, name := aws.ToString(p.AvailabilityZoneId), aws.ToString(p.AvailabilityZone)
	rest := *p
	rest.AvailabilityZoneId, rest.AvailabilityZone = nil, nil
	if rest != (types.Placement{}) {
		return nil, call.NotModelled("placement other than by Availability Zone")
	}
	for _, z := range call.Region.Zones() {
		if (id != "" && z.ID() == id) || (name != "" && z.Name() == name) {
			return z, nil
		}
	}
	if id == "" && name == "" {
		return nil, nil
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
		switch {
		case int(aws.ToInt32(n.DeviceIndex)) != d:
			return call.NotModelled("network interfaces out of the order of their device index")
		case n.NetworkInterfaceId != nil && spec.NetworkInterfaces > 1:
			return call.NotModelled("an existing network interface among several")
		case n.NetworkInterfaceId != nil:
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

// transition is what Start, Stop and Terminate have in common: all of the
// instances, or none.
func (s *service) transition(tx *awstest.Tx, call *awstest.Call, ids []string, change func(*ec2model.Region, ec2model.Instance) (ec2model.Instance, error)) ([]types.InstanceStateChange, error) {
	if len(ids) == 0 {
		return nil, missing("InstanceId")
	}
	region := s.region(tx, call)
	before, err := instancesByID(region, tx, ids)
	if err != nil {
		return nil, err
	}
	var out []types.InstanceStateChange
	for _, i := range before {
		after, err := change(region, i)
		if err != nil {
			return nil, err
		}
		out = append(out, types.InstanceStateChange{InstanceId: aws.String(i.ID), PreviousState: showState(i.State), CurrentState: showState(after.State)})
	}
	return out, nil
}

// instancesByID returns the instances as they are now; the error names every
// one that does not exist, as EC2's does.
func instancesByID(region *ec2model.Region, tx *awstest.Tx, ids []string) ([]ec2model.Instance, error) {
	var found []ec2model.Instance
	var lost []string
	for _, id := range ids {
		if err := checkID("InvalidInstanceID.Malformed", "i", id); err != nil {
			return nil, err
		}
		i, err := region.Instance(tx.Now(), id)
		if err != nil {
			lost = append(lost, id)
		}
		found = append(found, i)
	}
	return found, notFound(lost)
}

func notFound(ids []string) error {
	switch len(ids) {
	case 0:
		return nil
	case 1:
		return awstest.Errorf("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", ids[0])
	}
	return awstest.Errorf("InvalidInstanceID.NotFound", "The instance IDs '%s' do not exist", strings.Join(ids, ", "))
}

func (s *service) startInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.StartInstancesInput) (*ec2.StartInstancesOutput, error) {
	changes, err := s.transition(tx, call, in.InstanceIds, func(r *ec2model.Region, i ec2model.Instance) (ec2model.Instance, error) { return r.Start(tx, i) })
	return &ec2.StartInstancesOutput{StartingInstances: changes}, err
}

func (s *service) stopInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.StopInstancesInput) (*ec2.StopInstancesOutput, error) {
	changes, err := s.transition(tx, call, in.InstanceIds, func(r *ec2model.Region, i ec2model.Instance) (ec2model.Instance, error) { return r.Stop(tx, i) })
	return &ec2.StopInstancesOutput{StoppingInstances: changes}, err
}

func (s *service) terminateInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.TerminateInstancesInput) (*ec2.TerminateInstancesOutput, error) {
	changes, err := s.transition(tx, call, in.InstanceIds, func(r *ec2model.Region, i ec2model.Instance) (ec2model.Instance, error) {
		return r.Terminate(tx, i), nil
	})
	return &ec2.TerminateInstancesOutput{TerminatingInstances: changes}, err
}

func (s *service) rebootInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.RebootInstancesInput) (*ec2.RebootInstancesOutput, error) {
	_, err := s.transition(tx, call, in.InstanceIds, func(r *ec2model.Region, i ec2model.Instance) (ec2model.Instance, error) { return i, r.Reboot(tx, i) })
	return &ec2.RebootInstancesOutput{}, err
}

var instanceFilters = filterable[ec2model.Instance]{
	"instance-id":          func(i ec2model.Instance) []string { return []string{i.ID} },
	"instance-state-name":  func(i ec2model.Instance) []string { return []string{string(i.State)} },
	"instance-type":        func(i ec2model.Instance) []string { return []string{i.Type} },
	"image-id":             func(i ec2model.Instance) []string { return []string{i.Image} },
	"availability-zone":    func(i ec2model.Instance) []string { return []string{i.Zone.Name()} },
	"availability-zone-id": func(i ec2model.Instance) []string { return []string{i.Zone.ID()} },
	"subnet-id":            func(i ec2model.Instance) []string { return []string{i.Subnet.ID} },
	"vpc-id":               func(i ec2model.Instance) []string { return []string{i.Subnet.VPC} },
	"client-token":         func(i ec2model.Instance) []string { return []string{i.Token} },
	"reservation-id":       func(i ec2model.Instance) []string { return []string{i.Reservation} },
	"private-ip-address":   func(i ec2model.Instance) []string { return []string{i.Machine.PrivateIP().String()} },
}

func (s *service) describeInstances(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	match, err := instanceFilters.matcher(call, in.Filters, func(i ec2model.Instance) ec2model.Tags { return i.Tags })
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	var found []ec2model.Instance
	if len(in.InstanceIds) > 0 {
		var lost []string
		for _, id := range in.InstanceIds {
			if err := checkID("InvalidInstanceID.Malformed", "i", id); err != nil {
				return nil, err
			}
			i, err := region.Instance(call.At, id)
			switch {
			case err != nil:
				lost = append(lost, id)
			case match(i):
				found = append(found, i)
			}
		}
		if err := notFound(lost); err != nil {
			return nil, err
		}
	} else {
		for _, i := range region.Instances(call.At) {
			if match(i) {
				found = append(found, i)
			}
		}
	}
	out := &ec2.DescribeInstancesOutput{}
	found, out.NextToken, err = page(found, in.NextToken, in.MaxResults, pageLimits{5, 1000})
	if err != nil {
		return nil, err
	}
	index := map[string]int{}
	for _, i := range found {
		n, known := index[i.Reservation]
		if !known {
			n = len(out.Reservations)
			index[i.Reservation] = n
			out.Reservations = append(out.Reservations, types.Reservation{ReservationId: aws.String(i.Reservation), OwnerId: aws.String(tx.Cloud().AccountID())})
		}
		out.Reservations[n].Instances = append(out.Reservations[n].Instances, s.showInstance(tx, call, region, i))
	}
	return out, nil
}

func (s *service) showInstance(tx *awstest.Tx, call *awstest.Call, region *ec2model.Region, i ec2model.Instance) types.Instance {
	out := types.Instance{
		InstanceId: aws.String(i.ID), ImageId: aws.String(i.Image), InstanceType: types.InstanceType(i.Type),
		LaunchTime: aws.Time(i.LaunchedAt), AmiLaunchIndex: aws.Int32(i.LaunchIndex),
		Placement:    &types.Placement{AvailabilityZone: aws.String(i.Zone.Name()), AvailabilityZoneId: aws.String(i.Zone.ID()), Tenancy: types.TenancyDefault},
		State:        showState(i.State),
		Tags:         showTags(i.Tags),
		Architecture: types.ArchitectureValuesX8664,
	}
	if i.KeyName != "" {
		out.KeyName = aws.String(i.KeyName)
	}
	if i.Token != "" {
		out.ClientToken = aws.String(i.Token)
	}
	if i.Reason != "" {
		out.StateTransitionReason = aws.String(i.Reason)
	}
	if i.State == ec2model.Terminated {
		return out // it has no network any more
	}
	out.SubnetId, out.VpcId = aws.String(i.Subnet.ID), aws.String(i.Subnet.VPC)
	for _, n := range region.Attached(call.At, i.ID) {
		shown := s.showInterface(tx, call, region, n)
		out.NetworkInterfaces = append(out.NetworkInterfaces, instanceInterface(shown))
		if n.DeviceIndex == 0 {
			out.PrivateIpAddress = shown.PrivateIpAddress
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
		SourceDestCheck: n.SourceDestCheck, Association: instanceAssociation(n.Association),
		Attachment: &types.InstanceNetworkInterfaceAttachment{
			AttachmentId: n.Attachment.AttachmentId, AttachTime: n.Attachment.AttachTime, DeviceIndex: n.Attachment.DeviceIndex,
			DeleteOnTermination: n.Attachment.DeleteOnTermination, Status: n.Attachment.Status, NetworkCardIndex: n.Attachment.NetworkCardIndex,
		},
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

// showState gives a state its code.
// Source: types.InstanceState of the SDK (read 2026-11)
func showState(s ec2model.State) *types.InstanceState {
	codes := map[ec2model.State]int32{
		ec2model.Pending: 0, ec2model.Running: 16, ec2model.ShuttingDown: 32,
		ec2model.Terminated: 48, ec2model.Stopping: 64, ec2model.Stopped: 80,
	}
	return &types.InstanceState{Code: aws.Int32(codes[s]), Name: types.InstanceStateName(s)}
}
