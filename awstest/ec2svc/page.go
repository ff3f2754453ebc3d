package ec2svc

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/awsha/awsha/awstest"
)

// pageLimits of an operation's MaxResults.
type pageLimits struct{ min, max int32 }

// page cuts one page out of a result. Its token is the place where the next
// page begins.
func page[T any](all []T, token *string, size *int32, limits pageLimits) (items []T, next *string, err error) {
	start := 0
	if token != nil {
		text, err := base64.RawURLEncoding.DecodeString(*token)
		number, found := strings.CutPrefix(string(text), "from ")
		start, _ = strconv.Atoi(number)
		if err != nil || !found || start <= 0 {
			return nil, nil, awstest.Errorf("InvalidNextToken", "The token '%s' is not valid.", *token)
		}
	}
	end := len(all)
	if size != nil {
		if *size < limits.min || *size > limits.max {
			return nil, nil, awstest.Errorf("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d.", *size, limits.min, limits.max)
		}
		end = min(end, start+int(*size))
	}
	if start >= len(all) {
		return nil, nil, nil
	}
	if end < len(all) {
		next = aws.String(base64.RawURLEncoding.EncodeToString([]byte("from " + strconv.Itoa(end))))
	}
	return all[start:end], next, nil
}
