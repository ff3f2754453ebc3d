package awserr_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.uber.org/goleak"

	"github.com/awsha/awsha/internal/awserr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Where the codes are documented.
const (
	ec2Errors     = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
	commonErrors  = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonErrors.html"
	throttling    = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html"
	sdkThrottles  = "https://pkg.go.dev/github.com/aws/aws-sdk-go-v2/aws/retry#pkg-variables"
	eipPending    = "https://github.com/hashicorp/terraform-provider-aws/pull/3072"
	eniPending    = "https://github.com/hashicorp/terraform-provider-aws/issues/6189"
	stsErrors     = "https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html"
	noGateway     = "https://github.com/hashicorp/terraform-provider-aws/pull/2181"
	registering   = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html"
	targetHealth  = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html"
	balancerRead  = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancerAttributes.html"
	healthCheck   = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html"
	healthCheckUp = "https://docs.aws.amazon.com/Route53/latest/APIReference/API_UpdateHealthCheck.html"
	gracePeriod   = "https://github.com/aws/aws-cli/issues/171"
	enterStandby  = "https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html" // of the states; the texts are those of the other calls
	suspend       = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SuspendProcesses.html"
	notInService  = "https://github.com/infrahouse/infrahouse-toolkit/issues/223"
	noAction      = "https://github.com/convox/rack/issues/2432"
	zonalShift    = "https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html"
	describeKey   = "https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html"
	ofBackup      = "https://github.com/openshift/installer/issues/9964"
	rdsCopy       = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html"
	rdsRestore    = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html"
	dynamoErrors  = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"
	dynamoPut     = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html"
	s3Errors      = "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
	s3Conditional = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"
	asgLaunch     = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchInstances.html"
	asgCreate     = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html"
	asgTerminate  = "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html"
	tryNext       = "https://github.com/aws/karpenter-provider-aws/blob/main/pkg/errors/errors.go"
	deviceInUse   = "https://github.com/kubernetes-sigs/aws-ebs-csi-driver/issues/1166"
	notStopped    = "https://github.com/eucalyptus/eucalyptus"
	neverRan      = "https://github.com/flatcar/mantle/pull/315"
	terminated    = "https://github.com/cloudposse/terraform-aws-ec2-instance/issues/95"
)

