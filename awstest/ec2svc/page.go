package ec2svc

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/paging"
)

// pageSize is how many results a page may have.
type pageSize struct{ least, most int32 }

// Source: DescribeTagsInput.MaxResults of the SDK (read 2026-11)
var usualPages = pageSize{5, 1000}

func page[T any](all []T, token *string, size *int32) (items []T, next *string, err error) {
	return cut(usualPages, all, token, size)
}

// cut returns the part of a result that a token and a size ask for; without a
// size, it is all that the token leads to.
func cut[T any](allowed pageSize, all []T, token *string, size *int32) (items []T, next *string, err error) {
	count := len(all)
	if size != nil {
		if *size < allowed.least || *size > allowed.most {
			return nil, nil, awstest.Errorf("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value between %d and %d.", *size, allowed.least, allowed.most)
		}
		count = int(*size)
	}
	items, next, ok := paging.Cut(all, token, count)
	if !ok || token != nil && *token == "" { // paging takes an empty one for none
		return nil, nil, awstest.Errorf("InvalidNextToken", "The token '%s' is not valid.", *token)
	}
	return items, next, nil
}
