package ec2svc

import (
	"slices"

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

var zoneFilters = filterable[*awstest.Zone]{
	"zone-id":     func(z *awstest.Zone) []string { return []string{z.ID()} },
	"zone-name":   func(z *awstest.Zone) []string { return []string{z.Name()} },
	"region-name": func(z *awstest.Zone) []string { return []string{z.Region().Name()} },
	"zone-type":   func(*awstest.Zone) []string { return []string{"availability-zone"} },
}

func (s *service) describeAvailabilityZones(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeAvailabilityZonesInput) (*ec2.DescribeAvailabilityZonesOutput, error) {
	match, err := zoneFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	zones := call.Region.Zones()
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
	out := &ec2.DescribeAvailabilityZonesOutput{}
	for _, z := range zones {
		if !selected(in.ZoneIds, z.ID()) || !selected(in.ZoneNames, z.Name()) || !match(z) {
			continue
		}
		state := types.AvailabilityZoneStateAvailable
		if tx.Down(z) {
			state = types.AvailabilityZoneStateImpaired
		}
		out.AvailabilityZones = append(out.AvailabilityZones, types.AvailabilityZone{
			ZoneId: aws.String(z.ID()), ZoneName: aws.String(z.Name()), RegionName: aws.String(z.Region().Name()),
			GroupName: aws.String(z.Region().Name()), NetworkBorderGroup: aws.String(z.Region().Name()),
			OptInStatus: types.AvailabilityZoneOptInStatusOptInNotRequired, ZoneType: aws.String("availability-zone"),
			State: state,
		})
	}
	return out, nil
}

var vpcFilters = filterable[ec2model.VPC]{
	"vpc-id":     func(v ec2model.VPC) []string { return []string{v.ID} },
	"is-default": func(ec2model.VPC) []string { return []string{"true"} },
	"isDefault":  func(ec2model.VPC) []string { return []string{"true"} },
}

func (s *service) describeVpcs(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	match, err := vpcFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	v := s.region(tx, call).VPC()
	for _, id := range in.VpcIds {
		if id != v.ID {
			return nil, awstest.Errorf("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
		}
	}
	out := &ec2.DescribeVpcsOutput{}
	if match(v) {
		out.Vpcs = []types.Vpc{{
			VpcId: aws.String(v.ID), CidrBlock: aws.String(v.Prefix.String()), IsDefault: aws.Bool(true),
			OwnerId: aws.String(tx.Cloud().AccountID()), State: types.VpcStateAvailable, InstanceTenancy: types.TenancyDefault,
		}}
	}
	return out, nil
}

var subnetFilters = filterable[*ec2model.Subnet]{
	"subnet-id":            func(s *ec2model.Subnet) []string { return []string{s.ID} },
	"vpc-id":               func(s *ec2model.Subnet) []string { return []string{s.VPC} },
	"availability-zone":    func(s *ec2model.Subnet) []string { return []string{s.Zone.Name()} },
	"availability-zone-id": func(s *ec2model.Subnet) []string { return []string{s.Zone.ID()} },
	"default-for-az":       func(*ec2model.Subnet) []string { return []string{"true"} },
	"state":                func(*ec2model.Subnet) []string { return []string{"available"} },
}

func (s *service) describeSubnets(tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	match, err := subnetFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	region := s.region(tx, call)
	for _, id := range in.SubnetIds {
		if _, err := region.Subnet(id); err != nil {
			return nil, err
		}
	}
	var all []types.Subnet
	for _, sub := range region.Subnets() {
		if selected(in.SubnetIds, sub.ID) && match(sub) {
			all = append(all, types.Subnet{
				SubnetId: aws.String(sub.ID), SubnetArn: arn(call, tx.Cloud().AccountID(), "subnet", sub.ID), VpcId: aws.String(sub.VPC),
				AvailabilityZone: aws.String(sub.Zone.Name()), AvailabilityZoneId: aws.String(sub.Zone.ID()),
				CidrBlock: aws.String(sub.Prefix.String()), AvailableIpAddressCount: aws.Int32(int32(sub.Available())),
				DefaultForAz: aws.Bool(true), State: types.SubnetStateAvailable, OwnerId: aws.String(tx.Cloud().AccountID()),
			})
		}
	}
	out := &ec2.DescribeSubnetsOutput{}
	out.Subnets, out.NextToken, err = page(all, in.NextToken, in.MaxResults, pageLimits{5, 1000})
	return out, err
}
