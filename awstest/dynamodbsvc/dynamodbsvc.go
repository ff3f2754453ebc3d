package dynamodbsvc

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/history"
)

// service is DynamoDB of one cloud.
type service struct {
	opts    Options
	regions map[*awstest.Region]*region
}

// region is DynamoDB of one region.
type region struct {
	tables *history.Table[string, *table] // by name
	tokens tokens
}

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		s := &service{regions: map[*awstest.Region]*region{}}
		for _, fn := range optFns {
			fn(&s.opts)
		}
		if err := s.opts.check(); err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: dynamodb.ServiceID,
			// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "ProvisionedThroughputExceededException", Message: tooFast, Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "InternalServerError", Message: "Internal server error", Status: http.StatusInternalServerError},
			Denied:      awstest.APIError{Code: "AccessDeniedException", Message: "User is not authorized to perform this operation", Status: http.StatusBadRequest},
			Modelled:    modelled,
		})
		s.addTables(e)
		s.addTags(e)
		s.addTimeToLive(e)
		s.addItems(e)
		s.addReads(e)
		s.addBatches(e)
		s.addTransactions(e)
		return e.Err()
	}
}

const tooFast = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."

func (s *service) region(call *awstest.Call) *region {
	r, ok := s.regions[call.Region]
	if !ok {
		r = &region{tables: history.NewTable[string, *table](awstest.Memory)}
		s.regions[call.Region] = r
	}
	return r
}

// modelled gives the codes that the adapter uses, and those that a test may
// well inject, the SDK's types for them. Codes that the SDK has no type for,
// such as ValidationException, stay generic.
func modelled(_, code, message string) error {
	m := aws.String(message)
	switch code {
	case "ConditionalCheckFailedException":
		return &types.ConditionalCheckFailedException{Message: m}
	case "IdempotentParameterMismatchException":
		return &types.IdempotentParameterMismatchException{Message: m}
	case "InternalServerError":
		return &types.InternalServerError{Message: m}
	case "LimitExceededException":
		return &types.LimitExceededException{Message: m}
	case "ProvisionedThroughputExceededException":
		return &types.ProvisionedThroughputExceededException{Message: m}
	case "ReplicatedWriteConflictException":
		return &types.ReplicatedWriteConflictException{Message: m}
	case "RequestLimitExceeded":
		return &types.RequestLimitExceeded{Message: m}
	case "ResourceInUseException":
		return &types.ResourceInUseException{Message: m}
	case "ResourceNotFoundException":
		return &types.ResourceNotFoundException{Message: m}
	case "ThrottlingException":
		return &types.ThrottlingException{Message: m}
	case "TransactionCanceledException":
		return &types.TransactionCanceledException{Message: m}
	case "TransactionConflictException":
		return &types.TransactionConflictException{Message: m}
	case "TransactionInProgressException":
		return &types.TransactionInProgressException{Message: m}
	}
	return nil
}

// detailed is an error that has more to it than a code and a message: it takes
// the shape here that other errors are given by the core. The status is 400.
func detailed(call *awstest.Call, err error) error {
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{
				StatusCode: http.StatusBadRequest,
				Status:     "400 " + http.StatusText(http.StatusBadRequest),
				Header:     http.Header{},
				Body:       http.NoBody,
			}},
			Err: err,
		},
		RequestID: call.RequestID,
	}
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationException", format, args...)
}

func notFound(format string, args ...any) error {
	return awstest.Errorf("ResourceNotFoundException", format, args...)
}

func inUse(format string, args ...any) error {
	return awstest.Errorf("ResourceInUseException", format, args...)
}

// member is the error of a parameter that breaks a rule of the API's model.
func member(value any, name, rule string) error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, name, rule)
}

// oneOf refuses a value that is none of those which the API knows; the empty
// one is the default.
func oneOf[T ~string](value T, name string, values []T) error {
	if value == "" || slices.Contains(values, value) {
		return nil
	}
	return member(value, name, fmt.Sprintf("satisfy enum value set: %v", values))
}
