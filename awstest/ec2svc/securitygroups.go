package ec2svc

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addSecurityGroups(e *awstest.Endpoint) {
	handle(e, s.createSecurityGroup, "GroupName", "Description", "VpcId", "TagSpecifications")
	handle(e, s.deleteSecurityGroup, "GroupId", "GroupName")
	handle(e, s.describeSecurityGroups, "GroupIds", "GroupNames", "Filters", "MaxResults", "NextToken")
	handle(e, s.authorizeSecurityGroupIngress, "GroupId", "GroupName", "IpPermissions", "IpProtocol", "FromPort", "ToPort", "CidrIp")
	handle(e, s.authorizeSecurityGroupEgress, "GroupId", "IpPermissions")
	handle(e, s.revokeSecurityGroupIngress, "GroupId", "GroupName", "IpPermissions", "IpProtocol", "FromPort", "ToPort", "CidrIp")
	handle(e, s.revokeSecurityGroupEgress, "GroupId", "IpPermissions")
	handle(e, s.modifyInstanceAttribute, "InstanceId", "Groups")
	handle(e, s.modifyNetworkInterfaceAttribute, "NetworkInterfaceId", "Groups")
}

// groupText is what the name and the description of a group may be.
// Source: CreateSecurityGroupInput of the SDK (read 2026-11)
var groupText = regexp.MustCompile(`^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}$`)

func (s *service) createSecurityGroup(tx *awstest.Tx, call *awstest.Call, in *ec2.CreateSecurityGroupInput) (*ec2.CreateSecurityGroupOutput, error) {
	region := s.region(tx, call)
	name, description := aws.ToString(in.GroupName), aws.ToString(in.Description)
	if in.VpcId != nil {
		if err := vpcKind.check(*in.VpcId); err != nil {
			return nil, err
		}
		if *in.VpcId != region.VPC().ID {
			return nil, vpcKind.missing([]string{*in.VpcId})
		}
	}
	switch {
	case name == "":
		return nil, missing("GroupName")
	case description == "":
		return nil, missing("GroupDescription")
	case !groupText.MatchString(name) || strings.HasPrefix(name, "sg-"):
		return nil, awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter GroupName is invalid.", name)
	case !groupText.MatchString(description):
		return nil, awstest.Errorf("InvalidParameterValue", "Value (%s) for parameter GroupDescription is invalid.", description)
	}
	tags, err := tagsFor(call, in.TagSpecifications, types.ResourceTypeSecurityGroup)
	if err != nil {
		return nil, err
	}
	g, err := region.CreateSecurityGroup(tx, name, description, tags)
	if err != nil {
		return nil, err
	}
	return &ec2.CreateSecurityGroupOutput{GroupId: aws.String(g.ID), SecurityGroupArn: groupARN(tx, call, g), Tags: showTags(tags)}, nil
}

func groupARN(tx *awstest.Tx, call *awstest.Call, g ec2model.SecurityGroup) *string {
	return aws.String("arn:aws:ec2:" + call.Region.Name() + ":" + tx.Cloud().AccountID() + ":security-group/" + g.ID)
}

// securityGroup returns the group that a change names, by its ID or by its name.
func securityGroup(tx *awstest.Tx, region *ec2model.Region, id, name *string) (ec2model.SecurityGroup, error) {
	switch {
	case id != nil:
		if err := groupKind.check(*id); err != nil {
			return ec2model.SecurityGroup{}, err
		}
		return region.SecurityGroup(tx.Now(), *id)
	case name != nil:
		return region.SecurityGroupNamed(tx.Now(), *name)
	}
	return ec2model.SecurityGroup{}, missing("GroupId")
}

