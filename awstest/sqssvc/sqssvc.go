package sqssvc

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/sqsmodel"
)

// service is SQS of one cloud.
type service struct{ model *sqsmodel.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: sqsmodel.Of(r)}
		var err error
		s.model.Configure(func(m *sqsmodel.Options) { err = opts.apply(m) })
		if err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: sqs.ServiceID,
			// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "RequestThrottled", Message: "The request was denied due to request throttling.", Status: http.StatusForbidden},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDenied", Message: "You are not authorized to perform this operation.", Status: http.StatusForbidden},
			Modelled:    modelled,
		})
		s.addQueues(e)
		s.addAttributes(e)
		s.addTags(e)
		s.addSends(e)
		s.addReceive(e)
		s.addLeases(e)
		s.addRedrive(e)
		return e.Err()
	}
}

func (s *service) region(call *awstest.Call) *sqsmodel.Region { return s.model.Region(call.Region) }

// queue returns the queue of a URL as it is now.
func (s *service) queue(tx *awstest.Tx, call *awstest.Call, url *string) (*sqsmodel.Queue, error) {
	return s.region(call).Queue(tx, aws.ToString(url))
}

// modelled gives the codes of SQS the SDK's types for them. The service
// answers with two codes, that of the type and the one of its older query
// protocol, and the SDK shows the latter; either names the error here.
func modelled(_, code, message string) error {
	m, c := aws.String(message), aws.String(queryCode(code))
	switch *c {
	case query + "BatchEntryIdsNotDistinct":
		return &types.BatchEntryIdsNotDistinct{Message: m, ErrorCodeOverride: c}
	case query + "BatchRequestTooLong":
		return &types.BatchRequestTooLong{Message: m, ErrorCodeOverride: c}
	case query + "EmptyBatchRequest":
		return &types.EmptyBatchRequest{Message: m, ErrorCodeOverride: c}
	case query + "InvalidBatchEntryId":
		return &types.InvalidBatchEntryId{Message: m, ErrorCodeOverride: c}
	case query + "MessageNotInflight":
		return &types.MessageNotInflight{Message: m, ErrorCodeOverride: c}
	case query + "NonExistentQueue":
		return &types.QueueDoesNotExist{Message: m, ErrorCodeOverride: c}
	case query + "PurgeQueueInProgress":
		return &types.PurgeQueueInProgress{Message: m, ErrorCodeOverride: c}
	case query + "QueueDeletedRecently":
		return &types.QueueDeletedRecently{Message: m, ErrorCodeOverride: c}
	case query + "TooManyEntriesInBatchRequest":
		return &types.TooManyEntriesInBatchRequest{Message: m, ErrorCodeOverride: c}
	case query + "UnsupportedOperation":
		return &types.UnsupportedOperation{Message: m, ErrorCodeOverride: c}
	case "InvalidAddress":
		return &types.InvalidAddress{Message: m, ErrorCodeOverride: c}
	case "InvalidAttributeName":
		return &types.InvalidAttributeName{Message: m, ErrorCodeOverride: c}
	case "InvalidAttributeValue":
		return &types.InvalidAttributeValue{Message: m, ErrorCodeOverride: c}
	case "InvalidMessageContents":
		return &types.InvalidMessageContents{Message: m, ErrorCodeOverride: c}
	case "OverLimit":
		return &types.OverLimit{Message: m, ErrorCodeOverride: c}
	case "QueueAlreadyExists":
		return &types.QueueNameExists{Message: m, ErrorCodeOverride: c}
	case "ReceiptHandleIsInvalid":
		return &types.ReceiptHandleIsInvalid{Message: m, ErrorCodeOverride: c}
	case "RequestThrottled":
		return &types.RequestThrottled{Message: m, ErrorCodeOverride: c}
	case "ResourceNotFoundException":
		return &types.ResourceNotFoundException{Message: m, ErrorCodeOverride: c}
	case "KMS.AccessDeniedException":
		return &types.KmsAccessDenied{Message: m, ErrorCodeOverride: c}
	case "InvalidIdFormat":
		return &types.InvalidIdFormat{Message: m, ErrorCodeOverride: c}
	case "InvalidSecurity":
		return &types.InvalidSecurity{Message: m, ErrorCodeOverride: c}
	case "KMS.InvalidKeyUsageException":
		return &types.KmsInvalidKeyUsage{Message: m, ErrorCodeOverride: c}
	case "KMS.OptInRequired":
		return &types.KmsOptInRequired{Message: m, ErrorCodeOverride: c}
	case "KMS.DisabledException":
		return &types.KmsDisabled{Message: m, ErrorCodeOverride: c}
	case "KMS.InvalidStateException":
		return &types.KmsInvalidState{Message: m, ErrorCodeOverride: c}
	case "KMS.NotFoundException":
		return &types.KmsNotFound{Message: m, ErrorCodeOverride: c}
	case "KMS.ThrottlingException":
		return &types.KmsThrottled{Message: m, ErrorCodeOverride: c}
	}
	return nil // such as InvalidParameterValue, which the SDK has no type for
}

// query is how many codes of the query protocol begin.
const query = "AWS.SimpleQueueService."

// queryCode returns the code of the query protocol for either of the codes of
// an error.
// Source: the awsQueryError traits in aws-sdk-go-v2/service/sqs/schemas (read 2026-11)
func queryCode(code string) string {
	switch code {
	case "QueueDoesNotExist":
		return query + "NonExistentQueue"
	case "QueueNameExists":
		return "QueueAlreadyExists"
	case "BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId", "MessageNotInflight",
		"PurgeQueueInProgress", "QueueDeletedRecently", "TooManyEntriesInBatchRequest", "UnsupportedOperation":
		return query + code
	case "KmsAccessDenied":
		return "KMS.AccessDeniedException"
	case "KmsOptInRequired":
		return "KMS.OptInRequired"
	case "KmsDisabled", "KmsInvalidKeyUsage", "KmsInvalidState", "KmsNotFound":
		return "KMS." + strings.TrimPrefix(code, "Kms") + "Exception"
	case "KmsThrottled":
		return "KMS.ThrottlingException"
	}
	return code
}

// forEntry returns an error as it is told of an entry of a batch.
func forEntry(err error) *awstest.APIError {
	if r, ok := errors.AsType[*sqsmodel.HandleError](err); ok {
		return r.Entry
	}
	if e, ok := errors.AsType[*awstest.APIError](err); ok {
		return e
	}
	return &awstest.APIError{Code: "InternalError", Message: err.Error(), Status: http.StatusInternalServerError}
}
