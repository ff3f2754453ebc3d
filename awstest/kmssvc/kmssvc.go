package kmssvc

import (
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/awsha/awsha/awstest"
)

// New returns the service, for [awstest.New].
func New() awstest.Service {
	return func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: kms.ServiceID})
		return e.Err()
	}
}
