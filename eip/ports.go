package eip

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

//go:generate go tool -modfile=../internal/tools/go.mod moq -rm -out eipmock/eipmock.go -pkg eipmock . API Mover Claimer Fence

// API is what the package calls of EC2; *ec2.Client is one. Implementations are safe for concurrent use, end a call
// when its context ends, and return errors in the SDK's form: the error code in a smithy.APIError decides what happens next.
//
// Of the reads, only DescribeAddresses is needed for every move. None of them takes a resource in a policy: allow them
// on "*".
type API interface {
	// DescribeAddresses needs ec2:DescribeAddresses. It is called with allocation IDs, with a filter for them, and
	// by Claim with a filter for tags; never for all addresses.
	DescribeAddresses(ctx context.Context, params *ec2.DescribeAddressesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error)

	// DisassociateAddress needs ec2:DisassociateAddress on the address and on the interface that holds it.
	// It may be repeated: an association ID is never used again. The options keep the SDK's retryer to a single attempt. Ready
	// calls it as a dry run.
	DisassociateAddress(ctx context.Context, params *ec2.DisassociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.DisassociateAddressOutput, error)

	// AssociateAddress needs ec2:AssociateAddress on the address and on the target's interface.
	// AllowReassociation is always set, and true under GuardLease only. The options keep the SDK's retryer to a single attempt.
	// Ready calls it as a dry run.
	AssociateAddress(ctx context.Context, params *ec2.AssociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.AssociateAddressOutput, error)

	// DescribeInstances needs ec2:DescribeInstances. It is called for targets that are instances.
	DescribeInstances(ctx context.Context, params *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)

	// DescribeNetworkInterfaces needs ec2:DescribeNetworkInterfaces. It is called for targets that are interfaces, unless
	// the request names the owner, and to name the occupant of any target; see Remap.
	DescribeNetworkInterfaces(ctx context.Context, params *ec2.DescribeNetworkInterfacesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeNetworkInterfacesOutput, error)

	// DescribeAvailabilityZones needs ec2:DescribeAvailabilityZones. It is called for the network border group of a target,
	// once for each Local or Wavelength Zone.
	DescribeAvailabilityZones(ctx context.Context, params *ec2.DescribeAvailabilityZonesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeAvailabilityZonesOutput, error)

	// DescribeInternetGateways needs ec2:DescribeInternetGateways. It is called by Ready only.
	DescribeInternetGateways(ctx context.Context, params *ec2.DescribeInternetGatewaysInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInternetGatewaysOutput, error)
}

var _ API = (*ec2.Client)(nil)
