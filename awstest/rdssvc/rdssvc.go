package rdssvc

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/paging"
	"github.com/awsha/awsha/awstest/internal/rdsmodel"
)

// service is RDS of one cloud.
type service struct{ model *rdsmodel.Model }

// New returns the service, for [awstest.New]. Mistakes in the options are
// reported by awstest.New, all at once, each an [*awstest.FieldError].
func New(optFns ...func(*Options)) awstest.Service {
	return func(r *awstest.Registry) error {
		var opts Options
		for _, fn := range optFns {
			fn(&opts)
		}
		s := &service{model: rdsmodel.Of(r)}
		var err error
		s.model.Configure(func(m *rdsmodel.Options) { err = opts.apply(m) })
		if err != nil {
			return err
		}
		e := r.Add(awstest.ServiceSpec{
			ID: rds.ServiceID,
			// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/CommonErrors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "ThrottlingException", Message: "Rate exceeded", Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDenied", Message: "You are not authorized to perform this operation.", Status: http.StatusForbidden},
			Modelled:    modelled,
		})
		s.addInstances(e)
		s.addSnapshots(e)
		s.addRestores(e)
		s.addReplicas(e)
		s.addClusters(e)
		s.addClusterSnapshots(e)
		s.addTags(e)
		return e.Err()
	}
}

func (s *service) region(call *awstest.Call) *rdsmodel.Region { return s.model.Region(call.Region) }

// How many records a page may have, and has if nothing is said.
// Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshots.html (read 2026-11)
const minPage, maxPage = 20, 100

// page returns the part of a result that a marker and a number of records ask
// for.
func page[T any](all []T, marker *string, size *int32) (items []T, next *string, err error) {
	count := maxPage
	if size != nil {
		if *size < minPage || *size > maxPage {
			return nil, nil, rdsmodel.Invalid("Invalid value %d for MaxRecords. Must be between %d and %d", *size, minPage, maxPage)
		}
		count = int(*size)
	}
	items, next, ok := paging.Cut(all, marker, count)
	if !ok {
		return nil, nil, rdsmodel.Invalid("The request marker is invalid")
	}
	return items, next, nil
}
