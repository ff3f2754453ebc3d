package conformance_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html (read 2026-11)
// Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html (read 2026-11)
var launchScenarios = []scenario{
	{
		name: "two instances are launched in a zone with tags",
		run: func(s *session) {
			zone := *s.subnets()[1].AvailabilityZone
			out := must(s.run(s.launchInput(inZone(zone), func(in *ec2.RunInstancesInput) {
				in.MinCount, in.MaxCount = aws.Int32(2), aws.Int32(2)
				in.TagSpecifications = append(s.tagged(types.ResourceTypeInstance, tag("role", "web")), s.tagged(types.ResourceTypeNetworkInterface)...)
			})))(s)
			s.is("instances", fmt.Sprint(len(out.Instances)), "2")
			s.call(s.mark, "MARK")
			for n := range out.Instances {
				which := []string{"the first", "the second"}[n]
				i := &out.Instances[n]
				s.is("state of "+which+" in the answer", string(i.State.Name), "pending")
				s.is("launch index of "+which, fmt.Sprint(aws.ToInt32(i.AmiLaunchIndex)), fmt.Sprint(n))
				m := s.running(which, *i.InstanceId)
				s.is("zone of "+which, m.zone, zone)
				got := must(s.instance(m.id))(s)
				s.is("tags of "+which, tagsOf(got.Tags), markKey+"=MARK role=web")
				nics := must(s.ec2.DescribeNetworkInterfaces(s.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{m.eni}}))(s)
				s.is("tags of the interface of "+which, tagsOf(nics.NetworkInterfaces[0].TagSet), markKey+"=MARK")
			}
		},
		differs: []difference{
			{on: motoName, at: "tags of the interface of the first", does: "none"},
			{on: motoName, at: "tags of the interface of the second", does: "none"},
		},
	},
	{
		name: "an instance is launched into a subnet",
		run: func(s *session) {
			subnet := s.subnets()[1]
			m := s.launch("the instance", func(in *ec2.RunInstancesInput) { in.SubnetId = subnet.SubnetId })
			s.is("zone", m.zone, *subnet.AvailabilityZone)
			got := must(s.instance(m.id))(s)
			s.is("subnet", told(got.SubnetId), *subnet.SubnetId)
			s.is("VPC", told(got.VpcId), *subnet.VpcId)
		},
	},
	{
		name: "an instance is launched with an interface that exists",
		run: func(s *session) {
			eni, a := s.nics("the interface")[0], s.allocate("the address")
			must(s.associate(a, toInterface(eni), nil))(s)
			m := s.launch("the instance", func(in *ec2.RunInstancesInput) {
				in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), NetworkInterfaceId: &eni}}
			})
			s.is("interface", same(m.eni, eni), "the same")
			s.is("zone", m.zone, *s.subnets()[0].AvailabilityZone)
			s.shows("instance of the address", m.id, func() string { return told(s.address(a).InstanceId) })

			// What was not made by the launch does not go with the instance.
			must(s.ec2.TerminateInstances(s.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{m.id}}))(s)
			s.shows("state then", "terminated", func() string { return s.state(m.id) })
			s.shows("interface then", "available", func() string { return s.nicStatus(eni) })
			s.shows("holder of the address then", eni, func() string { return s.holder(a) })
			s.shows("instance of the address then", "none", func() string { return told(s.address(a).InstanceId) })
		},
		differs: []difference{
			{on: motoName, at: "instance of the address", does: "none"},
			{on: motoName, at: "interface then", does: "in-use"},
		},
	},
	{
		name: "an instance with two interfaces is no target by itself",
		run: func(s *session) {
			subnet := s.subnets()[0].SubnetId
			m, a := s.launch("the instance", func(in *ec2.RunInstancesInput) {
				in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{
					{DeviceIndex: aws.Int32(0), SubnetId: subnet}, {DeviceIndex: aws.Int32(1), SubnetId: subnet},
				}
			}), s.allocate("the address")
			s.is("interfaces", fmt.Sprint(len(must(s.instance(m.id))(s).NetworkInterfaces)), "2")
			_, err := s.associate(a, toInstance(m.id), nil)
			s.refused("associating with the instance", err, "InvalidInstanceID")
			_, err = s.associate(a, toInterface(m.eni), nil)
			s.accepted("associating with the interface", err)
			s.shows("holder", m.eni, func() string { return s.holder(a) })
		},
		differs: []difference{
			{on: motoName, at: "associating with the instance", does: "accepted"},
		},
	},
	{
		name: "a client token launches once",
		run: func(s *session) {
			with := func(token string, change ...func(*ec2.RunInstancesInput)) (string, error) {
				in := s.launchInput(append(change, inZone(*s.subnets()[0].AvailabilityZone))...)
				in.ClientToken = &token
				out, err := s.run(in)
				if err != nil {
					return "", err
				}
				return *out.Instances[0].InstanceId, nil
			}
			first := must(with(s.mark))(s)
			again, err := with(s.mark)
			s.accepted("repeat", err)
			s.is("instance of the repeat", same(again, first), "the same")
			_, err = with(s.mark, func(in *ec2.RunInstancesInput) { in.InstanceType = types.InstanceTypeT3Small })
			s.refused("repeat with another type", err, "IdempotentParameterMismatch")
			other, err := with(s.mark + "-2")
			s.accepted("another token", err)
			s.is("instance of another token", same(other, first), "another")
		},
		differs: []difference{
			{on: motoName, at: "instance of the repeat", does: "another"},
			{on: motoName, at: "repeat with another type", does: "accepted"},
		},
	},
	{
		name: "a launch is refused",
		run: func(s *session) {
			for _, c := range []struct {
				at     string
				change func(*ec2.RunInstancesInput)
				codes  []string
			}{
				{"in an unknown zone", inZone(s.regions[0] + "z"), []string{"InvalidParameterValue"}},
				{"into an unknown subnet", func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet" + unknown) }, []string{"InvalidSubnetID.NotFound"}},
				{"with an unknown interface", func(in *ec2.RunInstancesInput) {
					in.NetworkInterfaces = []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), NetworkInterfaceId: aws.String("eni" + unknown)}}
				}, []string{"InvalidNetworkInterfaceID.NotFound"}},
			} {
				_, err := s.run(s.launchInput(c.change))
				s.refused(c.at, err, c.codes...)
			}
		},
	},
}

// inZone places a launch.
func inZone(name string) func(*ec2.RunInstancesInput) {
	return func(in *ec2.RunInstancesInput) { in.Placement = &types.Placement{AvailabilityZone: &name} }
}