func (s *service) deleteSecurityGroup(tx *awstest.Tx, call *awstest.Call, in *ec2.DeleteSecurityGroupInput) (*ec2.DeleteSecurityGroupOutput, error) {
	region := s.region(tx, call)
	g, err := securityGroup(tx, region, in.GroupId, in.GroupName)
	if err != nil {
		return nil, err
	}
	if err := region.DeleteSecurityGroup(tx, g.ID); err != nil {
		return nil, err
	}
	return &ec2.DeleteSecurityGroupOutput{Return: aws.Bool(true), GroupId: aws.String(g.ID)}, nil
}

var groupFilters = filterable[ec2model.SecurityGroup]{
	"group-id":    one(func(g ec2model.SecurityGroup) string { return g.ID }),
	"group-name":  one(func(g ec2model.SecurityGroup) string { return g.Name }),
	"description": one(func(g ec2model.SecurityGroup) string { return g.Description }),
}

func (s *service) describeSecurityGroups(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeSecurityGroupsInput) (*ec2.DescribeSecurityGroupsOutput, error) {
	region := s.region(tx, call)
	filters := filterable[ec2model.SecurityGroup]{
		"vpc-id":   one(func(ec2model.SecurityGroup) string { return region.VPC().ID }),
		"owner-id": one(func(ec2model.SecurityGroup) string { return tx.Cloud().AccountID() }),
	}
	maps.Copy(filters, groupFilters)
	match, err := filters.matcher(call, in.Filters, func(g ec2model.SecurityGroup) ec2model.Tags { return g.Tags })
	if err != nil {
		return nil, err
	}
	get := func(id string) (ec2model.SecurityGroup, error) { return region.SecurityGroup(call.At, id) }
	found, err := find(groupKind, in.GroupIds, get, region.SecurityGroups(call.At))
	if err != nil {
		return nil, err
	}
	for _, name := range in.GroupNames {
		if _, err := region.SecurityGroupNamed(call.At, name); err != nil {
			return nil, err
		}
	}
	found = only(found, func(g ec2model.SecurityGroup) bool { return named(in.GroupNames, g.Name) && match(g) })
	found, next, err := page(found, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeSecurityGroupsOutput{NextToken: next}
	for _, g := range found {
		out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{
			GroupId: aws.String(g.ID), GroupName: aws.String(g.Name), Description: aws.String(g.Description), VpcId: aws.String(region.VPC().ID),
			OwnerId: aws.String(tx.Cloud().AccountID()), SecurityGroupArn: groupARN(tx, call, g), Tags: showTags(g.Tags),
			IpPermissions: showRules(tx, g.Ingress), IpPermissionsEgress: showRules(tx, g.Egress),
		})
	}
	return out, nil
}

func (s *service) authorizeSecurityGroupIngress(
	tx *awstest.Tx, call *awstest.Call, in *ec2.AuthorizeSecurityGroupIngressInput,
) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	err := s.authorize(tx, call, false, in.GroupId, in.GroupName, permissions(in.IpPermissions, in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp))
	if err != nil {
		return nil, err
	}
	return &ec2.AuthorizeSecurityGroupIngressOutput{Return: aws.Bool(true)}, nil
}

func (s *service) authorizeSecurityGroupEgress(
	tx *awstest.Tx, call *awstest.Call, in *ec2.AuthorizeSecurityGroupEgressInput,
) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	if err := s.authorize(tx, call, true, in.GroupId, nil, in.IpPermissions); err != nil {
		return nil, err
	}
	return &ec2.AuthorizeSecurityGroupEgressOutput{Return: aws.Bool(true)}, nil
}

func (s *service) authorize(tx *awstest.Tx, call *awstest.Call, egress bool, id, name *string, asked []types.IpPermission) error {
	region := s.region(tx, call)
	g, err := securityGroup(tx, region, id, name)
	if err != nil {
		return err
	}
	rules, err := readRules(tx, call, region, asked)
	if err != nil {
		return err
	}
	return region.Authorize(tx, g.ID, egress, rules)
}

