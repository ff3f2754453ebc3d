package route53svc

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/r53model"
)

// service is Route 53 of one cloud.
type service struct{ model *r53model.Model }

// New returns the service, for [awstest.New]. The cloud must have us-east-1,
// where the control plane of Route 53 is.
func New() awstest.Service {
	return func(r *awstest.Registry) error {
		if _, err := r.Cloud().Region("us-east-1"); err != nil {
			return &awstest.FieldError{Field: "Options.Regions", Value: "without us-east-1", Rule: "must have us-east-1, where the control plane of Route 53 is"}
		}
		s := &service{model: r53model.Of(r)}
		e := r.Add(awstest.ServiceSpec{
			ID:     route53.ServiceID,
			Global: true,
			// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "Throttling", Message: "Rate exceeded", Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDenied", Message: "You are not authorized to perform this operation.", Status: http.StatusForbidden},
			Modelled:    modelled,
		})
		s.addHealthChecks(e)
		s.addStatus(e)
		s.addTags(e)
		return e.Err()
	}
}

// Healthy tells whether DNS would be told that a health check is healthy at this
// moment, inverted and all. It is what no operation of Route 53 answers: the
// metric HealthCheckStatus does, within a minute. A health check that is not
// there is refused with an [*awstest.FieldError].
func Healthy(c *awstest.Cloud, id string) (healthy bool, err error) {
	c.Update(func(tx *awstest.Tx) {
		model, there := awstest.Lookup[r53model.Model](tx)
		if there {
			healthy, there = model.Healthy(tx, id)
		}
		if !there {
			err = &awstest.FieldError{Field: "id", Value: id, Rule: "must be a health check of this cloud"}
		}
	})
	return healthy, err
}

// modelled gives the codes that the adapter uses the SDK's types for them, in
// the operations for which the SDK knows them. Elsewhere they stay generic.
func modelled(operation, code, message string) error {
	m := aws.String(message)
	switch operation + " " + code {
	case "CreateHealthCheck HealthCheckAlreadyExists":
		return &types.HealthCheckAlreadyExists{Message: m}
	case "CreateHealthCheck TooManyHealthChecks":
		return &types.TooManyHealthChecks{Message: m}
	case "UpdateHealthCheck HealthCheckVersionMismatch":
		return &types.HealthCheckVersionMismatch{Message: m}
	case "CreateHealthCheck NoSuchHealthCheck", "ListHealthChecks NoSuchHealthCheck",
		"GetHealthCheckCount NoSuchHealthCheck", "GetCheckerIpRanges NoSuchHealthCheck",
		"GetHealthCheckCount InvalidInput", "GetCheckerIpRanges InvalidInput":
		return nil
	}
	switch code {
	case "InvalidInput":
		return &types.InvalidInput{Message: m}
	case "NoSuchHealthCheck":
		return &types.NoSuchHealthCheck{Message: m}
	}
	return nil
}

func invalid(format string, args ...any) error {
	return awstest.Errorf("InvalidInput", format, args...)
}
