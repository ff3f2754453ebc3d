package ec2model

import (
	"slices"

	"github.com/awsha/awsha/awstest"
)

// offered tells whether a zone offers an instance type: every zone offers every type unless the options say otherwise.
func (r *Region) offered(z *awstest.Zone, instanceType string) bool {
	return !slices.Contains(r.model.opts.NotOffered[instanceType], z.ID())
}

// Offers tells whether a zone offers an instance type.
func (r *Region) Offers(z *awstest.Zone, instanceType string) bool { return r.offered(z, instanceType) }

// notOffered is the text that accounts answer.
// Source: https://repost.aws/knowledge-center/ec2-instance-type-not-supported-az-error (read 2026-11)
func notOffered(z *awstest.Zone, instanceType string) error {
	return awstest.Errorf("Unsupported", "Your requested instance type (%s) is not supported in your requested Availability Zone (%s).", instanceType, z.Name())
}
