package conformance_test

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// A target is what an address is to be associated with.
type target func(*ec2.AssociateAddressInput)

func toInterface(id string) target {
	return func(in *ec2.AssociateAddressInput) { in.NetworkInterfaceId = &id }
}

func toInstance(id string) target {
	return func(in *ec2.AssociateAddressInput) { in.InstanceId = &id }
}

func toPrivate(eni, ip string) target {
	return func(in *ec2.AssociateAddressInput) { in.NetworkInterfaceId, in.PrivateIpAddress = &eni, &ip }
}

// associate returns the ID of the association. Allow is AllowReassociation; nil leaves it out.
func (s *session) associate(allocation string, to target, allow *bool) (id string, err error) {
	in := &ec2.AssociateAddressInput{AllocationId: &allocation, AllowReassociation: allow}
	to(in)
	out, err := s.ec2.AssociateAddress(s.Context(), in)
	if err != nil {
		return "", err
	}
	return aws.ToString(out.AssociationId), nil
}

func (s *session) disassociate(association string) error {
	_, err := s.ec2.DisassociateAddress(s.Context(), &ec2.DisassociateAddressInput{AssociationId: &association})
	return err
}

func (s *session) release(allocation string) error {
	_, err := s.ec2.ReleaseAddress(s.Context(), &ec2.ReleaseAddressInput{AllocationId: &allocation})
	return err
}

// address describes an address that exists.
func (s *session) address(allocation string) types.Address {
	s.Helper()
	out := must(s.ec2.DescribeAddresses(s.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{allocation}}))(s)
	return out.Addresses[0]
}

// holder returns the interface that an address is on, or "nobody".
func (s *session) holder(allocation string) string {
	s.Helper()
	a := s.address(allocation)
	switch association, eni := told(a.AssociationId), told(a.NetworkInterfaceId); {
	case association == "none" && eni == "none":
		return "nobody"
	case association == "none":
		return eni + " without an association"
	default:
		return eni
	}
}

// secondary returns the secondary private address of an interface.
func (s *session) secondary(eni string) (ip string) {
	s.Helper()
	s.await("", "there", func() string {
		out := must(s.ec2.DescribeNetworkInterfaces(s.Context(), &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{eni}}))(s)
		for _, p := range out.NetworkInterfaces[0].PrivateIpAddresses {
			if !aws.ToBool(p.Primary) {
				ip = *p.PrivateIpAddress
				return "there"
			}
		}
		return "not there"
	})
	if ip == "" {
		s.Fatalf("%s has no secondary private address", eni)
	}
	return ip
}

// wears tells whether the public address of an instance is a certain address. Without it the instance may have another
// one: a default subnet gives instances public addresses of their own.
func (s *session) wears(instance, allocation string) func() string {
	ip := *s.address(allocation).PublicIp
	return func() string {
		s.Helper()
		if told(must(s.instance(instance))(s).PublicIpAddress) == ip {
			return "it"
		}
		return "not it"
	}
}

// told is a value that may be missing.
func told(value *string) string {
	if text := aws.ToString(value); text != "" {
		return text
	}
	return "none"
}

// same tells IDs apart.
func same(a, b string) string {
	if a == b {
		return "the same"
	}
	return "another"
}

// tagsOf tells tags in one text.
func tagsOf(tags []types.Tag) string {
	if len(tags) == 0 {
		return "none"
	}
	var list []string
	for _, t := range tags {
		list = append(list, aws.ToString(t.Key)+"="+aws.ToString(t.Value))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}
