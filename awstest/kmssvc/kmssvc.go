package kmssvc

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/kmsmodel"
	"github.com/awsha/awsha/awstest/internal/paging"
)

// service is KMS of one cloud.
type service struct{ model *kmsmodel.Model }

// New returns the service, for [awstest.New].
func New() awstest.Service {
	return func(r *awstest.Registry) error {
		s := &service{model: kmsmodel.Of(r)}
		e := r.Add(awstest.ServiceSpec{
			ID: kms.ServiceID,
			// Source: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "KMSInternalException", Message: "An internal exception occurred.", Status: http.StatusInternalServerError},
			Denied:      awstest.APIError{Code: "AccessDeniedException", Message: "You are not authorized to perform this operation.", Status: http.StatusBadRequest},
			Modelled:    modelled,
		})
		s.addKeys(e)
		s.addDeletion(e)
		s.addAliases(e)
		return e.Err()
	}
}

// modelled gives the codes that the adapter uses the SDK's types for them.
// Codes that the SDK has no type for, such as ValidationException, stay
// generic.
func modelled(_, code, message string) error {
	m := aws.String(message)
	switch code {
	case "AlreadyExistsException":
		return &types.AlreadyExistsException{Message: m}
	case "DisabledException":
		return &types.DisabledException{Message: m}
	case "InvalidAliasNameException":
		return &types.InvalidAliasNameException{Message: m}
	case "InvalidArnException":
		return &types.InvalidArnException{Message: m}
	case "InvalidMarkerException":
		return &types.InvalidMarkerException{Message: m}
	case "KMSInternalException":
		return &types.KMSInternalException{Message: m}
	case "KMSInvalidStateException":
		return &types.KMSInvalidStateException{Message: m}
	case "NotFoundException":
		return &types.NotFoundException{Message: m}
	}
	return nil
}

func (s *service) region(call *awstest.Call) *kmsmodel.Region { return s.model.Region(call.Region) }

// page returns the part of a result that a marker and a limit ask for.
func page[T any](all []T, marker *string, limit *int32, usual, most int) ([]T, *string, error) {
	count := usual
	if limit != nil {
		if *limit < 1 || int(*limit) > most {
			return nil, nil, awstest.Errorf("ValidationException", "1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must be between 1 and %d", *limit, most)
		}
		count = int(*limit)
	}
	part, next, ok := paging.Cut(all, marker, count)
	if !ok {
		return nil, nil, awstest.Errorf("InvalidMarkerException", "Invalid marker")
	}
	return part, next, nil
}
