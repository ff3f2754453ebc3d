package awserr

import "strings"

// row is what is known of one error code. The test names the documentation of each.
type row struct {
	class     Class
	missing   Resource                   // of class NotFound or Capacity
	byMessage func(message string) Class // where one code has several meanings
	policy    bool                       // of class Denied: the credentials are good, and lack the permission
}

// codes holds the codes that need a decision. Throttling codes that are not here are taken from the SDK's list, other
// errors with a 5xx status are Transient, and the rest is Terminal.
var codes = map[string]row{
	"RequestLimitExceeded": {class: Throttle},

	"InternalError":           {class: Transient},
	"InternalFailure":         {class: Transient},
	"RequestTimeout":          {class: Transient},
	"RequestTimeoutException": {class: Transient},
	"ServiceUnavailable":      {class: Transient},
	"Unavailable":             {class: Transient},

	"InvalidInstanceID":      {byMessage: instanceState},
	"IncorrectInstanceState": {byMessage: instanceState},

	"ConflictException":          {class: Conflict},
	"Resource.AlreadyAssociated": {class: Conflict},

	"ValidationError": {byMessage: lifecycle},

	"InvalidAddress.NotFound":            {class: NotFound, missing: Address},
	"InvalidAddressID.NotFound":          {class: NotFound, missing: Address},
	"InvalidAllocationID.NotFound":       {class: NotFound, missing: Address},
	"InvalidAssociationID.NotFound":      {class: NotFound, missing: Association},
	"InvalidInstanceID.NotFound":         {class: NotFound, missing: Instance},
	"InvalidNetworkInterfaceID.NotFound": {class: NotFound, missing: NetworkInterface},

	"IdempotentInstanceTerminated": {class: Burned},
	"IdempotentParameterMismatch":  {class: Burned},

	"InsufficientCapacityOnHost":        {class: Capacity},
	"InsufficientFreeAddressesInSubnet": {class: Capacity, missing: Subnet},
	"InsufficientHostCapacity":          {class: Capacity},
	"InsufficientInstanceCapacity":      {class: Capacity},
	"ReservationCapacityExceeded":       {class: Capacity},
	"UnfulfillableCapacity":             {class: Capacity},
	"Unsupported":                       {class: Capacity}, // the type, in that zone
	"InstanceLimitExceeded":             {class: Quota},
	"MaxFleetCountExceeded":             {class: Quota},
	"MaxSpotInstanceCountExceeded":      {class: Quota},
	"VcpuLimitExceeded":                 {class: Quota},

	"AttachmentLimitExceeded":    {class: Quota},
	"InvalidAttachment.NotFound": {class: NotFound, missing: Attachment},
	"VolumeInUse":                {class: Conflict},

	"IdempotentCallInProgress":  {class: Pending},
	"LimitExceeded":             {class: Quota},
	"ResourceContention":        {class: Pending},
	"ResourceInUse":             {class: Pending},
	"ScalingActivityInProgress": {class: Pending},

	"NotFoundException":                     {class: NotFound},
	"InvalidSnapshot.NotFound":              {class: NotFound, missing: Snapshot},
	"InvalidVolume.NotFound":                {class: NotFound, missing: Volume},
	"InvalidSnapshot.InUse":                 {class: Conflict},
	"SnapshotCreationPerVolumeRateExceeded": {class: Pending},
	"ConcurrentSnapshotLimitExceeded":       {class: Busy},
	"PendingSnapshotLimitExceeded":          {class: Busy},
	"IncorrectState":                        {class: Pending},
	"SnapshotLimitExceeded":                 {class: Quota},
	"ResourceLimitExceeded":                 {class: Busy},
	"VolumeLimitExceeded":                   {class: Quota},

	"InvalidAMIName.Duplicate":                   {class: Exists},
	"InvalidAMIID.NotFound":                      {class: NotFound, missing: Image},
	"InvalidAMIID.Unavailable":                   {class: Gone},
	"ConcurrentCreateImageNoRebootLimitExceeded": {class: Busy},
	"ConcurrentTagAccess":                        {class: Pending},

	"DBSnapshotAlreadyExists":             {class: Exists},
	"DBClusterSnapshotAlreadyExistsFault": {class: Exists},
	"DBInstanceAlreadyExists":             {class: Exists},
	"DBClusterAlreadyExistsFault":         {class: Exists},
	"DBInstanceNotFound":                  {class: NotFound, missing: Database},
	"DBClusterNotFoundFault":              {class: NotFound, missing: Database},
	"DBSnapshotNotFound":                  {class: NotFound, missing: Snapshot},
	"DBClusterSnapshotNotFoundFault":      {class: NotFound, missing: Snapshot},
	"InvalidDBInstanceState":              {class: Pending},
	"InvalidDBClusterStateFault":          {class: Pending},
	"InvalidDBSnapshotState":              {class: Pending},
	"InvalidDBClusterSnapshotStateFault":  {class: Pending},
	"KMSKeyNotAccessibleFault":            {class: Denied},
	"SnapshotQuotaExceeded":               {byMessage: snapshotQuota},
	"InstanceQuotaExceeded":               {class: Quota},
	"DBClusterQuotaExceededFault":         {class: Quota},

	"HealthUnavailable":               {class: Transient},
	"InvalidTarget":                   {class: NotFound, missing: Target},
	"LoadBalancerNotFound":            {class: NotFound, missing: LoadBalancer},
	"TargetGroupNotFound":             {class: NotFound, missing: TargetGroup},
	"TooManyRegistrationsForTargetId": {class: Quota},
	"TooManyTargets":                  {class: Quota},

	"HealthCheckAlreadyExists":   {class: Conflict},
	"HealthCheckVersionMismatch": {class: Conflict},
	"NoSuchHealthCheck":          {class: NotFound, missing: HealthCheck},
	"TooManyHealthChecks":        {class: Quota},

	"AWS.SimpleQueueService.NonExistentQueue":   {class: NotFound, missing: Queue},
	"QueueDoesNotExist":                         {class: NotFound, missing: Queue},
	"AWS.SimpleQueueService.MessageNotInflight": {class: Gone},
	"MessageNotInflight":                        {class: Gone},
	"ReceiptHandleIsInvalid":                    {class: Gone},
	"InvalidParameterValue":                     {byMessage: parameterValue},
	"OverLimit":                                 {class: Quota},
	"KmsThrottled":                              {class: Throttle},
	"KMS.ThrottlingException":                   {class: Throttle},
	"KmsAccessDenied":                           {class: Denied},
	"KMS.AccessDeniedException":                 {class: Denied},

	"ConditionalCheckFailedException":  {class: Conflict},
	"ReplicatedWriteConflictException": {class: Busy},
	"ResourceNotFoundException":        {class: NotFound},
	"TransactionConflictException":     {class: Busy},

	"ConditionalRequestConflict": {class: Busy},
	"NoSuchBucket":               {class: NotFound, missing: Bucket},
	"NoSuchKey":                  {class: NotFound, missing: Object},
	"OperationAborted":           {class: Busy},
	"PreconditionFailed":         {class: Conflict},

	"DryRunOperation":     {class: DryRun},
	"Gateway.NotAttached": {class: NoGateway},

	"AccessDenied":                {class: Denied, policy: true},
	"AccessDeniedException":       {class: Denied, policy: true},
	"AuthFailure":                 {class: Denied},
	"Blocked":                     {class: Denied},
	"ExpiredToken":                {class: Denied},
	"ExpiredTokenException":       {class: Denied},
	"InvalidClientTokenId":        {class: Denied},
	"OptInRequired":               {class: Denied},
	"RequestExpired":              {class: Denied}, // the clock or the credentials of this machine
	"SignatureDoesNotMatch":       {class: Denied},
	"UnauthorizedOperation":       {class: Denied, policy: true},
	"UnrecognizedClientException": {class: Denied},
}

