package elbv2svc

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxPage is how many results a page may have, and has if nothing is said.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html (read 2026-11)
const maxPage = 400

// page cuts one page out of a result. Its marker is the place where the next
// page begins.
func page[T any](all []T, marker *string, size *int32) (items []T, next *string, err error) {
	start, count := 0, maxPage
	if aws.ToString(marker) != "" {
		if start, err = readMarker(*marker); err != nil {
			return nil, nil, err
		}
	}
	if size != nil {
		if *size < 1 || *size > maxPage {
			return nil, nil, invalid("Page size '%d' must be between 1 and %d", *size, maxPage)
		}
		count = int(*size)
	}
	if start >= len(all) {
		return nil, nil, nil // what the marker was for has become less meanwhile
	}
	end := min(len(all), start+count)
	if end < len(all) {
		next = aws.String(writeMarker(end))
	}
	return all[start:end], next, nil
}

const markerPrefix = "from "

func writeMarker(start int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(markerPrefix + strconv.Itoa(start)))
}

func readMarker(marker string) (start int, err error) {
	text, _ := base64.RawURLEncoding.DecodeString(marker)
	number, _ := strings.CutPrefix(string(text), markerPrefix)
	start, _ = strconv.Atoi(number)
	if start <= 0 || start > 1<<31 || writeMarker(start) != marker {
		return 0, invalid("'%s' is not a valid marker", marker)
	}
	return start, nil
}