// reply is an error as the SDK delivers it when AWS answered.
func reply(status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "EC2", OperationName: "AssociateAddress", Err: &awshttp.ResponseError{
		RequestID: "req-1",
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
			Err:      &smithy.GenericAPIError{Code: code, Message: message},
		},
	}}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status        int
		code, message string
		want          awserr.Class
		missing       awserr.Resource
		doc           string
	}{
		{503, "RequestLimitExceeded", "Request limit exceeded.", awserr.Throttle, "", throttling},
		{400, "ThrottlingException", "", awserr.Throttle, "", sdkThrottles},
		{400, "Throttling", "Rate exceeded", awserr.Throttle, "", sdkThrottles},

		{500, "InternalError", "", awserr.Transient, "", ec2Errors},
		{500, "InternalFailure", "", awserr.Transient, "", ec2Errors},
		{503, "ServiceUnavailable", "", awserr.Transient, "", ec2Errors},
		{503, "Unavailable", "", awserr.Transient, "", ec2Errors},
		{400, "RequestTimeout", "", awserr.Transient, "", sdkThrottles},
		{400, "RequestTimeoutException", "", awserr.Transient, "", sdkThrottles},
		{502, "AnythingElse", "", awserr.Transient, "", commonErrors},

		{400, "InvalidInstanceID", "The pending instance 'i-1' is not in a valid state for this operation.", awserr.Pending, "", eipPending},
		{400, "IncorrectInstanceState", "The pending-volume-availability instance to which 'eni-1' is attached is not in a valid state for this operation", awserr.Pending, "", eniPending},
		{400, "InvalidInstanceID", "The terminated instance 'i-1' is not in a valid state for this operation.", awserr.Gone, "", terminated},
		{400, "InvalidInstanceID", "The shutting-down instance 'i-1' is not in a valid state for this operation.", awserr.Gone, "", terminated},
		{400, "InvalidInstanceID", "There are multiple interfaces attached to instance 'i-1'. Please specify an interface ID for the operation instead.", awserr.Terminal, "", ec2Errors},
		{400, "IncorrectInstanceState", "The instance 'i-1' is not in the 'pending' state.", awserr.Terminal, "", ec2Errors},

		{400, "IncorrectInstanceState", "This instance 'i-1' is not in a state from which it can be stopped.", awserr.Pending, "", notStopped},
		{400, "IncorrectInstanceState", "Instance 'i-1' cannot be stopped as it has never reached the 'running' state.", awserr.Pending, "", neverRan},

		{400, "Resource.AlreadyAssociated", "", awserr.Conflict, "", ec2Errors},

		{400, "InvalidAddress.NotFound", "", awserr.NotFound, awserr.Address, ec2Errors},
		{400, "InvalidAddressID.NotFound", "", awserr.NotFound, awserr.Address, ec2Errors},
		{400, "InvalidAllocationID.NotFound", "", awserr.NotFound, awserr.Address, ec2Errors},
		{400, "InvalidAssociationID.NotFound", "", awserr.NotFound, awserr.Association, ec2Errors},
		{400, "InvalidInstanceID.NotFound", "", awserr.NotFound, awserr.Instance, ec2Errors},
		{400, "InvalidNetworkInterfaceID.NotFound", "", awserr.NotFound, awserr.NetworkInterface, ec2Errors},

		{403, "UnauthorizedOperation", "", awserr.Denied, "", ec2Errors},
		{401, "AuthFailure", "", awserr.Denied, "", ec2Errors},
		{400, "Blocked", "", awserr.Denied, "", ec2Errors},
		{403, "InvalidClientTokenId", "", awserr.Denied, "", ec2Errors},
		{401, "OptInRequired", "", awserr.Denied, "", ec2Errors},

		{400, "RequestExpired", "", awserr.Denied, "", ec2Errors},
		{403, "SignatureDoesNotMatch", "", awserr.Denied, "", commonErrors},
		{400, "AccessDenied", "", awserr.Denied, "", stsErrors},
		{400, "AccessDeniedException", "", awserr.Denied, "", commonErrors},
		{400, "ExpiredToken", "", awserr.Denied, "", stsErrors},
		{400, "ExpiredTokenException", "", awserr.Denied, "", commonErrors},
		{400, "UnrecognizedClientException", "", awserr.Denied, "", commonErrors},

		{409, "ConflictException", "SimultaneousZonalShiftsConflict: The zonal shift is active", awserr.Conflict, "", zonalShift},
		{400, "ValidationError", "The age of the instance (60 seconds) is less than the configured grace period of 300 seconds", awserr.Pending, "", gracePeriod},
		{400, "ValidationError", "Instance Id not found - No managed instance found for instance ID: i-1", awserr.NotFound, "", gracePeriod},
		{400, "ValidationError", "The instance i-1 is not in InService or EnteringStandby or Standby.", awserr.Pending, "", notInService},
		{400, "ValidationError", "The instance i-1 is not in InService.", awserr.Pending, "", enterStandby},
		{400, "ValidationError", "The instance i-1 is not in Standby.", awserr.Pending, "", enterStandby},
		{400, "ResourceInUse", "", awserr.Pending, "", suspend},
		{400, "ValidationError", "No active Lifecycle Action found with instance ID i-1", awserr.NotFound, "", noAction},
		{400, "ValidationError", "No active Lifecycle Action found with token 0d5e4f2c", awserr.NotFound, "", noAction},
		{500, "IdempotentCallInProgress", "", awserr.Pending, "", asgLaunch},
		{400, "LimitExceeded", "", awserr.Quota, "", asgCreate},
		{500, "ResourceContention", "", awserr.Pending, "", asgCreate},
		{400, "ScalingActivityInProgress", "", awserr.Pending, "", asgTerminate},
		{400, "Gateway.NotAttached", "Network vpc-1 is not attached to any internet gateway", awserr.NoGateway, "", noGateway},
		{400, "IdempotentInstanceTerminated", "", awserr.Burned, "", ec2Errors},
		{400, "InsufficientCapacityOnHost", "", awserr.Capacity, "", ec2Errors},
		{400, "InsufficientFreeAddressesInSubnet", "", awserr.Capacity, awserr.Subnet, ec2Errors},
		{500, "InsufficientHostCapacity", "", awserr.Capacity, "", ec2Errors},
		{500, "InsufficientInstanceCapacity", "", awserr.Capacity, "", ec2Errors},
		{400, "ReservationCapacityExceeded", "", awserr.Capacity, "", ec2Errors},
		{400, "UnfulfillableCapacity", "", awserr.Capacity, "", tryNext},
		{400, "Unsupported", "", awserr.Capacity, "", ec2Errors},
		{400, "InstanceLimitExceeded", "", awserr.Quota, "", ec2Errors},
		{400, "MaxFleetCountExceeded", "", awserr.Quota, "", tryNext},
		{400, "MaxSpotInstanceCountExceeded", "", awserr.Quota, "", ec2Errors},
		{400, "VcpuLimitExceeded", "", awserr.Quota, "", ec2Errors},
		{400, "AttachmentLimitExceeded", "", awserr.Quota, "", ec2Errors},
		{400, "InvalidAttachment.NotFound", "", awserr.NotFound, awserr.Attachment, ec2Errors},
		{400, "VolumeInUse", "", awserr.Conflict, "", ec2Errors},
		{400, "InvalidParameterValue", "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use", awserr.Exists, "", deviceInUse},
		{400, "InvalidAMIName.Duplicate", "", awserr.Exists, "", ec2Errors},
		{400, "InvalidAMIID.NotFound", "", awserr.NotFound, awserr.Image, ec2Errors},
		{400, "InvalidAMIID.Unavailable", "", awserr.Gone, "", ec2Errors},
		{400, "ConcurrentCreateImageNoRebootLimitExceeded", "", awserr.Busy, "", ec2Errors},
		{400, "ConcurrentTagAccess", "", awserr.Pending, "", ec2Errors},
		{400, "DBSnapshotAlreadyExists", "", awserr.Exists, "", rdsCopy},
		{400, "DBClusterSnapshotAlreadyExistsFault", "", awserr.Exists, "", rdsCopy},
		{400, "DBInstanceAlreadyExists", "", awserr.Exists, "", rdsRestore},
		{400, "DBClusterAlreadyExistsFault", "", awserr.Exists, "", rdsRestore},
		{404, "DBInstanceNotFound", "", awserr.NotFound, awserr.Database, rdsRestore},
		{404, "DBClusterNotFoundFault", "", awserr.NotFound, awserr.Database, rdsRestore},
		{404, "DBSnapshotNotFound", "", awserr.NotFound, awserr.Snapshot, rdsCopy},
		{404, "DBClusterSnapshotNotFoundFault", "", awserr.NotFound, awserr.Snapshot, rdsCopy},
		{400, "InvalidDBInstanceState", "", awserr.Pending, "", rdsRestore},
		{400, "InvalidDBClusterStateFault", "", awserr.Pending, "", rdsRestore},
		{400, "InvalidDBSnapshotState", "", awserr.Pending, "", rdsCopy},
		{400, "InvalidDBClusterSnapshotStateFault", "", awserr.Pending, "", rdsCopy},
		{400, "KMSKeyNotAccessibleFault", "", awserr.Denied, "", rdsCopy},
		{400, "InstanceQuotaExceeded", "", awserr.Quota, "", rdsRestore},
		{400, "DBClusterQuotaExceededFault", "", awserr.Quota, "", rdsRestore},
		{400, "SnapshotQuotaExceeded", "Cannot create more than 100 manual snapshots", awserr.Quota, "", rdsCopy},
		{400, "SnapshotQuotaExceeded", "The maximum number of cross region snapshot copies in progress (20) has been reached.", awserr.Busy, "", rdsCopy},
		{500, "HealthUnavailable", "", awserr.Transient, "", targetHealth},
		{400, "InvalidTarget", "", awserr.NotFound, awserr.Target, registering},
		{400, "LoadBalancerNotFound", "", awserr.NotFound, awserr.LoadBalancer, balancerRead},
		{400, "TargetGroupNotFound", "", awserr.NotFound, awserr.TargetGroup, registering},
		{400, "TooManyRegistrationsForTargetId", "", awserr.Quota, "", registering},
		{400, "TooManyTargets", "", awserr.Quota, "", registering},
		{409, "HealthCheckAlreadyExists", "", awserr.Conflict, "", healthCheck},
		{409, "HealthCheckVersionMismatch", "", awserr.Conflict, "", healthCheckUp},
		{404, "NoSuchHealthCheck", "", awserr.NotFound, awserr.HealthCheck, healthCheckUp},
		{400, "TooManyHealthChecks", "", awserr.Quota, "", healthCheck},
		{400, "IdempotentParameterMismatch", "", awserr.Burned, "", ec2Errors},
		{400, "NotFoundException", "", awserr.NotFound, "", describeKey},
		{400, "InvalidSnapshot.NotFound", "", awserr.NotFound, awserr.Snapshot, ec2Errors},
		{400, "InvalidVolume.NotFound", "", awserr.NotFound, awserr.Volume, ec2Errors},
		{400, "InvalidSnapshot.InUse", "The snapshot snap-1 is currently in use by ami-1", awserr.Conflict, "", ec2Errors},
		{400, "SnapshotCreationPerVolumeRateExceeded", "", awserr.Pending, "", ec2Errors},
		{400, "ConcurrentSnapshotLimitExceeded", "", awserr.Busy, "", ec2Errors},
		{400, "PendingSnapshotLimitExceeded", "", awserr.Busy, "", ec2Errors},
		{400, "IncorrectState", "", awserr.Pending, "", ec2Errors},
		{400, "SnapshotLimitExceeded", "", awserr.Quota, "", ec2Errors},
		{400, "ResourceLimitExceeded", "", awserr.Busy, "", ec2Errors},
		{400, "VolumeLimitExceeded", "", awserr.Quota, "", ec2Errors},
		{400, "InvalidParameterValue", "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs. If you wish to delete this snapshot, please do so via the Backup console.", awserr.Conflict, "", ofBackup},
		{400, "InvalidParameterCombination", "", awserr.Terminal, "", ec2Errors},
		{400, "InvalidParameterValue", "", awserr.Terminal, "", ec2Errors},
		{400, "ConditionalCheckFailedException", "The conditional request failed", awserr.Conflict, "", dynamoErrors},
		{400, "ReplicatedWriteConflictException", "", awserr.Busy, "", dynamoPut},
		{400, "TransactionConflictException", "Transaction is ongoing for the item", awserr.Busy, "", dynamoPut},
		{400, "ResourceNotFoundException", "Requested resource not found", awserr.NotFound, "", dynamoErrors},
		{400, "ProvisionedThroughputExceededException", "", awserr.Throttle, "", dynamoErrors},
		{500, "InternalServerError", "", awserr.Transient, "", dynamoErrors},
		{409, "ConditionalRequestConflict", "", awserr.Busy, "", s3Conditional},
		{409, "OperationAborted", "", awserr.Busy, "", s3Errors},
		{412, "PreconditionFailed", "", awserr.Conflict, "", s3Conditional},
		{404, "NoSuchKey", "", awserr.NotFound, awserr.Object, s3Errors},
		{404, "NoSuchBucket", "", awserr.NotFound, awserr.Bucket, s3Errors},
		{503, "SlowDown", "", awserr.Throttle, "", s3Errors},
		{412, "DryRunOperation", "", awserr.DryRun, "", ec2Errors},
	}
	for _, test := range tests {
		t.Run(test.code+" "+test.message, func(t *testing.T) {
			t.Parallel()
			err := reply(test.status, test.code, test.message)
			if got := awserr.Of(err); got != test.want {
				t.Errorf("%v, want %v; see %s", got, test.want, test.doc)
			}
			if got := awserr.Missing(err); got != test.missing {
				t.Errorf("missing %q, want %q", got, test.missing)
			}
		})
	}
}

