package conformance_test

import (
	"github.com/aws/aws-sdk-go-v2/aws"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html (read 2026-11)
var reassociationScenarios = []scenario{
	takes("an address moves if AllowReassociation is left out", nil,
		difference{on: motoName, at: "taking it", does: "Resource.AlreadyAssociated"},
		difference{on: motoName, at: "holder", does: "the interface of the owner"},
		difference{on: motoName, at: "public address of the former owner", does: "it"},
	),
	takes("an address moves if AllowReassociation is true", aws.Bool(true),
		difference{on: motoName, at: "public address of the former owner", does: "it"},
		difference{on: motoName, at: "public address of the rival", does: "it"},
	),
	{
		name: "an address stays if AllowReassociation is false",
		run: func(s *session) {
			owner, rival, a := s.launch("the owner"), s.launch("the rival"), s.allocate("the address")
			first := must(s.associate(a, toInterface(owner.eni), nil))(s)
			_, err := s.associate(a, toInterface(rival.eni), aws.Bool(false))
			s.refused("taking it by interface", err, "Resource.AlreadyAssociated")
			_, err = s.associate(a, toInstance(rival.id), aws.Bool(false))
			s.refused("taking it by instance", err, "Resource.AlreadyAssociated")
			s.shows("holder", owner.eni, func() string { return s.holder(a) })
			s.is("association", same(*s.address(a).AssociationId, first), "the same")
		},
		differs: []difference{
			{on: motoName, at: "taking it by instance", does: "accepted"},
			{on: motoName, at: "holder", does: "the interface of the rival"},
			{on: motoName, at: "association", does: "another"},
		},
	},
	{
		name: "a target that holds another address is occupied",
		run: func(s *session) {
			m, a, b := s.launch("the instance"), s.allocate("the first address"), s.allocate("the second address")
			must(s.associate(a, toInterface(m.eni), nil))(s)
			_, err := s.associate(b, toInterface(m.eni), aws.Bool(false))
			// As accounts answer: https://github.com/aws-quickstart/quickstart-linux-bastion/issues/21 (read 2026-11)
			s.refused("associating the second with AllowReassociation false", err, "Resource.AlreadyAssociated")
			s.shows("holder of the first", m.eni, func() string { return s.holder(a) })
			s.shows("holder of the second", "nobody", func() string { return s.holder(b) })

			_, err = s.associate(b, toInterface(m.eni), nil)
			s.accepted("associating the second with AllowReassociation left out", err)
			s.shows("holder of the second then", m.eni, func() string { return s.holder(b) })
			s.shows("holder of the first then", "nobody", func() string { return s.holder(a) })
		},
		differs: []difference{
			{on: motoName, at: "associating the second with AllowReassociation false", does: "accepted"},
			{on: motoName, at: "holder of the second", does: "the interface of the instance"},
			{on: motoName, at: "holder of the first then", does: "the interface of the instance"},
		},
	},
	{
		name: "the end of an old association is not the end of the new one",
		run: func(s *session) {
			one, two, a := s.launch("the first"), s.launch("the second"), s.allocate("the address")
			first := must(s.associate(a, toInterface(one.eni), nil))(s)
			second := must(s.associate(a, toInterface(two.eni), aws.Bool(true)))(s)
			// The page promises no error for an operation that is repeated. That it means this too is our reading of it.
			s.accepted("disassociating the old one", s.disassociate(first))
			s.shows("holder", two.eni, func() string { return s.holder(a) })
			s.is("association", same(told(s.address(a).AssociationId), second), "the same")
		},
		differs: []difference{
			{on: motoName, at: "disassociating the old one", does: "InvalidAssociationID.NotFound"},
		},
	},
}

// takes moves an address from an owner who is not asked.
func takes(name string, allow *bool, differs ...difference) scenario {
	return scenario{name: name, differs: differs, run: func(s *session) {
		owner, rival, a := s.launch("the owner"), s.launch("the rival"), s.allocate("the address")
		first := must(s.associate(a, toInterface(owner.eni), allow))(s)
		second, err := s.associate(a, toInterface(rival.eni), allow)
		s.accepted("taking it", err)
		s.is("association", same(second, first), "another")
		s.shows("holder", rival.eni, func() string { return s.holder(a) })
		s.shows("public address of the former owner", "not it", s.wears(owner.id, a))

		_, err = s.associate(a, toInstance(owner.id), allow)
		s.accepted("taking it back by instance", err)
		s.shows("holder then", owner.eni, func() string { return s.holder(a) })
		s.shows("public address of the rival", "not it", s.wears(rival.id, a))
	}}
}
