package ec2step

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

//go:generate go tool -modfile=../../internal/tools/go.mod moq -rm -out ../stepmock/ec2step.go -pkg stepmock . SurveyAPI LaunchAPI FenceAPI QuarantineAPI VolumeAPI

// SurveyAPI is what [Survey] calls of EC2; *ec2.Client is one, as of all interfaces here. Implementations are safe for concurrent use, end a call
// when its context ends, and return errors in the SDK's form.
//
// None of these actions takes a resource in a policy: allow them on "*".
type SurveyAPI interface {
	// DescribeAvailabilityZones needs ec2:DescribeAvailabilityZones. It is called for the zones that are enabled for the account.
	DescribeAvailabilityZones(ctx context.Context, params *ec2.DescribeAvailabilityZonesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeAvailabilityZonesOutput, error)

	// DescribeSubnets needs ec2:DescribeSubnets. It is called with IDs where they are given.
	DescribeSubnets(ctx context.Context, params *ec2.DescribeSubnetsInput, optFns ...func(*ec2.Options)) (*ec2.DescribeSubnetsOutput, error)

	// DescribeInstanceTypeOfferings needs ec2:DescribeInstanceTypeOfferings. It is called for the types that are given, by zone ID.
	DescribeInstanceTypeOfferings(
		ctx context.Context, params *ec2.DescribeInstanceTypeOfferingsInput, optFns ...func(*ec2.Options),
	) (*ec2.DescribeInstanceTypeOfferingsOutput, error)

	// DescribeInstanceTypes needs ec2:DescribeInstanceTypes. It is called for types with instance storage, and not for launches.
	DescribeInstanceTypes(ctx context.Context, params *ec2.DescribeInstanceTypesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstanceTypesOutput, error)

	// DescribeCapacityReservations needs ec2:DescribeCapacityReservations. It is called for active ones.
	DescribeCapacityReservations(
		ctx context.Context, params *ec2.DescribeCapacityReservationsInput, optFns ...func(*ec2.Options),
	) (*ec2.DescribeCapacityReservationsOutput, error)

	// DescribeReservedInstances needs ec2:DescribeReservedInstances. It is called for active ones of zonal scope.
	DescribeReservedInstances(ctx context.Context, params *ec2.DescribeReservedInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeReservedInstancesOutput, error)

	// DescribeInstances needs ec2:DescribeInstances. Surveys call it for all that run; steps for theirs.
	DescribeInstances(ctx context.Context, params *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
}

// LaunchAPI is what [Launch] calls.
type LaunchAPI interface {
	SurveyAPI

	// RunInstances needs ec2:RunInstances on the image, the instance, the interface, the security groups, the subnet, the volumes and, where they
	// are used, the key pair, the launch template and the Capacity Reservation; ec2:CreateTags on the instance; and iam:PassRole for an instance
	// profile. It is called with a derived ClientToken for one instance, kept to a single attempt, and by Ready as a dry run.
	RunInstances(ctx context.Context, params *ec2.RunInstancesInput, optFns ...func(*ec2.Options)) (*ec2.RunInstancesOutput, error)

	// TerminateInstances needs ec2:TerminateInstances on the instance. Only Undo calls it, and it may be repeated.
	TerminateInstances(ctx context.Context, params *ec2.TerminateInstancesInput, optFns ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error)
}

// FenceAPI is what [Fence] calls.
type FenceAPI interface {
	// DescribeInstances needs ec2:DescribeInstances, on "*".
	DescribeInstances(ctx context.Context, params *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)

	// StopInstances needs ec2:StopInstances on the instance. It may be repeated. Ready calls it as a dry run.
	StopInstances(ctx context.Context, params *ec2.StopInstancesInput, optFns ...func(*ec2.Options)) (*ec2.StopInstancesOutput, error)

	// StartInstances needs ec2:StartInstances on the instance. Only Undo calls it, and it may be repeated.
	StartInstances(ctx context.Context, params *ec2.StartInstancesInput, optFns ...func(*ec2.Options)) (*ec2.StartInstancesOutput, error)
}

// QuarantineAPI is what [Quarantine] calls.
type QuarantineAPI interface {
	// DescribeInstances needs ec2:DescribeInstances, on "*".
	DescribeInstances(ctx context.Context, params *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)

	// DescribeSecurityGroups needs ec2:DescribeSecurityGroups, on "*". Only Ready calls it.
	DescribeSecurityGroups(ctx context.Context, params *ec2.DescribeSecurityGroupsInput, optFns ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error)

	// ModifyNetworkInterfaceAttribute needs ec2:ModifyNetworkInterfaceAttribute on the interfaces of the instance and on the security groups. It is
	// called with groups alone, and may be repeated. Ready calls it as a dry run.
	ModifyNetworkInterfaceAttribute(
		ctx context.Context, params *ec2.ModifyNetworkInterfaceAttributeInput, optFns ...func(*ec2.Options),
	) (*ec2.ModifyNetworkInterfaceAttributeOutput, error)
}

// VolumeAPI is what [Detach] and [Attach] call.
type VolumeAPI interface {
	// DescribeInstances needs ec2:DescribeInstances, on "*".
	DescribeInstances(ctx context.Context, params *ec2.DescribeInstancesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)

	// DescribeVolumes needs ec2:DescribeVolumes, on "*".
	DescribeVolumes(ctx context.Context, params *ec2.DescribeVolumesInput, optFns ...func(*ec2.Options)) (*ec2.DescribeVolumesOutput, error)

	// AttachVolume needs ec2:AttachVolume on the volume and on the instance. It has no token: it is kept to a single attempt. Ready calls it as a
	// dry run.
	AttachVolume(ctx context.Context, params *ec2.AttachVolumeInput, optFns ...func(*ec2.Options)) (*ec2.AttachVolumeOutput, error)

	// DetachVolume needs ec2:DetachVolume on the volume and on the instance. It names the instance, so that a late one takes the volume
	// from nobody else. It is kept to a single attempt. Ready calls it as a dry run.
	DetachVolume(ctx context.Context, params *ec2.DetachVolumeInput, optFns ...func(*ec2.Options)) (*ec2.DetachVolumeOutput, error)
}

var (
	_ SurveyAPI     = (*ec2.Client)(nil)
	_ LaunchAPI     = (*ec2.Client)(nil)
	_ FenceAPI      = (*ec2.Client)(nil)
	_ QuarantineAPI = (*ec2.Client)(nil)
	_ VolumeAPI     = (*ec2.Client)(nil)
)
