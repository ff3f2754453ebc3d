package conformance_test

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html (read 2026-11)
var instanceReads = []scenario{
	{
		name: "instances are found by filters",
		run: func(s *session) {
			subnets := s.subnets()
			one := s.launch("the first", inZone(*subnets[0].AvailabilityZone))
			two := s.launch("the second", inZone(*subnets[1].AvailabilityZone))
			must(s.ec2.CreateTags(s.Context(), &ec2.CreateTagsInput{Resources: []string{two.id}, Tags: []types.Tag{tag("role", "spare")}}))(s)
			must(s.stop(two.id))(s)
			s.await("", "stopped", func() string { return s.state(two.id) })
			s.call(s.mark, "MARK")
			s.call(s.image, "the image")
			const first, second, both, neither = "the first", "the second", "the first, the second", "nothing"
			for _, c := range []struct {
				want    string
				filters []string
			}{
				{first, []string{"instance-id", one.id}},
				{both, []string{"instance-id", one.id + "," + two.id}},
				{both, []string{"tag:" + markKey, s.mark}},
				{second, []string{"tag:" + markKey, s.mark, "tag:role", "sp*"}},
				{second, []string{"tag:" + markKey, s.mark, "tag-key", "role"}},
				{first, []string{"tag:" + markKey, s.mark, "availability-zone", *subnets[0].AvailabilityZone}},
				{first, []string{"tag:" + markKey, s.mark, "instance-state-name", "pending,running"}},
				{second, []string{"tag:" + markKey, s.mark, "instance-state-name", "stopped"}},
				{second, []string{"tag:" + markKey, s.mark, "subnet-id", *subnets[1].SubnetId}},
				{both, []string{"tag:" + markKey, s.mark, "vpc-id", *subnets[1].VpcId}},
				{both, []string{"tag:" + markKey, s.mark, "instance-type", "t3.micro"}},
				{both, []string{"tag:" + markKey, s.mark, "image-id", s.image}},
				{first, []string{"tag:" + markKey, s.mark, "private-ip-address", one.private}},
				{neither, []string{"tag:" + markKey, s.mark, "instance-id", "i" + unknown}},
			} {
				s.shows("by "+s.told(spelt(c.filters)), c.want, func() string { return s.told(s.instances(c.filters...)) })
			}
		},
		differs: []difference{
			{on: motoName, at: "by tag:awsha-conformance=MARK and availability-zone=the first zone", does: "nothing"},
		},
	},
	{
		name: "instances are found by ID",
		run: func(s *session) {
			m := s.launch("the instance")
			for at, c := range map[string]struct{ ids, want string }{
				"one":                   {m.id, "accepted"},
				"an unknown one":        {"i" + unknown, "InvalidInstanceID.NotFound"},
				"an unknown one beside": {"i" + unknown, "InvalidInstanceID.NotFound"},
				"a malformed one":       {"i-1", "InvalidInstanceID.Malformed"},
			} {
				ids := []string{c.ids}
				if at == "an unknown one beside" {
					ids = append(ids, m.id)
				}
				_, err := s.ec2.DescribeInstances(s.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids})
				s.is(at, outcome(err), c.want)
			}
			_, err := s.ec2.DescribeInstances(s.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{m.id}, MaxResults: aws.Int32(5)})
			s.refused("IDs and pages", err, "InvalidParameterCombination")
		},
		differs: []difference{
			{on: motoName, at: "a malformed one", does: "InvalidInstanceID.NotFound"},
		},
	},
}

// errNoInstance is an instance that a read left out.
var errNoInstance = errors.New("no such instance in the reply")

// instance describes one instance.
func (s *session) instance(id string) (types.Instance, error) {
	out, err := s.ec2.DescribeInstances(s.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	switch {
	case err != nil:
		return types.Instance{}, err
	case len(out.Reservations) != 1 || len(out.Reservations[0].Instances) != 1:
		return types.Instance{}, errNoInstance
	}
	return out.Reservations[0].Instances[0], nil
}

// state tells the state of an instance, or why it cannot be told.
func (s *session) state(id string) string {
	i, err := s.instance(id)
	if err != nil {
		return outcome(err)
	}
	return string(i.State.Name)
}

// instances tells which instances match filters.
func (s *session) instances(pairs ...string) string {
	out, err := s.ec2.DescribeInstances(s.Context(), &ec2.DescribeInstancesInput{Filters: filters(pairs...)})
	if err != nil {
		return outcome(err)
	}
	var ids []string
	for _, r := range out.Reservations {
		for i := range r.Instances {
			ids = append(ids, *r.Instances[i].InstanceId)
		}
	}
	return s.set(ids)
}
