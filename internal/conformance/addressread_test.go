package conformance_test

import (
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html (read 2026-11)
var addressReads = []scenario{
	{
		name: "addresses are found by filters",
		run: func(s *session) {
			m, a, b := s.launch("the instance"), s.allocate("the used address"), s.allocate("the spare address")
			id := must(s.associate(a, toInterface(m.eni), nil))(s)
			must(s.ec2.CreateTags(s.Context(), &ec2.CreateTagsInput{Resources: []string{b}, Tags: []types.Tag{tag("role", "spare")}}))(s)
			s.call(s.mark, "MARK")
			const used, spare, both, neither = "the used address", "the spare address", "the spare address, the used address", "nothing"
			for _, c := range []struct {
				want    string
				filters []string
			}{
				{spare, []string{"allocation-id", b}},
				{both, []string{"allocation-id", a + "," + b}},
				{used, []string{"association-id", id}},
				{used, []string{"instance-id", m.id}},
				{used, []string{"network-interface-id", m.eni}},
				{used, []string{"private-ip-address", m.private, "tag:" + markKey, s.mark}},
				{used, []string{"public-ip", *s.address(a).PublicIp}},
				{both, []string{"tag:" + markKey, s.mark}},
				{both, []string{"tag:" + markKey, s.mark[:6] + "*"}},
				{spare, []string{"tag:role", "sp?re", "tag:" + markKey, s.mark}},
				{spare, []string{"tag-key", "role", "tag:" + markKey, s.mark}},
				{neither, []string{"allocation-id", b, "network-interface-id", m.eni}},
				{neither, []string{"tag:" + markKey, "no such mark"}},
			} {
				s.shows("by "+s.told(spelt(c.filters)), c.want, func() string { return s.told(s.addresses(s.ec2, c.filters...)) })
			}
		},
		differs: []difference{
			{on: motoName, at: "by instance-id=the instance", does: "nothing"},
		},
	},
	{
		name: "addresses are found by ID",
		run: func(s *session) {
			a, b := s.allocate("the first address"), s.allocate("the second address")
			read := func(in *ec2.DescribeAddressesInput) string {
				out, err := s.ec2.DescribeAddresses(s.Context(), in)
				if err != nil {
					return outcome(err)
				}
				return s.set(allocationsOf(out))
			}
			ip := *s.address(b).PublicIp
			s.shows("by allocation", "the first address, the second address", func() string { return read(&ec2.DescribeAddressesInput{AllocationIds: []string{b, a}}) })
			s.shows("by IP", "the second address", func() string { return read(&ec2.DescribeAddressesInput{PublicIps: []string{ip}}) })
			s.shows("by allocation and filter", "the second address", func() string {
				return read(&ec2.DescribeAddressesInput{AllocationIds: []string{a, b}, Filters: filters("public-ip", ip)})
			})
			s.shows("by unknown allocation", "InvalidAllocationID.NotFound", func() string {
				return read(&ec2.DescribeAddressesInput{AllocationIds: []string{a, "eipalloc" + unknown}})
			})
			s.shows("by unknown IP", "InvalidAddress.NotFound", func() string { return read(&ec2.DescribeAddressesInput{PublicIps: []string{"192.0.2.1"}}) })
		},
	},
	{
		name: "regions do not know of each other",
		run: func(s *session) {
			here, there := s.allocate("the address here"), s.allocateIn(s.elsewhere, "the address there")
			m := s.launch("the instance")
			ctx := s.Context()
			s.shows("addresses here", "the address here", func() string { return s.addresses(s.ec2, "tag:"+markKey, s.mark) })
			s.shows("addresses there", "the address there", func() string { return s.addresses(s.elsewhere, "tag:"+markKey, s.mark) })
			_, err := s.elsewhere.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{here}})
			s.refused("describing the address there", err, "InvalidAllocationID.NotFound")
			_, err = s.elsewhere.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &here})
			s.refused("releasing the address there", err, "InvalidAddressID.NotFound", "InvalidAllocationID.NotFound")
			_, err = s.associate(there, toInterface(m.eni), nil)
			s.refused("associating the address from there", err, "InvalidAllocationID.NotFound")
			_, err = s.elsewhere.AssociateAddress(ctx, &ec2.AssociateAddressInput{AllocationId: &there, NetworkInterfaceId: &m.eni})
			s.refused("associating with the interface here", err, "InvalidNetworkInterfaceID.NotFound")
			_, err = s.elsewhere.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{m.id}})
			s.refused("describing the instance there", err, "InvalidInstanceID.NotFound")
			_, err = s.elsewhere.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{m.id}})
			s.refused("terminating the instance there", err, "InvalidInstanceID.NotFound")
			s.is("state of the instance", s.state(m.id), "running")
		},
	},
}

// addresses tells which addresses match filters.
func (s *session) addresses(client *ec2.Client, pairs ...string) string {
	out, err := client.DescribeAddresses(s.Context(), &ec2.DescribeAddressesInput{Filters: filters(pairs...)})
	if err != nil {
		return outcome(err)
	}
	return s.set(allocationsOf(out))
}

func allocationsOf(out *ec2.DescribeAddressesOutput) (ids []string) {
	for i := range out.Addresses {
		ids = append(ids, *out.Addresses[i].AllocationId)
	}
	return ids
}

// spelt tells filters as name=value.
func spelt(pairs []string) (text string) {
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			text += " and "
		}
		text += pairs[i] + "=" + pairs[i+1]
	}
	return text
}
