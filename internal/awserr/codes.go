package awserr

import "strings"

// row is what is known of one error code. The test names the documentation of each.
type row struct {
	class     Class
	missing   Resource                   // of class NotFound
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
	"InvalidParameterValue":                     {byMessage: receiptHandle},
	"OverLimit":                                 {class: Quota},
	"KmsThrottled":                              {class: Throttle},
	"KMS.ThrottlingException":                   {class: Throttle},
	"KmsAccessDenied":                           {class: Denied},
	"KMS.AccessDeniedException":                 {class: Denied},

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
// terminated instance 'i-1' is not ...". The codes are the same.
func instanceState(message string) Class {
	state, _ := strings.CutPrefix(message, "The ")
	state, _, _ = strings.Cut(state, " ")
	switch {
	case state == "pending" || strings.HasPrefix(state, "pending-"):
		return Pending
	case state == "shutting-down" || state == "terminated":
		return Gone
	}
	return Terminal
}

// lifecycle tells what Auto Scaling refuses because of the state that an instance is in, and may do later, from what is wrong for
// good. The code is the same. SetInstanceHealth: "The age of the instance (60 seconds) is less than the configured grace period of
// 300 seconds". SetInstanceProtection: "The instance i-1 is not in InService or EnteringStandby or Standby.", before and after. Calls
// about a lifecycle action: "No active Lifecycle Action found with instance ID i-1", which is not there yet, or not any more.
func lifecycle(message string) Class {
	switch {
	case strings.Contains(message, "less than the configured grace period"), strings.Contains(message, "is not in InService or EnteringStandby or Standby"):
		return Pending
	case strings.Contains(message, "No active Lifecycle Action found"):
		return NotFound
	}
	return Terminal
}

// receiptHandle tells a lease of SQS that has ended, "Value ... for parameter ReceiptHandle is invalid. Reason: The receipt handle has
// expired." or "Reason: Message does not exist or is not available for visibility timeout change.", from what is wrong for good.
func receiptHandle(message string) Class {
	if strings.Contains(message, "receipt handle has expired") || strings.Contains(message, "does not exist or is not available") {
		return Gone
	}
	return Terminal
}
