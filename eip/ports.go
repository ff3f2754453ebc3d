package eip

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

//go:generate go tool -modfile=../internal/tools/go.mod moq -rm -out eipmock/eipmock.go -pkg eipmock . API Mover

// API is what the package calls of EC2; *ec2.Client is one. Implementations are safe for concurrent use, end a call
// when its context ends, and return errors in the SDK's form: the error code in a smithy.APIError decides what happens next.
type API interface {
	// DescribeAddresses needs ec2:DescribeAddresses, which takes no resource: allow it on "*".
	// It is called with the one allocation ID, and to explain a conflict with a filter for the target.
	DescribeAddresses(ctx context.Context, params *ec2.DescribeAddressesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeAddressesOutput, error)

	// DisassociateAddress needs ec2:DisassociateAddress on the address and on the interface that holds it.
	// It may be repeated, by the SDK's retryer as well: an association ID is never used again.
	DisassociateAddress(ctx context.Context, params *ec2.DisassociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.DisassociateAddressOutput, error)

	// AssociateAddress needs ec2:AssociateAddress on the address and on the target's interface or instance.
	// AllowReassociation is always set, to false. The options keep the SDK's retryer to a single attempt.
	AssociateAddress(ctx context.Context, params *ec2.AssociateAddressInput, optFns ...func(*ec2.Options)) (*ec2.AssociateAddressOutput, error)
}

var _ API = (*ec2.Client)(nil)
