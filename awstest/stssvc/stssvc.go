package stssvc

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/awsha/awsha/awstest"
)

// New returns the service, for [awstest.New].
func New() awstest.Service {
	return func(r *awstest.Registry) error {
		e := r.Add(awstest.ServiceSpec{
			ID: sts.ServiceID,
			// Source: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html (read 2026-11)
			Throttled:   awstest.APIError{Code: "Throttling", Message: "Rate exceeded", Status: http.StatusBadRequest},
			Unavailable: awstest.APIError{Code: "ServiceUnavailable", Message: "The request has failed due to a temporary failure of the server.", Status: http.StatusServiceUnavailable},
			Denied:      awstest.APIError{Code: "AccessDenied", Message: "You do not have permission to perform this action.", Status: http.StatusForbidden},
		})
		awstest.Handle(e, getCallerIdentity)
		return e.Err()
	}
}

func getCallerIdentity(tx *awstest.Tx, call *awstest.Call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	account := tx.Cloud().AccountID()
	out := &sts.GetCallerIdentityOutput{Account: aws.String(account)}
	if call.Caller == nil {
		out.Arn = aws.String(fmt.Sprintf("arn:aws:iam::%s:user/awstest", account))
		out.UserId = aws.String("AIDACKCEVSQ6C2EXAMPLE")
		return out, nil
	}
	out.Arn = aws.String(fmt.Sprintf("arn:aws:sts::%s:assumed-role/instance/%s", account, call.Caller.ID()))
	out.UserId = aws.String("AROA3XFRBF535PLBIFPI4:" + call.Caller.ID())
	return out, nil
}
