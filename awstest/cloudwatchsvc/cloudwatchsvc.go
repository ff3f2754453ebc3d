package cloudwatchsvc

import (
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/cwmodel"
	"github.com/awsha/awsha/awstest/internal/paging"
)

// service is CloudWatch of one cloud.
type service struct{ model *cwmodel.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: cwmodel.Of(r)}
		var err error
		s.model.Configure(func(m *cwmodel.Options) { err = opts.apply(m) })
		if err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: cloudwatch.ServiceID,
			// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "Throttling", Message: "Rate exceeded", Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDenied", Message: "You are not authorized to perform this operation.", Status: http.StatusForbidden},
			Modelled:    modelled,
		})
		s.addData(e)
		s.addStatistics(e)
		s.addAlarms(e)
		s.addStates(e)
		s.addHistory(e)
		s.addTags(e)
		return e.Err()
	}
}

// modelled gives the codes that the adapter uses the SDK's types for them. The
// code stays that of the service's older protocol, which the SDK goes by, and
// which is not always that of the type.
func modelled(_, code, message string) error {
	m := aws.String(message)
	switch code {
	case "InvalidFormat":
		return &types.InvalidFormatFault{Message: m, ErrorCodeOverride: &code}
	case "InvalidNextToken":
		return &types.InvalidNextToken{Message: m}
	case "InvalidParameterCombination":
		return &types.InvalidParameterCombinationException{Message: m, ErrorCodeOverride: &code}
	case "InvalidParameterValue":
		return &types.InvalidParameterValueException{Message: m, ErrorCodeOverride: &code}
	case "MissingParameter":
		return &types.MissingRequiredParameterException{Message: m, ErrorCodeOverride: &code}
	case "ResourceNotFound":
		return &types.ResourceNotFound{Message: m}
	case "ResourceNotFoundException":
		return &types.ResourceNotFoundException{Message: m}
	case "ValidationError":
		return &types.ValidationException{Message: m, ErrorCodeOverride: &code}
	}
	return nil
}

func (s *service) region(call *awstest.Call) *cwmodel.Region { return s.model.Region(call.Region) }

func badValue(format string, args ...any) error {
	return awstest.Errorf("InvalidParameterValue", format, args...)
}

func badCombination(format string, args ...any) error {
	return awstest.Errorf("InvalidParameterCombination", format, args...)
}

func missing(format string, args ...any) error {
	return awstest.Errorf("MissingParameter", format, args...)
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("ValidationError", format, args...)
}

// oneOf refuses a value that is none of its set; the zero value is not given.
func oneOf[T ~string](field string, v T, set []T) error {
	if v != "" && !slices.Contains(set, v) {
		return invalid("The value %q for %s is not in the set %v", v, field, set)
	}
	return nil
}

// page returns the part of a result that a token and a size ask for. The size
// is at most most, and usual if it is not given.
func page[T any](all []T, token *string, size *int32, usual, most int) ([]T, *string, error) {
	count := usual
	if size != nil {
		if *size < 1 || int(*size) > most {
			return nil, nil, invalid("The value %d is not between 1 and %d", *size, most)
		}
		count = int(*size)
	}
	part, next, ok := paging.Cut(all, token, count)
	if !ok {
		return nil, nil, badToken()
	}
	return part, next, nil
}

func badToken() error { return awstest.Errorf("InvalidNextToken", "Invalid nextToken") }
