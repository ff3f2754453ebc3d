package conformance_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// markKey is the tag on all that the suite makes.
const markKey = "awsha-conformance"

// unknown is the end of an ID that nothing has.
const unknown = "-0123456789abcdef0"

// A machine is an instance that runs.
type machine struct{ id, eni, private, zone string }

// subnets returns the default subnets of two zones.
func (s *session) subnets() [2]types.Subnet {
	s.Helper()
	out := must(s.ec2.DescribeSubnets(s.Context(), &ec2.DescribeSubnetsInput{Filters: filters("default-for-az", "true")}))(s)
	if len(out.Subnets) < 2 {
		s.Fatalf("%s needs a default VPC with subnets in two zones, and there are %d", s.regions[0], len(out.Subnets))
	}
	slices.SortFunc(out.Subnets, func(a, b types.Subnet) int { return strings.Compare(*a.AvailabilityZone, *b.AvailabilityZone) })
	for i, name := range []string{"first", "second"} {
		s.call(*out.Subnets[i].SubnetId, "the "+name+" subnet")
		s.call(*out.Subnets[i].AvailabilityZone, "the "+name+" zone")
	}
	s.call(*out.Subnets[0].VpcId, "the default VPC")
	return [2]types.Subnet{out.Subnets[0], out.Subnets[1]}
}

// launchInput launches one instance.
func (s *session) launchInput(change ...func(*ec2.RunInstancesInput)) *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		ImageId: aws.String(s.image), InstanceType: types.InstanceTypeT3Micro, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		TagSpecifications: s.tagged(types.ResourceTypeInstance),
	}
	for _, fn := range change {
		fn(in)
	}
	return in
}

// run launches what a scenario asks for, and terminates it at the end.
func (s *session) run(in *ec2.RunInstancesInput) (*ec2.RunInstancesOutput, error) {
	out, err := s.ec2.RunInstances(s.Context(), in)
	if err != nil {
		return nil, err
	}
	var ids []string
	for i := range out.Instances {
		ids = append(ids, *out.Instances[i].InstanceId)
	}
	s.cleanly(strings.Join(ids, ", "), func(ctx context.Context) error {
		if _, err := s.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids}); err != nil {
			return err
		}
		// Nothing of what they use can be deleted before.
		return ec2.NewInstanceTerminatedWaiter(s.ec2, func(o *ec2.InstanceTerminatedWaiterOptions) {
			o.MinDelay, o.MaxDelay = max(s.pause, time.Second), 15*time.Second
		}).Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: ids}, s.patience)
	})
	return out, nil
}

// launch returns an instance that runs.
func (s *session) launch(name string, change ...func(*ec2.RunInstancesInput)) machine {
	s.Helper()
	out := must(s.run(s.launchInput(change...)))(s)
	id := *out.Instances[0].InstanceId
	s.call(id, name)
	return s.running(name, id)
}

// running waits until an instance runs.
func (s *session) running(name, id string) machine {
	s.Helper()
	if got := s.await("", "running", func() string { return s.state(id) }); got != "running" {
		s.Fatalf("%s (%s) is %s and does not run", name, id, got)
	}
	i := must(s.instance(id))(s)
	if len(i.NetworkInterfaces) == 0 {
		s.Fatalf("%s (%s) has no network interface", name, id)
	}
	m := machine{id, *i.NetworkInterfaces[0].NetworkInterfaceId, *i.PrivateIpAddress, *i.Placement.AvailabilityZone}
	s.call(m.eni, "the interface of "+name)
	s.call(m.private, "the private address of "+name)
	return m
}

// nic makes a network interface that is attached to nothing.
func (s *session) nic(name string, subnet types.Subnet) string {
	s.Helper()
	out := must(s.ec2.CreateNetworkInterface(s.Context(), &ec2.CreateNetworkInterfaceInput{
		SubnetId: subnet.SubnetId, TagSpecifications: s.tagged(types.ResourceTypeNetworkInterface),
	}))(s)
	id := *out.NetworkInterface.NetworkInterfaceId
	s.call(id, name)
	s.cleanly(id, func(ctx context.Context) error {
		_, err := s.ec2.DeleteNetworkInterface(ctx, &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: &id})
		return unless(err, "InvalidNetworkInterfaceID.NotFound")
	})
	return id
}

// nics makes interfaces, one for each name.
func (s *session) nics(names ...string) (ids []string) {
	s.Helper()
	subnet := s.subnets()[0]
	for _, name := range names {
		ids = append(ids, s.nic(name, subnet))
	}
	return ids
}

// allocate returns the allocation ID of a new address.
func (s *session) allocate(name string) string { return s.allocateIn(s.ec2, name) }

func (s *session) allocateIn(client *ec2.Client, name string) string {
	s.Helper()
	out := must(client.AllocateAddress(s.Context(), &ec2.AllocateAddressInput{
		Domain: types.DomainTypeVpc, TagSpecifications: s.tagged(types.ResourceTypeElasticIp),
	}))(s)
	id := *out.AllocationId
	s.call(id, name)
	if _, err := netip.ParseAddr(*out.PublicIp); err != nil {
		s.Fatal(err)
	}
	s.call(*out.PublicIp, "the IP of "+name)
	s.cleanly(id, func(ctx context.Context) error {
		out, err := client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{AllocationIds: []string{id}})
		if err != nil {
			return unless(err, "InvalidAllocationID.NotFound")
		}
		if held := out.Addresses[0].AssociationId; held != nil {
			if _, err := client.DisassociateAddress(ctx, &ec2.DisassociateAddressInput{AssociationId: held}); err != nil {
				return err
			}
		}
		_, err = client.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: &id})
		return unless(err, "InvalidAllocationID.NotFound")
	})
	return id
}

// unless is an error, except for one that says that there is nothing left to do.
func unless(err error, codes ...string) error {
	if slices.Contains(codes, outcome(err)) {
		return nil
	}
	return err
}

// tagged marks what a call makes.
func (s *session) tagged(kind types.ResourceType, more ...types.Tag) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: kind, Tags: append([]types.Tag{tag(markKey, s.mark)}, more...)}}
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

// filters makes filters of names and values; a value with commas is several.
func filters(pairs ...string) (list []types.Filter) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, types.Filter{Name: &pairs[i], Values: strings.Split(pairs[i+1], ",")})
	}
	return list
}

// set tells several resources in one text, by name.
func (s *session) set(ids []string) string {
	if len(ids) == 0 {
		return "nothing"
	}
	var names []string
	for _, id := range ids {
		names = append(names, s.told(id))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
