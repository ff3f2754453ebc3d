package conformance_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html (read 2026-11)
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc.html (read 2026-11)
var zoneScenarios = []scenario{{
	name: "zones have names, IDs and default subnets",
	run: func(s *session) {
		subnets := s.subnets()
		names := *subnets[0].AvailabilityZone + "," + *subnets[1].AvailabilityZone
		out := must(s.ec2.DescribeAvailabilityZones(s.Context(), &ec2.DescribeAvailabilityZonesInput{Filters: filters("zone-name", names)}))(s)
		s.is("zones of the default subnets", fmt.Sprint(len(out.AvailabilityZones)), "2")
		for n := range min(2, len(out.AvailabilityZones)) {
			z, subnet := out.AvailabilityZones[n], subnets[n]
			if *z.ZoneName != *subnet.AvailabilityZone {
				subnet = subnets[1-n]
			}
			which := s.told(*z.ZoneName)
			s.is("state of "+which, string(z.State), "available")
			s.is("region of "+which, told(z.RegionName), s.regions[0])
			s.is("name of "+which, fmt.Sprint(strings.HasPrefix(*z.ZoneName, s.regions[0])), "true")
			s.is("ID of "+which, told(z.ZoneId), told(subnet.AvailabilityZoneId))
			s.is("type of "+which, told(z.ZoneType), "availability-zone")
			byID, err := s.ec2.DescribeAvailabilityZones(s.Context(), &ec2.DescribeAvailabilityZonesInput{ZoneIds: []string{*z.ZoneId}})
			if s.accepted("reading "+which+" by ID", err) {
				s.is(which+" by ID", told(byID.AvailabilityZones[0].ZoneName), *z.ZoneName)
			}
			_, size, _ := strings.Cut(told(subnet.CidrBlock), "/")
			s.is("size of the subnet of "+which, size, "20")
		}
		_, err := s.ec2.DescribeAvailabilityZones(s.Context(), &ec2.DescribeAvailabilityZonesInput{ZoneNames: []string{s.regions[0] + "z"}})
		s.refused("an unknown zone", err, "InvalidParameterValue")
		vpcs := must(s.ec2.DescribeVpcs(s.Context(), &ec2.DescribeVpcsInput{Filters: filters("is-default", "true")}))(s)
		if len(vpcs.Vpcs) != 1 {
			s.Fatalf("%d default VPCs", len(vpcs.Vpcs))
		}
		s.is("VPC", told(vpcs.Vpcs[0].VpcId), *subnets[0].VpcId)
		s.is("range of the VPC", told(vpcs.Vpcs[0].CidrBlock), "172.31.0.0/16")
		there := must(s.elsewhere.DescribeAvailabilityZones(s.Context(), &ec2.DescribeAvailabilityZonesInput{}))(s)
		s.is("region of the zones elsewhere", aws.ToString(there.AvailabilityZones[0].RegionName), s.regions[1])
	},
	differs: []difference{
		{on: motoName, at: "an unknown zone", does: "accepted"},
	},
}}
