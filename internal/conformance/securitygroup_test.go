package conformance_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html (read 2026-11)
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html (read 2026-11)
var securityGroupScenarios = []scenario{
	{
		name: "an instance is isolated and let go",
		run: func(s *session) {
			m := s.launch("the instance", inZone(*s.subnets()[0].AvailabilityZone))
			eni := s.nics("a second interface")[0]
			isolation, ok := s.securityGroup("isolation")
			if !ok {
				return
			}
			before := s.groupsOf(m.id)
			everything := []types.IpPermission{{IpProtocol: aws.String("-1"), IpRanges: []types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}}}
			s.shows("a new group", "0 in, 1 out", func() string { return s.rules(isolation) })
			_, err := s.ec2.RevokeSecurityGroupEgress(s.Context(), &ec2.RevokeSecurityGroupEgressInput{GroupId: &isolation, IpPermissions: everything})
			s.accepted("letting nothing out", err)
			s.shows("without rules", "0 in, 0 out", func() string { return s.rules(isolation) })
			isolate := func(groups ...string) error {
				_, err := s.ec2.ModifyInstanceAttribute(s.Context(), &ec2.ModifyInstanceAttributeInput{InstanceId: &m.id, Groups: groups})
				return err
			}
			s.accepted("isolating", isolate(isolation))
			s.shows("isolated", isolation, func() string { return s.groupsOf(m.id) })
			remove := func() error {
				_, err := s.ec2.DeleteSecurityGroup(s.Context(), &ec2.DeleteSecurityGroupInput{GroupId: &isolation})
				return err
			}
			s.refused("deleting what is used", remove(), "DependencyViolation")
			s.accepted("letting go", isolate(strings.Split(before, ", ")...))
			s.shows("let go", before, func() string { return s.groupsOf(m.id) })

			set := func(id, group string) error {
				_, err := s.ec2.ModifyNetworkInterfaceAttribute(s.Context(), &ec2.ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: &id, Groups: []string{group}})
				return err
			}
			s.accepted("isolating an interface", set(eni, isolation))
			s.accepted("letting an interface go", set(eni, strings.Split(before, ", ")[0]))
			s.refused("isolating an unknown interface", set("eni"+unknown, isolation), "InvalidNetworkInterfaceID.NotFound")
			s.accepted("deleting", remove())
			s.shows("deleted", "InvalidGroup.NotFound", func() string { return s.rules(isolation) })
		},
		differs: []difference{
			{on: motoName, at: "deleting what is used", does: "accepted"},
			{on: motoName, at: "deleting", does: "InvalidGroup.NotFound"},
		},
	},
	{
		name: "rules of a security group",
		run: func(s *session) {
			group, ok := s.securityGroup("rules")
			if !ok {
				return
			}
			_, err := s.ec2.CreateSecurityGroup(s.Context(), s.newGroup("RULES"))
			s.refused("the same name", err, "InvalidGroup.Duplicate")
			web := []types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443), IpRanges: []types.IpRange{{CidrIp: aws.String("192.0.2.0/24")}}}}
			in := func() error {
				_, err := s.ec2.AuthorizeSecurityGroupIngress(s.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: web})
				return err
			}
			s.accepted("a rule in", in())
			s.refused("the same rule", in(), "InvalidPermission.Duplicate")
			_, err = s.ec2.AuthorizeSecurityGroupEgress(s.Context(), &ec2.AuthorizeSecurityGroupEgressInput{GroupId: &group, IpPermissions: web})
			s.accepted("a rule out", err)
			s.shows("with rules", "1 in, 2 out", func() string { return s.rules(group) })
			_, err = s.ec2.RevokeSecurityGroupIngress(s.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: web})
			s.accepted("no rule in", err)
			s.shows("without the rule", "0 in, 2 out", func() string { return s.rules(group) })
			_, err = s.ec2.DescribeSecurityGroups(s.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"web"}})
			s.refused("what is no ID", err, "InvalidGroupId.Malformed")
		},
		differs: []difference{
			{on: motoName, at: "the same name", does: "accepted"},
			{on: motoName, at: "what is no ID", does: "InvalidGroup.NotFound"},
		},
	},
}

func (s *session) newGroup(name string) *ec2.CreateSecurityGroupInput {
	return &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("awsha-" + s.mark + "-" + name), Description: aws.String("of a scenario"), VpcId: s.subnets()[0].VpcId,
		TagSpecifications: s.tagged(types.ResourceTypeSecurityGroup),
	}
}

// securityGroup makes a group, which the end of the scenario deletes.
func (s *session) securityGroup(name string) (id string, ok bool) {
	out, err := s.ec2.CreateSecurityGroup(s.Context(), s.newGroup(name))
	if !s.accepted("making "+name, err) {
		return "", false
	}
	s.call(*out.GroupId, name)
	s.cleanly(name, func(ctx context.Context) error {
		_, err := s.ec2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: out.GroupId})
		return unless(err, "InvalidGroup.NotFound")
	})
	return *out.GroupId, true
}

// rules counts the rules of a group.
func (s *session) rules(id string) string {
	out, err := s.ec2.DescribeSecurityGroups(s.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{id}})
	if err != nil {
		return outcome(err)
	}
	g := out.SecurityGroups[0]
	return fmt.Sprintf("%d in, %d out", len(g.IpPermissions), len(g.IpPermissionsEgress))
}

// groupsOf lists the groups of an instance.
func (s *session) groupsOf(id string) string {
	out, err := s.ec2.DescribeInstances(s.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return outcome(err)
	}
	var list []string
	for _, g := range out.Reservations[0].Instances[0].SecurityGroups {
		list = append(list, *g.GroupId)
	}
	return strings.Join(list, ", ")
}
