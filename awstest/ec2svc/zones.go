package ec2svc

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/ec2model"
)

func (s *service) addZones(e *awstest.Endpoint) {
	handle(e, s.describeAvailabilityZones, "ZoneIds", "ZoneNames", "Filters", "AllAvailabilityZones")
	handle(e, s.describeVpcs, "VpcIds", "Filters", "MaxResults", "NextToken")
	handle(e, s.describeSubnets, "SubnetIds", "Filters", "MaxResults", "NextToken")
}

var zoneFilters = filterable[types.AvailabilityZone]{
	"zone-id":          one(func(z types.AvailabilityZone) string { return *z.ZoneId }),
	"zone-name":        one(func(z types.AvailabilityZone) string { return *z.ZoneName }),
	"zone-type":        one(func(z types.AvailabilityZone) string { return *z.ZoneType }),
	"region-name":      one(func(z types.AvailabilityZone) string { return *z.RegionName }),
	"group-name":       one(func(z types.AvailabilityZone) string { return *z.GroupName }),
	"opt-in-status":    one(func(z types.AvailabilityZone) string { return string(z.OptInStatus) }),
	"state":            one(func(z types.AvailabilityZone) string { return string(z.State) }),
	"parent-zone-id":   ifAny(func(z types.AvailabilityZone) string { return aws.ToString(z.ParentZoneId) }),
	"parent-zone-name": ifAny(func(z types.AvailabilityZone) string { return aws.ToString(z.ParentZoneName) }),
}

func (s *service) describeAvailabilityZones(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
	match, err := zoneFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	zones := s.model.Zones(call.Region)
	for _, id := range in.ZoneIds {
		if !slices.ContainsFunc(zones, func(z *awstest.Zone) bool { return z.ID() == id }) {
			return nil, awstest.Errorf("InvalidParameterValue", "Invalid availability zone-id: [%s]", id)
		}
	}
	for _, name := range in.ZoneNames {
		if !slices.ContainsFunc(zones, func(z *awstest.Zone) bool { return z.Name() == name }) {
			return nil, awstest.Errorf("InvalidParameterValue", "Invalid availability zone: [%s]", name)
		}
	}
	region := s.region(tx, call)
	var shown []types.AvailabilityZone
	for _, z := range zones {
		if named(in.ZoneIds, z.ID()) && named(in.ZoneNames, z.Name()) {
			shown = append(shown, showZone(tx, region, z))
		}
	}
	return &ec2.DescribeAvailabilityZonesOutput{AvailabilityZones: only(shown, match)}, nil
}

// named tells whether a name is asked for; no names ask for everything.
func named(names []string, name string) bool {
	return len(names) == 0 || slices.Contains(names, name)
}

func showZone(tx *awstest.Tx, r *ec2model.Region, z *awstest.Zone) types.AvailabilityZone {
	region := z.Region().Name()
	out := types.AvailabilityZone{
		ZoneId: aws.String(z.ID()), ZoneName: aws.String(z.Name()), RegionName: aws.String(region),
		ZoneType: aws.String("availability-zone"), State: types.AvailabilityZoneStateAvailable,
		OptInStatus: types.AvailabilityZoneOptInStatusOptInNotRequired,
		GroupName:   aws.String(region + "-zg-1"), NetworkBorderGroup: aws.String(ec2model.BorderGroup(z)),
	}
	if mark, ok := r.Mark(z); ok {
		showMark(&out, mark)
	}
	if tx.Down(z) {
		out.State = types.AvailabilityZoneStateUnavailable
	}
	available := z.Region().Zones()
	if !slices.Contains(available, z) {
		out.ZoneType, out.OptInStatus = aws.String("local-zone"), types.AvailabilityZoneOptInStatusOptedIn
		out.GroupName = out.NetworkBorderGroup
		// Which zone it is differs in AWS; here it is the first.
		out.ParentZoneId, out.ParentZoneName = aws.String(available[0].ID()), aws.String(available[0].Name())
	}
	return out
}

var vpcFilters = filterable[ec2model.VPC]{
	"vpc-id":     one(func(v ec2model.VPC) string { return v.ID }),
	"cidr":       one(func(v ec2model.VPC) string { return v.Prefix.String() }),
	"is-default": one(func(ec2model.VPC) string { return "true" }),
	"state":      one(func(ec2model.VPC) string { return "available" }),
}

func (s *service) describeVpcs(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	match, err := vpcFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	theOne := s.region(tx, call).VPC()
	get := func(id string) (ec2model.VPC, error) {
		if id != theOne.ID {
			return theOne, vpcKind.missing([]string{id})
		}
		return theOne, nil
	}
	found, err := find(vpcKind, in.VpcIds, get, func(yield func(string, ec2model.VPC) bool) { yield(theOne.ID, theOne) })
	if err != nil {
		return nil, err
	}
	found, next, err := page(only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVpcsOutput{NextToken: next}
	for _, v := range found {
		out.Vpcs = append(out.Vpcs, types.Vpc{
			VpcId: aws.String(v.ID), CidrBlock: aws.String(v.Prefix.String()), IsDefault: aws.Bool(true),
			OwnerId: aws.String(tx.Cloud().AccountID()), State: types.VpcStateAvailable, InstanceTenancy: types.TenancyDefault,
		})
	}
	return out, nil
}

var subnetFilters = filterable[*ec2model.Subnet]{
	"subnet-id":            one(func(s *ec2model.Subnet) string { return s.ID }),
	"vpc-id":               one(func(s *ec2model.Subnet) string { return s.VPC }),
	"availability-zone":    one(func(s *ec2model.Subnet) string { return s.Zone.Name() }),
	"availability-zone-id": one(func(s *ec2model.Subnet) string { return s.Zone.ID() }),
	"cidr-block":           one(func(s *ec2model.Subnet) string { return s.Prefix.String() }),
	"default-for-az":       one(func(s *ec2model.Subnet) string { return strconv.FormatBool(s.Default) }),
	"state":                one(func(*ec2model.Subnet) string { return "available" }),
}

func (s *service) describeSubnets(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	match, err := subnetFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	all := func(yield func(string, *ec2model.Subnet) bool) {
		for _, s := range region.Subnets() {
			if !yield(s.ID, s) {
				return
			}
		}
	}
	found, err := find(subnetKind, in.SubnetIds, region.Subnet, all)
	if err != nil {
		return nil, err
	}
	found, next, err := page(only(found, match), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	account := tx.Cloud().AccountID()
	out := &ec2.DescribeSubnetsOutput{NextToken: next}
	for _, s := range found {
		out.Subnets = append(out.Subnets, types.Subnet{
			SubnetId: aws.String(s.ID), VpcId: aws.String(s.VPC), OwnerId: aws.String(account),
			SubnetArn:        aws.String(fmt.Sprintf("arn:aws:ec2:%s:%s:subnet/%s", call.Region.Name(), account, s.ID)),
			AvailabilityZone: aws.String(s.Zone.Name()), AvailabilityZoneId: aws.String(s.Zone.ID()),
			CidrBlock: aws.String(s.Prefix.String()), AvailableIpAddressCount: aws.Int32(int32(s.Available())),
			DefaultForAz: aws.Bool(s.Default), MapPublicIpOnLaunch: aws.Bool(false), State: types.SubnetStateAvailable,
		})
	}
	return out, nil
}
