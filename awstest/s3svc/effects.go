package s3svc

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/awsha/awsha/awstest"
)

// conflict is the effect of [Conflict].
type conflict struct{}

// Conflict is the effect that a conditional write meets another one to the
// same key while it is under way: it is refused with
// ConditionalRequestConflict, status 409, and changes nothing. The SDK does not
// retry it. Writes and deletes without a condition are not affected.
func Conflict() awstest.Effect {
	return awstest.Special(s3.ServiceID, []string{"PutObject", "CompleteMultipartUpload", "CopyObject", "DeleteObject"}, conflict{})
}

// conflicts refuses a conditional request that the effect strikes.
func conflicts(call *awstest.Call, conditional bool) error {
	if !conditional || len(awstest.Specials[conflict](call)) == 0 {
		return nil
	}
	return &awstest.APIError{
		Code:    "ConditionalRequestConflict",
		Message: "The conditional request cannot succeed due to a conflicting operation against this resource.",
		Status:  http.StatusConflict,
	}
}

// cut is the effect of [CutBody].
type cut int64

// CutBody is the effect that the connection breaks after n bytes of the body
// of GetObject: the call succeeds, and reading the body ends with
// io.ErrUnexpectedEOF. The SDK does not retry that, since its call is over. A
// body that is not longer arrives whole; a negative n counts as zero.
func CutBody(n int64) awstest.Effect {
	return awstest.Special(s3.ServiceID, []string{"GetObject"}, cut(max(n, 0)))
}
