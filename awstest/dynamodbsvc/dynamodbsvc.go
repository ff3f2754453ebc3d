package dynamodbsvc

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/awsha/awsha/awstest"
)

// New returns the service, for [awstest.New].
func New() awstest.Service {
	return func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{ID: dynamodb.ServiceID})
		return e.Err()
	}
}
