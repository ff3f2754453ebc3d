package ec2svc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/awsha/awsha/awstest"
)

func (s *service) addOfferings(e *awstest.Endpoint) {
	handle(e, s.describeInstanceTypeOfferings, "LocationType", "Filters", "MaxResults", "NextToken")
	handle(e, s.describeInstanceTypes, "InstanceTypes", "Filters", "MaxResults", "NextToken")
}

// knownTypes are the types that are listed where none is asked for by its name. All others can be launched as well.
var knownTypes = []string{
	"c7g.large", "c7g.xlarge", "i4i.large", "m5.large", "m5d.large", "m7g.large", "m7g.medium", "m7g.xlarge", "m7i.large", "r7g.large", "t3.large", "t3.medium",
	"t3.micro", "t3.small", "t4g.micro", "t4g.small",
}

// asked are the types that filters name, and those that are known.
func asked(filters []types.Filter) []string {
	all := slices.Clone(knownTypes)
	for _, f := range filters {
		if aws.ToString(f.Name) != "instance-type" {
			continue
		}
		for _, v := range f.Values {
			if !strings.ContainsAny(v, "*?") && !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
	}
	slices.Sort(all)
	return all
}

var offeringFilters = filterable[types.InstanceTypeOffering]{
	"instance-type": one(func(o types.InstanceTypeOffering) string { return string(o.InstanceType) }),
	"location":      one(func(o types.InstanceTypeOffering) string { return *o.Location }),
}

func (s *service) describeInstanceTypeOfferings(
	tx *awstest.Tx, call *awstest.Call, in *ec2.DescribeInstanceTypeOfferingsInput,
) (*ec2.DescribeInstanceTypeOfferingsOutput, error) {
	match, err := offeringFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	by := in.LocationType
	if by == "" {
		by = types.LocationTypeRegion
	}
	region := s.region(tx, call)
	var all []types.InstanceTypeOffering
	for _, t := range asked(in.Filters) {
		add := func(location string) {
			all = append(all, types.InstanceTypeOffering{InstanceType: types.InstanceType(t), Location: aws.String(location), LocationType: by})
		}
		for _, z := range call.Region.Zones() {
			if !region.Offers(z, t) {
				continue
			}
			switch by {
			case types.LocationTypeRegion:
				add(call.Region.Name())
			case types.LocationTypeAvailabilityZone:
				add(z.Name())
			case types.LocationTypeAvailabilityZoneId:
				add(z.ID())
			default:
				return nil, call.NotModelled("location type %s", by)
			}
			if by == types.LocationTypeRegion {
				break
			}
		}
	}
	found, next, err := page(only(all, match), in.NextToken, in.MaxResults)
	return &ec2.DescribeInstanceTypeOfferingsOutput{InstanceTypeOfferings: found, NextToken: next}, err
}

var typeFilters = filterable[types.InstanceTypeInfo]{
	"instance-type":              one(func(t types.InstanceTypeInfo) string { return string(t.InstanceType) }),
	"instance-storage-supported": one(func(t types.InstanceTypeInfo) string { return strconv.FormatBool(*t.InstanceStorageSupported) }),
}

func (s *service) describeInstanceTypes(_ *awstest.Tx, call *awstest.Call, in *ec2.DescribeInstanceTypesInput) (*ec2.DescribeInstanceTypesOutput, error) {
	match, err := typeFilters.matcher(call, in.Filters, nil)
	if err != nil {
		return nil, err
	}
	var all []types.InstanceTypeInfo
	if len(in.InstanceTypes) > 0 {
		for _, t := range in.InstanceTypes {
			all = append(all, s.showType(string(t)))
		}
	} else {
		for _, t := range asked(in.Filters) {
			all = append(all, s.showType(t))
		}
	}
	found, next, err := page(only(all, match), in.NextToken, in.MaxResults)
	return &ec2.DescribeInstanceTypesOutput{InstanceTypes: found, NextToken: next}, err
}

// showType makes a type of its name, by AWS's rules for names.
// Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html (read 2026-11)
func (s *service) showType(name string) types.InstanceTypeInfo {
	family, _, _ := strings.Cut(name, ".")
	return types.InstanceTypeInfo{
		InstanceType: types.InstanceType(name), CurrentGeneration: aws.Bool(true), InstanceStorageSupported: aws.Bool(hasStorage(family)),
		SupportedRootDeviceTypes: []types.RootDeviceType{types.RootDeviceTypeEbs}, VCpuInfo: &types.VCpuInfo{DefaultVCpus: aws.Int32(int32(s.model.VCPUs(name)))},
	}
}

// hasStorage tells whether a family has instance store volumes: those for storage, and those with a d behind the generation.
func hasStorage(family string) bool {
	at := strings.IndexAny(family, "0123456789")
	if at < 0 {
		return false
	}
	switch family[:at] {
	case "i", "im", "is", "d", "h":
		return true
	}
	return strings.Contains(strings.TrimLeft(family[at:], "0123456789"), "d")
}
