package autoscalingsvc

import (
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/awsha/awsha/awstest"
)

// New returns the service, for [awstest.New].
func New() awstest.Service {
	return func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: autoscaling.ServiceID})
		return e.Err()
	}
}