func TestErrorsWithoutAReply(t *testing.T) {
	t.Parallel()
	send := func(err error) error { return &smithyhttp.RequestSendError{Err: err} }
	tests := []struct {
		name string
		err  error
		want awserr.Class
	}{
		{"nil", nil, awserr.None},
		{"refused connection", send(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}), awserr.Unsent},
		{"timeout of the dial", send(&net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}), awserr.Unsent},
		{"name does not resolve", send(&net.DNSError{Err: "no such host", IsNotFound: true}), awserr.Unsent},
		{"connection reset", send(&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}), awserr.Transient},
		{"connection closed before the reply", send(io.ErrUnexpectedEOF), awserr.Transient},
		{"deadline", &smithy.CanceledError{Err: context.DeadlineExceeded}, awserr.Transient},
		{"bad gateway without a code", &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusBadGateway}}, Err: errors.New("html"),
		}, awserr.Transient},
		{"cancelled", &smithy.CanceledError{Err: context.Canceled}, awserr.Transient},
		{"unusable parameters", &smithy.InvalidParamsError{}, awserr.Terminal},
		{"anything else", errors.New("no credentials"), awserr.Terminal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := awserr.Of(test.err); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			if test.err == nil {
				return
			}
			if got := awserr.Of(fmt.Errorf("wrapped: %w", test.err)); got != test.want {
				t.Errorf("wrapped: %v, want %v", got, test.want)
			}
			if id, missing := awserr.RequestID(test.err), awserr.Missing(test.err); id != "" || missing != "" {
				t.Errorf("request ID %q, missing %q, want neither", id, missing)
			}
		})
	}
}