func (s *service) revokeSecurityGroupIngress(
	tx *awstest.Tx, call *awstest.Call, in *ec2.RevokeSecurityGroupIngressInput,
) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	unknown, err := s.revoke(tx, call, false, in.GroupId, in.GroupName, permissions(in.IpPermissions, in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp))
	if err != nil {
		return nil, err
	}
	return &ec2.RevokeSecurityGroupIngressOutput{Return: aws.Bool(true), UnknownIpPermissions: unknown}, nil
}

func (s *service) revokeSecurityGroupEgress(
	tx *awstest.Tx, call *awstest.Call, in *ec2.RevokeSecurityGroupEgressInput,
) (*ec2.RevokeSecurityGroupEgressOutput, error) {
	unknown, err := s.revoke(tx, call, true, in.GroupId, nil, in.IpPermissions)
	if err != nil {
		return nil, err
	}
	return &ec2.RevokeSecurityGroupEgressOutput{Return: aws.Bool(true), UnknownIpPermissions: unknown}, nil
}

func (s *service) revoke(tx *awstest.Tx, call *awstest.Call, egress bool, id, name *string, asked []types.IpPermission) ([]types.IpPermission, error) {
	region := s.region(tx, call)
	g, err := securityGroup(tx, region, id, name)
	if err != nil {
		return nil, err
	}
	rules, err := readRules(tx, call, region, asked)
	if err != nil {
		return nil, err
	}
	unknown, err := region.Revoke(tx, g.ID, egress, rules)
	return showRules(tx, unknown), err
}

// permissions are those of a request, which may have a single one in parameters of their own.
func permissions(list []types.IpPermission, protocol *string, from, to *int32, cidr *string) []types.IpPermission {
	if protocol == nil && from == nil && to == nil && cidr == nil {
		return list
	}
	p := types.IpPermission{IpProtocol: protocol, FromPort: from, ToPort: to}
	if cidr != nil {
		p.IpRanges = []types.IpRange{{CidrIp: cidr}}
	}
	return append(slices.Clone(list), p)
}

func (s *service) modifyInstanceAttribute(tx *awstest.Tx, call *awstest.Call, in *ec2.ModifyInstanceAttributeInput) (*ec2.ModifyInstanceAttributeOutput, error) {
	if err := instanceKind.check(aws.ToString(in.InstanceId)); err != nil {
		return nil, err
	}
	if err := checkGroups(in.Groups); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).SetInstanceGroups(tx, *in.InstanceId, in.Groups); err != nil {
		return nil, err
	}
	return &ec2.ModifyInstanceAttributeOutput{}, nil
}

func (s *service) modifyNetworkInterfaceAttribute(
	tx *awstest.Tx, call *awstest.Call, in *ec2.ModifyNetworkInterfaceAttributeInput,
) (*ec2.ModifyNetworkInterfaceAttributeOutput, error) {
	if err := interfaceKind.check(aws.ToString(in.NetworkInterfaceId)); err != nil {
		return nil, err
	}
	if err := checkGroups(in.Groups); err != nil {
		return nil, err
	}
	if err := s.region(tx, call).SetInterfaceGroups(tx, *in.NetworkInterfaceId, in.Groups); err != nil {
		return nil, err
	}
	return &ec2.ModifyNetworkInterfaceAttributeOutput{}, nil
}

// checkGroups refuses a change of groups that names none: an empty list is not sent.
func checkGroups(ids []string) error {
	if len(ids) == 0 {
		return missing("SecurityGroupId")
	}
	return groupKind.check(ids...)
}

// showGroups are the groups of an interface, as of the moment that the call looks at.
func showGroups(call *awstest.Call, region *ec2model.Region, n ec2model.Interface) (out []types.GroupIdentifier) {
	for _, id := range n.Groups {
		if g, err := region.SecurityGroup(call.At, id); err == nil {
			out = append(out, types.GroupIdentifier{GroupId: aws.String(g.ID), GroupName: aws.String(g.Name)})
		}
	}
	return out
}
