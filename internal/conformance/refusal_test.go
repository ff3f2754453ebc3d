package conformance_test

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (read 2026-11)
var addressRefusals = []scenario{
	{
		name: "an association is refused",
		run: func(s *session) {
			m, a := s.launch("the instance"), s.allocate("the address")
			for _, c := range []struct {
				at     string
				change target
				codes  []string
			}{
				{"of no address", func(in *ec2.AssociateAddressInput) { in.AllocationId = nil }, []string{"MissingParameter"}},
				{"of an unknown address", func(in *ec2.AssociateAddressInput) { in.AllocationId = aws.String("eipalloc" + unknown) }, []string{"InvalidAllocationID.NotFound"}},
				{"with nothing", func(in *ec2.AssociateAddressInput) { in.NetworkInterfaceId = nil }, []string{"MissingParameter"}},
				{"with an instance and an interface", toInstance(m.id), []string{"InvalidParameterCombination"}},
				{"with an unknown interface", toInterface("eni" + unknown), []string{"InvalidNetworkInterfaceID.NotFound"}},
				{"with a malformed interface", toInterface("eni-1"), []string{"InvalidNetworkInterfaceId.Malformed"}},
				{"with an unknown instance", instead("i" + unknown), []string{"InvalidInstanceID.NotFound"}},
				{"with a malformed instance", instead("i-1"), []string{"InvalidInstanceID.Malformed"}},
				{"with a private address of nobody", toPrivate(m.eni, "192.0.2.1"), []string{"InvalidParameterValue"}},
			} {
				in := &ec2.AssociateAddressInput{AllocationId: &a, NetworkInterfaceId: &m.eni}
				c.change(in)
				_, err := s.ec2.AssociateAddress(s.Context(), in)
				s.refused(c.at, err, c.codes...)
				if err == nil { // where it should not have been: the next case needs it free
					if id := s.address(a).AssociationId; id != nil {
						must("", s.disassociate(*id))(s)
					}
				}
			}
			s.shows("holder", "nobody", func() string { return s.holder(a) })
		},
		differs: []difference{
			{on: motoName, at: "with an instance and an interface", does: "accepted"},
			{on: motoName, at: "with a malformed interface", does: "InvalidNetworkInterfaceID.NotFound"},
			{on: motoName, at: "with a malformed instance", does: "InvalidInstanceID.NotFound"},
			{on: motoName, at: "with a private address of nobody", does: "accepted"},
		},
	},
	{
		name: "calls on addresses want an ID",
		run: func(s *session) {
			_, err := s.ec2.DisassociateAddress(s.Context(), &ec2.DisassociateAddressInput{})
			s.refused("disassociating", err, "MissingParameter")
			_, err = s.ec2.ReleaseAddress(s.Context(), &ec2.ReleaseAddressInput{})
			s.refused("releasing", err, "MissingParameter")
		},
	},
	{
		name: "an address is released in its own network border group",
		run: func(s *session) {
			a := s.allocate("the address")
			_, err := s.ec2.ReleaseAddress(s.Context(), &ec2.ReleaseAddressInput{AllocationId: &a, NetworkBorderGroup: &s.regions[1]})
			s.refused("in another", err, "InvalidAddress.NotFound")
			if err != nil {
				_, err = s.ec2.ReleaseAddress(s.Context(), &ec2.ReleaseAddressInput{AllocationId: &a, NetworkBorderGroup: &s.regions[0]})
				s.accepted("in its own", err)
			}
		},
		differs: []difference{
			{on: motoName, at: "in another", does: "accepted"},
		},
	},
	{
		name: "a dry run changes nothing",
		run: func(s *session) {
			m, a, b, ctx := s.launch("the instance"), s.allocate("the address"), s.allocate("the other address"), s.Context()
			id := must(s.associate(a, toInterface(m.eni), nil))(s)
			dry := aws.Bool(true)
			for _, c := range []struct {
				operation string
				call      func() error
			}{
				{"AllocateAddress", func() error {
					_, err := s.ec2.AllocateAddress(ctx, &ec2.AllocateAddressInput{Domain: types.DomainTypeVpc, DryRun: dry})
					return err
				}},
				{"AssociateAddress", func() error {
					_, err := s.ec2.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &b, NetworkInterfaceId: &m.eni, DryRun: dry})
					return err
				}},
				{"DisassociateAddress", func() error {
					_, err := s.ec2.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: &id, DryRun: dry})
					return err
				}},
				{"ReleaseAddress", func() error {
					_, err := s.ec2.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &b, DryRun: dry})
					return err
				}},
				{"DescribeAddresses", func() error {
					_, err := s.ec2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{DryRun: dry})
					return err
				}},
				{"RunInstances", func() error {
					_, err := s.run(s.launchInput(func(in *ec2.RunInstancesInput) { in.DryRun = dry }))
					return err
				}},
				{"StopInstances", func() error {
					_, err := s.ec2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{m.id}, DryRun: dry})
					return err
				}},
				{"TerminateInstances", func() error {
					_, err := s.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{m.id}, DryRun: dry})
					return err
				}},
				{"CreateTags", func() error {
					_, err := s.ec2.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{a}, Tags: []types.Tag{tag("dry", "run")}, DryRun: dry})
					return err
				}},
			} {
				err := c.call()
				s.refused(c.operation, err, "DryRunOperation")
				if c.operation == "AssociateAddress" {
					s.is("HTTP status", status(err), strconv.Itoa(http.StatusPreconditionFailed))
				}
			}
			s.shows("holder", m.eni, func() string { return s.holder(a) })
			s.is("association", same(told(s.address(a).AssociationId), id), "the same")
			s.is("state of the instance", s.state(m.id), "running")
			s.is("tags", tagsOf(s.address(a).Tags), markKey+"="+s.mark)
		},
	},
}

// instead aims at an instance and no more at an interface.
func instead(instance string) target {
	return func(in *ec2.AssociateAddressInput) { in.InstanceId, in.NetworkInterfaceId = &instance, nil }
}

// status is the HTTP status of an error.
func status(err error) string {
	var re *awshttp.ResponseError
	if !errors.As(err, &re) {
		return "none"
	}
	return strconv.Itoa(re.HTTPStatusCode())
}