func TestOnlyPoliciesLeaveAnActionUnpermitted(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"UnauthorizedOperation": true, "AccessDenied": true, "AccessDeniedException": true,
		"AuthFailure": false, "ExpiredToken": false, "RequestExpired": false, "OptInRequired": false,
		"SignatureDoesNotMatch": false, "InternalError": false, "DryRunOperation": false, "": false,
	} {
		if got := awserr.Unpermitted(fmt.Errorf("wrapped: %w", reply(403, code, ""))); got != want {
			t.Errorf("%s: %t, want %t", code, got, want)
		}
	}
	if awserr.Unpermitted(nil) || awserr.Unpermitted(errors.New("AccessDenied")) {
		t.Error("an error that is not of AWS is one of its policies")
	}
}

func TestIDsAreWholeWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ message, prefix, want string }{
		{"resource eipalloc-0a1 is already associated with associate-id eipassoc-0f2", "eipassoc", "eipassoc-0f2"},
		{"resource eipalloc-0a1 is already associated with associate-id eipassoc-0f2", "eipalloc", "eipalloc-0a1"},
		{"resource eni-eca15657 and 10.2.41.95 is already associated with public address 34.234.121.9", "eni", "eni-eca15657"},
		{"The instance 'i-0ab' is there.", "i", "i-0ab"},
		{"resource my-eni-0ab", "eni", ""},
		{"resource eni-xyz", "eni", ""},
		{"resource eni-", "eni", ""},
		{"", "eni", ""},
	}
	for _, test := range tests {
		if got := awserr.ID(reply(400, "X", test.message), test.prefix); got != test.want {
			t.Errorf("%s in %q: %q, want %q", test.prefix, test.message, got, test.want)
		}
	}
	if got := awserr.ID(errors.New("eni-0ab"), "eni"); got != "" {
		t.Errorf("an error that is not of AWS names %q", got)
	}
}

