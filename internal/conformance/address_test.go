package conformance_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisassociateAddress.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html (read 2026-11)
var addressScenarios = []scenario{
	{
		name: "an address is allocated with tags",
		run: func(s *session) {
			a := s.allocate("the address")
			s.shows("holder", "nobody", func() string { return s.holder(a) })
			got := s.address(a)
			s.is("domain", string(got.Domain), "vpc")
			s.is("network border group", told(got.NetworkBorderGroup), s.regions[0])
			s.is("instance", told(got.InstanceId), "none")
			s.is("private address", told(got.PrivateIpAddress), "none")
			s.is("tags", tagsOf(got.Tags), markKey+"="+s.mark)
		},
		differs: []difference{
			{on: motoName, at: "network border group", does: "none"},
		},
	},
	{
		name: "an address is associated with an interface",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			id, err := s.associate(a, toInterface(m.eni), nil)
			s.accepted("associating it", err)
			s.call(id, "the association")
			s.showsAssociation(a, m, m.private)
		},
		differs: []difference{
			{on: motoName, at: "instance", does: "none"},
		},
	},
	{
		name: "an address is associated with an instance",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			id, err := s.associate(a, toInstance(m.id), nil)
			s.accepted("associating it", err)
			s.call(id, "the association")
			s.showsAssociation(a, m, m.private)
		},
	},
	{
		name: "an address is associated with an interface of no instance",
		run: func(s *session) {
			eni, a := s.nics("the interface")[0], s.allocate("the address")
			_, err := s.associate(a, toInterface(eni), aws.Bool(false))
			s.accepted("associating it", err)
			s.shows("holder", "the interface", func() string { return s.told(s.holder(a)) })
			s.is("instance", told(s.address(a).InstanceId), "none")
		},
	},
	{
		name: "an address is associated with a secondary private address",
		run: func(s *session) {
			m := s.launch("the instance")
			must(s.ec2.AssignPrivateIpAddresses(s.Context(), &ec2.AssignPrivateIpAddressesInput{
				NetworkInterfaceId: &m.eni, SecondaryPrivateIpAddressCount: aws.Int32(1),
			}))(s)
			second := s.secondary(m.eni)
			s.call(second, "the secondary private address")

			a, b := s.allocate("the first address"), s.allocate("the second address")
			_, err := s.associate(a, toPrivate(m.eni, second), aws.Bool(false))
			s.accepted("associating the first with the secondary one", err)
			s.shows("private address of the first", second, func() string { return told(s.address(a).PrivateIpAddress) })
			_, err = s.associate(b, toInterface(m.eni), aws.Bool(false))
			s.accepted("associating the second with the primary one", err)
			s.shows("private address of the second", m.private, func() string { return told(s.address(b).PrivateIpAddress) })
			s.is("private address of the first beside it", told(s.address(a).PrivateIpAddress), second)
		},
		differs: []difference{
			{on: motoName, at: "private address of the first", does: "the private address of the instance"},
			{on: motoName, at: "private address of the first beside it", does: "the private address of the instance"},
		},
	},
	{
		name: "a repeated association is the same",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			first := must(s.associate(a, toInterface(m.eni), nil))(s)
			for name, allow := range map[string]*bool{"left out": nil, "true": aws.Bool(true), "false": aws.Bool(false)} {
				again, err := s.associate(a, toInterface(m.eni), allow)
				if s.accepted("repeat with AllowReassociation "+name, err) {
					// Seen of accounts: the page says no more than that the operation is idempotent.
					s.is("ID of a repeat with AllowReassociation "+name, same(again, first), "the same")
				}
			}
		},
		differs: []difference{
			{on: motoName, at: "ID of a repeat with AllowReassociation left out", does: "another"},
			{on: motoName, at: "ID of a repeat with AllowReassociation true", does: "another"},
			{on: motoName, at: "ID of a repeat with AllowReassociation false", does: "another"},
		},
	},
	{
		name: "an association ends once",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			id := must(s.associate(a, toInterface(m.eni), nil))(s)
			s.accepted("disassociating", s.disassociate(id))
			s.shows("holder", "nobody", func() string { return s.holder(a) })
			s.shows("public address of the instance", "not it", s.wears(m.id, a))
			s.accepted("disassociating again", s.disassociate(id))
			s.refused("disassociating what never was", s.disassociate("eipassoc"+unknown), "InvalidAssociationID.NotFound")

			again := must(s.associate(a, toInterface(m.eni), nil))(s)
			s.is("ID of the next association", same(again, id), "another")
		},
		differs: []difference{
			{on: motoName, at: "disassociating again", does: "InvalidAssociationID.NotFound"},
		},
	},
	{
		name: "an address is released",
		run: func(s *session) {
			a := s.allocate("the address")
			s.accepted("releasing it", s.release(a))
			s.shows("describing it", "InvalidAllocationID.NotFound", func() string {
				_, err := s.ec2.DescribeAddresses(s.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{a}})
				return outcome(err)
			})
			// The page of errors has the one, accounts answer with the other.
			s.refused("releasing it again", s.release(a), "InvalidAddressID.NotFound", "InvalidAllocationID.NotFound")
		},
	},
	{
		name: "releasing an associated address in a default VPC ends its association",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			must(s.associate(a, toInterface(m.eni), nil))(s)
			s.accepted("releasing it", s.release(a))
		},
		differs: []difference{{
			on: awstestName, at: "releasing it", does: "InvalidIPAddress.InUse",
			because: "it refuses as AWS does outside of a default VPC, so that what passes here passes in any VPC",
		}},
	},
}

// showsAssociation asserts all that is described of an address on an instance.
func (s *session) showsAssociation(allocation string, m machine, private string) {
	s.Helper()
	s.shows("interface", m.eni, func() string { return s.holder(allocation) })
	got := s.address(allocation)
	s.is("association", s.told(told(got.AssociationId)), "the association")
	s.is("instance", told(got.InstanceId), m.id)
	s.is("private address", told(got.PrivateIpAddress), private)
	s.shows("public address of the instance", "it", s.wears(m.id, allocation))
	nic := must(s.ec2.DescribeNetworkInterfaces(s.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{m.eni}}))(s).NetworkInterfaces[0]
	association := nic.Association
	if association == nil {
		association = &types.NetworkInterfaceAssociation{}
	}
	s.is("public address of the interface", told(association.PublicIp), *got.PublicIp)
	s.is("allocation of the interface", told(association.AllocationId), allocation)
	s.is("association of the interface", told(association.AssociationId), told(got.AssociationId))
}