// instanceState reads which state an instance was in when it was refused: "The pending instance 'i-1' is not in a valid
// state for this operation", "The pending-volume-availability instance to which 'eni-1' is attached is not ...", "The
// terminated instance 'i-1' is not ...". The codes are the same. StopInstances says "Instance 'i-1' cannot be stopped as it has never
// reached the 'running' state." and "This instance 'i-1' is not in a state from which it can be stopped.", of one that is ending: a read tells.
func instanceState(message string) Class {
	state, _ := strings.CutPrefix(message, "The ")
	state, _, _ = strings.Cut(state, " ")
	switch {
	case state == "pending" || strings.HasPrefix(state, "pending-"),
		strings.Contains(message, "not in a state from which it can be stopped"), strings.Contains(message, "has never reached the 'running' state"):
		return Pending
	case state == "shutting-down" || state == "terminated":
		return Gone
	}
	return Terminal
}

// lifecycle tells what Auto Scaling refuses because of the state that an instance is in, and may do later, from what is wrong for
// good. The code is the same. SetInstanceHealth: "The age of the instance (60 seconds) is less than the configured grace period of
// 300 seconds". SetInstanceProtection: "The instance i-1 is not in InService or EnteringStandby or Standby.", before and after. Calls
// about a lifecycle action: "No active Lifecycle Action found with instance ID i-1", which is not there yet, or not any more. Calls about an instance:
// "Instance Id not found - No managed instance found for instance ID: i-1", which belongs to no group yet, or not any more.
func lifecycle(message string) Class {
	switch {
	case strings.Contains(message, "less than the configured grace period"), strings.Contains(message, "is not in InService"), strings.Contains(message, "is not in Standby"):
		return Pending
	case strings.Contains(message, "No active Lifecycle Action found"), strings.Contains(message, "No managed instance found"):
		return NotFound
	}
	return Terminal
}

// parameterValue tells four things apart. A lease of SQS that has ended: "Value ... for parameter ReceiptHandle is invalid. Reason: The
// receipt handle has expired." or "Reason: Message does not exist or is not available for visibility timeout change." A snapshot that
// only AWS Backup deletes: "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs. ..." A device
// name that the instance has given away: "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use". And what is
// wrong for good.
func parameterValue(message string) Class {
	switch {
	case strings.Contains(message, "receipt handle has expired"), strings.Contains(message, "does not exist or is not available"):
		return Gone
	case strings.Contains(message, "managed by the AWS Backup service"):
		return Conflict
	case strings.Contains(message, "is already in use"):
		return Exists
	}
	return Terminal
}

// snapshotQuota tells the two limits of RDS apart that have one code: how many manual snapshots there may be, and how many copies from other
// regions may be under way, of which the message says that they are in progress.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html (read 2026-11); the text is best evidence:
// https://github.com/pbudzon/aws-maintenance/issues/19
func snapshotQuota(message string) Class {
	message = strings.ToLower(message)
	if strings.Contains(message, "progress") || strings.Contains(message, "cross region") || strings.Contains(message, "cross-region") {
		return Busy
	}
	return Quota
}
