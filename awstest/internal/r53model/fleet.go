package r53model

import (
	"net/netip"
	"slices"
)

// checker is one of Route 53's health checkers, somewhere in the world.
type checker struct {
	region string
	prefix netip.Prefix // its addresses are from there
}

// addr is where the checker asks from.
func (c checker) addr() netip.Addr { return c.prefix.Addr().Next() }

// fleet is the health checkers: one in each of the ranges that they are known
// to ask from, and so two in each region. AWS has more of them and does not say
// how many; 16 checkers at 30 seconds make a request every two seconds, as the
// guide tells to expect.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/route-53-ip-addresses.html (read 2026-11)
var fleet = []checker{
	{"us-east-1", netip.MustParsePrefix("54.243.31.192/26")},
	{"us-west-1", netip.MustParsePrefix("54.183.255.128/26")},
	{"us-west-2", netip.MustParsePrefix("54.244.52.192/26")},
	{"eu-west-1", netip.MustParsePrefix("54.228.16.0/26")},
	{"ap-southeast-1", netip.MustParsePrefix("54.251.31.128/26")},
	{"ap-southeast-2", netip.MustParsePrefix("54.252.79.128/26")},
	{"ap-northeast-1", netip.MustParsePrefix("54.248.220.0/26")},
	{"sa-east-1", netip.MustParsePrefix("54.232.40.64/26")},
	{"us-east-1", netip.MustParsePrefix("107.23.255.0/26")},
	{"us-west-1", netip.MustParsePrefix("54.241.32.64/26")},
	{"us-west-2", netip.MustParsePrefix("54.245.168.0/26")},
	{"eu-west-1", netip.MustParsePrefix("176.34.159.192/26")},
	{"ap-southeast-1", netip.MustParsePrefix("54.255.254.192/26")},
	{"ap-southeast-2", netip.MustParsePrefix("54.252.254.192/26")},
	{"ap-northeast-1", netip.MustParsePrefix("54.250.253.192/26")},
	{"sa-east-1", netip.MustParsePrefix("177.71.207.128/26")},
}

// Ranges returns the ranges that the health checkers ask from.
func Ranges() (all []netip.Prefix) {
	for _, c := range fleet {
		all = append(all, c.prefix)
	}
	return all
}

// checkersOf returns which of the fleet look at an endpoint, by their place in
// it.
func (c *Config) checkersOf() (all []int) {
	for i, m := range fleet {
		if len(c.Regions) == 0 || slices.Contains(c.Regions, m.region) {
			all = append(all, i)
		}
	}
	return all
}
