package autoscalingsvc

import (
	"github.com/awsha/awsha/awstest"
	"github.com/awsha/awsha/awstest/internal/paging"
)

// pages are how many results a page has if nothing is said, and at most.
type pages struct{ standard, most int }

// Source: MaxRecords of the operations in the SDK (read 2026-11)
var (
	pagesOfGroups     = pages{50, 100}
	pagesOfInstances  = pages{50, 50}
	pagesOfActivities = pages{100, 100}
	pagesOfTargets    = pages{100, 100}
	pagesOfSources    = pages{50, 50}
)

// page returns the part of a result that a token and a size ask for.
func page[T any](p pages, all []T, token *string, size *int32) (items []T, next *string, err error) {
	count := p.standard
	if size != nil {
		if *size < 1 || int(*size) > p.most {
			return nil, nil, invalid("MaxRecords must be between 1 and %d, and not %d", p.most, *size)
		}
		count = int(*size)
	}
	items, next, ok := paging.Cut(all, token, count)
	if !ok || token != nil && *token == "" { // paging takes an empty one for none
		return nil, nil, awstest.Errorf("InvalidNextToken", "The token '%s' is invalid.", *token)
	}
	return items, next, nil
}
