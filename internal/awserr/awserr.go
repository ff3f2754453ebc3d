// Package awserr is the only place that knows AWS error codes. It sorts the errors of SDK clients into classes that say
// what may be done about them, so that the packages above decide by class and never by code or text.
package awserr

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Class says what an error means for the call that met it.
type Class uint8

// The classes. What a class promises about the effect of the call is what makes a repetition safe or not.
const (
	// None is the class of nil.
	None Class = iota
	// Terminal is everything that no other class describes: refused, and a repetition would be too.
	Terminal
	// Throttle: refused because of the rate. No effect; worth repeating later.
	Throttle
	// Unsent: the request never left this machine. No effect; worth repeating.
	Unsent
	// Transient: a server error, a broken connection, a timeout or a cancellation. Whether there was an effect is unknown.
	Transient
	// Pending: refused because a resource is not ready yet. No effect; worth repeating.
	Pending
	// Busy: refused because as many as may be are under way already, of this caller or of others. No effect; worth repeating when one has ended.
	Busy
	// Conflict: refused because somebody else has the resource.
	Conflict
	// Exists: refused because the name of what was to be made is taken. It may be by an earlier try of the same caller.
	Exists
	// NotFound: a resource does not exist, or not yet as far as this reply knows. [Missing] tells which.
	NotFound
	// Gone: a resource exists only as a record of what has ended, such as a terminated instance.
	Gone
	// NoGateway: the network has no way to the internet.
	NoGateway
	// DryRun: the call was a dry run, and is permitted.
	DryRun
	// Denied: credentials or permissions do not suffice.
	Denied
	// Burned: refused because the client token belongs to another request, or to what is no more. No effect; another token may do.
	Burned
	// Quota: refused because a limit of the account or of a resource is reached.
	Quota
	// Capacity: refused because there is none of what was asked for, there. No effect; another zone, subnet or type may do.
	Capacity
)

var classNames = [...]string{"none", "terminal", "throttle", "unsent", "transient", "pending", "busy", "conflict", "exists", "not found", "gone", "no gateway", "dry run", "denied", "burned", "quota", "capacity"}

// String returns the name of the class in lower case.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "invalid"
}

// Of returns the class of an error that an SDK client returned. Where a code means several things, the message decides.
//
// A deadline and a cancellation count as Transient: the caller gave up, and AWS may have gone on. Whether to repeat the call
// is then for the caller's context to say.
func Of(err error) Class {
	if err == nil {
		return None
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return ofReply(err, api)
	}
	return ofTransport(err)
}

// ofReply sorts the errors that AWS answered with.
func ofReply(err error, api smithy.APIError) Class {
	if class := OfCode(api.ErrorCode(), api.ErrorMessage()); class != Terminal {
		return class
	}
	if status := (interface{ HTTPStatusCode() int })(nil); errors.As(err, &status) && status.HTTPStatusCode() >= http.StatusInternalServerError {
		return Transient
	}
	return Terminal
}

// OfCode returns the class of a code that came without an error of its own, such as that of an entry of a batch.
func OfCode(code, message string) Class {
	if row, ok := codes[code]; ok {
		if row.byMessage != nil {
			return row.byMessage(message)
		}
		return row.class
	}
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return Throttle
	}
	return Terminal
}

// ofTransport sorts the errors of calls that got no answer.
func ofTransport(err error) Class {
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
		return Unsent
	}
	if errors.As(err, new(*net.DNSError)) {
		return Unsent
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return Transient
	}
	if status := (interface{ HTTPStatusCode() int })(nil); errors.As(err, &status) && status.HTTPStatusCode() >= http.StatusInternalServerError {
		return Transient // a proxy's or load balancer's answer, which has no code
	}
	if errors.As(err, new(*smithy.DeserializationError)) {
		return Transient // answered, and the answer broke off or is none of AWS's
	}
	if (retry.RetryableConnectionError{}).IsErrorRetryable(err) == aws.TrueTernary {
		return Transient
	}
	return Terminal
}

