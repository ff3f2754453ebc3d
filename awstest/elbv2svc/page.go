package elbv2svc

import "github.com/awsha/awsha/awstest/internal/paging"

// maxPage is how many results a page may have, and has if nothing is said.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html (read 2026-11)
const maxPage = 400

// page returns the part of a result that a marker and a page size ask for.
func page[T any](all []T, marker *string, size *int32) (items []T, next *string, err error) {
	count := maxPage
	if size != nil {
		if *size < 1 || *size > maxPage {
			return nil, nil, invalid("Page size '%d' must be between 1 and %d", *size, maxPage)
		}
		count = int(*size)
	}
	items, next, ok := paging.Cut(all, marker, count)
	if !ok {
		return nil, nil, invalid("'%s' is not a valid marker", *marker)
	}
	return items, next, nil
}