func TestNumbersAreWholeWords(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]int{
		"Too many snapshot copies in progress. The limit is 20 for this destination region.": 20,
		"the limit (5) is reached": 5, "snap-12 in eu-west-1 is not copied": 0, "": 0, "99999999999999999999": 0,
	} {
		if got := awserr.Number(fmt.Errorf("wrapped: %w", reply(400, "ResourceLimitExceeded", message))); got != want {
			t.Errorf("%q has %d, want %d", message, got, want)
		}
	}
	if awserr.Number(errors.New("20")) != 0 || awserr.Number(nil) != 0 {
		t.Error("an error that is not of AWS has a number")
	}
}

func TestRequestIDSurvivesWrapping(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("eip: associate: %w", reply(400, "Resource.AlreadyAssociated", ""))
	if got := awserr.RequestID(err); got != "req-1" {
		t.Errorf("request ID %q, want req-1", got)
	}
}

func TestWhatAReplyLeavesOutIsNotFound(t *testing.T) {
	t.Parallel()
	for _, missing := range []awserr.Resource{awserr.Address, awserr.Instance, awserr.NetworkInterface} {
		if err := awserr.NoSuch(missing); awserr.Of(err) != awserr.NotFound || awserr.Missing(err) != missing {
			t.Errorf("%v: class %v of %q", err, awserr.Of(err), awserr.Missing(err))
		}
	}
}

func TestClassNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for c := awserr.None; c <= awserr.Capacity; c++ {
		if name := c.String(); name == "invalid" || seen[name] {
			t.Errorf("class %d is named %q", c, name)
		} else {
			seen[name] = true
		}
	}
	if got := (awserr.Capacity + 1).String(); got != "invalid" {
		t.Errorf("beyond the last: %q", got)
	}
}