// Refused tells whether err is an answer of AWS that a repetition of the same request would get again: of class [Terminal] or [Denied]. Other
// errors of class Terminal are not AWS's, and nothing is known of them.
func Refused(err error) bool {
	if !errors.As(err, new(smithy.APIError)) {
		return false
	}
	class := Of(err)
	return class == Terminal || class == Denied
}

// Resource is a kind of thing that AWS did not find.
type Resource string

// The resources that the table of codes names.
const (
	Address          Resource = "address"
	Association      Resource = "association"
	Instance         Resource = "instance"
	NetworkInterface Resource = "network interface"
	LoadBalancer     Resource = "load balancer"
	Target           Resource = "target" // or it cannot be one: not running, of another VPC, of an unsupported type
	TargetGroup      Resource = "target group"
	HealthCheck      Resource = "health check"
	Queue            Resource = "queue"
	Snapshot         Resource = "snapshot"
	Subnet           Resource = "subnet" // or a free address in it
	Volume           Resource = "volume"
	Attachment       Resource = "attachment" // of a volume
	Image            Resource = "image"
	Database         Resource = "database" // an instance or a cluster
	Bucket           Resource = "bucket"
	Object           Resource = "object" // or the current version is a delete marker
)

// Missing returns what an error of class [NotFound] did not find, and what one of class [Capacity] is short of if that is not the type of
// instance; for other errors it is empty.
func Missing(err error) Resource {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return codes[api.ErrorCode()].missing
	}
	return ""
}

// Unpermitted tells whether an error of class [Denied] is for want of a permission of the action, which a policy can give;
// not for credentials that are bad or have expired, nor for a resource that belongs to others.
func Unpermitted(err error) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && codes[api.ErrorCode()].policy
}

// ID returns the first resource ID with a prefix, such as "eipassoc", that the message of an AWS error names; empty if
// there is none. Messages are no contract: an ID found may speed a decision up, and its absence must not prevent one.
func ID(err error, prefix string) string {
	api := smithy.APIError(nil)
	if !errors.As(err, &api) {
		return ""
	}
	words := strings.FieldsFunc(api.ErrorMessage(), func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
	for _, word := range words {
		if rest, ok := strings.CutPrefix(word, prefix+"-"); ok && rest != "" && strings.Trim(rest, "0123456789abcdef") == "" {
			return word
		}
	}
	return ""
}

// Number returns the first whole number in the message of an AWS error, such as the limit that has been reached; zero if there is none. As
// with [ID], its absence must not prevent a decision.
func Number(err error) int {
	api := smithy.APIError(nil)
	if !errors.As(err, &api) {
		return 0
	}
	for word := range strings.FieldsFuncSeq(api.ErrorMessage(), func(r rune) bool { return r == ' ' || r == '.' || r == ',' || r == ')' || r == '(' }) {
		if n, err := strconv.ParseUint(word, 10, 31); err == nil {
			return int(n)
		}
	}
	return 0
}

// NoSuch is what EC2 answers for a resource that does not exist, for a reply that leaves it out instead.
func NoSuch(missing Resource) error {
	for _, code := range [...]string{"InvalidAllocationID.NotFound", "InvalidInstanceID.NotFound", "InvalidNetworkInterfaceID.NotFound"} {
		if codes[code].missing == missing {
			return &smithy.GenericAPIError{Code: code, Message: "the reply has no such " + string(missing)}
		}
	}
	return &smithy.GenericAPIError{Code: "NotFound", Message: "the reply has no such " + string(missing)}
}

// RequestID returns the ID under which AWS knows the failed request; empty if it never got an answer.
func RequestID(err error) string {
	if r := (interface{ ServiceRequestID() string })(nil); errors.As(err, &r) {
		return r.ServiceRequestID()
	}
	return ""
}
